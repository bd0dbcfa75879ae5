// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomd and a camera that is plugged into another port than the configuration names.

use anyhow::{Result, ensure};
use roomd_api::HealthItem;

use super::super::bars::SERIALS;
use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::super::{Figure, count};
use super::devices::{camera_in, camera_open, shown};

/// The port that the bar is in, such as `1-1`.
fn port(bench: &Bench) -> Result<String> {
    bench.host.text("basename $(usb A1)")
}

/// Waits until the health view says this of the bar in this port.
fn told(room: &Daemon<'_>, code: &str, port: &str) -> Result<HealthItem> {
    let device = format!("/A1@{port}:");
    room.wait(code, |state| {
        let mut items = state.health.items.iter();
        let is_it = |item: &&HealthItem| item.code == code && item.device.contains(&device);
        items.find(is_it).cloned()
    })
}

/// Pulls out both bars, so that whichever is plugged in next is in the first port.
fn clear(bench: &Bench) -> Result<()> {
    SERIALS.iter().try_for_each(|serial| bench.detach(serial))
}

/// In another port the camera is told of and used all the same; back in its own, it is well.
pub fn camera(bench: &mut Bench) -> Result<Figure> {
    clear(bench)?;
    bench.attach("A1")?;
    let own = port(bench)?;
    let room = Daemon::start(bench, &camera_in("Front", "A1", &own))?;
    told(&room, "camera-ok", &own)?;
    bench.detach("A1")?;
    // Another bar is where it was.
    bench.attach("B2")?;
    bench.attach("A1")?;
    let other = port(bench)?;
    ensure!(other != own, "it is back in {own}");
    let item = told(&room, "camera-moved", &other)?;
    ensure!(item.remedy.is_some(), "{item:?}");
    room.ctl("start-meeting")?;
    bench
        .bars()?
        .wait("A1", "the camera to be open", camera_open)?;
    shown(&room)?;
    room.ctl("leave")?;
    clear(bench)?;
    bench.attach("A1")?;
    told(&room, "camera-ok", &own)?;
    Ok(count(2, "ports"))
}
