// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Into a room and out of it.

use std::time::Duration;

use matrix_sdk::deserialized_responses::MemberEvent;
use matrix_sdk::ruma::events::room::member::MembershipState;
use matrix_sdk::ruma::{OwnedRoomId, OwnedRoomOrAliasId, OwnedServerName, RoomAliasId};
use matrix_sdk::{Client, Error, Room, RoomState};
use reqwest::Method;
use roomd_matrix_port::{Done, Failure, JoinedRoom, MAX_REASON_BYTES, MAX_VIA, RoomId};
use roomd_model::Pii;
use serde_json::{Value, json};

use super::{Context, Outcome, Then};
use crate::failure;
use crate::room::{Watched, info};
use crate::server::{Refused, Server};

/// How long a room that was left may take to show as left.
const FORGET: Duration = Duration::from_secs(10);

pub(super) async fn join(
    context: Context,
    room: &str,
    via: &[Pii<String>],
    reason: Option<Pii<String>>,
) -> Outcome {
    let client = &context.client;
    let (id, via) = resolve(client, room, via).await?;
    if let Some(room) = client.get_room(&id)
        && room.state() == RoomState::Joined
    {
        let was_member = !context.files.was_entered(id.as_str());
        return enter(context, room, was_member).await;
    }
    // Before it is true: whoever comes back after a crash in between still knows it. A file that
    // cannot be written was told already, and is no reason to stay outside.
    let _ = context.files.keep_entered(id.as_str());
    let target = OwnedRoomOrAliasId::from(id.clone());
    match client.join_room_by_id_or_alias(&target, &via).await {
        Ok(room) => enter(context, room, false).await,
        Err(error) => {
            let failure = join_failure(&error);
            // After the others the server may have let the account in all the same.
            if !failure.is_retryable() {
                let _ = context.files.forget_entered(id.as_str());
            }
            if failure == Failure::Forbidden {
                return knock(client, id, via, reason).await;
            }
            Err(failure)
        }
    }
}

/// A room's id, and the servers that know it.
async fn resolve(
    client: &Client,
    room: &str,
    via: &[Pii<String>],
) -> Result<(OwnedRoomId, Vec<OwnedServerName>), Failure> {
    // A name that is none is left out: the others may do.
    let named = via.iter().take(MAX_VIA);
    let mut via: Vec<_> = named
        .filter_map(|name| OwnedServerName::try_from(name.expose().as_str()).ok())
        .collect();
    if let Ok(id) = OwnedRoomId::try_from(room) {
        return Ok((id, via));
    }
    let alias = RoomAliasId::parse(room).map_err(|_| Failure::BadRequest)?;
    let resolved = client.resolve_room_alias(&alias).await;
    let resolved = resolved.map_err(|error| join_failure(&error.into()))?;
    via.extend(resolved.servers.into_iter().take(MAX_VIA));
    Ok((resolved.room_id, via))
}

/// Whatever a server does not find here is the room.
fn join_failure(error: &Error) -> Failure {
    let failure = failure::of(error);
    if matches!(failure, Failure::Gone | Failure::Unsupported) {
        Failure::UnknownRoom
    } else {
        failure
    }
}

/// Waits until the room's state has arrived, and says what is in it.
async fn enter(mut context: Context, room: Room, was_member: bool) -> Outcome {
    while !has_arrived(&room).await {
        let next = context.polls.changed().await;
        next.map_err(|_| Failure::Unreachable)?;
    }
    // Names and knocks are told from here on without asking again.
    let members = room.sync_members().await;
    members.map_err(|error| failure::of(&error))?;
    let info = info(&room).await;
    let belongs = was_member || was_invited(&room).await;
    if belongs {
        let _ = context.files.forget_entered(room.room_id().as_str());
    }
    let joined = JoinedRoom {
        room: RoomId::new(room.room_id().as_str()),
        version: room
            .version()
            .map(|version| version.to_string())
            .unwrap_or_default(),
        info: info.clone(),
        belongs,
        me: context.me,
    };
    let then = Then::Watch(room.room_id().to_owned(), Box::new(Watched::new(info)));
    Ok((Done::Joined(joined), then))
}

/// The room's state comes in one piece, the account's own membership with it. What the SDK says of
/// that state is no help: a join that completes while a poll brings the room takes it back.
async fn has_arrived(room: &Room) -> bool {
    let member = room.get_member_no_sync(room.own_user_id()).await;
    room.state() == RoomState::Joined
        && member.is_ok_and(|member| {
            member.is_some_and(|member| *member.membership() == MembershipState::Join)
        })
}

/// Whether the account came into the room by an invitation, as the room's own record has it: news of
/// the invitation may still be on its way.
async fn was_invited(room: &Room) -> bool {
    let member = room.get_member_no_sync(room.own_user_id()).await;
    let Ok(Some(member)) = member else {
        return false;
    };
    let MemberEvent::Sync(event) = &**member.event() else {
        return false;
    };
    let before = event.as_original().and_then(|event| event.prev_content());
    before.is_some_and(|before| before.membership == MembershipState::Invite)
}

/// A room that lets nobody in by himself: knocks where it hears that, or says what it is.
async fn knock(
    client: &Client,
    id: OwnedRoomId,
    via: Vec<OwnedServerName>,
    reason: Option<Pii<String>>,
) -> Outcome {
    match door(client, &id, &via).await {
        Door::Knock => {}
        Door::Shut(failure) => return Err(failure),
    }
    let reason = reason.map(Pii::into_inner);
    if reason
        .as_ref()
        .is_some_and(|reason| reason.len() > MAX_REASON_BYTES)
    {
        return Err(Failure::BadRequest);
    }
    let target = OwnedRoomOrAliasId::from(id.clone());
    match client.knock(target, reason, via).await {
        Ok(_) => Ok((
            Done::Knocked {
                room: RoomId::new(id.as_str()),
            },
            Then::Knocked(id),
        )),
        Err(error) if failure::of(&error) == Failure::Forbidden => Err(Failure::InviteOnly),
        Err(error) => Err(join_failure(&error)),
    }
}

enum Door {
    /// It may hear a knock.
    Knock,
    Shut(Failure),
}

/// Looks at a room that did not let the account in.
async fn door(client: &Client, id: &OwnedRoomId, via: &[OwnedServerName]) -> Door {
    if client
        .get_room(id)
        .is_some_and(|room| room.state() == RoomState::Banned)
    {
        return Door::Shut(Failure::Banned);
    }
    let summary = summary(client, id, via).await;
    if summary["membership"] == "ban" {
        return Door::Shut(Failure::Banned);
    }
    match summary["join_rule"].as_str() {
        Some("knock" | "knock_restricted") | None => Door::Knock,
        Some("invite" | "private" | "restricted") => Door::Shut(Failure::InviteOnly),
        // Public, and still shut.
        Some(_) => Door::Shut(Failure::Forbidden),
    }
}

/// What strangers may know about a room; nothing, where that is all.
async fn summary(client: &Client, id: &OwnedRoomId, via: &[OwnedServerName]) -> Value {
    let query: Vec<_> = via.iter().map(|name| ("via", name.as_str())).collect();
    let path = ["v1", "room_summary", id.as_str()];
    let server = Server::of(client);
    let answer = server.call(Method::GET, &path, &query, None).await;
    answer.unwrap_or_default()
}

/// Leaves, or takes a knock or an invitation back, and has the server forget that it was ever there.
pub(super) async fn leave(mut context: Context, room: &RoomId) -> Result<Done, Failure> {
    let id = OwnedRoomId::try_from(room.expose()).map_err(|_| Failure::BadRequest)?;
    let server = Server::of(&context.client);
    let path = |action| ["v3", "rooms", id.as_str(), action];
    match server.post(&path("leave"), &json!({})).await {
        Ok(_) => {}
        // It is not in there, which is what was asked for.
        Err(Refused::Said {
            status: 403 | 404, ..
        }) => {}
        Err(refused) => return Err(refused.failure()),
    }
    let _ = context.files.forget_entered(id.as_str());
    if let Some(room) = context.client.get_room(&id) {
        let left = async {
            while !matches!(room.state(), RoomState::Left | RoomState::Banned) {
                context.polls.changed().await.ok()?;
            }
            room.forget().await.ok()
        };
        // A room that is left and not forgotten hurts nobody.
        let _ = tokio::time::timeout(FORGET, left).await;
    }
    Ok(Done::Done)
}
