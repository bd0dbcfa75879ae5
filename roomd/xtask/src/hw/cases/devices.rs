// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomd with cameras, microphones, loudspeakers and keys of the bars.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use usb_bar::picture;

use super::super::bars::{Bars, SERIALS};
use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::super::{Figure, count};
use super::far;
use crate::lab::picture::Picture;
use crate::lab::wait;

/// Both bars' cameras by their serial numbers, each in the port that it is in now; one that is not there in a
/// port that nothing is plugged into.
pub fn cameras(bench: &Bench) -> Result<String> {
    let camera = |name: &str, serial: &str| {
        let port = bench
            .host
            .text(&format!("basename $(usb {serial} || echo 1-9)"))?;
        Ok::<String, anyhow::Error>(camera_in(name, serial, &port))
    };
    Ok([camera("Front", "A1")?, camera("Back", "B2")?].concat())
}

/// A bar's camera in a port, such as `1-1`.
pub(super) fn camera_in(name: &str, serial: &str, port: &str) -> String {
    format!("[[cameras]]\nname = \"{name}\"\ndevice = \"usb:1209:0001/{serial}@{port}:1.0\"\n")
}

/// The requirement for a device that comes back, in milliseconds.
const BACK: f64 = 3000.0;
/// Pictures that may lie between what the device sent and what is looked at.
const BEHIND: u32 = 150;

pub(super) fn camera_open(state: &Value) -> bool {
    state["camera_open"] == true
}

pub(super) fn microphone_open(state: &Value) -> bool {
    state["microphone_open"] == true
}

/// In a call, with camera and microphone of the bar open.
pub(super) fn sending(bench: &Bench) -> Result<Daemon<'_>> {
    bench.attach("A1")?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("camera-ok")?;
    room.ctl("start-meeting")?;
    room.ctl("send")?;
    bench
        .bars()?
        .wait("A1", "everything to be open", both_open)?;
    Ok(room)
}

/// Up, with every device of the bar in its place and none of them open.
pub fn finds(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    // As somebody before has left it.
    bench
        .host
        .text("amixer -q -c $(card A1) -- sset PCM -20dB")?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    for code in [
        "camera-ok",
        "microphone-ok",
        "loudspeaker-ok",
        "telephony-ok",
    ] {
        let item = room.wait_health(code)?;
        ensure!(item.device.contains("1209:0001/A1"), "{code} is {item:?}");
    }
    // The second camera is not there, and the room says so in both languages.
    let missing = room.wait_health("camera-missing")?;
    ensure!(missing.text.de.contains("Back"), "{missing:?}");
    ensure!(missing.remedy.is_some(), "{missing:?}");
    // Nothing else costs points once each device has been tried.
    let state = room.wait("a score that only the camera lowers", |state| {
        (state.health.score == 70).then(|| state.clone())
    })?;
    let device = bench.bars()?.state("A1")?;
    ensure!(
        !camera_open(&device) && !microphone_open(&device),
        "an idle room has devices open: {device}"
    );
    ensure!(
        device["camera"]["power_line"] == 1,
        "the camera is not told of 50 Hz: {device}"
    );
    ensure!(
        device["loudspeaker_volume"] == 0.0,
        "the loudspeaker is left quiet: {device}"
    );
    Ok(count(state.health.items.len(), "devices"))
}

/// A picture of the device reaches the engine; the device is open only meanwhile.
pub fn shows(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("camera-ok")?;
    room.ctl("start-meeting")?;
    bars.wait("A1", "the camera to be open", camera_open)?;
    ensure!(
        !microphone_open(&bars.state("A1")?),
        "a silent room has its microphone open"
    );
    room.ctl("send")?;
    bars.wait("A1", "the microphone to be open", microphone_open)?;
    let number = shown(&room)?;
    let sent = bars.state("A1")?["picture"].as_u64().context("no number")?;
    let behind = u32::try_from(sent)?.saturating_sub(number);
    ensure!(behind < BEHIND, "picture {number} of {sent} is shown");
    room.ctl("camera off")?;
    bars.wait("A1", "the camera to be closed", |state| !camera_open(state))?;
    room.ctl("leave")?;
    bars.wait("A1", "the microphone to be closed", |state| {
        !microphone_open(state)
    })?;
    Ok(Figure {
        value: f64::from(behind),
        unit: "pictures behind",
    })
}

/// The number of the picture that the room's camera shows, read from a saved position's thumbnail.
pub(super) fn shown(room: &Daemon<'_>) -> Result<u32> {
    let begun = Instant::now();
    loop {
        room.ctl("preset save Front Bench")?;
        let state = room.state()?;
        let preset = state
            .cameras
            .first()
            .and_then(|camera| camera.presets.first());
        let preset = preset.context("no position was saved")?;
        if let Some(thumbnail) = &preset.thumbnail
            && let Some(number) = number_in(thumbnail)?
        {
            return Ok(number);
        }
        ensure!(
            begun.elapsed() < Duration::from_secs(60),
            "the camera's picture carries no number"
        );
    }
}

/// 4:3 in the middle of 16:9: the outer eighths are black.
fn number_in(thumbnail: &str) -> Result<Option<u32>> {
    let png = thumbnail.strip_prefix("data:image/png;base64,");
    let png = STANDARD.decode(png.context("the thumbnail is no PNG")?)?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), png)?;
    let picture = Picture::read(file.path())?;
    let (left, row) = (picture.width / 8, picture.height / 8);
    let luma = |x: usize| {
        let at = row * picture.width + left + x;
        picture.luma.get(at).copied()
    };
    Ok(picture::number(picture.width - 2 * left, luma))
}

/// Pulled out and plugged in while it sends: camera and microphone are back, the call stands.
pub fn replug(bench: &mut Bench) -> Result<Figure> {
    let room = sending(bench)?;
    let since = room.state()?.call.context("no call")?.since;
    let mut worst: f64 = 0.0;
    for _ in 0..3 {
        bench.detach("A1")?;
        // The other camera of the configuration is missing all the time.
        room.wait("this camera to be missed", |state| {
            let mut items = state.health.items.iter();
            let missed = items.any(|it| it.code == "camera-missing" && it.device == "Front");
            missed.then_some(())
        })?;
        worst = worst.max(bench.plug_until("A1", "camera and microphone to be back", both_open)?);
    }
    let call = room.state()?.call.context("the call did not stand")?;
    ensure!(call.since == since, "it is another call");
    room.wait_health("camera-ok")?;
    ensure!(worst <= BACK, "{worst} ms until it was back");
    Ok(Figure {
        value: worst,
        unit: "ms",
    })
}

fn both_open(state: &Value) -> bool {
    camera_open(state) && microphone_open(state)
}

/// The device's key mutes the room and its lamp follows; so it does when the panel mutes.
pub fn mute(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("telephony-ok")?;
    room.ctl("start-meeting")?;
    room.ctl("send")?;
    bars.wait("A1", "the microphone to be open", microphone_open)?;
    lamp(bars, false)?;
    let begun = Instant::now();
    bars.order("A1 press mute")?;
    lamp(bars, true)?;
    let took = begun.elapsed().as_millis() as f64;
    let muted = |state: &roomd_api::State| {
        let call = state.call.as_ref()?;
        (!call.microphone).then_some(())
    };
    room.wait("the room to be muted", muted)?;
    bars.wait("A1", "the microphone to be closed", |state| {
        !microphone_open(state)
    })?;
    room.ctl("unmute")?;
    lamp(bars, false)?;
    room.ctl("mute")?;
    lamp(bars, true)?;
    bars.order("A1 press mute")?;
    lamp(bars, false)?;
    room.wait("the room to be heard", |state| {
        state.call.as_ref()?.microphone.then_some(())
    })?;
    room.ctl("leave")?;
    Ok(Figure {
        value: took,
        unit: "ms",
    })
}

fn lamp(bars: &Bars, on: bool) -> Result<()> {
    let what = format!("the mute lamp to be {on}");
    bars.wait("A1", &what, |state| state["lamps"]["mute"] == on)?;
    Ok(())
}

/// Two equal cameras, changed over in a call, which a far peer sees on the same track, and told apart after the
/// machine lost its power.
pub fn two_cameras(bench: &mut Bench) -> Result<Figure> {
    // Each in the port that is free first.
    for serial in SERIALS {
        bench.detach(serial)?;
    }
    bench.attach("A1")?;
    bench.attach("B2")?;
    let named = cameras(bench)?;
    let took = changed_over(bench, &named)?;
    bench.power_cut()?;
    for serial in SERIALS {
        bench.bars()?.order(&format!("{serial} unplug"))?;
    }
    // In the other order, so that the kernel numbers them otherwise, and each is in the other one's port.
    bench.attach("B2")?;
    bench.attach("A1")?;
    let room = Daemon::start(bench, &named)?;
    both_cameras(&room, "camera-moved")?;
    room.ctl("start-meeting")?;
    let bars = bench.bars()?;
    bars.wait("A1", "the camera of the name to be open", camera_open)?;
    ensure!(!camera_open(&bars.state("B2")?), "the other one is open");
    room.ctl("leave")?;
    drop(room);
    for serial in SERIALS {
        bench.detach(serial)?;
    }
    Ok(Figure {
        value: took,
        unit: "ms",
    })
}

/// The milliseconds until the second camera is open, in a call with a far peer that sees the first one's
/// pictures and then, on the same track, the second one's.
fn changed_over(bench: &Bench, named: &str) -> Result<f64> {
    let mut call = far::call(bench, named)?;
    both_cameras(&call.room, "camera-ok")?;
    let bars = bench.bars()?;
    bars.wait("A1", "the first camera to be open", camera_open)?;
    far::sees(&mut call.guest, 0)?;
    let track = far::track(&mut call.guest)?;
    let begun = Instant::now();
    call.room.ctl("use-camera Back")?;
    bars.wait("B2", "the second camera to be open", camera_open)?;
    let took = begun.elapsed().as_millis() as f64;
    bars.wait("A1", "the first camera to be closed", |state| {
        !camera_open(state)
    })?;
    // Only what is open counts on, and the first one's last pictures may still be under way.
    let first = bars.state("A1")?["picture"].as_u64().context("no number")?;
    wait::until("the second camera's picture at the guest", || {
        let second = bars.state("B2")?["picture"].as_u64().context("no number")?;
        let seen = far::number(&mut call.guest)?.map(u64::from);
        Ok(seen.filter(|seen| second.abs_diff(*seen) < first.abs_diff(*seen)))
    })?;
    ensure!(
        far::track(&mut call.guest)? == track,
        "the second camera is on another track"
    );
    call.room.ctl("leave")?;
    Ok(took)
}

fn both_cameras(room: &Daemon<'_>, code: &str) -> Result<()> {
    room.wait("both cameras", |state| {
        let items = state.health.items.iter();
        let both = items.filter(|item| item.code == code).count() == 2;
        both.then_some(())
    })
}

/// `kill -9` in a call: every device is let go of at once.
pub fn killed(bench: &mut Bench) -> Result<Figure> {
    let bars = bench.bars()?;
    let room = sending(bench)?;
    room.kill()?;
    let begun = Instant::now();
    bars.wait("A1", "everything to be closed", |state| {
        !camera_open(state) && !microphone_open(state) && state["loudspeaker_open"] == false
    })?;
    let took = begun.elapsed().as_millis() as f64;
    // It comes back as after a crash, and in its meeting.
    room.boot()?;
    room.wait("the meeting again", |state| state.call.as_ref().map(drop))?;
    room.ctl("leave")?;
    Ok(Figure {
        value: took,
        unit: "ms",
    })
}

/// The machine loses its power in a call: the room comes back into it by itself, silent, and its devices
/// work. The figure contains the machine's boot.
pub fn power_cut(bench: &mut Bench) -> Result<Figure> {
    let room = sending(bench)?;
    let before = room.state()?.call.context("no call")?;
    room.leave_to_itself();
    let begun = Instant::now();
    bench.power_cut()?;
    // The far end of the cable sees the power go.
    for serial in SERIALS {
        bench.bars()?.order(&format!("{serial} unplug"))?;
    }
    bench.attach("A1")?;
    let room = Daemon::running(bench)?;
    let call = room.wait("the meeting again", |state| state.call.clone())?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(
        call.since == before.since,
        "it is another meeting: {call:?}"
    );
    ensure!(
        !call.microphone,
        "the room is heard without a word of anybody"
    );
    let bars = bench.bars()?;
    ensure!(
        !microphone_open(&bars.state("A1")?),
        "a silent room has its microphone open"
    );
    room.ctl("send")?;
    bars.wait("A1", "everything to be open again", both_open)?;
    room.ctl("leave")?;
    Ok(Figure {
        value: took.round(),
        unit: "s",
    })
}

/// Another program has the microphone: the room says so, and takes it when it is free.
pub fn microphone_taken(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let bars = bench.bars()?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("microphone-ok")?;
    let other = bench
        .host
        .follow("exec arecord -q -D hw:$(card A1) -f S16_LE -r 48000 -c 4 /dev/null")?;
    bars.wait("A1", "the other program to record", microphone_open)?;
    room.ctl("start-meeting")?;
    room.ctl("send")?;
    let item = room.wait_health("microphone-in-use")?;
    ensure!(item.remedy.is_some(), "{item:?}");
    bench
        .host
        .text("pkill arecord; while pgrep arecord; do sleep 0.1; done")?;
    drop(other);
    let begun = Instant::now();
    room.wait_health("microphone-ok")?;
    let took = begun.elapsed().as_millis() as f64;
    room.ctl("leave")?;
    Ok(Figure {
        value: took,
        unit: "ms",
    })
}

/// So many times unplugged and plugged in a call; the daemon's threads, descriptors and memory stay.
const CYCLES: usize = 100;

/// 100 times: nothing grows.
pub fn cycles(bench: &mut Bench) -> Result<Figure> {
    let room = sending(bench)?;
    let cycle = || {
        bench.detach("A1")?;
        bench.plug_until("A1", "camera and microphone to be back", both_open)
    };
    for _ in 0..5 {
        cycle()?;
    }
    let before = room.uses()?;
    for _ in 0..CYCLES {
        cycle()?;
    }
    let after = room.uses()?;
    ensure!(
        after[0] <= before[0] + 2,
        "threads: {before:?}, then {after:?}"
    );
    ensure!(
        after[1] <= before[1] + 4,
        "descriptors: {before:?}, then {after:?}:\n{}",
        room.open_files()?
    );
    let grown = after[2].saturating_sub(before[2]);
    ensure!(grown < 8000, "memory in kB: {before:?}, then {after:?}");
    Ok(Figure {
        value: grown as f64 / CYCLES as f64,
        unit: "kB per cycle",
    })
}

/// An idle room with its devices stays small.
pub fn idle(bench: &mut Bench) -> Result<Figure> {
    bench.attach("A1")?;
    let room = Daemon::start(bench, &cameras(bench)?)?;
    room.wait_health("camera-ok")?;
    let [_, _, memory] = room.uses()?;
    ensure!(memory <= 80_000, "{memory} kB");
    Ok(Figure {
        value: memory as f64 / 1000.0,
        unit: "MB",
    })
}
