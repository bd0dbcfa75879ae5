// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The pictures of the README, made by a real run.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::{JOIN, Panel};
use crate::lab::room::{Options, Room};
use crate::project;

const NAMES: [&str; 2] = ["Ada Königsfeld", "Jonas Birkenhain"];

pub fn run() -> Result<Figures> {
    let folder = project::root().join("roomd/pictures");
    std::fs::create_dir_all(&folder)?;
    let room = Room::start(&Options {
        begins_in: 240,
        ..Options::default()
    })?;
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
            panel.admit()?;
        }
        guests.push(guest);
    }
    for guest in &guests {
        display_shows(&room, guest.number)?;
    }
    room.wait("figures", Duration::from_secs(20), |state| {
        state.statistics.fps_received
    })?;
    room.snapshot(&folder.join("display-call.png"))?;
    panel.screenshot(&folder.join("panel-call.png"))?;
    guests[0].screenshot(&folder.join("guest-call.png"))?;
    Ok(Figures::from([("pictures", json!(5))]))
}
