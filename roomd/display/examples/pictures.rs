// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Draws every state of the display into a folder: `pictures FOLDER`.

use std::{error::Error, fs::File, io::BufWriter, path::Path};

use roomd_display::{Display, Fonts};
use roomd_media_core::scene::{HEIGHT, Picture, Scene, TileSource, WIDTH};

#[path = "../tests/states/mod.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the states are those of the tests, which use them all"
)]
mod states;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("pictures FOLDER")?;
    std::fs::create_dir_all(&folder)?;
    let mut display = Display::new(Fonts::load(&["/usr/share/fonts"]));
    let mut content = Display::new(Fonts::load(&["/usr/share/fonts"]));
    let scenes = states::all().into_iter().flat_map(|(name, state)| {
        let people = (name.to_owned(), display.scene(&state, states::now()));
        // What a second display would show.
        let second = content.content_scene(&state, states::now());
        [people, (format!("content-{name}"), second)]
    });
    for (name, scene) in scenes {
        let file = File::create(Path::new(&folder).join(format!("{name}.png")))?;
        let mut encoder = png::Encoder::new(BufWriter::new(file), WIDTH, HEIGHT);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_compression(png::Compression::Fast);
        encoder.write_header()?.write_image_data(&compose(&scene))?;
    }
    Ok(())
}

/// What the composer does, with a plain colour run in place of each moving picture.
fn compose(scene: &Scene) -> Vec<u8> {
    let mut screen = vec![255; WIDTH as usize * HEIGHT as usize * 4];
    if let Some(background) = &scene.background {
        blend(&mut screen, 0, 0, background);
    }
    for tile in &scene.tiles {
        let tint = match tile.source {
            TileSource::SelfView => 40,
            TileSource::OwnContent => 90,
            TileSource::Stream(stream) => stream.0 * 53 % 200,
        };
        let rgba = (0..tile.rect.height)
            .flat_map(|y| (0..tile.rect.width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let byte = |value: u32| u8::try_from(value % 256).unwrap_or(0);
                let light = 60 + y * 120 / tile.rect.height;
                [
                    byte(light),
                    byte(90 + tint / 2),
                    byte(80 + x * 90 / tile.rect.width),
                    255,
                ]
            })
            .collect();
        let picture = Picture {
            width: tile.rect.width,
            height: tile.rect.height,
            rgba,
        };
        blend(&mut screen, tile.rect.x, tile.rect.y, &picture);
    }
    for overlay in &scene.overlays {
        blend(&mut screen, overlay.x, overlay.y, &overlay.picture);
    }
    screen
}

fn blend(screen: &mut [u8], left: u32, top: u32, picture: &Picture) {
    let width = picture.width as usize * 4;
    for (row, pixels) in picture.rgba.chunks_exact(width).enumerate() {
        let start = ((top as usize + row) * WIDTH as usize + left as usize) * 4;
        let line = &mut screen[start..start + width];
        for (under, over) in line.chunks_exact_mut(4).zip(pixels.chunks_exact(4)) {
            let alpha = u32::from(over[3]);
            for channel in 0..3 {
                let mixed =
                    u32::from(over[channel]) * alpha + u32::from(under[channel]) * (255 - alpha);
                under[channel] = u8::try_from(mixed / 255).unwrap_or(u8::MAX);
            }
        }
    }
}
