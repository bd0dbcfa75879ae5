// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A guest and the room see and hear each other.

use std::panic::Location;

use anyhow::{Context, Result, ensure};
use roomd_model::{E2ee, Phase};
use serde_json::json;

use crate::lab::browser::Options as Browser;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};
use crate::lab::{Figures, picture, wait};

/// The pilot tone of the room's test sound, in hertz.
pub const ROOM_TONE: f64 = 1000.0;
/// The tone is sent at -36 dBFS; a quarter of that is certainly there.
pub const PRESENT: f64 = 0.004;

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let ordinary = Browser {
        hidden_addresses: true,
        ..Browser::default()
    };
    let mut guest = Guest::open_with(&room, "Ada Königsfeld", 1, ordinary)?;
    guest.join()?;
    start_call(&room, &mut panel)?;

    let source = guest.sees("room", "camera")?;
    ensure!(
        source == 0,
        "the guest sees source {source} in the room's place"
    );
    let tone = guest.hears("room", ROOM_TONE)?;
    ensure!(
        tone > PRESENT,
        "the guest does not hear the room's tone: {tone}"
    );

    let shown = display_shows(&room, guest.number)?;
    let heard = room.wait("the guest to be heard", |state| {
        let call = state.call.as_ref()?;
        call.participants
            .iter()
            .find(|p| p.speaking)
            .map(|p| p.name.expose().clone())
    })?;
    ensure!(heard == guest.name, "the wrong participant speaks");
    let state = room.wait("figures", |state| {
        let s = &state.statistics;
        (s.fps_received? > 1.0
            && s.fps_sent? > 1.0
            && s.join_ms.is_some()
            && s.av_offset_ms.is_some())
        .then(|| state.clone())
    })?;
    let agenda = &state.agenda.entries;
    ensure!(agenda.len() == 1, "{} meetings today", agenda.len());
    let answered = room.ctl(&["accept", &agenda[0].id.0]);
    let refused = answered.err().map(|error| error.to_string());
    ensure!(
        refused.is_some_and(|text| text.contains("CalendarReadOnly")),
        "a file took an answer"
    );
    let call = state.call.as_ref();
    ensure!(
        call.is_some_and(|c| c.e2ee == E2ee::Verified),
        "end-to-end encryption is not shown"
    );

    panel.leave()?;
    guest.wait_for("[data-view=over-ended]")?;
    room.wait("the room to be idle", |s| {
        matches!(s.room.phase, Phase::Idle | Phase::Offered { .. }).then_some(())
    })?;
    room.check_log(&[&guest.name])?;
    let s = state.statistics;
    Ok(Figures::from([
        ("join_ms", json!(s.join_ms)),
        ("first_remote_frame_ms", json!(s.first_remote_frame_ms)),
        ("fps_received", json!(s.fps_received)),
        ("fps_sent", json!(s.fps_sent)),
        ("av_offset_ms", json!(s.av_offset_ms)),
        ("cpu_percent", json!(s.cpu_percent)),
        ("rss_mb", json!(s.rss_mb)),
        ("room_tone_level", json!(tone)),
        ("display_moves_ms", json!(shown)),
    ]))
}

/// Joins, admits the first guest, and sends: what a person does at the panel.
pub fn start_call(room: &Room, panel: &mut Panel) -> Result<()> {
    panel.join()?;
    panel.admit()?;
    panel.send()?;
    room.wait("the call", |state| {
        let call = state.call.as_ref()?;
        (state.room.phase == Phase::InCall && call.sending && !call.participants.is_empty())
            .then_some(())
    })
}

/// Waits until the display shows this guest's picture and it moves; gives the step in
/// milliseconds of the guest's time code.
#[track_caller]
pub fn display_shows(room: &Room, number: u8) -> Result<u64> {
    let asked = Location::caller();
    let path = room.path("display.png");
    let mut first = None;
    let step = wait::until("the guest on the display", || {
        let code = picture::find_time_code(&room.snapshot(&path)?, number);
        let code = code.context("its picture is not there")?;
        let before = *first.get_or_insert(code);
        ensure!(before != code, "its picture stands still");
        Ok(Some(before.abs_diff(code)))
    });
    step.with_context(|| {
        let streams = room.state().map(|state| state.statistics.streams);
        format!("guest {number} at {asked}, the room receives {streams:?}")
    })
}
