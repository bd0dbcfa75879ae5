// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sizes of the camera's picture, and content, as they arrive at a peer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bench::{LIMIT, PICTURE, Room, SOUND, Wire};
use roomd_conference::{LocalSource, MediaCommand, PeerId};
use roomd_media::{CameraSource, EngineCommand, Settings};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::scene::TileSource;
use roomd_model::{PictureSize, PictureSizes};
use roomd_peer::{Direction, Frame, Layers, MediaKind, NewLine, Offer, PeerCommand, PeerEvent};

const PEER: PeerId = PeerId(1);
const NAMES: [&str; 3] = ["l", "m", "h"];

fn sending(kind: MediaKind, layers: Layers) -> NewLine {
    NewLine {
        kind,
        direction: Direction::SendOnly,
        layers,
    }
}

/// A server that takes every size at the same time.
async fn server(room: &mut Room) -> Wire {
    let names = NAMES.map(str::to_owned).to_vec();
    let offer = Offer {
        add: vec![
            sending(MediaKind::Audio, Layers::Single),
            sending(MediaKind::Video, Layers::Rids(names)),
        ],
        ..Offer::default()
    };
    let published = [LocalSource::Microphone, LocalSource::Camera];
    Wire::answering(room, PEER, offer, &published).await
}

/// The next frame of the picture's m-line.
async fn picture(wire: &mut Wire) -> Frame {
    loop {
        match wire.next().await {
            PeerEvent::Frame { mid, frame } if mid == wire.mids[1] => return frame,
            _ => {}
        }
    }
}

/// Waits until exactly these layers have come for half a second.
async fn only(wire: &mut Wire, wanted: &[&str]) {
    let wanted: BTreeSet<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    let end = Instant::now() + LIMIT;
    let mut last = BTreeMap::new();
    let begin = Instant::now();
    loop {
        if let Some((_, PeerEvent::Frame { mid, frame })) = wire.events.recv().await
            && mid == wire.mids[1]
        {
            last.insert(frame.rid.unwrap(), Instant::now());
        }
        let recent = |at: &Instant| at.elapsed() < Duration::from_millis(500);
        let came: BTreeSet<_> = last
            .iter()
            .filter(|(_, at)| recent(at))
            .map(|(name, _)| name.clone())
            .collect();
        if came == wanted && begin.elapsed() > Duration::from_millis(600) {
            return;
        }
        assert!(Instant::now() < end, "{came:?} come, not {wanted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_gets_three_sizes_and_each_only_while_it_is_wanted() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = server(&mut room).await;
    wire.verified().await;
    room.sending(false, true).await;

    // Each begins with a keyframe of its own size.
    let mut begun = BTreeMap::new();
    let mut temporal = BTreeSet::new();
    let end = Instant::now() + LIMIT;
    while begun.len() < 3 || temporal.len() < 6 {
        let frame = picture(&mut wire).await;
        let place = frame.temporal.unwrap();
        // The upper layer needs the last picture of the lower one, and nothing needs it.
        assert_eq!(
            (place.sync, place.discardable),
            (place.layer == 1, place.layer == 1)
        );
        assert!(!frame.keyframe || place.layer == 0);
        temporal.insert((frame.rid.clone(), place.layer));
        let size = VideoCodec::Vp8.keyframe_size(&frame.payload);
        let name = frame.rid.unwrap();
        assert!(
            size.is_some() || begun.contains_key(&name),
            "{name} begins without a keyframe"
        );
        size.into_iter().for_each(|size| {
            begun.insert(name.clone(), size);
        });
        assert!(Instant::now() < end, "only {begun:?} come");
    }
    let sizes = NAMES.map(|name| begun[name]);
    assert_eq!(sizes, PictureSize::LAYERS.map(PictureSize::pixels));

    let want = |sizes: &[PictureSize]| MediaCommand::Want {
        peer: PEER,
        mid: wire.mids[1].clone(),
        sizes: sizes.iter().copied().collect(),
    };
    let (low, both, none) = (
        want(&[PictureSize::Low]),
        want(&[PictureSize::Low, PictureSize::Medium]),
        want(&[]),
    );
    room.session(low).await;
    only(&mut wire, &["l"]).await;
    room.session(both).await;
    only(&mut wire, &["l", "m"]).await;
    room.session(none).await;
    wire.frames(1, Duration::from_millis(300)).await;
    assert_eq!(wire.frames(1, Duration::from_secs(1)).await, 0, "paused");
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyframe_is_made_of_the_layer_that_asks() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = server(&mut room).await;
    wire.verified().await;
    room.sending(false, true).await;
    only(&mut wire, &NAMES).await;
    let mid = wire.mids[1].clone();
    let rid = Some("m".to_owned());
    let ask = PeerCommand::RequestKeyframe { mid, rid };
    wire.commands.send(ask).await.unwrap();
    let end = Instant::now() + LIMIT;
    loop {
        let frame = picture(&mut wire).await;
        if frame.keyframe && frame.rid.as_deref() == Some("m") {
            break;
        }
        assert!(Instant::now() < end, "no keyframe comes");
    }
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_picture_follows_what_is_wanted_and_stays_decodable() {
    let mut sender = Room::start(11, 1000.0);
    let mut viewer = Room::start(22, 1400.0);
    viewer
        .engine
        .command(EngineCommand::CallStarted { at: Instant::now() })
        .await;
    viewer.show(TileSource::Stream(PICTURE)).await;
    let mids = bench::link(&mut sender, &mut viewer, PEER, [SOUND, PICTURE]).await;
    sender.sending(false, true).await;
    for size in [
        PictureSize::Low,
        PictureSize::Medium,
        PictureSize::Low,
        PictureSize::Medium,
    ] {
        let sizes = PictureSizes::up_to(size.pixels().1);
        let (peer, mid) = (PEER, mids[1].clone());
        sender
            .session(MediaCommand::Want { peer, mid, sizes })
            .await;
        let mut statistics = viewer.engine.statistics();
        let shown = |s: &roomd_media::EngineStatistics| {
            s.streams
                .iter()
                .any(|one| one.stream == PICTURE && one.size == Some(size.pixels()))
        };
        tokio::time::timeout(LIMIT, statistics.wait_for(shown))
            .await
            .unwrap_or_else(|_| panic!("{size:?} is never shown"))
            .unwrap();
        let before = viewer.sees(11).await;
        viewer.sees_later(11, before).await;
    }
    sender.engine.shutdown().await;
    viewer.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_sent_beside_the_camera_only_while_it_is_shown() {
    let settings = Settings {
        content: CameraSource::TestPicture,
        ..Room::settings(11, 1000.0)
    };
    let mut room = Room::with(settings);
    let mut viewer = Room::start(22, 1400.0);
    let lines = [MediaKind::Audio, MediaKind::Video, MediaKind::Video];
    let offer = Offer {
        add: lines.map(|kind| sending(kind, Layers::Single)).to_vec(),
        ..Offer::default()
    };
    let published = [
        LocalSource::Microphone,
        LocalSource::Camera,
        LocalSource::Content,
    ];
    let mut wire = Wire::answering(&mut room, PEER, offer, &published).await;
    wire.verified().await;
    room.sending(false, true).await;
    wire.flows(1, 10).await;
    assert_eq!(
        wire.frames(2, Duration::from_millis(500)).await,
        0,
        "not shown yet"
    );

    room.engine.command(EngineCommand::Content(true)).await;
    wire.flows(2, 5).await;
    wire.flows(1, 5).await;
    // Somebody who comes later sees it too, from a keyframe on.
    viewer.show(TileSource::Stream(PICTURE)).await;
    let to = Wire::connect(&mut viewer, PEER, [SOUND, PICTURE], |sdp| sdp).await;
    let (commands, camera, content) = (
        wire.commands.clone(),
        wire.mids[1].clone(),
        wire.mids[2].clone(),
    );
    let relay = tokio::spawn(async move {
        let mut asked = Instant::now();
        loop {
            let PeerEvent::Frame { mid, frame } = wire.next().await else {
                continue;
            };
            if mid == camera {
                continue;
            }
            if asked.elapsed() > Duration::from_secs(1) {
                asked = Instant::now();
                let (mid, rid) = (content.clone(), None);
                commands
                    .send(PeerCommand::RequestKeyframe { mid, rid })
                    .await
                    .unwrap();
            }
            let mid = to.mids[1].clone();
            to.commands
                .send(PeerCommand::Write { mid, frame })
                .await
                .unwrap();
        }
    });
    let first = viewer.sees(111).await;
    viewer.sees_later(111, first).await;
    relay.abort();
    room.engine.command(EngineCommand::Content(false)).await;
    room.engine.shutdown().await;
    viewer.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_is_told_how_loud_the_room_is() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = server(&mut room).await;
    wire.verified().await;
    room.sending(true, false).await;
    let (end, mut told) = (Instant::now() + LIMIT, Vec::new());
    // The test sound speaks and pauses.
    while !(told.iter().any(|&(_, voice)| voice) && told.iter().any(|&(_, voice)| !voice)) {
        if let PeerEvent::Frame { frame, .. } = wire.next().await {
            let level = frame.level.expect("each packet has a level");
            assert!(level.below_overload < 80, "{level:?}");
            told.push((level.below_overload, level.voice));
        }
        assert!(Instant::now() < end, "{told:?}");
    }
    room.engine.shutdown().await;
}
