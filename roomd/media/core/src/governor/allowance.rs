// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a limit leaves.

use super::QualityLimit;
use crate::layers::{Encoding, Size, Sizes};

/// What may be done in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The largest size of the camera's picture.
    pub largest: Size,
    /// Pictures of the camera.
    pub camera: u32,
    /// Pictures of content.
    pub content: u32,
    /// Compositions of a display.
    pub composed: u32,
}

/// Pictures a second of everything that moves, and the fewest that still look fluent.
const FLUENT: u32 = 30;
const FEWEST: u32 = 20;
/// Content stands still most of the time, and its text is not to suffer.
const CONTENT: u32 = 10;

impl Default for Allowance {
    fn default() -> Self {
        Self {
            largest: Size::Full,
            camera: FLUENT,
            content: FLUENT,
            composed: FLUENT,
        }
    }
}

impl From<Option<QualityLimit>> for Allowance {
    fn from(limit: Option<QualityLimit>) -> Self {
        let mut allowance = Self::default();
        let Some(limit) = limit else {
            return allowance;
        };
        // Each goes with those before it.
        if limit >= QualityLimit::Without1080 {
            allowance.largest = Size::High;
        }
        if limit >= QualityLimit::Without720 {
            allowance.largest = Size::Medium;
        }
        if limit >= QualityLimit::Without360 {
            allowance.largest = Size::Low;
        }
        if limit >= QualityLimit::FewerPictures {
            allowance.camera = FEWEST;
            allowance.content = CONTENT;
        }
        if limit >= QualityLimit::SlowerDisplay {
            allowance.composed = FEWEST;
        }
        allowance
    }
}

impl Allowance {
    /// The same, with no larger pictures than there are.
    #[must_use]
    pub fn up_to(self, largest: Size) -> Self {
        Self {
            largest: self.largest.min(largest),
            ..self
        }
    }

    /// What an m-line gets that takes some sizes and wants some of them: never nothing instead of
    /// something.
    #[must_use]
    pub fn sizes(&self, taken: Sizes, wanted: Sizes) -> Sizes {
        let allowed = |sizes: Sizes| -> Sizes {
            let fits = |size: &Size| *size <= self.largest;
            sizes.iter().filter(fits).collect()
        };
        let wanted = wanted.and(taken);
        let some = allowed(wanted);
        if !some.is_empty() || wanted.is_empty() {
            return some;
        }
        let stands_in = allowed(taken).iter().next_back();
        stands_in.or(wanted.iter().next()).into_iter().collect()
    }

    /// The camera's picture, encoded so.
    #[must_use]
    pub fn camera(&self, encoding: Encoding) -> Encoding {
        slowed(encoding, self.camera)
    }

    /// Content, encoded so.
    #[must_use]
    pub fn content(&self, encoding: Encoding) -> Encoding {
        slowed(encoding, self.content)
    }
}

fn slowed(encoding: Encoding, most: u32) -> Encoding {
    Encoding {
        pictures_per_second: encoding.pictures_per_second.min(most),
        ..encoding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(limit: QualityLimit) -> Allowance {
        Allowance::from(Some(limit))
    }

    #[test]
    fn the_size_goes_before_the_pictures_and_both_before_the_display() {
        let given = QualityLimit::ALL.map(|limit| {
            let allowance = allowance(limit);
            (allowance.largest, allowance.camera, allowance.composed)
        });
        let expected = [
            (Size::High, 30, 30),
            (Size::Medium, 30, 30),
            (Size::Low, 30, 30),
            (Size::Low, 20, 30),
            (Size::Low, 20, 20),
        ];
        assert_eq!(given, expected);
    }

    #[test]
    fn whoever_wants_only_what_is_left_out_gets_the_next_smaller_size() {
        let high: Sizes = [Size::High].into_iter().collect();
        let layers = Sizes::LAYERS;
        let sizes = |limit, taken, wanted| -> Vec<_> {
            allowance(limit).sizes(taken, wanted).iter().collect()
        };
        let first = QualityLimit::Without720;
        assert_eq!(sizes(first, layers, layers), [Size::Low, Size::Medium]);
        assert_eq!(sizes(first, layers, high), [Size::Medium]);
        assert_eq!(sizes(first, high, high), [Size::High], "it takes no other");
        assert_eq!(sizes(first, layers, Sizes::default()), []);
        let second = QualityLimit::Without360;
        assert_eq!(sizes(second, Sizes::ALL, high), [Size::Low]);
        let small = Allowance::default().up_to(Size::High);
        assert_eq!(small.sizes(Sizes::ALL, Sizes::ALL), layers);
        let upper = [Size::Medium, Size::High].into_iter().collect();
        assert_eq!(sizes(second, upper, upper), [Size::Medium]);
    }
}
