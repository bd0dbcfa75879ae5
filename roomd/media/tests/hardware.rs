// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who gets H.264 of a hardware encoder and who does not, and what happens when it fails in a call. A
//! software encoder stands in for the hardware.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;
mod stand_in;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bench::{LIMIT, PICTURE, Room, SOUND, Wire};
use roomd_conference::{
    FrameEncryption, FrameKeyMaterial, FrameScheme, LocalSource, MediaCommand, PeerId,
};
use roomd_media::{EngineCommand, EngineEvent, HardwareReport, Settings};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::scene::TileSource;
use roomd_media_core::timecode::TimeCode;
use roomd_model::PictureSizes;
use roomd_peer::{
    Codec, Direction, Frame, Layers, MediaKind, NewLine, Offer, PeerCommand, PeerEvent,
};
use tokio::sync::{Mutex, MutexGuard};

const PUBLISHED: [LocalSource; 2] = [LocalSource::Microphone, LocalSource::Camera];

/// Stand-ins fail all at once: no test is to make another one's fail.
async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    let guard = ONE.lock().await;
    stand_in::FAILS.store(false, Ordering::Relaxed);
    guard
}

/// A room with a stand-in that has proven itself.
async fn room() -> Room {
    let settings = Settings {
        hardware_encoders: vec![stand_in::encoder()],
        ..Room::settings(11, 1000.0)
    };
    let mut room = Room::with(settings);
    report(&mut room, |report| report.encoder == Some("standinh264enc")).await;
    room
}

async fn report(room: &mut Room, wanted: impl Fn(&HardwareReport) -> bool) {
    room.wait("a report of the encoder", |event| match event {
        EngineEvent::Devices(report) => wanted(&report.encoder).then_some(()),
        _ => None,
    })
    .await;
}

fn offer(layers: Layers) -> Offer {
    let line = |kind, layers| NewLine {
        kind,
        direction: Direction::SendOnly,
        layers,
    };
    Offer {
        add: vec![
            line(MediaKind::Audio, Layers::Single),
            line(MediaKind::Video, layers),
        ],
        ..Offer::default()
    }
}

/// Somebody who takes one picture.
async fn single(room: &mut Room, peer: PeerId) -> Wire {
    let mut wire = Wire::answering(room, peer, offer(Layers::Single), &PUBLISHED).await;
    wire.verified().await;
    wire
}

async fn picture(wire: &mut Wire) -> Frame {
    loop {
        match wire.next().await {
            PeerEvent::Frame { mid, frame } if mid == wire.mids[1] => return frame,
            _ => {}
        }
    }
}

/// The codecs of the next pictures.
async fn codecs(wire: &mut Wire, count: usize) -> BTreeSet<Codec> {
    let mut codecs = BTreeSet::new();
    for _ in 0..count {
        codecs.insert(picture(wire).await.codec);
    }
    codecs
}

/// The first picture in this codec: it is a keyframe.
async fn begins(wire: &mut Wire, codec: Codec) {
    let end = Instant::now() + LIMIT;
    loop {
        let frame = picture(wire).await;
        if frame.codec == codec {
            let known = match codec {
                Codec::H264 => VideoCodec::H264,
                _ => VideoCodec::Vp8,
            };
            let size = known.keyframe_size(&frame.payload);
            assert!(frame.keyframe && size.is_some(), "{codec:?} begins without");
            return;
        }
        assert!(Instant::now() < end, "{codec:?} never comes");
    }
}

/// The description without H.264.
fn without_h264(sdp: String) -> String {
    let (numbers, mut text) = (["108", "109"], String::new());
    assert!(sdp.contains("a=rtpmap:108 H264/90000"), "{sdp}");
    for line in sdp.lines() {
        if line.starts_with("m=video") {
            let kept = line.split(' ').filter(|word| !numbers.contains(word));
            text.push_str(&kept.collect::<Vec<_>>().join(" "));
        } else {
            let value = line.split_once(':').map_or("", |(_, value)| value);
            let number = value.split(' ').next().unwrap_or_default();
            if line.starts_with("a=") && numbers.contains(&number) {
                continue;
            }
            text.push_str(line);
        }
        text.push_str("\r\n");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_peer_gets_what_it_takes_and_the_picture_arrives() {
    let _alone = alone().await;
    let mut room = room().await;
    let mut viewer = Room::start(22, 1400.0);
    viewer.show(TileSource::Stream(PICTURE)).await;
    bench::link(&mut room, &mut viewer, PeerId(1), [SOUND, PICTURE]).await;
    let mut modern = single(&mut room, PeerId(2)).await;
    let peer = PeerId(3);
    let lines = offer(Layers::Single);
    let mut old = Wire::answering_as(&mut room, peer, lines, &PUBLISHED, without_h264).await;
    old.verified().await;
    room.sending(false, true).await;

    begins(&mut modern, Codec::H264).await;
    assert_eq!(codecs(&mut modern, 10).await, [Codec::H264].into());
    begins(&mut old, Codec::Vp8).await;
    assert_eq!(codecs(&mut old, 10).await, [Codec::Vp8].into());
    // The viewer takes H.264 too, and shows what it shows.
    let seen = viewer.sees(11).await;
    viewer.sees_later(11, seen).await;

    // A smaller size, and a keyframe for whoever asks.
    let (mid, sizes) = (modern.mids[1].clone(), PictureSizes::up_to(180));
    let (peer, line) = (PeerId(2), mid.clone());
    room.session(MediaCommand::Want { peer, mid, sizes }).await;
    let small = |frame: &Frame| {
        let size = VideoCodec::H264.keyframe_size(&frame.payload);
        frame.codec == Codec::H264 && size == Some((320, 180))
    };
    let end = Instant::now() + LIMIT;
    while !small(&picture(&mut modern).await) {
        assert!(Instant::now() < end, "no smaller size comes");
    }
    let (mid, rid) = (line, None);
    let ask = PeerCommand::RequestKeyframe { mid, rid };
    modern.commands.send(ask).await.unwrap();
    while !small(&picture(&mut modern).await) {
        assert!(Instant::now() < end, "no keyframe comes");
    }
    room.engine.shutdown().await;
    viewer.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_that_fails_in_a_call_leaves_the_picture_running() {
    let _alone = alone().await;
    let mut room = room().await;
    let started = EngineCommand::CallStarted { at: Instant::now() };
    room.engine.command(started).await;
    let mut viewer = Room::start(22, 1400.0);
    viewer.show(TileSource::Stream(PICTURE)).await;
    bench::link(&mut room, &mut viewer, PeerId(1), [SOUND, PICTURE]).await;
    let mut wire = single(&mut room, PeerId(2)).await;
    room.sending(false, true).await;
    begins(&mut wire, Codec::H264).await;
    viewer.sees(11).await;

    stand_in::FAILS.store(true, Ordering::Relaxed);
    report(&mut room, |report| {
        report.failed && report.encoder.is_none()
    })
    .await;
    begins(&mut wire, Codec::Vp8).await;
    assert_eq!(codecs(&mut wire, 10).await, [Codec::Vp8].into());
    // What was under way may still be shown; a second later nothing of it is.
    let seen = viewer.sees(11).await;
    let second = TimeCode {
        millis: seen.millis + 1000,
        ..seen
    };
    viewer.sees_later(11, second).await;

    // It proves itself again after the call.
    stand_in::FAILS.store(false, Ordering::Relaxed);
    room.engine.command(EngineCommand::CallEnded).await;
    report(&mut room, |report| {
        report.encoder.is_some() && !report.failed
    })
    .await;
    room.engine.shutdown().await;
    viewer.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_frames_and_several_sizes_are_vp8() {
    let _alone = alone().await;
    let mut room = room().await;
    let names = ["l", "m", "h"].map(str::to_owned).to_vec();
    let layers = offer(Layers::Rids(names));
    let mut server = Wire::answering(&mut room, PeerId(1), layers, &PUBLISHED).await;
    server.verified().await;
    room.sending(false, true).await;
    let mut sizes = BTreeSet::new();
    while sizes.len() < 3 {
        let frame = picture(&mut server).await;
        assert_eq!(frame.codec, Codec::Vp8);
        sizes.insert(frame.rid.unwrap());
    }

    let peer = PeerId(2);
    let mut sealed = single(&mut room, peer).await;
    begins(&mut sealed, Codec::H264).await;

    let encryption = FrameEncryption {
        scheme: FrameScheme::ElementCall,
        server_mark: Vec::new(),
    };
    room.session(MediaCommand::Encrypt { peer, encryption })
        .await;
    let key = FrameKeyMaterial::Bytes(vec![7; 32]);
    let index = 0;
    room.session(MediaCommand::SendingKey { peer, index, key })
        .await;
    begins(&mut sealed, Codec::Vp8).await;
    assert_eq!(codecs(&mut sealed, 10).await, [Codec::Vp8].into());
    room.engine.shutdown().await;
}
