// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Waiting, password, admitted, turned away, removed.

use std::time::Duration;

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
    let url = room.wait("the guest link", Duration::from_secs(10), |state| {
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
    denied.wait_for("[data-testid=password]")?;
    denied
        .browser
        .fill("guest", "[data-testid=password]", "Birnbaum")?;
    denied.click("[data-testid=password-send]")?;
    denied.wait_for("[data-testid=password-wrong]")?;
    denied
        .browser
        .fill("guest", "[data-testid=password]", "Apfelbaum")?;
    denied.click("[data-testid=password-send]")?;
    denied.wait_for("[data-testid=waiting]")?;
    room.ctl(&["deny", &waiting(&room)?])?;
    denied.wait_for("[data-testid=refused]")?;

    let mut removed = Guest::open(&room, "Gerda Lindenau", 2)?;
    removed.join()?;
    removed.wait_for("[data-testid=password]")?;
    removed
        .browser
        .fill("guest", "[data-testid=password]", "Apfelbaum")?;
    removed.click("[data-testid=password-send]")?;
    let id = waiting(&room)?;
    room.ctl(&["admit", &id])?;
    removed.wait_for("[data-testid=leave]")?;
    room.ctl(&["remove", &id])?;
    removed.wait_for("[data-testid=refused]")?;

    room.meeting = "aaaa-bbbb-cccc-dddd".to_owned();
    let mut lost = Guest::open(&room, "Hanno Feldmark", 3)?;
    lost.join()?;
    lost.wait_for("[data-testid=refused]")?;
    room.check_log(&[&denied.name, &removed.name, &lost.name, "Apfelbaum"])?;
    Ok(Figures::from([("guests", json!(3))]))
}

fn waiting(room: &Room) -> Result<String> {
    room.wait("somebody in the lobby", Duration::from_secs(10), |state| {
        state.call.as_ref()?.waiting.first().map(|p| p.id.0.clone())
    })
}
