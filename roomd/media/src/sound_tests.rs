// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Sound from encoder to decoder, without a connection between.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_media_core::mix::{BLOCK, RATE};
use roomd_media_core::testsound::TestSound;
use roomd_media_core::tone;
use roomd_model::StreamId;
use roomd_peer::{Frame, Level};
use tokio::sync::mpsc;

use crate::decode::AudioDecoder;
use crate::encode::{AudioEncoder, Encoded};
use crate::microphone::Samples;
use crate::time::Timeline;

const LIMIT: Duration = Duration::from_secs(30);
const PACKET: usize = 2 * BLOCK;

/// Encodes whole packets of sound, with the encoder set by `set`. In `silence` it may hold packets
/// back.
async fn encoded(sound: &[i16], silence: bool, set: impl Fn(&mut AudioEncoder)) -> Vec<Frame> {
    gstreamer::init().unwrap();
    let (sender, mut receiver) = mpsc::channel(64);
    let mut encoder = AudioEncoder::open(Timeline::new(), &sender).unwrap();
    set(&mut encoder);
    let begin = Instant::now();
    let mut frames = Vec::new();
    for (index, packet) in sound.chunks(PACKET).enumerate() {
        encoder.push(
            packet,
            begin + Duration::from_millis(20 * (index as u64 + 1)),
        );
        // The encoder looks ahead by less than a packet.
        let patience = if silence || index == 0 {
            Duration::from_millis(20)
        } else {
            LIMIT
        };
        if let Ok(Some(encoded)) = tokio::time::timeout(patience, receiver.recv()).await {
            let Encoded::Frame { frame, .. } = encoded else {
                panic!("the encoder failed");
            };
            frames.push(frame);
        }
    }
    frames
}

/// Decodes frames; those that are none were lost. The decoder holds one back.
async fn decoded(frames: &[Option<Frame>]) -> Samples {
    gstreamer::init().unwrap();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (news, _news) = mpsc::channel(64);
    let heard = move |samples: Samples, _| {
        // The test may have ended.
        let _ = sender.send(samples);
    };
    let decoder = AudioDecoder::open(StreamId(1), heard, Arc::default(), &news).unwrap();
    let first = frames[0].as_ref().expect("the first is there").rtp_time;
    let mut sound = Samples::new();
    for (index, frame) in frames.iter().enumerate() {
        match frame {
            Some(frame) => decoder.push(frame),
            None => decoder.lost(first + (index * PACKET) as u64, PACKET as u32),
        }
        // A decoder that is behind would lose its oldest.
        let last = index + 1 == frames.len();
        while sound.len() < index.saturating_sub(if last { 0 } else { 4 }) * PACKET {
            let samples = tokio::time::timeout(LIMIT, receiver.recv()).await;
            sound.extend(samples.expect("sound").expect("a decoder"));
        }
    }
    sound
}

fn sine(hertz: f64, seconds: f64) -> Samples {
    let length = (seconds * f64::from(RATE)) as usize / PACKET * PACKET;
    let at = |n: usize| (TAU * hertz * n as f64 / f64::from(RATE)).sin() * 8000.0;
    (0..length).map(|n| at(n) as i16).collect()
}

#[tokio::test]
async fn seven_kilohertz_pass() {
    for (hertz, loss) in [
        (300.0, 0.0),
        (3400.0, 0.0),
        (6800.0, 0.0),
        (7000.0, 0.0),
        // Error correction takes its bits from somewhere.
        (7000.0, 0.4),
    ] {
        let sound = sine(hertz, 1.0);
        let before = tone::level(&sound[24_000..], RATE, hertz);
        let frames = encoded(&sound, false, |encoder| encoder.set_loss(loss)).await;
        let frames: Vec<_> = frames.into_iter().map(Some).collect();
        let sound = decoded(&frames).await;
        let after = tone::level(&sound[20_000..40_000], RATE, hertz);
        let decibels = 20.0 * (after / before).log10();
        println!("{hertz} Hz, prepared for a loss of {loss}: {decibels:+.1} dB");
        assert!(decibels.abs() < 3.0, "{hertz} Hz: {decibels:+.1} dB");
    }
}

/// How far a sound is off in these packets, against the one that is wanted, in decibels.
fn off(wanted: &[i16], sound: &[i16], packets: &[usize]) -> f64 {
    let (mut power, mut off) = (0.0, 0.0);
    for packet in packets {
        let range = packet * PACKET..(packet + 1) * PACKET;
        for (a, b) in wanted[range.clone()].iter().zip(&sound[range]) {
            power += f64::from(*a).powi(2);
            off += (f64::from(*a) - f64::from(*b)).powi(2);
        }
    }
    10.0 * (off / power).log10()
}

#[tokio::test]
async fn a_lost_packet_is_taken_from_the_next_one() {
    let mut sound = vec![0; 120 * PACKET];
    TestSound::new(1000.0).fill(&mut sound);
    let frames = encoded(&sound, false, |encoder| encoder.set_loss(0.2)).await;
    let whole: Vec<_> = frames.into_iter().map(Some).collect();
    let wanted = decoded(&whole).await;
    let lost: Vec<usize> = (15..115).step_by(10).collect();
    let (mut one, mut two) = (whole.clone(), whole);
    for &packet in &lost {
        (one[packet], two[packet], two[packet + 1]) = (None, None, None);
    }
    let (one, two) = (decoded(&one).await, decoded(&two).await);
    assert_eq!((one.len(), two.len()), (wanted.len(), wanted.len()));
    let (repaired, concealed) = (off(&wanted, &one, &lost), off(&wanted, &two, &lost));
    println!("off by {repaired:.1} dB where repaired, {concealed:.1} dB where concealed");
    assert!(repaired < -3.0 && repaired < concealed - 2.0);
}

#[tokio::test]
async fn silence_is_hardly_sent() {
    let mut sound = vec![0; 50 * PACKET];
    TestSound::new(1000.0).fill(&mut sound);
    sound.extend(std::iter::repeat_n(0, 100 * PACKET));
    let all = encoded(&sound, false, |encoder| encoder.set_dtx(false)).await;
    assert!(all.len() >= 149, "{} packets", all.len());
    let some = encoded(&sound, true, |encoder| encoder.set_dtx(true)).await;
    println!("{} packets instead of {}", some.len(), all.len());
    assert!(some.len() < all.len() / 2, "{} packets", some.len());
}

#[tokio::test]
async fn packets_say_how_loud_they_are() {
    let mut sound = vec![3277; 50 * PACKET];
    // The encoder would take a steady value away.
    sound
        .iter_mut()
        .step_by(2)
        .for_each(|sample| *sample = -3277);
    sound.extend(std::iter::repeat_n(0, 50 * PACKET));
    let frames = encoded(&sound, false, |_| {}).await;
    let levels: Vec<_> = frames.iter().filter_map(|frame| frame.level).collect();
    assert!(levels.len() >= 98, "{} packets", levels.len());
    let (loud, silent) = levels.split_at(50);
    let level = |below_overload, voice| Level {
        below_overload,
        voice,
    };
    assert!(loud.iter().all(|it| *it == level(20, true)), "{loud:?}");
    // The encoder looks ahead, so one packet has some of both.
    assert_eq!(silent[0], level(25, true));
    assert!(
        silent[1..].iter().all(|it| *it == level(127, false)),
        "{silent:?}"
    );
}
