// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Nothing is sent before a person presses the button that sends (KONF.12.8), and mute is silent.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use super::direct_call::{PRESENT, ROOM_TONE};
use crate::lab::guest::Guest;
use crate::lab::panel::{CAMERA, MICROPHONE, Panel};
use crate::lab::room::{Options, Room};
use crate::lab::{Figures, wait};

const SILENCE: Duration = Duration::from_secs(10);

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut guest = Guest::open(&room, "Barbara Sommerau", 2)?;
    guest.join()?;
    panel.join()?;
    panel.admit()?;
    room.wait("the guest to be connected", |state| {
        let call = state.call.as_ref()?;
        call.previews.iter().any(|p| p.live).then_some(())
    })?;

    let begun = Instant::now();
    let mut silent = (0, 0);
    while begun.elapsed() < SILENCE {
        silent = guest.packets_received()?;
        ensure!(silent == (0, 0), "packets before the button: {silent:?}");
    }
    panel.send()?;
    guest.sees("room", "camera")?;
    let loud = wait::until("the room's tone", || {
        let level = guest.hears("room", ROOM_TONE)?;
        Ok((level > PRESENT).then_some(level))
    })?;

    panel.touch(MICROPHONE)?;
    room.wait("the microphone to be off", |state| {
        (!state.call.as_ref()?.microphone).then_some(())
    })?;
    let muted = wait::until("silence", || {
        let level = guest.hears("room", ROOM_TONE)?;
        Ok((level < loud / 100.0).then_some(level))
    })?;
    let (before, _) = guest.packets_received()?;
    guest.hears("room", ROOM_TONE)?;
    let (after, _) = guest.packets_received()?;
    ensure!(
        before == after,
        "{} packets of sound while muted",
        after - before
    );
    panel.touch(CAMERA)?;
    room.wait("the camera to be off", |state| {
        (!state.call.as_ref()?.camera).then_some(())
    })?;
    let still = wait::until("no more packets", || {
        let before = guest.packets_received()?;
        guest.hears("room", ROOM_TONE)?;
        Ok((before == guest.packets_received()?).then_some(before))
    })?;
    guest.hears("room", ROOM_TONE)?;
    ensure!(
        guest.packets_received()? == still,
        "packets while microphone and camera are off"
    );
    room.check_log(&[&guest.name])?;
    Ok(Figures::from([
        ("packets_before_send", json!(silent.0 + silent.1)),
        ("watched_seconds", json!(SILENCE.as_secs())),
        ("tone_level", json!(loud)),
        ("tone_level_muted", json!(muted)),
    ]))
}
