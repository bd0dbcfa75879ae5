// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pictures that a person could look at: PNG files of display and panel.

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
            .map(|p| {
                let sum = 299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2]);
                u8::try_from(sum / 1000).unwrap_or(u8::MAX)
            })
            .collect();
        Ok(Self {
            width: info.width as usize,
            height: info.height as usize,
            luma,
        })
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

/// Looks for a guest's time code in a tile of any place; milliseconds.
pub fn find_time_code(display: &Picture, number: u8) -> Option<u64> {
    for (width, height) in [(1280, 720), (640, 360)] {
        // The reader looks at the middle of each cell, which is a fortieth of the width.
        let step = width / 80;
        for y in (0..=display.height.saturating_sub(height)).step_by(step) {
            for x in (0..=display.width.saturating_sub(width)).step_by(step) {
                let found = timecode::read(display.part(x, y, width, height * 5 / 6));
                if let Some(code) = found.filter(|code| code.source == number) {
                    return Some(code.millis);
                }
            }
        }
    }
    None
}
