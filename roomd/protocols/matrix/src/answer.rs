// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the account answers.

use roomd_model::{Pii, Secret};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{DelayId, EventId, Me, Recipient, RoomId, RoomInfo, UserId};

/// A request that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It is done; there is nothing more to say.
    Done,
    /// The account is in the room, which is watched from here on.
    Joined(JoinedRoom),
    /// The account knocked and waits; [`News::Knock`](crate::News::Knock) says how it went.
    Knocked {
        /// The room, which may have been asked for by an alias.
        room: RoomId,
    },
    /// The event is in the room.
    Sent {
        /// Its id.
        event: EventId,
    },
    /// The homeserver holds the event back.
    Delayed {
        /// How to refer to it.
        delay: DelayId,
        /// How long it waits: what was asked, or the most that the server allows.
        delay_ms: u64,
    },
    /// The services through which this account may send media, the preferred one first; empty where
    /// the homeserver has none.
    Transports(Vec<Transport>),
    /// A token for a media service.
    OpenId(OpenIdToken),
    /// The newest reactions to an event, at most [`MAX_REACTIONS`](crate::MAX_REACTIONS).
    Reactions(Vec<Reaction>),
    /// The message is on its way to every recipient but these.
    SentToDevice {
        /// Devices that do not exist, have no keys, or could not be encrypted for.
        unreachable: Vec<Recipient>,
    },
}

/// A reaction (`m.reaction`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The reaction, which a redaction may take back.
    pub event: EventId,
    /// Who reacted.
    pub sender: UserId,
    /// With what.
    pub key: String,
}

/// A room that the account is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedRoom {
    /// The room.
    pub room: RoomId,
    /// Its version, which decides the form of a membership's state key.
    pub version: String,
    /// What is known about it, and what the account may do in it.
    pub info: RoomInfo,
    /// The account was invited, or was in it already and not for an earlier meeting: leaving it is
    /// not the meeting's business, and may need a new invitation to come back.
    pub belongs: bool,
    /// The account itself.
    pub me: Me,
}

/// A service that carries media (MSC4143). Kinds other than LiveKit are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transport {
    /// Where tokens for LiveKit are had: `https:`, or `http:` on this machine.
    pub livekit_service_url: Pii<Url>,
}

/// A token that proves to a third party who the account is. Serialises as services expect it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIdToken {
    /// The token.
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: String,
    /// Who vouches for it.
    pub matrix_server_name: Pii<String>,
    /// For how many seconds it holds.
    pub expires_in: u64,
}
