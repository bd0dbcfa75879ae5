// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Copies or scales one plane.

use crate::frame::Plane;

/// Where in the target plane, in samples of that plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

/// Draws `source` into an area of `target`, mirrored left to right if asked.
pub(crate) fn plane(
    target: &mut [u8],
    stride: usize,
    area: Area,
    source: Plane<'_>,
    mirrored: bool,
) {
    if area.width == 0 || area.height == 0 || source.width == 0 || source.height == 0 {
        return;
    }
    if (area.width, area.height) == (source.width, source.height) {
        copy(target, stride, area, source, mirrored);
    } else if source.width == 2 * area.width && source.height == 2 * area.height {
        halve(target, stride, area, source, mirrored);
    } else {
        bilinear(target, stride, area, source, mirrored);
    }
}

fn row_mut(target: &mut [u8], stride: usize, area: Area, y: usize) -> Option<&mut [u8]> {
    let start = (area.y + y) * stride + area.x;
    target.get_mut(start..start + area.width)
}

fn copy(target: &mut [u8], stride: usize, area: Area, source: Plane<'_>, mirrored: bool) {
    for y in 0..area.height {
        let Some(row) = row_mut(target, stride, area, y) else {
            return;
        };
        row.copy_from_slice(source.row(y));
        if mirrored {
            row.reverse();
        }
    }
}

/// The mean of four: sharp enough, free of aliasing, and the commonest ratio (720 to 360 lines).
fn halve(target: &mut [u8], stride: usize, area: Area, source: Plane<'_>, mirrored: bool) {
    for y in 0..area.height {
        let Some(row) = row_mut(target, stride, area, y) else {
            return;
        };
        let upper = source.row(2 * y).chunks_exact(2);
        let lower = source.row(2 * y + 1).chunks_exact(2);
        for ((out, a), b) in row.iter_mut().zip(upper).zip(lower) {
            let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
            *out = u8::try_from((sum + 2) >> 2).unwrap_or(u8::MAX);
        }
        if mirrored {
            row.reverse();
        }
    }
}

/// One output sample lies between `index` and the next, `weight / 256` of the way.
#[derive(Clone, Copy, Debug)]
struct Tap {
    index: usize,
    weight: u16,
}

/// Where each output sample's centre falls in the source.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    (0..to)
        .map(|n| {
            let centre = ((2 * n + 1) * from * 128 / to).saturating_sub(128);
            let index = (centre >> 8).min(from - 1);
            let weight = if index + 1 < from { centre & 255 } else { 0 };
            Tap {
                index,
                weight: u16::try_from(weight).unwrap_or_default(),
            }
        })
        .collect()
}

fn bilinear(target: &mut [u8], stride: usize, area: Area, source: Plane<'_>, mirrored: bool) {
    let columns = (3 * source.width != 4 * area.width).then(|| taps(source.width, area.width));
    let lines = taps(source.height, area.height);
    // The two rows are blended first, so that the inner loop of the columns reads one row only.
    let mut blended = vec![0_u16; source.width + 1];
    for (y, line) in lines.into_iter().enumerate() {
        let upper = source.row(line.index);
        let lower = source.row((line.index + 1).min(source.height - 1));
        let (one, two) = (256 - line.weight, line.weight);
        for ((out, &a), &b) in blended.iter_mut().zip(upper).zip(lower) {
            // At most 255 * 256.
            *out = u16::from(a) * one + u16::from(b) * two;
        }
        blended[source.width] = blended[source.width - 1];
        let Some(row) = row_mut(target, stride, area, y) else {
            return;
        };
        match &columns {
            Some(columns) => by_taps(row, &blended, columns),
            None => three_quarters(row, &blended),
        }
        if mirrored {
            row.reverse();
        }
    }
}

/// A row from one whose samples are multiplied by 256.
fn by_taps(row: &mut [u8], blended: &[u16], columns: &[Tap]) {
    for (out, tap) in row.iter_mut().zip(columns) {
        *out = between(blended[tap.index], blended[tap.index + 1], tap.weight);
    }
}

/// The same at three quarters of the width, in half the time: four samples make three, with the same
/// weights all along the row, a sixth, a half and five sixths of 256. So it is with 16 pictures of 640x360 on a display, or 4 of 1280x720.
fn three_quarters(row: &mut [u8], blended: &[u16]) {
    for (out, four) in row.chunks_exact_mut(3).zip(blended.chunks_exact(4)) {
        out[0] = between(four[0], four[1], 42);
        out[1] = between(four[1], four[2], 128);
        out[2] = between(four[2], four[3], 213);
    }
}

fn between(left: u16, right: u16, weight: u16) -> u8 {
    let weight = u32::from(weight);
    let value = u32::from(left) * (256 - weight) + u32::from(right) * weight + 32768;
    // At most 255 * 256 * 256.
    u8::try_from(value >> 16).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn three_quarters_are_what_any_width_would_be(
            four in proptest::collection::vec(any::<[u8; 4]>(), 1..50)
        ) {
            let mut blended: Vec<u16> = four.as_flattened().iter().map(|&it| u16::from(it) * 256).collect();
            let from = blended.len();
            blended.push(blended[from - 1]);
            let to = from / 4 * 3;
            let (mut fast, mut general) = (vec![0; to], vec![0; to]);
            three_quarters(&mut fast, &blended);
            by_taps(&mut general, &blended, &taps(from, to));
            prop_assert_eq!(fast, general);
        }
    }
}
