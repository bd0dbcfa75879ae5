// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whatever is sent comes back, and whatever is not what was sent stays closed.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod common;

use std::collections::BTreeSet;

use common::{START, all_settings, key, pair};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use roomd_crypt::{
    Cause, Codec, IvStart, Opened, Opener, Origin, Sealer, Settings, Unopened, Unsealed,
};

/// A frame of the codec with these bytes inside.
fn frame(codec: Codec, keyframe: bool, inside: &[u8]) -> Vec<u8> {
    let head: &[u8] = match (codec, keyframe) {
        (Codec::Opus, _) => &[0xf8],
        (Codec::Vp8, true) => &[0x10, 0, 0, 0x9d, 1, 0x2a, 8, 0, 8, 0],
        (Codec::Vp8, false) => &[0x11, 0, 0],
        (Codec::Vp9, _) => &[0x82],
        (Codec::H264, true) => &[0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x65, 0x88],
        (Codec::H264, false) => &[0, 0, 0, 1, 0x41, 0x9a],
    };
    [head, inside].concat()
}

/// Bytes with many zeros and small numbers, which H.264 escapes.
fn inside() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![2 => Just(0_u8), 1 => 0_u8..5, 2 => any::<u8>()];
    proptest::collection::vec(byte, 0..400)
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Append(Vec<u8>),
    Remove(Index),
    Insert(Index, u8),
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), 1..=u8::MAX).prop_map(|(at, by)| Damage::Flip(at, by)),
        any::<Index>().prop_map(Damage::Cut),
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(Damage::Append),
        any::<Index>().prop_map(Damage::Remove),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        proptest::collection::vec(any::<u8>(), 0..120).prop_map(Damage::Replace),
    ]
}

fn damaged(sealed: &[u8], damage: &Damage) -> Vec<u8> {
    let mut frame = sealed.to_vec();
    match damage {
        Damage::Flip(at, by) => frame[at.index(sealed.len())] ^= by,
        Damage::Cut(at) => frame.truncate(at.index(sealed.len())),
        Damage::Append(more) => frame.extend(more),
        Damage::Remove(at) => {
            frame.remove(at.index(sealed.len()));
        }
        Damage::Insert(at, byte) => frame.insert(at.index(sealed.len()), *byte),
        Damage::Replace(other) => frame.clone_from(other),
    }
    frame
}

/// H.264 has several escaped forms of the same bytes; what opens is still what was sealed.
fn stays_closed(codec: Codec, plain: &[u8], result: Result<Opened, Unopened>) {
    match result {
        Err(_) => {}
        Ok(opened) => match opened.origin {
            Origin::Sender => assert!(codec == Codec::H264 && opened.frame == plain),
            Origin::Nothing => assert!(opened.frame.is_empty()),
            Origin::Server => panic!("no blank frame was sent"),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sealed_opens(
        (codec, settings) in select(all_settings()),
        keyframe in any::<bool>(),
        inside in inside(),
    ) {
        let plain = frame(codec, keyframe, &inside);
        let (mut sealer, mut opener) = pair(&settings, &key(1));
        let sealed = sealer.seal(&plain).unwrap();
        let opened = opener.open(&sealed).unwrap();
        prop_assert_eq!(&opened.frame, &plain);
        prop_assert_eq!(opened.origin, Origin::Sender);
        let readable = inside.len() >= 8 && sealed.windows(inside.len()).any(|part| part == inside);
        prop_assert!(!readable);
    }

    #[test]
    fn what_was_damaged_stays_closed(
        (codec, settings) in select(all_settings()),
        keyframe in any::<bool>(),
        inside in inside(),
        damage in damage(),
    ) {
        let plain = frame(codec, keyframe, &inside);
        let (mut sealer, mut opener) = pair(&settings, &key(1));
        let sealed = sealer.seal(&plain).unwrap();
        let arrived = damaged(&sealed, &damage);
        prop_assume!(arrived != sealed);
        stays_closed(codec, &plain, opener.open(&arrived));
        prop_assert_eq!(opener.open(&sealed).unwrap().frame, plain);
    }

    #[test]
    fn every_truncation_stays_closed((codec, settings) in select(all_settings())) {
        let plain = frame(codec, true, b"a picture that nobody else may see");
        let (mut sealer, mut opener) = pair(&settings, &key(1));
        let sealed = sealer.seal(&plain).unwrap();
        for length in 0..sealed.len() {
            stays_closed(codec, &plain, opener.open(&sealed[..length]));
        }
    }

    #[test]
    fn anything_is_sealed_or_refused(
        (_, settings) in select(all_settings()),
        bytes in proptest::collection::vec(prop_oneof![Just(0_u8), 0_u8..10, any::<u8>()], 0..200),
    ) {
        let (mut sealer, mut opener) = pair(&settings, &key(1));
        match sealer.seal(&bytes) {
            Ok(sealed) if bytes.is_empty() => prop_assert!(sealed.is_empty()),
            Ok(sealed) => prop_assert!(opener.open(&sealed).is_ok()),
            Err(refusal) => prop_assert_eq!(refusal, Unsealed::Malformed),
        }
    }

    #[test]
    fn without_a_key_nothing_passes(
        (codec, settings) in select(all_settings()),
        inside in inside(),
    ) {
        let plain = frame(codec, true, &inside);
        let (mut sealer, _) = pair(&settings, &key(1));
        let sealed = sealer.seal(&plain).unwrap();
        sealer.clear_key();
        prop_assert_eq!(sealer.seal(&plain), Err(Unsealed::NoKey));
        prop_assert_eq!(sealer.seal(&[]), Err(Unsealed::NoKey));
        let mut opener = Opener::new(settings);
        prop_assert_eq!(opener.open(&sealed).unwrap_err().cause, Cause::NoKey);
        prop_assert!(opener.open(&plain).is_err());
    }
}

#[test]
fn no_number_is_used_twice() {
    let settings = Settings::livekit(Codec::Opus);
    let starts = [
        START,
        IvStart { ssrc: 1, ..START },
        IvStart {
            random: [9, 2, 3, 4, 0xff, 0xff, 0xff, 0xf0],
            ..START
        },
    ];
    let mut seen = BTreeSet::new();
    for start in starts {
        let mut sealer = Sealer::new(settings.clone(), start);
        for frame in 0..500 {
            sealer.set_key(0, key(1));
            let sealed = sealer.seal(&[0xf8, 1]).unwrap();
            let iv = sealed[sealed.len() - 14..sealed.len() - 2].to_vec();
            assert!(seen.insert(iv), "frame {frame}");
        }
    }
}
