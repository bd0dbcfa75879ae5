// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where pictures are shown, in the room and in a browser alike.

use std::sync::Arc;

use roomd_media::{Engine, EngineCommand, Gone};
use roomd_media_core::frame::Plane;
use roomd_media_core::scene::{HEIGHT, Rect, Scene, Tile, TileSource, WIDTH};
use roomd_media_core::timecode::{self, TimeCode};
use roomd_model::StreamId;

/// A square of tiles in the middle: up to three by three as large as the pictures, more of them
/// smaller, so that they fit.
pub fn places(count: u32) -> Vec<Rect> {
    let columns = (1..=count).find(|n| n * n >= count).unwrap_or(1);
    let (width, height) = if columns > 3 {
        ((WIDTH / columns) & !1, (HEIGHT / columns) & !1)
    } else {
        (WIDTH / 3, HEIGHT / 3)
    };
    let rows = count.div_ceil(columns);
    let (left, top) = ((WIDTH - columns * width) / 2, (HEIGHT - rows * height) / 2);
    let place = |index: u32| Rect {
        x: left + index % columns * width,
        y: top + index / columns * height,
        width,
        height,
    };
    (0..count).map(place).collect()
}

/// Shows the streams 1, 2 and so on.
pub async fn show(engine: &Engine, count: u32) {
    let tile = |(rect, index): (Rect, u32)| Tile {
        source: TileSource::Stream(StreamId(index)),
        rect,
    };
    let tiles = places(count).into_iter().zip(1..).map(tile).collect();
    let scene = Scene {
        tiles,
        ..Scene::default()
    };
    engine.command(EngineCommand::Scene(Arc::new(scene))).await;
}

/// The time codes in the tiles of the composed picture.
pub async fn codes(engine: &Engine, count: u32) -> Result<Vec<Option<TimeCode>>, Gone> {
    let picture = engine.picture().await?;
    let luma = picture.plane(0);
    let read = |rect: Rect| {
        let start = rect.y as usize * luma.stride + rect.x as usize;
        timecode::read(Plane {
            width: rect.width as usize,
            height: rect.height as usize,
            stride: luma.stride,
            data: &luma.data[start..],
        })
    };
    Ok(places(count).into_iter().map(read).collect())
}
