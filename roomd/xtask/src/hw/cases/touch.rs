// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's own touch panel: its page on one screen, the room's display on the other, and a finger.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use roomd_model::Phase;

use super::super::Figure;
use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::super::host::Following;
use super::input::{NODE, TOUCH, device, touch, unplug};
use crate::lab::picture::Picture;
use crate::lab::wait;
use crate::lab::words::{self, Word};

/// The outputs of the virtual graphics card: their numbers in QEMU and their names in the room.
const DISPLAY: (u32, &str) = (0, "Virtual-1");
const PANEL: (u32, &str) = (1, "Virtual-2");
/// What the panel's buttons say.
const JOIN: &[&str] = &["Jetzt", "beitreten"];
const SEND: &[&str] = &["Senden"];
/// How alike what the room draws and what its display shows must be.
const ALIKE: f64 = 0.9;
/// An emulated browser needs a minute, and several beside other work.
const PATIENCE: Duration = Duration::from_secs(900);
/// Looking takes the processor that the room needs.
const PAUSE: Duration = Duration::from_secs(3);
/// How long a touch that must not reach the panel is waited for, and one that must at most; without the time
/// for which the virtual machine had no processor.
const QUIET: Duration = Duration::from_secs(60);

/// As systemd/README.md has it, and which screen is which. No cable is in the panel's output, so it is
/// switched on by hand, in a mode that is not the display's. The browser's parts wait for one another longer
/// than on a real processor, and nothing that gets none for a while is taken for dead.
fn install(bench: &Bench) -> Result<()> {
    let script = format!(
        "from=/mnt/systemd/panel\n\
         mkdir -p /usr/libexec/roomd /run/systemd/system/roomd-screen.service.d\n\
         cp -r $from/*.service $from/roomd.service.d /etc/systemd/system/\n\
         cp $from/sysusers.d/* /etc/sysusers.d/\n\
         cp $from/udev/* /etc/udev/rules.d/\n\
         cp $from/libexec/* /usr/libexec/roomd/\n\
         cat >/etc/roomd/panel.conf <<'END'\n\
         ROOMD_PANEL_OUTPUT={panel}\n\
         ROOMD_DISPLAY_OUTPUT={display}\n\
         ROOMD_PANEL_MODE=1024x768\n\
         ROOMD_PANEL_ORIGIN=https://localhost:{web}\n\
         ROOMD_PANEL_RENDERER=pixman\n\
         ROOMD_PANEL_FLAGS=--ipc-connection-timeout=600\n\
         END\n\
         printf '%s\\n' '[Service]' WatchdogSec=0 TimeoutStartSec=infinity \
           >/run/systemd/system/roomd-screen.service.d/bench.conf\n\
         echo on >$(echo /sys/class/drm/card*-{panel})/status\n\
         systemd-sysusers 2>/dev/null\n\
         systemctl daemon-reload\n\
         udevadm control --reload\n\
         udevadm trigger --subsystem-match=input\n\
         udevadm settle",
        panel = PANEL.1,
        display = DISPLAY.1,
        web = bench.web()?,
    );
    bench.host.text(&script).map(drop)
}

/// The daemon with a meeting of its own in its calendar, which begins at once.
fn booked(bench: &Bench) -> Result<Daemon<'_>> {
    bench.host.text(&format!(
        "at() {{ date -u -d \"+$1 seconds\" +%Y%m%dT%H%M%SZ; }}\n\
         printf '%s\\r\\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//roomd//bench//DE BEGIN:VEVENT \
           UID:touch DTSTAMP:$(at 0) DTSTART:$(at 0) DTEND:$(at 7200) SUMMARY:Lagebesprechung \
           LOCATION:https://127.0.0.1:{}/meet/bench-touch-room END:VEVENT END:VCALENDAR \
           >/etc/roomd/room.ics",
        bench.web()?
    ))?;
    Daemon::start_with(
        bench,
        "display = \"wayland\"\n",
        // Nobody else comes to this meeting.
        "[join]\nempty_call_seconds = 600\n\
         [calendar]\nsource = \"file\"\npath = \"/etc/roomd/room.ics\"\n",
    )
}

/// Display server and browser; they end with the value.
struct Screens<'a>(&'a Bench);

impl<'a> Screens<'a> {
    fn start(bench: &'a Bench) -> Result<Self> {
        let screens = Self(bench);
        let start = "systemctl start roomd-screen roomd-panel";
        screens.0.host.text(start)?;
        Ok(screens)
    }

    /// What an output shows.
    fn picture(&self, (output, _): (u32, &str)) -> Result<Picture> {
        Picture::ppm(&self.0.screen(output)?)
    }

    /// Waits until the panel says this, and gives its place.
    fn says(&self, phrase: &[&str]) -> Result<[f64; 2]> {
        wait::within(PATIENCE, &format!("the panel to say {phrase:?}"), || {
            std::thread::sleep(PAUSE);
            let words = words::read(&self.picture(PANEL)?)?;
            let place = words::find(&words, phrase);
            if place.is_none() && !words.is_empty() {
                bail!("it says {:?}", texts(&words));
            }
            Ok(place)
        })
    }

    /// Waits until the room's display, and not the panel, shows what the room draws.
    fn shows(&self, room: &Daemon<'_>) -> Result<()> {
        wait::within(PATIENCE, "the display to show what the room draws", || {
            std::thread::sleep(PAUSE);
            let (drawn, shown) = (room.snapshot()?, self.picture(DISPLAY)?);
            ensure!(
                (shown.width, shown.height) == (1920, 1080),
                "the display is {} by {}",
                shown.width,
                shown.height
            );
            let alike = drawn.likeness(&shown);
            ensure!(alike > ALIKE, "alike by {alike:.2}");
            let other = drawn.likeness(&self.picture(PANEL)?);
            ensure!(other < ALIKE, "the panel shows it too, alike by {other:.2}");
            Ok(Some(()))
        })
    }

    /// Plugs the touch screen and waits until the display server has bound it to this output.
    fn plug(&self, (_, output): (u32, &str)) -> Result<Following> {
        let host = &self.0.host;
        unplug(self.0, TOUCH)?;
        let finger = device(self.0)?;
        host.text(&format!(
            "{NODE} name=$(node); name=${{name##*/}}\n\
             said() {{ journalctl --unit=roomd-screen --output=cat --no-pager | \
               grep \"associating input device $name with output\" | tail -n 1; }}\n\
             until said | grep -q 'output {output} ({output} by udev)'; do sleep 0.5; done"
        ))?;
        Ok(finger)
    }
}

impl Drop for Screens<'_> {
    fn drop(&mut self) {
        let end = "systemctl stop roomd-panel roomd-screen\n\
                   rm -f /run/udev/rules.d/99-bench.rules\n\
                   udevadm control --reload";
        if let Err(error) = self.0.host.text(end) {
            eprintln!("the screens did not end: {error:#}");
        }
    }
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

/// A touch at the button joins; the same touch, bound to the display's output, does not. When the display
/// server dies, the call goes on, and both pictures come back. A touch screen that is pulled out is missed.
pub fn joins(bench: &mut Bench) -> Result<Figure> {
    install(bench)?;
    let room = booked(bench)?;
    let screens = Screens::start(bench)?;
    screens.shows(&room)?;
    let button = screens.says(JOIN)?;

    let bind = |to: &str| {
        let rule = format!("ENV{{WL_OUTPUT}}==\"?*\", ENV{{WL_OUTPUT}}=\"{to}\"");
        bench.host.text(&format!(
            "mkdir -p /run/udev/rules.d\n\
             echo '{rule}' >/run/udev/rules.d/99-bench.rules\n\
             udevadm control --reload"
        ))
    };
    bind(DISPLAY.1)?;
    let astray = screens.plug(DISPLAY)?;
    bench.host.text(&touch(button))?;
    let clock = bench.clock()?;
    while clock.read()? < QUIET {
        std::thread::sleep(PAUSE);
    }
    let phase = room.state()?.room.phase;
    ensure!(
        matches!(phase, Phase::Offered { .. }),
        "a touch of the display reached the panel: {phase:?}"
    );
    drop(astray);
    bench.host.text(
        "rm /run/udev/rules.d/99-bench.rules\n\
         udevadm control --reload",
    )?;

    let _finger = screens.plug(PANEL)?;
    let clock = bench.clock()?;
    bench.host.text(&touch(button))?;
    in_call(&room)?;
    let took = clock.read()?;
    ensure!(took < QUIET, "{took:?} from the finger to the call");
    screens.says(SEND)?;
    screens.shows(&room)?;

    let before = bench.host.text("pid")?;
    bench
        .host
        .text("systemctl kill --signal=KILL roomd-screen")?;
    screens.shows(&room)?;
    screens.says(SEND)?;
    in_call(&room)?;
    ensure!(
        bench.host.text("pid")? == before,
        "roomd ended with the display server"
    );
    room.wait_health("panel-ok")?;
    room.wait_health("panel-touch-ok")?;
    unplug(screens.0, TOUCH)?;
    room.wait_health("panel-touch-missing")?;
    room.ctl("leave")?;
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms",
    })
}

fn in_call(room: &Daemon<'_>) -> Result<()> {
    wait::within(PATIENCE, "the call", || {
        let phase = room.state()?.room.phase;
        ensure!(matches!(phase, Phase::InCall), "the room is {phase:?}");
        Ok(Some(()))
    })
}
