// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use super::*;
use crate::frame::colour;
use crate::scene::{Overlay, Tile};
use roomd_model::StreamId;

const RED: [u8; 3] = [220, 30, 40];

fn picture(width: u32, height: u32, rgba: [u8; 4]) -> Arc<Picture> {
    Arc::new(Picture {
        width,
        height,
        rgba: rgba.repeat((width * height) as usize),
    })
}

fn grey(width: u32, height: u32, luma: u8) -> Arc<dyn Planes> {
    let mut frame = I420::black(width, height);
    frame.plane_mut(0).fill(luma);
    Arc::new(frame)
}

fn tile(source: TileSource, x: u32, y: u32, width: u32, height: u32) -> Tile {
    let rect = Rect {
        x,
        y,
        width,
        height,
    };
    Tile { source, rect }
}

fn composed(scene: &Scene, sources: &Sources) -> I420 {
    let mut target = I420::black(WIDTH, HEIGHT);
    target.plane_mut(0).fill(77);
    Composer::default().compose(scene, sources, &mut target);
    target
}

fn luma(frame: &I420, x: usize, y: usize) -> u8 {
    frame.plane(0).row(y)[x]
}

#[test]
fn nothing_is_black() {
    let frame = composed(&Scene::default(), &Sources::new());
    assert_eq!(frame, I420::black(WIDTH, HEIGHT));
}

#[test]
fn background_tile_and_overlay_are_painted_in_order() {
    let source = TileSource::Stream(StreamId(1));
    let scene = Scene {
        background: Some(picture(WIDTH, HEIGHT, [255, 255, 255, 255])),
        tiles: vec![tile(source, 640, 360, 640, 360)],
        overlays: vec![Overlay {
            x: 650,
            y: 370,
            picture: picture(20, 10, [RED[0], RED[1], RED[2], 255]),
        }],
    };
    let frame = composed(&scene, &Sources::from([(source, grey(640, 360, 99))]));
    let [y, u, v] = colour::from_rgb(RED);
    assert_eq!(luma(&frame, 0, 0), 235);
    assert_eq!(luma(&frame, 639, 400), 235);
    assert_eq!((luma(&frame, 640, 360), luma(&frame, 1279, 719)), (99, 99));
    assert_eq!((luma(&frame, 650, 370), luma(&frame, 669, 379)), (y, y));
    assert_eq!((luma(&frame, 649, 370), luma(&frame, 670, 379)), (99, 99));
    assert_eq!(frame.plane(1).row(185)[325], u);
    assert_eq!(frame.plane(2).row(189)[334], v);
    assert_eq!(frame.plane(2).row(190)[334], 128);
}

#[test]
fn half_coverage_lies_in_the_middle() {
    let scene = Scene {
        overlays: vec![Overlay {
            x: 0,
            y: 0,
            picture: picture(4, 4, [255, 255, 255, 128]),
        }],
        ..Scene::default()
    };
    let frame = composed(&scene, &Sources::new());
    assert!(luma(&frame, 2, 2).abs_diff(126) <= 1);
    assert_eq!(luma(&frame, 4, 4), 16);
}

#[test]
fn another_shape_is_centred_on_black() {
    let source = TileSource::Stream(StreamId(1));
    let scene = Scene {
        background: Some(picture(WIDTH, HEIGHT, [255, 255, 255, 255])),
        tiles: vec![tile(source, 0, 0, 640, 360)],
        ..Scene::default()
    };
    // 4:3 in a 16:9 tile: 480 wide, 80 of black on each side.
    let frame = composed(&scene, &Sources::from([(source, grey(320, 240, 99))]));
    assert_eq!((luma(&frame, 79, 100), luma(&frame, 80, 100)), (16, 99));
    assert_eq!((luma(&frame, 559, 100), luma(&frame, 560, 100)), (99, 16));
    assert_eq!(luma(&frame, 640, 100), 235);
}

#[test]
fn the_self_view_is_mirrored_at_every_scale() {
    for (width, height) in [(640, 360), (1280, 720), (320, 180)] {
        let mut own = I420::black(width, height);
        let row = width as usize;
        for y in 0..height as usize {
            own.plane_mut(0)[y * row..y * row + row / 2].fill(200);
        }
        let scene = Scene {
            tiles: vec![tile(TileSource::SelfView, 0, 0, 640, 360)],
            ..Scene::default()
        };
        let frame = composed(
            &scene,
            &Sources::from([(TileSource::SelfView, Arc::new(own) as Arc<dyn Planes>)]),
        );
        assert_eq!(
            (luma(&frame, 10, 5), luma(&frame, 630, 5)),
            (16, 200),
            "{width}"
        );
    }
}

#[test]
fn rectangles_and_pictures_outside_are_cut() {
    let source = TileSource::Stream(StreamId(1));
    let scene = Scene {
        tiles: vec![
            tile(source, 1800, 1000, 640, 360),
            tile(source, 5000, 5000, 640, 360),
            tile(source, 0, 0, u32::MAX, 1),
        ],
        overlays: vec![
            Overlay {
                x: 1900,
                y: 1070,
                picture: picture(100, 100, [255; 4]),
            },
            Overlay {
                x: u32::MAX,
                y: u32::MAX,
                picture: picture(2, 2, [255; 4]),
            },
            Overlay {
                x: 0,
                y: 0,
                picture: Arc::new(Picture {
                    width: 9,
                    height: 9,
                    rgba: vec![1],
                }),
            },
        ],
        ..Scene::default()
    };
    let frame = composed(&scene, &Sources::from([(source, grey(641, 361, 99))]));
    assert_eq!(luma(&frame, 1919, 1079), 235);
}

#[test]
fn scaling_a_ramp_stays_a_ramp() {
    let mut ramp = I420::black(256, 144);
    for y in 0..144 {
        for x in 0..256 {
            ramp.plane_mut(0)[y * 256 + x] = u8::try_from(x).unwrap();
        }
    }
    for (width, height) in [(640, 360), (170, 96), (1280, 720)] {
        let mut target = I420::black(width, height);
        let rect = Rect {
            x: 0,
            y: 0,
            width,
            height,
        };
        fit(&mut target, &ramp, rect, false);
        for (x, &sample) in target.plane(0).row(50).iter().enumerate() {
            let expected = (x as f64 + 0.5) * 256.0 / f64::from(width) - 0.5;
            assert!(
                (f64::from(sample) - expected.clamp(0.0, 255.0)).abs() < 1.6,
                "{width} {x}"
            );
        }
    }
}

#[test]
fn an_unchanged_picture_is_converted_once() {
    let mut composer = Composer::default();
    let mut target = I420::black(WIDTH, HEIGHT);
    let mut scene = Scene {
        background: Some(picture(WIDTH, HEIGHT, [9, 9, 9, 255])),
        overlays: vec![Overlay {
            x: 0,
            y: 0,
            picture: picture(8, 8, [255; 4]),
        }],
        ..Scene::default()
    };
    composer.compose(&scene, &Sources::new(), &mut target);
    let kept = std::ptr::from_ref(composer.stills[0].1.rows());
    composer.compose(&scene, &Sources::new(), &mut target);
    assert_eq!(std::ptr::from_ref(composer.stills[0].1.rows()), kept);
    scene.overlays.clear();
    composer.compose(&scene, &Sources::new(), &mut target);
    assert!(composer.stills.is_empty());
}

/// A scene with tiles side by side, one above another, and overlays inside, across and apart.
fn crowded() -> Scene {
    let stream = |index| TileSource::Stream(StreamId(index));
    let overlay = |x, y, width, height, alpha| Overlay {
        x,
        y,
        picture: picture(width, height, [200, 90, 30, alpha]),
    };
    Scene {
        background: Some(picture(400, 100, [20, 60, 90, 255])),
        tiles: vec![
            tile(stream(1), 0, 0, 64, 36),
            tile(stream(2), 64, 0, 64, 36),
            tile(stream(3), 128, 0, 65, 37),
            tile(stream(4), 300, 200, 200, 150),
            tile(TileSource::SelfView, 460, 300, 64, 36),
            tile(stream(5), 1900, 1060, 64, 36),
        ],
        overlays: vec![
            overlay(10, 10, 20, 7, 128),
            overlay(100, 20, 60, 9, 90),
            overlay(700, 700, 50, 50, 40),
            overlay(181, 21, 13, 17, 77),
        ],
    }
}

proptest::proptest! {
    // Each case composes many large pictures.
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn a_canvas_that_is_kept_shows_what_a_new_one_would(
        changes in proptest::collection::vec((0_u32..7, 0_u8..4, 0_u8..2), 1..12),
    ) {
        let mut scene = Arc::new(crowded());
        let mut sources = Sources::new();
        let mut composer = Composer::default();
        let (mut canvas, mut before) = (Canvas::default(), Canvas::default());
        let mut window = I420::black(WIDTH, HEIGHT);
        for (index, luma, turn) in changes {
            let source = match index {
                0 => TileSource::SelfView,
                index => TileSource::Stream(StreamId(index)),
            };
            match luma {
                0 => sources.remove(&source),
                luma => sources.insert(source, grey(64, 36 + u32::from(turn) * 20, luma * 60)),
            };
            if index == 6 {
                let mut other = (*scene).clone();
                other.tiles.rotate_left(1);
                scene = Arc::new(other);
            }
            composer.update(&scene, &sources, &mut canvas);
            proptest::prop_assert!(*canvas.picture() == composed(&scene, &sources));
            for part in canvas.differs(&before) {
                copy_part(canvas.picture(), part, &mut window);
            }
            proptest::prop_assert!(*canvas.picture() == window);
            std::mem::swap(&mut canvas, &mut before);
        }
    }
}

fn copy_part(from: &I420, part: Rect, to: &mut I420) {
    for (index, shift) in [(0, 0), (1, 1), (2, 1)] {
        let stride = from.plane(index).stride;
        for y in part.y >> shift..(part.y + part.height) >> shift {
            let start = y as usize * stride + (part.x >> shift) as usize;
            let row = start..start + (part.width >> shift) as usize;
            let samples = from.plane(index).data[row.clone()].to_vec();
            to.plane_mut(index)[row].copy_from_slice(&samples);
        }
    }
}

#[test]
fn two_canvases_differ_in_the_tile_that_changed() {
    let scene = Arc::new(crowded());
    let source = TileSource::Stream(StreamId(1));
    let mut sources = Sources::from([(source, grey(64, 36, 100))]);
    let (mut composer, mut before) = (Composer::default(), Canvas::default());
    composer.update(&scene, &sources, &mut before);
    let mut after = Canvas::default();
    composer.update(&scene, &sources, &mut after);
    assert_eq!(after.differs(&before), []);
    sources.insert(source, grey(64, 36, 50));
    composer.update(&scene, &sources, &mut after);
    assert_eq!(after.differs(&before), [scene.tiles[0].rect]);
    let whole = Rect {
        x: 0,
        y: 0,
        width: WIDTH,
        height: HEIGHT,
    };
    assert_eq!(after.differs(&Canvas::default()), [whole]);
}

#[test]
fn only_the_tile_that_changed_is_drawn() {
    let scene = Arc::new(crowded());
    let mut sources = Sources::new();
    let stream = |index| TileSource::Stream(StreamId(index));
    for index in 1..=3 {
        sources.insert(stream(index), grey(64, 36, 100));
    }
    let (mut composer, mut canvas) = (Composer::default(), Canvas::default());
    composer.update(&scene, &sources, &mut canvas);
    // Whatever is drawn again would paint over these marks.
    for x in [5, 70, 1000] {
        canvas.picture.plane_mut(0)[x] = 222;
    }
    sources.insert(stream(1), grey(64, 36, 50));
    composer.update(&scene, &sources, &mut canvas);
    assert_eq!(
        [5, 70, 1000].map(|x| luma(canvas.picture(), x, 0)),
        [50, 222, 222]
    );
}
