// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The picture that stands in for a camera: calm motion, a clock for people, a time code for
//! machines.

use crate::frame::{I420, colour};
use crate::timecode::{self, TimeCode};

/// Width of the test picture and of every sent camera picture.
pub const WIDTH: u32 = 1280;
/// Height of the test picture and of every sent camera picture.
pub const HEIGHT: u32 = 720;

/// Width and height of the test picture.
pub const SIZE: (u32, u32) = (WIDTH, HEIGHT);

/// Draws test pictures.
#[derive(Debug)]
pub struct TestPicture {
    base: I420,
    source: u8,
}

impl TestPicture {
    /// A picture whose time code carries this source id.
    #[must_use]
    pub fn new(source: u8) -> Self {
        Self {
            base: background(),
            source,
        }
    }

    /// The picture of a moment, in milliseconds since the Unix epoch; the clock shows it in the
    /// time zone that is `offset_seconds` ahead of UTC.
    #[must_use]
    pub fn draw(&self, millis: u64, offset_seconds: i32) -> I420 {
        let mut frame = self.base.clone();
        self.add(&mut frame, millis, offset_seconds);
        frame
    }

    /// The same, drawn over all of a picture of [`SIZE`].
    pub fn draw_over(&self, frame: &mut I420, millis: u64, offset_seconds: i32) {
        self.base.scale_to(frame);
        self.add(frame, millis, offset_seconds);
    }

    /// What changes.
    fn add(&self, frame: &mut I420, millis: u64, offset_seconds: i32) {
        let phase = (millis % 8000) as f64 / 8000.0 * std::f64::consts::TAU;
        for (index, rgb) in [[122, 162, 247], [158, 206, 106], [224, 175, 104]]
            .into_iter()
            .enumerate()
        {
            let angle = phase + index as f64 * 2.1;
            let x = 640.0 + 420.0 * angle.cos();
            let y = 170.0 + 50.0 * (2.0 * angle).sin();
            disc(frame, (x, y), 46.0, colour::from_rgb(rgb));
        }
        clock(frame, millis, offset_seconds);
        let code = TimeCode {
            millis,
            source: self.source,
        };
        timecode::draw(frame, code);
    }

    /// The picture that stands in for a camera that is lost: nothing moves.
    #[must_use]
    pub fn still(&self) -> I420 {
        self.base.clone()
    }
}

fn background() -> I420 {
    let mut frame = I420::black(WIDTH, HEIGHT);
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    for y in 0..height {
        let row = &mut frame.plane_mut(0)[y * width..(y + 1) * width];
        let shade = 40 + y * 50 / height;
        row.fill(u8::try_from(shade).unwrap_or(40));
    }
    for (index, value) in [(1, 140), (2, 116)] {
        frame.plane_mut(index).fill(value);
    }
    frame
}

/// Fills a circle; the centre in luma pixels.
fn disc(frame: &mut I420, (cx, cy): (f64, f64), radius: f64, ycbcr: [u8; 3]) {
    for (index, value) in ycbcr.into_iter().enumerate() {
        let scale = if index == 0 { 1.0 } else { 2.0 };
        let (cx, cy, r) = (cx / scale, cy / scale, radius / scale);
        let plane = frame.plane(index);
        let (width, height) = (plane.width, plane.height);
        let target = frame.plane_mut(index);
        let top = (cy - r).max(0.0) as usize;
        let bottom = ((cy + r) as usize + 1).min(height);
        for y in top..bottom {
            let dy = y as f64 + 0.5 - cy;
            let half = (r * r - dy * dy).max(0.0).sqrt();
            let left = ((cx - half).max(0.0) as usize).min(width);
            let right = ((cx + half).max(0.0) as usize).min(width);
            target[y * width + left..y * width + right].fill(value);
        }
    }
}

/// Five rows of three bits for each digit, then the colon and the dot.
const FONT: [[u8; 5]; 12] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
    [0b000, 0b010, 0b000, 0b010, 0b000],
    [0b000, 0b000, 0b000, 0b000, 0b010],
];
const COLON: usize = 10;
const DOT: usize = 11;
const DOT_SIZE: usize = 24;

/// Draws `HH:MM:SS.hh` in the middle.
fn clock(frame: &mut I420, millis: u64, offset_seconds: i32) {
    let seconds = (millis / 1000).saturating_add_signed(i64::from(offset_seconds));
    let digit = |value: u64| usize::try_from(value % 10).unwrap_or_default();
    let pair = |value: u64| [digit(value / 10), digit(value)];
    let [hour, minute] = [pair(seconds / 3600 % 24), pair(seconds / 60 % 60)];
    let [second, hundredth] = [pair(seconds % 60), pair(millis / 10 % 100)];
    let glyphs = [
        hour[0],
        hour[1],
        COLON,
        minute[0],
        minute[1],
        COLON,
        second[0],
        second[1],
        DOT,
        hundredth[0],
        hundredth[1],
    ];
    let width = frame.width() as usize;
    let total = glyphs.len() * 4 * DOT_SIZE - DOT_SIZE;
    let left = (width - total) / 2;
    let luma = frame.plane_mut(0);
    for (place, glyph) in glyphs.into_iter().enumerate() {
        for (row, bits) in FONT[glyph].into_iter().enumerate() {
            for column in (0..3).filter(|column| bits >> (2 - column) & 1 == 1) {
                let x = left + (place * 4 + column) * DOT_SIZE;
                let y = 320 + row * DOT_SIZE;
                for line in y..y + DOT_SIZE {
                    luma[line * width + x..line * width + x + DOT_SIZE].fill(225);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_carries_its_moment() {
        let picture = TestPicture::new(3);
        for millis in [0, 1_795_000_123_456, u64::MAX] {
            let frame = picture.draw(millis, 3600);
            let mut over = picture.draw(millis / 2, 0);
            picture.draw_over(&mut over, millis, 3600);
            assert_eq!(over, frame);
            let code = timecode::read(frame.plane(0)).unwrap();
            assert_eq!(code, TimeCode { millis, source: 3 });
        }
    }

    #[test]
    fn pictures_move_and_the_still_does_not_tell_a_time() {
        let picture = TestPicture::new(3);
        assert_ne!(
            picture.draw(1_000_000, 0).plane(1).data,
            picture.draw(1_000_500, 0).plane(1).data
        );
        assert_eq!(timecode::read(picture.still().plane(0)), None);
    }

    #[test]
    fn the_clock_shows_the_time_of_day() {
        let frame = TestPicture::new(0).draw(45_296_780, 0);
        let expected: String = "12:34:56.78".into();
        assert_eq!(read_clock(&frame), expected);
        assert_eq!(
            read_clock(&TestPicture::new(0).draw(45_296_780, -7200)),
            "10:34:56.78"
        );
    }

    fn read_clock(frame: &I420) -> String {
        let width = frame.width() as usize;
        let left = (width - (11 * 4 - 1) * DOT_SIZE) / 2;
        (0..11)
            .map(|place| {
                let glyph: Vec<u8> = (0..5)
                    .map(|row| {
                        (0..3).fold(0, |bits, column| {
                            let x = left + (place * 4 + column) * DOT_SIZE + DOT_SIZE / 2;
                            let y = 320 + row * DOT_SIZE + DOT_SIZE / 2;
                            bits << 1 | u8::from(frame.plane(0).data[y * width + x] == 225)
                        })
                    })
                    .collect();
                let index = FONT.iter().position(|font| font[..] == glyph[..]).unwrap();
                "0123456789:.".chars().nth(index).unwrap()
            })
            .collect()
    }
}
