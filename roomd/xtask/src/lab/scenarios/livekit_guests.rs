// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Browser guests at LiveKit see and hear each other through frames that the server cannot read, and
//! whoever has another key sees and hears nothing.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::lab::call_guest::{self, CallGuest, Encryption, PRESENT, Pages, SCREEN};
use crate::lab::livekit::{self, LiveKit};
use crate::lab::{Figures, wait};

const ROOM: &str = "passphrase";
const ANNA: &str = "anna";
const BORIS: &str = "boris";
const CLARA: &str = "clara";
const PASSPHRASE: &str = "Stachelbeertorte";
/// Sixteen bytes each, as base64.
const KEYS: [&str; 3] = [
    "MDEyMzQ1Njc4OWFiY2RlZg==",
    "ZmVkY2JhOTg3NjU0MzIxMA==",
    "YWFhYWJiYmJjY2NjZGRkZA==",
];

pub fn run() -> Result<Figures> {
    livekit::install()?;
    let folder = tempfile::tempdir()?;
    let livekit = LiveKit::start(folder.path(), "livekit")?;
    let pages = Pages::start(folder.path())?;
    passphrase(&pages, &livekit)?;
    keys(&pages, &livekit)?;
    Ok(Figures::from([("guests", json!(6))]))
}

fn passphrase(pages: &Pages, livekit: &LiveKit) -> Result<()> {
    livekit.create_room(ROOM)?;
    let join = |name, number, encryption| {
        CallGuest::at_livekit(pages, livekit, [ROOM, name], number, encryption)
    };
    let shared = Encryption::Passphrase(PASSPHRASE);
    let mut anna = join(ANNA, 1, shared)?;
    let mut boris = join(BORIS, 2, shared)?;
    call_guest::meet(&mut anna, &mut boris)?;
    server_tells(livekit)?;
    let wrong = Encryption::Passphrase("Rhabarberkuchen");
    outsider(join(CLARA, 3, wrong)?, livekit, &mut anna)?;
    plain(join(CLARA, 4, Encryption::None)?, &mut anna)?;
    mutes(livekit, &mut anna, &mut boris)?;

    boris.share(true)?;
    anna.sees(BORIS, "screen_share", boris.number + SCREEN)?;
    let screen = anna.track(BORIS, "screen_share")?.context("no screen")?;
    ensure!(
        screen.frames > 0 && (screen.width, screen.height) == (1280, 720),
        "the screen arrives as {screen:?}"
    );
    boris.share(false)?;
    wait::until("the end of sharing", || {
        Ok(anna.track(BORIS, "screen_share")?.is_none().then_some(()))
    })?;
    boris.leave()?;
    wait::until("boris to be gone", || {
        Ok(anna.participant(BORIS)?.is_none().then_some(()))
    })
}

fn server_tells(livekit: &LiveKit) -> Result<()> {
    let participants = livekit.participants(ROOM)?;
    ensure!(participants.len() == 2, "at the SFU: {participants:?}");
    for participant in &participants {
        ensure!(participant.state == "ACTIVE", "{participant:?}");
        ensure!([ANNA, BORIS].contains(&participant.identity.as_str()));
        let camera = participant.tracks.iter().find(|t| t.source == "CAMERA");
        let camera = camera.context("no camera")?;
        ensure!(
            camera.kind == "VIDEO" && camera.mime_type == "video/VP8" && camera.simulcast,
            "{camera:?}"
        );
        for track in &participant.tracks {
            ensure!(track.encryption == "GCM" && !track.muted, "{track:?}");
        }
    }
    Ok(())
}

/// Frames arrive, and cannot be opened; then the server throws the guest out.
fn outsider(mut clara: CallGuest, livekit: &LiveKit, anna: &mut CallGuest) -> Result<()> {
    wait::until("frames that cannot be opened", || {
        let found = clara.participant(ANNA)?;
        Ok(found.is_some_and(|p| !p.errors.is_empty()).then_some(()))
    })?;
    ensure!(
        clara.time_code(ANNA, "camera")?.is_none(),
        "a wrong key opened a picture"
    );
    ensure!(
        clara.tone(ANNA, anna.number)? < PRESENT,
        "a wrong key opened sound"
    );
    livekit.remove(ROOM, CLARA)?;
    wait::until("clara to be gone", || {
        Ok(anna.participant(CLARA)?.is_none().then_some(()))
    })?;
    ensure!(!clara.report()?.connected, "clara is still connected");
    Ok(())
}

/// Who encrypts nothing is seen, as somebody who encrypts nothing, and sees nothing.
fn plain(mut clara: CallGuest, anna: &mut CallGuest) -> Result<()> {
    anna.sees(CLARA, "camera", clara.number)?;
    let seen = anna.participant(CLARA)?.context("clara is gone")?;
    ensure!(
        !seen.encrypted && seen.tracks.iter().all(|track| !track.encrypted),
        "told as encrypted: {seen:?}"
    );
    ensure!(
        clara.time_code(ANNA, "camera")?.is_none(),
        "a picture opened without a key"
    );
    clara.leave()
}

/// Mutes by the guest and by the server are told to the others, and nothing arrives.
fn mutes(livekit: &LiveKit, anna: &mut CallGuest, boris: &mut CallGuest) -> Result<()> {
    anna.mute("microphone", true)?;
    is_muted(boris, "microphone", true)?;
    wait::until("silence", || {
        Ok((boris.tone(ANNA, anna.number)? < PRESENT / 10.0).then_some(()))
    })?;
    anna.mute("microphone", false)?;
    boris.hears(ANNA, anna.number)?;

    let participants = livekit.participants(ROOM)?;
    let camera = participants
        .iter()
        .filter(|participant| participant.identity == ANNA)
        .flat_map(|participant| &participant.tracks)
        .find(|track| track.source == "CAMERA")
        .context("no camera")?;
    livekit.mute(ROOM, ANNA, &camera.sid, true)?;
    is_muted(boris, "camera", true)?;
    anna.mute("camera", false)?;
    is_muted(boris, "camera", false)?;
    boris.sees(ANNA, "camera", anna.number)
}

fn is_muted(guest: &mut CallGuest, source: &str, muted: bool) -> Result<()> {
    wait::until("the mute", || {
        let track = guest.track(ANNA, source)?;
        Ok(track.is_some_and(|t| t.muted == muted).then_some(()))
    })
}

/// Each encrypts with a key of its own, and changes it.
fn keys(pages: &Pages, livekit: &LiveKit) -> Result<()> {
    const ROOM: &str = "keys";
    livekit.create_room(ROOM)?;
    let join = |name, number| {
        CallGuest::at_livekit(pages, livekit, [ROOM, name], number, Encryption::Keys)
    };
    let (mut anna, mut boris) = (join(ANNA, 5)?, join(BORIS, 6)?);
    for guest in [&mut anna, &mut boris] {
        guest.set_key(ANNA, 0, KEYS[0])?;
        guest.set_key(BORIS, 0, KEYS[1])?;
    }
    call_guest::meet(&mut anna, &mut boris)?;
    anna.set_key(ANNA, 1, KEYS[2])?;
    wait::until("frames under the new key", || {
        let found = boris.participant(ANNA)?;
        Ok(found.is_some_and(|p| !p.errors.is_empty()).then_some(()))
    })?;
    boris.set_key(ANNA, 1, KEYS[2])?;
    call_guest::meet(&mut anna, &mut boris)
}
