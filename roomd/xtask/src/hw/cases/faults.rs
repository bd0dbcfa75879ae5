// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomd in a call with a bar that misbehaves.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use roomd_model::Phase;

use super::super::Figure;
use super::super::bench::Bench;
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
