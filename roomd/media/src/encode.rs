// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The encoders that feed every connection: each size of the camera's picture, the content, and the
//! microphone once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{UpstreamForceKeyUnitEvent, VideoFormat, VideoFrameFlags, VideoMeta};
use roomd_conference::LocalSource;
use roomd_media_core::frame::{I420, Plane};
use roomd_media_core::governor::Work;
use roomd_media_core::layers::{Encoding, Pace, Size};
use roomd_media_core::loudness::Loudness;
use roomd_media_core::mix::RATE;
use roomd_media_core::plan::{AudioEncode, VideoEncode};
use roomd_media_core::speaker;
use roomd_peer::{Codec, Frame, Level, Temporal};
use tokio::sync::mpsc;

use crate::branch::{Branch, BranchError, Notice};
use crate::effort::Effort;
use crate::time::{Timeline, rtp_time};

/// What is encoded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Track {
    Microphone,
    Camera(Size),
    Content,
}

impl Track {
    pub(crate) const fn source(self) -> LocalSource {
        match self {
            Self::Microphone => LocalSource::Microphone,
            Self::Camera(_) => LocalSource::Camera,
            Self::Content => LocalSource::Content,
        }
    }
}

/// What leaves an encoder.
#[derive(Debug)]
pub(crate) enum Encoded {
    /// One that is lost on its way leaves a hole in the order.
    Frame {
        track: Track,
        /// Which encoder of the track: it is opened anew now and then.
        encoder: u64,
        /// How many frames came out of it before.
        order: u64,
        frame: Frame,
    },
    Failed(Track),
}

const BLOCK: u64 = 10_000_000;
/// Sound whose clock is this far off starts counting anew.
const DRIFT: u64 = 150_000_000;
/// A packet of sound, in samples.
const PACKET: u64 = 960;
/// Requests for keyframes are bundled for this long.
const KEYFRAME_EVERY: Duration = Duration::from_millis(500);

/// Enough for the whole audible range with error correction, in bit/s.
const AUDIO_BITRATE: u32 = 32_000;
/// Loss that the encoder is prepared for, in per cent: without any reports, and at most.
const LEAST_LOSS: i32 = 10;
const MOST_LOSS: i32 = 40;
/// A packet this short says that the silence goes on, and need not be sent (libopus,
/// `opus_encode`).
const DTX_BYTES: usize = 2;

/// VP8.
#[derive(Debug)]
pub(crate) struct VideoEncoder {
    branch: Branch,
    effort: Effort,
    timeline: Timeline,
    size: (u32, u32),
    encoding: Encoding,
    pace: Pace,
    last: gst::ClockTime,
    keyframe: Option<Instant>,
}

/// Opus.
#[derive(Debug)]
pub(crate) struct AudioEncoder {
    branch: Branch,
    timeline: Timeline,
    next: Option<u64>,
    /// Per cent of loss that the encoder is prepared for.
    loss: i32,
    /// Of what is inside.
    loudness: SharedLoudness,
}

/// A picture for a pipeline. Its rows have no padding, and GStreamer takes rows of some widths for
/// longer unless it is told.
fn buffer(frame: &Arc<I420>) -> Result<gst::Buffer, gst::glib::BoolError> {
    let planes = [0, 1, 2].map(|index| frame.plane(index));
    let length = |plane: &Plane<'_>| plane.stride * plane.height;
    let starts = [
        0,
        length(&planes[0]),
        length(&planes[0]) + length(&planes[1]),
    ];
    let strides = planes.map(|plane| i32::try_from(plane.stride).unwrap_or(i32::MAX));
    let mut buffer = gst::Buffer::from_slice(Shared(frame.clone()));
    if let Some(buffer) = buffer.get_mut() {
        VideoMeta::add_full(
            buffer,
            VideoFrameFlags::empty(),
            VideoFormat::I420,
            frame.width(),
            frame.height(),
            &starts,
            &strides,
        )?;
    }
    Ok(buffer)
}

/// Written where sound goes in, read where it comes out; both hold it for microseconds.
type SharedLoudness = Arc<Mutex<Loudness>>;

struct Shared(Arc<I420>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}

impl VideoEncoder {
    /// An encoder of the camera's picture in one size.
    pub(crate) fn camera(
        size: Size,
        encoding: Encoding,
        timeline: Timeline,
        output: &mpsc::Sender<Encoded>,
    ) -> Result<Self, BranchError> {
        let track = Track::Camera(size);
        Self::open(track, size.pixels(), encoding, timeline, output)
    }

    /// An encoder of content: text stays sharp.
    pub(crate) fn content(
        size: (u32, u32),
        encoding: Encoding,
        timeline: Timeline,
        output: &mpsc::Sender<Encoded>,
    ) -> Result<Self, BranchError> {
        Self::open(Track::Content, size, encoding, timeline, output)
    }

    fn open(
        track: Track,
        (width, height): (u32, u32),
        encoding: Encoding,
        timeline: Timeline,
        output: &mpsc::Sender<Encoded>,
    ) -> Result<Self, BranchError> {
        let plan = VideoEncode {
            width,
            height,
            bitrate: encoding.bitrate,
            content: track == Track::Content,
        };
        let branch = encoder(&plan.plan(), track, timeline, |_| {}, output)?;
        Ok(Self {
            effort: Effort::of(branch.encoder().as_ref()),
            branch,
            timeline,
            size: (width, height),
            encoding,
            pace: Pace::default(),
            last: gst::ClockTime::ZERO,
            keyframe: None,
        })
    }

    /// Takes a picture of the encoder's size.
    pub(crate) fn push(&mut self, frame: &Arc<I420>, at: Instant) {
        let stamp = self.timeline.stamp(at);
        if (frame.width(), frame.height()) != self.size || stamp <= self.last {
            return;
        }
        if !self.pace.take(at, self.encoding.pictures_per_second) {
            return;
        }
        self.last = stamp;
        let rate = u64::from(self.encoding.pictures_per_second.max(1));
        let lasts = gst::ClockTime::from_nseconds(1_000_000_000 / rate);
        match buffer(frame) {
            Ok(buffer) => self.branch.push_buffer(buffer, stamp, Some(lasts)),
            Err(error) => tracing::warn!(%error, "a picture is left out"),
        }
    }

    /// The size of its pictures.
    pub(crate) const fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Makes a keyframe; false when the last one is too young.
    pub(crate) fn keyframe(&mut self, now: Instant) -> bool {
        let recent = |at| now.saturating_duration_since(at) < KEYFRAME_EVERY;
        if self.keyframe.is_some_and(recent) {
            return false;
        }
        self.keyframe = Some(now);
        if let Some(pad) = self
            .branch
            .encoder()
            .and_then(|encoder| encoder.static_pad("src"))
        {
            pad.send_event(
                UpstreamForceKeyUnitEvent::builder()
                    .all_headers(true)
                    .build(),
            );
        }
        true
    }

    pub(crate) fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding.pictures_per_second = encoding.pictures_per_second;
        if encoding.bitrate.abs_diff(self.encoding.bitrate) < self.encoding.bitrate / 20 {
            return;
        }
        self.encoding.bitrate = encoding.bitrate;
        if let (Some(encoder), Ok(rate)) = (self.branch.encoder(), i32::try_from(encoding.bitrate))
        {
            encoder.set_property("target-bitrate", rate);
        }
    }

    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        self.branch.is_stuck(now)
    }

    /// What it did since the last call.
    pub(crate) fn work(&mut self, now: Instant) -> Work {
        self.effort.look(self.branch.counters(), now)
    }

    /// What it aims at, in bit/s.
    pub(crate) const fn bitrate(&self) -> u32 {
        self.encoding.bitrate
    }
}

impl AudioEncoder {
    pub(crate) fn open(
        timeline: Timeline,
        output: &mpsc::Sender<Encoded>,
    ) -> Result<Self, BranchError> {
        let plan = AudioEncode {
            bitrate: AUDIO_BITRATE,
        };
        let loudness = SharedLoudness::default();
        let inside = loudness.clone();
        let measured = move |frame: &mut Frame| {
            let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
            let level = inside.take(frame.rtp_time, PACKET);
            frame.level = level.map(|below_overload| Level {
                below_overload,
                voice: speaker::is_voice(below_overload),
            });
        };
        let plan = plan.plan();
        let branch = encoder(&plan, Track::Microphone, timeline, measured, output)?;
        Ok(Self {
            branch,
            timeline,
            next: None,
            loss: LEAST_LOSS,
            loudness,
        })
    }

    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        self.branch.is_stuck(now)
    }

    /// Sends next to nothing while there is nothing to hear; noise would come and go with it.
    pub(crate) fn set_dtx(&self, on: bool) {
        if let Some(encoder) = self.branch.encoder() {
            encoder.set_property("dtx", on);
        }
    }

    /// Makes the sound outlast the loss of this share of packets, 0 to 1: the more, the more of a
    /// packet is repeated in the next one.
    pub(crate) fn set_loss(&mut self, loss: f64) {
        let percent = ((loss * 100.0).ceil() as i32).clamp(LEAST_LOSS, MOST_LOSS);
        if percent != self.loss
            && let Some(encoder) = self.branch.encoder()
        {
            self.loss = percent;
            encoder.set_property("packet-loss-percentage", percent);
        }
    }

    /// Takes samples; their time runs on evenly, and is set anew only after a gap.
    pub(crate) fn push(&mut self, samples: &[i16], now: Instant) {
        let lasts = samples.len() as u64 * 1_000_000_000 / u64::from(RATE);
        let began = self.timeline.stamp(now).nseconds().saturating_sub(lasts);
        let at = match self.next {
            Some(next) if next.abs_diff(began) < DRIFT => next,
            Some(_) | None => began / BLOCK * BLOCK,
        };
        self.next = Some(at + lasts);
        let begin = rtp_time(gst::ClockTime::from_nseconds(at), RATE);
        let inside = self.loudness.lock();
        inside
            .unwrap_or_else(PoisonError::into_inner)
            .note(begin, samples);
        let bytes: Vec<u8> = samples
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        let stamp = gst::ClockTime::from_nseconds;
        self.branch.push(bytes, stamp(at), Some(stamp(lasts)));
    }
}

/// Opens an encoder; `finish` adds what is known of a frame only outside.
fn encoder(
    plan: &roomd_media_core::plan::Plan,
    track: Track,
    timeline: Timeline,
    mut finish: impl FnMut(&mut Frame) + Send + 'static,
    output: &mpsc::Sender<Encoded>,
) -> Result<Branch, BranchError> {
    let (frames, failures) = (output.clone(), output.clone());
    let encoder = timeline.stamp(Instant::now()).nseconds();
    let mut order = 0;
    let sample = move |sample: &gst::Sample| {
        if let Some(mut frame) = frame(sample, track, timeline) {
            finish(&mut frame);
            // A full queue means that the engine is behind; it sees the hole.
            let _ = frames.try_send(Encoded::Frame {
                track,
                encoder,
                order,
                frame,
            });
            order += 1;
        }
    };
    let notice = move |notice| {
        if notice == Notice::Error {
            // A full queue already holds trouble enough; an encoder that stopped is found by its
            // silence.
            let _ = failures.try_send(Encoded::Failed(track));
        }
    };
    Branch::open(plan, sample, notice)
}

fn frame(sample: &gst::Sample, track: Track, timeline: Timeline) -> Option<Frame> {
    let buffer = sample.buffer()?;
    let stamp = buffer.pts()?;
    let at = timeline.instant(stamp);
    match track {
        Track::Camera(_) | Track::Content => {
            let delta = buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
            let rtp_time = rtp_time(stamp, Codec::Vp8.clock_rate());
            let mut frame = Frame::picture(payload(buffer)?, rtp_time, at, !delta);
            if track != Track::Content {
                frame.temporal = Some(temporal(buffer.flags()));
            }
            Some(frame)
        }
        Track::Microphone => {
            let header = buffer.flags().contains(gst::BufferFlags::HEADER);
            if header || buffer.size() <= DTX_BYTES {
                return None;
            }
            let rtp_time = rtp_time(stamp, Codec::Opus.clock_rate());
            Some(Frame::sound(payload(buffer)?, rtp_time, at))
        }
    }
}

/// Of the two layers, the upper one is that of the pictures which nothing refers to.
fn temporal(flags: gst::BufferFlags) -> Temporal {
    let upper = flags.contains(gst::BufferFlags::DROPPABLE);
    Temporal {
        layer: upper.into(),
        sync: upper,
        discardable: upper,
    }
}

fn payload(buffer: &gst::BufferRef) -> Option<Arc<[u8]>> {
    Some(buffer.map_readable().ok()?.as_slice().into())
}
