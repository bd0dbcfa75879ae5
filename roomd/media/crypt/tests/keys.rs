// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Keys that come, go and move on.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod common;

use common::{START, key, pair};
use roomd_crypt::{
    Cause, Codec, FrameKey, MAX_FRAME, Opener, Origin, Remedy, Scheme, Sealer, Settings, Unopened,
};
use roomd_model::Secret;

const KEYFRAME: [u8; 12] = [0x10, 0, 0, 0x9d, 1, 0x2a, 8, 0, 8, 0, 1, 2];
const DELTA: [u8; 5] = [0x11, 0, 0, 1, 2];

fn vp8() -> Settings {
    Settings::jitsi(Codec::Vp8).unwrap()
}

fn failing(cause: Cause, remedy: Remedy) -> Unopened {
    Unopened { cause, remedy }
}

/// The key so many steps on.
fn later(mut key: FrameKey, steps: u8) -> FrameKey {
    for _ in 0..steps {
        key = key.ratchet();
    }
    key
}

#[test]
fn late_frames_of_the_old_key_open_until_it_is_forgotten() {
    let (mut sealer, mut opener) = pair(&vp8(), &key(1));
    let late = sealer.seal(&DELTA).unwrap();
    opener.set_key(1, key(2));
    sealer.set_key(1, key(2));
    assert_eq!(
        opener.open(&sealer.seal(&DELTA).unwrap()).unwrap().frame,
        DELTA
    );
    assert_eq!(opener.open(&late).unwrap().frame, DELTA);
    opener.forget_key(0);
    assert_eq!(opener.open(&late).unwrap_err().cause, Cause::NoKey);
}

#[test]
fn a_key_sent_again_for_its_index_replaces_the_old_one() {
    let (mut sealer, mut opener) = pair(&vp8(), &key(1));
    let late = sealer.seal(&DELTA).unwrap();
    opener.set_key(16, key(2));
    sealer.set_key(16, key(2));
    assert_eq!(opener.open(&late).unwrap().frame, DELTA);
    for _ in 0..512 {
        assert!(opener.open(&sealer.seal(&DELTA).unwrap()).is_ok());
    }
    assert_eq!(opener.open(&late).unwrap_err().cause, Cause::WrongKey);
}

#[test]
fn a_ratcheting_sender_is_followed_within_the_window_only() {
    for (steps, opens) in [(1, true), (8, true), (9, false)] {
        let (mut sealer, mut opener) = pair(&vp8(), &key(1));
        let late = sealer.seal(&DELTA).unwrap();
        sealer.set_key(0, later(key(1), steps));
        let sealed = sealer.seal(&DELTA).unwrap();
        assert_eq!(opener.open(&sealed).is_ok(), opens, "{steps} steps");
        assert_eq!(opener.open(&late).unwrap().frame, DELTA, "{steps} steps");
    }
}

#[test]
fn a_failed_search_leaves_the_key_as_it_was() {
    let (mut sealer, mut opener) = pair(&vp8(), &key(1));
    let (mut other, _) = pair(&vp8(), &key(9));
    let first = sealer.seal(&DELTA).unwrap();
    let foreign = other.seal(&DELTA).unwrap();
    assert_eq!(opener.open(&foreign).unwrap_err().cause, Cause::WrongKey);
    assert_eq!(opener.open(&first).unwrap().frame, DELTA);
    sealer.set_key(0, later(key(1), 8));
    assert!(opener.open(&sealer.seal(&DELTA).unwrap()).is_ok());
}

#[test]
fn an_invalid_key_is_not_searched_forward_but_comes_back_by_itself() {
    let (mut sealer, mut opener) = pair(&vp8(), &key(1));
    let (mut other, _) = pair(&vp8(), &key(9));
    let good = sealer.seal(&KEYFRAME).unwrap();
    sealer.set_key(0, later(key(1), 1));
    let ratcheted = sealer.seal(&DELTA).unwrap();
    for _ in 0..10 {
        let foreign = other.seal(&DELTA).unwrap();
        let expected = failing(Cause::WrongKey, Remedy::DropThenKeyframe);
        assert_eq!(opener.open(&foreign), Err(expected));
    }
    let expected = failing(Cause::WrongKey, Remedy::DropAndMark);
    assert_eq!(opener.open(&ratcheted), Err(expected));
    assert_eq!(opener.open(&good).unwrap().frame, KEYFRAME);
    assert_eq!(opener.open(&ratcheted).unwrap().frame, DELTA);
}

#[test]
fn a_long_row_of_failures_is_searched_now_and_then() {
    let (mut sealer, mut opener) = pair(&vp8(), &key(1));
    let (mut other, _) = pair(&vp8(), &key(9));
    for _ in 0..64 {
        assert!(opener.open(&other.seal(&DELTA).unwrap()).is_err());
    }
    sealer.set_key(0, later(key(1), 1));
    assert!(opener.open(&sealer.seal(&DELTA).unwrap()).is_ok());
}

#[test]
fn a_stream_asks_for_a_keyframe_once_when_it_opens_again() {
    let (mut sealer, mut opener) = pair(&vp8(), &key(1));
    let mut next = |frame: &[u8]| sealer.seal(frame).unwrap();
    assert!(!opener.open(&next(&DELTA)).unwrap().needs_keyframe);
    opener.forget_key(0);
    let expected = failing(Cause::NoKey, Remedy::DropThenKeyframe);
    assert_eq!(opener.open(&next(&DELTA)), Err(expected));
    opener.set_key(0, key(1));
    assert!(opener.open(&next(&DELTA)).unwrap().needs_keyframe);
    assert!(!opener.open(&next(&DELTA)).unwrap().needs_keyframe);
    assert!(opener.open(&DELTA).is_err());
    assert!(!opener.open(&next(&KEYFRAME)).unwrap().needs_keyframe);
}

#[test]
fn who_sends_readable_frames_gets_a_mark() {
    let plain = [0xf8; 60];
    let mut opener = Opener::new(Settings::talk(Codec::Opus).unwrap());
    opener.set_key(0, key(1));
    for _ in 0..10 {
        let expected = failing(Cause::NotSealed, Remedy::Drop);
        assert_eq!(opener.open(&plain), Err(expected));
    }
    let expected = failing(Cause::NotSealed, Remedy::DropAndMark);
    assert_eq!(opener.open(&plain), Err(expected));
    let huge = opener.open(&vec![0; MAX_FRAME + 1]);
    assert_eq!(huge, Err(failing(Cause::TooLarge, Remedy::DropAndMark)));
}

#[test]
fn a_passphrase_is_not_searched_forward() {
    let passphrase = FrameKey::from_passphrase(&Secret::new("correct horse")).unwrap();
    let (mut sealer, mut opener) = pair(&Settings::livekit(Codec::Opus), &passphrase);
    sealer.set_key(0, passphrase.ratchet());
    let sealed = sealer.seal(&[0xf8, 1]).unwrap();
    assert_eq!(opener.open(&sealed).unwrap_err().cause, Cause::WrongKey);
    opener.set_key(0, passphrase.ratchet());
    assert_eq!(opener.open(&sealed).unwrap().frame, [0xf8, 1]);
}

/// The reason why LiveKit's ratchet hides nothing from whoever is handed a later key.
#[test]
fn livekits_ratcheted_material_begins_with_the_frame_key_before_it() {
    let first = FrameKey::from_bytes(Scheme::LiveKit, &[3; 32]).unwrap();
    let mut sealer = Sealer::new(Settings::livekit(Codec::Opus), START);
    sealer.set_key(0, first.clone());
    let sealed = sealer.seal(&[0xf8, 1, 2, 3]).unwrap();
    let next = first.ratchet();
    let opened = common::decrypt_with_raw_key(&next.expose_material()[..16], &sealed, 1);
    assert_eq!(opened, [1, 2, 3]);
}

#[test]
fn empty_frames_and_metadata_of_livekit_pass() {
    let (mut sealer, mut opener) = pair(&Settings::livekit(Codec::Vp8), &key(1));
    assert_eq!(sealer.seal(&[]), Ok(vec![]));
    assert_eq!(opener.open(&[]).unwrap().origin, Origin::Nothing);
    let mut sealed = sealer.seal(&DELTA).unwrap();
    let counter = [2 ^ 0xff, 4 ^ 0xff, 0xff, 0xff, 0xff, 0xfe, 11 ^ 0xff];
    sealed.extend(counter.iter().chain(b"LKTS"));
    assert_eq!(opener.open(&sealed).unwrap().frame, DELTA);
    let (_, mut jframe) = pair(&vp8(), &key(1));
    assert_eq!(jframe.open(&[]).unwrap_err().cause, Cause::NotSealed);
}

#[test]
fn nothing_secret_prints() {
    let passphrase = FrameKey::from_passphrase(&Secret::new("correct horse")).unwrap();
    let settings = Settings::livekit(Codec::Vp8).with_server_mark(b"secret mark");
    let (mut sealer, mut opener) = pair(&settings, &passphrase);
    opener.set_key(0, key(0x5a));
    let opened = opener.open(&sealer.seal(&KEYFRAME).unwrap()).unwrap();
    let failed = opener.open(&KEYFRAME).unwrap_err();
    insta::assert_debug_snapshot!((START, passphrase, sealer, opener, opened, failed));
}
