// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Content: a laptop on the room's HDMI cable, played by vivid, from its signal to a far peer's screen.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use roomd_api::{ContentInput, ContentShare, ContentSignal, State};
use roomd_model::FaultCode;

use super::super::bench::Bench;
use super::super::daemon::{Daemon, HEADLESS};
use super::super::{Figure, count};
use super::capture::VIVID;
use super::far::{self, Call};
use crate::lab::guest::{Guest, ROOM};
use crate::lab::picture::Picture;
use crate::lab::wait;

/// How large the laptop's picture is: emulation has no time for more.
const SIZE: (u32, u32) = (640, 480);
/// How wide the part of it is that is shared: no multiple of what encoders and buffers like.
const CUT: u32 = 338;
/// vivid's test pictures (`test_pattern` in its documentation).
const BARS: u8 = 0;
const BLACK: u8 = 5;
/// From bars to black, at least.
const CHANGE: f64 = 40.0;
/// A signal that nobody shares is looked at for so long.
const UNSHARED: Duration = Duration::from_secs(3);
/// Bytes of an EDID's first block, which names the display.
const BASE: usize = 128;
/// No camera: what is proved needs none, and emulation has no time for one.
const MEDIA: &str = "camera = \"/dev/video63\"\n";

/// The only content input.
fn input(state: &State) -> Option<&ContentInput> {
    state.content.first()
}

fn shares(state: &State, share: ContentShare) -> Option<()> {
    (input(state)?.share == share).then_some(())
}

fn signals(state: &State, signal: ContentSignal) -> Option<()> {
    (input(state)?.signal == signal).then_some(())
}

fn signal(bench: &Bench, there: bool) -> Result<()> {
    let mode = u8::from(!there);
    let set = format!("{VIVID} v4l2-ctl -d $input -c dv_timings_signal_mode={mode}");
    bench.host.text(&set).map(drop)
}

/// How often roomd has the input open.
fn opened(bench: &Bench) -> Result<f64> {
    bench.host.number(&format!(
        "{VIVID} ls -l /proc/$(pid)/fd | grep -c \"$input\\$\" || true"
    ))
}

/// The picture that a guest sees of the room's content.
struct Seen {
    /// How much it varies.
    varies: f64,
    /// How bright it is, 0 to 255.
    mean: f64,
    /// In pixels.
    width: u64,
}

/// None while the guest sees none.
fn seen(guest: &mut Guest) -> Result<Option<Seen>> {
    let answer = guest.evaluate(&format!(
        "(() => {{
            const video = document.querySelector(
                'video[data-participant=\"{ROOM}\"][data-kind=\"screen\"]');
            if (!video?.videoWidth) return null;
            const canvas = new OffscreenCanvas(64, 36);
            const context = canvas.getContext('2d');
            context.drawImage(video, 0, 0, 64, 36);
            const data = context.getImageData(0, 0, 64, 36).data;
            const green = Array.from({{ length: 64 * 36 }}, (_, at) => data[4 * at + 1]);
            const mean = green.reduce((a, b) => a + b) / green.length;
            const varies = green.reduce((a, b) => a + Math.abs(b - mean), 0) / green.length;
            return {{ varies, mean, width: video.videoWidth }};
        }})()"
    ))?;
    let figure = |name: &str| answer[name].as_f64();
    let seen = || {
        Some(Seen {
            varies: figure("varies")?,
            mean: figure("mean")?,
            width: answer["width"].as_u64()?,
        })
    };
    Ok(seen())
}

/// Frozen, the guest sees none of what changes; then all of it.
fn frozen(bench: &Bench, call: &mut Call<'_>) -> Result<()> {
    let pattern = |number: u8| {
        let set = format!("{VIVID} v4l2-ctl -d $input -c test_pattern={number}");
        bench.host.text(&set).map(drop)
    };
    let bright = |guest: &mut Guest| {
        let seen = seen(guest)?.context("the guest sees no content")?;
        Ok::<f64, anyhow::Error>(seen.mean)
    };
    call.room.ctl("content freeze on")?;
    let before = bright(&mut call.guest)?;
    pattern(BLACK)?;
    let begun = Instant::now();
    while begun.elapsed() < UNSHARED {
        let now = bright(&mut call.guest)?;
        ensure!(
            (now - before).abs() < CHANGE / 2.0,
            "a frozen picture went from {before} to {now}"
        );
    }
    call.room.ctl("content freeze off")?;
    wait::until("the picture to move again", || {
        let now = bright(&mut call.guest)?;
        ensure!(before - now > CHANGE, "from {before} to {now}");
        Ok(Some(()))
    })?;
    pattern(BARS)
}

/// The EDID of the input; fails where it has none.
fn read_edid(bench: &Bench) -> Result<Vec<u8>> {
    bench
        .host
        .bytes(&format!("{VIVID} v4l2-ctl -d $input --get-edid=format=raw"))
}

/// A receiver without an EDID, to which a laptop sends nothing, gets the room's and has a signal; one with
/// an EDID keeps it.
pub fn edid(bench: &mut Bench) -> Result<Figure> {
    let own = read_edid(bench)?;
    signal(bench, true)?;
    bench.host.text(&format!(
        "{VIVID} v4l2-ctl -d $input --get-edid >/tmp/own.edid\n\
         v4l2-ctl -d $input --clear-edid\n\
         ! v4l2-ctl -d $input --get-edid >/dev/null 2>&1"
    ))?;
    let media = format!("{HEADLESS}{MEDIA}");
    let room = Daemon::start_with(bench, &media, "")?;
    let ready = |state: &State| signals(state, ContentSignal::Ready);
    room.wait("the signal", ready)?;
    let given = read_edid(bench)?;
    ensure!(
        given.len() == 2 * BASE && given.windows(5).any(|bytes| bytes == b"roomd"),
        "the receiver's EDID is not the room's: {given:02x?}"
    );
    room.kill()?;
    bench.host.text(&format!(
        "{VIVID} v4l2-ctl -d $input --set-edid=file=/tmp/own.edid"
    ))?;
    room.boot()?;
    room.wait("the signal with another EDID", ready)?;
    // Behind the first block vivid writes an address on the CEC line of its own.
    let kept = read_edid(bench)?;
    ensure!(
        kept.get(..BASE) == own.get(..BASE),
        "the receiver's own EDID is gone: {kept:02x?}"
    );
    Ok(count(given.len(), "bytes of EDID"))
}

/// The signal appears, is previewed, cut, shared, frozen and lost; nothing of it by itself.
pub fn shared(bench: &mut Bench) -> Result<Figure> {
    bench.host.text(&format!(
        "{VIVID} v4l2-ctl -d $input --set-dv-bt-timings index=0 >/dev/null"
    ))?;
    signal(bench, false)?;
    let media = format!("{HEADLESS}{MEDIA}");
    let (room, stun) = far::room(bench, &media, "")?;
    room.wait_health("content-ok")?;
    room.wait("no signal", |state| signals(state, ContentSignal::NoSignal))?;
    let state = room.state()?;
    let name = input(&state).context("no content input")?.name.clone();
    ensure!(state.content.len() == 1, "inputs: {:?}", state.content);
    let is_camera = |camera: &roomd_api::Camera| camera.name == name && camera.active;
    ensure!(!state.cameras.iter().any(is_camera), "it is a camera");
    let mut call = far::meet(bench, room, stun)?;
    // Another camera stands in, and emulation has no time for it.
    call.room.ctl("camera off")?;

    signal(bench, true)?;
    call.room.wait("the signal", |state| {
        let input = input(state)?;
        let size = input.width.zip(input.height);
        (input.signal == ContentSignal::Ready && size == Some(SIZE)).then_some(())
    })?;
    // Nobody shares it, and nobody has it open.
    let begun = Instant::now();
    while begun.elapsed() < UNSHARED {
        let state = call.room.state()?;
        shares(&state, ContentShare::Off).context("it is shared by itself")?;
        ensure!(opened(bench)? == 0.0, "it is open without anybody looking");
    }
    preview(bench, &call.room, &name)?;

    let (asked, starved) = (Instant::now(), bench.starved()?);
    call.room.ctl(&format!("content share '{name}'"))?;
    wait::until("the content at the guest", || {
        Ok(seen(&mut call.guest)?.filter(|seen| seen.varies > 5.0))
    })?;
    let starved = bench.starved()?.saturating_sub(starved);
    let took = asked.elapsed().saturating_sub(starved);
    let state = call.room.state()?;
    let sent = state.call.as_ref().context("no call")?;
    ensure!(sent.content && !sent.sending, "the room itself is sent too");

    call.room
        .ctl(&format!("content crop '{name}' 0 0 531 1000"))?;
    wait::until("the half at the guest", || {
        Ok(seen(&mut call.guest)?.filter(|seen| seen.width == u64::from(CUT)))
    })?;
    frozen(bench, &mut call)?;

    signal(bench, false)?;
    call.room.wait("the last picture to stand", |state| {
        shares(state, ContentShare::Held)
    })?;
    call.room.wait("the fault", |state| {
        let lost = |fault: &roomd_model::Fault| fault.code == FaultCode::ContentLost;
        state.faults.iter().any(lost).then_some(())
    })?;
    call.room
        .wait("sharing to end", |state| shares(state, ContentShare::Ended))?;
    wait::until("the content to be gone at the guest", || {
        Ok(seen(&mut call.guest)?.is_none().then_some(()))
    })?;
    signal(bench, true)?;
    call.room.wait("the signal again", |state| {
        signals(state, ContentSignal::Ready)
    })?;
    let state = call.room.state()?;
    shares(&state, ContentShare::Ended).context("it is shared again by itself")?;
    ensure!(opened(bench)? == 0.0, "it is still open");
    call.room.ctl("leave")?;
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms from Share to the far peer's screen",
    })
}

/// A preview is a picture of the signal, and closes the device when nobody looks any more.
fn preview(bench: &Bench, room: &Daemon<'_>, name: &str) -> Result<()> {
    room.ctl(&format!("content preview '{name}' /tmp/content.png"))?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), bench.host.bytes("cat /tmp/content.png")?)?;
    let picture = Picture::read(file.path())?;
    ensure!(
        (picture.width, picture.height) == (SIZE.0 as usize, SIZE.1 as usize),
        "the preview is {} by {}",
        picture.width,
        picture.height
    );
    let varies = picture.deviation(0, 0, picture.width, picture.height);
    ensure!(varies > 5.0, "the preview is a plain surface: {varies}");
    wait::until("the input to be closed", || {
        Ok((opened(bench)? == 0.0).then_some(()))
    })
}
