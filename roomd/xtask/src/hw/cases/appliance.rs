// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A machine that is nothing but a room, by systemd/appliance, and somebody who brings a keyboard.

use anyhow::{Result, ensure};

use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::super::{Figure, count};
use super::input::{KEYBOARD, chord, keyboard, unplug};
use crate::lab::wait;

/// Keys by their numbers (linux/input-event-codes.h).
const CTRL: u16 = 29;
const B: u16 = 48;
const ALT: u16 = 56;
const F1: u16 = 59;
const F2: u16 = 60;
const F3: u16 = 61;
const SYSRQ: u16 = 99;
const DELETE: u16 = 111;

/// What is pressed, and how often: other terminals, a restart, a restart all the same, and one by the kernel.
const PRESSED: [(&[u16], usize); 5] = [
    (&[ALT, F2], 1),
    (&[CTRL, ALT, F2], 1),
    (&[CTRL, ALT, DELETE], 1),
    (&[CTRL, ALT, DELETE], 9),
    (&[ALT, SYSRQ, B], 1),
];

/// Which start of the machine this is, which terminal is seen, and which roomd runs.
const STANDS: &str = "cat /proc/sys/kernel/random/boot_id /sys/class/tty/tty0/active; pid";

/// Whoever brings a keyboard finds no login and no restart.
pub fn keys(bench: &mut Bench) -> Result<Figure> {
    let _room = Daemon::start(bench, "")?;
    unplug(bench, KEYBOARD)?;
    let _keyboard = keyboard(bench, &[CTRL, B, ALT, F1, F2, F3, SYSRQ, DELETE])?;
    // It makes the terminals that people may log in on.
    bench.host.text("systemctl start systemd-logind")?;
    no_login(bench)?;
    let before = bench.host.text(STANDS)?;
    for (keys, times) in PRESSED {
        let pressed = [chord(keys, times).as_str(), "sleep 1\n", STANDS].concat();
        let after = bench.host.text(&pressed)?;
        ensure!(after == before, "{keys:?} change {before} to {after}");
    }
    no_login(bench)?;
    arrived(bench)?;
    bench.host.text("systemctl stop systemd-logind")?;
    unplug(bench, KEYBOARD)?;
    Ok(count(PRESSED.len(), "combinations without effect"))
}

/// What is pressed arrives: systemd tells of the restart that it refused, and a terminal that exists is
/// switched to.
fn arrived(bench: &Bench) -> Result<()> {
    wait::until("systemd to refuse a restart", || {
        let told = bench.host.number(
            "journalctl --boot --output=cat _PID=1 \
             | grep -c 'ctrl-alt-del.target.*masked' || true",
        )?;
        Ok((told > 0.0).then_some(()))
    })?;
    bench.host.text(": <>/dev/tty3")?;
    for (key, terminal) in [(F3, "tty3"), (F1, "tty1")] {
        bench.host.text(&chord(&[ALT, key], 1))?;
        wait::until(terminal, || {
            let active = bench.host.text("cat /sys/class/tty/tty0/active")?;
            Ok((active == terminal).then_some(()))
        })?;
    }
    Ok(())
}

/// No login runs on a virtual terminal, and none can be started.
fn no_login(bench: &Bench) -> Result<()> {
    let logins = bench.host.text(
        "ps -C agetty,login -o tty=,args= || true\n\
         for unit in getty@tty1 autovt@tty2; do\n\
           if systemctl start $unit.service 2>/dev/null; then echo $unit; fi\n\
         done",
    )?;
    ensure!(logins.is_empty(), "somebody can log in: {logins}");
    Ok(())
}
