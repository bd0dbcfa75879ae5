// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One call between the room and a guest's browser: what each side costs in the same seconds.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::direct_call::start_call;
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};

const MEASURED: Duration = Duration::from_secs(15);
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time and memory of some processes.
#[derive(Clone, Copy, Default)]
struct Cost {
    cpu_seconds: f64,
    memory_mb: f64,
    processes: usize,
}

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut guest = Guest::open(&room, "Ada Königsfeld", 1)?;
    guest.join()?;
    start_call(&room, &mut panel)?;
    guest.sees("room", "camera")?;
    // The panel's own browser is no part of the comparison.
    drop(panel);
    let state = room.wait("media both ways", |s| {
        s.statistics.join_ms.map(|_| s.clone())
    })?;
    let browser = guest.browser.processes()?;
    let (room_before, browser_before) = (cost(&[room.pid()?])?, cost(&browser)?);
    let begun = Instant::now();
    std::thread::sleep(MEASURED);
    let seconds = begun.elapsed().as_secs_f64();
    let (room_after, browser_after) = (cost(&[room.pid()?])?, cost(&browser)?);
    let percent = |before: Cost, after: Cost| {
        ((after.cpu_seconds - before.cpu_seconds) / seconds * 1000.0).round() / 10.0
    };
    Ok(Figures::from([
        ("seconds", json!(seconds)),
        ("join_ms", json!(state.statistics.join_ms)),
        ("room_cpu_percent", json!(percent(room_before, room_after))),
        ("room_memory_mb", json!(room_after.memory_mb)),
        (
            "browser_cpu_percent",
            json!(percent(browser_before, browser_after)),
        ),
        ("browser_memory_mb", json!(browser_after.memory_mb)),
        ("browser_processes", json!(browser_after.processes)),
    ]))
}

fn cost(processes: &[u32]) -> Result<Cost> {
    let mut sum = Cost::default();
    for pid in processes {
        let folder = Path::new("/proc").join(pid.to_string());
        // A helper process of the browser may have ended since.
        let Ok(stat) = std::fs::read_to_string(folder.join("stat")) else {
            continue;
        };
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .context("/proc/PID/stat has no name")?
            .1
            .split_whitespace()
            .collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        let smaps = std::fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default();
        let pss = smaps.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = pss.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        sum.cpu_seconds += ticks / TICKS_PER_SECOND;
        sum.memory_mb += kib.unwrap_or_default() * 1024.0 / 1e6;
        sum.processes += 1;
    }
    Ok(sum)
}
