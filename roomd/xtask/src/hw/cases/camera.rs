// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The bar's camera.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use usb_bar::picture;

use super::super::Figure;
use super::super::bench::Bench;

const SIZE: (usize, usize) = (320, 240);
const PICTURE: usize = SIZE.0 * SIZE.1 * 2;
/// What the camera sends at this size, in pictures per second.
const RATE: f64 = 15.0;
/// Takes so many pictures in this size.
const TAKE: &str = "v4l2-ctl -d $(camera A1) \
    --set-fmt-video=width=320,height=240,pixelformat=YUYV --stream-mmap=4";

/// The numbers of pictures that were taken; none for one that is not whole.
fn take(bench: &Bench, pictures: usize) -> Result<Vec<Option<u32>>> {
    let bytes = bench.host.bytes(&format!(
        "{TAKE} --stream-count={pictures} --stream-to=- 2>/dev/null"
    ))?;
    let whole = bytes.chunks_exact(PICTURE);
    Ok(whole
        .map(|picture| picture::number_in_yuyv(picture, SIZE.0, SIZE.1))
        .collect())
}

/// The rate comes from the numbers, so that a slow machine shows as pictures that are missing.
pub fn counts(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let open = |state: &Value| state["camera_open"] == true;
    ensure!(
        !open(&bars.state("A1")?),
        "the camera is open before anybody uses it"
    );
    let streaming = bench.host.follow(&format!(
        "{TAKE} --stream-count=15 >/dev/null 2>&1; echo over"
    ))?;
    bars.wait("A1", "the camera to be open", open)?;
    streaming.wait("over")?;
    bars.wait("A1", "the camera to be closed", |state| !open(state))?;
    let numbers = take(bench, 30)?;
    ensure!(numbers.len() == 30, "{} pictures of 30", numbers.len());
    let known: Vec<u32> = numbers.iter().flatten().copied().collect();
    ensure!(known.len() >= 28, "pictures without a number: {numbers:?}");
    ensure!(
        known.is_sorted_by(|a, b| a < b),
        "they do not count: {known:?}"
    );
    let (first, last) = known.first().zip(known.last()).context("no picture")?;
    let share = known.len() as f64 / f64::from(last - first + 1);
    Ok(Figure {
        value: (share * RATE * 10.0).round() / 10.0,
        unit: "pictures per second",
    })
}

/// What is set must be what the device itself has.
pub fn controls(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let set = |text: &str| {
        bench
            .host
            .text(&format!("v4l2-ctl -d $(camera A1) -c {text}"))
    };
    set("pan_absolute=36000,tilt_absolute=-7200")?;
    set("zoom_absolute=250")?;
    set("power_line_frequency=1")?;
    let state = bench.bars()?.state("A1")?;
    let expected = [
        ("pan", 36_000),
        ("tilt", -7200),
        ("zoom", 250),
        ("power_line", 1),
    ];
    for (name, value) in expected {
        let found = state["camera"][name].as_i64();
        ensure!(
            found == Some(value),
            "{name} is {found:?} at the device, not {value}"
        );
    }
    // Far outside: the kernel keeps to the bounds that the device named.
    set("zoom_absolute=9999")?;
    let zoom = bench.bars()?.state("A1")?["camera"]["zoom"].as_i64();
    ensure!(
        zoom == Some(500),
        "zoom is {zoom:?} at the device, beyond its bounds"
    );
    Ok(Figure {
        value: expected.len() as f64,
        unit: "controls",
    })
}

/// Each fault costs this camera its pictures, and nothing else; without it they are back.
pub fn faults(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let mut survived = 0;
    for fault in ["stall", "torn", "lying"] {
        let bars = bench.bars()?;
        bars.order(&format!("A1 fault camera={fault}"))?;
        let script = format!("timeout 4 {TAKE} --stream-count=6 >/dev/null 2>&1 || true");
        bench.host.text(&script)?;
        bars.order("A1 fault none")?;
        let numbers = take(bench, 5)?;
        let whole = numbers.iter().flatten().count();
        ensure!(
            whole >= 3,
            "after camera={fault}, {whole} of 5 pictures are whole"
        );
        survived += 1;
    }
    Ok(Figure {
        value: f64::from(survived),
        unit: "faults survived",
    })
}
