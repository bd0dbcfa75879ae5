// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the account tells by itself.

use std::collections::BTreeMap;

use roomd_model::Pii;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{DeviceId, EventId, RoomId, UserId, Why};

/// One piece of news. Rooms are those that are watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// The account is logged in and in touch with its homeserver. A device other than before means
    /// that it had to log in anew: whatever was sent as the old device is void.
    Online(Me),
    /// There is no connection to the homeserver; the account keeps trying.
    Offline,
    /// The account cannot be used any more; the channel closes.
    Ended(Why),
    /// A room's name, encryption or permissions are new.
    Room {
        /// The room.
        room: RoomId,
        /// What holds from here on.
        info: RoomInfo,
    },
    /// Something about a room's call changed: this is all of it.
    Call(Call),
    /// A knock was answered.
    Knock {
        /// The room.
        room: RoomId,
        /// How.
        outcome: KnockOutcome,
    },
    /// The account is no longer in a room, which ends its watch.
    Gone {
        /// The room.
        room: RoomId,
        /// Why.
        why: RoomGone,
    },
    /// A device sent a message to this one. Only what was encrypted arrives here.
    ToDevice {
        /// Who sent it, as the encryption proves.
        sender: UserId,
        /// From which device, as the encryption proves.
        device: DeviceId,
        /// The event's type.
        kind: String,
        /// Its content.
        content: Pii<Value>,
    },
    /// Somebody wrote into a room, this account included.
    Message {
        /// The room.
        room: RoomId,
        /// The message.
        event: EventId,
        /// Who wrote.
        sender: UserId,
        /// Their display name in this room.
        name: Pii<String>,
        /// What they wrote.
        text: Pii<String>,
        /// When, in ms since 1970 by the sender's server.
        ts: u64,
        /// This account wrote it, on whichever device.
        own: bool,
    },
    /// Somebody reacted to an event (`m.reaction`).
    Reaction {
        /// The room.
        room: RoomId,
        /// The reaction, which a redaction may take back.
        event: EventId,
        /// Who reacted.
        sender: UserId,
        /// To what.
        target: EventId,
        /// With what.
        key: String,
        /// When, in ms since 1970 by the sender's server.
        ts: u64,
    },
    /// Somebody shows an emoji in the call (`io.element.call.reaction`).
    Emoji {
        /// The room.
        room: RoomId,
        /// Who.
        sender: UserId,
        /// The membership event that it belongs to.
        target: EventId,
        /// The emoji.
        emoji: String,
        /// When, in ms since 1970 by the sender's server.
        ts: u64,
    },
    /// An event was taken back.
    Redacted {
        /// The room.
        room: RoomId,
        /// What was taken back.
        event: EventId,
        /// Who did it.
        sender: UserId,
    },
}

/// The account itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The account.
    pub user: UserId,
    /// This device.
    pub device: DeviceId,
    /// The device is signed by the account's own identity, so that others see it verified.
    pub cross_signed: bool,
}

/// A room, as far as a call needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its name, as clients compute it.
    pub name: Pii<String>,
    /// Messages are encrypted.
    pub encrypted: bool,
    /// The account may announce itself in a call (`org.matrix.msc3401.call.member`).
    pub can_call: bool,
    /// It may invite.
    pub can_invite: bool,
    /// It may kick.
    pub can_kick: bool,
}

/// Everything about a room that concerns its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The room.
    pub room: RoomId,
    /// `org.matrix.msc3401.call.member` states with a content, of senders who are in the room.
    pub memberships: Vec<StateEvent>,
    /// `org.matrix.msc4143.rtc.member` events of senders who are in the room: for each sender and
    /// sticky key the latest, as long as it sticks. Empty contents, which mean a leave, are not in it.
    pub sticky: Vec<StickyEvent>,
    /// `org.matrix.msc4143.rtc.slot` states.
    pub slots: Vec<StateEvent>,
    /// Display names of all senders above and of those who knock.
    pub names: BTreeMap<UserId, Pii<String>>,
    /// Who waits to be let in.
    pub knocking: Vec<Knocking>,
    /// How many of all these were left out because there are too many or they are too large.
    pub left_out: u32,
}

/// A state event of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateEvent {
    /// Its state key.
    pub state_key: Pii<String>,
    /// Who set it.
    pub sender: UserId,
    /// The event.
    pub event: EventId,
    /// When it was set, in ms since 1970 by the sender's server.
    pub ts: u64,
    /// Its content as it came, an object.
    pub content: Pii<Value>,
}

/// An event that sticks to a room for a while (MSC4354).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickyEvent {
    /// Who sent it.
    pub sender: UserId,
    /// The event.
    pub event: EventId,
    /// When it was sent, in ms since 1970 by the sender's server.
    pub ts: u64,
    /// How long it sticks, in ms from then on.
    pub duration_ms: u64,
    /// Its content as it came, an object.
    pub content: Pii<Value>,
}

/// Somebody who waits to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knocking {
    /// Who.
    pub user: UserId,
    /// What they say.
    pub reason: Option<Pii<String>>,
}

/// How a knock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnockOutcome {
    /// The account may come in: ask for [`Ask::Join`](crate::Ask::Join) again.
    Invited,
    /// It was turned away.
    Denied,
}

/// Why the account is no longer in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomGone {
    /// Somebody removed it.
    Kicked,
    /// Somebody banned it.
    Banned,
    /// It left, on another device.
    Left,
}
