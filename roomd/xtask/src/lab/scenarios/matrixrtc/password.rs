// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A password for all, which the link carries; and what a media server sees.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use roomd_model::E2ee;
use serde_json::json;

use super::{FRAMES, Lab, SECRET, encrypted_with, receives_room, tap};
use crate::lab::call_guest::{Participation, Seen, Tap};
use crate::lab::scenarios::direct_call::display_shows;
use crate::lab::synapse::Kind;
use crate::lab::{Figures, wait};

/// A password that is not the link's.
const OTHER: &str = "Brombeersaft";

/// A link with a password; one guest has another and gets nothing.
pub fn run(lab: &Lab) -> Result<Figures> {
    let synapse = &lab.servers.synapse;
    let room = synapse.create_room(&lab.anna, "password", Kind::Call)?;
    let with = |password| Participation {
        password: Some(password),
        ..Participation::default()
    };
    let mut anna = lab.guest(&lab.anna, &room, 3, with(SECRET))?;
    let begun = Instant::now();
    lab.enter(&Lab::link(&room, Some(SECRET)))?;
    let entered = begun.elapsed();
    let identity = lab.identity(&room)?;
    let mut tap = tap(lab, &identity, Some(SECRET))?;
    let begun = Instant::now();
    lab.send()?;
    let joined = entered + begun.elapsed();
    let sealed = all_is_sealed(&mut tap)?;
    drop(tap);
    receives_room(&mut anna, &identity)?;
    display_shows(&lab.room, 3)?;
    encrypted_with(&lab.room, 1)?;

    let mut boris = lab.guest(&lab.boris, &room, 4, with(OTHER))?;
    lab.room
        .wait("the guest without the key to be shown as such", |state| {
            let call = state.call.as_ref()?;
            let off = call.participants.iter().filter(|it| it.e2ee == E2ee::Off);
            (call.participants.len() == 2 && off.count() == 1 && call.e2ee == E2ee::Off)
                .then_some(())
        })?;
    sleep(Duration::from_secs(2));
    let seen = boris.time_code(&identity, "camera")?;
    ensure!(seen.is_none(), "a guest without the key sees the room");
    boris.leave()?;
    encrypted_with(&lab.room, 1)?;
    lab.leave()?;
    anna.leave()?;
    Ok(Figures::from([
        ("join_with_password_s", json!(joined.as_secs_f64())),
        ("frames_sealed", json!(sealed)),
    ]))
}

/// Every frame opens with the password's key, and none with another; gives how many did.
fn all_is_sealed(tap: &mut Tap) -> Result<u64> {
    let first = frames(tap, &Seen::default())?;
    for sent in [&first.camera, &first.microphone] {
        ensure!(sent.opened == sent.seen, "frames in the clear: {sent:?}");
    }
    tap.use_password(OTHER)?;
    // Frames on their way are tried with one key or the other.
    let before = frames(tap, &first)?;
    let after = frames(tap, &before)?;
    let opened = |seen: &Seen| seen.camera.opened + seen.microphone.opened;
    ensure!(
        opened(&after) == opened(&before),
        "a key of another password opens frames"
    );
    Ok(opened(&after))
}

/// Waits until some more of both were seen.
fn frames(tap: &mut Tap, before: &Seen) -> Result<Seen> {
    wait::until("frames at the media server", || {
        let seen = tap.seen()?;
        let enough = seen.camera.seen >= before.camera.seen + FRAMES
            && seen.microphone.seen >= before.microphone.seen + FRAMES;
        ensure!(enough, "seen so far: {seen:?}");
        Ok(Some(seen))
    })
}
