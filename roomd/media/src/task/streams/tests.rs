// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::SystemTime;

use super::*;
use crate::time::Timeline;
use crate::types::{DisplayOutput, Loudspeaker, Settings};
use crate::voice::Voice;

const SENDER: Sender = (PeerId(1), SenderId(1));
const SOUND: StreamId = StreamId(1);
const PICTURE: StreamId = StreamId(2);
const CONTENT: StreamId = StreamId(3);

/// Silence in Opus packets of 20 ms and 10 ms (RFC 6716, section 3.1).
const LONG: [u8; 3] = [0xf8, 0xff, 0xfe];
const SHORT: [u8; 3] = [0xf0, 0xff, 0xfe];

fn streams() -> Streams {
    gstreamer::init().unwrap();
    let settings = Settings {
        loudspeaker: Loudspeaker::None,
        display: DisplayOutput::Headless,
        ..Settings::default()
    };
    let voice = Voice::start(mpsc::channel(1).0).unwrap();
    let displays = Displays::start(&settings, Timeline::new(), &mpsc::channel(1).0).unwrap();
    let sound = Sound::start(Loudspeaker::None, voice, mpsc::channel(1).0).unwrap();
    Streams::new(displays, sound, mpsc::channel(64).0)
}

fn picture(at: Instant) -> Frame {
    Frame::picture([0_u8; 8].as_slice().into(), 0, at, true)
}

fn lost(streams: &mut Streams) -> u64 {
    streams.reports(1.0)[0].lost
}

#[tokio::test]
async fn a_sender_that_changes_the_length_of_its_packets_takes_back_no_loss() {
    let mut streams = streams();
    let start = Instant::now();
    let take = |streams: &mut Streams, packet: [u8; 3], number: u64| {
        let at = start + Duration::from_millis(number * 20);
        let mut frame = Frame::sound(packet.as_slice().into(), number * 960, at);
        frame.contiguous = number != 6;
        streams.push(SENDER, SOUND, StreamKind::Audio, frame);
        streams.play(at + Duration::from_millis(1));
    };
    for number in (0..10).filter(|number| *number != 5) {
        take(&mut streams, LONG, number);
    }
    assert_eq!(lost(&mut streams), 1);
    take(&mut streams, SHORT, 10);
    assert_eq!(lost(&mut streams), 1);
    take(&mut streams, LONG, 11);
    assert_eq!(lost(&mut streams), 1);
}

#[tokio::test]
async fn sound_and_picture_of_a_participant_tell_how_far_they_are_apart() {
    let mut streams = streams();
    let now = Instant::now();
    let sound = Frame::sound(LONG.as_slice().into(), 0, now);
    streams.push(SENDER, SOUND, StreamKind::Audio, sound);
    streams.push(SENDER, PICTURE, StreamKind::Camera, picture(now));
    streams.push(SENDER, CONTENT, StreamKind::Screen, picture(now));
    let other = (PeerId(2), SenderId(1));
    streams.push(other, StreamId(4), StreamKind::Camera, picture(now));
    for stream in [SOUND, PICTURE] {
        let report = SenderReport {
            wall: SystemTime::UNIX_EPOCH,
            rtp_time: 0,
        };
        streams.sender_report(stream, report);
    }
    streams.presented(&[(SOUND, 0)], now);
    streams.presented(&[(PICTURE, 0)], now + Duration::from_millis(30));
    let reports = streams.reports(1.0);
    let offsets: Vec<_> = reports.iter().map(|it| it.av_offset_ms).collect();
    assert!(
        matches!(offsets[..], [Some(sound), Some(picture), None, None]
            if sound == picture && (29.0..31.0).contains(&sound)),
        "{offsets:?}"
    );
}
