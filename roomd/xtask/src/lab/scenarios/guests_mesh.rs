// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Three guests see each other and the room; share, hand, chat, layout.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use roomd_api::State;
use roomd_model::E2ee;
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};

const NAMES: [&str; 3] = ["Clara Birkenhain", "Dietrich Moosbach", "Emil Tannfeld"];

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut guests = Vec::new();
    for (index, name) in NAMES.iter().enumerate() {
        let tab = ["--auto-select-tab-capture-source-by-title=Freigabe"];
        let mut guest = Guest::open_with(&room, name, u8::try_from(index + 1)?, &tab)?;
        guest.join()?;
        if index == 0 {
            start_call(&room, &mut panel)?;
        } else {
            panel.admit()?;
        }
        guests.push(guest);
    }
    let state = room.wait("three guests", Duration::from_secs(20), |state| {
        let call = state.call.as_ref()?;
        (call.participants.len() == 3 && call.e2ee == E2ee::Verified).then(|| state.clone())
    })?;
    for guest in &guests {
        display_shows(&room, guest.number)?;
    }
    for index in 0..guests.len() {
        guests[index].sees("room", "camera")?;
        for other in 0..guests.len() {
            if other == index {
                continue;
            }
            let id = id_of(&state, &guests[other].name)?;
            let source = guests[index].sees(&id, "camera")?;
            ensure!(
                source == u64::from(guests[other].number),
                "guest {index} sees {source}"
            );
        }
    }
    hand_and_chat(&room, &mut panel, &mut guests)?;
    room.check_log(&NAMES)?;
    Ok(Figures::from([
        ("guests", json!(guests.len())),
        ("pictures_proved", json!(4 * 3)),
    ]))
}

fn hand_and_chat(room: &Room, panel: &mut Panel, guests: &mut [Guest]) -> Result<()> {
    guests[0].click("[data-action=hand]")?;
    room.wait("a raised hand", Duration::from_secs(10), |state| {
        let call = state.call.as_ref()?;
        call.participants.iter().find(|p| p.hand).map(|_| ())
    })?;
    guests[1].click("[data-action=chat]")?;
    guests[1].browser.fill(
        "guest",
        "form input, form textarea",
        "Guten Tag aus Moosbach",
    )?;
    guests[1].click("[data-action=send-chat]")?;
    room.wait("the chat line", Duration::from_secs(10), |state| {
        let call = state.call.as_ref()?;
        call.chat
            .iter()
            .find(|line| line.text.expose() == "Guten Tag aus Moosbach")
            .map(|_| ())
    })?;
    panel.touch("[data-testid=tab-chat]")?;
    panel.wait_for("[data-testid=chat]")
}

fn id_of(state: &State, name: &str) -> Result<String> {
    let call = state.call.as_ref().context("there is no call")?;
    let found = call.participants.iter().find(|p| p.name.expose() == name);
    Ok(found
        .with_context(|| format!("{name} is not in the call"))?
        .id
        .0
        .clone())
}
