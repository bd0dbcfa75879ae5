// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A still picture, ready to blend: planes of the target's kind and the spans that show.

use crate::frame::{I420, colour};
use crate::scene::Picture;

/// A converted picture.
#[derive(Debug)]
pub(super) struct Still {
    planes: [Layer; 3],
}

/// One plane with its coverage.
#[derive(Debug)]
struct Layer {
    width: usize,
    samples: Vec<u8>,
    coverage: Vec<u8>,
    /// The spans of each row that are not transparent.
    rows: Vec<Vec<Span>>,
}

/// Samples of a row that are all opaque, or all to be blended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    from: usize,
    to: usize,
    opaque: bool,
}

impl Still {
    /// Converts a picture; none when its size and its bytes do not agree.
    pub(super) fn new(picture: &Picture) -> Option<Self> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        if width == 0 || height == 0 || picture.rgba.len() != width * height * 4 {
            return None;
        }
        let luma = Layer::new(width, height, |x, y| {
            let [r, g, b, a] = pixel(picture, x, y);
            (colour::from_rgb([r, g, b])[0], a)
        });
        let [u, v] = [1, 2].map(|index| {
            Layer::new(width.div_ceil(2), height.div_ceil(2), |x, y| {
                let (rgb, a) = quad(picture, 2 * x, 2 * y);
                (colour::from_rgb(rgb)[index], a)
            })
        });
        Some(Self {
            planes: [luma, u, v],
        })
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[Vec<Span>] {
        &self.planes[0].rows
    }

    /// Blends the picture with its upper left corner at an (evened) place; what is outside is cut.
    pub(super) fn blend(&self, target: &mut I420, x: u32, y: u32) {
        for (index, layer) in self.planes.iter().enumerate() {
            let shift = u32::from(index > 0);
            let plane = target.plane(index);
            let (width, height) = (plane.width, plane.height);
            let left = ((x & !1) >> shift) as usize;
            let top = ((y & !1) >> shift) as usize;
            if left >= width || top >= height {
                continue;
            }
            let rows = target.plane_mut(index).chunks_exact_mut(width).skip(top);
            for (line, row) in rows.enumerate().take(layer.rows.len()) {
                layer.blend_row(line, &mut row[left..]);
            }
        }
    }
}

impl Layer {
    fn new(width: usize, height: usize, sample: impl Fn(usize, usize) -> (u8, u8)) -> Self {
        let mut samples = Vec::with_capacity(width * height);
        let mut coverage = Vec::with_capacity(width * height);
        let mut rows = Vec::with_capacity(height);
        for y in 0..height {
            for x in 0..width {
                let (value, alpha) = sample(x, y);
                samples.push(value);
                coverage.push(alpha);
            }
            rows.push(spans(&coverage[y * width..]));
        }
        Self {
            width,
            samples,
            coverage,
            rows,
        }
    }

    fn blend_row(&self, y: usize, target: &mut [u8]) {
        let samples = &self.samples[y * self.width..(y + 1) * self.width];
        let coverage = &self.coverage[y * self.width..(y + 1) * self.width];
        for span in &self.rows[y] {
            let to = span.to.min(target.len());
            let Some(out) = target.get_mut(span.from..to) else {
                return;
            };
            let samples = &samples[span.from..to];
            if span.opaque {
                out.copy_from_slice(samples);
                continue;
            }
            for ((out, &sample), &alpha) in
                out.iter_mut().zip(samples).zip(&coverage[span.from..to])
            {
                let alpha = u16::from(alpha);
                let mixed = u16::from(sample) * alpha + u16::from(*out) * (255 - alpha) + 128;
                // Exact division by 255 for all sums of this form.
                *out = u8::try_from((mixed + (mixed >> 8)) >> 8).unwrap_or(u8::MAX);
            }
        }
    }
}

fn spans(coverage: &[u8]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (x, &alpha) in coverage.iter().enumerate() {
        if alpha == 0 {
            continue;
        }
        let opaque = alpha == 255;
        match spans.last_mut() {
            Some(last) if last.to == x && last.opaque == opaque => last.to += 1,
            Some(_) | None => spans.push(Span {
                from: x,
                to: x + 1,
                opaque,
            }),
        }
    }
    spans
}

fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 4] {
    let width = picture.width as usize;
    let x = x.min(width - 1);
    let y = y.min(picture.height as usize - 1);
    let start = (y * width + x) * 4;
    [0, 1, 2, 3].map(|offset| picture.rgba[start + offset])
}

/// The mean colour of two by two pixels, each weighing as much as it covers, and their coverage.
fn quad(picture: &Picture, x: usize, y: usize) -> ([u8; 3], u8) {
    let (mut sum, mut weight) = ([0_u32; 3], 0_u32);
    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let [r, g, b, a] = pixel(picture, x + dx, y + dy).map(u32::from);
        for (total, value) in sum.iter_mut().zip([r, g, b]) {
            *total += value * a;
        }
        weight += a;
    }
    let mean = sum.map(|total| {
        let value = total.checked_div(weight).unwrap_or_default();
        u8::try_from(value).unwrap_or(u8::MAX)
    });
    (mean, u8::try_from((weight + 2) / 4).unwrap_or(u8::MAX))
}
