// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Twelve who publish at once; and what encryption costs among nine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use roomd_model::E2ee;
use serde_json::json;

use super::{Lab, in_call, room};
use crate::bench::cost;
use crate::lab::call_guest::{Crowd, Participation, Picture};
use crate::lab::synapse::{Kind, User};
use crate::lab::{Figures, picture, wait};

/// All in the call but the room.
const OTHERS: usize = 11;
/// Of how many encrypted streams the processor time is measured.
const STREAMS: usize = 9;
/// So many the display shows beside how many more there are.
const SHOWN: usize = 8;
/// The number in the first guest's picture.
const FIRST: u8 = 20;
/// So often the room joins them all; of the times that this takes, the middle one counts.
const JOINS: u32 = 3;
/// All keys of the call are exchanged within this time of joining.
const KEYS_WITHIN: Duration = Duration::from_secs(2);
/// Encryption takes so many times the processor time at the most.
const COSTS: f64 = 1.1;
/// How often the processor time is measured in each call, and for how long each time.
const ROUNDS: u32 = 4;
const MEASURED: Duration = Duration::from_secs(5);

pub fn run(lab: &mut Lab) -> Result<Figures> {
    // A room that also takes meetings without encryption, to compare.
    lab.account = lab.servers.synapse.register("mohnblume")?;
    lab.room = room(&lab.servers, &lab.account, "preferred")?;
    let users = (0..OTHERS).map(|index| lab.servers.synapse.register(&format!("gast-{index}")));
    let users = users.collect::<Result<Vec<_>>>()?;
    let mut secret = encrypted_meeting(lab, &users)?;
    let mut figures = meet(lab, &mut secret)?;
    let clear = clear_meeting(lab, &users[..STREAMS])?;
    let [encrypted, plain] = costs(lab, [(&secret, E2ee::Verified), (&clear, E2ee::Off)])?;
    let ratio = encrypted / plain;
    ensure!(
        ratio <= COSTS,
        "{encrypted} % of a core encrypted, {plain} % in the clear: {ratio} times as much"
    );
    figures.extend([
        ("cpu_encrypted_percent", json!(encrypted)),
        ("cpu_plain_percent", json!(plain)),
        ("cpu_ratio", json!(ratio)),
    ]);
    Ok(figures)
}

/// A call without the room.
struct Meeting {
    room: String,
    crowd: Crowd,
}

impl Meeting {
    /// The room touches join.
    fn enter(&self, lab: &Lab) -> Result<()> {
        lab.enter(&Lab::link(&self.room, None))
    }
}

/// All guests in an encrypted call, where they have each other's keys.
fn encrypted_meeting(lab: &Lab, users: &[User]) -> Result<Meeting> {
    let mut meeting = meeting(lab, "crowd", Kind::Encrypted, users)?;
    for index in 0..OTHERS {
        wait::until("everybody's key at every guest", || {
            let known = meeting.crowd.report(index)?;
            let (members, keys) = (known.members, known.keys.len());
            ensure!(
                known.connected && members == OTHERS && keys == OTHERS,
                "guest {index} knows {members} and has keys of {keys}"
            );
            Ok(Some(()))
        })?;
    }
    Ok(meeting)
}

/// So many guests in a call that is not encrypted.
fn clear_meeting(lab: &Lab, users: &[User]) -> Result<Meeting> {
    // A device is in one place only.
    let users = users.iter().map(|user| lab.servers.synapse.log_in(user));
    let users = users.collect::<Result<Vec<_>>>()?;
    meeting(lab, "clear", Kind::Call, &users)
}

/// The room is the twelfth in the encrypted call, and again, until some leave and it leaves as well.
fn meet(lab: &Lab, meeting: &mut Meeting) -> Result<Figures> {
    let (mut entered, mut keys) = (Vec::new(), Vec::new());
    for join in 1..=JOINS {
        let begun = Instant::now();
        meeting.enter(lab)?;
        entered.push(begun.elapsed());
        let begun = Instant::now();
        everybody(lab, OTHERS, E2ee::Verified)?;
        let identity = lab.identity(&meeting.room)?;
        for index in 0..OTHERS {
            keys_used(&mut meeting.crowd, index, &identity, join)?;
        }
        keys.push(begun.elapsed());
        if join < JOINS {
            lab.leave()?;
        }
    }
    let (entered, keys) = (middle(entered)?, middle(keys)?);
    ensure!(keys <= KEYS_WITHIN, "keys took {keys:?} to be exchanged");
    lab.send()?;
    shown(lab, SHOWN)?;
    let call = lab.room.state()?.call.context("not in the call")?;
    let participants = 1 + call.participants.len();

    let identity = lab.identity(&meeting.room)?;
    meeting.crowd.shrink(STREAMS)?;
    everybody(lab, STREAMS, E2ee::Verified)?;
    let used = keys_used(&mut meeting.crowd, 0, &identity, JOINS + 1)?;
    lab.leave()?;
    Ok(Figures::from([
        ("participants", json!(participants)),
        ("crowd_entered_s", json!(entered.as_secs_f64())),
        ("crowd_keys_s", json!(keys.as_secs_f64())),
        ("keys_rotated", json!(used - JOINS)),
    ]))
}

fn middle(mut times: Vec<Duration>) -> Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("no times")
}

/// What the room takes of a processor core in these calls, in per cent. It goes from one to the other
/// and back, and the least counts, as what else the machine does can only add to it.
fn costs(lab: &Lab, meetings: [(&Meeting, E2ee); 2]) -> Result<[f64; 2]> {
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for ((meeting, e2ee), least) in meetings.iter().zip(&mut least) {
            meeting.enter(lab)?;
            lab.send()?;
            everybody(lab, STREAMS, *e2ee)?;
            shown(lab, STREAMS)?;
            let cost = cost::cpu(|| Ok(vec![lab.room.pid()?]), MEASURED)?;
            *least = least.min(cost);
            lab.leave()?;
        }
    }
    Ok(least)
}

/// Waits until a guest got so many keys of the room's; gives how many there are.
fn keys_used(crowd: &mut Crowd, index: usize, identity: &str, least: u32) -> Result<u32> {
    wait::until("the room's keys at every guest", || {
        let keys = crowd.report(index)?.keys;
        let used = keys.get(identity).copied().unwrap_or_default();
        ensure!(used >= least, "guest {index} has {used} of the room's keys");
        Ok(Some(used))
    })
}

/// The call of a Matrix room where all of them publish.
fn meeting(lab: &Lab, name: &str, kind: Kind, users: &[User]) -> Result<Meeting> {
    let servers = &lab.servers;
    let (folder, synapse) = (servers.folder(), &servers.synapse);
    let (owner, others) = users.split_first().context("nobody")?;
    let room = synapse.create_room(owner, name, kind)?;
    for other in others.iter().chain([&lab.account]) {
        synapse.invite(owner, &room, other)?;
    }
    let participation = Participation {
        picture: Picture {
            width: 320,
            height: 180,
            fps: 8,
        },
        ..Participation::default()
    };
    let crowd = Crowd::in_room(folder, synapse, users, &room, FIRST, participation)?;
    Ok(Meeting { room, crowd })
}

/// Waits until so many others are in the call, all of them encrypted so.
fn everybody(lab: &Lab, others: usize, e2ee: E2ee) -> Result<()> {
    wait::until("everybody's encryption", || {
        let state = lab.room.state()?;
        let call = state.call.as_ref().filter(|_| in_call(&state));
        let people = &call.context("not in the call")?.participants;
        let so = people.iter().filter(|it| it.e2ee == e2ee).count();
        let there = people.len();
        ensure!(
            so == others && there == others,
            "{there} of {others} are there, {so} are {e2ee:?}"
        );
        Ok(Some(()))
    })
}

/// Waits until the display shows so many guests, and all of their pictures move.
fn shown(lab: &Lab, guests: usize) -> Result<()> {
    let path = lab.room.path("display.png");
    let mut first = BTreeMap::new();
    wait::until("the guests on the display", || {
        let now = picture::time_codes(&lab.room.snapshot(&path)?);
        let moves = |(number, millis): &(&u8, &u64)| {
            let begun = first.get(*number).copied();
            begun.is_some_and(|begun: u64| begun != **millis)
        };
        let moving = now.iter().filter(moves).count();
        for (number, millis) in &now {
            first.entry(*number).or_insert(*millis);
        }
        let shown: Vec<_> = now.keys().collect();
        ensure!(
            moving == guests && shown.len() == guests,
            "{moving} of {guests} move, {shown:?} are shown"
        );
        Ok(Some(()))
    })
}
