// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A room that nobody uses costs next to nothing, with its display on and a panel on the wall.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::bench::cost;
use crate::lab::Figures;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};
use crate::lab::screen::Screen;

/// Beginning costs more than being there.
const SETTLE: Duration = Duration::from_secs(5);
/// Long enough for what is done once a second, and some times for what is done every few.
const MEASURED: Duration = Duration::from_secs(20);
/// Processor time in per cent of one core.
const CPU: f64 = 2.0;
/// Megabytes.
const MEMORY: f64 = 80.0;

pub fn run() -> Result<Figures> {
    let screen = Screen::start(1080)?;
    let room = Room::start(&Options {
        begins_in: 3600,
        screen: Some(screen.display.clone()),
        ..Options::default()
    })?;
    let _panel = Panel::open(&room)?;
    room.wait("the display to be open", |state| {
        state.devices.display.as_ref().map(drop)
    })?;
    std::thread::sleep(SETTLE);
    let pid = room.pid()?;
    let cpu = cost::cpu(|| Ok(vec![pid]), MEASURED)?;
    let memory = cost::memory(&[pid]);
    ensure!(cpu <= CPU, "an idle room takes {cpu:.2} % of a core");
    ensure!(memory <= MEMORY, "an idle room takes {memory:.1} MB");
    room.check_log(&[])?;
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    Ok(Figures::from([
        ("cpu_percent_of_a_core", json!(rounded(cpu))),
        ("memory_mb", json!(rounded(memory))),
    ]))
}
