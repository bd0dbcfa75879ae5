// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The bookings as they were read, and which of them belong to the present day.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use roomd_model::{Booking, BookingId, BookingLink, LinkWarning, Now, Pii};
use serde::{Deserialize, Serialize};

use crate::{ics::Entry, links::password};

/// How long a meeting's id is remembered for the linter.
const MEMORY: TimeDelta = TimeDelta::days(90);
const MAX_REMEMBERED: usize = 4_000;
const MAX_CACHED: usize = 2_000;
/// How long an entry without length is shown.
const NO_LENGTH: TimeDelta = TimeDelta::minutes(30);

/// The room's bookings, by start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    bookings: Vec<Booking>,
    seen: BTreeMap<String, Seen>,
}

/// The first entry that used a meeting's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    uid_hash: String,
    start: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// What survives a restart: what the room needs, and no more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    bookings: Vec<Booking>,
    seen: BTreeMap<String, Seen>,
    /// When it was read from the calendar.
    pub read_at: Option<DateTime<Utc>>,
}

/// The rest of the present day, in the room's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    now: DateTime<Utc>,
    midnight: DateTime<Utc>,
}

impl Today {
    /// From now to midnight.
    #[must_use]
    pub fn new(now: Now, zone: Tz) -> Self {
        Self {
            now: now.utc,
            midnight: next_midnight(now, zone),
        }
    }

    /// Whether the booking touches the day and is not over.
    #[must_use]
    pub fn has(&self, booking: &Booking) -> bool {
        window_end(booking) > self.now && booking.start < self.midnight
    }
}

impl Schedule {
    /// Takes over a complete reading, and marks meeting ids that an earlier meeting used.
    pub fn replace(&mut self, entries: Vec<Entry>, now: Now) {
        self.seen.retain(|_, seen| seen.last + MEMORY > now.utc);
        for entry in &entries {
            self.remember(entry);
        }
        let seen = &self.seen;
        self.bookings = entries
            .into_iter()
            .map(|entry| {
                let first = entry.meeting_hash.as_ref().and_then(|hash| seen.get(hash));
                let mut booking = entry.booking;
                if first.is_some_and(|first| first.uid_hash != short_hash(&entry.uid)) {
                    booking.warnings.push(LinkWarning::ReusedId);
                    booking.warnings.sort_unstable();
                }
                booking
            })
            .collect();
    }

    /// Every booking that is known, by start.
    #[must_use]
    pub fn bookings(&self) -> &[Booking] {
        &self.bookings
    }

    /// One booking.
    #[must_use]
    pub fn find(&self, id: &BookingId) -> Option<&Booking> {
        self.bookings.iter().find(|booking| booking.id == *id)
    }

    /// What to keep on disk.
    #[must_use]
    pub fn to_cache(&self, read_at: Option<DateTime<Utc>>) -> Cache {
        Cache {
            bookings: self
                .bookings
                .iter()
                .take(MAX_CACHED)
                .map(for_disk)
                .collect(),
            seen: self.seen.clone(),
            read_at,
        }
    }

    /// What was kept on disk.
    #[must_use]
    pub fn from_cache(cache: Cache) -> Self {
        let mut bookings = cache.bookings;
        bookings.truncate(MAX_CACHED);
        bookings.sort_by_key(|booking| booking.start);
        Self {
            bookings,
            seen: cache.seen,
        }
    }

    fn remember(&mut self, entry: &Entry) {
        let Some(hash) = &entry.meeting_hash else {
            return;
        };
        let uid_hash = short_hash(&entry.uid);
        let room_left = self.seen.len() < MAX_REMEMBERED;
        let (start, end) = (entry.booking.start, entry.booking.end);
        match self.seen.get_mut(hash) {
            Some(seen) => {
                seen.last = seen.last.max(end);
                if start < seen.start {
                    seen.start = start;
                    seen.uid_hash = uid_hash;
                }
            }
            None if room_left => {
                let seen = Seen {
                    uid_hash,
                    start,
                    last: end,
                };
                self.seen.insert(hash.clone(), seen);
            }
            None => {}
        }
    }
}

/// A booking without the password that its link may carry.
fn for_disk(booking: &Booking) -> Booking {
    let mut booking = booking.clone();
    if let BookingLink::Meeting(link) = &mut booking.link {
        link.url = Pii::new(password::strip(link.url.expose()));
        link.protected |= link.password.is_some();
        link.password = None;
    }
    booking
}

fn window_end(booking: &Booking) -> DateTime<Utc> {
    if booking.end > booking.start {
        booking.end
    } else {
        booking.start + NO_LENGTH
    }
}

fn next_midnight(now: Now, zone: Tz) -> DateTime<Utc> {
    let tomorrow = now.utc.with_timezone(&zone).date_naive() + Days::new(1);
    // Where midnight does not exist, the day begins an hour later.
    [NaiveTime::MIN, NaiveTime::MIN + TimeDelta::hours(1)]
        .into_iter()
        .find_map(|time| {
            zone.from_local_datetime(&tomorrow.and_time(time))
                .earliest()
        })
        .map_or(now.utc + TimeDelta::hours(24), |time| {
            time.with_timezone(&Utc)
        })
}

fn short_hash(uid: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(uid.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
