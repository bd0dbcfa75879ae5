// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use chrono::{DateTime, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;

/// The room's own time.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    zone: Tz,
    now: DateTime<Tz>,
}

impl Local {
    /// Now in the zone of that name; UTC when no such zone exists.
    pub fn new(zone: &str, now: DateTime<Utc>) -> Self {
        let zone = zone.parse().unwrap_or(Tz::UTC);
        let now = now.with_timezone(&zone);
        Self { zone, now }
    }

    /// Hours and minutes of now.
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.now.hour(), self.now.minute())
    }

    /// Hours and minutes of a moment.
    pub fn time(&self, at: DateTime<Utc>) -> String {
        let at = at.with_timezone(&self.zone);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// Today.
    pub fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// The day of a moment.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }
}
