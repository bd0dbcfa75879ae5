// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room in a call of Element Call's, with real servers and guests in browsers: keys for each, a
//! shared password, two media servers, and each part gone for a while.

mod crowd;
mod doors;
mod embedded;
mod keys;
mod password;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use roomd_api::State;
use roomd_model::{E2ee, Phase};
use serde_json::{Value, json};

use super::direct_call::{PRESENT, ROOM_TONE};
use crate::lab::call_guest::{CallGuest, Pages, Participation, Tap};
use crate::lab::element_call::ElementCall;
use crate::lab::room::{Options, Room};
use crate::lab::synapse::{CALL_MEMBER, PASSWORD, User};
use crate::lab::{Figures, wait};

/// The host of the links; nobody contacts it.
const HOST: &str = "call.lab.test";
/// So many frames are enough to say of all.
const FRAMES: u64 = 40;
/// What the room can share.
const TABLE: &str = "Tisch";
/// The password in a link.
const SECRET: &str = "Holunderbluetensirup";

/// Everything that the scenario starts.
struct Lab {
    servers: ElementCall,
    pages: Pages,
    room: Room,
    /// The room's account.
    account: User,
    anna: User,
    boris: User,
}

pub fn run() -> Result<Figures> {
    ElementCall::install()?;
    let mut lab = Lab::start()?;
    let mut figures = keys::run(&mut lab)?;
    figures.extend(password::run(&lab)?);
    figures.extend(embedded::run(&lab)?);
    doors::run(&lab)?;
    lab.check_log()?;
    Ok(figures)
}

/// Twelve in one call.
pub fn crowd() -> Result<Figures> {
    ElementCall::install()?;
    let mut lab = Lab::start()?;
    let figures = crowd::run(&mut lab)?;
    lab.check_log()?;
    Ok(figures)
}

/// A room with this account, which wants end-to-end encryption so.
fn room(servers: &ElementCall, account: &User, encryption: &str) -> Result<Room> {
    let file = servers.folder().join(format!("password-{encryption}"));
    std::fs::File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&file)?
        .write_all(PASSWORD.as_bytes())?;
    let extra = format!(
        "[matrix]\nhomeserver = \"{}\"\nuser = \"{}\"\npassword_file = \"{}\"\n\
         element_call = [\"{HOST}\"]\nencryption = \"{encryption}\"\n\
         [[content]]\nname = \"{TABLE}\"\ndevice = \"test\"\n",
        servers.synapse.url(),
        account.id,
        file.display(),
    );
    Room::start(&Options {
        extra,
        begins_in: 3600,
        ..Options::default()
    })
}

impl Lab {
    fn start() -> Result<Self> {
        let servers = ElementCall::start(2)?;
        let pages = Pages::start(servers.folder())?;
        let [account, anna, boris] =
            ["kornblume", "anna", "boris"].map(|name| servers.synapse.register(name));
        let (account, anna, boris) = (account?, anna?, boris?);
        let room = room(&servers, &account, "required")?;
        Ok(Self {
            servers,
            pages,
            room,
            account,
            anna,
            boris,
        })
    }

    fn guest(
        &self,
        user: &User,
        room: &str,
        number: u8,
        participation: Participation<'_>,
    ) -> Result<CallGuest> {
        CallGuest::in_room(
            &self.pages,
            &self.servers.synapse,
            user,
            room,
            number,
            participation,
        )
    }

    fn check_log(&self) -> Result<()> {
        self.room
            .check_log(&["anna", "boris", "clara", SECRET, PASSWORD, "lab.test"])
    }

    /// Touches join and send; gives how long it takes until both directions flow.
    fn join(&self, link: &str) -> Result<Duration> {
        let begun = Instant::now();
        self.enter(link)?;
        self.send()?;
        Ok(begun.elapsed())
    }

    /// Touches join.
    fn enter(&self, link: &str) -> Result<()> {
        self.room.ctl(&["join", "--link", link])?;
        self.room
            .wait("the call", |state| in_call(state).then_some(()))
    }

    /// Touches send, and waits until both directions flow.
    fn send(&self) -> Result<()> {
        self.room.ctl(&["send"])?;
        self.room.wait("both directions", |state| {
            state.statistics.join_ms.map(drop)
        })
    }

    /// Waits until so many wait to be admitted.
    fn waits(&self, people: usize) -> Result<()> {
        self.room.wait("who waits", |state| {
            let waiting = &state.call.as_ref()?.waiting;
            (waiting.len() == people).then_some(())
        })
    }

    fn leave(&self) -> Result<()> {
        self.room.ctl(&["leave"])?;
        self.room.wait("the room to be idle", |state| {
            matches!(state.room.phase, Phase::Idle | Phase::Offered { .. }).then_some(())
        })
    }

    /// How media servers call the room's device, as its membership says.
    fn identity(&self, room: &str) -> Result<String> {
        let membership = self.membership(room)?;
        let device = membership["content"]["device_id"].as_str();
        let device = device.context("a membership without device")?;
        Ok(format!("{}:{device}", self.account.id))
    }

    /// The room's membership in a call, once it stands.
    fn membership(&self, room: &str) -> Result<Value> {
        wait::until("the room's membership", || {
            let state = self.servers.synapse.state(&self.account, room)?;
            let own = state.into_iter().find(|event| {
                event["type"] == CALL_MEMBER
                    && event["sender"] == self.account.id.as_str()
                    && event["content"]["application"] == "m.call"
            });
            Ok(own)
        })
    }

    fn link(room: &str, password: Option<&str>) -> String {
        let password = password
            .map(|it| format!("&password={it}"))
            .unwrap_or_default();
        format!("https://{HOST}/room/#/?roomId={room}{password}")
    }
}

/// Sees what the media server can see of the room, which does not send yet.
fn tap(lab: &Lab, identity: &str, password: Option<&str>) -> Result<Tap> {
    let livekit = &lab.servers.sfus[0].livekit;
    for room in livekit.rooms()? {
        let there = livekit.participants(&room)?;
        if there.iter().any(|it| it.identity == *identity) {
            return Tap::at(&lab.pages, livekit, [&room, identity], password);
        }
    }
    bail!("the room is not at the media server")
}

fn in_call(state: &State) -> bool {
    state.room.phase == Phase::InCall
}

/// A guest gets the room's picture and sound, and what arrives is encrypted.
fn receives_room(guest: &mut CallGuest, identity: &str) -> Result<()> {
    guest.sees(identity, "camera", 0)?;
    wait::until("the room's tone", || {
        let call = format!("guest.toneLevel({}, {ROOM_TONE})", json!(identity));
        let level = guest.browser.evaluate("guest", &call)?.as_f64();
        Ok(level.is_some_and(|level| level > PRESENT).then_some(()))
    })?;
    // On a server where it only listens, the room is there too.
    wait::until("the room's encryption", || {
        let mut seen = guest.report()?.participants.into_iter();
        let seen = seen.find(|it| it.identity == identity && !it.tracks.is_empty());
        let seen = seen.context("the room is gone")?;
        let all = seen.encrypted && seen.tracks.iter().all(|track| track.encrypted);
        ensure!(all, "not encrypted: {seen:?}");
        Ok(Some(()))
    })
}

/// Waits until the call is encrypted from end to end with so many.
fn encrypted_with(room: &Room, people: usize) -> Result<()> {
    room.wait("end-to-end encryption", |state| {
        let call = state.call.as_ref()?;
        let all = call.participants.iter().all(|it| it.e2ee == E2ee::Verified);
        (call.participants.len() == people && all && call.e2ee == E2ee::Verified).then_some(())
    })
}
