// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Telephony keys and lamps of the bar.

use std::time::Instant;

use anyhow::Result;

use super::super::bench::Bench;
use super::super::host::Following;
use super::super::{Figure, count};

const FLOOD: usize = 1000;

/// Line by line, though it writes to a pipe.
fn listen(bench: &Bench) -> Result<Following> {
    let events = bench.host.follow("exec stdbuf -oL evtest $(keys A1)")?;
    events.wait("Testing")?;
    Ok(events)
}

/// From the finger to this machine, the way through SSH included.
pub fn mute(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let events = listen(bench)?;
    let reports = bench.host.follow(
        "exec 3<$(hidraw A1); echo open; dd bs=64 count=3 <&3 2>/dev/null | od -An -v -tx1",
    )?;
    reports.wait("open")?;
    let pressed = Instant::now();
    bars.order("A1 press mute")?;
    let (seen, _) = events.wait("(KEY_MICMUTE), value 1")?;
    events.wait("(KEY_MICMUTE), value 0")?;
    bars.order("A1 hook off")?;
    // Pressed, let go, then the hook: id 1, mute in bit 1, hook in bit 0.
    reports.wait("01 02 01 00 01 01")?;
    Ok(Figure {
        value: seen.duration_since(pressed).as_millis() as f64,
        unit: "ms",
    })
}

/// As an LED of the kernel, and as a report that a program writes.
pub fn lamp(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let lamps = |name: &'static str, on: bool| {
        let what = format!("the lamp {name} to be {on}");
        bars.wait("A1", &what, move |state| state["lamps"][name] == on)
    };
    for (brightness, on) in [(1, true), (0, false)] {
        bench
            .host
            .text(&format!("echo {brightness} >$(lamp A1)/brightness"))?;
        lamps("mute", on)?;
    }
    bench.host.text("printf '\\001\\006' >$(hidraw A1)")?;
    lamps("ring", true)?;
    bench.host.text("printf '\\001\\000' >$(hidraw A1)")?;
    let state = lamps("off_hook", false)?;
    Ok(count(
        state["lamps"]["reports"].as_u64().unwrap_or_default() as usize,
        "reports",
    ))
}

/// The kernel may drop what a slow reader missed, and says so; it must not drop what comes after.
pub fn flood(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let begun = Instant::now();
    bars.order(&format!("A1 press mute {FLOOD}"))?;
    bars.wait("A1", "the flood to be over", |state| {
        state["waiting_keys"] == 0
    })?;
    let took = begun.elapsed().as_secs_f64();
    let events = listen(bench)?;
    bars.order("A1 press mute")?;
    events.wait("(KEY_MICMUTE), value 1")?;
    Ok(Figure {
        value: (FLOOD as f64 / took).round(),
        unit: "presses per second",
    })
}
