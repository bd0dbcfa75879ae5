// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The async shell of the calendar: one task reads the source, keeps the schedule and the cache.
//!
//! Invariants: the last good schedule stands while the source is down; credentials go to the host
//! of the configured address and nowhere else; certificates are always verified; a log line names
//! counts, UIDs and causes, never what an entry says.

mod cache;
mod caldav;
mod http;
mod task;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use roomd_bookings::{LinkRules, Privacy, Schedule, SkippedEntry, Tz};
use roomd_model::{BookingId, Fault, FaultCode, Pii, Secret};
use tokio::sync::{mpsc, oneshot, watch};
use url::Url;

use task::{Request, Task};

/// Where the calendar is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The room has no calendar.
    #[default]
    None,
    /// A file, read again when it changes.
    File(PathBuf),
    /// A feed over HTTPS.
    Ics {
        /// Its address.
        url: Pii<Url>,
        /// A certificate authority to trust beside the system's.
        ca_file: Option<PathBuf>,
        /// The account, when the feed asks for one.
        username: Option<Pii<String>>,
        /// Its password.
        password: Option<Password>,
    },
    /// A calendar on a CalDAV server, with an account of the device.
    CalDav {
        /// The server, a principal, a home or the calendar itself.
        url: Pii<Url>,
        /// The account.
        username: Pii<String>,
        /// Its password.
        password: Password,
        /// A certificate authority to trust beside the system's.
        ca_file: Option<PathBuf>,
    },
}

/// The password of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// Itself.
    Given(Secret),
    /// The first line of this file, read for each connection: it may change, and it may not be there
    /// yet when the room starts.
    File(PathBuf),
}

/// What the task needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Where the calendar is.
    pub source: Source,
    /// How often it is read; at most every 55 s, so that a change shows within a minute.
    pub poll: Duration,
    /// The room's time zone.
    pub zone: Tz,
    /// Whether titles are shown and kept.
    pub privacy: Privacy,
    /// The room's own addresses, beside those that the server names.
    pub addresses: Vec<Pii<String>>,
    /// What a link means.
    pub links: Arc<dyn LinkRules + Send + Sync>,
    /// Where the schedule is kept over a restart; nowhere when none.
    pub state_dir: Option<PathBuf>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("source", &self.source)
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}

/// What is known of the calendar now.
#[derive(Clone, Debug, Default)]
pub struct CalendarState {
    /// The bookings as of the last good reading.
    pub schedule: Arc<Schedule>,
    /// When that was.
    pub read_at: Option<DateTime<Utc>>,
    /// The last attempt failed, or none was made since the start: the schedule may be outdated.
    pub stale: bool,
    /// The entries that were left out.
    pub skipped: Vec<SkippedEntry>,
    /// Why the last attempt failed.
    pub fault: Option<FaultCode>,
}

impl CalendarState {
    /// What panel and operators should know.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let skipped = (!self.skipped.is_empty()).then(|| Fault {
            code: FaultCode::CalendarEntriesSkipped,
            detail: Some(self.skipped.len().to_string()),
        });
        self.fault
            .map(Fault::new)
            .into_iter()
            .chain(skipped)
            .collect()
    }
}

/// Why an answer to an invitation was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// No such booking.
    #[error("the booking is unknown")]
    UnknownBooking,
    /// The calendar is read-only: a file or a feed.
    #[error("the calendar takes no answers")]
    ReadOnly,
    /// The room is not among the attendees.
    #[error("the room is not invited")]
    NotInvited,
    /// Others changed the entry at the same time, twice.
    #[error("the entry was changed by others at the same time")]
    Conflict,
    /// The server refuses the change.
    #[error("the calendar server refuses the answer")]
    Refused,
    /// The server does not answer.
    #[error("the calendar server does not answer")]
    Unreachable,
    /// The task has ended.
    #[error("the calendar task has ended")]
    Ended,
}

/// The way to the task; it ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<CalendarState>,
}

impl Handle {
    /// The present state, and its changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<CalendarState> {
        self.state.clone()
    }

    /// Accepts or declines the room's own invitation.
    ///
    /// # Errors
    /// When the calendar does not take the answer.
    pub async fn answer(&self, booking: BookingId, accept: bool) -> Result<(), AnswerError> {
        let (reply, answered) = oneshot::channel();
        let request = Request::Answer {
            booking,
            accept,
            reply,
        };
        self.requests
            .send(request)
            .await
            .map_err(|_| AnswerError::Ended)?;
        answered.await.map_err(|_| AnswerError::Ended)?
    }

    /// Reads the calendar now.
    pub async fn refresh(&self) {
        // A task that has ended has nothing to read.
        let _ = self.requests.send(Request::Refresh).await;
    }

    /// Takes over new settings, and reads the calendar with them.
    pub async fn reload(&self, settings: Settings) {
        let _ = self
            .requests
            .send(Request::Reload(Box::new(settings)))
            .await;
    }
}

/// Starts the task on the current runtime.
#[must_use]
pub fn spawn(settings: Settings) -> Handle {
    let (requests, inbox) = mpsc::channel(16);
    let (publish, state) = watch::channel(CalendarState::default());
    tokio::spawn(Task::new(settings, inbox, publish).run());
    Handle { requests, state }
}
