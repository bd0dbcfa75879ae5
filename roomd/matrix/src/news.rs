// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a poll brought, for the session that is attached.

use matrix_sdk::Client;
use matrix_sdk::ruma::OwnedRoomId;
use matrix_sdk::sync::{LeftRoomUpdate, RoomUpdates, State, SyncResponse};
use roomd_matrix_port::{KnockOutcome, News, RoomGone, RoomId};
use serde::Deserialize;

use crate::message::Message;
use crate::session::Session;

/// Messages between devices of one poll that are told. Servers give far fewer at a time.
const MAX_MESSAGES: usize = 1000;

/// Tells the session what a poll brought; gives the rooms of which it left something out.
pub(crate) async fn pass_on(
    session: &mut Session,
    client: &Client,
    response: SyncResponse,
    now: u64,
) -> Vec<OwnedRoomId> {
    let new_keys = !response.to_device.is_empty();
    let messages = response.to_device.iter().filter_map(Message::read);
    let messages = messages.map(Message::news).take(MAX_MESSAGES).collect();
    answer_knocks(session, &response.rooms);
    leave_rooms(session, client, &response.rooms);
    let mut updates = response.rooms.joined;
    let mut gaps = Vec::new();
    let mut news = Vec::new();
    for (id, watched) in &mut session.rooms {
        let Some(room) = client.get_room(id) else {
            continue;
        };
        if let Some(update) = updates.remove(id) {
            if update.timeline.limited {
                gaps.push(id.clone());
            }
            news.extend(watched.take(&room, update.timeline.events, now).await);
        }
        if new_keys {
            news.extend(watched.decrypt(&room, now).await);
        }
        news.extend(watched.changes(&room, now).await);
    }
    session.tell_all(news);
    // At once, in the order in which they came: nothing of a call opens without its key.
    session.tell_all(messages);
    gaps
}

fn answer_knocks(session: &mut Session, rooms: &RoomUpdates) {
    let outcome = |room: &OwnedRoomId| {
        if rooms.invited.contains_key(room) || rooms.joined.contains_key(room) {
            Some(KnockOutcome::Invited)
        } else if rooms.left.contains_key(room) {
            Some(KnockOutcome::Denied)
        } else {
            None
        }
    };
    let answered: Vec<_> = session
        .knocks
        .iter()
        .filter_map(|room| Some((room.clone(), outcome(room)?)))
        .collect();
    for (room, outcome) in answered {
        session.knocks.remove(&room);
        session.tell(News::Knock {
            room: RoomId::new(room.as_str()),
            outcome,
        });
    }
}

fn leave_rooms(session: &mut Session, client: &Client, rooms: &RoomUpdates) {
    for (id, update) in &rooms.left {
        if session.rooms.remove(id).is_none() {
            continue;
        }
        session.tell(News::Gone {
            room: RoomId::new(id.as_str()),
            why: why_gone(client, update),
        });
    }
}

#[derive(Deserialize)]
struct Member {
    #[serde(rename = "type")]
    kind: String,
    state_key: String,
    sender: String,
    content: Membership,
}

#[derive(Deserialize)]
struct Membership {
    membership: String,
}

/// The last that was said about the account's membership says who ended it.
fn why_gone(client: &Client, update: &LeftRoomUpdate) -> RoomGone {
    let (State::Before(state) | State::After(state)) = &update.state;
    let state = state.iter().map(|event| event.json().get());
    let timeline = update.timeline.events.iter();
    let timeline = timeline.map(|event| event.raw().json().get());
    let me = client.user_id().map(|user| user.as_str());
    let last = state
        .chain(timeline)
        .filter_map(|text| serde_json::from_str::<Member>(text).ok())
        .rfind(|event| event.kind == "m.room.member" && Some(event.state_key.as_str()) == me);
    match last {
        Some(event) if event.content.membership == "ban" => RoomGone::Banned,
        Some(event) if Some(event.sender.as_str()) != me => RoomGone::Kicked,
        Some(_) | None => RoomGone::Left,
    }
}
