// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What processes cost, by the kernel's account.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of some processes over a time, in per cent of one core.
pub fn cpu(processes: impl Fn() -> Result<Vec<u32>>, time: Duration) -> Result<f64> {
    let (begun, before) = (Instant::now(), ticks(&processes()?)?);
    std::thread::sleep(time);
    let spent = ticks(&processes()?)? - before;
    Ok(spent / TICKS_PER_SECOND / begun.elapsed().as_secs_f64() * 100.0)
}

/// Memory of some processes, in megabytes; what they share is counted once.
pub fn memory(processes: &[u32]) -> f64 {
    processes.iter().copied().filter_map(proportional).sum()
}

fn ticks(processes: &[u32]) -> Result<f64> {
    let mut sum = 0.0;
    for pid in processes {
        // A helper process of the browser may have ended since.
        let Ok(stat) = std::fs::read_to_string(folder(*pid).join("stat")) else {
            continue;
        };
        let (_, fields) = stat
            .rsplit_once(')')
            .context("/proc/PID/stat has no name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        sum += fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    }
    Ok(sum)
}

fn proportional(pid: u32) -> Option<f64> {
    let smaps = std::fs::read_to_string(folder(pid).join("smaps_rollup")).ok()?;
    let pss = smaps.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: f64 = pss.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

fn folder(pid: u32) -> std::path::PathBuf {
    Path::new("/proc").join(pid.to_string())
}
