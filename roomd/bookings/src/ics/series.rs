// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From the entries of one UID to its occurrences: rule, dates, exceptions, versions.

use std::collections::{BTreeMap, BTreeSet};

use calcard::icalendar::ICalendarRecurrenceRule;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use roomd_model::{Booking, BookingId, BookingLink, SkipCause};
use sha2::{Digest, Sha256};

use super::{
    Entry, MAX_OCCURRENCES, MAX_STEPS, Reading,
    event::{Event, Length},
    recur, when,
};

/// The occurrences of the entries that share `uid`, within the window.
pub(super) fn occurrences(
    uid: &str,
    events: &[Event],
    reading: &Reading<'_>,
) -> Result<Vec<Entry>, SkipCause> {
    let master = newest(events.iter().filter(|event| event.recurrence.is_none()));
    let mut overrides = overrides(events)?;
    let mut entries = Vec::new();
    let mut push = |event: &Event, start: &when::When, due: Option<DateTime<Utc>>| {
        if let Some(entry) = entry(uid, event, start, due, reading)? {
            entries.push(entry);
        }
        if entries.len() > MAX_OCCURRENCES {
            return Err(SkipCause::TooMany);
        }
        Ok(())
    };
    if let Some(master) = master {
        if master.cancelled {
            return Ok(Vec::new());
        }
        if repeats(master) {
            for (due, local) in dues(master, reading)? {
                match overrides.remove(&due) {
                    Some(event) => push(event, &event.start, Some(due))?,
                    None => push(master, &master.start.at(local), Some(due))?,
                }
            }
        } else if overrides.is_empty() {
            push(master, &master.start, None)?;
        } else {
            // One that repeated once, or an exception whose series is kept elsewhere.
            let due = master.start.utc()?;
            let event = overrides.remove(&due).unwrap_or(master);
            push(event, &event.start, None)?;
        }
    }
    for (due, event) in overrides {
        // An exception from before the series was moved belongs to no occurrence any more.
        if master.is_some_and(|master| event.version.0 < master.version.0 && due <= reading.to) {
            continue;
        }
        push(event, &event.start, Some(due))?;
    }
    Ok(entries)
}

fn newest<'e>(events: impl Iterator<Item = &'e Event>) -> Option<&'e Event> {
    events.max_by_key(|event| event.version)
}

fn overrides(events: &[Event]) -> Result<BTreeMap<DateTime<Utc>, &Event>, SkipCause> {
    let mut newest: BTreeMap<DateTime<Utc>, &Event> = BTreeMap::new();
    for event in events {
        let Some(recurrence) = &event.recurrence else {
            continue;
        };
        let slot = newest.entry(recurrence.utc()?).or_insert(event);
        if event.version >= slot.version {
            *slot = event;
        }
    }
    Ok(newest)
}

const fn repeats(event: &Event) -> bool {
    !event.rules.is_empty() || !event.dates.is_empty()
}

/// When the series is due, as UTC and as wall-clock time of its zone.
fn dues(
    master: &Event,
    reading: &Reading<'_>,
) -> Result<BTreeMap<DateTime<Utc>, NaiveDateTime>, SkipCause> {
    let zone = master.start.zone();
    let last = zone.to_local(reading.to).ok_or(SkipCause::BadTime)?;
    let mut locals = BTreeSet::new();
    for rule in &master.rules {
        locals.extend(walk(master, rule, last)?);
    }
    if master.rules.is_empty() {
        locals.insert(master.start.local());
    }
    for rule in &master.except_rules {
        for local in walk(master, rule, last)? {
            locals.remove(&local);
        }
    }
    let mut dues = BTreeMap::new();
    for local in locals {
        let due = master.start.at(local).utc()?;
        dues.insert(due, local);
    }
    for date in &master.dates {
        let due = date.utc()?;
        if due <= reading.to {
            let local = if date.is_date() && !master.start.is_date() {
                date.local().date().and_time(master.start.local().time())
            } else {
                zone.to_local(due).ok_or(SkipCause::BadTime)?
            };
            dues.insert(master.start.at(local).utc()?, local);
        }
    }
    // Some clients except a whole day of a series that has times.
    let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
    for except in &master.except {
        dues.remove(&except.utc()?);
        if except.is_date() {
            days.insert(except.local().date());
        }
    }
    dues.retain(|_, local| !days.contains(&local.date()));
    Ok(dues)
}

fn walk(
    master: &Event,
    rule: &ICalendarRecurrenceRule,
    last: NaiveDateTime,
) -> Result<Vec<NaiveDateTime>, SkipCause> {
    let until = match &rule.until {
        None => last,
        Some(until) => {
            let naive = when::naive(until).ok_or(SkipCause::BadRule)?;
            // The rule is walked in wall-clock time, its end is mostly written in UTC.
            let local = if until.hour.is_none() {
                naive.date().and_time(NaiveTime::MIN) + TimeDelta::seconds(86_399)
            } else if until.tz_hour.is_some() && !master.start.is_date() {
                master
                    .start
                    .zone()
                    .to_local(naive.and_utc())
                    .ok_or(SkipCause::BadRule)?
            } else {
                naive
            };
            local.min(last)
        }
    };
    recur::expand(master.start.local(), rule, until, MAX_STEPS)
}

fn entry(
    uid: &str,
    event: &Event,
    start: &when::When,
    due: Option<DateTime<Utc>>,
    reading: &Reading<'_>,
) -> Result<Option<Entry>, SkipCause> {
    if event.cancelled {
        return Ok(None);
    }
    let begins = start.utc()?;
    let ends = match event.end {
        Length::Exact(length) => begins.checked_add_signed(length),
        Length::Nominal(length) => {
            let local = start.local().checked_add_signed(length);
            local.and_then(|local| start.zone().to_utc(local))
        }
    };
    let ends = ends.ok_or(SkipCause::BadTime)?.max(begins);
    if ends < reading.from || begins > reading.to {
        return Ok(None);
    }
    // Time that is marked as free matters to a room only when there is something to join.
    if event.transparent && matches!(event.link, BookingLink::None) {
        return Ok(None);
    }
    let all_day = start.is_date() || ends - begins >= TimeDelta::hours(24);
    Ok(Some(Entry {
        booking: Booking {
            id: booking_id(uid, due),
            title: event.title.clone(),
            start: begins,
            end: ends,
            all_day,
            attendance: event.attendance,
            link: event.link.clone(),
            warnings: event.warnings.clone(),
        },
        uid: uid.to_owned(),
        recurrence: due,
        source: event.source,
        meeting_hash: event.meeting_hash.clone(),
    }))
}

/// The UID, and when the occurrence was due; a UID that is very long is replaced by its hash.
fn booking_id(uid: &str, due: Option<DateTime<Utc>>) -> BookingId {
    let name = if uid.len() > 200 || uid.chars().any(char::is_control) {
        let hash = Sha256::digest(uid.as_bytes());
        hash.iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    } else {
        uid.to_owned()
    };
    BookingId(match due {
        Some(due) => format!("{name}/{}", due.format("%Y%m%dT%H%M%SZ")),
        None => name,
    })
}
