// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A far peer: Chromium on this machine, in a meeting that the virtual room hosts. What the bar's
//! camera and microphones take arrives there, and what is said there comes out of the bar.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use usb_bar::picture;

use super::super::Figure;
use super::super::bars::Bars;
use super::super::bench::Bench;
use super::super::daemon::{Daemon, HEADLESS};
use crate::lab::browser::Options;
use crate::lab::guest::{Guest, ROOM};
use crate::lab::media_files::tone_of;
use crate::lab::room::free_port;
use crate::lab::server::Server;
use crate::lab::wait;

/// The guest's number: in the picture, and by its tone.
const GUEST: u8 = 3;
/// What the bar's second microphone hears, in hertz.
const TONE: f64 = 1000.0;
/// A quarter of the bar's tone, which shares full scale with three others.
const PRESENT: f64 = 0.01;
/// How far off a pitch may be that is counted by passages through zero.
const PITCH: f64 = 25.0;
/// Frames over which a pitch is counted: half a second.
const ENOUGH: f64 = 24_000.0;
/// The requirement for mute.
const MUTE: Duration = Duration::from_millis(100);
/// The requirement for a device that comes back.
const BACK: Duration = Duration::from_secs(3);
/// Without a packet for so long, none comes any more.
const QUIET: Duration = Duration::from_secs(2);

/// A guest in the virtual room's meeting.
pub(super) struct Call<'a> {
    pub(super) room: Daemon<'a>,
    pub(super) guest: Guest,
    // Tells the room how it is seen from here; ends with the value.
    _stun: Server,
}

/// The bar's sound is steady tones, which noise suppression takes out: here it goes out as it is. The
/// configuration has these lines besides.
pub(super) fn call<'a>(bench: &'a Bench, further: &str) -> Result<Call<'a>> {
    bench.attach("A1")?;
    let media = format!("{HEADLESS}echo_cancellation = \"off\"\n");
    let (room, stun) = room(bench, &media, further)?;
    room.wait_health("camera-ok")?;
    let call = meet(bench, room, stun)?;
    call.room.ctl("send")?;
    Ok(call)
}

/// A room that guests on this machine reach, with these lines in `[media]` and behind it.
pub(super) fn room<'a>(
    bench: &'a Bench,
    media: &str,
    further: &str,
) -> Result<(Daemon<'a>, Server)> {
    let (stun, port) = stun(bench)?;
    let media = format!("{media}stun = [\"stun:10.0.2.2:{port}\"]\n");
    Ok((Daemon::start_with(bench, &media, further)?, stun))
}

/// A meeting with one guest, who is admitted and sends no picture.
pub(super) fn meet<'a>(bench: &Bench, room: Daemon<'a>, stun: Server) -> Result<Call<'a>> {
    room.ctl("start-meeting")?;
    let url = room.wait("the meeting's link", |state| {
        let url = state.call.as_ref()?.guest_url.as_ref()?;
        Some(url.expose().clone())
    })?;
    let pin = bench.host.text(
        "openssl x509 -in /var/lib/roomd/tls/server.pem -noout -pubkey \
         | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64",
    )?;
    let mut guest = Guest::at(&url, &pin, "Far peer", GUEST, Options::default())?;
    guest.join()?;
    room.wait("somebody to knock", |state| {
        (!state.call.as_ref()?.waiting.is_empty()).then_some(())
    })?;
    room.ctl("admit all")?;
    // Emulation has no time for pictures that nobody looks at.
    guest.wait_for("[data-action=camera]")?;
    guest.click("[data-action=camera]")?;
    Ok(Call {
        room,
        guest,
        _stun: stun,
    })
}

/// coturn as a STUN server on this machine's loopback.
fn stun(bench: &Bench) -> Result<(Server, u16)> {
    let port = free_port()?;
    let folder = bench.folder()?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "turnserver"]);
    command.args([
        "-n",
        "--no-cli",
        "--simple-log",
        "--no-dtls",
        "--no-tls",
        "--stun-only",
    ]);
    command.args([
        "--log-file",
        "stdout",
        "-L",
        "127.0.0.1",
        "--listening-port",
    ]);
    command.arg(port.to_string());
    for (option, name) in [("--pidfile", "stun.pid"), ("--userdb", "stun.users")] {
        command.arg(option).arg(folder.join(name));
    }
    let ready = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    Ok((Server::start("stun", command, folder, ready)?, port))
}

/// The number in the bar's picture as the guest sees it: 4:3 in the middle of 16:9.
pub(super) fn number(guest: &mut Guest) -> Result<Option<u32>> {
    let fields = guest.evaluate(&format!(
        "(() => {{
            const video = document.querySelector(
                'video[data-participant=\"{ROOM}\"][data-kind=\"camera\"]');
            if (!video?.videoWidth) return [];
            const {{ videoWidth: width, videoHeight: height }} = video;
            const canvas = new OffscreenCanvas(width, height);
            const context = canvas.getContext('2d');
            context.drawImage(video, 0, 0);
            const row = context.getImageData(width / 8, height / 8, width * 3 / 4, 1).data;
            const pixel = (field) => Math.floor((field * 2 + 1) * width * 3 / 4 / 64);
            return Array.from({{ length: 32 }}, (_, field) => row[4 * pixel(field) + 1]);
        }})()"
    ))?;
    let fields: Vec<u8> = fields
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| u8::try_from(field.as_u64()?).ok())
        .collect();
    // Each field's middle is an odd pixel of a picture that is 64 wide.
    Ok(picture::number(64, |x| fields.get(x / 2).copied()))
}

/// Waits until the guest sees a later picture of the bar.
pub(super) fn sees(guest: &mut Guest, after: u32) -> Result<u32> {
    wait::until("a later picture of the bar", || {
        Ok(number(guest)?.filter(|number| *number > after))
    })
}

/// The track on which the guest sees the room.
pub(super) fn track(guest: &mut Guest) -> Result<String> {
    let id = guest.evaluate(&format!(
        "document.querySelector('video[data-participant=\"{ROOM}\"][data-kind=\"camera\"]')
            ?.srcObject?.getVideoTracks()[0]?.id ?? null"
    ))?;
    let id = id.as_str().context("the room is on no track")?;
    Ok(id.to_owned())
}

/// Waits until the guest hears the bar's tone, or no longer.
fn hears(guest: &mut Guest, present: bool) -> Result<()> {
    let what = format!("the bar's tone at the guest to be {present}");
    wait::until(&what, || {
        let is_present = guest.hears(ROOM, TONE)? > PRESENT;
        Ok((is_present == present).then_some(()))
    })
}

/// Waits until the bar plays a tone; what it counted before, silence too, is left out.
fn plays(bars: &Bars, hertz: f64) -> Result<()> {
    let counted = || {
        let played = bars.state("A1")?["played"].take();
        let frames = played["frames"].as_f64().unwrap_or_default();
        Ok::<_, anyhow::Error>((
            frames,
            frames * played["pitch"].as_f64().unwrap_or_default(),
        ))
    };
    let mut last = (0.0, 0.0);
    let mut pitch = f64::NAN;
    let heard = wait::until("the guest's tone at the bar", || {
        let next = counted()?;
        if next.0 < last.0 {
            // It began anew.
            last = (0.0, 0.0);
        }
        if next.0 - last.0 < ENOUGH {
            return Ok(None);
        }
        pitch = (next.1 - last.1) / (next.0 - last.0);
        last = next;
        Ok(((pitch - hertz).abs() < PITCH).then_some(()))
    });
    heard.with_context(|| {
        let state = bars.state("A1").unwrap_or_default();
        format!("the bar plays {pitch} Hz, not {hertz}: {state}")
    })
}

/// The guest's tone comes out of the bar.
pub fn back(bench: &mut Bench) -> Result<Figure> {
    let call = call(bench, "")?;
    // Encoding a picture leaves an emulated processor no time for what the bar should play.
    call.room.ctl("camera off")?;
    call.room.ctl("mute")?;
    let begun = Instant::now();
    plays(bench.bars()?, tone_of(GUEST)).with_context(|| {
        format!(
            "the room says {:?}",
            call.room.state().map(|s| s.statistics)
        )
    })?;
    call.room.ctl("leave")?;
    Ok(Figure {
        value: begun.elapsed().as_millis() as f64,
        unit: "ms",
    })
}

/// Picture and sound of the bar at the guest, by content; then it is pulled out and back.
pub fn out(bench: &mut Bench) -> Result<Figure> {
    let mut call = call(bench, "")?;
    let first = sees(&mut call.guest, 0)?;
    let later = sees(&mut call.guest, first)?;
    hears(&mut call.guest, true)?;
    bench.detach("A1")?;
    wait::until("the still picture at the guest", || {
        Ok(number(&mut call.guest)?.is_none().then_some(()))
    })?;
    hears(&mut call.guest, false)?;
    let clock = bench.clock()?;
    bench.plug_until("A1", "the camera to be open", |state| {
        state["camera_open"] == true
    })?;
    wait::until("the bar's picture to be back at the guest", || {
        number(&mut call.guest)
    })?;
    let took = clock.read()?;
    hears(&mut call.guest, true)?;
    call.room.ctl("leave")?;
    ensure!(later > first, "the picture stands still");
    ensure!(took <= BACK, "{took:?} until the picture was back");
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms",
    })
}

/// From the bar's mute key to the last packet of sound at the guest.
pub fn mute(bench: &mut Bench) -> Result<Figure> {
    let mut call = call(bench, "")?;
    // As for what is played: encoding a picture leaves an emulated processor no time.
    call.room.ctl("camera off")?;
    hears(&mut call.guest, true)?;
    let bars = bench.bars()?;
    let (mut count, _) = call.guest.packets_received()?;
    let starved = bench.starved()?;
    let pressed = Instant::now();
    bars.order("A1 press mute")?;
    let mut last = pressed;
    while last.elapsed() < QUIET {
        let (sound, _) = call.guest.packets_received()?;
        if sound > count {
            (last, count) = (Instant::now(), sound);
        }
        ensure!(pressed.elapsed() < Duration::from_secs(30), "sound goes on");
    }
    let starved = bench.starved()?.saturating_sub(starved);
    let took = last.duration_since(pressed);
    bars.wait("A1", "the lamp to follow", |state| {
        state["lamps"]["mute"] == true
    })?;
    let muted = call.room.state()?.call.context("no call")?;
    ensure!(!muted.microphone, "the room counts itself as heard");
    call.room.ctl("leave")?;
    let waited = took.saturating_sub(starved);
    ensure!(
        waited <= MUTE,
        "{took:?} from the key to the last packet, {starved:?} of it starved"
    );
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms",
    })
}
