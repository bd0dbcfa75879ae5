// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What is done with received frames before a decoder sees them.

use std::time::{Duration, Instant, SystemTime};

use roomd_crypt::{Codec, FrameKey, IvStart, MAX_FRAME, Opener, Origin, Scheme, Sealer, Settings};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::frame::{MAX_HEIGHT, MAX_WIDTH};
use roomd_media_core::gate::{Gate, Verdict};
use roomd_media_core::jitter::{Config, JitterBuffer, Playout};
use roomd_media_core::sync::{LipSync, Track};

use crate::input::Input;

/// Most frames of an input.
const MOST: usize = 512;

/// The sizes that pictures announce, and the gate before the decoder.
pub(crate) fn codec_header(mut input: Input<'_>) {
    let codec = input.one_of(&[VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264]);
    let mut gate = Gate::new(codec);
    let mut open = false;
    let now = Instant::now();
    while !input.is_empty() {
        let contiguous = input.byte() & 1 == 1;
        let payload = input.bytes();
        let size = codec.keyframe_size(payload);
        let usable = size.is_some_and(|(width, height)| {
            (2..=MAX_WIDTH).contains(&width) && (2..=MAX_HEIGHT).contains(&height)
        });
        let may = usable || (open && contiguous && size.is_none() && !payload.is_empty());
        open = gate.admit(payload, contiguous, now) == Verdict::Decode;
        assert!(may || !open, "{codec:?} {size:?}");
    }
}

/// Every scheme and codec.
fn settings(input: &mut Input<'_>) -> (Codec, Scheme, Settings) {
    let codec = input.one_of(&[Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264]);
    let livekit = Settings::livekit(codec).with_server_mark(b"mark");
    match input.byte() % 4 {
        0 => (codec, Scheme::LiveKit, livekit),
        1 => (codec, Scheme::LiveKit, Settings::element_call(codec)),
        2 => match Settings::jitsi(codec) {
            Ok(settings) => (codec, Scheme::Jitsi, settings),
            Err(_) => (codec, Scheme::LiveKit, livekit),
        },
        _ => match Settings::talk(codec) {
            Ok(settings) => (codec, Scheme::Talk, settings),
            Err(_) => (codec, Scheme::LiveKit, livekit),
        },
    }
}

/// Encrypted frames, damaged or made up. What opens is what was sealed, a blank frame of the server,
/// or nothing.
pub(crate) fn crypt_open(mut input: Input<'_>) {
    let (codec, scheme, settings) = settings(&mut input);
    let key = FrameKey::from_bytes(scheme, &[7; 32]).unwrap();
    let start = IvStart {
        ssrc: 1,
        random: [3; 8],
    };
    let (mut sealer, mut opener) = (Sealer::new(settings.clone(), start), Opener::new(settings));
    sealer.set_key(0, key.clone());
    opener.set_key(0, key);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let (kind, place) = (input.byte(), usize::from(input.word()));
        let bytes = input.bytes();
        // What cannot be sealed arrives as it is.
        let sealed = sealer.seal(bytes).unwrap_or_else(|_| bytes.to_vec());
        let mut frame = if kind & 1 == 0 {
            bytes.to_vec()
        } else {
            sealed.clone()
        };
        if kind & 2 == 2 && !frame.is_empty() {
            let place = place % frame.len();
            frame[place] ^= kind | 1;
        }
        match kind >> 2 & 3 {
            1 => frame.truncate(place),
            2 => frame.extend_from_slice(b"mark"),
            3 => frame.extend_from_slice(b"\x01\x04\x05LKTS"),
            _ => {}
        }
        let Ok(opened) = opener.open(&frame) else {
            continue;
        };
        assert!(opened.frame.len() <= frame.len() && frame.len() <= MAX_FRAME);
        match opened.origin {
            Origin::Sender => assert!(same(codec, &opened.frame, bytes), "{codec:?}: not sealed"),
            Origin::Server => assert!(frame.ends_with(b"mark")),
            Origin::Nothing => assert!(opened.frame.is_empty()),
        }
    }
}

/// Packets carry the parameters before an H.264 slice in another form than the encoder gave them.
fn same(codec: Codec, opened: &[u8], sealed: &[u8]) -> bool {
    fn slice(frame: &[u8]) -> Option<&[u8]> {
        let starts = |bytes: &[u8]| matches!(bytes, [0, 0, 1, head] if matches!(head & 31, 1 | 5));
        frame.get(frame.windows(4).position(starts)?..)
    }
    match codec {
        Codec::Opus | Codec::Vp8 | Codec::Vp9 => opened == sealed,
        Codec::H264 => slice(opened) == slice(sealed),
    }
}

/// Frames and sender reports at any time, and what is played and when.
pub(crate) fn jitter(mut input: Input<'_>) {
    let samples = input.one_of(&[
        None,
        Some(0),
        Some(120),
        Some(960),
        Some(5760),
        Some(u32::MAX),
    ]);
    let rate = input.one_of(&[48_000, 90_000, 1, 0, u32::MAX]);
    let config = samples.map_or_else(Config::default, Config::sound);
    let mut buffer = JitterBuffer::new(rate, config);
    let mut lips = LipSync::new(rate, 90_000);
    let (mut now, mut time) = (Instant::now(), 0_u64);
    let mut last = None;
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let flags = input.byte();
        now += Duration::from_millis(u64::from(input.byte()));
        time = match flags & 3 {
            0 => time.saturating_add(960),
            1 => time.saturating_add(u64::from(input.word())),
            2 => time.saturating_sub(u64::from(input.word())),
            _ => input.huge(),
        };
        let resets = buffer.counters().resets;
        if flags & 4 == 0 {
            buffer.push(time, now, (), flags & 8 != 0);
        }
        if buffer.counters().resets != resets {
            last = None;
        }
        if flags & 0x10 != 0 {
            let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(input.long()));
            lips.report(Track::Sound, wall, time);
            lips.report(Track::Picture, wall, input.huge());
        }
        play(&mut buffer, &mut lips, now, &mut last);
        let extra = lips.adjust();
        buffer.extra_delay(extra.sound.max(extra.picture));
    }
}

fn play(buffer: &mut JitterBuffer<()>, lips: &mut LipSync, now: Instant, last: &mut Option<u64>) {
    let held = buffer.len();
    let mut played = 0;
    while let Some(playout) = buffer.poll(now) {
        played += 1;
        let (Playout::Frame { rtp_time, .. } | Playout::Lost { rtp_time, .. }) = playout;
        assert!(last.is_none_or(|last| last <= rtp_time), "out of order");
        *last = Some(rtp_time);
        lips.played(Track::Sound, rtp_time, now);
        lips.played(Track::Picture, rtp_time, now);
    }
    // A few are concealed before each that is held.
    assert!(held <= Config::default().capacity && played <= held * 6);
    assert!(buffer.target_delay() <= Config::default().max * 2);
    let due = buffer.next_due().into_iter();
    for due in due {
        assert!(
            due > now && due - now <= Config::default().max * 8,
            "{:?}",
            due - now
        );
    }
}
