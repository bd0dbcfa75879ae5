// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the engine's own code costs for one picture, or for 10 ms of sound.

use std::sync::Arc;

use divan::Bencher;
use roomd_media_core::compose::{Composer, Sources};
use roomd_media_core::frame::I420;
use roomd_media_core::mix::{BLOCK, Mixer};
use roomd_media_core::scene::{HEIGHT, Overlay, Picture, Rect, Scene, Tile, TileSource, WIDTH};
use roomd_media_core::testsound::{PILOT, TestSound};
use roomd_model::StreamId;

fn main() {
    divan::main();
}

/// Tiles at their native size: rows are copied.
#[divan::bench(args = [1, 4, 9])]
fn compose_native(bencher: Bencher, tiles: u32) {
    compose(bencher, tiles, 640, 360);
}

/// Pictures of another size than their tile: every pixel is computed.
#[divan::bench(args = [1, 4, 9])]
fn compose_scaled(bencher: Bencher, tiles: u32) {
    compose(bencher, tiles, 1280, 720);
}

/// Ten milliseconds of sound for the loudspeaker.
#[divan::bench(args = [1, 6, 16])]
fn mix(bencher: Bencher, streams: u32) {
    let mut mixer = Mixer::default();
    for stream in 0..streams {
        mixer.add(StreamId(stream));
    }
    let sound = [1000; BLOCK];
    let mut block = [0; BLOCK];
    bencher.bench_local(|| {
        for stream in 0..streams {
            mixer.push(StreamId(stream), &sound);
        }
        mixer.mix(&mut block);
    });
}

/// The same while all senders' clocks run two per cent fast: pieces are looked for and left out.
#[divan::bench(args = [1, 6, 16])]
fn mix_fast(bencher: Bencher, streams: u32) {
    let mut mixer = Mixer::default();
    for stream in 0..streams {
        mixer.add(StreamId(stream));
    }
    let mut voice = vec![0; 10 * 48_000];
    TestSound::new(PILOT).fill(&mut voice);
    let mut packets = voice.chunks_exact(BLOCK * 51 / 50).cycle();
    let mut block = [0; BLOCK];
    bencher.bench_local(|| {
        let sound = packets.next().unwrap_or_default();
        for stream in 0..streams {
            mixer.push(StreamId(stream), sound);
        }
        mixer.mix(&mut block);
    });
}

fn compose(bencher: Bencher, tiles: u32, width: u32, height: u32) {
    let label = Picture {
        width: 280,
        height: 44,
        rgba: vec![160; 280 * 44 * 4],
    };
    let label = Arc::new(label);
    let mut scene = Scene::default();
    let mut sources = Sources::new();
    for index in 0..tiles {
        let source = TileSource::Stream(StreamId(index));
        let (x, y) = (index % 3 * 640, index / 3 * 360);
        scene.tiles.push(Tile {
            source,
            rect: Rect {
                x,
                y,
                width: 640,
                height: 360,
            },
        });
        scene.overlays.push(Overlay {
            x: x + 16,
            y: y + 300,
            picture: Arc::clone(&label),
        });
        sources.insert(source, Arc::new(I420::black(width, height)));
    }
    let mut composer = Composer::default();
    let mut target = I420::black(WIDTH, HEIGHT);
    bencher.bench_local(|| composer.compose(&scene, &sources, &mut target));
}
