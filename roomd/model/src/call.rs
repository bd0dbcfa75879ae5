// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{BookingId, FaultCode, Pii};

/// Names a meeting on its platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MeetingId(pub Pii<String>);

/// Names a participant within one meeting; random, says nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct ParticipantId(pub String);

/// Names one media stream that the room receives; unique within the daemon's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct StreamId(pub u32);

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum StreamKind {
    /// Sound.
    Audio,
    /// A camera's picture.
    Camera,
    /// A shared window, tab or document.
    Screen,
}

/// What the room is doing; the states of the room machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "phase"
)]
pub enum Phase {
    /// Nothing is due.
    Idle,
    /// A booking is within its one-touch window.
    Offered {
        /// The booking that the join button joins.
        booking: BookingId,
    },
    /// Connecting to a meeting.
    Joining,
    /// Admitted to wait by the platform, not yet to the meeting.
    Lobby,
    /// In the meeting.
    InCall,
    /// The meeting was lost and the room is on its way back.
    Reconnecting {
        /// The attempt under way, from 1.
        attempt: u32,
    },
    /// Saying goodbye.
    Leaving,
    /// The last attempt failed; a person reads why and what to do.
    Fault {
        /// What failed.
        code: FaultCode,
    },
}

/// End-to-end encryption as negotiated, never as configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum E2ee {
    /// Nobody else is connected, so there is nothing to say.
    #[default]
    Pending,
    /// Every connection ends at a participant whose certificate was verified.
    Verified,
    /// At least one connection is not end-to-end encrypted.
    Off,
}

/// How the display arranges people and content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Everyone alike, up to 3 by 3.
    #[default]
    Grid,
    /// The active speaker large, the others small.
    Speaker,
    /// Shared content large, its speaker beside it.
    Share,
}

/// A language of panel and display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// German.
    #[default]
    De,
    /// English.
    En,
}

/// Why nothing of a stream is shown or heard at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum StreamTrouble {
    /// It has delivered and stopped; its last picture stays.
    Stalled,
    /// What arrives cannot be decoded.
    Undecodable,
    /// What arrives cannot be decrypted: its key is missing or wrong.
    Undecryptable,
}

/// How well a participant is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// On the way.
    #[default]
    Connecting,
    /// Media flows well.
    Good,
    /// Media flows, with loss or delay that people notice.
    Poor,
    /// Nothing has arrived for a while.
    Lost,
}

/// Someone in the meeting, or waiting to be admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who, within this meeting.
    pub id: ParticipantId,
    /// The name they gave.
    pub name: Pii<String>,
    /// Their microphone is on.
    pub microphone: bool,
    /// Their camera is on.
    pub camera: bool,
    /// They share a window or a tab.
    pub sharing: bool,
    /// They raised a hand.
    pub hand: bool,
    /// The emoji that they show for a few seconds.
    pub reaction: Option<Pii<String>>,
    /// They speak now.
    pub speaking: bool,
    /// How well they are connected.
    pub connection: Connection,
    /// End-to-end encryption with them, as negotiated.
    pub e2ee: E2ee,
}

/// A line of the meeting's chat; kept in memory until the meeting ends, never on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Counts up within the meeting.
    pub id: u32,
    /// Who wrote it; none for the room itself.
    pub from: Option<ParticipantId>,
    /// The writer's name at that time.
    pub name: Pii<String>,
    /// What they wrote; plain text.
    pub text: Pii<String>,
    /// When.
    pub at: DateTime<Utc>,
}
