// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The calendar: iCalendar, CalDAV bodies, links, the schedule.
//!
//! Invariants: no clock, no socket, no disk; bytes and the time come in, bookings go out. A broken
//! entry is skipped alone, with its UID and the cause. Every size and every count is bounded. The
//! text of an entry is never part of an error.
#![deny(missing_docs)]

pub mod caldav;
mod ics;
mod links;
mod schedule;

pub use chrono_tz::Tz;
pub use ics::{Entry, MAX_CALENDAR_BYTES, Privacy, Reader, Reading, Readout, SkippedEntry};
pub use links::LinkRules;
pub use schedule::{Cache, Schedule, Today};
