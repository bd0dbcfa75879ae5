// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The decoders as the fuzz targets reach them; not part of the product.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use roomd_media_core::codec::VideoCodec;
use roomd_model::StreamId;
use roomd_peer::{Codec, Frame};
use tokio::sync::mpsc;

use crate::decode::{AudioDecoder, Decoded, Pictures, VideoDecoder};
use crate::progress::Progress;

/// How long a decoder may take for one input.
const LIMIT: Duration = Duration::from_secs(20);
/// Holds all that a decoder can say of one input.
const NEWS: usize = 4096;
/// Between two packets of sound, in samples.
const PACKET: u32 = 960;

/// What was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Pictures that came out.
    pub pictures: usize,
    /// Greatest width and greatest height.
    pub largest: (u32, u32),
}

/// What was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Samples that came out.
    pub samples: usize,
}

/// Decodes payloads of pictures, one after the other.
///
/// # Panics
/// If the decoder neither fails nor comes to an end.
#[must_use]
pub fn pictures(codec: VideoCodec, payloads: &[Vec<u8>]) -> Shown {
    let (news, mut told) = ready();
    let pictures = Pictures::new(None);
    let shown = pictures.subscribe();
    let progress = Arc::new(Progress::default());
    let decoder = VideoDecoder::open(StreamId(1), codec, pictures, progress.clone(), &news);
    let Ok(mut decoder) = decoder else {
        panic!("the decoder of {codec:?} does not open");
    };
    let now = Instant::now();
    for (number, payload) in payloads.iter().enumerate() {
        let frame = Frame {
            codec: match codec {
                VideoCodec::Vp8 => Codec::Vp8,
                VideoCodec::Vp9 => Codec::Vp9,
                VideoCodec::H264 => Codec::H264,
            },
            ..Frame::picture(
                Arc::from(&payload[..]),
                3000 * number as u64,
                now,
                number == 0,
            )
        };
        let _ = decoder.push(&frame, now);
    }
    decoder.end();
    let mut outcome = Shown::default();
    ended(&mut told, || {
        // The next one is looked at as well.
        progress.owe();
        if let Some(picture) = shown.borrow().as_ref() {
            let (width, height) = outcome.largest;
            outcome.largest = (
                width.max(picture.frame.width()),
                height.max(picture.frame.height()),
            );
        }
    });
    outcome.pictures = progress.take_outputs() as usize;
    outcome
}

/// Decodes packets of sound; an empty one was lost.
///
/// # Panics
/// If the decoder neither fails nor comes to an end.
#[must_use]
pub fn sound(packets: &[Vec<u8>]) -> Heard {
    let (news, mut told) = ready();
    let samples = Arc::new(AtomicUsize::new(0));
    let count = samples.clone();
    let heard = move |sound: Vec<i16>, _| {
        count.fetch_add(sound.len(), Ordering::SeqCst);
    };
    let Ok(decoder) = AudioDecoder::open(StreamId(1), heard, Arc::default(), &news) else {
        panic!("the decoder of sound does not open");
    };
    let mut time = 0;
    for packet in packets {
        if packet.is_empty() {
            decoder.lost(time, PACKET);
        } else {
            let payload = Arc::from(&packet[..]);
            decoder.push(&Frame::sound(payload, time, Instant::now()));
        }
        time += u64::from(PACKET);
    }
    decoder.end();
    ended(&mut told, || {});
    Heard {
        samples: samples.load(Ordering::SeqCst),
    }
}

fn ready() -> (mpsc::Sender<Decoded>, mpsc::Receiver<Decoded>) {
    assert!(gstreamer::init().is_ok(), "GStreamer does not start");
    mpsc::channel(NEWS)
}

/// Waits until a decoder has failed, or has come to the end of its input; looks at what comes out
/// meanwhile, and at what came last.
fn ended(told: &mut mpsc::Receiver<Decoded>, mut output: impl FnMut()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let Ok(runtime) = runtime else {
        panic!("no runtime");
    };
    loop {
        let next = runtime.block_on(async { tokio::time::timeout(LIMIT, told.recv()).await });
        match next {
            Ok(Some(Decoded::Output { .. })) => output(),
            Ok(Some(Decoded::Bad(_))) => {}
            Ok(Some(Decoded::Failed(_)) | None) => {
                output();
                return;
            }
            Err(_) => panic!("the decoder neither failed nor ended"),
        }
    }
}
