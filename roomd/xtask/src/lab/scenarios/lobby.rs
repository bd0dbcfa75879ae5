// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Waiting, password, admitted, turned away, removed.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::room::{Options, Room};

pub fn run() -> Result<Figures> {
    let mut room = Room::start(&Options {
        begins_in: 3600,
        ..Options::default()
    })?;
    room.ctl(&["start-meeting", "--password", "Apfelbaum"])?;
    let url = room.wait("the guest link", |state| {
        state
            .call
            .as_ref()?
            .guest_url
            .as_ref()
            .map(|url| url.expose().clone())
    })?;
    let id = url.rsplit('/').next().unwrap_or_default().to_owned();
    ensure!(
        id.chars().filter(char::is_ascii_alphanumeric).count() >= 12,
        "a short id"
    );
    room.meeting = id;

    let mut denied = Guest::open(&room, "Franz Uhlenhorst", 1)?;
    denied.join()?;
    denied.wait_for("#password")?;
    denied.browser.fill("guest", "#password", "Birnbaum")?;
    denied.click("[data-action=password]")?;
    denied.wait_for("#password-error:not(:empty)")?;
    denied.browser.fill("guest", "#password", "Apfelbaum")?;
    denied.click("[data-action=password]")?;
    denied.wait_for("[data-view=waiting-lobby]")?;
    room.ctl(&["deny", &waiting(&room)?])?;
    denied.wait_for("[data-view=over-denied]")?;

    let mut removed = Guest::open(&room, "Gerda Lindenau", 2)?;
    removed.join()?;
    removed.wait_for("#password")?;
    removed.browser.fill("guest", "#password", "Apfelbaum")?;
    removed.click("[data-action=password]")?;
    let id = waiting(&room)?;
    room.ctl(&["admit", &id])?;
    removed.wait_for("[data-action=leave]")?;
    room.ctl(&["remove", &id])?;
    removed.wait_for("[data-view=over-removed]")?;

    room.meeting = "aaaa-bbbb-cccc-dddd".to_owned();
    let mut lost = Guest::open(&room, "Hanno Feldmark", 3)?;
    lost.join()?;
    lost.wait_for("[data-view=over-unknown-meeting]")?;
    room.check_log(&[&denied.name, &removed.name, &lost.name, "Apfelbaum"])?;
    Ok(Figures::from([("guests", json!(3))]))
}

fn waiting(room: &Room) -> Result<String> {
    room.wait("somebody in the lobby", |state| {
        state.call.as_ref()?.waiting.first().map(|p| p.id.0.clone())
    })
}
