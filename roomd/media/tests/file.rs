// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A recorded file as camera or microphone: shape, speed, looping, and files that are not there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bench::{PICTURE, Room, SOUND, Wire};
use roomd_conference::PeerId;
use roomd_media::{CameraSource, EngineCommand, EngineEvent, MicrophoneSource, Settings};
use roomd_media_core::frame::I420;
use roomd_media_core::scene::{HEIGHT, TileSource, WIDTH};
use roomd_model::FaultCode;

/// A file of this process, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("roomd-media-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Grey pictures, each of the brightness that the list says.
fn write_y4m(path: &Path, (width, height): (usize, usize), rate: &str, greys: &[u8]) {
    let mut file = format!("YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg\n").into_bytes();
    for grey in greys {
        file.extend_from_slice(b"FRAME\n");
        file.resize(file.len() + width * height, *grey);
        let chroma = width.div_ceil(2) * height.div_ceil(2) * 2;
        file.resize(file.len() + chroma, 128);
    }
    std::fs::write(path, file).unwrap();
}

/// A sine of whole periods, so that a gap at the end is the only thing that breaks it.
fn write_wav(path: &Path, rate: u32, seconds: f64, hertz: f64) {
    let count = (f64::from(rate) * seconds) as u32;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + count * 2).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    for word in [rate, rate * 2] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for half in [2_u16, 16] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&(count * 2).to_le_bytes());
    for n in 0..count {
        let turn = f64::from(n) * hertz / f64::from(rate) * std::f64::consts::TAU;
        let sample = (turn.sin() * 12_000.0) as i16;
        file.write_all(&sample.to_le_bytes()).unwrap();
    }
    std::fs::write(path, file).unwrap();
}

fn room(camera: CameraSource, microphone: MicrophoneSource) -> Room {
    Room::with(Settings {
        camera,
        microphone,
        ..Room::settings(1, 1000.0)
    })
}

async fn preview(path: &Path) -> Room {
    let camera = CameraSource::File(path.to_owned());
    let room = room(camera, MicrophoneSource::TestSound);
    room.show(TileSource::SelfView).await;
    room.engine.command(EngineCommand::Preview(true)).await;
    room
}

fn grey(picture: &I420, x: u32, y: u32) -> u8 {
    picture.plane(0).row(y as usize)[x as usize]
}

async fn fault(room: &mut Room, wanted: FaultCode, on: bool) {
    room.wait("a fault", |event| match event {
        EngineEvent::Fault { code, active } => (code == wanted && active == on).then_some(()),
        _ => None,
    })
    .await;
}

async fn shows(room: &Room, what: &str, good: impl Fn(&I420) -> bool) -> I420 {
    let end = Instant::now() + bench::LIMIT;
    loop {
        let picture = room.engine.picture().await.unwrap();
        if good(&picture) {
            return picture;
        }
        assert!(Instant::now() < end, "the display never shows {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_plays_at_its_own_speed_and_begins_again_without_a_gap() {
    let file = Scratch::new("ramp.y4m");
    // One second that grows brighter, at a rate that is not the engine's.
    let greys: Vec<u8> = (0..15).map(|n| 40 + n * 12).collect();
    write_y4m(&file.0, (320, 180), "15:1", &greys);
    let room = preview(&file.0).await;
    shows(&room, "the file", |picture| grey(picture, 960, 540) > 30).await;

    let (begin, mut seen) = (Instant::now(), Vec::new());
    while begin.elapsed() < Duration::from_secs(4) {
        let picture = room.engine.picture().await.unwrap();
        seen.push((begin.elapsed(), grey(&picture, 960, 540)));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let loops = seen
        .windows(2)
        .filter(|pair| pair[1].1.saturating_add(60) < pair[0].1);
    assert!((3..=5).contains(&loops.count()), "{seen:?}");
    assert!(seen.iter().all(|(_, grey)| *grey > 30), "a black picture");
    let mut changed = seen[0];
    for &now in &seen {
        if now.1.abs_diff(changed.1) > 4 {
            changed = now;
        }
        // A picture of the file lasts 67 ms.
        let stood = now.0 - changed.0;
        assert!(stood < Duration::from_millis(180), "stood still {stood:?}");
    }
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_picture_is_fitted_inside() {
    let file = Scratch::new("odd.y4m");
    write_y4m(&file.0, (241, 179), "24000:1001", &[200; 12]);
    let room = preview(&file.0).await;
    let picture = shows(&room, "the file", |picture| grey(picture, 960, 540) > 150).await;
    // Narrower than the display: bars to the left and right, none above and below.
    assert!(grey(&picture, 100, 540) < 30, "left bar");
    assert!(grey(&picture, WIDTH - 100, 540) < 30, "right bar");
    assert!(grey(&picture, 960, 8) > 150, "top");
    assert!(grey(&picture, 960, HEIGHT - 8) > 150, "bottom");
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_file_is_a_fault_with_a_still_until_it_is_there() {
    for rubbish in [None, Some(&b"no picture at all"[..]), Some(&b""[..])] {
        let file = Scratch::new("late.y4m");
        if let Some(rubbish) = rubbish {
            std::fs::write(&file.0, rubbish).unwrap();
        }
        let mut room = preview(&file.0).await;
        fault(&mut room, FaultCode::CameraMissing, true).await;
        let still = |picture: &I420| grey(picture, 960, 540) > 17 || grey(picture, 300, 300) > 17;
        shows(&room, "a still picture", still).await;
        // The fault stays while the file is tried again.
        let end = tokio::time::Instant::now() + Duration::from_millis(2500);
        while let Ok(event) = tokio::time::timeout_at(end, room.events.recv()).await {
            let again = matches!(
                event,
                Some(EngineEvent::Fault {
                    code: FaultCode::CameraMissing,
                    ..
                })
            );
            assert!(!again, "the fault flickers");
        }
        write_y4m(&file.0, (320, 180), "30:1", &[230; 30]);
        fault(&mut room, FaultCode::CameraMissing, false).await;
        shows(&room, "the file", |picture| grey(picture, 960, 540) > 200).await;
        room.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_from_a_file_is_heard_without_a_gap() {
    let file = Scratch::new("tone.wav");
    write_wav(&file.0, 44_100, 0.5, 800.0);
    let camera = CameraSource::TestPicture;
    let mut sender = room(camera.clone(), MicrophoneSource::File(file.0.clone()));
    let mut hearer = Room::start(2, 1400.0);
    sender.sending(true, false).await;
    let from = Wire::connect(&mut sender, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    let to = Wire::connect(&mut hearer, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    let relay = tokio::spawn(from.carry_to(to));
    hearer.hears(800.0).await;
    // Sixteen beginnings again; the least of many measurements of 200 ms finds a gap.
    let begin = Instant::now();
    let mut levels = Vec::new();
    while begin.elapsed() < Duration::from_secs(8) {
        levels.push(hearer.engine.tone(800.0).await.unwrap());
    }
    let loudest = levels.iter().copied().fold(0.0, f64::max);
    let broken = levels.iter().filter(|level| **level < loudest * 0.8);
    assert!(loudest > 0.2, "{levels:?}");
    assert!(broken.count() <= 1, "{levels:?}");

    // The file goes away: the next beginning fails, and is tried again.
    std::fs::remove_file(&file.0).unwrap();
    fault(&mut sender, FaultCode::MicrophoneMissing, true).await;
    write_wav(&file.0, 44_100, 0.5, 800.0);
    fault(&mut sender, FaultCode::MicrophoneMissing, false).await;
    hearer.hears(800.0).await;
    relay.abort();
    sender.engine.shutdown().await;
    hearer.engine.shutdown().await;
}

/// Whether this process has the file open.
fn is_open(path: &Path) -> bool {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .any(|target| target == path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_microphone_is_let_go() {
    let file = Scratch::new("long.wav");
    write_wav(&file.0, 48_000, 60.0, 800.0);
    let microphone = MicrophoneSource::File(file.0.clone());
    let mut room = room(CameraSource::TestPicture, microphone);
    let mut wire = Wire::connect(&mut room, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    assert!(!is_open(&file.0), "open before anyone speaks");
    for _ in 0..2 {
        room.sending(true, false).await;
        assert!(wire.frames(0, Duration::from_secs(1)).await > 10, "sound");
        assert!(is_open(&file.0));
        room.sending(false, false).await;
        let muted = Instant::now();
        wire.frames(0, Duration::from_millis(100)).await;
        assert_eq!(wire.frames(0, Duration::from_millis(500)).await, 0, "muted");
        while is_open(&file.0) {
            assert!(muted.elapsed() < bench::LIMIT, "never let go");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    room.engine.shutdown().await;
}
