// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Plugging and unplugging.

use anyhow::{Result, ensure};

use super::super::bars::SERIALS;
use super::super::bench::Bench;
use super::super::{Figure, count};

/// The requirement for a device that comes back, in milliseconds.
const BACK: f64 = 3000.0;
const CYCLES: usize = 100;

/// How long until the three drivers have it, modules that are not loaded yet included.
pub fn bound(bench: &mut Bench) -> Result<Figure> {
    let took = bench.attach("A1")?;
    let drivers = bench.host.text(
        "for interface in $(usb A1)/*:1.*; do basename $(readlink $interface/driver); done | sort -u",
    )?;
    let expected = "snd-usb-audio\nusbhid\nuvcvideo";
    ensure!(
        drivers == expected,
        "bound to {drivers:?}, not to {expected:?}"
    );
    Ok(Figure {
        value: took,
        unit: "ms",
    })
}

/// The median of three, as a machine with other work may be late once.
pub fn replug(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let mut times = Vec::new();
    for _ in 0..3 {
        let stream = bench.host.follow(
            "v4l2-ctl -d $(camera A1) --stream-mmap --stream-count=1000 >/dev/null 2>&1 || true\n\
             echo over",
        )?;
        bench.bars()?.wait("A1", "the camera to be open", |state| {
            state["camera_open"] == true
        })?;
        bench.detach("A1")?;
        // Nobody hangs on a device that is gone.
        stream.wait("over")?;
        times.push(bench.attach("A1")?);
        bench.host.text(
            "test $(v4l2-ctl -d $(camera A1) --stream-mmap --stream-count=3 --stream-to=- | wc -c) -gt 0",
        )?;
    }
    times.sort_by(f64::total_cmp);
    let median = times[1];
    ensure!(median <= BACK, "back after {times:?} ms");
    Ok(Figure {
        value: median,
        unit: "ms",
    })
}

/// Streams from one, and sees that only this one was opened; then swaps their ports.
pub fn two(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    bench.attach("B2")?;
    only_the_named(bench)?;
    let ports = || bench.host.text("basename $(usb A1); basename $(usb B2)");
    let before = ports()?;
    bench.detach("A1")?;
    bench.detach("B2")?;
    bench.attach("B2")?;
    bench.attach("A1")?;
    ensure!(
        ports()? != before,
        "they came back at the same ports: {before}"
    );
    only_the_named(bench)?;
    let by_id = bench
        .host
        .text("ls /dev/v4l/by-id /dev/snd/by-id | grep -c Conference_Bar")?;
    // Whichever is plugged in next is in the first port again.
    for serial in SERIALS {
        bench.detach(serial)?;
    }
    Ok(count(by_id.parse()?, "names"))
}

/// Takes pictures from one and mutes its microphones; the other must not notice.
fn only_the_named(bench: &Bench) -> Result<()> {
    let bars = bench.bars()?;
    for (own, other) in [("A1", "B2"), ("B2", "A1")] {
        let before = (bars.state(own)?, bars.state(other)?);
        bench.host.text(&format!(
            "v4l2-ctl -d $(camera {own}) --stream-mmap --stream-count=3 >/dev/null 2>&1\n\
             amixer -q -c $(card {own}) sset Mic nocap"
        ))?;
        let after = (bars.state(own)?, bars.state(other)?);
        bench
            .host
            .text(&format!("amixer -q -c $(card {own}) sset Mic cap"))?;
        let pictures = |state: &serde_json::Value| state["picture"].as_u64();
        ensure!(
            pictures(&after.0) > pictures(&before.0),
            "{own} was named and not opened"
        );
        ensure!(
            pictures(&after.1) == pictures(&before.1),
            "{own} was named, {other} was opened"
        );
        let muted = [&after.0, &after.1].map(|state| state["microphone_muted"] == true);
        ensure!(
            muted == [true, false],
            "{own} was named, and muted are {muted:?}"
        );
    }
    Ok(())
}

/// As when somebody pulls the plug of the rack.
pub fn power_cut(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    bench.attach("B2")?;
    // A room of an earlier case would come back into its meeting, and take a camera.
    bench.host.text(
        "systemctl stop roomd 2>/dev/null || true\n\
         rm -f /etc/roomd/roomd.toml\n\
         sync",
    )?;
    let _stream = bench
        .host
        .follow("v4l2-ctl -d $(camera A1) --stream-mmap >/dev/null 2>&1")?;
    bench.bars()?.wait("A1", "the camera to be open", |state| {
        state["camera_open"] == true
    })?;
    let boot = bench.power_cut()?;
    // The far end of the cable sees the power go.
    for serial in SERIALS {
        bench.bars()?.order(&format!("{serial} unplug"))?;
    }
    bench.attach("B2")?;
    bench.attach("A1")?;
    only_the_named(bench)?;
    bench.detach("B2")?;
    Ok(Figure {
        value: boot.round(),
        unit: "s",
    })
}

/// What stays behind, by the room's own view: nodes, USB devices, tasks, kernel memory in kB.
const TRACES: &str = "find /dev | wc -l\n\
    ls /sys/bus/usb/devices | wc -l\n\
    ps -e --no-headers | grep -vc kworker\n\
    sed -n 's/^SUnreclaim: *\\([0-9]*\\).*/\\1/p' /proc/meminfo";

/// Kernel memory that comes and goes with caches, in kB.
const SLACK: u64 = 6000;

/// Begins to count when caches are warm.
pub fn cycles(bench: &mut Bench) -> Result<Figure> {
    for _ in 0..5 {
        cycle(bench)?;
    }
    let before = traces(bench)?;
    for _ in 0..CYCLES {
        cycle(bench)?;
    }
    let after = traces(bench)?;
    // The trace itself runs in as many tasks before as after; udev's workers come and go.
    ensure!(
        before[..2] == after[..2],
        "nodes and devices: {before:?}, then {after:?}"
    );
    ensure!(
        after[2] <= before[2] + 3,
        "tasks: {before:?}, then {after:?}"
    );
    let grown = after[3].saturating_sub(before[3]);
    ensure!(grown < SLACK, "the kernel keeps {grown} kB");
    Ok(Figure {
        value: grown as f64 / CYCLES as f64,
        unit: "kB per cycle",
    })
}

fn cycle(bench: &Bench) -> Result<()> {
    bench.detach("A1")?;
    bench.attach("A1").map(drop)
}

fn traces(bench: &Bench) -> Result<Vec<u64>> {
    bench
        .host
        .text("udevadm settle; sync; echo 3 >/proc/sys/vm/drop_caches")?;
    let text = bench.host.text(TRACES)?;
    text.lines().map(|line| Ok(line.trim().parse()?)).collect()
}
