// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every GStreamer pipeline of the engine as plain data.
//!
//! Invariants: a pipeline is one line of elements without branches; none writes what it carries
//! anywhere but to a device or back to the engine, so nothing records.

mod hardware;
mod settings;

pub use hardware::{BitrateSetting, CANDIDATES, HardwareEncode, HardwareEncoder};
pub use settings::{
    AudioDecode, AudioEncode, AudioOut, CameraFormat, CameraInput, CameraMode, MicrophoneInput,
    VideoDecode, VideoEncode, VideoOut,
};

use std::fmt::{self, Write as _};

/// The name of the element that the engine pushes to.
pub const SOURCE: &str = "in";
/// The name of the element that the engine pulls from.
pub const SINK: &str = "out";
/// How many encoded pictures may wait for their decoder; of more it would lose the oldest, and nobody
/// would know.
pub const MOST_ENCODED: u64 = 128;
/// The name of an encoder whose bitrate the engine changes.
pub const ENCODER: &str = "encoder";

/// One pipeline: elements in order, each linked to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<Step>,
}

/// One step of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An element.
    Element(Element),
    /// Only this format passes.
    Caps(String),
}

/// An element and how it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The element's kind.
    pub factory: &'static str,
    /// Properties, in order.
    pub properties: Vec<(&'static str, String)>,
}

impl Plan {
    /// An empty line.
    fn new() -> Self {
        Self { steps: Vec::new() }
    }

    fn element(mut self, factory: &'static str, properties: &[(&'static str, &str)]) -> Self {
        self.steps.push(Step::Element(Element {
            factory,
            properties: properties
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
        }));
        self
    }

    fn caps(mut self, caps: impl Into<String>) -> Self {
        self.steps.push(Step::Caps(caps.into()));
        self
    }

    /// The engine pushes what is small here: packets, and blocks of sound.
    fn source(self, caps: &str) -> Self {
        self.push(caps, "32", &[])
    }

    /// The engine pushes a loudspeaker's sound here. Only of a source that says for how long it can hold
    /// sound back does GStreamer have a sink take it before its time.
    fn loud_source(self, caps: &str) -> Self {
        let held = [("min-latency", "0"), ("max-latency", "320000000")];
        self.push(caps, "32", &held)
    }

    /// The engine pushes the encoded pictures of a stream here. Several seconds of them, which come at once
    /// after a connection stood still, find room; the engine looks that it gives no more.
    fn stream_source(self, caps: &str) -> Self {
        self.push(caps, &MOST_ENCODED.to_string(), &[])
    }

    /// The engine pushes whole pictures here. They are megabytes, and late ones are of no use.
    fn picture_source(self, caps: &str) -> Self {
        self.push(caps, "3", &[])
    }

    fn push(self, caps: &str, most: &str, further: &[(&'static str, &str)]) -> Self {
        let properties = [
            ("name", SOURCE),
            ("caps", caps),
            ("format", "time"),
            ("is-live", "true"),
            ("do-timestamp", "false"),
            // A consumer that stalls loses the oldest; the engine never waits for it.
            ("block", "false"),
            ("max-bytes", "0"),
            ("max-buffers", most),
            ("leaky-type", "downstream"),
        ];
        self.element("appsrc", &[&properties[..], further].concat())
    }

    /// The engine pulls here.
    fn sink(self) -> Self {
        self.pull("true")
    }

    /// The engine pulls here, and holds back what comes faster.
    fn held_sink(self) -> Self {
        self.pull("false")
    }

    fn pull(self, drop: &str) -> Self {
        self.element(
            "appsink",
            &[
                ("name", SINK),
                // Whoever pulls keeps the time.
                ("sync", "false"),
                ("max-buffers", "2"),
                ("drop", drop),
                ("enable-last-sample", "false"),
            ],
        )
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Its elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.steps.iter().filter_map(|step| match step {
            Step::Element(element) => Some(element),
            Step::Caps(_) => None,
        })
    }
}

impl fmt::Display for Plan {
    /// In the language of `gst-launch-1.0`, every value quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                f.write_str(" ! ")?;
            }
            match step {
                Step::Caps(caps) => f.write_str(caps)?,
                Step::Element(element) => {
                    f.write_str(element.factory)?;
                    for (name, value) in &element.properties {
                        write!(f, " {name}=")?;
                        quote(f, value)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn quote(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    f.write_char('"')?;
    for letter in value.chars() {
        if matches!(letter, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(letter)?;
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests;
