// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A composed picture that remembers what it shows.

use std::sync::{Arc, Weak};

use super::{Sources, clip};
use crate::frame::{I420, Planes};
use crate::scene::{HEIGHT, Rect, Scene, WIDTH};

/// All of a canvas.
const WHOLE: Rect = Rect {
    x: 0,
    y: 0,
    width: WIDTH,
    height: HEIGHT,
};

/// The picture that a tile shows. Held weakly: the memory of a picture that is gone is not given to
/// another one as long as it is named here, so none is taken for another.
type Seen = Option<Weak<dyn Planes>>;

/// A composed picture, and what it shows.
#[derive(Debug)]
pub struct Canvas {
    pub(super) picture: I420,
    scene: Option<Arc<Scene>>,
    tiles: Vec<Seen>,
}

impl Default for Canvas {
    fn default() -> Self {
        Self {
            picture: I420::black(WIDTH, HEIGHT),
            scene: None,
            tiles: Vec::new(),
        }
    }
}

impl Canvas {
    /// The picture.
    #[must_use]
    pub const fn picture(&self) -> &I420 {
        &self.picture
    }

    /// Where this picture differs from another canvas; all of it unless both show the same scene.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Vec<Rect> {
        let scene = self.scene.as_ref();
        let changed = scene.and_then(|scene| Some((scene, other.changes(scene, &self.tiles)?)));
        let Some((scene, changed)) = changed else {
            return vec![WHOLE];
        };
        let tiles = changed
            .into_iter()
            .filter_map(|index| scene.tiles.get(index));
        tiles.filter_map(|tile| clip(tile.rect)).collect()
    }

    /// The tiles that must be drawn anew; none when everything must.
    pub(super) fn changes(&self, scene: &Arc<Scene>, seen: &[Seen]) -> Option<Vec<usize>> {
        let drawn = self.scene.as_ref()?;
        if !Arc::ptr_eq(drawn, scene) {
            return None;
        }
        let pairs = self.tiles.iter().zip(seen).enumerate();
        let changed: Vec<usize> = pairs
            .filter(|(_, (before, now))| !same(before, now))
            .map(|(index, _)| index)
            .collect();
        let alone = |index: &usize| seen[*index].is_some() && stands_alone(scene, *index);
        changed.iter().all(alone).then_some(changed)
    }

    pub(super) fn note(&mut self, scene: Arc<Scene>, seen: Vec<Seen>) {
        self.scene = Some(scene);
        self.tiles = seen;
    }
}

/// The picture of each tile.
pub(super) fn seen(scene: &Scene, sources: &Sources) -> Vec<Seen> {
    let of = |tile: &crate::scene::Tile| sources.get(&tile.source).map(Arc::downgrade);
    scene.tiles.iter().map(of).collect()
}

fn same(a: &Seen, b: &Seen) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::addr_eq(a.as_ptr(), b.as_ptr()),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether a tile can be drawn without the rest: no other tile and no edge of an overlay lies in it.
fn stands_alone(scene: &Scene, index: usize) -> bool {
    let rect = scene.tiles[index].rect;
    let mut others = scene.tiles.iter().enumerate().filter(|(n, _)| *n != index);
    let mut overlays = scene.overlays.iter().map(crate::scene::Overlay::rect);
    others.all(|(_, other)| !meets(rect, other.rect))
        && overlays.all(|overlay| !meets(rect, overlay) || holds(rect, overlay))
}

fn end(from: u32, length: u32) -> u64 {
    u64::from(from) + u64::from(length)
}

/// Whether two rectangles have something in common, once both begin and end at even pixels.
pub(super) fn meets(a: Rect, b: Rect) -> bool {
    let (a, b) = (widened(a), widened(b));
    let apart = |a: u32, length: u32, b: u32| end(a, length) <= u64::from(b);
    !(apart(a.x, a.width, b.x)
        || apart(b.x, b.width, a.x)
        || apart(a.y, a.height, b.y)
        || apart(b.y, b.height, a.y))
}

/// Whether all of an overlay lies on what is drawn of a tile.
fn holds(tile: Rect, overlay: Rect) -> bool {
    let overlay = widened(overlay);
    let (width, height) = (tile.width & !1, tile.height & !1);
    let (left, top) = (tile.x & !1, tile.y & !1);
    left <= overlay.x
        && top <= overlay.y
        && end(overlay.x, overlay.width) <= end(left, width)
        && end(overlay.y, overlay.height) <= end(top, height)
}

fn widened(rect: Rect) -> Rect {
    let even = |length: u32| length.saturating_add(1) & !1;
    Rect {
        x: rect.x & !1,
        y: rect.y & !1,
        width: even(rect.width),
        height: even(rect.height),
    }
}
