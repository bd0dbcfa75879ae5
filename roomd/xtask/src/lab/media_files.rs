// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a guest's camera and microphone see and hear: files that Chromium plays in their place.
//!
//! Each guest's picture carries a time code with the guest's number, and each guest's sound a tone
//! of its own, so that a test can tell whose picture and sound arrived.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use roomd_media_core::frame::I420;
use roomd_media_core::testpicture::{self, TestPicture};
use roomd_media_core::timecode::{self, TimeCode};

use crate::project;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
const FPS: u32 = 30;
const SECONDS: u32 = 4;
const RATE: u32 = 48_000;

/// The tone of a guest, in hertz.
pub fn tone_of(guest: u8) -> f64 {
    500.0 + 130.0 * f64::from(guest)
}

/// A Y4M file: a person before a wall, slowly moving, and the guest's time code.
pub fn video(guest: u8) -> Result<PathBuf> {
    video_at(guest, FPS)
}

/// The same with so many pictures a second; many guests on one machine want fewer.
pub fn video_at(guest: u8, fps: u32) -> Result<PathBuf> {
    cached(&format!("guest-{guest}-{fps}.y4m"), |file| {
        writeln!(
            file,
            "YUV4MPEG2 W{WIDTH} H{HEIGHT} F{fps}:1 Ip A1:1 C420jpeg"
        )?;
        for frame in 0..fps * SECONDS {
            let time = f64::from(frame) / f64::from(fps);
            let mut planes = portrait(guest, time);
            let millis = u64::from(frame) * 1000 / u64::from(fps);
            stamp(
                &mut planes.0,
                TimeCode {
                    millis,
                    source: guest,
                },
            );
            file.write_all(b"FRAME\n")?;
            for plane in [planes.0, planes.1, planes.2] {
                file.write_all(&plane)?;
            }
        }
        Ok(())
    })
}

/// A Y4M file: two seconds of the room's test picture, for a browser that does what the room does.
pub fn room_video() -> Result<PathBuf> {
    let (width, height) = (testpicture::WIDTH, testpicture::HEIGHT);
    cached("room.y4m", |file| {
        writeln!(
            file,
            "YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg"
        )?;
        let picture = TestPicture::new(1);
        for frame in 0..u64::from(FPS) * 2 {
            file.write_all(b"FRAME\n")?;
            let millis = frame * 1000 / u64::from(FPS);
            file.write_all(picture.draw(millis, 0).data())?;
        }
        Ok(())
    })
}

/// A WAV file: the guest's tone, swelling like speech.
pub fn audio(guest: u8) -> Result<PathBuf> {
    cached(&format!("guest-{guest}.wav"), |file| {
        let samples = RATE * SECONDS;
        let bytes = samples * 2;
        file.write_all(b"RIFF")?;
        file.write_all(&(36 + bytes).to_le_bytes())?;
        file.write_all(b"WAVEfmt ")?;
        file.write_all(&16_u32.to_le_bytes())?;
        file.write_all(&1_u16.to_le_bytes())?;
        file.write_all(&1_u16.to_le_bytes())?;
        file.write_all(&RATE.to_le_bytes())?;
        file.write_all(&(RATE * 2).to_le_bytes())?;
        file.write_all(&2_u16.to_le_bytes())?;
        file.write_all(&16_u16.to_le_bytes())?;
        file.write_all(b"data")?;
        file.write_all(&bytes.to_le_bytes())?;
        for index in 0..samples {
            let time = f64::from(index) / f64::from(RATE);
            let swell = 0.25 + 0.15 * (time * std::f64::consts::TAU * 2.0).sin();
            let value = swell * (time * std::f64::consts::TAU * tone_of(guest)).sin();
            file.write_all(&((value * f64::from(i16::MAX)) as i16).to_le_bytes())?;
        }
        Ok(())
    })
}

/// Draws the code as into a picture of five sixths of the height: names stand below it.
fn stamp(luma: &mut [u8], code: TimeCode) {
    let height = HEIGHT * 5 / 6;
    let mut upper = I420::black(WIDTH as u32, height as u32);
    upper.plane_mut(0).copy_from_slice(&luma[..WIDTH * height]);
    timecode::draw(&mut upper, code);
    luma[..WIDTH * height].copy_from_slice(upper.plane(0).data);
}

fn cached(
    name: &str,
    write: impl Fn(&mut BufWriter<std::fs::File>) -> Result<()>,
) -> Result<PathBuf> {
    let folder = project::target().join("lab");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    if !path.exists() {
        let part = folder.join(format!("{name}.part-{}", std::process::id()));
        let mut file = BufWriter::new(std::fs::File::create(&part)?);
        write(&mut file)?;
        file.flush()?;
        std::fs::rename(&part, &path)?;
    }
    Ok(path)
}

/// Luma and chroma planes of a drawn person: wall, shoulders, neck, head, hair.
fn portrait(guest: u8, time: f64) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let sway = (time * std::f64::consts::TAU / 4.0).sin();
    let shade = |x: f64, y: f64| paint(guest, x - 8.0 * sway, y - 2.0 * sway.abs(), x, y);
    let mut luma = Vec::with_capacity(WIDTH * HEIGHT);
    let (mut blue, mut red) = (Vec::new(), Vec::new());
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let [r, g, b] = shade(x as f64, y as f64);
            luma.push((16.0 + 0.257 * r + 0.504 * g + 0.098 * b) as u8);
            if x % 2 == 0 && y % 2 == 0 {
                blue.push((128.0 - 0.148 * r - 0.291 * g + 0.439 * b) as u8);
                red.push((128.0 + 0.439 * r - 0.368 * g - 0.071 * b) as u8);
            }
        }
    }
    (luma, blue, red)
}

fn paint(guest: u8, x: f64, y: f64, wall_x: f64, wall_y: f64) -> [f64; 3] {
    let clothes = [
        [70.0, 96.0, 140.0],
        [142.0, 84.0, 78.0],
        [76.0, 126.0, 98.0],
    ];
    let hair = [[58.0, 42.0, 34.0], [30.0, 28.0, 32.0], [150.0, 112.0, 66.0]];
    let kind = usize::from(guest) % clothes.len();
    let inside = |cx: f64, cy: f64, rx: f64, ry: f64| {
        ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
    };
    if inside(320.0, 152.0, 52.0, 66.0) && y >= 118.0 {
        return [226.0, 182.0, 152.0];
    }
    if inside(320.0, 140.0, 62.0, 74.0) && y < 160.0 {
        return hair[kind];
    }
    if (x - 320.0).abs() < 24.0 && (200.0..250.0).contains(&y) {
        return [206.0, 162.0, 134.0];
    }
    if inside(320.0, 372.0, 168.0, 138.0) {
        return clothes[kind];
    }
    let light = 1.0 - 0.25 * (wall_x / WIDTH as f64) - 0.15 * (wall_y / HEIGHT as f64);
    [196.0 * light, 204.0 * light, 214.0 * light]
}
