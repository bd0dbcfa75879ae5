// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the display shows, as data: the display crate builds a [`Scene`], the composer draws it.

use std::sync::Arc;

use roomd_model::StreamId;

/// Width of the composed picture, in pixels.
pub const WIDTH: u32 = 1920;
/// Height of the composed picture, in pixels.
pub const HEIGHT: u32 = 1080;

/// A rectangle in pixels of the composed picture. Composition works on I420, so everything is even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// An RGBA picture: 8 bits each, not premultiplied, rows without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

/// Whose pictures fill a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileSource {
    /// The room's own camera, mirrored as in a mirror.
    SelfView,
    /// What the room shares itself, as the others see it.
    OwnContent,
    /// A received stream.
    Stream(StreamId),
}

/// A moving picture on the display. The last picture stays while none arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Whose.
    pub source: TileSource,
    /// Where. A picture of another shape is fitted inside, centred, on black.
    pub rect: Rect,
}

/// A still picture over the tiles: a board, a name, a banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// What; shared, so that an unchanged overlay is not converted again.
    pub picture: Arc<Picture>,
}

impl Overlay {
    /// What it covers.
    #[must_use]
    pub fn rect(&self) -> Rect {
        Rect {
            x: self.x,
            y: self.y,
            width: self.picture.width,
            height: self.picture.height,
        }
    }
}

/// Everything the display shows. Painted in order: background, tiles, overlays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Fills the whole display, or black.
    pub background: Option<Arc<Picture>>,
    /// Moving pictures.
    pub tiles: Vec<Tile>,
    /// Still pictures over them.
    pub overlays: Vec<Overlay>,
}
