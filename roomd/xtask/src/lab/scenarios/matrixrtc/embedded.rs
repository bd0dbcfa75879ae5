// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room in a call with the published Element Call, in an encrypted Matrix room.

use anyhow::Result;
use serde_json::json;

use super::{Lab, encrypted_with};
use crate::lab::Figures;
use crate::lab::call_guest::EmbeddedGuest;
use crate::lab::scenarios::direct_call::{PRESENT, ROOM_TONE, display_shows};
use crate::lab::synapse::Kind;

/// The number in the room's picture.
const ROOM: u8 = 0;
/// The guest's.
const GUEST: u8 = 1;

pub fn run(lab: &Lab) -> Result<Figures> {
    let synapse = &lab.servers.synapse;
    let id = synapse.create_room(&lab.anna, "embedded", Kind::Encrypted)?;
    synapse.invite(&lab.anna, &id, &lab.account)?;
    // A page keeps no keys: on a device that had some before, nobody would take its new ones.
    let anna = synapse.log_in(&lab.anna)?;
    let mut guest = EmbeddedGuest::join(&lab.pages, synapse, &anna, &id, GUEST, None)?;
    let joined = lab.join(&Lab::link(&id, None))?;

    guest.sees(ROOM)?;
    guest.hears_tone(ROOM_TONE, PRESENT)?;
    guest.shows_encryption()?;
    let size = guest
        .report()?
        .tile_of(ROOM)
        .map(|it| [it.width, it.height]);
    display_shows(&lab.room, GUEST)?;
    lab.room.wait("the guest to be heard", |state| {
        let call = state.call.as_ref()?;
        call.participants.iter().any(|it| it.speaking).then_some(())
    })?;
    encrypted_with(&lab.room, 1)?;
    let picture = lab.room.path("element-call.png");
    guest.browser.screenshot("guest", &picture)?;

    guest.leave()?;
    lab.room.wait("the guest to be gone", |state| {
        state.call.as_ref()?.participants.is_empty().then_some(())
    })?;
    lab.leave()?;
    Ok(Figures::from([
        ("embedded_tap_to_media_s", json!(joined.as_secs_f64())),
        ("picture_in_element_call", json!(size)),
    ]))
}
