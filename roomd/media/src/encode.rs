// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The two encoders that feed every connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::UpstreamForceKeyUnitEvent;
use roomd_conference::LocalSource;
use roomd_media_core::frame::I420;
use roomd_media_core::mix::RATE;
use roomd_media_core::plan::{AudioEncode, VideoEncode};
use roomd_media_core::testpicture::{HEIGHT, WIDTH};
use roomd_peer::{Codec, Frame};
use tokio::sync::mpsc;

use crate::branch::{Branch, BranchError, Notice};
use crate::camera::Shot;
use crate::time::{Timeline, rtp_time};

/// What leaves an encoder.
#[derive(Debug)]
pub(crate) enum Encoded {
    Frame(LocalSource, Frame),
    Failed(LocalSource),
}

const BLOCK: u64 = 10_000_000;
/// Sound whose clock is this far off starts counting anew.
const DRIFT: u64 = 150_000_000;
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
    timeline: Timeline,
    bitrate: u32,
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
}

struct Shared(Arc<I420>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}

impl VideoEncoder {
    pub(crate) fn open(
        bitrate: u32,
        timeline: Timeline,
        output: &mpsc::Sender<Encoded>,
    ) -> Result<Self, BranchError> {
        let plan = VideoEncode {
            width: WIDTH,
            height: HEIGHT,
            bitrate,
        };
        let branch = encoder(&plan.plan(), LocalSource::Camera, timeline, output)?;
        Ok(Self {
            branch,
            timeline,
            bitrate,
            last: gst::ClockTime::ZERO,
            keyframe: None,
        })
    }

    pub(crate) fn push(&mut self, shot: &Shot) {
        let at = self.timeline.stamp(shot.at);
        if (shot.frame.width(), shot.frame.height()) != (WIDTH, HEIGHT) || at <= self.last {
            return;
        }
        self.last = at;
        let lasts = gst::ClockTime::from_nseconds(33_333_333);
        self.branch
            .push(Shared(shot.frame.clone()), at, Some(lasts));
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

    pub(crate) fn set_bitrate(&mut self, bitrate: u32) {
        if bitrate.abs_diff(self.bitrate) < self.bitrate / 20 {
            return;
        }
        self.bitrate = bitrate;
        if let (Some(encoder), Ok(rate)) = (self.branch.encoder(), i32::try_from(bitrate)) {
            encoder.set_property("target-bitrate", rate);
        }
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
        let branch = encoder(&plan.plan(), LocalSource::Microphone, timeline, output)?;
        Ok(Self {
            branch,
            timeline,
            next: None,
            loss: LEAST_LOSS,
        })
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
        let bytes: Vec<u8> = samples
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        let stamp = gst::ClockTime::from_nseconds;
        self.branch.push(bytes, stamp(at), Some(stamp(lasts)));
    }
}

fn encoder(
    plan: &roomd_media_core::plan::Plan,
    source: LocalSource,
    timeline: Timeline,
    output: &mpsc::Sender<Encoded>,
) -> Result<Branch, BranchError> {
    let (frames, failures) = (output.clone(), output.clone());
    let sample = move |sample: &gst::Sample| {
        if let Some(frame) = frame(sample, source, timeline) {
            // A full queue means that the engine is behind; the next keyframe mends it.
            let _ = frames.try_send(Encoded::Frame(source, frame));
        }
    };
    let notice = move |notice| {
        if notice == Notice::Error {
            // A full queue already holds trouble enough.
            let _ = failures.try_send(Encoded::Failed(source));
        }
    };
    Branch::open(plan, sample, notice)
}

fn frame(sample: &gst::Sample, source: LocalSource, timeline: Timeline) -> Option<Frame> {
    let buffer = sample.buffer()?;
    if buffer.flags().contains(gst::BufferFlags::HEADER) && source == LocalSource::Microphone {
        return None;
    }
    let stamp = buffer.pts()?;
    if source == LocalSource::Microphone && buffer.size() <= DTX_BYTES {
        return None;
    }
    let payload = buffer.map_readable().ok()?.as_slice().into();
    let at = timeline.instant(stamp);
    Some(match source {
        LocalSource::Camera => {
            let delta = buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
            let rtp_time = rtp_time(stamp, Codec::Vp8.clock_rate());
            Frame::picture(payload, rtp_time, at, !delta)
        }
        LocalSource::Microphone => {
            Frame::sound(payload, rtp_time(stamp, Codec::Opus.clock_rate()), at)
        }
    })
}
