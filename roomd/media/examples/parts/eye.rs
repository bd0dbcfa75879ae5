// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Looks at an X screen as a person would: when does a picture appear that says when it was drawn?

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use roomd_media_core::frame::Plane;
use roomd_media_core::timecode::{self, CELLS_PER_WIDTH, ROWS, TimeCode};
use serde_json::json;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use x11rb::rust_connection::RustConnection;

use crate::{end_with_input, tell};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(1);

/// Tells the age of each new picture of this size, in milliseconds; there may be anything around it.
pub fn run(display: &str, width: u32, height: u32) -> Result<()> {
    end_with_input();
    let eye = Eye::open(display, width as usize, height as usize)?;
    let mut place = None;
    let mut last = None;
    loop {
        std::thread::sleep(EVERY);
        let Some((x, y)) = place else {
            place = eye.find()?;
            continue;
        };
        let code = eye.read(x, y)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        if let Some(code) = code.filter(|code| last != Some(code.millis)) {
            last = Some(code.millis);
            tell(&json!({ "age_ms": now.as_secs_f64() * 1000.0 - code.millis as f64 }));
        }
    }
}

struct Eye {
    connection: RustConnection,
    root: u32,
    screen: (usize, usize),
    width: usize,
    height: usize,
}

impl Eye {
    fn open(display: &str, width: usize, height: usize) -> Result<Self> {
        let (connection, number) = x11rb::connect(Some(display))?;
        let screen = connection.setup().roots.get(number).context("no screen")?;
        let (root, screen) = (
            screen.root,
            (
                usize::from(screen.width_in_pixels),
                usize::from(screen.height_in_pixels),
            ),
        );
        Ok(Self {
            connection,
            root,
            screen,
            width,
            height,
        })
    }

    /// The picture's upper left corner.
    fn find(&self) -> Result<Option<(usize, usize)>> {
        let luma = self.look(0, 0, self.screen.0, self.screen.1)?;
        let step = self.width / CELLS_PER_WIDTH / 4;
        let (right, bottom) = (self.screen.0 - self.width, self.screen.1 - self.height);
        for y in (0..=bottom).step_by(step) {
            for x in (0..=right).step_by(step) {
                let part = Plane {
                    width: self.width,
                    height: self.height,
                    stride: self.screen.0,
                    data: &luma[y * self.screen.0 + x..],
                };
                if timecode::read(part).is_some() {
                    return Ok(Some((x, y)));
                }
            }
        }
        Ok(None)
    }

    /// Reads the code of a picture there from the middle line of each of its rows.
    fn read(&self, x: usize, y: usize) -> Result<Option<TimeCode>> {
        let cell = self.width / CELLS_PER_WIDTH;
        let mut luma = vec![0; self.width * self.height];
        for row in 0..ROWS {
            let top = self.height - (1 + ROWS - row) * cell;
            let line = self.look(x, y + top + cell / 2, self.width, 1)?;
            for copy in luma[top * self.width..(top + cell) * self.width].chunks_mut(self.width) {
                copy.copy_from_slice(&line);
            }
        }
        Ok(timecode::read(Plane {
            width: self.width,
            height: self.height,
            stride: self.width,
            data: &luma,
        }))
    }

    /// The green of a part of the screen, which is near enough to its brightness.
    fn look(&self, x: usize, y: usize, width: usize, height: usize) -> Result<Vec<u8>> {
        let image = self.connection.get_image(
            ImageFormat::Z_PIXMAP,
            self.root,
            i16::try_from(x)?,
            i16::try_from(y)?,
            u16::try_from(width)?,
            u16::try_from(height)?,
            u32::MAX,
        )?;
        let pixels = image.reply()?.data;
        Ok(pixels.chunks_exact(4).map(|pixel| pixel[1]).collect())
    }
}
