// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomd and the display behind HDMI-CEC, and buttons and a sensor of uinput.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use roomd_model::Phase;

use super::super::bench::Bench;
use super::super::daemon::Daemon;
use super::super::host::Following;
use super::super::{Figure, count};
use super::capture::VIVID;
use super::cec::CONNECT;
use super::input::{NODE, SENSOR, device, press, sees, sensor, unplug};
use crate::lab::picture::Picture;
use crate::lab::wait;

/// How alike what the room draws and what the display shows must be.
const ALIKE: f64 = 0.9;
/// The requirement for a display that comes back.
const BACK: Duration = Duration::from_secs(3);
/// No camera: emulation has no time for one.
const NO_CAMERA: &str = "camera = \"/dev/video63\"\n";

/// What the display shows, in its own mode.
fn seen(bench: &Bench) -> Result<Picture> {
    let shown = Picture::ppm(&bench.display()?)?;
    ensure!(
        (shown.width, shown.height) == (1920, 1080),
        "the display is {} by {}",
        shown.width,
        shown.height
    );
    Ok(shown)
}

/// Waits until the display shows what the room draws, and gives that.
fn drawn(bench: &Bench, room: &Daemon<'_>) -> Result<Picture> {
    wait::until("the display to show what the room draws", || {
        let drawn = room.snapshot()?;
        let alike = drawn.likeness(&seen(bench)?);
        Ok((alike > ALIKE).then_some(drawn))
    })
}

/// Without a display server, in the display's own mode: what the room draws is what is seen. In a call it is
/// seen again within 3 s of the cable.
pub fn shown(bench: &mut Bench) -> Result<Figure> {
    let room = Daemon::start_with(bench, NO_CAMERA, "")?;
    room.wait_health("display-ok")?;
    room.ctl("start-meeting")?;
    room.ctl("camera off")?;
    room.wait("the call", |state| {
        matches!(state.room.phase, Phase::InCall).then_some(())
    })?;
    let before = drawn(bench, &room)?;
    // As when somebody pulls its cable: the connector's state, and the card's word of it.
    let cable = |state: &str| {
        bench.host.text(&format!(
            "echo {state} >$(echo /sys/class/drm/card*-Virtual-1)/status\n\
             echo change >$(echo /sys/class/drm/card?)/uevent"
        ))
    };
    cable("off")?;
    room.wait_health("display-missing")?;
    room.wait("the display to be gone", |state| {
        state.devices.display.is_none().then_some(())
    })?;
    let clock = bench.clock()?;
    cable("detect")?;
    room.wait("the display to be back", |state| {
        state.devices.display.as_ref().map(drop)
    })?;
    // A new picture of the room takes an emulated processor longer than all else, so it is asked for only when
    // the room draws something else by now.
    wait::until("the display to show the call again", || {
        let shown = seen(bench)?;
        let alike = before.likeness(&shown) > ALIKE || room.snapshot()?.likeness(&shown) > ALIKE;
        Ok(alike.then_some(()))
    })?;
    let took = clock.read()?;
    drawn(bench, &room)?;
    room.ctl("leave")?;
    ensure!(took <= BACK, "{took:?} until the call was seen again");
    Ok(Figure {
        value: took.as_millis() as f64,
        unit: "ms",
    })
}

/// The display sleeps one minute after the last use, which is the least.
const POWER: &str = "\
[display]
standby_minutes = 1
wake_minutes = 0
";

/// A television that does what it is told, and the room's adapter to it.
fn television(bench: &Bench) -> Result<(Following, String)> {
    let television = bench.host.follow(&format!(
        "{VIVID} {CONNECT} cec-ctl -d $(cec out) --clear >/dev/null\n\
         exec stdbuf -oL cec-follower -v -m -d $(cec cap) 2>&1"
    ))?;
    television.wait("Initial Event")?;
    let adapter = bench.host.text(&format!("{VIVID} cec out"))?;
    Ok((television, adapter))
}

/// It is woken and told the input for a meeting, and sent to sleep after it.
pub fn power(bench: &mut Bench) -> Result<Figure> {
    let (television, adapter) = television(bench)?;
    let room = Daemon::start(bench, &format!("{POWER}cec = \"{adapter}\"\n"))?;
    let mut heard = 0;
    for told in ["IMAGE_VIEW_ON", "ACTIVE_SOURCE"] {
        television.wait(told)?;
        heard += 1;
    }
    room.ctl("start-meeting")?;
    room.ctl("leave")?;
    television.wait("STANDBY")?;
    heard += 1;
    let item = room.wait_health("display-control-ok")?;
    ensure!(item.detail.is_some(), "{item:?}");
    Ok(count(heard, "messages heard"))
}

/// It sleeps until a minute before a meeting of the calendar, and is awake then.
pub fn booked(bench: &mut Bench) -> Result<Figure> {
    let (television, adapter) = television(bench)?;
    // Long enough for the sleep before.
    let calendar = "at() { date -u -d \"+$1 seconds\" +%Y%m%dT%H%M%SZ; }\n\
        mkdir -p /etc/roomd\n\
        printf '%s\\r\\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//roomd//bench//DE BEGIN:VEVENT \
          UID:bench DTSTAMP:$(at 0) DTSTART:$(at 240) DTEND:$(at 840) SUMMARY:Bench \
          END:VEVENT END:VCALENDAR >/etc/roomd/room.ics";
    bench.host.text(calendar)?;
    let further = format!(
        "[calendar]\nsource = \"file\"\npath = \"/etc/roomd/room.ics\"\n\
         [display]\nstandby_minutes = 1\nwake_minutes = 1\ncec = \"{adapter}\"\n"
    );
    let room = Daemon::start(bench, &further)?;
    television.wait("IMAGE_VIEW_ON")?;
    let (slept, _) = television.wait("STANDBY")?;
    let state = room.state()?;
    ensure!(
        matches!(state.room.phase, Phase::Idle),
        "the meeting begins already: {:?}",
        state.room.phase
    );
    let (woken, _) = television.wait("IMAGE_VIEW_ON")?;
    bench.host.text("rm /etc/roomd/room.ics")?;
    Ok(Figure {
        value: woken.duration_since(slept).as_secs_f64().round(),
        unit: "s asleep",
    })
}

/// A television with CEC switched off in its menu: nothing answers, and the room asks people.
pub fn deaf(bench: &mut Bench) -> Result<Figure> {
    bench.host.text(&format!(
        "{VIVID} {CONNECT} for adapter in cap out; do\n\
           cec-ctl -d $(cec $adapter) --clear >/dev/null; done"
    ))?;
    let adapter = bench.host.text(&format!("{VIVID} cec out"))?;
    let room = Daemon::start(
        bench,
        &format!("{POWER}power = \"ask\"\ncec = \"{adapter}\"\n"),
    )?;
    let begun = Instant::now();
    room.wait("people to be asked", |state| {
        state.devices.display_asks.then_some(())
    })?;
    let took = begun.elapsed();
    let state = room.state()?;
    let told = state.health.items.iter().any(|item| {
        item.code.starts_with("display-control-")
            && item.code != "display-control-ok"
            && item.remedy.is_some()
    });
    ensure!(told, "the health view says {:?}", state.health.items);
    room.ctl("display-is-on")?;
    room.wait("nobody to be asked any more", |state| {
        (!state.devices.display_asks).then_some(())
    })?;
    Ok(Figure {
        value: took.as_secs_f64().round(),
        unit: "s until people are asked",
    })
}

/// Longer than the display stays awake after the last use.
const STAYS: Duration = Duration::from_secs(75);

/// A presence sensor that sees somebody keeps the display awake; unplugged, it sees nobody, and the display
/// sleeps; whoever comes then wakes it.
pub fn presence(bench: &mut Bench) -> Result<Figure> {
    let (television, adapter) = television(bench)?;
    unplug(bench, SENSOR)?;
    let first = sensor(bench)?;
    bench.host.text(&sees(true))?;
    let node = format!("{NODE} node '{SENSOR}'");
    let at = bench.host.text(&node)?;
    let room = Daemon::start(
        bench,
        &format!(
            "[buttons]\ndevices = [\"{at}\"]\nkeys = {{ SW_FRONT_PROXIMITY = \"presence\" }}\n\
             {POWER}cec = \"{adapter}\"\n"
        ),
    )?;
    room.wait_health("keys-ok")?;
    television.wait("IMAGE_VIEW_ON")?;
    std::thread::sleep(STAYS);
    let left = Instant::now();
    unplug(bench, SENSOR)?;
    drop(first);
    room.wait_health("keys-missing")?;
    let (slept, _) = television.wait("STANDBY")?;
    ensure!(slept > left, "the display slept before somebody");

    let _second = sensor(bench)?;
    ensure!(bench.host.text(&node)? == at, "the sensor has another node");
    room.wait_health("keys-ok")?;
    let came = Instant::now();
    bench.host.text(&sees(true))?;
    let (woken, _) = television.wait("IMAGE_VIEW_ON")?;
    unplug(bench, SENSOR)?;
    Ok(Figure {
        value: woken.saturating_duration_since(came).as_millis() as f64,
        unit: "ms until the display is woken",
    })
}

/// A button of a box, by the room's key map; nothing else reads it while the room lives.
pub fn buttons(bench: &mut Bench) -> Result<Figure> {
    let _device = device(bench)?;
    let node = bench.host.text(&format!("{NODE} node"))?;
    let keys = "keys = { KEY_MICMUTE = \"mute\" }";
    let room = Daemon::start(
        bench,
        &format!("[buttons]\ndevices = [\"{node}\"]\n{keys}\n"),
    )?;
    room.wait_health("keys-ok")?;
    room.ctl("start-meeting")?;
    room.ctl("send")?;
    for on in [false, true] {
        bench.host.text(&press("KEY_MICMUTE"))?;
        room.wait("the button to switch the microphone", |state| {
            (state.call.as_ref()?.microphone == on).then_some(())
        })?;
    }
    let others_read = || {
        let look = format!("timeout 3 stdbuf -oL evtest {node} 2>&1 || true");
        Ok::<bool, anyhow::Error>(
            !bench
                .host
                .text(&look)?
                .contains("grabbed by another process"),
        )
    };
    ensure!(!others_read()?, "others read the room's buttons");
    room.kill()?;
    ensure!(others_read()?, "a dead room holds its buttons");
    room.boot()?;
    Ok(count(2, "presses"))
}
