// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Picture and sound from one room to another, with real codecs and real connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::time::{Duration, Instant};

use bench::{LIMIT, PICTURE, Room, SOUND, Wire, loopback};
use roomd_conference::{MediaEvent, PeerId, PeerState, SdpKind};
use roomd_media::{EngineCommand, EngineEvent};
use roomd_media_core::scene::TileSource;
use roomd_model::{FaultCode, PictureSize, Pii, StreamId, StreamTrouble};
use roomd_peer::{Frame, MediaKind, Offer, PeerCommand, PeerEvent};
use tokio::sync::mpsc;

const PEER: PeerId = PeerId(1);

/// Connects two rooms: the test makes the offer on a connection of its own and both rooms answer.
/// Its frames are carried over, as a mesh of three would not need.
struct Relay {
    left: Wire,
    right: Wire,
}

impl Relay {
    async fn connect(left: &mut Room, right: &mut Room) -> Self {
        Self {
            left: Wire::connect(left, PEER, [SOUND, PICTURE], |sdp| sdp).await,
            right: Wire::connect(right, PEER, [SOUND, PICTURE], |sdp| sdp).await,
        }
    }

    /// Carries frames and requests from each side to the other until dropped.
    fn run(self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            let (mut left, mut right) = (self.left, self.right);
            loop {
                tokio::select! {
                    Some((_, event)) = left.events.recv() => carry(event, &left.mids, &right).await,
                    Some((_, event)) = right.events.recv() => carry(event, &right.mids, &left).await,
                    else => return,
                }
            }
        })
    }
}

async fn carry(event: PeerEvent, from: &[String], to: &Wire) {
    // Each connection names its m-lines itself.
    let line = |mid: &String| from.iter().position(|known| known == mid).unwrap();
    let command = match event {
        PeerEvent::Frame { mid, frame } => PeerCommand::Write {
            mid: to.mids[line(&mid)].clone(),
            frame,
        },
        PeerEvent::KeyframeWanted { mid, rid } => PeerCommand::RequestKeyframe {
            mid: to.mids[line(&mid)].clone(),
            rid,
        },
        _ => return,
    };
    let _ = to.commands.send(command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn picture_and_sound_both_ways() {
    // The highest that a room for everyone has to carry (EN 301 549, 6.1).
    let mut left = Room::start(11, 7000.0);
    let mut right = Room::start(22, 6800.0);
    for room in [&left, &right] {
        room.engine
            .command(EngineCommand::CallStarted { at: Instant::now() })
            .await;
        room.show(TileSource::Stream(PICTURE)).await;
        room.sending(true, true).await;
    }
    let relay = Relay::connect(&mut left, &mut right).await.run();
    left.state(PeerState::Verified).await;
    right.state(PeerState::Verified).await;

    let seen = left.sees(22).await;
    right.sees(11).await;
    left.hears(6800.0).await;
    right.hears(7000.0).await;
    assert!(left.steady(7000.0).await < 0.005, "the room hears itself");

    let later = left.sees(22).await;
    assert!(later.millis > seen.millis, "the picture stands still");
    let now = std::time::SystemTime::now();
    let age = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64
        - later.millis;
    assert!(age < 2000, "the picture is {age} ms old");

    let mut statistics = left.engine.statistics();
    // How fast depends on what else the machine does.
    let plausible = |rate: Option<f64>| rate.is_some_and(|rate| rate > 1.0 && rate < 40.0);
    let of = |s: &roomd_media::EngineStatistics, stream| {
        let found = s.streams.iter().find(|one| one.stream == stream);
        found.copied().filter(|one| one.bits_per_second > 1000.0)
    };
    let good = |s: &roomd_media::EngineStatistics| {
        let sound = of(s, SOUND).is_some_and(|one| one.size.is_none());
        let picture = of(s, PICTURE).is_some_and(|one| {
            // On a busy machine a path seems narrow.
            let sizes = PictureSize::ALL.map(PictureSize::pixels);
            let known = one.size.is_some_and(|size| sizes.contains(&size));
            known && plausible(Some(one.frames_per_second))
        });
        s.media_both_ways.is_some() && plausible(s.fps_sent) && sound && picture
    };
    tokio::time::timeout(LIMIT, statistics.wait_for(good))
        .await
        .expect("good figures")
        .unwrap();
    let png = left.engine.snapshot().await.unwrap();
    assert_eq!(&png[1..4], b"PNG");
    relay.abort();
    left.engine.shutdown().await;
    right.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mute_is_silent_on_the_wire() {
    let mut room = Room::start(1, 1000.0);
    let mut wire = Wire::connect(&mut room, PEER, [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    let second = Duration::from_secs(1);
    assert_eq!(
        wire.frames(0, second).await + wire.frames(1, second).await,
        0,
        "off at first"
    );

    room.sending(true, true).await;
    wire.flows(0, 30).await;
    wire.flows(1, 10).await;

    room.sending(false, true).await;
    wire.frames(0, Duration::from_millis(100)).await;
    assert_eq!(wire.frames(0, second).await, 0, "muted");
    room.sending(false, false).await;
    wire.frames(1, Duration::from_millis(100)).await;
    assert_eq!(wire.frames(1, second).await, 0, "camera off");

    room.sending(true, false).await;
    wire.flows(0, 10).await;
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_fingerprint_lets_nothing_through() {
    let mut room = Room::start(1, 1000.0);
    room.sending(true, true).await;
    room.show(TileSource::Stream(PICTURE)).await;
    // The room is told another certificate than the one that shakes hands.
    let (sender, mut events) = mpsc::channel(512);
    let commands = roomd_peer::spawn(PEER, loopback(), sender);
    commands
        .send(PeerCommand::Offer(Offer::of(&[
            MediaKind::Audio,
            MediaKind::Video,
        ])))
        .await
        .unwrap();
    let offer = loop {
        if let Some((_, PeerEvent::LocalDescription { sdp, .. })) = events.recv().await {
            break sdp.into_inner();
        }
    };
    let answer = room
        .answer(PEER, Pii::new(tampered(&offer)), [SOUND, PICTURE])
        .await;
    let kind = SdpKind::Answer;
    commands
        .send(PeerCommand::RemoteDescription { kind, sdp: answer })
        .await
        .unwrap();

    let mut unverified = false;
    let mut fault = false;
    room.wait("a refusal", |event| {
        match event {
            EngineEvent::Session(MediaEvent::Peer { state, .. }) => {
                assert_ne!(state, PeerState::Verified);
                unverified |= state == PeerState::Unverified;
            }
            EngineEvent::Fault {
                code: FaultCode::PeerNotVerified,
                active: true,
            } => fault = true,
            _ => {}
        }
        (unverified && fault).then_some(())
    })
    .await;
    room.engine.command(EngineCommand::CallEnded).await;
    room.wait("an end of the fault", |event| match event {
        EngineEvent::Fault { code, active } => {
            (code == FaultCode::PeerNotVerified && !active).then_some(())
        }
        _ => None,
    })
    .await;
    while let Ok(event) = events.try_recv() {
        assert!(
            !matches!(event.1, PeerEvent::Frame { .. }),
            "media reached an unverified peer"
        );
    }
    assert_eq!(room.code().await, None);
    room.engine.shutdown().await;
}

/// Another fingerprint of the same form.
fn tampered(sdp: &str) -> String {
    let turn = |line: &str| match line.split_once("a=fingerprint:sha-256 ") {
        Some((_, value)) => {
            let other: String = value
                .chars()
                .map(|c| {
                    if c == 'A' {
                        'B'
                    } else if c == '1' {
                        '2'
                    } else {
                        c
                    }
                })
                .collect();
            format!("a=fingerprint:sha-256 {other}")
        }
        None => line.to_owned(),
    };
    sdp.lines().map(|line| turn(line) + "\r\n").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_in_one_stream_leaves_the_others_running() {
    let mut left = Room::start(11, 1000.0);
    let mut right = Room::start(22, 1400.0);
    left.show(TileSource::Stream(PICTURE)).await;
    right.sending(true, true).await;
    let mut vandal = Wire::connect(&mut left, PeerId(9), [StreamId(90), StreamId(91)], |sdp| {
        sdp
    })
    .await;
    vandal.verified().await;
    let relay = Relay::connect(&mut left, &mut right).await.run();
    let before = left.sees(22).await;

    let mut seed = 7_u32;
    for n in 0..400_u64 {
        let mut payload: Vec<u8> = (0..600)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        let sound = n % 2 == 0;
        if !sound && n % 4 == 1 {
            // Looks like a keyframe of 640 by 360.
            payload[..10].copy_from_slice(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x68, 1]);
        }
        let (payload, at) = (payload.into(), Instant::now());
        let frame = if sound {
            Frame::sound(payload, n * 960, at)
        } else {
            Frame::picture(payload, n * 3000, at, true)
        };
        let mid = vandal.mids[usize::from(!sound)].clone();
        vandal
            .commands
            .send(PeerCommand::Write { mid, frame })
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let after = left.sees(22).await;
    assert!(
        after.millis > before.millis,
        "the good picture stands still"
    );
    left.hears(1400.0).await;
    relay.abort();
    left.engine.shutdown().await;
    right.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_giant_picture_is_refused_and_the_room_says_so() {
    let mut room = Room::start(1, 1000.0);
    let mut wire = Wire::connect(&mut room, PEER, [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    // A VP8 keyframe that says it has 8192 by 8192 pixels (RFC 6386, section 9.1).
    let mut payload = vec![0x10, 0, 0, 0x9d, 0x01, 0x2a, 0, 0x20, 0, 0x20];
    payload.resize(400, 7);
    let frame = Frame::picture(payload.into(), 3000, Instant::now(), true);
    let mid = wire.mids[1].clone();
    let write = PeerCommand::Write { mid, frame };
    wire.commands.send(write).await.unwrap();
    room.wait("a refusal", |event| match event {
        EngineEvent::Session(MediaEvent::Trouble {
            stream: PICTURE,
            trouble: StreamTrouble::Undecodable,
            active: true,
        }) => Some(()),
        EngineEvent::Session(MediaEvent::Stream { .. }) => panic!("it is decoded"),
        _ => None,
    })
    .await;
    room.engine.shutdown().await;
}
