// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A time code in the picture that a machine reads back, after scaling and lossy encoding.
//!
//! # Geometry
//!
//! The code is a band of black and white cells in the lower left of a picture of `W` by `H` pixels.
//! Its grid has [`COLUMNS`] = 32 columns and [`ROWS`] = 3 rows. A cell is `W / 40` wide and as high
//! (`W / 40`, whatever the picture's shape); at 1280x720 that is 32 pixels, at 640x360 16. The
//! grid's left edge is at `W * 4 / 40`, its lower edge at `H - W / 40`; so cell `(column, row)` has
//! its centre at
//!
//! ```text
//! x = (4 + column + 0.5) * W / 40
//! y = H - (1 + ROWS - row - 0.5) * W / 40
//! ```
//!
//! and everything is computed in real numbers and rounded down last. A frame of one cell around the
//! grid is grey (luma 126). A cell is white (luma 235) for 1 and black (luma 16) for 0.
//!
//! The 96 cells carry 96 bits, the most significant first, row by row from the upper left:
//!
//! | bits | what |
//! | --- | --- |
//! | 0 to 63 | milliseconds since the Unix epoch |
//! | 64 to 71 | source id |
//! | 72 to 79 | the constant `0xA5` |
//! | 80 to 95 | CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) over the ten bytes before |
//!
//! A reader averages the luma of the middle half of each cell (in both directions) and compares it
//! with 126.

use crate::frame::{I420, Plane};

/// Columns of the grid.
pub const COLUMNS: usize = 32;
/// Rows of the grid.
pub const ROWS: usize = 3;
/// The picture's width in cells.
pub const CELLS_PER_WIDTH: usize = 40;
/// Cells left of the grid.
pub const MARGIN_CELLS: usize = 4;

const MARK: u8 = 0xA5;
const BLACK: u8 = 16;
const GREY: u8 = 126;
const WHITE: u8 = 235;

/// What the code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeCode {
    /// Milliseconds since the Unix epoch.
    pub millis: u64,
    /// Who drew it.
    pub source: u8,
}

/// Draws the code into a picture.
pub fn draw(frame: &mut I420, code: TimeCode) {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let bits = encode(code);
    let luma = frame.plane_mut(0);
    let around = Area::new(
        width,
        height,
        (-1.0, -1.0),
        (COLUMNS as f64 + 1.0, ROWS as f64 + 1.0),
    );
    around.fill(luma, width, GREY);
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let index = row * COLUMNS + column;
            let set = bits[index / 8] >> (7 - index % 8) & 1 == 1;
            let (left, top) = (column as f64, row as f64);
            Area::new(width, height, (left, top), (left + 1.0, top + 1.0)).fill(
                luma,
                width,
                if set { WHITE } else { BLACK },
            );
        }
    }
    let area = around;
    for index in 1..=2 {
        let stride = width.div_ceil(2);
        let chroma = frame.plane_mut(index);
        for y in area.top / 2..area.bottom / 2 {
            if let Some(row) =
                chroma.get_mut(y * stride + area.left / 2..y * stride + area.right / 2)
            {
                row.fill(128);
            }
        }
    }
}

/// Reads the code from a luma plane of any size; none when there is none.
#[must_use]
pub fn read(luma: Plane<'_>) -> Option<TimeCode> {
    if luma.width < CELLS_PER_WIDTH * 4 || luma.height < luma.width / CELLS_PER_WIDTH * (ROWS + 2) {
        return None;
    }
    let mut bytes = [0_u8; COLUMNS * ROWS / 8];
    for index in 0..COLUMNS * ROWS {
        let (left, top) = ((index % COLUMNS) as f64, (index / COLUMNS) as f64);
        let from = (left + 0.25, top + 0.25);
        let to = (left + 0.75, top + 0.75);
        let mean = Area::new(luma.width, luma.height, from, to).mean(&luma);
        if mean > u32::from(GREY) {
            bytes[index / 8] |= 1 << (7 - index % 8);
        }
    }
    decode(bytes)
}

/// A part of the grid in pixels; fractions of cells in, clamped to the picture.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Area {
    fn new(width: usize, height: usize, from: (f64, f64), to: (f64, f64)) -> Self {
        let cell = width as f64 / CELLS_PER_WIDTH as f64;
        let x = |column: f64| pixel((MARGIN_CELLS as f64 + column) * cell, width);
        let y = |row: f64| pixel(height as f64 - (1.0 + ROWS as f64 - row) * cell, height);
        Self {
            left: x(from.0),
            top: y(from.1),
            right: x(to.0),
            bottom: y(to.1),
        }
    }

    fn fill(&self, luma: &mut [u8], stride: usize, value: u8) {
        for y in self.top..self.bottom {
            if let Some(row) = luma.get_mut(y * stride + self.left..y * stride + self.right) {
                row.fill(value);
            }
        }
    }

    fn mean(&self, luma: &Plane<'_>) -> u32 {
        let (mut sum, mut count) = (0_u32, 0_u32);
        for y in self.top..self.bottom {
            for &sample in luma.row(y).get(self.left..self.right).unwrap_or_default() {
                sum += u32::from(sample);
                count += 1;
            }
        }
        sum.checked_div(count).unwrap_or_default()
    }
}

fn pixel(value: f64, limit: usize) -> usize {
    (value.max(0.0) as usize).min(limit)
}

fn encode(code: TimeCode) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&code.millis.to_be_bytes());
    bytes[8] = code.source;
    bytes[9] = MARK;
    let sum = crc16(&bytes[..10]);
    bytes[10..].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn decode(bytes: [u8; 12]) -> Option<TimeCode> {
    let sum = u16::from_be_bytes([bytes[10], bytes[11]]);
    if bytes[9] != MARK || crc16(&bytes[..10]) != sum {
        return None;
    }
    let mut millis = [0; 8];
    millis.copy_from_slice(&bytes[..8]);
    Some(TimeCode {
        millis: u64::from_be_bytes(millis),
        source: bytes[8],
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |mut sum, &byte| {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 {
                sum << 1
            } else {
                sum << 1 ^ 0x1021
            };
        }
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose;
    use crate::scene::Rect;

    const CODE: TimeCode = TimeCode {
        millis: 1_795_000_123_456,
        source: 0x7C,
    };

    fn drawn(width: u32, height: u32) -> I420 {
        let mut frame = I420::black(width, height);
        draw(&mut frame, CODE);
        frame
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc16(b"123456789"), 0x29B1);
    }

    #[test]
    fn reads_what_it_drew_at_any_size() {
        for (width, height) in [
            (1280, 720),
            (640, 360),
            (320, 180),
            (960, 540),
            (640, 480),
            (1918, 1078),
        ] {
            assert_eq!(
                read(drawn(width, height).plane(0)),
                Some(CODE),
                "{width}x{height}"
            );
        }
    }

    #[test]
    fn survives_scaling_in_both_directions() {
        let original = drawn(1280, 720);
        for (width, height) in [(640, 360), (320, 180), (426, 240), (1920, 1080)] {
            let mut scaled = I420::black(width, height);
            let rect = Rect {
                x: 0,
                y: 0,
                width,
                height,
            };
            compose::fit(&mut scaled, &original, rect, false);
            assert_eq!(read(scaled.plane(0)), Some(CODE), "{width}x{height}");
        }
    }

    #[test]
    fn survives_noise_and_low_contrast() {
        let mut frame = drawn(640, 360);
        let mut seed = 1_u32;
        for sample in frame.plane_mut(0) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (seed >> 24) as i32 % 121 - 60;
            let flat = (i32::from(*sample) - 126) / 2 + 126;
            *sample = u8::try_from((flat + noise).clamp(0, 255)).unwrap();
        }
        assert_eq!(read(frame.plane(0)), Some(CODE));
    }

    #[test]
    fn a_damaged_or_missing_code_reads_as_none() {
        let mut frame = drawn(640, 360);
        // Cell (5, 0) turned over: its corner is at (144, 296), and it is 16 pixels wide.
        for y in 296..312 {
            for x in 144..160 {
                let sample = &mut frame.plane_mut(0)[y * 640 + x];
                *sample = 251 - *sample;
            }
        }
        assert_eq!(read(frame.plane(0)), None);
        assert_eq!(read(I420::black(1280, 720).plane(0)), None);
        assert_eq!(read(I420::black(2, 2).plane(0)), None);
    }
}
