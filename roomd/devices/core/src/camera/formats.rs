// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a camera says that it offers: pixel formats, sizes and frame rates.
//!
//! Source of the structures: the kernel's `include/uapi/linux/videodev2.h`. A device that offers
//! nonsense loses what makes no sense, and the nonsense is reported.

use std::fmt;

use crate::call::{Call, Node};

const ENUM_FORMATS: Call = Call::both(b'V', 2);
const ENUM_SIZES: Call = Call::both(b'V', 74);
const ENUM_INTERVALS: Call = Call::both(b'V', 75);
const CAPTURE: u32 = 1;

/// Entries that a list may have; longer ones have no end.
const FORMATS: u32 = 32;
const SIZES: u32 = 64;
const INTERVALS: u32 = 32;
/// Reports of nonsense that are kept.
const REPORTS: usize = 16;

/// How pixels are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PixelFormat {
    /// Planar 4:2:0, what encoders take.
    Nv12,
    /// Packed 4:2:2.
    Yuyv,
    /// A JPEG picture for each frame.
    Mjpeg,
    /// H.264.
    H264,
    /// Anything else, by its four characters.
    Other([u8; 4]),
}

impl PixelFormat {
    /// The format with the kernel's code.
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        match &code.to_le_bytes() {
            b"NV12" => Self::Nv12,
            b"YUYV" => Self::Yuyv,
            b"MJPG" => Self::Mjpeg,
            b"H264" => Self::H264,
            other => Self::Other(*other),
        }
    }

    /// The kernel's code.
    #[must_use]
    pub const fn code(self) -> u32 {
        u32::from_le_bytes(match self {
            Self::Nv12 => *b"NV12",
            Self::Yuyv => *b"YUYV",
            Self::Mjpeg => *b"MJPG",
            Self::H264 => *b"H264",
            Self::Other(code) => code,
        })
    }

    /// Bits for each pixel where frames are not compressed.
    #[must_use]
    pub const fn bits_per_pixel(self) -> Option<u32> {
        match self {
            Self::Nv12 => Some(12),
            Self::Yuyv => Some(16),
            Self::Mjpeg | Self::H264 | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nv12 => f.write_str("NV12"),
            Self::Yuyv => f.write_str("YUYV"),
            Self::Mjpeg => f.write_str("MJPEG"),
            Self::H264 => f.write_str("H.264"),
            Self::Other(code) => write!(f, "{}", code.escape_ascii()),
        }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// Width and height.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Its pixels.
    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    const fn makes_sense(self) -> bool {
        self.width >= 16 && self.height >= 16 && self.width <= 8192 && self.height <= 8192
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// The sizes of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// This one.
    One(Size),
    /// Everything from the smallest to the largest in these steps.
    Range {
        /// The smallest.
        min: Size,
        /// The largest.
        max: Size,
        /// The steps.
        step: Size,
    },
}

impl Sizes {
    /// The possible size that is closest to the wanted one.
    #[must_use]
    pub fn closest(self, wanted: Size) -> Size {
        let near = |wanted: u32, min: u32, max: u32, step: u32| {
            let inside = wanted.clamp(min, max);
            inside - (inside - min) % step.max(1)
        };
        match self {
            Self::One(size) => size,
            Self::Range { min, max, step } => Size::new(
                near(wanted.width, min.width, max.width, step.width),
                near(wanted.height, min.height, max.height, step.height),
            ),
        }
    }

    fn makes_sense(self) -> bool {
        match self {
            Self::One(size) => size.makes_sense(),
            Self::Range { min, max, step } => {
                // A largest size beyond all bounds is how some drivers say "any".
                let ordered = min.width <= max.width && min.height <= max.height;
                ordered && min.width > 0 && min.height > 0 && step.width > 0 && step.height > 0
            }
        }
    }
}

/// Frames in 1000 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub u32);

impl Rate {
    /// Frames in a second.
    #[must_use]
    pub const fn per_second(frames: u32) -> Self {
        Self(frames.saturating_mul(1000))
    }

    /// The rate of an interval in seconds, given as a fraction; none for what is no interval.
    fn of_interval(numerator: u32, denominator: u32) -> Option<Self> {
        let frames = (u64::from(denominator) * 1000).checked_div(u64::from(numerator))?;
        let rate = Self(u32::try_from(frames).ok()?);
        // From a frame in ten seconds to 240 in one.
        (100..=240_000).contains(&rate.0).then_some(rate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 1000, self.0 % 1000 / 10) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, rest) => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// The frame rates of a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rates {
    /// These, the fastest first.
    List(Vec<Rate>),
    /// Everything between.
    Range(Rate, Rate),
    /// The device does not say.
    Unknown,
}

impl Rates {
    /// The slowest that is at least the wanted one, otherwise the fastest.
    #[must_use]
    pub fn closest(&self, wanted: Rate) -> Option<Rate> {
        match self {
            Self::List(rates) => {
                let enough = rates.iter().rev().find(|rate| **rate >= wanted);
                enough.or_else(|| rates.first()).copied()
            }
            Self::Range(slowest, fastest) => Some(wanted.clamp(*slowest, *fastest)),
            Self::Unknown => None,
        }
    }
}

/// One thing that a camera offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// How pixels are coded.
    pub format: PixelFormat,
    /// Which sizes.
    pub sizes: Sizes,
    /// How many frames.
    pub rates: Rates,
}

/// Something a camera said that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonsense {
    /// A format without a size.
    NoSize(PixelFormat),
    /// A size that no picture has.
    Size(PixelFormat, Size),
    /// A frame rate that no camera has.
    Rate(PixelFormat, Size),
    /// A format twice.
    Repeated(PixelFormat),
    /// A list without an end.
    Endless(PixelFormat),
}

impl fmt::Display for Nonsense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSize(format) => write!(f, "offers {format} in no size"),
            Self::Size(format, size) => write!(f, "offers {format} in {size}"),
            Self::Rate(format, size) => {
                write!(f, "offers {format} in {size} with an impossible frame rate")
            }
            Self::Repeated(format) => write!(f, "offers {format} twice"),
            Self::Endless(format) => write!(f, "the list of {format} has no end"),
        }
    }
}

/// Everything that a camera offers, and what of it cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// What makes sense.
    pub modes: Vec<Mode>,
    /// What does not, the first few.
    pub nonsense: Vec<Nonsense>,
}

impl Offer {
    /// Asks a camera.
    pub fn ask(node: &mut impl Node) -> Self {
        let mut offer = Self::default();
        let mut known = Vec::new();
        for index in 0..FORMATS {
            let mut words = [0; 16];
            words[0] = index;
            words[1] = CAPTURE;
            if node.call(ENUM_FORMATS, &mut words).is_err() {
                return offer;
            }
            let format = PixelFormat::from_code(words[11]);
            if known.contains(&format) {
                offer.report(Nonsense::Repeated(format));
                continue;
            }
            known.push(format);
            offer.ask_sizes(node, format);
        }
        if let Some(last) = known.last() {
            offer.report(Nonsense::Endless(*last));
        }
        offer
    }

    fn ask_sizes(&mut self, node: &mut impl Node, format: PixelFormat) {
        for index in 0..SIZES {
            let mut words = [0; 11];
            words[0] = index;
            words[1] = format.code();
            if node.call(ENUM_SIZES, &mut words).is_err() {
                if index == 0 {
                    self.report(Nonsense::NoSize(format));
                }
                return;
            }
            let is_one = words[2] == 1;
            let sizes = if is_one {
                Sizes::One(Size::new(words[3], words[4]))
            } else {
                Sizes::Range {
                    min: Size::new(words[3], words[6]),
                    max: Size::new(words[4], words[7]),
                    step: Size::new(words[5], words[8]),
                }
            };
            if !sizes.makes_sense() {
                self.report(Nonsense::Size(format, Size::new(words[3], words[4])));
            } else if self
                .modes
                .iter()
                .all(|m| m.format != format || m.sizes != sizes)
            {
                let rates = self.ask_rates(node, format, sizes);
                self.modes.push(Mode {
                    format,
                    sizes,
                    rates,
                });
            }
            if !is_one {
                return;
            }
        }
        self.report(Nonsense::Endless(format));
    }

    /// The rates of a size; of a range, those of its largest usual size.
    fn ask_rates(&mut self, node: &mut impl Node, format: PixelFormat, sizes: Sizes) -> Rates {
        let size = sizes.closest(Size::new(1920, 1080));
        let mut rates = Vec::new();
        for index in 0..INTERVALS {
            let mut words = [0; 13];
            words[..4].copy_from_slice(&[index, format.code(), size.width, size.height]);
            if node.call(ENUM_INTERVALS, &mut words).is_err() {
                break;
            }
            let first = Rate::of_interval(words[5], words[6]);
            if words[4] == 1 {
                match first {
                    Some(rate) => rates.push(rate),
                    None => self.report(Nonsense::Rate(format, size)),
                }
                continue;
            }
            // The shortest interval comes first. Its bounds may lie beyond what makes sense.
            let fastest = first.unwrap_or(Rate(240_000));
            let slowest = Rate::of_interval(words[7], words[8]).unwrap_or(Rate(100));
            if slowest <= fastest {
                return Rates::Range(slowest, fastest);
            }
            self.report(Nonsense::Rate(format, size));
            break;
        }
        rates.sort_unstable_by(|a, b| b.cmp(a));
        rates.dedup();
        if rates.is_empty() {
            Rates::Unknown
        } else {
            Rates::List(rates)
        }
    }

    fn report(&mut self, nonsense: Nonsense) {
        if self.nonsense.len() < REPORTS && !self.nonsense.contains(&nonsense) {
            self.nonsense.push(nonsense);
        }
    }
}

#[cfg(test)]
#[path = "formats_tests.rs"]
pub(crate) mod tests;
