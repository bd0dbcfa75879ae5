// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The thread of a window as large as the composed picture. Most of a picture is what it was before:
//! the X server gets only the parts that changed, converted alone.

use std::io;
use std::sync::Arc;

use roomd_media_core::compose::Canvas;
use roomd_media_core::frame::{I420, Plane};
use roomd_media_core::scene::Rect;
use tokio::sync::watch;
use yuv::{YuvError, YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_bgra};

use crate::x11::{Window, X11Error};

/// What is converted at once, in bytes: little enough to stay in a cache on its way to the server.
const STRIP: u32 = 256 << 10;

/// A handle of the thread, which ends with it.
pub(crate) struct WindowThread(watch::Sender<Option<Arc<Canvas>>>);

/// A picture cannot be shown.
#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error(transparent)]
    X11(#[from] X11Error),
    #[error("converting a picture")]
    Convert(#[from] YuvError),
}

impl WindowThread {
    pub(crate) fn start(
        window: Window,
        failed: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, pictures) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let painter = Painter {
            window,
            shown: None,
            pixels: Vec::new(),
        };
        let run = move || {
            if let Err(error) = runtime.block_on(painter.run(pictures)) {
                tracing::info!(%error, "the window is lost");
                failed();
            }
        };
        std::thread::Builder::new()
            .name("window".to_owned())
            .spawn(run)?;
        Ok(Self(sender))
    }

    /// Shows a picture, unless a later one comes before its turn.
    pub(crate) fn push(&self, picture: Arc<Canvas>) {
        self.0.send_replace(Some(picture));
    }
}

struct Painter {
    window: Window,
    /// What the window shows; none when nobody knows.
    shown: Option<Arc<Canvas>>,
    pixels: Vec<u8>,
}

impl Painter {
    async fn run(
        mut self,
        mut pictures: watch::Receiver<Option<Arc<Canvas>>>,
    ) -> Result<(), ShowError> {
        while pictures.changed().await.is_ok() {
            let picture = pictures.borrow_and_update().clone();
            if let Some(picture) = picture {
                self.show(picture)?;
            }
        }
        Ok(())
    }

    fn show(&mut self, picture: Arc<Canvas>) -> Result<(), ShowError> {
        let before = self.shown.take();
        let changed = before.map_or_else(Vec::new, |before| picture.differs(&before));
        // Whoever shows a picture again wants all of it.
        let parts = if changed.is_empty() {
            vec![self.window.area()]
        } else {
            changed
        };
        for part in parts.into_iter().flat_map(strips) {
            convert(picture.picture(), part, &mut self.pixels)?;
            self.window.put(part, &self.pixels)?;
        }
        let exposed = self.window.settle()?;
        self.shown = (!exposed).then_some(picture);
        Ok(())
    }
}

/// A part from the top down, in strips of [`STRIP`] bytes at most, but of two rows at least.
fn strips(part: Rect) -> impl Iterator<Item = Rect> {
    let rows = (STRIP / part.width.saturating_mul(4).max(1)).max(2) & !1;
    let tops = (0..part.height).step_by(rows as usize);
    tops.map(move |top| Rect {
        y: part.y + top,
        height: rows.min(part.height - top),
        ..part
    })
}

/// A part of a picture, which begins at even pixels, as blue, green, red and nothing.
fn convert(picture: &I420, part: Rect, pixels: &mut Vec<u8>) -> Result<(), YuvError> {
    let stride = part.width * 4;
    pixels.resize(stride as usize * part.height as usize, 0);
    let [y, u, v] = [(0, 0), (1, 1), (2, 1)].map(|(index, shift)| {
        let plane = picture.plane(index);
        (from(plane, part.x >> shift, part.y >> shift), plane.stride)
    });
    let strided = |stride: usize| u32::try_from(stride).unwrap_or(u32::MAX);
    let image = YuvPlanarImage {
        y_plane: y.0,
        y_stride: strided(y.1),
        u_plane: u.0,
        u_stride: strided(u.1),
        v_plane: v.0,
        v_stride: strided(v.1),
        width: part.width,
        height: part.height,
    };
    yuv420_to_bgra(
        &image,
        pixels,
        stride,
        YuvRange::Limited,
        YuvStandardMatrix::Bt601,
    )
}

/// The samples of a plane from a place on.
fn from(plane: Plane<'_>, x: u32, y: u32) -> &[u8] {
    plane
        .data
        .get(y as usize * plane.stride + x as usize..)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_the_colours_of_its_place() {
        let mut picture = I420::black(8, 4);
        // A red pixel in BT.601, at the third column and row, and its chroma.
        picture.plane_mut(0)[2 * 8 + 2] = 81;
        picture.plane_mut(1)[4 + 1] = 90;
        picture.plane_mut(2)[4 + 1] = 240;
        let part = Rect {
            x: 2,
            y: 2,
            width: 4,
            height: 2,
        };
        let mut pixels = Vec::new();
        convert(&picture, part, &mut pixels).unwrap();
        assert_eq!(pixels.len(), 4 * 2 * 4);
        let [b, g, r, _] = [0, 1, 2, 3].map(|at| pixels[at]);
        assert!(r > 250 && g < 5 && b < 5, "{r} {g} {b}");
        assert_eq!(pixels[8..11], [0, 0, 0]);
    }

    #[test]
    fn strips_are_all_of_a_part() {
        let part = |y, height| Rect {
            x: 2,
            y,
            width: 1280,
            height,
        };
        let all: Vec<_> = strips(part(4, 130)).collect();
        assert_eq!(all, [part(4, 50), part(54, 50), part(104, 30)]);
        let wide = Rect {
            width: u32::MAX,
            ..part(0, 3)
        };
        assert_eq!(strips(wide).map(|it| it.height).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(strips(part(4, 0)).count(), 0);
    }

    #[test]
    fn a_part_outside_is_an_error() {
        let part = Rect {
            x: 4,
            y: 0,
            width: 8,
            height: 16,
        };
        assert!(convert(&I420::black(8, 4), part, &mut Vec::new()).is_err());
    }
}
