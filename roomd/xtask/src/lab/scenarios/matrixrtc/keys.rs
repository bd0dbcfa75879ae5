// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Keys of each device's own: told, changed, and kept while servers go away and come back.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{FRAMES, Lab, TABLE, encrypted_with, in_call, receives_room, tap};
use crate::lab::call_guest::{CallGuest, Participation, Tap};
use crate::lab::scenarios::direct_call::display_shows;
use crate::lab::synapse::Kind;
use crate::lab::{Figures, wait};

/// The number in the test picture where it is content.
const SCREEN: u8 = 100;
/// For how long content is shared: enough frames of it.
const CONTENT: Duration = Duration::from_secs(5);
/// A picture that stands still for longer is frozen, in milliseconds.
const FROZEN: f64 = 500.0;
/// How long the media server is away.
const SFU_AWAY: Duration = Duration::from_secs(5);
/// How long the homeserver is away.
const HOMESERVER_AWAY: Duration = Duration::from_secs(60);
/// A room that was killed has the others' pictures again within this time: sooner than the homeserver ends
/// the membership of the run before, which it would notice.
const BACK_WITHIN: Duration = Duration::from_secs(14);
/// After a power cut, the homeserver ends the room's membership within this time.
const GONE_WITHIN: Duration = Duration::from_secs(25);

/// An encrypted Matrix room: each device has keys of its own.
pub fn run(lab: &mut Lab) -> Result<Figures> {
    let synapse = &lab.servers.synapse;
    let room = synapse.create_room(&lab.anna, "keys", Kind::Encrypted)?;
    synapse.invite(&lab.anna, &room, &lab.boris)?;
    synapse.invite(&lab.anna, &room, &lab.account)?;
    let second = lab.servers.sfus[1].tokens.url();
    let mut anna = lab.guest(&lab.anna, &room, 1, Participation::default())?;
    let on_second = Participation {
        service: Some(&second),
        ..Participation::default()
    };
    let mut boris = lab.guest(&lab.boris, &room, 2, on_second)?;

    let begun = Instant::now();
    lab.enter(&Lab::link(&room, None))?;
    let entered = begun.elapsed();
    let identity = lab.identity(&room)?;
    let mut tap = tap(lab, &identity, None)?;
    let begun = Instant::now();
    lab.send()?;
    let joined = entered + begun.elapsed();
    for guest in [&mut anna, &mut boris] {
        receives_room(guest, &identity)?;
        display_shows(&lab.room, guest.number)?;
    }
    encrypted_with(&lab.room, 2)?;
    let title = lab.room.state()?.call.and_then(|call| call.title);
    ensure!(
        title.is_some_and(|title| title.expose() == "keys"),
        "the Matrix room is not named"
    );
    let statistics = lab.room.state()?.statistics;

    content(lab, &mut anna, &identity)?;
    boris.leave()?;
    drop(boris);
    encrypted_with(&lab.room, 1)?;
    let still = comes_and_goes(lab, &room, &mut anna, &identity)?;
    hands(lab, &mut anna)?;
    let keys_rotated = keys_used(&mut anna, &identity)? - 1;
    ensure!(keys_rotated > 0, "the room's key stayed the same");
    let sealed = all_is_sealed(&mut tap, &mut anna, &identity)?;
    drop(tap);
    let sfu_back = sfu_away(lab, &mut anna, &identity)?;
    let rejoined = power_cut(lab, &anna, &room)?;
    homeserver_away(lab, &mut anna, (&room, &identity))?;
    long_gone(lab, &mut anna, &identity)?;
    lab.leave()?;
    Ok(Figures::from([
        ("join_ms", json!(statistics.join_ms)),
        ("tap_to_media_s", json!(joined.as_secs_f64())),
        (
            "first_remote_frame_ms",
            json!(statistics.first_remote_frame_ms),
        ),
        ("fps_received", json!(statistics.fps_received)),
        ("fps_sent", json!(statistics.fps_sent)),
        ("av_offset_ms", json!(statistics.av_offset_ms)),
        ("cpu_percent", json!(statistics.cpu_percent)),
        ("rss_mb", json!(statistics.rss_mb)),
        ("threads", json!(statistics.threads)),
        ("descriptors", json!(statistics.descriptors)),
        ("e2ee", json!(true)),
        ("participants", json!(2)),
        ("longest_still_ms", json!(still)),
        ("frames_sealed_with_keys", json!(sealed)),
        ("keys_rotated", json!(keys_rotated)),
        ("sfu_back_s", json!(sfu_back.as_secs_f64())),
        ("rejoined_s", json!(rejoined.as_secs_f64())),
    ]))
}

/// What the room shares is seen by its content, and encrypted as the rest; it ends.
fn content(lab: &Lab, guest: &mut CallGuest, identity: &str) -> Result<()> {
    lab.room.ctl(&["content", "share", TABLE])?;
    guest.sees(identity, "screen_share", SCREEN)?;
    let track = guest.track(identity, "screen_share")?;
    ensure!(
        track.as_ref().is_some_and(|track| track.encrypted),
        "content is {track:?}"
    );
    sleep(CONTENT);
    lab.room.ctl(&["content", "stop"])?;
    wait::until("content to end", || {
        let track = guest.track(identity, "screen_share")?;
        Ok(track.is_none().then_some(()))
    })
}

/// Somebody joins and leaves, and the keys change without a frozen picture at either end. Gives the
/// longest time that the room's picture stood still.
fn comes_and_goes(lab: &Lab, room: &str, guest: &mut CallGuest, identity: &str) -> Result<f64> {
    let before = lab.room.state()?.statistics.freezes;
    let synapse = &lab.servers.synapse;
    let clara = synapse.register("clara")?;
    synapse.invite(&lab.anna, room, &clara)?;
    guest.watch_stills()?;
    let mut clara = lab.guest(&clara, room, 3, Participation::default())?;
    encrypted_with(&lab.room, 2)?;
    receives_room(&mut clara, identity)?;
    clara.leave()?;
    drop(clara);
    encrypted_with(&lab.room, 1)?;
    sleep(Duration::from_secs(3));
    receives_room(guest, identity)?;
    display_shows(&lab.room, guest.number)?;
    let frozen = lab.room.state()?.statistics.freezes - before;
    ensure!(frozen == 0, "{frozen} freezes while keys changed");
    let still = guest.longest_still(identity, "camera")?;
    ensure!(
        still <= FROZEN,
        "the room's picture stood still for {still} ms while keys changed"
    );
    Ok(still)
}

/// Every frame that the media server could see, from the first one on, opens with a key that the members
/// were told; gives how many there were.
fn all_is_sealed(tap: &mut Tap, guest: &mut CallGuest, identity: &str) -> Result<u64> {
    let mut tried = BTreeSet::new();
    wait::until("frames to open", || {
        for key in guest.keys_of(identity)? {
            if tried.insert(key.clone()) {
                tap.add_key(&key)?;
            }
        }
        let seen = tap.seen()?;
        let all = [&seen.camera, &seen.microphone, &seen.screen_share];
        let whole = all
            .iter()
            .all(|it| it.opened >= FRAMES && it.opened + it.blank == it.seen);
        ensure!(whole, "seen and opened: {seen:?}");
        Ok(Some(all.iter().map(|it| it.opened).sum()))
    })
}

/// How many keys the room used, as a guest saw.
fn keys_used(guest: &mut CallGuest, identity: &str) -> Result<u32> {
    let keys = guest.report()?.keys;
    keys.get(identity).copied().context("no key of the room's")
}

fn sfu_away(lab: &mut Lab, guest: &mut CallGuest, identity: &str) -> Result<Duration> {
    lab.servers.sfus[0].livekit.kill();
    sleep(SFU_AWAY);
    lab.servers.sfus[0].livekit.resume()?;
    let begun = Instant::now();
    lab.room
        .wait("the call again", |state| in_call(state).then_some(()))?;
    receives_room(guest, identity)?;
    display_shows(&lab.room, guest.number)?;
    Ok(begun.elapsed())
}

/// Media flows on without the homeserver, which takes all memberships back once it is there; they are
/// announced anew.
fn homeserver_away(
    lab: &mut Lab,
    guest: &mut CallGuest,
    (room, identity): (&str, &str),
) -> Result<()> {
    let before = event_of(&lab.membership(room)?);
    lab.servers.synapse.stop();
    sleep(HOMESERVER_AWAY / 2);
    display_shows(&lab.room, guest.number)?;
    ensure!(
        in_call(&lab.room.state()?),
        "the call ended without the homeserver"
    );
    sleep(HOMESERVER_AWAY / 2);
    lab.servers.synapse.resume()?;
    wait::until("the membership to stand anew", || {
        let anew = event_of(&lab.membership(room)?) != before;
        Ok(anew.then_some(()))
    })?;
    wait::until("the membership to be seen", || {
        let members = guest.report()?.members;
        Ok(members
            .iter()
            .any(|member| member.identity == *identity)
            .then_some(()))
    })?;
    receives_room(guest, identity)?;
    display_shows(&lab.room, guest.number)?;
    Ok(())
}

fn hands(lab: &Lab, guest: &mut CallGuest) -> Result<()> {
    for raised in [true, false] {
        guest.raise_hand(raised)?;
        lab.room.wait("the hand", |state| {
            let call = state.call.as_ref()?;
            (call.participants.first()?.hand == raised).then_some(())
        })?;
    }
    Ok(())
}

fn event_of(membership: &Value) -> Value {
    membership["event_id"].clone()
}

/// What the earlier run arranged does not end this one's membership.
fn stands(lab: &Lab, room: &str) -> Result<()> {
    let before = event_of(&lab.membership(room)?);
    sleep(GONE_WITHIN);
    ensure!(
        event_of(&lab.membership(room)?) == before,
        "the membership comes and goes"
    );
    Ok(())
}

/// The room is killed, and comes back by itself into a call that takes it for still there.
fn power_cut(lab: &mut Lab, guest: &CallGuest, room: &str) -> Result<Duration> {
    lab.room.kill()?;
    let begun = Instant::now();
    lab.room.boot()?;
    returns(lab, guest)?;
    let back = begun.elapsed();
    ensure!(back < BACK_WITHIN, "pictures after {back:?} only");
    let silent = lab.room.state()?.call.is_some_and(|call| !call.sending);
    ensure!(silent, "a room that comes back sends");
    stands(lab, room)?;
    lab.send()?;
    Ok(back)
}

/// A room that is killed is gone by the homeserver's word, and comes back into a call that took it for gone.
fn long_gone(lab: &mut Lab, guest: &mut CallGuest, identity: &str) -> Result<()> {
    lab.room.kill()?;
    let killed = Instant::now();
    wait::until("the membership to end", || {
        let members = guest.report()?.members;
        Ok(members
            .iter()
            .all(|member| member.identity != *identity)
            .then_some(()))
    })?;
    let gone = killed.elapsed();
    ensure!(gone < GONE_WITHIN, "gone after {gone:?} only");
    lab.room.boot()?;
    returns(lab, guest)
}

fn returns(lab: &Lab, guest: &CallGuest) -> Result<()> {
    lab.room.wait("the call after a restart", |state| {
        in_call(state).then_some(())
    })?;
    display_shows(&lab.room, guest.number)?;
    Ok(())
}
