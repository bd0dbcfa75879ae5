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
use roomd_media_core::layers::{Encoding, Pace, SentCodec, Size, Variant};
use roomd_media_core::loudness::Loudness;
use roomd_media_core::mix::RATE;
use roomd_media_core::plan::{
    AudioEncode, BitrateSetting, HardwareEncode, HardwareEncoder, Plan, VideoEncode,
};
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
    Camera(Variant),
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

    const fn codec(self) -> Codec {
        match self {
            Self::Microphone => Codec::Opus,
            Self::Content => Codec::Vp8,
            Self::Camera(variant) => match variant.codec {
                SentCodec::Vp8 => Codec::Vp8,
                SentCodec::H264 => Codec::H264,
            },
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

/// The processor sets its bitrate with every change of more than a twentieth. Hardware may begin anew
/// with a keyframe when it is told another one (GStreamer's VA-API encoders do), and gets coarser steps.
const STEPS: u32 = 20;
const HARDWARE_STEPS: u32 = 5;

/// VP8 by the processor, or H.264 by hardware.
#[derive(Debug)]
pub(crate) struct VideoEncoder {
    branch: Branch,
    /// How hardware is told its bitrate.
    hardware: Option<BitrateSetting>,
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
    /// An encoder of the camera's picture in one size, by the processor, or by hardware.
    pub(crate) fn camera(
        size: Size,
        hardware: Option<HardwareEncoder>,
        encoding: Encoding,
        timeline: Timeline,
        output: &mpsc::Sender<Encoded>,
    ) -> Result<Self, BranchError> {
        let Some(encoder) = hardware else {
            let codec = SentCodec::Vp8;
            let track = Track::Camera(Variant { size, codec });
            return Self::open(track, size.pixels(), encoding, timeline, output);
        };
        let codec = SentCodec::H264;
        let track = Track::Camera(Variant { size, codec });
        let (width, height) = size.pixels();
        let plan = HardwareEncode {
            encoder,
            width,
            height,
            bitrate: encoding.bitrate,
        };
        let (sample, notice) = ends(track, timeline, |_| {}, output);
        let branch = Branch::open_apart(&plan.plan(), sample, notice)?;
        let mut opened = Self::new(branch, size.pixels(), encoding, timeline);
        opened.hardware = Some(encoder.bitrate);
        Ok(opened)
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
        Ok(Self::new(branch, (width, height), encoding, timeline))
    }

    fn new(branch: Branch, size: (u32, u32), encoding: Encoding, timeline: Timeline) -> Self {
        Self {
            effort: Effort::of(branch.encoder().as_ref()),
            branch,
            hardware: None,
            timeline,
            size,
            encoding,
            pace: Pace::default(),
            last: gst::ClockTime::ZERO,
            keyframe: None,
        }
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
        let steps = self.hardware.map_or(STEPS, |_| HARDWARE_STEPS);
        if encoding.bitrate.abs_diff(self.encoding.bitrate) < self.encoding.bitrate / steps {
            return;
        }
        self.encoding.bitrate = encoding.bitrate;
        let Some(encoder) = self.branch.encoder() else {
            return;
        };
        if let Some(setting) = self.hardware {
            let (property, value) = setting.later(encoding.bitrate);
            set(&encoder, property, &value);
        } else if let Ok(rate) = i32::try_from(encoding.bitrate) {
            encoder.set_property("target-bitrate", rate);
        }
    }

    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        self.branch.is_stuck(now)
    }

    /// What it did since the last call.
    pub(crate) fn work(&mut self, now: Instant) -> Work {
        let work = self.effort.look(self.branch.counters(), now);
        match self.hardware {
            // The processor only waits for it.
            Some(_) => Work { busy: 0.0, ..work },
            None => work,
        }
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

/// Sets a property by the text that a pipeline's line would have. What the element does not take it does
/// not get.
fn set(element: &gst::Element, property: &str, value: &str) {
    let Some(known) = element.find_property(property) else {
        return;
    };
    match gst::glib::Value::deserialize(value, known.value_type()) {
        Ok(value) => element.set_property_from_value(property, &value),
        Err(error) => tracing::warn!(%error, property, "an encoder is not set"),
    }
}

/// Opens an encoder; `finish` adds what is known of a frame only outside.
fn encoder(
    plan: &Plan,
    track: Track,
    timeline: Timeline,
    finish: impl FnMut(&mut Frame) + Send + 'static,
    output: &mpsc::Sender<Encoded>,
) -> Result<Branch, BranchError> {
    let (sample, notice) = ends(track, timeline, finish, output);
    Branch::open(plan, sample, notice)
}

/// What becomes of an encoder's frames and of its notices.
fn ends(
    track: Track,
    timeline: Timeline,
    mut finish: impl FnMut(&mut Frame) + Send + 'static,
    output: &mpsc::Sender<Encoded>,
) -> (
    impl FnMut(&gst::Sample) + Send + 'static,
    impl Fn(Notice) + Send + Sync + 'static,
) {
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
        if matches!(notice, Notice::Error(_)) {
            // A full queue already holds trouble enough; an encoder that stopped is found by its
            // silence.
            let _ = failures.try_send(Encoded::Failed(track));
        }
    };
    (sample, notice)
}

fn frame(sample: &gst::Sample, track: Track, timeline: Timeline) -> Option<Frame> {
    let buffer = sample.buffer()?;
    let stamp = running(sample, buffer.pts()?);
    let at = timeline.instant(stamp);
    match track {
        Track::Camera(_) | Track::Content => {
            let delta = buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
            let codec = track.codec();
            let rtp_time = rtp_time(stamp, codec.clock_rate());
            let layered = track != Track::Content && codec == Codec::Vp8;
            Some(Frame {
                codec,
                temporal: layered.then(|| temporal(buffer.flags())),
                ..Frame::picture(payload(buffer)?, rtp_time, at, !delta)
            })
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

/// When a frame was given to its pipeline. An encoder may count from elsewhere: those of VA-API add
/// 1000 hours, and say so with the segment.
fn running(sample: &gst::Sample, stamp: gst::ClockTime) -> gst::ClockTime {
    let segment = sample.segment();
    let segment = segment.and_then(|it| it.downcast_ref::<gst::ClockTime>());
    let running = segment.and_then(|segment| segment.to_running_time(stamp));
    running.unwrap_or(stamp)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::tests::STAND_IN;

    #[test]
    fn hardware_is_told_its_bitrate_in_coarse_steps() {
        gst::init().unwrap();
        let (sender, _encoded) = mpsc::channel(1);
        let encoding = |bitrate| Encoding {
            bitrate,
            pictures_per_second: 30,
        };
        let (size, timeline) = (Size::Low, Timeline::new());
        let first = encoding(500_000);
        let hardware = Some(STAND_IN);
        let mut encoder = VideoEncoder::camera(size, hardware, first, timeline, &sender).unwrap();
        for (asked, expected) in [(450_000, 500_000), (380_000, 380_000), (700_000, 700_000)] {
            encoder.set_encoding(encoding(asked));
            let element = encoder.branch.encoder().unwrap();
            assert_eq!(element.property::<u32>("bitrate"), expected);
            assert_eq!(encoder.bitrate(), expected);
        }
        // What an element does not know it is not told.
        set(&encoder.branch.encoder().unwrap(), "no-such-property", "1");
    }

    #[test]
    fn frames_keep_their_time_wherever_an_encoder_counts_from() {
        gst::init().unwrap();
        let timeline = Timeline::new();
        let hours = gst::ClockTime::from_seconds(3_600_000);
        let given = gst::ClockTime::from_mseconds(40);
        for offset in [gst::ClockTime::ZERO, hours] {
            let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
            segment.set_start(offset);
            let mut buffer = gst::Buffer::from_slice([0, 0, 1, 0x65]);
            buffer.get_mut().unwrap().set_pts(offset + given);
            let sample = gst::Sample::builder()
                .buffer(&buffer)
                .segment(&segment)
                .build();
            let variant = Variant {
                size: Size::High,
                codec: SentCodec::H264,
            };
            let frame = frame(&sample, Track::Camera(variant), timeline).unwrap();
            assert_eq!((frame.rtp_time, frame.codec), (3600, Codec::H264));
            assert_eq!(frame.at, timeline.instant(given));
            assert!(frame.keyframe && frame.temporal.is_none());
        }
    }
}
