// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `./x demo`: a room, a meeting that is about to begin, and a guest in a browser.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use roomd_api::{State, Statistics};
use roomd_model::{E2ee, Phase};
use serde_json::json;

use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};
use crate::lab::{self, Figures};
use crate::project;

const GUEST: &str = "Ada Königsfeld";
const HANDS_FREE_RUN: Duration = Duration::from_secs(20);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Runs until Ctrl-C, or by itself for 20 seconds.
pub fn run(hands_free: bool, report: Option<&Path>) -> Result<()> {
    lab::prepare()?;
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst))?;
    project::say("starting the room");
    let room = Room::start(&Options {
        begins_in: 45,
        ..Options::default()
    })?;
    println!("The room is ready; its meeting begins within a minute.");
    println!("  panel    {}", room.panel_url()?);
    println!("  guests   {}", room.guest_url());
    println!(
        "  CA       https://{}/ca.pem (your browser does not know it yet)",
        room.authority
    );
    project::say("bringing a guest in headless Chromium");
    let mut guest = Guest::open(&room, GUEST, 1)?;
    guest.join()?;
    println!("{GUEST} waits in the lobby.");

    let mut panel = Panel::open(&room)?;
    if hands_free {
        press_the_buttons(&room, &mut panel)?;
    } else {
        println!(
            "Touch \"Jetzt beitreten\" on the panel, let {GUEST} in, then \"Senden\". Ctrl-C ends."
        );
    }
    let pictures = pictures(report)?;
    let figures = watch(&room, &mut panel, hands_free, &pictures)?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    if let Some(path) = report {
        lab::write_report(path, &figures)?;
        println!("wrote {}", path.display());
    }
    if hands_free {
        panel.leave()?;
        guest.wait_for("[data-view=over-ended]")?;
    }
    Ok(())
}

fn press_the_buttons(room: &Room, panel: &mut Panel) -> Result<()> {
    panel.join()?;
    panel.admit()?;
    panel.send()?;
    room.wait("media both ways", |state| {
        state.statistics.join_ms.map(drop)
    })
}

struct Pictures {
    display: PathBuf,
    panel: PathBuf,
}

/// Beside the report, or with the other things that are built.
fn pictures(report: Option<&Path>) -> Result<Pictures> {
    let base = match report {
        Some(path) => std::path::absolute(path)?.with_extension(""),
        None => project::target().join("demo/demo"),
    };
    std::fs::create_dir_all(base.parent().context("the report has no folder")?)?;
    let beside = |what: &str| {
        let mut name = base.file_name().unwrap_or_default().to_owned();
        name.push(format!("-{what}.png"));
        base.with_file_name(name)
    };
    Ok(Pictures {
        display: beside("display"),
        panel: beside("panel"),
    })
}

/// Collects figures while the call runs, and pictures near the end.
fn watch(room: &Room, panel: &mut Panel, hands_free: bool, pictures: &Pictures) -> Result<Figures> {
    let begun = Instant::now();
    let mut seen = Vec::new();
    let mut first = None;
    let mut last: Option<State> = None;
    let over = || hands_free && begun.elapsed() > HANDS_FREE_RUN;
    while !INTERRUPTED.load(Ordering::SeqCst) && !over() {
        let state = room.state()?;
        if state.room.phase == Phase::InCall && state.statistics.join_ms.is_some() {
            if first.is_none() {
                println!("Media flows both ways.");
                first = Some(Instant::now());
            }
            seen.push(state.statistics.clone());
            last = Some(state);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let in_call = first.map(|at| at.elapsed().as_secs_f64());
    let snapshot = room.snapshot(&pictures.display).map(|_| &pictures.display);
    let panel_shot = panel.screenshot(&pictures.panel).map(|()| &pictures.panel);
    let call = last.as_ref().and_then(|state| state.call.as_ref());
    let latest = seen.last().cloned().unwrap_or_default();
    Ok(Figures::from([
        ("provider", json!(call.map(|call| &call.provider))),
        ("join_ms", json!(latest.join_ms)),
        ("first_remote_frame_ms", json!(latest.first_remote_frame_ms)),
        ("fps_received", json!(middle(&seen, |s| s.fps_received))),
        ("fps_sent", json!(middle(&seen, |s| s.fps_sent))),
        ("av_offset_ms", json!(middle(&seen, |s| s.av_offset_ms))),
        ("cpu_percent", json!(middle(&seen, |s| s.cpu_percent))),
        ("rss_mb", json!(middle(&seen, |s| s.rss_mb))),
        ("threads", json!(latest.threads)),
        ("descriptors", json!(latest.descriptors)),
        ("e2ee", json!(call.map(|call| call.e2ee == E2ee::Verified))),
        (
            "participants",
            json!(call.map(|call| call.participants.len())),
        ),
        ("seconds_in_call", json!(in_call)),
        ("display_snapshot", json!(snapshot.ok())),
        ("panel_snapshot", json!(panel_shot.ok())),
    ]))
}

/// The median of what was measured; none when nothing was.
fn middle(seen: &[Statistics], figure: impl Fn(&Statistics) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = seen.iter().filter_map(figure).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
