// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Reads iCalendar streams into the occurrences of a window.

mod blocks;
mod event;
mod recur;
mod series;
mod when;
mod zone;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use roomd_model::{Booking, Pii, SkipCause};

use crate::links::LinkRules;
use event::Event;
use zone::{Zone, Zones};

/// The most that one calendar may weigh.
pub const MAX_CALENDAR_BYTES: usize = 16 * 1024 * 1024;
const MAX_ENTRY_BYTES: usize = 1024 * 1024;
const MAX_ENTRIES: usize = 20_000;
/// The most occurrences that one series may have within the window.
const MAX_OCCURRENCES: usize = 2_000;
/// The most occurrences that one series may have from its first to the end of the window.
const MAX_STEPS: usize = 20_000;
/// The most bookings that a window may hold.
const MAX_BOOKINGS: usize = 10_000;

/// Whether the room shows titles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privacy {
    /// Every title.
    ShowTitles,
    /// Titles of entries that are neither private nor confidential.
    #[default]
    HidePrivateTitles,
    /// No title.
    HideAllTitles,
}

/// How calendars are read: the room's zone and address, the window, and what links mean.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The room's time zone, for floating times and whole days.
    pub zone: Tz,
    /// The window's beginning; what ends before it is left out.
    pub from: DateTime<Utc>,
    /// The window's end; what starts after it is left out.
    pub to: DateTime<Utc>,
    /// Whether titles are shown.
    pub privacy: Privacy,
    /// The room's own addresses, without `mailto:`.
    pub addresses: &'a [Pii<String>],
    /// What a link means.
    pub links: &'a dyn LinkRules,
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("zone", &self.zone)
            .finish_non_exhaustive()
    }
}

/// One occurrence, with what the schedule needs beside the booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The occurrence.
    pub booking: Booking,
    /// The UID of the calendar entry.
    pub uid: String,
    /// When this occurrence was due by its series' rule; none for an entry that does not repeat.
    pub recurrence: Option<DateTime<Utc>>,
    /// Which of the added calendars it comes from, counted from 0.
    pub source: usize,
    /// A hash of the meeting's id, for the linter.
    pub meeting_hash: Option<String>,
}

/// A calendar entry that was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedEntry {
    /// Its UID, shortened; none when it has none.
    pub uid: Option<String>,
    /// Why.
    pub cause: SkipCause,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readout {
    /// The occurrences in the window, by start.
    pub entries: Vec<Entry>,
    /// What was left out.
    pub skipped: Vec<SkippedEntry>,
}

/// Collects calendars, then merges their entries.
#[derive(Debug)]
pub struct Reader<'a> {
    reading: Reading<'a>,
    sources: usize,
    events: BTreeMap<String, Vec<Event>>,
    count: usize,
    skipped: Vec<SkippedEntry>,
}

impl<'a> Reader<'a> {
    /// A reader without calendars.
    #[must_use]
    pub const fn new(reading: Reading<'a>) -> Self {
        Self {
            reading,
            sources: 0,
            events: BTreeMap::new(),
            count: 0,
            skipped: Vec::new(),
        }
    }

    /// Adds a stream of calendars: a file, a feed, or one resource of a server.
    pub fn add(&mut self, bytes: &[u8]) {
        let source = self.sources;
        self.sources += 1;
        if bytes.len() > MAX_CALENDAR_BYTES {
            self.skipped.push(SkippedEntry {
                uid: None,
                cause: SkipCause::TooLarge,
            });
            return;
        }
        let text = text(bytes);
        for calendar in blocks::cut(&text, &mut self.skipped) {
            // Answers and counter-proposals of others are no bookings.
            if matches!(
                calendar.method.as_deref(),
                Some("REPLY" | "COUNTER" | "REFRESH")
            ) {
                continue;
            }
            let cancelled = calendar.method.as_deref() == Some("CANCEL");
            let zones = Zones::read(&calendar.zones);
            for block in calendar.events {
                self.event(block, &zones, cancelled, source);
            }
        }
    }

    /// Merges what was added into the occurrences of the window.
    #[must_use]
    pub fn finish(self) -> Readout {
        let mut readout = Readout {
            entries: Vec::new(),
            skipped: self.skipped,
        };
        for (uid, events) in &self.events {
            match series::occurrences(uid, events, &self.reading) {
                Ok(entries) => readout.entries.extend(entries),
                Err(cause) => readout.skipped.push(SkippedEntry {
                    uid: Some(short_uid(uid)),
                    cause,
                }),
            }
        }
        let order = |entry: &Entry| (entry.booking.start, entry.booking.end);
        readout.entries.sort_by(|a, b| {
            order(a)
                .cmp(&order(b))
                .then_with(|| a.booking.id.cmp(&b.booking.id))
        });
        if readout.entries.len() > MAX_BOOKINGS {
            readout.entries.truncate(MAX_BOOKINGS);
            readout.skipped.push(SkippedEntry {
                uid: None,
                cause: SkipCause::TooMany,
            });
        }
        readout
    }

    fn event(&mut self, block: &str, zones: &Zones, cancelled: bool, source: usize) {
        self.count += 1;
        if self.count > MAX_ENTRIES {
            if self.count == MAX_ENTRIES + 1 {
                self.skipped.push(SkippedEntry {
                    uid: None,
                    cause: SkipCause::TooMany,
                });
            }
            return;
        }
        let room = Zone::Named(self.reading.zone);
        match event::read(block, zones, &room, &self.reading) {
            Ok(mut event) => {
                event.cancelled |= cancelled;
                event.source = source;
                self.events
                    .entry(event.uid.clone())
                    .or_default()
                    .push(event);
            }
            Err(skipped) => self.skipped.push(skipped),
        }
    }
}

/// The text of a stream. Some servers fold within a character, so that it is text only unfolded.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut unfolded = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let folded = line.strip_prefix(b" ").or_else(|| line.strip_prefix(b"\t"));
        if folded.is_some() {
            while matches!(unfolded.last(), Some(b'\r' | b'\n')) {
                unfolded.pop();
            }
        }
        unfolded.extend_from_slice(folded.unwrap_or(line));
    }
    Cow::Owned(String::from_utf8_lossy(&unfolded).into_owned())
}

/// A UID cut to what a log line takes, without control characters.
fn short_uid(uid: &str) -> String {
    uid.chars().filter(|c| !c.is_control()).take(80).collect()
}
