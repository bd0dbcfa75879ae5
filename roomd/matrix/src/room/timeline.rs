// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What happens in a room, event by event.

use matrix_sdk::{Room, ruma};
use roomd_matrix_port::{EventId, MAX_KEY_BYTES, MAX_MESSAGE_BYTES, News, RoomId, UserId};
use roomd_model::Pii;
use serde_json::Value;

use super::event::{Event, cut};
use super::info::name;

/// What a session is told of an event.
pub(super) async fn news(room: &Room, event: &Event) -> Option<News> {
    match event.kind.as_str() {
        "m.room.message" => message(room, event).await,
        "m.reaction" => reaction(room, event),
        "io.element.call.reaction" => emoji(room, event),
        "m.room.redaction" => redacted(room, event),
        _ => None,
    }
}

async fn message(room: &Room, event: &Event) -> Option<News> {
    let content = &event.content;
    let is_text = matches!(
        content["msgtype"].as_str(),
        Some("m.text" | "m.notice" | "m.emote")
    );
    // A correction of what was said before is not said again.
    if !is_text || content["m.relates_to"]["rel_type"] == "m.replace" {
        return None;
    }
    let text = cut(content["body"].as_str()?, MAX_MESSAGE_BYTES);
    let sender = ruma::UserId::parse(&event.sender).ok()?;
    Some(News::Message {
        room: id(room),
        event: event.id(),
        name: name(room, &sender).await,
        own: sender == room.own_user_id(),
        sender: UserId::new(&event.sender),
        text: Pii::new(text.to_owned()),
        ts: event.origin_server_ts,
    })
}

fn reaction(room: &Room, event: &Event) -> Option<News> {
    let relation = &event.content["m.relates_to"];
    Some(News::Reaction {
        room: id(room),
        event: event.id(),
        sender: UserId::new(&event.sender),
        target: target(relation)?,
        key: short(&relation["key"])?,
        ts: event.origin_server_ts,
    })
}

fn emoji(room: &Room, event: &Event) -> Option<News> {
    Some(News::Emoji {
        room: id(room),
        sender: UserId::new(&event.sender),
        target: target(&event.content["m.relates_to"])?,
        emoji: short(&event.content["emoji"])?,
        ts: event.origin_server_ts,
    })
}

fn redacted(room: &Room, event: &Event) -> Option<News> {
    Some(News::Redacted {
        room: id(room),
        event: redacts(event)?,
        sender: UserId::new(&event.sender),
    })
}

/// What a redaction takes back: in its content since room version 11, beside it before.
pub(super) fn redacts(event: &Event) -> Option<EventId> {
    if event.kind != "m.room.redaction" {
        return None;
    }
    let within = event.content["redacts"].as_str();
    within.or(event.redacts.as_deref()).map(EventId::new)
}

fn target(relation: &Value) -> Option<EventId> {
    relation["event_id"].as_str().map(EventId::new)
}

fn short(text: &Value) -> Option<String> {
    let text = text.as_str()?;
    (text.len() <= MAX_KEY_BYTES).then(|| text.to_owned())
}

fn id(room: &Room) -> RoomId {
    RoomId::new(room.room_id().as_str())
}
