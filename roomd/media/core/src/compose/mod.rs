// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Draws a [`Scene`] into one I420 picture.
//!
//! A still picture is converted to Y, Cb, Cr and coverage once and kept as long as the scene names
//! it; a moving picture of its tile's size is copied row by row, any other is scaled. What has not
//! changed since a canvas was drawn last is not drawn again.

mod canvas;
pub(crate) mod scale;
mod still;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::frame::{I420, Planes};
use crate::scene::{HEIGHT, Overlay, Picture, Rect, Scene, Tile, TileSource, WIDTH};

use canvas::seen;
use still::Still;

pub use canvas::Canvas;

/// The latest picture of each source.
pub type Sources = BTreeMap<TileSource, Arc<dyn Planes>>;

/// Composes scenes; keeps what it converted.
#[derive(Debug, Default)]
pub struct Composer {
    stills: Vec<(Arc<Picture>, Still)>,
    background: Option<(Arc<Picture>, I420)>,
}

impl Composer {
    /// Draws a scene over whatever `target` held, which is [`WIDTH`] by [`HEIGHT`].
    pub fn compose(&mut self, scene: &Scene, sources: &Sources, target: &mut I420) {
        if (target.width(), target.height()) != (WIDTH, HEIGHT) {
            *target = I420::black(WIDTH, HEIGHT);
        }
        self.convert(scene);
        self.draw_background(target);
        for tile in &scene.tiles {
            draw_tile(tile, sources, target);
        }
        for overlay in &scene.overlays {
            self.draw_overlay(overlay, target);
        }
    }

    /// Draws a scene on a canvas, and on it only what differs from what it shows.
    pub fn update(&mut self, scene: &Arc<Scene>, sources: &Sources, canvas: &mut Canvas) {
        let seen = seen(scene, sources);
        if let Some(changed) = canvas.changes(scene, &seen) {
            for index in changed {
                let tile = &scene.tiles[index];
                draw_tile(tile, sources, &mut canvas.picture);
                let above = |overlay: &&Overlay| canvas::meets(tile.rect, overlay.rect());
                for overlay in scene.overlays.iter().filter(above) {
                    self.draw_overlay(overlay, &mut canvas.picture);
                }
            }
        } else {
            self.compose(scene, sources, &mut canvas.picture);
        }
        canvas.note(scene.clone(), seen);
    }

    fn draw_overlay(&self, overlay: &Overlay, target: &mut I420) {
        let is = |(picture, _): &&(Arc<Picture>, Still)| Arc::ptr_eq(picture, &overlay.picture);
        if let Some((_, still)) = self.stills.iter().find(is) {
            still.blend(target, overlay.x, overlay.y);
        }
    }

    /// Converts what is new and forgets what the scene no longer names.
    fn convert(&mut self, scene: &Scene) {
        self.stills.retain(|(picture, _)| {
            let named = |overlay: &crate::scene::Overlay| Arc::ptr_eq(&overlay.picture, picture);
            scene.overlays.iter().any(named)
        });
        for overlay in &scene.overlays {
            let known =
                |(picture, _): &(Arc<Picture>, Still)| Arc::ptr_eq(picture, &overlay.picture);
            if !self.stills.iter().any(known)
                && let Some(still) = Still::new(&overlay.picture)
            {
                self.stills.push((overlay.picture.clone(), still));
            }
        }
        let Some(wanted) = &scene.background else {
            self.background = None;
            return;
        };
        let known = |(picture, _): &(Arc<Picture>, I420)| Arc::ptr_eq(picture, wanted);
        if !self.background.as_ref().is_some_and(known) {
            let mut base = I420::black(WIDTH, HEIGHT);
            if let Some(still) = Still::new(wanted) {
                still.blend(&mut base, 0, 0);
            }
            self.background = Some((wanted.clone(), base));
        }
    }

    fn draw_background(&self, target: &mut I420) {
        if let Some((_, base)) = &self.background {
            for (to, from) in target.planes_mut().into_iter().zip(0..) {
                to.copy_from_slice(base.plane(from).data);
            }
        } else {
            for (plane, value) in target.planes_mut().into_iter().zip([16, 128, 128]) {
                plane.fill(value);
            }
        }
    }
}

fn draw_tile(tile: &Tile, sources: &Sources, target: &mut I420) {
    if let (Some(rect), Some(frame)) = (clip(tile.rect), sources.get(&tile.source)) {
        let mirrored = tile.source == TileSource::SelfView;
        fit(target, frame.as_ref(), rect, mirrored);
    }
}

/// Draws a moving picture into a rectangle: as large as fits, centred, on black.
pub fn fit(target: &mut I420, frame: &dyn Planes, rect: Rect, mirrored: bool) {
    let inner = fitted((frame.width(), frame.height()), rect);
    if inner != rect {
        fill_black(target, rect);
    }
    for index in 0..3 {
        let shift = u32::from(index > 0);
        let stride = target.plane(index).stride;
        let area = scale::Area {
            x: (inner.x >> shift) as usize,
            y: (inner.y >> shift) as usize,
            width: (inner.width >> shift) as usize,
            height: (inner.height >> shift) as usize,
        };
        scale::plane(
            target.plane_mut(index),
            stride,
            area,
            frame.plane(index),
            mirrored,
        );
    }
}

/// The largest even rectangle of the frame's shape, centred in `rect`.
fn fitted((width, height): (u32, u32), rect: Rect) -> Rect {
    let (w, h) = (u64::from(width), u64::from(height));
    let (rw, rh) = (u64::from(rect.width), u64::from(rect.height));
    // A shape that differs by less than two pixels fills the tile: encoders round sizes.
    let (inner_width, inner_height) = if w * rh > rw * h {
        (rw, (rw * h + w / 2) / w)
    } else {
        ((rh * w + h / 2) / h, rh)
    };
    let even = |value: u64, limit: u64| {
        let value = if limit.saturating_sub(value) < 2 {
            limit
        } else {
            value
        };
        u32::try_from(value & !1).unwrap_or_default().max(2)
    };
    let (inner_width, inner_height) = (even(inner_width, rw), even(inner_height, rh));
    Rect {
        x: rect.x + ((rect.width.saturating_sub(inner_width) / 2) & !1),
        y: rect.y + ((rect.height.saturating_sub(inner_height) / 2) & !1),
        width: inner_width,
        height: inner_height,
    }
}

/// Keeps a rectangle inside the picture and even; none when nothing is left.
fn clip(rect: Rect) -> Option<Rect> {
    let x = rect.x.min(WIDTH) & !1;
    let y = rect.y.min(HEIGHT) & !1;
    let width = rect.width.min(WIDTH - x) & !1;
    let height = rect.height.min(HEIGHT - y) & !1;
    (width >= 2 && height >= 2).then_some(Rect {
        x,
        y,
        width,
        height,
    })
}

fn fill_black(target: &mut I420, rect: Rect) {
    for (index, value) in [(0, 16), (1, 128), (2, 128)] {
        let shift = u32::from(index > 0);
        let stride = target.plane(index).stride;
        let (left, width) = ((rect.x >> shift) as usize, (rect.width >> shift) as usize);
        let plane = target.plane_mut(index);
        for y in (rect.y >> shift)..((rect.y + rect.height) >> shift) {
            let start = y as usize * stride + left;
            if let Some(row) = plane.get_mut(start..start + width) {
                row.fill(value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
