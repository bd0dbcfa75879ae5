// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frames and keys of independent implementations, byte for byte. vectors/generate.mjs makes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
mod common;

use std::collections::BTreeMap;

use common::START;
use roomd_crypt::{Cause, Codec, FrameKey, IvStart, Opener, Origin, Scheme, Sealer, Settings};
use roomd_model::Secret;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    frames: Vec<Frame>,
    chains: Vec<Chain>,
    #[serde(default)]
    injected: Vec<Injected>,
}

#[derive(Deserialize)]
struct Frame {
    name: String,
    scheme: String,
    key: Option<String>,
    passphrase: Option<String>,
    ratchets: u8,
    index: u32,
    codec: String,
    plain: String,
    iv: String,
    sealed: String,
}

#[derive(Deserialize)]
struct Chain {
    #[serde(default)]
    scheme: Option<String>,
    key: Option<String>,
    passphrase: Option<String>,
    chain: Vec<String>,
}

#[derive(Deserialize)]
struct Injected {
    name: String,
    codec: String,
    mark: String,
    frame: String,
    accepted: bool,
}

fn livekit() -> Vectors {
    serde_json::from_str(include_str!("vectors/livekit.json")).unwrap()
}

fn jframe() -> Vectors {
    serde_json::from_str(include_str!("vectors/jframe.json")).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn codec(name: &str) -> Codec {
    match name {
        "opus" => Codec::Opus,
        "vp8" => Codec::Vp8,
        "vp9" => Codec::Vp9,
        "h264" => Codec::H264,
        other => panic!("no codec {other}"),
    }
}

fn scheme(name: &str) -> Scheme {
    match name {
        "livekit" => Scheme::LiveKit,
        "jitsi" => Scheme::Jitsi,
        "talk" => Scheme::Talk,
        other => panic!("no scheme {other}"),
    }
}

fn first_key(scheme: Scheme, key: Option<&String>, passphrase: Option<&String>) -> FrameKey {
    match passphrase {
        Some(passphrase) => FrameKey::from_passphrase(&Secret::new(passphrase)).unwrap(),
        None => FrameKey::from_bytes(scheme, &bytes(key.unwrap())).unwrap(),
    }
}

/// Derives each key once: a passphrase takes its time.
#[derive(Default)]
struct Keys(BTreeMap<(String, String, u8), FrameKey>);

impl Keys {
    fn of(&mut self, frame: &Frame) -> FrameKey {
        let secret = frame.passphrase.as_ref().or(frame.key.as_ref()).unwrap();
        let name = (frame.scheme.clone(), secret.clone(), frame.ratchets);
        let derive = || {
            let scheme = scheme(&frame.scheme);
            let first = first_key(scheme, frame.key.as_ref(), frame.passphrase.as_ref());
            (0..frame.ratchets).fold(first, |key, _| key.ratchet())
        };
        self.0.entry(name).or_insert_with(derive).clone()
    }
}

fn settings(frame: &Frame) -> Settings {
    let codec = codec(&frame.codec);
    match scheme(&frame.scheme) {
        Scheme::LiveKit => Settings::element_call(codec),
        Scheme::Jitsi => Settings::jitsi(codec).unwrap(),
        Scheme::Talk => Settings::talk(codec).unwrap(),
    }
}

fn start(iv: &str) -> IvStart {
    let iv = bytes(iv);
    IvStart {
        ssrc: u32::from_be_bytes(iv[..4].try_into().unwrap()),
        random: iv[4..].try_into().unwrap(),
    }
}

fn frames() -> Vec<Frame> {
    let mut frames = livekit().frames;
    frames.extend(jframe().frames);
    frames
}

#[test]
fn frames_of_others_open_and_ours_are_the_same_bytes() {
    let (mut keys, frames) = (Keys::default(), frames());
    assert_eq!(frames.len(), 30 + 20);
    for frame in &frames {
        let key = keys.of(frame);
        let mut opener = Opener::new(settings(frame));
        opener.set_key(frame.index, key.clone());
        let opened = opener.open(&bytes(&frame.sealed)).expect(&frame.name);
        assert_eq!(hex(&opened.frame), frame.plain, "{}", frame.name);
        assert_eq!(opened.origin, Origin::Sender);

        let mut sealer = Sealer::new(settings(frame), start(&frame.iv));
        sealer.set_key(frame.index, key);
        let sealed = sealer.seal(&bytes(&frame.plain)).unwrap();
        assert_eq!(hex(&sealed), frame.sealed, "{}", frame.name);
    }
}

#[test]
fn a_ratcheted_sender_is_followed() {
    let mut keys = Keys::default();
    let ratcheted = |frame: &Frame| frame.ratchets > 0 && frame.passphrase.is_none();
    let frames: Vec<_> = frames().into_iter().filter(ratcheted).collect();
    assert_eq!(frames.len(), 10 + 10);
    for mut frame in frames {
        frame.ratchets = 0;
        let mut opener = Opener::new(settings(&frame));
        opener.set_key(frame.index, keys.of(&frame));
        let opened = opener.open(&bytes(&frame.sealed)).expect(&frame.name);
        assert_eq!(hex(&opened.frame), frame.plain, "{}", frame.name);
    }
}

#[test]
fn keys_follow_each_other_as_elsewhere() {
    for chain in livekit().chains.into_iter().chain(jframe().chains) {
        let scheme = chain.scheme.as_deref().map_or(Scheme::LiveKit, scheme);
        let mut key = first_key(scheme, chain.key.as_ref(), chain.passphrase.as_ref());
        assert!(chain.chain.len() >= 3);
        for material in chain.chain {
            key = key.ratchet();
            assert_eq!(hex(key.expose_material()), material);
        }
    }
}

#[test]
fn the_servers_blank_frames_are_told_as_elsewhere() {
    let injected = livekit().injected;
    assert_eq!(injected.iter().filter(|frame| frame.accepted).count(), 3);
    for frame in injected {
        let mark = bytes(&frame.mark);
        let settings = Settings::livekit(codec(&frame.codec)).with_server_mark(&mark);
        let sent = bytes(&frame.frame);
        match Opener::new(settings).open(&sent) {
            Ok(opened) => {
                assert!(frame.accepted, "{}", frame.name);
                assert_eq!(opened.origin, Origin::Server);
                assert_eq!(opened.frame, sent[..sent.len() - mark.len()]);
            }
            Err(unopened) => {
                assert!(!frame.accepted, "{}", frame.name);
                assert_eq!(unopened.cause, Cause::Injected);
            }
        }
    }
}

/// `node generate.mjs --check` opens these with the other implementations.
#[test]
fn our_frames_are_those_that_others_opened() {
    let mut keys = Keys::default();
    let ours: BTreeMap<_, _> = frames()
        .into_iter()
        .map(|frame| {
            let mut sealer = Sealer::new(settings(&frame), START);
            sealer.set_key(frame.index, keys.of(&frame));
            let sealed = sealer.seal(&bytes(&frame.plain)).unwrap();
            (frame.name, hex(&sealed))
        })
        .collect();
    insta::assert_json_snapshot!("our_frames", ours);
}
