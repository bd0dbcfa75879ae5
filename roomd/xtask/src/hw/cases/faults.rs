// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomd in a call with a bar that misbehaves.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use roomd_model::Phase;
use serde_json::Value;

use super::super::bench::Bench;
use super::super::{Figure, count};
use super::devices::{camera_open, microphone_open, sending};

/// What is wrong with the bar, and which device is told of.
const FAULTS: [(&str, &str); 4] = [
    ("camera=stall", "camera"),
    ("camera=torn", "camera"),
    ("camera=lying", "camera"),
    ("microphone=stall", "microphone"),
];

/// The room says what is wrong and what to do, the rest and the call go on, and what is well again is used
/// without anybody's help.
pub fn misbehaves(bench: &mut Bench) -> Result<Figure> {
    let room = sending(bench)?;
    let mut longest = 0;
    for (fault, device) in FAULTS {
        bench.bars()?.order(&format!("A1 fault {fault}"))?;
        let item = room.wait_health(&format!("{device}-stalled"))?;
        ensure!(item.remedy.is_some(), "{fault}: {item:?}");
        let state = room.state()?;
        ensure!(
            matches!(state.room.phase, Phase::InCall),
            "{fault}: the room is {:?}",
            state.room.phase
        );
        let bar = bench.bars()?.state("A1")?;
        let goes_on = match device {
            "camera" => microphone_open(&bar),
            _ => camera_open(&bar),
        };
        ensure!(goes_on, "{fault} takes more along: {bar}");
        bench.bars()?.order("A1 fault none")?;
        let begun = Instant::now();
        room.wait_health(&format!("{device}-ok"))
            .with_context(|| format!("after {fault}"))?;
        longest = longest.max(begun.elapsed().as_millis());
    }
    room.ctl("leave")?;
    Ok(Figure {
        value: longest as f64,
        unit: "ms",
    })
}

/// So many presses at once are a flood, and so many more while it is looked for keep it up.
const FLOOD: u32 = 1000;
const MORE: u32 = 20;

/// The mute key sends without end: the room says so, is muted and goes on, and hears the key once it is quiet.
pub fn flood(bench: &mut Bench) -> Result<Figure> {
    let room = sending(bench)?;
    let bars = bench.bars()?;
    room.wait_health("telephony-ok")?;
    bars.order(&format!("A1 press mute {FLOOD}"))?;
    let item = room.wait("telephony-flood", |state| {
        bars.order(&format!("A1 press mute {MORE}")).ok()?;
        let mut items = state.health.items.iter();
        items.find(|it| it.code == "telephony-flood").cloned()
    })?;
    ensure!(item.remedy.is_some(), "{item:?}");
    let heard = |on: bool| {
        room.wait(&format!("the microphone to be {on}"), |state| {
            (state.call.as_ref()?.microphone == on).then_some(())
        })
    };
    heard(false)?;
    ensure!(
        camera_open(&bars.state("A1")?),
        "the flood takes the camera along"
    );
    bars.wait("A1", "the flood to be over", |state| {
        state["waiting_keys"] == 0
    })?;
    let begun = Instant::now();
    room.wait_health("telephony-ok")?;
    let took = begun.elapsed();
    heard(false)?;
    bars.order("A1 press mute")?;
    heard(true)?;
    bars.wait("A1", "the microphone to be open again", microphone_open)?;
    room.ctl("leave")?;
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms until the key is heard again",
    })
}

/// So often a camera refuses to send.
const REFUSALS: u64 = 10;

/// A camera that does not begin to send is told of and tried again without end; each attempt leaves nothing
/// behind, and once it sends, it is used.
pub fn refuses(bench: &mut Bench) -> Result<Figure> {
    let room = sending(bench)?;
    let bars = bench.bars()?;
    let refused = |state: &Value| state["refused"].as_u64().unwrap_or_default();
    room.ctl("camera off")?;
    bars.wait("A1", "the camera to be closed", |state| !camera_open(state))?;
    bars.order("A1 fault camera=refusing")?;
    room.ctl("camera on")?;
    // What is made once is there then.
    bars.wait("A1", "the first refusals", |state| refused(state) >= 3)?;
    let item = room.wait_health("camera-stalled")?;
    ensure!(item.remedy.is_some(), "{item:?}");
    let before = room.uses()?;
    let until = refused(&bars.state("A1")?) + REFUSALS;
    bars.wait("A1", "more refusals", |state| refused(state) >= until)?;
    let after = room.uses()?;
    // An attempt under way has some open.
    ensure!(
        after[1] < before[1] + REFUSALS,
        "descriptors: {before:?}, then {after:?}:\n{}",
        room.open_files()?
    );
    bars.order("A1 fault none")?;
    room.wait_health("camera-ok")?;
    room.ctl("leave")?;
    Ok(count(refused(&bars.state("A1")?) as usize, "refusals"))
}
