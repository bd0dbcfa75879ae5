// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frame encryption from one room to another: what is seen, and what leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::time::Duration;

use bench::{PICTURE, Room, SOUND, Wire};
use roomd_conference::{
    FrameEncryption, FrameKeyMaterial, FrameScheme, MediaCommand, MediaEvent, PeerId,
};
use roomd_crypt::{Codec as SealedCodec, FrameKey, Opener, Scheme, Settings};
use roomd_media::EngineEvent;
use roomd_media_core::scene::TileSource;
use roomd_media_core::timecode::TimeCode;
use roomd_model::{Secret, StreamId, StreamTrouble};
use roomd_peer::{Frame, PeerEvent};

const PEER: PeerId = PeerId(1);

fn bytes(seed: u8) -> FrameKeyMaterial {
    FrameKeyMaterial::Bytes(vec![seed; 32])
}

async fn encrypt(room: &Room, scheme: FrameScheme) {
    let encryption = FrameEncryption {
        scheme,
        server_mark: Vec::new(),
    };
    let peer = PEER;
    room.session(MediaCommand::Encrypt { peer, encryption })
        .await;
}

async fn send_with(room: &Room, index: u32, key: FrameKeyMaterial) {
    let peer = PEER;
    room.session(MediaCommand::SendingKey { peer, index, key })
        .await;
}

async fn open_with(room: &Room, stream: StreamId, index: u32, key: FrameKeyMaterial) {
    let peer = PEER;
    room.session(MediaCommand::StreamKey {
        peer,
        stream,
        index,
        key,
    })
    .await;
}

async fn undecryptable(room: &mut Room, wanted: bool) {
    room.wait("a mark", |event| match event {
        EngineEvent::Session(MediaEvent::Trouble {
            stream: PICTURE,
            trouble: StreamTrouble::Undecryptable,
            active,
        }) => (active == wanted).then_some(()),
        _ => None,
    })
    .await;
}

/// Two rooms on an encrypted connection; nobody has a key yet.
async fn pair(scheme: FrameScheme) -> (Room, Room) {
    let mut left = Room::start(11, 1000.0);
    let mut right = Room::start(22, 1400.0);
    right.show(TileSource::Stream(PICTURE)).await;
    left.show(TileSource::Stream(PICTURE)).await;
    bench::link(&mut left, &mut right, PEER, [SOUND, PICTURE]).await;
    for room in [&left, &right] {
        encrypt(room, scheme).await;
        room.sending(true, true).await;
    }
    (left, right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn picture_and_sound_with_a_key_for_each_and_through_a_rotation() {
    let (left, right) = pair(FrameScheme::ElementCall).await;
    for (room, other, seed) in [(&left, &right, 1), (&right, &left, 2)] {
        send_with(room, 0, bytes(seed)).await;
        for stream in [SOUND, PICTURE] {
            open_with(other, stream, 0, bytes(seed)).await;
        }
    }
    right.sees(11).await;
    left.sees(22).await;
    right.hears(1000.0).await;
    left.hears(1400.0).await;

    // The next key is told before it is used, as sessions do.
    for stream in [SOUND, PICTURE] {
        open_with(&right, stream, 1, bytes(3)).await;
    }
    send_with(&left, 1, bytes(3)).await;
    for stream in [SOUND, PICTURE] {
        right
            .session(MediaCommand::ForgetStreamKey { stream, index: 0 })
            .await;
    }
    // What was under way with the old key may still be shown; a second later nothing of it is.
    let seen = right.sees(11).await;
    let second = TimeCode {
        millis: seen.millis + 1000,
        ..seen
    };
    right.sees_later(11, second).await;
    right.hears(1000.0).await;
    left.engine.shutdown().await;
    right.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_comes_late_opens_what_follows_and_the_mark_goes() {
    let (left, mut right) = pair(FrameScheme::LiveKitShared).await;
    let word = || FrameKeyMaterial::Passphrase(Secret::new("Kamillentee".to_owned()));
    send_with(&left, 0, word()).await;
    undecryptable(&mut right, true).await;
    assert_eq!(right.code().await, None, "nothing is shown without a key");
    // Another wrong one is told too.
    let wrong = FrameKeyMaterial::Passphrase(Secret::new("Pfefferminztee".to_owned()));
    open_with(&right, PICTURE, 0, wrong).await;
    undecryptable(&mut right, false).await;
    undecryptable(&mut right, true).await;
    for stream in [SOUND, PICTURE] {
        open_with(&right, stream, 0, word()).await;
    }
    undecryptable(&mut right, false).await;
    right
        .wait("an opened frame", |event| match event {
            EngineEvent::Session(MediaEvent::Opened { stream }) if stream == PICTURE => Some(()),
            _ => None,
        })
        .await;
    right.sees(11).await;
    left.engine.shutdown().await;
    right.engine.shutdown().await;
}

/// The next pictures that leave a room.
async fn pictures(wire: &mut Wire, count: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while frames.len() < count {
        match wire.next().await {
            PeerEvent::Frame { mid, frame } if mid == wire.mids[1] => frames.push(frame),
            _ => {}
        }
    }
    frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_readable_frame_leaves_before_or_after_the_key_comes() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = Wire::connect(&mut room, PEER, [SOUND, PICTURE], |sdp| sdp).await;
    encrypt(&room, FrameScheme::Jitsi).await;
    wire.verified().await;
    room.sending(true, true).await;
    let second = Duration::from_secs(1);
    let left = wire.frames(0, second).await + wire.frames(1, second).await;
    assert_eq!(left, 0, "frames leave without a key");

    send_with(&room, 0, bytes(7)).await;
    let settings = Settings::jitsi(SealedCodec::Vp8).unwrap();
    let mut opener = Opener::new(settings);
    let key = FrameKey::from_bytes(Scheme::Jitsi, &[7; 32]).unwrap();
    opener.set_key(0, key);
    for (n, frame) in pictures(&mut wire, 20).await.iter().enumerate() {
        let opened = opener.open(&frame.payload).expect("a sealed frame");
        assert!(frame.keyframe || n > 0, "the first one is whole");
        // Sealed frames are 30 bytes longer; what is readable is the header only.
        assert_eq!(frame.payload.len(), opened.frame.len() + 30);
        let clear = if frame.keyframe { 10 } else { 3 };
        assert_eq!(frame.payload[..clear], opened.frame[..clear]);
        assert_ne!(frame.payload[clear..][..16], opened.frame[clear..][..16]);
    }
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_readable_on_an_encrypted_connection_is_not_shown() {
    let mut left = Room::start(11, 1000.0);
    let mut right = Room::start(22, 1400.0);
    right.show(TileSource::Stream(PICTURE)).await;
    bench::link(&mut left, &mut right, PEER, [SOUND, PICTURE]).await;
    encrypt(&right, FrameScheme::Talk).await;
    open_with(&right, PICTURE, 0, bytes(1)).await;
    left.sending(true, true).await;
    undecryptable(&mut right, true).await;
    assert_eq!(right.code().await, None);
    assert!(right.steady(1000.0).await < 0.005, "it is heard");
    left.engine.shutdown().await;
    right.engine.shutdown().await;
}
