// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A guest comes and goes again and again; threads, descriptors and memory stay flat.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::direct_call::start_call;
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};

const ROUNDS: usize = 30;
const MANY_ROUNDS: usize = 200;
/// The first rounds fill pools and caches.
const WARM_UP: usize = 5;

#[derive(Clone, Copy, Debug)]
struct Use {
    threads: u32,
    descriptors: u32,
    rss_mb: f64,
}

pub fn run() -> Result<Figures> {
    rounds(ROUNDS)
}

pub fn many() -> Result<Figures> {
    rounds(MANY_ROUNDS)
}

fn rounds(count: usize) -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut guest = Guest::open(&room, "Nora Hasselbach", 1)?;
    let mut uses = Vec::new();
    for round in 0..count {
        guest.join()?;
        if round == 0 {
            start_call(&room, &mut panel)?;
        } else {
            panel.admit()?;
        }
        room.wait(&format!("the guest's picture in round {round}"), |state| {
            state
                .call
                .as_ref()?
                .previews
                .iter()
                .any(|p| p.live)
                .then_some(())
        })?;
        guest.click("[data-action=leave]")?;
        room.wait("the guest to be gone", |state| {
            let call = state.call.as_ref()?;
            (call.participants.is_empty() && call.previews.is_empty()).then_some(())
        })?;
        uses.push(settled_use(&room)?);
        guest.click("[data-action=again]")?;
    }
    let (first, last) = (uses[WARM_UP], *uses.last().context("no rounds")?);
    ensure!(
        last.threads <= first.threads + 2,
        "threads grow: {first:?} to {last:?}"
    );
    ensure!(
        last.descriptors <= first.descriptors + 4,
        "descriptors grow: {first:?} to {last:?}"
    );
    ensure!(
        last.rss_mb <= first.rss_mb * 1.10 + 8.0,
        "memory grows: {first:?} to {last:?}"
    );
    room.check_log(&[&guest.name])?;
    Ok(Figures::from([
        ("rounds", json!(count)),
        ("threads", json!([first.threads, last.threads])),
        ("descriptors", json!([first.descriptors, last.descriptors])),
        ("rss_mb", json!([first.rss_mb, last.rss_mb])),
    ]))
}

/// Reads what the daemon uses from outside, once its threads have stopped changing.
fn settled_use(room: &Room) -> Result<Use> {
    let mut last = measure(room.pid()?)?;
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(100));
        let next = measure(room.pid()?)?;
        if next.threads == last.threads && next.descriptors == last.descriptors {
            return Ok(next);
        }
        last = next;
    }
    Ok(last)
}

fn measure(pid: u32) -> Result<Use> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line[name.len()..]
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    };
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok(Use {
        threads: field("Threads:").context("no thread count")? as u32,
        descriptors: u32::try_from(descriptors)?,
        rss_mb: field("VmRSS:").context("no memory figure")? * 1024.0 / 1e6,
    })
}
