// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pictures that a person could look at: PNG files of display and panel.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use roomd_media_core::frame::Plane;
use roomd_media_core::timecode::{self, TimeCode};

/// A decoded picture.
pub struct Picture {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Brightness of each pixel, row by row.
    pub luma: Vec<u8>,
}

impl Picture {
    /// Reads a PNG file.
    pub fn read(path: &Path) -> Result<Self> {
        let file =
            std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut decoder = png::Decoder::new(std::io::BufReader::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let size = reader
            .output_buffer_size()
            .context("the picture is too large")?;
        let mut bytes = vec![0; size];
        let info = reader.next_frame(&mut bytes)?;
        let channels = info.color_type.samples();
        if channels < 3 {
            bail!("{} is not a colour picture", path.display());
        }
        let luma = bytes[..info.buffer_size()]
            .chunks_exact(channels)
            .map(luma)
            .collect();
        Ok(Self {
            width: info.width as usize,
            height: info.height as usize,
            luma,
        })
    }

    /// Reads a PPM file of 8 bits, as QEMU writes it.
    pub fn ppm(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes;
        let mut word = || {
            let end = rest.iter().position(u8::is_ascii_whitespace)?;
            let (word, tail) = rest.split_at(end);
            rest = tail.get(1..)?;
            std::str::from_utf8(word).ok()
        };
        let head = [word(), word(), word(), word()];
        let [Some("P6"), Some(width), Some(height), Some("255")] = head else {
            bail!("not a PPM file of 8 bits");
        };
        let (width, height) = (width.parse()?, height.parse()?);
        let luma = rest.chunks_exact(3).map(luma).collect();
        Ok(Self {
            width,
            height,
            luma,
        })
    }

    /// A part as a PGM file, twice as large and dark on white, as character recognition likes it.
    pub fn negative(&self, part: [usize; 4]) -> Vec<u8> {
        self.enlarged(part, |luma| u8::MAX - luma)
    }

    /// A part as a PGM file, twice as large, with each brightness changed.
    pub fn enlarged(
        &self,
        [x, y, width, height]: [usize; 4],
        change: impl Fn(u8) -> u8,
    ) -> Vec<u8> {
        let mut file = format!("P5\n{} {}\n255\n", 2 * width, 2 * height).into_bytes();
        for row in 0..2 * height {
            let pixels = (0..2 * width).map(|column| {
                let at = (y + row / 2) * self.width + x + column / 2;
                change(self.luma.get(at).copied().unwrap_or(0))
            });
            file.extend(pixels);
        }
        file
    }

    /// What is left of it in this shape when the bars above and below, or beside it, are taken away.
    pub fn without_borders(&self, width: usize, height: usize) -> Self {
        let (wide, high) = (
            self.width.min(self.height * width / height.max(1)),
            self.height.min(self.width * height / width.max(1)),
        );
        let part = self.part(
            (self.width - wide) / 2,
            (self.height - high) / 2,
            wide,
            high,
        );
        Self {
            width: wide,
            height: high,
            luma: (0..high).flat_map(|y| part.row(y).to_vec()).collect(),
        }
    }

    /// How alike two pictures are, whatever their sizes: the correlation of their brightness in 64 by
    /// 36 places; 1 for the same.
    pub fn likeness(&self, other: &Self) -> f64 {
        let pairs: Vec<(f64, f64)> = (0..64 * 36)
            .map(|at| (self.place(at % 64, at / 64), other.place(at % 64, at / 64)))
            .collect();
        let count = pairs.len() as f64;
        let (sum_a, sum_b) = pairs
            .iter()
            .fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        let (mean_a, mean_b) = (sum_a / count, sum_b / count);
        let (mut both, mut a, mut b) = (0.0, 0.0, 0.0);
        for (x, y) in pairs {
            both += (x - mean_a) * (y - mean_b);
            a += (x - mean_a).powi(2);
            b += (y - mean_b).powi(2);
        }
        if a == 0.0 || b == 0.0 {
            return 0.0;
        }
        both / (a * b).sqrt()
    }

    /// The mean brightness of a 64th by a 36th of the picture.
    fn place(&self, x: usize, y: usize) -> f64 {
        let (width, height) = (self.width / 64, self.height / 36);
        let part = self.part(x * self.width / 64, y * self.height / 36, width, height);
        let sum: f64 = (0..height)
            .flat_map(|y| part.row(y))
            .map(|luma| f64::from(*luma))
            .sum();
        sum / (width * height).max(1) as f64
    }

    /// How much brightness varies in a part of it (standard deviation); 0 for a plain surface.
    pub fn deviation(&self, x: usize, y: usize, width: usize, height: usize) -> f64 {
        let part = self.part(x, y, width, height);
        let values: Vec<f64> = (0..height)
            .flat_map(|y| part.row(y))
            .map(|luma| f64::from(*luma))
            .collect();
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt()
    }

    /// The time code in a part of it: left, top, width, height.
    pub fn time_code(&self, [x, y, width, height]: [usize; 4]) -> Option<TimeCode> {
        timecode::read(self.part(x, y, width, height))
    }

    /// The brightness of a part of it, for the reader of time codes.
    fn part(&self, x: usize, y: usize, width: usize, height: usize) -> Plane<'_> {
        let data = self.luma.get(y * self.width + x..).unwrap_or_default();
        Plane {
            data,
            stride: self.width,
            width,
            height,
        }
    }
}

fn luma(pixel: &[u8]) -> u8 {
    let sum = 299 * u32::from(pixel[0]) + 587 * u32::from(pixel[1]) + 114 * u32::from(pixel[2]);
    u8::try_from(sum / 1000).unwrap_or(u8::MAX)
}

/// Looks for a guest's time code in a tile of any place; milliseconds.
pub fn find_time_code(display: &Picture, number: u8) -> Option<u64> {
    let found = codes(display).find(|code| code.source == number);
    found.map(|code| code.millis)
}

/// The time codes in all tiles: milliseconds by who drew them.
pub fn time_codes(display: &Picture) -> BTreeMap<u8, u64> {
    codes(display)
        .map(|code| (code.source, code.millis))
        .collect()
}

fn codes(display: &Picture) -> impl Iterator<Item = TimeCode> {
    let sizes = [(1280, 720), (640, 360)].into_iter();
    let places = sizes.flat_map(move |(width, height)| {
        // The reader looks at the middle of each cell, which is a fortieth of the width.
        let step = width / 80;
        let rows = (0..=display.height.saturating_sub(height)).step_by(step);
        rows.flat_map(move |y| {
            let columns = (0..=display.width.saturating_sub(width)).step_by(step);
            columns.map(move |x| (x, y, width, height))
        })
    });
    places.filter_map(move |(x, y, width, height)| {
        timecode::read(display.part(x, y, width, height * 5 / 6))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, luma: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
        for at in 0..width * height {
            bytes.extend([luma(at % width * 64 / width, at / width * 36 / height); 3]);
        }
        bytes
    }

    #[test]
    fn the_same_picture_in_another_size_is_alike() {
        let drawn = |x: usize, y: usize| {
            if (x / 8 + y / 6).is_multiple_of(2) {
                200
            } else {
                20
            }
        };
        let large = Picture::ppm(&picture(1280, 720, drawn)).unwrap();
        let small = Picture::ppm(&picture(640, 360, drawn)).unwrap();
        assert!(large.likeness(&small) > 0.99);
        let other = Picture::ppm(&picture(640, 360, |x, _| x as u8 * 3)).unwrap();
        assert!(large.likeness(&other) < 0.3);
        let plain = Picture::ppm(&picture(640, 360, |_, _| 7)).unwrap();
        assert_eq!(large.likeness(&plain), 0.0);
        assert!(Picture::ppm(b"P5\n1 1\n255\n.").is_err());
    }
}
