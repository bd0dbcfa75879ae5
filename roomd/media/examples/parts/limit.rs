// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What cannot be saved: the same pictures at the same pace, decoded on one thread, and nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gstreamer as gst;
use gstreamer::prelude::*;
use serde_json::json;

use crate::clip::RATE;
use crate::{end_with_input, tell, web};

pub fn run(far: &str, streams: u32, factory: &str) -> Result<()> {
    gst::init()?;
    let clips = (0..streams)
        .map(|index| split(&web::request(far, &format!("/clip/{index}"), None)?))
        .collect::<Result<Vec<_>>>()?;
    let decoders = (0..streams)
        .map(|_| Decoder::open(factory))
        .collect::<Result<Vec<_>>>()?;
    end_with_input();
    tell(&json!({ "decodes": streams }));
    let period = Duration::from_nanos(1_000_000_000 / RATE);
    let mut next = Instant::now();
    loop {
        for at in 0..clips[0].len() {
            for (decoder, clip) in decoders.iter().zip(&clips) {
                decoder.decode(&clip[at])?;
            }
            next += period;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

fn split(mut bytes: &[u8]) -> Result<Vec<gst::Buffer>> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        ensure!(length <= rest.len(), "the clip is cut off");
        let (frame, rest) = rest.split_at(length);
        frames.push(gst::Buffer::from_slice(frame.to_vec()));
        bytes = rest;
    }
    ensure!(!frames.is_empty(), "the clip is empty");
    Ok(frames)
}

/// A decoder that works on the thread that calls it.
struct Decoder {
    input: gst::Pad,
    #[expect(dead_code, reason = "takes what is decoded")]
    output: gst::Pad,
    element: gst::Element,
}

impl Decoder {
    fn open(factory: &str) -> Result<Self> {
        let mut element = gst::ElementFactory::make(factory);
        element = match factory {
            "vp8dec" => element.property("threads", 1_u32),
            _ => element.property("max-threads", 1_i32),
        };
        let element = element.build()?;
        let pad = |name| element.static_pad(name).context("no such pad");
        let input = gst::Pad::new(gst::PadDirection::Src);
        let output = gst::Pad::builder(gst::PadDirection::Sink)
            .chain_function(|_, _, _| Ok(gst::FlowSuccess::Ok))
            .event_function(|_, _, _| true)
            .build();
        input.link(&pad("sink")?)?;
        pad("src")?.link(&output)?;
        input.set_active(true)?;
        output.set_active(true)?;
        element.set_state(gst::State::Playing)?;
        let caps = gst::Caps::builder("video/x-vp8").build();
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        input.push_event(gst::event::StreamStart::new("clip"));
        input.push_event(gst::event::Caps::new(&caps));
        input.push_event(gst::event::Segment::new(&segment));
        Ok(Self {
            input,
            output,
            element,
        })
    }

    fn decode(&self, frame: &gst::Buffer) -> Result<()> {
        self.input
            .push(frame.clone())
            .context("a picture is not decoded")?;
        Ok(())
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // Stopping cannot fail in a way that anything could be done about.
        let _ = self.element.set_state(gst::State::Null);
    }
}
