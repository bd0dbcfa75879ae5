// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Events in rooms, and people in them.

use matrix_sdk::Client;
use matrix_sdk::ruma::TransactionId;
use reqwest::Method;
use roomd_matrix_port::{
    Done, EventId, Failure, MAX_KEY_BYTES, MAX_MESSAGE_BYTES, MAX_REACTIONS, Reaction, RoomId,
    UserId,
};
use roomd_model::Pii;
use serde_json::{Value, json};

use super::{joined, object};
use crate::failure;
use crate::server::Server;

type Answer = Result<Done, Failure>;

pub(super) async fn set_state(
    client: &Client,
    room: &RoomId,
    kind: &str,
    key: &Pii<String>,
    content: &Pii<Value>,
) -> Answer {
    let room = joined(client, room)?;
    let path = [
        "v3",
        "rooms",
        room.room_id().as_str(),
        "state",
        kind,
        key.expose(),
    ];
    let answer = Server::of(client).put(&path, object(content)?).await;
    sent(&answer.map_err(|refused| refused.failure())?)
}

pub(super) async fn send_message(client: &Client, room: &RoomId, text: &Pii<String>) -> Answer {
    let room = joined(client, room)?;
    let text = text.expose();
    if text.is_empty() || text.len() > MAX_MESSAGE_BYTES {
        return Err(Failure::BadRequest);
    }
    let content = json!({"msgtype": "m.text", "body": text});
    let sent = room.send_raw("m.room.message", content).await;
    let sent = sent.map_err(|error| failure::of(&error))?;
    Ok(Done::Sent {
        event: EventId::new(sent.response.event_id.as_str()),
    })
}

/// Reactions are not encrypted, in encrypted rooms neither: other clients do not, and a server has to
/// find what belongs together.
pub(super) async fn react(client: &Client, room: &RoomId, event: &EventId, key: &str) -> Answer {
    let room = joined(client, room)?;
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(Failure::BadRequest);
    }
    let content = json!({"m.relates_to": {
        "rel_type": "m.annotation", "event_id": event.expose(), "key": key,
    }});
    let transaction = TransactionId::new();
    let id = room.room_id().as_str();
    let path = [
        "v3",
        "rooms",
        id,
        "send",
        "m.reaction",
        transaction.as_str(),
    ];
    let answer = Server::of(client).put(&path, &content).await;
    sent(&answer.map_err(|refused| refused.failure())?)
}

/// Those of one page; a membership that more people react to than that has no lack of attention.
pub(super) async fn reactions(client: &Client, room: &RoomId, event: &EventId) -> Answer {
    let room = joined(client, room)?;
    let path = [
        "v1",
        "rooms",
        room.room_id().as_str(),
        "relations",
        event.expose(),
        "m.annotation",
        "m.reaction",
    ];
    let limit = MAX_REACTIONS.to_string();
    let server = Server::of(client);
    let query = [("limit", limit.as_str())];
    let answer = server.call(Method::GET, &path, &query, None).await;
    let answer = answer.map_err(|refused| refused.failure())?;
    let chunk = answer["chunk"].as_array().into_iter().flatten();
    let all = chunk.filter_map(reaction).take(MAX_REACTIONS).collect();
    Ok(Done::Reactions(all))
}

fn reaction(event: &Value) -> Option<Reaction> {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let key = text(&event["content"]["m.relates_to"]["key"])?;
    (key.len() <= MAX_KEY_BYTES).then_some(Reaction {
        event: EventId::new(text(&event["event_id"])?),
        sender: UserId::new(text(&event["sender"])?),
        key,
    })
}

pub(super) async fn redact(client: &Client, room: &RoomId, event: &EventId) -> Answer {
    let room = joined(client, room)?;
    let transaction = TransactionId::new();
    let id = room.room_id().as_str();
    let path = [
        "v3",
        "rooms",
        id,
        "redact",
        event.expose(),
        transaction.as_str(),
    ];
    let answer = Server::of(client).put(&path, &json!({})).await;
    sent(&answer.map_err(|refused| refused.failure())?)
}

pub(super) async fn invite(client: &Client, room: &RoomId, user: &UserId) -> Answer {
    about(client, room, user, "invite").await
}

pub(super) async fn kick(client: &Client, room: &RoomId, user: &UserId) -> Answer {
    about(client, room, user, "kick").await
}

async fn about(client: &Client, room: &RoomId, user: &UserId, action: &str) -> Answer {
    let room = joined(client, room)?;
    let path = ["v3", "rooms", room.room_id().as_str(), action];
    let answer = Server::of(client)
        .post(&path, &json!({"user_id": user.expose()}))
        .await;
    answer
        .map(|_| Done::Done)
        .map_err(|refused| refused.failure())
}

fn sent(answer: &Value) -> Answer {
    let event = answer["event_id"].as_str().ok_or(Failure::Unreachable)?;
    Ok(Done::Sent {
        event: EventId::new(event),
    })
}
