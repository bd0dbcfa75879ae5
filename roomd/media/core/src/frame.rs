// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pictures as the media path moves them: I420, three planes without row padding.

use roomd_model::Crop;

use crate::compose::scale;

/// The widest picture that the engine takes from a remote party.
pub const MAX_WIDTH: u32 = 4096;
/// The tallest picture that the engine takes from a remote party.
pub const MAX_HEIGHT: u32 = 2304;

/// How far samples of one colour may differ.
const PLAIN: u8 = 6;

/// An I420 picture: the luma plane, then the two chroma planes, rows without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct I420 {
    width: u32,
    height: u32,
    data: Vec<u8>,
}

/// One plane to read from.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Distance between the starts of two rows, in samples.
    pub stride: usize,
    /// At least `stride * (height - 1) + width` samples.
    pub data: &'a [u8],
}

impl<'a> Plane<'a> {
    /// The samples of a row; empty outside the picture.
    #[must_use]
    pub fn row(&self, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        self.data.get(start..start + self.width).unwrap_or_default()
    }
}

/// A picture to look at, wherever its planes lie: what a decoder made need not be copied.
pub trait Planes: std::fmt::Debug + Send + Sync {
    /// Width in pixels.
    fn width(&self) -> u32;

    /// Height in pixels.
    fn height(&self) -> u32;

    /// Plane 0 is luma, 1 and 2 are chroma of half the size, rounded up.
    fn plane(&self, index: usize) -> Plane<'_>;
}

impl Planes for I420 {
    fn width(&self) -> u32 {
        self.width
    }

    fn height(&self) -> u32 {
        self.height
    }

    fn plane(&self, index: usize) -> Plane<'_> {
        self.plane(index)
    }
}

impl std::fmt::Debug for I420 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "I420({}x{})", self.width, self.height)
    }
}

impl I420 {
    /// A black picture; a side is at least 2 and at most what the engine takes.
    #[must_use]
    pub fn black(width: u32, height: u32) -> Self {
        let width = width.clamp(2, MAX_WIDTH);
        let height = height.clamp(2, MAX_HEIGHT);
        let mut frame = Self {
            width,
            height,
            data: vec![16; bytes(width, height)],
        };
        let luma = frame.luma_len();
        frame.data[luma..].fill(128);
        frame
    }

    /// Copies three planes of its own size with any strides over all of it; false when they are too short.
    pub fn copy_planes(&mut self, planes: [(&[u8], usize); 3]) -> bool {
        let (width, height) = (self.width, self.height);
        let mut copied = self.planes_mut().into_iter().zip(planes).enumerate();
        copied.all(|(index, (target, (source, stride)))| {
            let (w, h) = plane_size(width, height, index);
            target.chunks_exact_mut(w).zip(0..h).all(|(row, y)| {
                let source = source.get(y * stride..y * stride + w);
                source
                    .inspect(|source| row.copy_from_slice(source))
                    .is_some()
            })
        })
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All three planes, one after the other.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Plane 0 is luma, 1 and 2 are chroma.
    #[must_use]
    pub fn plane(&self, index: usize) -> Plane<'_> {
        let (width, height) = plane_size(self.width, self.height, index);
        let start = self.plane_start(index);
        Plane {
            width,
            height,
            stride: width,
            data: &self.data[start..start + width * height],
        }
    }

    /// The samples of a plane, to write to.
    pub fn plane_mut(&mut self, index: usize) -> &mut [u8] {
        let (width, height) = plane_size(self.width, self.height, index);
        let start = self.plane_start(index);
        &mut self.data[start..start + width * height]
    }

    /// All three planes, to write to.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let luma = self.luma_len();
        let chroma = (bytes(self.width, self.height) - luma) / 2;
        let (y, rest) = self.data.split_at_mut(luma);
        let (u, v) = rest.split_at_mut(chroma);
        [y, u, v]
    }

    /// The picture at half its width and height.
    #[must_use]
    pub fn halved(&self) -> Self {
        self.scaled(self.width / 2, self.height / 2)
    }

    /// The picture in this width and height.
    #[must_use]
    pub fn scaled(&self, width: u32, height: u32) -> Self {
        let mut scaled = Self::black(width, height);
        self.scale_to(&mut scaled);
        scaled
    }

    /// Draws the picture over all of another, in its width and height.
    pub fn scale_to(&self, other: &mut Self) {
        for index in 0..3 {
            let (width, height) = plane_size(other.width, other.height, index);
            let area = scale::Area {
                x: 0,
                y: 0,
                width,
                height,
            };
            let target = other.plane_mut(index);
            scale::plane(target, width, area, self.plane(index), false);
        }
    }

    /// Width and height of a part of the picture, whose edges are moved to even pixels.
    #[must_use]
    pub fn part_size(&self, crop: Crop) -> (u32, u32) {
        let (_, _, width, height) = crop.pixels((self.width, self.height));
        (width, height)
    }

    /// Draws a part of the picture over all of another of its size; false when that has another.
    pub fn copy_part(&self, crop: Crop, other: &mut Self) -> bool {
        let (x, y, width, height) = crop.pixels((self.width, self.height));
        let planes: [_; 3] = std::array::from_fn(|index| {
            let plane = self.plane(index);
            let half = u32::from(index > 0);
            let start = (y >> half) as usize * plane.stride + (x >> half) as usize;
            (plane.data.get(start..).unwrap_or_default(), plane.stride)
        });
        (other.width, other.height) == (width, height) && other.copy_planes(planes)
    }

    /// Whether it has one colour all over, but for what compression makes of that. Looks at one pixel
    /// of 64.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        (0..3).all(|index| {
            let plane = self.plane(index);
            let rows = (0..plane.height).step_by(8).map(|y| plane.row(y));
            let samples = rows.flat_map(|row| row.iter().copied().step_by(8));
            let (low, high) = samples.fold((u8::MAX, 0), |(low, high), sample| {
                (low.min(sample), high.max(sample))
            });
            high.saturating_sub(low) <= PLAIN
        })
    }

    /// Interleaved RGB, 8 bits each (BT.601 limited range), for a still picture file.
    #[must_use]
    pub fn to_rgb(&self) -> Vec<u8> {
        let (y, u, v) = (self.plane(0), self.plane(1), self.plane(2));
        let mut rgb = Vec::with_capacity(y.width * y.height * 3);
        for row in 0..y.height {
            let (luma, cb, cr) = (y.row(row), u.row(row / 2), v.row(row / 2));
            for (x, &luma) in luma.iter().enumerate() {
                rgb.extend_from_slice(&colour::to_rgb([luma, cb[x / 2], cr[x / 2]]));
            }
        }
        rgb
    }

    fn luma_len(&self) -> usize {
        self.width as usize * self.height as usize
    }

    fn plane_start(&self, index: usize) -> usize {
        let chroma = (bytes(self.width, self.height) - self.luma_len()) / 2;
        match index {
            0 => 0,
            1 => self.luma_len(),
            _ => self.luma_len() + chroma,
        }
    }
}

/// Whether the engine takes a picture of this size at all.
#[must_use]
pub const fn fits(width: u32, height: u32) -> bool {
    width >= 2 && height >= 2 && width <= MAX_WIDTH && height <= MAX_HEIGHT
}

const fn bytes(width: u32, height: u32) -> usize {
    let (w, h) = plane_size(width, height, 1);
    width as usize * height as usize + 2 * w * h
}

/// Width and height of a plane of a picture of this size.
#[must_use]
pub const fn plane_size(width: u32, height: u32, index: usize) -> (usize, usize) {
    if index == 0 {
        (width as usize, height as usize)
    } else {
        (width.div_ceil(2) as usize, height.div_ceil(2) as usize)
    }
}

/// Colours in BT.601, limited range, in integers: what VP8 and browsers use at every size.
pub mod colour {
    /// From RGB to Y, Cb, Cr.
    #[must_use]
    pub const fn from_rgb([r, g, b]: [u8; 3]) -> [u8; 3] {
        let (r, g, b) = (r as i32, g as i32, b as i32);
        let y = (16829 * r + 33039 * g + 6416 * b + (16 << 16) + 32768) >> 16;
        let u = (-9714 * r - 19071 * g + 28784 * b + (128 << 16) + 32768) >> 16;
        let v = (28784 * r - 24103 * g - 4681 * b + (128 << 16) + 32768) >> 16;
        [byte(y), byte(u), byte(v)]
    }

    /// From Y, Cb, Cr to RGB.
    #[must_use]
    pub const fn to_rgb([y, u, v]: [u8; 3]) -> [u8; 3] {
        let (y, u, v) = ((y as i32 - 16) * 76309, u as i32 - 128, v as i32 - 128);
        let r = (y + 104597 * v + 32768) >> 16;
        let g = (y - 25675 * u - 53279 * v + 32768) >> 16;
        let b = (y + 132201 * u + 32768) >> 16;
        [byte(r), byte(g), byte(b)]
    }

    const fn byte(value: i32) -> u8 {
        if value < 0 {
            0
        } else if value > 255 {
            255
        } else {
            value as u8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_keep_their_last_chroma_column() {
        let y = [1; 15];
        let c = [2; 6];
        let mut frame = I420::black(5, 3);
        assert!(frame.copy_planes([(&y, 5), (&c, 3), (&c, 3)]));
        assert_eq!(frame.data().len(), 15 + 6 + 6);
        assert_eq!(frame.plane(2).data, [2; 6]);
    }

    #[test]
    fn a_halved_picture_has_the_mean_of_four() {
        let mut frame = I420::black(640, 360);
        frame.plane_mut(0)[..2].copy_from_slice(&[200, 100]);
        frame.plane_mut(0)[640..642].copy_from_slice(&[60, 40]);
        frame.plane_mut(2)[..2].copy_from_slice(&[10, 30]);
        let small = frame.halved();
        assert_eq!((small.width(), small.height()), (320, 180));
        assert_eq!(small.plane(0).row(0)[..2], [100, 16]);
        assert_eq!(small.plane(2).row(0)[..2], [74, 128]);
    }

    #[test]
    fn a_part_is_cut_out_of_every_plane() {
        let mut frame = I420::black(640, 360);
        frame.plane_mut(0)[640 * 90 + 160] = 200;
        frame.plane_mut(1)[320 * 45 + 80] = 40;
        let crop = Crop {
            x: 250,
            y: 250,
            width: 500,
            height: 500,
        };
        let part = |frame: &I420, crop| {
            let (width, height) = frame.part_size(crop);
            let mut part = I420::black(width, height);
            assert!(frame.copy_part(crop, &mut part));
            part
        };
        assert_eq!(part(&frame, Crop::FULL), frame);
        let small = part(&frame, crop);
        assert_eq!((small.width(), small.height()), (320, 180));
        assert_eq!(small.plane(0).row(0)[..2], [200, 16]);
        assert_eq!(small.plane(1).row(0)[..2], [40, 128]);
        assert!(
            !frame.copy_part(crop, &mut frame.clone()),
            "of another size"
        );
        // An odd picture keeps what its last column has.
        let odd = part(&I420::black(641, 361), Crop::FULL);
        assert_eq!((odd.width(), odd.height()), (640, 360));
    }

    #[test]
    fn one_colour_is_told_from_a_picture() {
        let mut frame = I420::black(640, 360);
        assert!(frame.is_plain());
        frame.plane_mut(0)[640 * 8..640 * 9].fill(21);
        assert!(frame.is_plain(), "what compression leaves");
        frame.plane_mut(0)[640 * 16..640 * 17].fill(90);
        assert!(!frame.is_plain());
    }

    #[test]
    fn short_or_huge_pictures_are_refused() {
        let mut frame = I420::black(5, 3);
        assert!(!frame.copy_planes([(&[0; 14], 5), (&[0; 6], 3), (&[0; 6], 3)]));
        assert!(!frame.copy_planes([(&[0; 15], 5), (&[0; 6], 3), (&[0; 5], 3)]));
        assert!(fits(5, 3) && !fits(4098, 2) && !fits(0, 2));
    }

    #[test]
    fn colours_survive_there_and_back() {
        for rgb in [[0, 0, 0], [255, 255, 255], [200, 40, 90], [10, 120, 250]] {
            let back = colour::to_rgb(colour::from_rgb(rgb));
            for (a, b) in rgb.iter().zip(back) {
                assert!(a.abs_diff(b) <= 2, "{rgb:?} became {back:?}");
            }
        }
    }
}
