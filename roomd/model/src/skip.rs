// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a calendar entry was left out.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS, thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
pub enum SkipCause {
    /// Larger than the room reads.
    #[error("the entry is too large")]
    TooLarge,
    /// More entries or occurrences than the room follows.
    #[error("too many entries or occurrences")]
    TooMany,
    /// `BEGIN` without `END`.
    #[error("the entry is not closed")]
    NotClosed,
    /// Not iCalendar.
    #[error("the entry is not iCalendar")]
    NotCalendar,
    /// No UID.
    #[error("the entry has no UID")]
    NoUid,
    /// No DTSTART.
    #[error("the entry has no start")]
    NoStart,
    /// A date, time or duration that is none.
    #[error("a date, a time or a duration is invalid")]
    BadTime,
    /// It ends before it starts.
    #[error("the entry ends before it starts")]
    EndsBeforeStart,
    /// A time zone that neither the room nor the calendar knows.
    #[error("the time zone is unknown")]
    UnknownZone,
    /// A recurrence rule that is none.
    #[error("the recurrence rule is invalid")]
    BadRule,
}
