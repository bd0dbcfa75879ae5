// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;

use roomd_media_core::scene::{Scene, TileSource};
use roomd_model::StreamId;

/// The streams whose pictures these scenes show, or would show if they came, each with the lines of its
/// largest tile.
#[must_use]
pub fn shown<'a>(scenes: impl Iterator<Item = &'a Scene>) -> BTreeMap<StreamId, u32> {
    let mut shown = BTreeMap::new();
    for tile in scenes.flat_map(|scene| &scene.tiles) {
        if let TileSource::Stream(stream) = tile.source {
            let lines: &mut u32 = shown.entry(stream).or_default();
            *lines = (*lines).max(tile.rect.height);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use roomd_media_core::scene::{Rect, Tile};

    use super::*;

    #[test]
    fn the_largest_tile_of_a_stream_counts() {
        let tile = |source, height| Tile {
            source,
            rect: Rect {
                x: 0,
                y: 0,
                width: 16,
                height,
            },
        };
        let one = Scene {
            tiles: vec![
                tile(TileSource::Stream(StreamId(1)), 180),
                tile(TileSource::Stream(StreamId(2)), 720),
                tile(TileSource::SelfView, 90),
            ],
            ..Scene::default()
        };
        let other = Scene {
            tiles: vec![tile(TileSource::Stream(StreamId(1)), 360)],
            ..Scene::default()
        };
        let shown = shown([&one, &other].into_iter());
        assert_eq!(
            shown,
            BTreeMap::from([(StreamId(1), 360), (StreamId(2), 720)])
        );
    }
}
