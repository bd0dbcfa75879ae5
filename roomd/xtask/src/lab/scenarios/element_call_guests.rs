// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Browser guests in the calls of Matrix rooms, as Element Call makes them: each on an SFU of its own,
//! with keys by encrypted messages; and with a password that the link carries.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lab::call_guest::{self, CallGuest, Pages, Participation};
use crate::lab::element_call::ElementCall;
use crate::lab::synapse::{CALL_MEMBER, Kind, User};
use crate::lab::{Figures, wait};

/// After how long the homeserver ends the membership of a guest who vanished.
const LEAVE_AFTER: Duration = Duration::from_secs(8);
/// How long an SFU is away.
const OUTAGE: Duration = Duration::from_secs(5);

pub fn run() -> Result<Figures> {
    ElementCall::install()?;
    let mut servers = ElementCall::start(2)?;
    let pages = Pages::start(servers.folder())?;
    let users = [
        servers.synapse.register("anna")?,
        servers.synapse.register("boris")?,
    ];
    let back = keys(&mut servers, &pages, &users)?;
    password(&servers, &pages, &users)?;
    Ok(Figures::from([
        ("sfus", json!(servers.sfus.len())),
        ("pictures_back_s", json!(back.as_secs_f64())),
    ]))
}

/// An encrypted room; gives how long it takes until pictures come again after an SFU was away.
fn keys(servers: &mut ElementCall, pages: &Pages, [anna, boris]: &[User; 2]) -> Result<Duration> {
    let room = servers.synapse.create_room(anna, "keys", Kind::Encrypted)?;
    servers.synapse.invite(anna, &room, boris)?;
    let second = servers.sfus[1].tokens.url();
    let join = |servers: &ElementCall, user, number, service| {
        let participation = Participation {
            service,
            leave_after: Some(u64::try_from(LEAVE_AFTER.as_millis())?),
            ..Participation::default()
        };
        CallGuest::in_room(pages, &servers.synapse, user, &room, number, participation)
    };
    let mut first = join(servers, anna, 1, None)?;
    let mut other = join(servers, boris, 2, Some(&second))?;
    call_guest::meet(&mut first, &mut other)?;
    members_are_told(servers, &mut first, &room, boris)?;

    other.raise_hand(true)?;
    hand(&mut first, boris, true)?;
    other.raise_hand(false)?;
    hand(&mut first, boris, false)?;

    servers.sfus[1].livekit.kill();
    sleep(OUTAGE);
    servers.sfus[1].livekit.resume()?;
    let begun = Instant::now();
    call_guest::meet(&mut first, &mut other)?;
    let back = begun.elapsed();

    let vanished = Instant::now();
    drop(other);
    wait::until("the membership to end", || {
        let members = first.report()?.members;
        Ok(members.iter().all(|m| m.user != boris.id).then_some(()))
    })?;
    // The last sign of life came up to a quarter of the delay before.
    ensure!(
        vanished.elapsed() >= LEAVE_AFTER / 2,
        "gone after {:?} already",
        vanished.elapsed()
    );
    first.leave()?;
    let left = servers
        .synapse
        .state_of(anna, &room, CALL_MEMBER, &anna.call_member_key())?;
    ensure!(left == Some(json!({})), "anna left and is told as {left:?}");
    Ok(back)
}

/// What a client reads of a guest who publishes on the second SFU.
fn members_are_told(
    servers: &ElementCall,
    guest: &mut CallGuest,
    room: &str,
    whom: &User,
) -> Result<()> {
    let members = guest.report()?.members;
    ensure!(members.len() == 2, "in the call: {members:?}");
    let member = members
        .iter()
        .find(|m| m.user == whom.id)
        .context("nobody")?;
    ensure!(member.device == whom.device, "{member:?}");
    ensure!(member.identity == whom.sfu_identity(), "{member:?}");
    let service = servers.sfus[1].tokens.url();
    ensure!(member.service.as_ref() == Some(&service), "{member:?}");

    let content = servers
        .synapse
        .state_of(whom, room, CALL_MEMBER, &whom.call_member_key())?
        .context("no membership")?;
    let transport = json!({
        "type": "livekit", "livekit_service_url": service, "livekit_alias": room,
    });
    for (field, expected) in [
        ("application", Value::from("m.call")),
        ("call_id", "".into()),
        ("device_id", whom.device.as_str().into()),
        (
            "focus_active",
            json!({ "type": "livekit", "focus_selection": "multi_sfu" }),
        ),
        ("foci_preferred", json!([transport])),
    ] {
        ensure!(content[field] == expected, "{field} in {content}");
    }
    Ok(())
}

fn hand(guest: &mut CallGuest, whom: &User, raised: bool) -> Result<()> {
    wait::until("the hand", || {
        let members = guest.report()?.members;
        let member = members.iter().find(|m| m.user == whom.id);
        Ok(member.is_some_and(|m| m.hand == raised).then_some(()))
    })
}

/// A public room whose link carries a password.
fn password(servers: &ElementCall, pages: &Pages, [anna, boris]: &[User; 2]) -> Result<()> {
    let room = servers.synapse.create_room(anna, "password", Kind::Call)?;
    let participation = Participation {
        password: Some("Holunderbluetensirup"),
        ..Participation::default()
    };
    let join = |user, number| {
        CallGuest::in_room(pages, &servers.synapse, user, &room, number, participation)
    };
    let (mut first, mut other) = (join(anna, 3)?, join(boris, 4)?);
    call_guest::meet(&mut first, &mut other)?;
    first.leave()?;
    other.leave()
}
