// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use roomd_model::{BookingId, MeetingLink, Pii, Secret};
use serde::{Deserialize, Serialize};

/// How long a call without a booking may be resumed.
const LONGEST: Duration = Duration::from_secs(4 * 60 * 60);

/// What a restart needs to come back into the meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The meeting.
    pub link: MeetingLink,
    /// Its password.
    pub password: Option<Secret>,
    /// Its title.
    pub title: Option<Pii<String>>,
    /// When the join button was touched.
    pub since: DateTime<Utc>,
    /// The booking it belongs to.
    pub booking: Option<BookingId>,
    /// From here on it is not resumed any more.
    pub until: DateTime<Utc>,
}

impl Resume {
    /// The end of the booking, or four hours for a call without one.
    pub(crate) fn until(since: DateTime<Utc>, end: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let longest = TimeDelta::from_std(LONGEST).unwrap_or_default();
        end.filter(|end| *end > since).unwrap_or(since + longest)
    }

    /// Whether the meeting may still be resumed. One that lies in the future comes from a clock
    /// that was wrong.
    pub(crate) fn is_due(&self, now: DateTime<Utc>) -> bool {
        let slack = TimeDelta::minutes(5);
        self.since <= now + slack && now < self.until
    }
}
