// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The decoder of one received stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::gate::{Gate, Verdict};
use roomd_media_core::mix::RATE;
use roomd_media_core::plan::{AudioDecode, MOST_ENCODED, VideoDecode};
use roomd_model::StreamId;
use roomd_peer::{Codec, Frame};
use tokio::sync::{mpsc, watch};

use crate::branch::{Branch, BranchError, Notice};
use crate::display::Picture;
use crate::mapped::{Format, Mapped};
use crate::microphone::{Samples, samples};
use crate::progress::Progress;
use crate::time::{from_rtp, rtp_time};

/// What a decoder tells the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// A picture or some sound came out: the first one, or the next after the engine asked for it.
    Output { stream: StreamId, at: Instant },
    /// It complains about what it was given.
    Bad(StreamId),
    /// It stopped working.
    Failed(StreamId),
}

/// So many pictures that wait are too many: the queue is about to lose what others refer to.
const BEHIND: u64 = MOST_ENCODED - 32;

/// The pictures of a stream.
pub(crate) type Pictures = watch::Sender<Option<Picture>>;

/// A decoder of pictures behind its gate.
#[derive(Debug)]
pub(crate) struct VideoDecoder {
    branch: Branch,
    codec: VideoCodec,
    gate: Gate,
}

impl VideoDecoder {
    pub(crate) fn open(
        stream: StreamId,
        codec: VideoCodec,
        pictures: Pictures,
        progress: Arc<Progress>,
        output: &mpsc::Sender<Decoded>,
    ) -> Result<Self, BranchError> {
        let (decoded, mut format) = (output.clone(), Format::default());
        let sample = move |sample: &gst::Sample| {
            let news = match Mapped::new(sample, &mut format) {
                Some(frame) => {
                    let at = Instant::now();
                    let stamp = sample.buffer().and_then(|buffer| buffer.pts());
                    pictures.send_replace(Some(Picture {
                        frame: Arc::new(frame),
                        media: stamp.map(|stamp| rtp_time(stamp, 90_000)),
                        at,
                    }));
                    if !progress.picture(at) {
                        return;
                    }
                    Decoded::Output { stream, at }
                }
                None => Decoded::Bad(stream),
            };
            // A full queue means that the engine is behind; the next picture says the same.
            if decoded.try_send(news).is_err() {
                progress.owe();
            }
        };
        Ok(Self {
            branch: Branch::open(&VideoDecode(codec).plan(), sample, notice(stream, output))?,
            codec,
            gate: Gate::new(codec),
        })
    }

    /// What it decodes.
    pub(crate) const fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// Decodes a picture; true when the sender should be asked for a keyframe. A decoder that is far behind
    /// gets nothing more until a keyframe.
    pub(crate) fn push(&mut self, frame: &Frame, now: Instant) -> bool {
        if self.branch.queued() >= BEHIND {
            return self.distrust(now);
        }
        match self.gate.admit(&frame.payload, frame.contiguous, now) {
            Verdict::Decode => {
                let at = from_rtp(frame.rtp_time, frame.clock_rate());
                match self.codec.bounded(&frame.payload) {
                    Some(payload) => self.branch.push(payload, at, None),
                    None => self.branch.push(frame.payload.clone(), at, None),
                }
                false
            }
            Verdict::Drop => false,
            Verdict::DropAndAsk => true,
        }
    }

    /// Whether its sender's pictures are of a size that the room does not take.
    pub(crate) const fn refuses(&self) -> bool {
        self.gate.refuses()
    }

    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        self.branch.is_stuck(now)
    }

    /// Shows nothing more until a keyframe comes; true when the sender should be asked for one.
    pub(crate) fn distrust(&mut self, now: Instant) -> bool {
        self.gate.close(now) == Verdict::DropAndAsk
    }

    /// Says that nothing more comes.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn end(&self) {
        self.branch.end();
    }
}

/// An Opus decoder.
#[derive(Debug)]
pub(crate) struct AudioDecoder {
    branch: Branch,
}

/// The longest Opus packet, in samples.
const LONGEST: u64 = 5760;
/// The largest Opus packet that is decoded, in bytes (RFC 6716: 1275 a frame, 48 frames).
const MAX_BYTES: usize = 1275 * 48;

impl AudioDecoder {
    /// Opens it; what is decoded, and its media time, go to `heard`, which must not wait.
    pub(crate) fn open(
        stream: StreamId,
        mut heard: impl FnMut(Samples, Option<u64>) + Send + 'static,
        progress: Arc<Progress>,
        output: &mpsc::Sender<Decoded>,
    ) -> Result<Self, BranchError> {
        let decoded = output.clone();
        let sample = move |sample: &gst::Sample| {
            let stamp = sample.buffer().and_then(|buffer| buffer.pts());
            let media = stamp.map(|stamp| rtp_time(stamp, RATE));
            heard(samples(sample), media);
            let at = Instant::now();
            // A full queue means that the engine is behind; the next sound says the same.
            if progress.sound(at) && decoded.try_send(Decoded::Output { stream, at }).is_err() {
                progress.owe();
            }
        };
        Ok(Self {
            branch: Branch::open(&AudioDecode.plan(), sample, notice(stream, output))?,
        })
    }

    pub(crate) fn push(&self, frame: &Frame) {
        if frame.payload.is_empty() || frame.payload.len() > MAX_BYTES {
            return;
        }
        let stamp = |time| from_rtp(time, RATE);
        let lasts = Some(stamp(opus_samples(&frame.payload)));
        self.branch
            .push(frame.payload.clone(), stamp(frame.rtp_time), lasts);
    }

    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        self.branch.is_stuck(now)
    }

    /// Conceals what did not arrive.
    pub(crate) fn lost(&self, rtp_time: u64, samples: u32) {
        let stamp = |time| from_rtp(time, RATE);
        self.branch
            .push_gap(stamp(rtp_time), stamp(u64::from(samples)));
    }

    /// Says that nothing more comes.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn end(&self) {
        self.branch.end();
    }
}

/// The codec of pictures; none for sound.
pub(crate) const fn video_codec(codec: Codec) -> Option<VideoCodec> {
    match codec {
        Codec::Opus => None,
        Codec::Vp8 => Some(VideoCodec::Vp8),
        Codec::Vp9 => Some(VideoCodec::Vp9),
        Codec::H264 => Some(VideoCodec::H264),
    }
}

/// How long an Opus packet lasts, in samples at 48 kHz (RFC 6716, section 3.1).
pub(crate) fn opus_samples(packet: &[u8]) -> u64 {
    let Some(&toc) = packet.first() else {
        return 0;
    };
    let frame = match toc >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config % 4)],
        config @ 12..=15 => [480, 960][usize::from(config % 2)],
        config => [120, 240, 480, 960][usize::from(config % 4)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1).copied().unwrap_or(1) & 63),
    };
    (frame * count).min(LONGEST)
}

fn notice(
    stream: StreamId,
    output: &mpsc::Sender<Decoded>,
) -> impl Fn(Notice) + Send + Sync + 'static {
    let output = output.clone();
    move |notice| {
        let news = match notice {
            Notice::Warning => Decoded::Bad(stream),
            Notice::Error(_) | Notice::End => Decoded::Failed(stream),
        };
        // A full queue means that the engine is behind; a decoder that stopped is found by its
        // silence.
        let _ = output.try_send(news);
    }
}

/// How long a stream may deliver nothing before it counts as not live.
pub(crate) const QUIET: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use gstreamer::prelude::*;

    use super::*;

    /// Encoded pictures, of which only the first is a keyframe.
    fn encoded(count: u32) -> Vec<Vec<u8>> {
        let line = format!(
            "videotestsrc num-buffers={count} pattern=ball ! video/x-raw,width=640,height=360 \
             ! vp8enc deadline=1 keyframe-max-dist=100000 ! appsink name=out sync=false"
        );
        let pipeline = gst::parse::launch(&line).unwrap();
        let bin = pipeline.downcast_ref::<gst::Bin>().unwrap();
        let sink = bin.by_name("out").unwrap();
        let sink = sink.downcast::<gstreamer_app::AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let pictures = std::iter::from_fn(|| {
            let sample = sink.pull_sample().ok()?;
            Some(sample.buffer()?.map_readable().ok()?.to_vec())
        });
        let pictures = pictures.collect();
        pipeline.set_state(gst::State::Null).unwrap();
        pictures
    }

    #[test]
    fn what_comes_faster_than_it_is_decoded_leaves_no_gap() {
        gst::init().unwrap();
        let (sender, _decoded) = mpsc::channel(8);
        let (pictures, progress) = (Pictures::new(None), Arc::default());
        let stream = StreamId(1);
        let mut decoder =
            VideoDecoder::open(stream, VideoCodec::Vp8, pictures, progress, &sender).unwrap();
        let now = Instant::now();
        let mut asked = 0;
        let payloads = encoded(400);
        assert_eq!(payloads.len(), 400);
        for (payload, index) in payloads.into_iter().zip(0_u64..) {
            let frame = Frame::picture(payload.into(), index * 3000, now, index == 0);
            asked += u32::from(decoder.push(&frame, now));
        }
        assert_eq!(asked, 1, "asked once, as often as a sender may be asked");
        let taken = decoder.branch.counters().taken;
        assert!((BEHIND..400).contains(&taken), "{taken}");
        let begun = Instant::now();
        while decoder.branch.counters().given < taken {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "a picture is missing"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn opus_packets_say_how_long_they_last() {
        let check =
            |packet: &[u8], samples| assert_eq!(opus_samples(packet), samples, "{packet:?}");
        check(&[0b0111_1000], 960);
        check(&[0b0000_1000], 960);
        check(&[0b1111_1001], 1920);
        check(&[0b1110_0011, 3], 360);
        check(&[0b1111_1011, 63], 5760);
        check(&[], 0);
    }
}
