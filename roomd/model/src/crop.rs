// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The part of a picture that is shown, in thousandths of its width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Crop {
    /// Left edge.
    pub x: u16,
    /// Upper edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

/// A whole side.
const WHOLE: u16 = 1000;
/// A smaller part is no picture that anybody could read.
const LEAST: u16 = 100;

impl Crop {
    /// The whole picture.
    pub const FULL: Self = Self {
        x: 0,
        y: 0,
        width: WHOLE,
        height: WHOLE,
    };

    /// Whether it lies within the picture and each side has at least a tenth of it.
    #[must_use]
    pub fn is_possible(self) -> bool {
        let side = |from: u16, length: u16| {
            length >= LEAST && u32::from(from) + u32::from(length) <= u32::from(WHOLE)
        };
        side(self.x, self.width) && side(self.y, self.height)
    }

    /// The part in pixels of a picture of this size: left edge, upper edge, width and height, all
    /// even, none of them outside.
    #[must_use]
    pub fn pixels(self, (width, height): (u32, u32)) -> (u32, u32, u32, u32) {
        let part = |from: u16, length: u16, of: u32| {
            let at = |thousandths: u16| of.saturating_mul(u32::from(thousandths.min(WHOLE))) / 1000;
            let start = (at(from) & !1).min(of.saturating_sub(2));
            let length = (at(length) & !1).max(2).min(of.saturating_sub(start));
            (start, length & !1)
        };
        let (x, width) = part(self.x, self.width, width);
        let (y, height) = part(self.y, self.height, height);
        (x, y, width, height)
    }
}

impl Default for Crop {
    fn default() -> Self {
        Self::FULL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crop(x: u16, y: u16, width: u16, height: u16) -> Crop {
        Crop {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn a_part_lies_within_the_picture() {
        assert!(Crop::FULL.is_possible());
        assert!(crop(900, 900, 100, 100).is_possible());
        assert!(!crop(901, 0, 100, 100).is_possible());
        assert!(!crop(0, 0, 1000, 99).is_possible());
        assert!(!crop(u16::MAX, 0, u16::MAX, 1000).is_possible());
    }

    #[test]
    fn pixels_are_even_and_within() {
        assert_eq!(Crop::FULL.pixels((1920, 1080)), (0, 0, 1920, 1080));
        assert_eq!(
            crop(250, 500, 500, 500).pixels((1366, 768)),
            (340, 384, 682, 384)
        );
        // What nobody may ask for stays inside all the same.
        assert_eq!(crop(1000, 0, 1000, 1000).pixels((64, 48)), (62, 0, 2, 48));
        assert_eq!(crop(0, 0, 0, 0).pixels((2, 2)), (0, 0, 2, 2));
    }
}
