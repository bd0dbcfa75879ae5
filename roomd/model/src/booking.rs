// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{MeetingLink, Pii};

/// Names one occurrence of a calendar entry: UID, and the recurrence id of a repeated one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct BookingId(pub String);

/// One occurrence of a calendar entry, reduced to what a room needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The occurrence.
    pub id: BookingId,
    /// The title, when the privacy setting lets the room show it.
    pub title: Option<Pii<String>>,
    /// When it starts.
    pub start: DateTime<Utc>,
    /// When it ends; never before `start`.
    pub end: DateTime<Utc>,
    /// An all-day or multi-day entry: shown, never offered for one-touch join by time alone.
    pub all_day: bool,
    /// The room's own answer to the invitation.
    pub attendance: Attendance,
    /// What the entry says about a conference.
    pub link: BookingLink,
    /// What the linter found about the link.
    pub warnings: Vec<LinkWarning>,
}

/// The room's own participation status (RFC 5545, PARTSTAT).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Attendance {
    /// The room is not asked, or has not answered.
    #[default]
    NeedsAction,
    /// Accepted.
    Accepted,
    /// Tentatively accepted.
    Tentative,
    /// Declined.
    Declined,
}

/// What a calendar entry says about a conference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum BookingLink {
    /// No link in the entry.
    None,
    /// A meeting that the room may join.
    Meeting(MeetingLink),
    /// A link that the room will not open.
    Refused {
        /// The host it names, so that staff can ask for it to be allowed.
        host: Pii<String>,
        /// Why.
        reason: LinkRefusal,
    },
}

/// Why the room will not open a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum LinkRefusal {
    /// No provider knows this kind of link.
    UnknownPlatform,
    /// The host is not on the allow-list.
    NotAllowed,
    /// The link is not HTTPS.
    NotHttps,
}

/// What the linter says about a link; advice, never a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum LinkWarning {
    /// The meeting id has fewer than 8 characters.
    ShortId,
    /// The same id was used by another, earlier meeting.
    ReusedId,
    /// The password travels in the same invitation as the link.
    PasswordInInvitation,
}
