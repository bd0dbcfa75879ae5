// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The pictures of the README, made by a real run.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::{JOIN, Panel};
use crate::lab::room::{Options, Room};
use crate::project;

/// In how many minutes, and what.
const DAY: [(i64, &str); 4] = [
    (4, "Jour fixe Digitalisierung"),
    (75, "Haushalt 2027: Abstimmung der Referate"),
    (160, "Vorstellungsgespräch"),
    (240, "Personalrat"),
];
const NAMES: [&str; 2] = ["Ada Königsfeld", "Jonas Birkenhain"];

pub fn run() -> Result<Figures> {
    let folder = project::root().join("roomd/pictures");
    std::fs::create_dir_all(&folder)?;
    let room = Room::start(&Options {
        begins_in: 240,
        ..Options::default()
    })?;
    book_the_day(&room)?;
    let mut panel = Panel::open(&room)?;
    panel.wait_for(JOIN)?;
    room.snapshot(&folder.join("display-idle.png"))?;
    panel.screenshot(&folder.join("panel-idle.png"))?;

    let mut guests = Vec::new();
    for (index, name) in NAMES.iter().enumerate() {
        let mut guest = Guest::open(&room, name, u8::try_from(index + 1)?)?;
        guest.join()?;
        if index == 0 {
            start_call(&room, &mut panel)?;
        } else {
            panel.admit_guest(name)?;
        }
        guests.push(guest);
    }
    for guest in &guests {
        display_shows(&room, guest.number)?;
    }
    room.wait("figures", |state| state.statistics.fps_received)?;
    room.snapshot(&folder.join("display-call.png"))?;
    panel.screenshot(&folder.join("panel-call.png"))?;
    guests[0].screenshot(&folder.join("guest-call.png"))?;
    Ok(Figures::from([("pictures", json!(5))]))
}

/// A day as a room has it, in place of the single meeting of the other scenarios.
fn book_the_day(room: &Room) -> Result<()> {
    let stamp = |time: DateTime<Utc>| time.format("%Y%m%dT%H%M%SZ").to_string();
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//roomd//lab//EN\r\n");
    for (index, (minutes, title)) in DAY.iter().enumerate() {
        let start = Utc::now() + TimeDelta::minutes(*minutes);
        let link = if index == 0 {
            room.guest_url()
        } else {
            String::new()
        };
        text += &format!(
            "BEGIN:VEVENT\r\nUID:day-{index}\r\nDTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\n\
             SUMMARY:{title}\r\nLOCATION:{link}\r\nEND:VEVENT\r\n",
            stamp(Utc::now()),
            stamp(start),
            stamp(start + TimeDelta::minutes(50)),
        );
    }
    text += "END:VCALENDAR\r\n";
    std::fs::write(room.path("calendar.ics"), text)?;
    room.wait("the day's meetings", |state| {
        (state.agenda.entries.len() == DAY.len()).then_some(())
    })
}
