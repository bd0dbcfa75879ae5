// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The messages between a guest's page and the room: WebSocket text, JSON, one object each.
//!
//! The newcomer offers: to the room, and to every guest who is already there. Each connection
//! carries three m-lines from the start (sound, camera, shared content), so that nothing is
//! negotiated again but an ICE restart. TypeScript types are generated from here.

use chrono::{DateTime, Utc};
use roomd_model::{ParticipantId, Pii, Secret};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Version of this protocol; a guest of another version is told to reload.
pub const VERSION: u32 = 1;

/// The participant id of the room itself.
pub const ROOM: &str = "room";

/// From a guest's page to the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "type"
)]
#[serde(deny_unknown_fields)]
pub enum FromGuest {
    /// The first message, and again with a password after `password-required`.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// 1 to 80 characters.
        name: Pii<String>,
        /// The meeting's password, if it has one.
        password: Option<Secret>,
        /// From an earlier `welcome`: comes back without the lobby within 60 s.
        resume: Option<Secret>,
    },
    /// An SDP offer.
    Offer {
        /// `room`, or a guest.
        to: ParticipantId,
        /// The description.
        sdp: Pii<String>,
    },
    /// An SDP answer.
    Answer {
        /// A guest.
        to: ParticipantId,
        /// The description.
        sdp: Pii<String>,
    },
    /// An ICE candidate.
    Candidate {
        /// `room`, or a guest.
        to: ParticipantId,
        /// The `candidate:` line; empty at the end of gathering.
        candidate: Pii<String>,
        /// The m-line it belongs to.
        mid: Option<String>,
    },
    /// What the guest sends from here on.
    State {
        /// Microphone on.
        microphone: bool,
        /// Camera on.
        camera: bool,
        /// A window or tab is shared.
        sharing: bool,
    },
    /// Raises or lowers the hand.
    Hand {
        /// Raised.
        raised: bool,
    },
    /// How large the room's camera is shown, again whenever that changes; 720 lines until it is said.
    WantedHeight {
        /// Lines.
        lines: u32,
    },
    /// Writes to everyone.
    Chat {
        /// 1 to 2000 characters of plain text.
        text: Pii<String>,
    },
    /// Leaves.
    Bye,
}

/// From the room to a guest's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "type"
)]
pub enum ToGuest {
    /// Not yet in the meeting; sent again when the reason changes.
    Waiting {
        /// Why.
        reason: WaitReason,
        /// The room's name.
        room_name: String,
    },
    /// The meeting has a password: send `hello` again with it.
    PasswordRequired {
        /// The one given was wrong.
        wrong: bool,
    },
    /// Admitted.
    Welcome {
        /// The guest's own id.
        id: ParticipantId,
        /// The room's name.
        room_name: String,
        /// STUN servers, mostly none.
        ice_servers: Vec<String>,
        /// Everyone already there, the room (`room`) included. The newcomer offers to each.
        members: Vec<Member>,
        /// For `hello`, after a lost connection.
        resume: Secret,
    },
    /// Not in this meeting; the room closes the channel.
    Refused {
        /// Why.
        reason: RefuseReason,
    },
    /// Someone came, or changed.
    Member {
        /// Who, as they are.
        member: Member,
    },
    /// Someone left.
    MemberLeft {
        /// Who.
        id: ParticipantId,
    },
    /// An SDP offer of another guest.
    Offer {
        /// Who.
        from: ParticipantId,
        /// The description.
        sdp: Pii<String>,
    },
    /// An SDP answer.
    Answer {
        /// `room`, or a guest.
        from: ParticipantId,
        /// The description.
        sdp: Pii<String>,
    },
    /// An ICE candidate.
    Candidate {
        /// `room`, or a guest.
        from: ParticipantId,
        /// The `candidate:` line; empty at the end of gathering.
        candidate: Pii<String>,
        /// The m-line it belongs to.
        mid: Option<String>,
    },
    /// A line of the chat, the guest's own included.
    Chat {
        /// Who.
        from: ParticipantId,
        /// Their name.
        name: Pii<String>,
        /// Plain text.
        text: Pii<String>,
        /// When.
        at: DateTime<Utc>,
    },
    /// The most lines of camera picture that the room shows; send no more.
    WantedHeight {
        /// 180, 360, 720 or 1080.
        lines: u32,
    },
    /// The room has other addresses: restart ICE on the connection with it, which only the side that
    /// offers can.
    Restart,
    /// The meeting is over; the room closes the channel.
    Ended,
}

/// Someone in the meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Who.
    pub id: ParticipantId,
    /// Their name.
    pub name: Pii<String>,
    /// Microphone on.
    pub microphone: bool,
    /// Camera on.
    pub camera: bool,
    /// Sharing a window or tab.
    pub sharing: bool,
    /// Hand raised.
    pub hand: bool,
}

/// Why a guest waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum WaitReason {
    /// The room has not joined the meeting yet.
    NotStarted,
    /// Somebody at the room must let the guest in.
    Lobby,
    /// Six guests are in the meeting.
    Full,
}

/// Why a guest is not in the meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum RefuseReason {
    /// No such meeting.
    UnknownMeeting,
    /// Turned away from the lobby.
    Denied,
    /// Removed from the meeting.
    Removed,
    /// Too many wrong passwords, or too many messages.
    TooMany,
    /// Nobody said hello, or gave the password, in time.
    TooSlow,
    /// A message that is not of this protocol.
    BadMessage,
    /// The page is of another version: reload it.
    Version,
}
