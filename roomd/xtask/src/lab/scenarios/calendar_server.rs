// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A booking on Radicale appears, moves, is accepted; the server goes away and comes back.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use roomd_api::{AgendaLink, State};
use roomd_model::Attendance;
use serde_json::json;

use crate::lab::radicale::{PASSWORD, Radicale, USER};
use crate::lab::room::{Options, Room, TITLE};
use crate::lab::{Figures, wait};

pub fn run() -> Result<Figures> {
    let folder = tempfile::tempdir()?;
    let mut radicale = Radicale::start(&folder.path().join("radicale"))?;
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD)?;
    let calendar = format!(
        "source = \"caldav\"\nurl = \"{}\"\nusername = \"{USER}\"\npassword_file = \"{}\"\n\
         poll_seconds = 10",
        radicale.url(),
        password.display(),
    );
    let mut room = Room::start(&Options {
        calendar: Some(calendar),
        ..Options::default()
    })?;
    let soon = Utc::now() + TimeDelta::minutes(3);
    radicale.put("lab.ics", &event(&room, soon, 0))?;
    let appeared = timed(|| room.wait("the booking", |state| starts_at(state, soon)))?;
    let state = room.state()?;
    ensure!(
        matches!(state.agenda.entries[0].link, AgendaLink::Joinable { .. }),
        "not joinable"
    );
    ensure!(
        state.agenda.entries[0].attendance == Attendance::NeedsAction,
        "already answered"
    );

    let later = soon + TimeDelta::minutes(4);
    radicale.put("lab.ics", &event(&room, later, 1))?;
    let moved = timed(|| room.wait("the move", |state| starts_at(state, later)))?;

    room.ctl(&["accept", &state.agenda.entries[0].id.0])?;
    wait::until("the acceptance on the server", || {
        let text = radicale.get("lab.ics")?.replace("\r\n ", "");
        Ok(text.contains("PARTSTAT=ACCEPTED").then_some(()))
    })?;

    radicale.stop();
    room.wait("a stale calendar", |state| state.agenda.stale.then_some(()))?;
    room.terminate()?;
    room.boot()?;
    room.wait("the schedule from the cache", |state| {
        starts_at(state, later)
    })?;
    radicale.resume()?;
    room.wait("a fresh calendar", |state| {
        (!state.agenda.stale).then_some(())
    })?;
    room.check_log(&[PASSWORD])?;
    Ok(Figures::from([
        ("appeared_s", json!(appeared.as_secs_f64())),
        ("moved_s", json!(moved.as_secs_f64())),
    ]))
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

fn starts_at(state: &State, start: DateTime<Utc>) -> Option<()> {
    let found = state
        .agenda
        .entries
        .iter()
        .any(|e| e.start.timestamp() == start.timestamp());
    found.then_some(())
}

fn event(room: &Room, start: DateTime<Utc>, sequence: u32) -> String {
    let stamp = |time: DateTime<Utc>| time.format("%Y%m%dT%H%M%SZ").to_string();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//roomd//lab//EN\r\nBEGIN:VEVENT\r\n\
         UID:lab-booking\r\nSEQUENCE:{sequence}\r\nDTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\n\
         SUMMARY:{TITLE}\r\nORGANIZER:mailto:amt@example.org\r\n\
         ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{USER}\r\n\
         CONFERENCE;VALUE=URI;FEATURE=VIDEO:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        stamp(Utc::now()),
        stamp(start),
        stamp(start + TimeDelta::hours(1)),
        room.guest_url(),
    )
}
