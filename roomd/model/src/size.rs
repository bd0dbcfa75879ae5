// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sizes in which the camera's picture is sent.

use std::fmt;

/// A size of the camera's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PictureSize {
    /// 320x180.
    Low,
    /// 640x360.
    Medium,
    /// 1280x720.
    High,
    /// 1920x1080.
    Full,
}

impl PictureSize {
    /// The smallest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Full];
    /// Those that go out side by side on one m-line. Servers know three layers at most; the halves of
    /// 1280x720 are made, and shown, with little work, and 1920x1080 beside it would double it.
    pub const LAYERS: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Width and height, in pixels.
    #[must_use]
    pub const fn pixels(self) -> (u32, u32) {
        match self {
            Self::Low => (320, 180),
            Self::Medium => (640, 360),
            Self::High => (1280, 720),
            Self::Full => (1920, 1080),
        }
    }

    /// The sizes of an m-line that takes so many at the same time, the smallest first. Where it takes
    /// fewer than there are, the smallest are left out; further names of the m-line stay unused.
    #[must_use]
    pub fn of_layers(count: usize) -> &'static [Self] {
        &Self::LAYERS[Self::LAYERS.len() - count.min(Self::LAYERS.len())..]
    }
}

/// Some of the sizes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct PictureSizes(u8);

impl PictureSizes {
    /// No size.
    pub const NONE: Self = Self(0);
    /// Every size.
    pub const ALL: Self = Self(0b1111);
    /// Those of [`PictureSize::LAYERS`].
    pub const LAYERS: Self = Self(0b111);

    const fn bit(size: PictureSize) -> u8 {
        1 << size as u8
    }

    /// Those that have at most this many lines; the smallest in any case, none for 0.
    #[must_use]
    pub fn up_to(lines: u32) -> Self {
        if lines == 0 {
            return Self::default();
        }
        let fits = |size: &PictureSize| *size == PictureSize::Low || size.pixels().1 <= lines;
        PictureSize::ALL.into_iter().filter(fits).collect()
    }

    /// Whether a size is among them.
    #[must_use]
    pub const fn contains(self, size: PictureSize) -> bool {
        self.0 & Self::bit(size) != 0
    }

    /// Adds a size.
    pub const fn insert(&mut self, size: PictureSize) {
        self.0 |= Self::bit(size);
    }

    /// Takes a size away.
    pub const fn remove(&mut self, size: PictureSize) {
        self.0 &= !Self::bit(size);
    }

    /// None of them.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The smallest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = PictureSize> {
        PictureSize::ALL
            .into_iter()
            .filter(move |size| self.contains(*size))
    }

    /// Those of both.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<PictureSize> for PictureSizes {
    fn from_iter<T: IntoIterator<Item = PictureSize>>(sizes: T) -> Self {
        let mut all = Self::default();
        sizes.into_iter().for_each(|size| all.insert(size));
        all
    }
}

impl fmt::Debug for PictureSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_takes_fewer_sizes_gets_the_larger_ones() {
        assert_eq!(PictureSize::of_layers(1), [PictureSize::High]);
        assert_eq!(
            PictureSize::of_layers(2),
            [PictureSize::Medium, PictureSize::High]
        );
        assert_eq!(PictureSize::of_layers(3), PictureSize::LAYERS);
        assert_eq!(PictureSize::of_layers(9), PictureSize::LAYERS);
        assert_eq!(
            PictureSizes::from_iter(PictureSize::LAYERS),
            PictureSizes::LAYERS
        );
        assert_eq!(PictureSize::of_layers(0), []);
    }

    #[test]
    fn a_tile_gets_what_it_can_show() {
        let sizes = |lines| PictureSizes::up_to(lines).iter().collect::<Vec<_>>();
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(90), [PictureSize::Low]);
        assert_eq!(sizes(360), [PictureSize::Low, PictureSize::Medium]);
        assert_eq!(sizes(1080), PictureSize::ALL);
    }
}
