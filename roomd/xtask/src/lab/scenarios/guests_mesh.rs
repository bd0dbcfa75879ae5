// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Three guests see each other and the room; share, hand, chat, layout.

use anyhow::{Context, Result, ensure};
use roomd_api::State;
use roomd_model::{E2ee, Layout, StreamKind};
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::browser::Options as Browser;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};
use crate::lab::{Figures, media_files, wait};

const CHAT: &str = "Guten Tag aus Moosbach";
const NAMES: [&str; 3] = ["Clara Birkenhain", "Dietrich Moosbach", "Emil Tannfeld"];

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut guests = Vec::new();
    for (index, name) in NAMES.iter().enumerate() {
        let number = u8::try_from(index + 1)?;
        let video = media_files::video_at(number, 10)?;
        let share = Browser {
            display_media: Some("window"),
            video: Some(&video),
            ..Browser::default()
        };
        let mut guest = Guest::open_with(&room, name, number, share)?;
        guest.join()?;
        if index == 0 {
            start_call(&room, &mut panel)?;
        } else {
            panel.admit_guest(name)?;
        }
        guests.push(guest);
    }
    let state = room.wait("three guests", |state| {
        let call = state.call.as_ref()?;
        (call.participants.len() == 3 && call.e2ee == E2ee::Verified).then(|| state.clone())
    })?;
    for guest in &guests {
        display_shows(&room, guest.number)?;
    }
    for index in 0..guests.len() {
        guests[index].sees("room", "camera")?;
        for other in 0..guests.len() {
            if other == index {
                continue;
            }
            let id = id_of(&state, &guests[other].name)?;
            let source = guests[index].sees(&id, "camera")?;
            ensure!(
                source == u64::from(guests[other].number),
                "guest {index} sees {source}"
            );
        }
    }
    let first = id_of(&state, &guests[0].name)?;
    let tone = media_files::tone_of(guests[0].number);
    wait::until("the first guest's tone", || {
        Ok((guests[1].hears(&first, tone)? > 0.02).then_some(()))
    })?;
    hand_and_chat(&room, &mut panel, &mut guests)?;
    share(&room, &mut guests)?;
    let personal = [&NAMES[..], &[CHAT]].concat();
    room.check_log(&personal)?;
    Ok(Figures::from([
        ("guests", json!(guests.len())),
        ("pictures_proved", json!(4 * 3)),
    ]))
}

fn hand_and_chat(room: &Room, panel: &mut Panel, guests: &mut [Guest]) -> Result<()> {
    guests[0].click("[data-action=hand]")?;
    room.wait("a raised hand", |state| {
        let call = state.call.as_ref()?;
        call.participants.iter().find(|p| p.hand).map(|_| ())
    })?;
    guests[1].click("[data-action=chat]")?;
    guests[1]
        .browser
        .fill("guest", "form input, form textarea", CHAT)?;
    guests[1].click("[data-action=send-chat]")?;
    room.wait("the chat line", |state| {
        let call = state.call.as_ref()?;
        call.chat
            .iter()
            .find(|line| line.text.expose() == CHAT)
            .map(|_| ())
    })?;
    panel.touch("[data-testid=tab-chat]")?;
    panel.wait_for("[data-testid=chat]")
}

/// The last guest shares a window: the display turns to it, the others see it, and it ends.
fn share(room: &Room, guests: &mut [Guest]) -> Result<()> {
    let last = guests.len() - 1;
    guests[last].click("[data-action=share]")?;
    let sharer = room.wait("the shared window", |state| {
        let call = state.call.as_ref()?;
        let live = call
            .previews
            .iter()
            .any(|p| p.kind == StreamKind::Screen && p.live);
        (call.layout == Layout::Share && live).then(|| call.sharer.clone())?
    })?;
    let name = guests[last].name.clone();
    ensure!(
        id_of(&room.state()?, &name)? == sharer.0,
        "somebody else shares"
    );
    let path = room.path("share.png");
    wait::until("the window on the display", || {
        Ok((room.snapshot(&path)?.deviation(40, 240, 1200, 600) > 8.0).then_some(()))
    })?;
    wait::until("the window at another guest", || {
        let seen = guests[0].evaluate(&format!(
            "(() => {{
                const video = document.querySelector(
                    'video[data-participant=\"{}\"][data-kind=screen]');
                return video?.videoWidth ? roomdProbe.luma(video).deviation : 0;
            }})()",
            sharer.0
        ))?;
        Ok((seen.as_f64().unwrap_or_default() > 4.0).then_some(()))
    })?;
    guests[last].click("[data-action=share]")?;
    room.wait("the end of sharing", |state| {
        let call = state.call.as_ref()?;
        (call.sharer.is_none() && call.layout != Layout::Share).then_some(())
    })
}

fn id_of(state: &State, name: &str) -> Result<String> {
    let call = state.call.as_ref().context("there is no call")?;
    let found = call.participants.iter().find(|p| p.name.expose() == name);
    Ok(found
        .with_context(|| format!("{name} is not in the call"))?
        .id
        .0
        .clone())
}
