// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// Both clocks at one moment: monotonic for time-outs, wall clock for the calendar.
///
/// Pure crates take it as an input; only shells and tests make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time, for time-outs and durations.
    pub mono: Instant,
    /// Wall-clock time, for bookings and whatever people read.
    pub utc: DateTime<Utc>,
}

impl Now {
    /// Both clocks moved forward by `step`; what virtual time in tests uses.
    #[must_use]
    pub fn after(self, step: Duration) -> Self {
        let delta = TimeDelta::from_std(step).unwrap_or(TimeDelta::MAX);
        Self {
            mono: self.mono + step,
            utc: self.utc + delta,
        }
    }
}
