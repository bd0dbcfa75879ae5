// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Terminated and killed in a meeting, the room comes back into it, silent.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use roomd_model::Phase;
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::{LEAVE, Panel, SEND};
use crate::lab::room::{Options, Room};

/// How long a room is watched that should stay where it is.
const STAYS: Duration = Duration::from_secs(3);

/// What systemd waits for before it starts a daemon that hangs again.
const WATCHDOG: Duration = Duration::from_secs(1);

pub fn run() -> Result<Figures> {
    tells_systemd()?;
    let mut room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut guest = Guest::open(&room, "Magda Rosenthal", 1)?;
    guest.join()?;
    start_call(&room, &mut panel)?;
    display_shows(&room, guest.number)?;

    let stopped = room.terminate()?;
    ensure!(stopped < Duration::from_secs(8), "leaving took {stopped:?}");
    let back_after_stop = comes_back(&mut room)?;
    room.kill()?;
    let back_after_kill = comes_back(&mut room)?;

    // By the panel on the wall, which was open all the time and shows the silent room by now.
    panel.wait_for(SEND)?;
    // The guest waits in the lobby: nobody is left whose meeting would end, so nothing is asked.
    panel.touch(LEAVE)?;
    room.wait("the room to be idle", idle)?;
    room.terminate()?;
    room.boot()?;
    // A room that left does not go back by itself.
    let begun = Instant::now();
    while begun.elapsed() < STAYS {
        ensure!(idle(&room.state()?).is_some(), "the room went back");
        std::thread::sleep(Duration::from_millis(100));
    }
    room.check_log(&[&guest.name])?;
    Ok(Figures::from([
        ("stop_ms", json!(stopped.as_millis())),
        ("back_after_stop_ms", json!(back_after_stop.as_millis())),
        ("back_after_kill_ms", json!(back_after_kill.as_millis())),
    ]))
}

/// Signs of life arrive twice as often as systemd wants them, and the end is announced.
fn tells_systemd() -> Result<()> {
    let mut room = Room::start(&Options {
        begins_in: 3600,
        watchdog: Some(WATCHDOG),
        ..Options::default()
    })?;
    room.notices();
    let begun = Instant::now();
    let mut alive = 0;
    while begun.elapsed() < 3 * WATCHDOG {
        let notices = room.notices();
        alive += notices.iter().filter(|line| *line == "WATCHDOG=1").count();
    }
    ensure!(alive >= 3, "{alive} signs of life in 3 s");
    room.terminate()?;
    let last = room.notices();
    ensure!(
        last.iter().any(|line| line == "STOPPING=1"),
        "the end was not announced: {last:?}"
    );
    Ok(())
}

fn comes_back(room: &mut Room) -> Result<Duration> {
    let begun = Instant::now();
    room.boot()?;
    let sending = room.wait("the room to be back in the meeting", |s| {
        (s.room.phase == Phase::InCall).then(|| s.call.as_ref().is_some_and(|call| call.sending))
    })?;
    ensure!(!sending, "the room came back sending");
    Ok(begun.elapsed())
}

fn idle(state: &roomd_api::State) -> Option<()> {
    matches!(state.room.phase, Phase::Idle | Phase::Offered { .. }).then_some(())
}
