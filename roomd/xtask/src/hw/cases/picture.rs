// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where roomd points the bar's camera, and how it adjusts its picture.

use anyhow::{Result, ensure};

use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::super::{Figure, count};
use super::devices::cameras;

/// Saved, moved away, recalled: the device is where it was.
pub fn preset(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("camera-ok")?;
    let pan = || {
        bars.state("A1")
            .map(|state| state["camera"]["pan"].as_i64())
    };
    bench
        .host
        .text("v4l2-ctl -d $(camera A1) -c pan_absolute=36000,zoom_absolute=250")?;
    let saved = pan()?;
    room.ctl("preset save Front Tafel")?;
    bench
        .host
        .text("v4l2-ctl -d $(camera A1) -c pan_absolute=-72000,zoom_absolute=100")?;
    ensure!(pan()? != saved, "the camera does not move");
    room.ctl("preset recall Front Tafel")?;
    ensure!(pan()? == saved, "it is at {:?}, not at {saved:?}", pan()?);
    let refused = bench
        .host
        .text("ctl preset recall Front 7 2>&1 && exit 1 || true")?;
    ensure!(
        refused.contains("PresetUnknown"),
        "a position that is none: {refused}"
    );
    ensure!(pan()? == saved, "a refused position moved the camera");
    Ok(count(1, "positions"))
}

/// What the device has of its picture: focus, exposure, white balance, each with its automatic, and
/// backlight.
const PICTURE: [&str; 7] = [
    "focus_auto",
    "focus",
    "exposure_auto",
    "exposure",
    "white_balance_auto",
    "white_balance",
    "backlight",
];

/// Adjusted by hand, refused beyond the bounds, the same after it was unplugged and after roomd's end.
pub fn adjust(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("camera-ok")?;
    let automatic = room.wait("the camera's picture", |state| {
        let front = state.cameras.iter().find(|it| it.name == "Front")?;
        let automatic: Vec<_> = front.adjusts.iter().map(|it| it.automatic).collect();
        (automatic.len() == 4).then_some(automatic)
    })?;
    ensure!(
        automatic == [Some(true), Some(true), Some(true), None],
        "the camera begins otherwise: {automatic:?}"
    );
    for adjustment in [
        "focus 120",
        "exposure 300",
        "white-balance 5000",
        "backlight 1",
    ] {
        room.ctl(&format!("adjust-camera Front {adjustment}"))?;
    }
    // The class counts the modes of exposure in bits: 1 is by hand, 8 leaves the aperture.
    let by_hand = [0, 120, 1, 300, 0, 5000, 1];
    has(bench, by_hand)?;
    let refused = bench
        .host
        .text("ctl adjust-camera Front focus 300 2>&1 && exit 1 || true")?;
    ensure!(refused.contains("0 to 250"), "no bounds: {refused}");
    has(bench, by_hand)?;
    // A bar that was unplugged has forgotten everything.
    bench.detach("A1")?;
    bench.attach("A1")?;
    has(bench, by_hand)?;
    room.ctl("adjust-camera Front focus auto")?;
    room.kill()?;
    bench.detach("A1")?;
    bench.attach("A1")?;
    room.boot()?;
    has(bench, [1, 0, 1, 300, 0, 5000, 1])?;
    Ok(count(PICTURE.len(), "controls"))
}

fn has(bench: &Bench, expected: [i64; 7]) -> Result<()> {
    let what = format!("the picture to be {expected:?}");
    bench.bars()?.wait("A1", &what, |state| {
        let picture = PICTURE.map(|name| state["camera"][name].as_i64());
        picture == expected.map(Some)
    })?;
    Ok(())
}
