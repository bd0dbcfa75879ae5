// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a session asks of the account.

use roomd_model::Pii;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{DelayId, DeviceId, EventId, RoomId, UserId};

/// One question, numbered by the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The answer names it; a session uses no number twice.
    pub id: u64,
    /// What is asked.
    pub ask: Ask,
}

/// What the account can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Joins a room and watches it; knocks where the room wants that. Asking again for a room that
    /// the account is in only watches it. Answered with [`Done::Joined`](crate::Done::Joined) or
    /// [`Done::Knocked`](crate::Done::Knocked).
    Join {
        /// A room's id or an alias (`#name:server`).
        room: Pii<String>,
        /// Servers that know the room, the best first.
        via: Vec<Pii<String>>,
        /// What those inside read when the account knocks.
        reason: Option<Pii<String>>,
    },
    /// Leaves a room, takes a knock back, and forgets both; ends the watch. Answered with
    /// [`Done::Done`](crate::Done::Done).
    Leave {
        /// The room.
        room: RoomId,
    },
    /// Where this account sends its media. Answered with
    /// [`Done::Transports`](crate::Done::Transports).
    Transports,
    /// A token that proves to a media service who the account is. Answered with
    /// [`Done::OpenId`](crate::Done::OpenId).
    OpenIdToken,
    /// Sets a state of a room. Answered with [`Done::Sent`](crate::Done::Sent).
    SetState {
        /// The room.
        room: RoomId,
        /// The event's type.
        kind: String,
        /// The event's state key.
        state_key: Pii<String>,
        /// Its content, an object.
        content: Pii<Value>,
    },
    /// Has the homeserver set a state later (MSC4140), unless it is restarted or cancelled before.
    /// Answered with [`Done::Delayed`](crate::Done::Delayed).
    DelayState {
        /// The room.
        room: RoomId,
        /// The event's type.
        kind: String,
        /// The event's state key.
        state_key: Pii<String>,
        /// Its content, an object.
        content: Pii<Value>,
        /// How long to wait. Where the server allows less, it waits that long.
        delay_ms: u64,
    },
    /// Does something with a held back event. Answered with [`Done::Done`](crate::Done::Done), or
    /// [`Failure::Gone`](crate::Failure::Gone) when it was sent or cancelled already.
    Delayed {
        /// The event.
        delay: DelayId,
        /// What to do.
        action: DelayedAction,
    },
    /// Cancels every event that the homeserver holds back for a state of this account's, but for one: what an
    /// earlier run left behind. Answered with [`Done::Done`](crate::Done::Done); with
    /// [`Failure::Gone`](crate::Failure::Gone), and nothing cancelled, where that one is not held back any more;
    /// or with [`Failure::Unsupported`](crate::Failure::Unsupported) where the homeserver does not list them.
    CancelOthers {
        /// The room.
        room: RoomId,
        /// The event's type.
        kind: String,
        /// The event's state key.
        state_key: Pii<String>,
        /// The one that is held back further.
        but: DelayId,
    },
    /// Sends a message to devices, encrypted for each of them (Olm). Answered with
    /// [`Done::SentToDevice`](crate::Done::SentToDevice).
    ToDevice {
        /// The event's type.
        kind: String,
        /// Its content, an object.
        content: Pii<Value>,
        /// The devices.
        recipients: Vec<Recipient>,
    },
    /// Writes into a room, encrypted where the room is. Answered with
    /// [`Done::Sent`](crate::Done::Sent).
    SendMessage {
        /// The room.
        room: RoomId,
        /// What to write.
        text: Pii<String>,
    },
    /// Reacts to an event (`m.reaction`). Answered with [`Done::Sent`](crate::Done::Sent).
    React {
        /// The room.
        room: RoomId,
        /// What is reacted to.
        event: EventId,
        /// The reaction, one emoji.
        key: String,
    },
    /// What people have reacted to an event with so far. Answered with
    /// [`Done::Reactions`](crate::Done::Reactions).
    Reactions {
        /// The room.
        room: RoomId,
        /// What was reacted to.
        event: EventId,
    },
    /// Takes an event of this account back. Answered with [`Done::Sent`](crate::Done::Sent).
    Redact {
        /// The room.
        room: RoomId,
        /// The event.
        event: EventId,
    },
    /// Invites somebody, who may have knocked. Answered with [`Done::Done`](crate::Done::Done).
    Invite {
        /// The room.
        room: RoomId,
        /// Who is let in.
        user: UserId,
    },
    /// Removes somebody from the room, or turns somebody away who knocks. Answered with
    /// [`Done::Done`](crate::Done::Done).
    Kick {
        /// The room.
        room: RoomId,
        /// Who has to go.
        user: UserId,
    },
}

/// What to do with a held back event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelayedAction {
    /// Starts its delay again.
    Restart,
    /// Sends it now.
    Send,
    /// Never sends it.
    Cancel,
}

/// One device of one user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Recipient {
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
}
