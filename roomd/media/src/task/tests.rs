// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The task, with the tests as its loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{Direction, LocalSource, MediaCommand, PeerId, PeerState};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::frame::I420;
use roomd_media_core::governor::{Load, QualityLimit, Work};
use roomd_media_core::hardware::{Finding, Hardware};
use roomd_media_core::layers::{Encoding, SentCodec, Size, Sizes, Variant};
use roomd_model::FaultCode;
use roomd_peer::{Codec, LineState, MediaKind, PeerEvent};
use tokio::sync::{mpsc, watch};

use super::{Loopback, Task, Threads};
use crate::branch::{Cause, Notice};
use crate::camera::Shot;
use crate::displays::Displays;
use crate::encode::{Encoded, Track};
use crate::prove::tests::STAND_IN;
use crate::sound::Sound;
use crate::time::Timeline;
use crate::types::{
    CameraSource, DisplayOutput, EngineCommand, EngineStatistics, Loudspeaker, MicrophoneSource,
    Settings,
};
use crate::voice::Voice;

const PEER: PeerId = PeerId(1);

/// A task whose loop is the test.
fn task() -> (Task, Loopback, watch::Receiver<EngineStatistics>) {
    gstreamer::init().unwrap();
    let settings = Settings {
        camera: CameraSource::TestPicture,
        loudspeaker: Loudspeaker::None,
        display: DisplayOutput::Headless,
        ..Settings::default()
    };
    let timeline = Timeline::new();
    let voice = Voice::start(mpsc::channel(1).0).unwrap();
    let loudspeaker = settings.loudspeaker.clone();
    let threads = Threads {
        displays: Displays::start(&settings, timeline, &mpsc::channel(1).0).unwrap(),
        sound: Sound::start(loudspeaker, voice.clone(), mpsc::channel(1).0).unwrap(),
        voice,
    };
    let (statistics, figures) = watch::channel(EngineStatistics::default());
    let (task, loopback) = Task::new(settings, timeline, statistics, threads);
    (task, loopback, figures)
}

/// A server takes these at the same time.
const LAYERS: [&str; 3] = ["l", "m", "h"];
/// How long is waited for an encoder.
const LIMIT: Duration = Duration::from_secs(30);

/// In a call with a peer that takes pictures with these names, or one without.
fn call(task: &mut Task, layers: &[&str], now: Instant) {
    let (peer, mid) = (PEER, "1".to_owned());
    let line = LineState {
        mid: mid.clone(),
        kind: MediaKind::Video,
        direction: Direction::SendOnly,
        codecs: vec![Codec::Vp8],
        layers: layers.iter().copied().map(str::to_owned).collect(),
    };
    task.command(EngineCommand::CallStarted { at: now });
    task.session(MediaCommand::OpenPeer {
        peer,
        ice_servers: Vec::new(),
    });
    let source = LocalSource::Camera;
    task.session(MediaCommand::Publish { peer, mid, source });
    task.peer_event(PEER, PeerEvent::Line(line));
    task.peer_event(PEER, PeerEvent::State(PeerState::Verified));
    task.peer_event(PEER, PeerEvent::Bandwidth(10_000_000));
    task.sending(false, true);
}

/// A second in which the encoders were that busy.
fn second(task: &mut Task, busy: f64, now: Instant) -> BTreeMap<Size, Encoding> {
    let sizes = task.capture.work(now).into_keys();
    let work = Work {
        taken: 30,
        given: 30,
        busy,
    };
    let load = Load {
        wanted: task.peers.largest_wanted(task.capture.largest()),
        camera: sizes.map(|size| (size, work)).collect(),
        idle: Some(4.0),
        ..Load::default()
    };
    task.govern(&load, now);
    task.allocate(now);
    task.renew_figures(now);
    let allowance = task.govern.allowance().up_to(task.capture.largest());
    let divided = task
        .peers
        .divide(&mut task.allocator, &allowance, false, now);
    let encoded: Vec<_> = task.capture.work(now).into_keys().collect();
    let by_size = divided.camera.into_iter();
    let by_size: BTreeMap<_, _> = by_size.map(|(it, encoding)| (it.size, encoding)).collect();
    let given: Vec<_> = by_size.keys().copied().collect();
    assert_eq!(encoded, given, "there is an encoder for each");
    by_size
}

#[tokio::test]
async fn a_call_loses_sizes_then_pictures_and_gets_them_back() {
    let (mut task, _loopback, figures) = task();
    let begin = Instant::now();
    call(&mut task, &LAYERS, begin);
    let mut seen = Vec::new();
    for passed in 0..300 {
        let busy = if passed < 60 { 1.0 } else { 0.01 };
        let encoded = second(&mut task, busy, begin + Duration::from_secs(passed));
        let rate = encoded.values().map(|it| it.pictures_per_second).min();
        let told = (figures.borrow().limit, encoded.len(), rate.unwrap());
        if seen.last() != Some(&told) {
            seen.push(told);
        }
    }
    let down = [
        (None, 3, 30),
        (Some(QualityLimit::Without720), 2, 30),
        (Some(QualityLimit::Without360), 1, 30),
        (Some(QualityLimit::FewerPictures), 1, 20),
        (Some(QualityLimit::SlowerDisplay), 1, 20),
    ];
    let up = down.iter().rev().skip(1);
    let expected: Vec<_> = down.iter().chain(up).copied().collect();
    assert_eq!(seen, expected);
    task.command(EngineCommand::CallEnded);
}

#[tokio::test]
async fn another_call_begins_without_a_limit() {
    let (mut task, _loopback, figures) = task();
    let begin = Instant::now();
    call(&mut task, &LAYERS, begin);
    for passed in 0..10 {
        second(&mut task, 1.0, begin + Duration::from_secs(passed));
    }
    assert!(figures.borrow().limit.is_some());
    task.command(EngineCommand::CallEnded);
    call(&mut task, &LAYERS, begin + Duration::from_secs(20));
    let encoded = second(&mut task, 0.1, begin + Duration::from_secs(21));
    assert_eq!(encoded.len(), 3);
    assert_eq!(figures.borrow().limit, None);
}

/// The sizes that are encoded.
fn encoded(task: &mut Task, now: Instant) -> Vec<Size> {
    task.allocate(now);
    task.capture.work(now).into_keys().collect()
}

#[tokio::test]
async fn a_picture_of_1080_lines_goes_to_whoever_wants_it_while_there_is_one() {
    let (mut task, mut loopback, _figures) = task();
    let begin = Instant::now();
    call(&mut task, &[], begin);
    let mut at = begin;
    let mut take = |task: &mut Task, size: Size| {
        let (width, height) = size.pixels();
        at += Duration::from_millis(33);
        let frame = Arc::new(I420::black(width, height));
        task.captured_picture(Some(Shot { frame, at }));
    };
    take(&mut task, Size::Full);
    assert_eq!(
        encoded(&mut task, begin),
        [Size::High],
        "nobody asked for more"
    );
    let (peer, mid, sizes) = (PEER, "1".to_owned(), Sizes::up_to(1080));
    take(&mut task, Size::High);
    task.session(MediaCommand::Want { peer, mid, sizes });
    assert_eq!(encoded(&mut task, begin), [Size::High], "there is no more");
    assert!(task.peers.open[&PEER].reach.is_none());

    for (given, expected) in [
        (Size::Full, vec![Size::Full]),
        (Size::High, vec![Size::High, Size::Full]),
    ] {
        take(&mut task, given);
        // The former size goes on until the next one has begun.
        assert_eq!(encoded(&mut task, begin), expected);
        assert_eq!(task.peers.open[&PEER].reach.is_some(), given == Size::Full);
        take(&mut task, given);
        loop {
            let next = tokio::time::timeout(LIMIT, loopback.encoded.recv()).await;
            let next = next.expect("a picture").unwrap();
            let Encoded::Frame { track, frame, .. } = &next else {
                panic!("an encoder failed");
            };
            let codec = SentCodec::Vp8;
            let begins = *track == Track::Camera(Variant { size: given, codec });
            let size = VideoCodec::Vp8.keyframe_size(&frame.payload);
            assert!(!begins || size == Some(given.pixels()), "{size:?}");
            task.encoded(next);
            if begins {
                break;
            }
        }
        assert_eq!(encoded(&mut task, begin), [given]);
    }
    task.command(EngineCommand::CallEnded);
}

/// What is encoded, by size and codec.
fn variants(task: &mut Task, now: Instant) -> Vec<(Size, SentCodec)> {
    task.allocate(now);
    let mut all = Vec::new();
    for size in Size::ALL {
        for codec in [SentCodec::Vp8, SentCodec::H264] {
            let encoder = task.capture.encoder(Variant { size, codec });
            all.extend(encoder.map(|_| (size, codec)));
        }
    }
    all
}

#[tokio::test]
async fn a_hardware_encoder_that_stands_still_is_given_up_for_the_call() {
    let (mut task, _loopback, _figures) = task();
    task.hardware = Hardware::new(true);
    let begin = Instant::now();
    call(&mut task, &[], begin);
    let mut line = task.peers.open[&PEER].lines["1"].clone();
    line.codecs.push(Codec::H264);
    task.peer_event(PEER, PeerEvent::Line(line));
    let vp8 = [(Size::High, SentCodec::Vp8)];
    assert_eq!(variants(&mut task, begin), vp8, "nothing is proven yet");
    let proven = Finding {
        encoder: STAND_IN,
        flaw: None,
    };
    task.hardware_found(vec![proven]);
    let h264 = [(Size::High, SentCodec::H264)];
    assert_eq!(variants(&mut task, begin), h264);
    assert!(task.peers.hardware);
    // What it encodes costs the processor nothing.
    let work = task.capture.work(begin);
    assert!(work[&Size::High].busy < 0.01, "{work:?}");
    let (size, codec) = h264[0];
    task.encoder_failed(Track::Camera(Variant { size, codec }));
    assert_eq!(variants(&mut task, begin), vp8);
    let report = task.hardware.report();
    assert!(report.failed, "{report:?}");
    // A late word of it ends nothing else.
    task.encoder_failed(Track::Camera(Variant { size, codec }));
    assert_eq!(variants(&mut task, begin), vp8);
    task.command(EngineCommand::CallEnded);
}

#[tokio::test]
async fn a_microphone_that_another_program_has_is_told_of_until_it_is_heard() {
    let (mut task, _loopback, _figures) = task();
    let taken = |task: &Task| task.devices.in_use.contains(&FaultCode::MicrophoneMissing);
    task.change_microphone(MicrophoneSource::Device("no-such-device".to_owned()));
    task.sending(true, false);
    assert!(!taken(&task), "it is only being opened");
    task.microphone_notice(Notice::Error(Cause::InUse));
    assert!(taken(&task));
    task.sending(true, false);
    assert!(task.capture.microphone.is_open() && taken(&task));
    task.captured_sound(&[0; 480]);
    assert!(!taken(&task));
    task.microphone_notice(Notice::Error(Cause::Other));
    assert!(!taken(&task), "it is missing");
}

#[tokio::test]
async fn a_camera_that_another_program_has_is_told_of_while_it_is_wanted() {
    let (mut task, _loopback, _figures) = task();
    let taken = |task: &Task| task.devices.in_use.contains(&FaultCode::CameraMissing);
    task.change_camera(CameraSource::Device("/dev/null".into()));
    task.sending(false, true);
    task.camera_notice(Notice::Error(Cause::InUse));
    assert!(taken(&task));
    // What is told of the one concerns no other.
    assert_eq!(task.devices.in_use.len(), 1);
    task.sending(false, false);
    assert!(!taken(&task));
}

#[tokio::test]
async fn whoever_listens_too_long_or_too_late_disturbs_neither_a_sound_test_nor_a_call() {
    let (mut task, _loopback, _figures) = task();
    task.command(EngineCommand::Microphone(MicrophoneSource::TestSound));
    let (listener, mut heard) = mpsc::channel(64);
    task.command(EngineCommand::SelfHear(Some(listener)));
    assert!(task.capture.microphone.is_open());
    let (test, _tested) = mpsc::channel(64);
    task.command(EngineCommand::SoundTest(Some(test)));
    while heard.recv().await.is_some() {}
    // It says so late that it has ended.
    task.command(EngineCommand::SelfHear(None));
    assert!(task.capture.microphone.is_open());
    let at = Instant::now();
    task.command(EngineCommand::CallStarted { at });
    assert!(!task.capture.microphone.is_open());
    let (listener, mut heard) = mpsc::channel(64);
    task.command(EngineCommand::SelfHear(Some(listener)));
    assert!(!task.capture.microphone.is_open());
    assert!(heard.recv().await.is_none());
}

#[tokio::test]
async fn the_microphone_is_not_open_for_a_listener_that_is_gone() {
    let (mut task, _loopback, _figures) = task();
    task.command(EngineCommand::Microphone(MicrophoneSource::TestSound));
    let (listener, heard) = mpsc::channel(64);
    task.command(EngineCommand::SelfHear(Some(listener)));
    task.supervise_capture(Instant::now());
    assert!(task.capture.microphone.is_open());
    drop(heard);
    task.supervise_capture(Instant::now());
    assert!(!task.capture.microphone.is_open());
}
