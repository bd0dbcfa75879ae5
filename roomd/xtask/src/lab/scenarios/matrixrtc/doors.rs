// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Rooms that one knocks at, passwords that a link lost, and links that lead nowhere.

use anyhow::{Result, ensure};
use roomd_model::{E2ee, Phase};

use super::{HOST, Lab, SECRET, encrypted_with};
use crate::lab::call_guest::Participation;
use crate::lab::panel::Panel;
use crate::lab::synapse::Kind;

pub fn run(lab: &Lab) -> Result<()> {
    let mut panel = Panel::open(&lab.room)?;
    the_room_knocks(lab)?;
    others_knock(lab, &mut panel)?;
    asked_for_password(lab, &mut panel)?;
    refusals(lab)
}

/// The room waits before the door until somebody inside lets it in.
fn the_room_knocks(lab: &Lab) -> Result<()> {
    let synapse = &lab.servers.synapse;
    let room = synapse.create_room(&lab.anna, "door", Kind::Knock)?;
    let link = Lab::link(&room, Some(SECRET));
    lab.room.ctl(&["join", "--link", &link])?;
    lab.room.wait("the lobby", |state| {
        (state.room.phase == Phase::Lobby).then_some(())
    })?;
    synapse.invite(&lab.anna, &room, &lab.account)?;
    lab.room
        .wait("the call", |state| super::in_call(state).then_some(()))?;
    lab.leave()
}

/// Who knocks where the room may invite is shown, and let in or turned away.
fn others_knock(lab: &Lab, panel: &mut Panel) -> Result<()> {
    let synapse = &lab.servers.synapse;
    let room = synapse.create_room(&lab.account, "own-door", Kind::Knock)?;
    lab.enter(&Lab::link(&room, Some(SECRET)))?;
    synapse.knock(&lab.boris, &room)?;
    lab.waits(1)?;
    panel.wait_for("[data-testid=waiting]")?;
    panel.screenshot(&lab.room.path("panel-knock.png"))?;
    panel.admit()?;
    lab.waits(0)?;
    synapse.join(&lab.boris, &room)?;
    synapse.knock(&lab.anna, &room)?;
    lab.waits(1)?;
    panel.touch("[data-testid=deny]")?;
    lab.waits(0)?;
    let answer = synapse.try_join(&lab.anna, &room)?;
    ensure!(
        answer.status == 403,
        "turned away and let in: {}",
        answer.status
    );
    lab.leave()
}

/// A link that was passed on without its password: the panel asks for it.
fn asked_for_password(lab: &Lab, panel: &mut Panel) -> Result<()> {
    let synapse = &lab.servers.synapse;
    let room = synapse.create_room(&lab.anna, "asked", Kind::Call)?;
    let participation = Participation {
        password: Some(SECRET),
        ..Participation::default()
    };
    let mut anna = lab.guest(&lab.anna, &room, 5, participation)?;
    lab.room.ctl(&["join", "--link", &Lab::link(&room, None)])?;
    panel.wait_for("[data-testid=password]")?;
    panel.screenshot(&lab.room.path("panel-password.png"))?;
    panel.fill("[data-testid=password-input]", "Kirschwasser")?;
    panel.touch("[data-testid=password-submit]")?;
    lab.room
        .wait("the call", |state| super::in_call(state).then_some(()))?;
    // Nothing of Anna's opens with it.
    lab.room.wait("the password to be doubted", |state| {
        (state.call.as_ref()?.password_wanted == Some(true)).then_some(())
    })?;
    panel.wait_for("[data-testid=password]")?;
    panel.screenshot(&lab.room.path("panel-wrong-password.png"))?;
    panel.fill("[data-testid=password-input]", SECRET)?;
    panel.touch("[data-testid=password-submit]")?;
    lab.room.wait("the right password", |state| {
        let call = state.call.as_ref()?;
        (call.password_wanted.is_none() && call.e2ee == E2ee::Verified).then_some(())
    })?;
    lab.send()?;
    encrypted_with(&lab.room, 1)?;
    let e2ee = lab.room.state()?.call.map(|call| call.e2ee);
    ensure!(e2ee == Some(E2ee::Verified), "{e2ee:?}");
    panel.screenshot(&lab.room.path("panel-call.png"))?;
    anna.leave()?;
    lab.leave()
}

/// What cannot be joined says why.
fn refusals(lab: &Lab) -> Result<()> {
    let synapse = &lab.servers.synapse;
    let ordinary = synapse.create_room(&lab.anna, "ordinary", Kind::Ordinary)?;
    let plain = synapse.create_room(&lab.anna, "plain", Kind::Call)?;
    for (link, code) in [
        (Lab::link(&ordinary, Some(SECRET)), "call-not-allowed"),
        (format!("https://matrix.to/#/{plain}"), "encryption-missing"),
        (
            Lab::link("!nowhere:lab.test", Some(SECRET)),
            "meeting-unknown",
        ),
        (
            format!("https://{HOST}/room/#/?roomId=nonsense"),
            "link-broken",
        ),
    ] {
        lab.room.ctl(&["join", "--link", &link])?;
        lab.room.wait(code, |state| {
            let phase = serde_json::to_value(&state.room.phase).ok()?;
            (phase["code"] == code).then_some(())
        })?;
    }
    Ok(())
}
