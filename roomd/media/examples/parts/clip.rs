// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Moving pictures like those of a camera, each with a time code, and their encoding.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context, Result};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use gstreamer_video::UpstreamForceKeyUnitEvent;
use roomd_media_core::frame::I420;
use roomd_media_core::plan::{SINK, SOURCE, VideoEncode};
use roomd_media_core::timecode::{self, TimeCode};

/// Of every picture, in pixels.
pub const WIDTH: u32 = 640;
/// Of every picture, in pixels.
pub const HEIGHT: u32 = 360;
/// Pictures a second.
pub const RATE: u64 = 30;
/// What pictures of this size get in a call with many, in bit/s.
const BITRATE: u32 = 600_000;
/// Pictures of a clip, which runs again and again.
const LENGTH: u64 = 120;

/// An encoded picture.
#[derive(Clone, Debug)]
pub struct Encoded {
    pub payload: Arc<[u8]>,
    pub keyframe: bool,
}

/// Draws a person before a wall, with a camera's noise.
#[derive(Debug)]
pub struct Painter {
    source: u8,
    wall: Vec<u8>,
    /// 0 where the wall shows.
    person: Vec<u8>,
    seed: u32,
}

impl Painter {
    pub fn new(source: u8) -> Self {
        let paint = |shade: &dyn Fn(f32, f32) -> f32| {
            let shade = |at: u32| shade((at % WIDTH) as f32, (at / WIDTH) as f32) as u8;
            (0..WIDTH * HEIGHT).map(shade).collect()
        };
        let shift = f32::from(source) * 11.0;
        Self {
            source,
            wall: paint(&|x, y| wall(x + shift, y)),
            person: paint(&person),
            seed: 0x9e37_79b9_u32.wrapping_mul(u32::from(source) + 1),
        }
    }

    /// The picture of a moment, in milliseconds, with a time code that may say something else.
    pub fn draw(&mut self, millis: u64, says: u64) -> I420 {
        let mut frame = I420::black(WIDTH, HEIGHT);
        let phase = (millis % 4000) as f32 / 4000.0 * std::f32::consts::TAU;
        let (width, height) = (WIDTH as usize, HEIGHT as usize);
        // Left of the picture and above it is nobody.
        let dx = (24.0 + 24.0 * phase.sin()) as usize;
        let dy = (6.0 + 6.0 * phase.cos()) as usize;
        let luma = frame.plane_mut(0);
        luma.copy_from_slice(&self.wall);
        for y in dy..height {
            let from = &self.person[(y - dy) * width..][..width - dx];
            let row = &mut luma[y * width + dx..(y + 1) * width];
            for (to, &from) in row.iter_mut().zip(from).filter(|(_, from)| **from > 0) {
                *to = from;
            }
        }
        for sample in luma {
            *sample = sample.saturating_add(self.noise());
        }
        let tint = 118 + self.source % 20;
        frame.plane_mut(1).fill(tint);
        frame.plane_mut(2).fill(250 - tint);
        let (millis, source) = (says, self.source);
        timecode::draw(&mut frame, TimeCode { millis, source });
        frame
    }

    /// 0 to 3, as a camera adds.
    fn noise(&mut self) -> u8 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        (self.seed >> 30) as u8
    }
}

fn wall(x: f32, y: f32) -> f32 {
    120.0 + 30.0 * (x * 0.021).sin() + 16.0 * (x * 0.31).sin() * (y * 0.27).sin()
}

/// Head and shoulders.
fn person(x: f32, y: f32) -> f32 {
    let head = ((x - 300.0) / 70.0).powi(2) + ((y - 120.0) / 90.0).powi(2);
    let body = ((x - 300.0) / 170.0).powi(2) + ((y - 360.0) / 150.0).powi(2);
    if head < 1.0 {
        150.0 + 40.0 * (1.0 - head) + 14.0 * (x * 0.35).sin() * (y * 0.28).cos()
    } else if body < 1.0 {
        80.0 + 24.0 * (x * 0.5).sin() + 12.0 * (y * 0.4).sin()
    } else {
        0.0
    }
}

/// An encoder of such pictures.
#[derive(Debug)]
pub struct Encoder {
    pipeline: gst::Pipeline,
    source: AppSrc,
    pictures: Receiver<Encoded>,
    count: u64,
}

impl Encoder {
    pub fn open() -> Result<Self> {
        let plan = VideoEncode {
            width: WIDTH,
            height: HEIGHT,
            bitrate: BITRATE,
            content: false,
        };
        let pipeline = gst::parse::launch(&plan.plan().to_string())?
            .downcast::<gst::Pipeline>()
            .ok()
            .context("no pipeline")?;
        let find = |name| pipeline.by_name(name).context("no such element");
        let source = find(SOURCE)?
            .downcast::<AppSrc>()
            .ok()
            .context("no source")?;
        let sink = find(SINK)?.downcast::<AppSink>().ok().context("no sink")?;
        let (sender, pictures) = channel();
        let sample = move |sink: &AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let buffer = sample.buffer().ok_or(gst::FlowError::Error)?;
            let map = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
            let encoded = Encoded {
                payload: map.as_slice().into(),
                keyframe: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            };
            // Whoever encodes has gone with the pipeline.
            let _ = sender.send(encoded);
            Ok(gst::FlowSuccess::Ok)
        };
        sink.set_callbacks(AppSinkCallbacks::builder().new_sample(sample).build());
        pipeline.set_state(gst::State::Playing)?;
        Ok(Self {
            pipeline,
            source,
            pictures,
            count: 0,
        })
    }

    /// Encodes the next picture.
    pub fn encode(&mut self, picture: &I420) -> Result<Encoded> {
        let mut buffer = gst::Buffer::from_slice(picture.data().to_vec());
        let at = |count| gst::ClockTime::from_nseconds(count * 1_000_000_000 / RATE);
        let buffer_ref = buffer.get_mut().context("the buffer is shared")?;
        buffer_ref.set_pts(at(self.count));
        buffer_ref.set_duration(at(1));
        self.count += 1;
        self.source.push_buffer(buffer)?;
        self.pictures.recv().context("the encoder ended")
    }
}

impl Encoder {
    /// Makes the next picture a keyframe.
    pub fn force_keyframe(&self) {
        let event = UpstreamForceKeyUnitEvent::builder()
            .all_headers(true)
            .build();
        if let Some(pad) = self
            .pipeline
            .by_name(SINK)
            .and_then(|e| e.static_pad("sink"))
        {
            pad.push_event(event);
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // Stopping cannot fail in a way that anything could be done about.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Makes the clip of a source: it begins with its only keyframe.
pub fn make(source: u8) -> Result<Vec<Encoded>> {
    let mut painter = Painter::new(source);
    let mut encoder = Encoder::open()?;
    (0..LENGTH)
        .map(|count| {
            let millis = count * 1000 / RATE;
            encoder.encode(&painter.draw(millis, millis))
        })
        .collect()
}
