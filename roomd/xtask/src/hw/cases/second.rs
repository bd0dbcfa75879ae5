// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Two displays on one graphics card, without a display server: people on one, content on the other.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use roomd_api::State;

use super::super::Figure;
use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::capture::VIVID;
use crate::lab::picture::Picture;
use crate::lab::wait;

/// The outputs of the virtual graphics card: their numbers in QEMU and their names in the room.
const FIRST: (u32, &str) = (0, "Virtual-1");
const SECOND: (u32, &str) = (1, "Virtual-2");
/// How alike what the room draws and what a display shows must be.
const ALIKE: f64 = 0.9;
/// vivid's test pictures (`test_pattern` in its documentation), and how much brightness varies in them.
const BARS: u8 = 0;
const BLACK: u8 = 5;
const COLOURED: f64 = 20.0;
const PLAIN: f64 = 5.0;
/// The displays sleep one minute after the last use, which is the least.
const POWER: &str = "[display]\nstandby_minutes = 1\nwake_minutes = 0\n";

/// As when somebody plugs a cable or pulls it: the connector's state, and the card's word of it.
fn cable(bench: &Bench, (_, connector): (u32, &str), state: &str) -> Result<()> {
    let script = format!(
        "echo {state} >$(echo /sys/class/drm/card*-{connector})/status\n\
         echo change >$(echo /sys/class/drm/card?)/uevent"
    );
    bench.host.text(&script).map(drop)
}

/// Which connectors show people and content.
fn on(state: &State, people: (u32, &str), content: Option<(u32, &str)>) -> Option<()> {
    let devices = &state.devices;
    let is = devices.display.as_deref() == Some(people.1)
        && devices.content_display.as_deref() == content.map(|(_, name)| name);
    is.then_some(())
}

fn picture(bench: &Bench, (output, _): (u32, &str)) -> Result<Picture> {
    Picture::ppm(&bench.screen(output)?)
}

/// How much the middle of what a display shows varies in brightness.
fn varies(bench: &Bench, output: (u32, &str)) -> Result<f64> {
    let shown = picture(bench, output)?;
    let (width, height) = (shown.width / 2, shown.height / 2);
    Ok(shown.deviation(width / 2, height / 2, width, height))
}

/// Waits until a display shows what the room draws for people; its bars above and below are left out.
fn shows_people(bench: &Bench, output: (u32, &str)) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    wait::until("people to be shown", || {
        let drawn = "roomctl snapshot /tmp/shown.png >/dev/null\ncat /tmp/shown.png";
        std::fs::write(file.path(), bench.host.bytes(drawn)?)?;
        let drawn = Picture::read(file.path())?;
        let shown = picture(bench, output)?.without_borders(drawn.width, drawn.height);
        Ok((drawn.likeness(&shown) > ALIKE).then_some(()))
    })
}

/// Content is on the second display alone, proved by a laptop's picture that changes.
fn shows_content(bench: &Bench, room: &Daemon<'_>) -> Result<()> {
    let state = room.wait("the laptop's input", |state| {
        (!state.content.is_empty()).then(|| state.clone())
    })?;
    let name = &state.content.first().context("no content input")?.name;
    room.ctl(&format!("content share '{name}'"))?;
    for (pattern, least, most) in [(BARS, COLOURED, f64::MAX), (BLACK, 0.0, PLAIN)] {
        let set = format!("{VIVID} v4l2-ctl -d $input -c test_pattern={pattern}");
        bench.host.text(&set)?;
        wait::until("the laptop's picture on the second display", || {
            let seen = varies(bench, SECOND)?;
            Ok((least..=most).contains(&seen).then_some(()))
        })?;
    }
    room.ctl("content stop").map(drop)
}

/// A second display that is plugged in gets the content; people take it while theirs is gone; it sleeps and
/// wakes with the room.
pub fn displays(bench: &mut Bench) -> Result<Figure> {
    bench.host.text(&format!(
        "{VIVID} v4l2-ctl -d $input --set-dv-bt-timings index=0 >/dev/null\n\
         v4l2-ctl -d $input -c dv_timings_signal_mode=0,osd_text_mode=2"
    ))?;
    cable(bench, SECOND, "off")?;
    let room = Daemon::start_with(bench, "camera = \"/dev/video63\"\n", POWER)?;
    room.wait("one display", |state| on(state, FIRST, None))?;
    room.ctl("start-meeting")?;
    // Emulation has no time for a camera.
    room.ctl("camera off")?;
    let begun = Instant::now();
    cable(bench, SECOND, "on")?;
    room.wait("the second display", |state| on(state, FIRST, Some(SECOND)))?;
    let took = begun.elapsed();
    shows_people(bench, FIRST)?;
    shows_content(bench, &room)?;

    cable(bench, FIRST, "off")?;
    room.wait("people on the display that is left", |state| {
        on(state, SECOND, None)
    })?;
    shows_people(bench, SECOND)?;
    cable(bench, FIRST, "detect")?;
    room.wait("each on its display again", |state| {
        on(state, FIRST, Some(SECOND))
    })?;
    shows_people(bench, FIRST)?;

    room.ctl("leave")?;
    room.wait("the second display to sleep", |state| {
        on(state, FIRST, None)
    })?;
    let signal = "cat $(echo /sys/class/drm/card*-Virtual-2)/enabled";
    let signal = bench.host.text(signal)?;
    ensure!(signal == "disabled", "its signal is {signal}");
    room.ctl("start-meeting")?;
    room.wait("the second display to wake", |state| {
        on(state, FIRST, Some(SECOND))
    })?;
    room.ctl("leave")?;
    cable(bench, SECOND, "off")?;
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms from the cable to the second display",
    })
}
