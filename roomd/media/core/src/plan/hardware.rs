// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Encoders of H.264 that are hardware, and their pipelines.

use super::settings::picture;
use super::{ENCODER, Plan};

/// An encoder of H.264 by its GStreamer element.
///
/// It is data, so that a test can put a software encoder in the place of hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardwareEncoder {
    /// The element's kind.
    pub element: &'static str,
    /// How it is set besides its bitrate.
    pub properties: &'static [(&'static str, &'static str)],
    /// How its bitrate is set.
    pub bitrate: BitrateSetting,
    /// What its output is asked for besides the profile.
    pub caps: &'static str,
}

/// How the bitrate of an encoder is set, at its begin and while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitrateSetting {
    /// By a property, in bit/s.
    Bits(&'static str),
    /// By a property, in kbit/s.
    Kilobits(&'static str),
    /// By a control of the driver, in bit/s: the property for controls, and those that are set at the
    /// begin besides.
    Control(&'static str, &'static str),
}

/// Encodes by VA-API: what the processor's or another graphics unit offers.
const VA: HardwareEncoder = HardwareEncoder {
    element: "vah264enc",
    properties: &[
        ("rate-control", "cbr"),
        // A picture that comes later than its successor would wait for it.
        ("b-frames", "0"),
        // Whatever is lost, a picture refers to the last one alone.
        ("ref-frames", "1"),
        // Keyframes are made when a receiver asks; this is the longest that it knows.
        ("key-int-max", "1024"),
        // Speed before compression.
        ("target-usage", "6"),
        // The profile has neither.
        ("cabac", "false"),
        ("dct8x8", "false"),
    ],
    bitrate: BitrateSetting::Kilobits("bitrate"),
    caps: "",
};

/// What is tried, in this order. Other graphics units have other elements of the same kind, which
/// GStreamer names after their device; the first unit is enough.
pub const CANDIDATES: [HardwareEncoder; 3] = [
    VA,
    // Of processors that have only the fixed function left.
    HardwareEncoder {
        element: "vah264lpenc",
        ..VA
    },
    // A driver of the kernel's: boards with ARM.
    HardwareEncoder {
        element: "v4l2h264enc",
        properties: &[],
        // What a driver does not know it is not told, and keeps its own; the keyframes' distance has
        // two names.
        bitrate: BitrateSetting::Control(
            "extra-controls",
            "video_bitrate_mode=1,video_b_frames=0,video_gop_size=1024,h264_i_frame_period=1024,\
             repeat_sequence_header=1",
        ),
        // Some drivers write a level that they were not asked for.
        caps: ",level=(string)3.1",
    },
];

impl BitrateSetting {
    /// The property, and its value for a pipeline's begin.
    #[must_use]
    pub fn first(self, bitrate: u32) -> (&'static str, String) {
        match self {
            Self::Bits(property) => (property, bitrate.to_string()),
            Self::Kilobits(property) => (property, kilobits(bitrate)),
            Self::Control(property, others) => {
                let controls = format!("controls,video_bitrate={bitrate},{others}");
                (property, controls)
            }
        }
    }

    /// The property, and its value while the pipeline runs.
    #[must_use]
    pub fn later(self, bitrate: u32) -> (&'static str, String) {
        match self {
            Self::Bits(_) | Self::Kilobits(_) => self.first(bitrate),
            Self::Control(property, _) => (property, format!("controls,video_bitrate={bitrate}")),
        }
    }
}

/// 0 would leave the choice to the encoder.
fn kilobits(bitrate: u32) -> String {
    (bitrate / 1000).max(1).to_string()
}

/// An encoder of the camera's picture that is hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardwareEncode {
    /// Which.
    pub encoder: HardwareEncoder,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In bit/s, to begin with.
    pub bitrate: u32,
}

impl HardwareEncode {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let encoder = &self.encoder;
        let (rate, bitrate) = encoder.bitrate.first(self.bitrate);
        let mut properties = vec![("name", ENCODER)];
        properties.extend(encoder.properties);
        properties.push((rate, bitrate.as_str()));
        Plan::new()
            .picture_source(&picture(self.width, self.height))
            // Hardware takes NV12.
            .element("videoconvert", &[])
            .element(encoder.element, &properties)
            .caps(format!(
                "video/x-h264,profile=constrained-baseline{}",
                encoder.caps
            ))
            // Whoever begins at a keyframe needs the parameters with it.
            .element("h264parse", &[("config-interval", "-1")])
            .caps("video/x-h264,stream-format=byte-stream,alignment=au")
            .sink()
    }
}
