// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The published Element Call in the call of a Matrix room, with a guest of the laboratory's own: with
//! a key for each, and with a password. So the guests are like the real thing where it matters.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::lab::call_guest::{CallGuest, EmbeddedGuest, Pages, Participation};
use crate::lab::element_call::ElementCall;
use crate::lab::synapse::{CALL_MEMBER, Kind, User};
use crate::lab::{Figures, wait};

/// The password that a link carries.
const SECRET: &str = "Holunderbluetensirup";

pub fn run() -> Result<Figures> {
    ElementCall::install()?;
    let servers = ElementCall::start(2)?;
    let pages = Pages::start(servers.folder())?;
    let anna = servers.synapse.register("anna")?;
    let boris = servers.synapse.register("boris")?;
    let begun = Instant::now();
    let mut figures = keys(&servers, &pages, [&anna, &boris])?;
    figures.insert("with_keys_s", json!(begun.elapsed().as_secs_f64()));
    password(&servers, &pages, [&anna, &boris])?;
    Ok(figures)
}

/// Each on an SFU of its own, in an encrypted room.
fn keys(servers: &ElementCall, pages: &Pages, [anna, boris]: [&User; 2]) -> Result<Figures> {
    let room = servers.synapse.create_room(anna, "keys", Kind::Encrypted)?;
    servers.synapse.invite(anna, &room, boris)?;
    let second = servers.sfus[1].tokens.url();
    let mut element_call = EmbeddedGuest::join(pages, &servers.synapse, anna, &room, 1, None)?;
    let participation = Participation {
        service: Some(&second),
        ..Participation::default()
    };
    let mut guest = CallGuest::in_room(pages, &servers.synapse, boris, &room, 2, participation)?;
    meet(&mut element_call, &mut guest)?;
    element_call.shows_encryption()?;
    let mut figures = Figures::new();
    element_call.until("to show boris", |shown, _| {
        let Some(tile) = shown.tile_of(2) else {
            return false;
        };
        figures.insert("capabilities", json!(shown.capabilities.len()));
        figures.insert("picture", json!([tile.width, tile.height]));
        shown.members.len() == 2
            && shown.count.as_deref() == Some("2")
            && tile.name.as_deref() == Some("boris")
            && tile.source.as_deref() == Some("camera")
    })?;

    // Whoever comes later gets a key, and another one when somebody has left.
    guest.leave()?;
    element_call.until("to be alone", |shown, _| {
        shown.members.len() == 1 && shown.tile_of(2).is_none()
    })?;
    drop(guest);
    let mut guest = CallGuest::in_room(
        pages,
        &servers.synapse,
        &servers.synapse.log_in(boris)?,
        &room,
        3,
        participation,
    )?;
    meet(&mut element_call, &mut guest)?;
    hangs_up(servers, &mut element_call, &mut guest, anna, &room)?;
    Ok(figures)
}

/// A public room whose link carries a password.
fn password(servers: &ElementCall, pages: &Pages, [anna, boris]: [&User; 2]) -> Result<()> {
    let room = servers.synapse.create_room(anna, "password", Kind::Call)?;
    let anna = servers.synapse.log_in(anna)?;
    let mut element_call =
        EmbeddedGuest::join(pages, &servers.synapse, &anna, &room, 4, Some(SECRET))?;
    let participation = Participation {
        password: Some(SECRET),
        ..Participation::default()
    };
    let mut guest = CallGuest::in_room(pages, &servers.synapse, boris, &room, 5, participation)?;
    meet(&mut element_call, &mut guest)?;
    element_call.shows_encryption()?;
    hangs_up(servers, &mut element_call, &mut guest, &anna, &room)
}

/// Waits until both see and hear each other.
fn meet(element_call: &mut EmbeddedGuest, guest: &mut CallGuest) -> Result<()> {
    guest.receives(&element_call.identity, element_call.number)?;
    element_call.sees(guest.number)?;
    element_call.hears(guest.number)
}

/// Hanging up ends the membership, for the other and at the homeserver.
fn hangs_up(
    servers: &ElementCall,
    element_call: &mut EmbeddedGuest,
    guest: &mut CallGuest,
    whose: &User,
    room: &str,
) -> Result<()> {
    element_call.leave()?;
    wait::until("the membership to end", || {
        let members = guest.report()?.members;
        let gone = members
            .iter()
            .all(|it| it.identity != element_call.identity);
        Ok(gone.then_some(()))
    })?;
    let left = servers
        .synapse
        .state_of(whose, room, CALL_MEMBER, &whose.call_member_key())?
        .context("no membership was ever told")?;
    ensure!(left == json!({}), "it hung up and is told as {left}");
    guest.leave()
}
