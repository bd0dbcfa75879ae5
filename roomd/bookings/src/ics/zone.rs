// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Time zones: by name where the name is known, by the calendar's own definition otherwise.

use std::{collections::BTreeMap, rc::Rc, str::FromStr};

use calcard::{
    Entry as Parsed, Parser,
    common::timezone::Tz as NamedZone,
    icalendar::{
        ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarRecurrenceRule,
        ICalendarValue,
    },
};
use chrono::{
    DateTime, Datelike, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone,
    Utc,
};
use chrono_tz::Tz;

use roomd_model::SkipCause;

use super::{recur, when};

/// The years after which a calendar's own zone definition is not followed further.
const LAST_YEAR: i32 = 2100;
const MAX_ONSETS: usize = 2000;

/// A time zone that an entry names.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
    Custom(Rc<[Onset]>),
}

/// A change of offset, in the wall-clock time that was valid before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Onset {
    at: NaiveDateTime,
    from: i32,
    to: i32,
}

impl Zone {
    /// Wall-clock time to UTC: the first of two in autumn, with the old offset in the gap of spring.
    pub fn to_utc(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let offset = match self {
            Self::Named(tz) => named_offset(*tz, local)?,
            Self::Fixed(offset) => offset.local_minus_utc(),
            Self::Custom(onsets) => custom_offset(onsets, local)?,
        };
        let utc = local.checked_sub_signed(TimeDelta::seconds(i64::from(offset)))?;
        Some(utc.and_utc())
    }

    /// UTC to wall-clock time.
    pub fn to_local(&self, utc: DateTime<Utc>) -> Option<NaiveDateTime> {
        let naive = utc.naive_utc();
        let offset = match self {
            Self::Named(tz) => tz.offset_from_utc_datetime(&naive).fix().local_minus_utc(),
            Self::Fixed(offset) => offset.local_minus_utc(),
            Self::Custom(onsets) => onsets
                .iter()
                .rev()
                .find(|onset| onset.at - TimeDelta::seconds(i64::from(onset.from)) <= naive)
                .map(|onset| onset.to)
                .or_else(|| onsets.first().map(|onset| onset.from))?,
        };
        naive.checked_add_signed(TimeDelta::seconds(i64::from(offset)))
    }
}

fn named_offset(tz: Tz, local: NaiveDateTime) -> Option<i32> {
    let offset = match tz.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
        MappedLocalTime::None => {
            let before = local.checked_sub_signed(TimeDelta::hours(3))?;
            tz.offset_from_local_datetime(&before).earliest()?
        }
    };
    Some(offset.fix().local_minus_utc())
}

fn custom_offset(onsets: &[Onset], local: NaiveDateTime) -> Option<i32> {
    let Some(last) = onsets.iter().rev().find(|onset| onset.at <= local) else {
        return onsets.first().map(|onset| onset.from);
    };
    let gap = TimeDelta::seconds(i64::from(last.to.saturating_sub(last.from)));
    let in_gap = local < last.at.checked_add_signed(gap)?;
    Some(if in_gap { last.from } else { last.to })
}

/// The zones that a calendar defines, beside those known by name.
#[derive(Debug, Default)]
pub(super) struct Zones {
    defined: BTreeMap<String, Zone>,
}

impl Zones {
    /// Reads the `VTIMEZONE` blocks of a calendar; one that cannot be read is left out.
    pub fn read(blocks: &[&str]) -> Self {
        let defined = blocks.iter().filter_map(|block| define(block)).collect();
        Self { defined }
    }

    /// The zone of a TZID; a well-known name wins over the calendar's own definition, because its
    /// rules are kept up to date.
    pub fn find(&self, id: &str) -> Result<Zone, SkipCause> {
        by_name(id)
            .or_else(|| self.defined.get(id).cloned())
            .ok_or(SkipCause::UnknownZone)
    }
}

fn by_name(id: &str) -> Option<Zone> {
    match NamedZone::from_str(id.trim().trim_matches('"')).ok()? {
        NamedZone::Tz(tz) => Some(Zone::Named(tz)),
        NamedZone::Fixed(offset) => Some(Zone::Fixed(offset)),
        NamedZone::Floating => None,
    }
}

fn define(block: &str) -> Option<(String, Zone)> {
    let Parsed::ICalendar(calendar) = Parser::new(block).entry() else {
        return None;
    };
    let root = calendar.components.first()?;
    let id = root
        .property(&ICalendarProperty::Tzid)?
        .values
        .first()?
        .as_text()?
        .to_owned();
    if let Some((_, NamedZone::Tz(tz))) = root.timezone() {
        return Some((id, Zone::Named(tz)));
    }
    let mut onsets: Vec<Onset> = calendar
        .components
        .iter()
        .filter(|part| {
            matches!(
                part.component_type,
                ICalendarComponentType::Standard | ICalendarComponentType::Daylight
            )
        })
        .take(100)
        .filter_map(observance)
        .flatten()
        .collect();
    onsets.sort_unstable();
    onsets.truncate(MAX_ONSETS);
    (!onsets.is_empty()).then(|| (id, Zone::Custom(onsets.into())))
}

fn observance(part: &ICalendarComponent) -> Option<Vec<Onset>> {
    let first = |name| part.property(&name).and_then(|entry| entry.values.first());
    let from = offset(first(ICalendarProperty::Tzoffsetfrom)?)?;
    let to = offset(first(ICalendarProperty::Tzoffsetto)?)?;
    let start = when::naive(first(ICalendarProperty::Dtstart)?.as_partial_date_time()?)?;
    let mut at = vec![start];
    if let Some(ICalendarValue::RecurrenceRule(rule)) = first(ICalendarProperty::Rrule) {
        at.extend(rule_onsets(start, rule)?);
    }
    for entry in part.properties(&ICalendarProperty::Rdate) {
        let dates = entry
            .values
            .iter()
            .filter_map(ICalendarValue::as_partial_date_time);
        at.extend(dates.filter_map(when::naive).take(MAX_ONSETS));
    }
    at.sort_unstable();
    at.dedup();
    Some(at.into_iter().map(|at| Onset { at, from, to }).collect())
}

fn rule_onsets(start: NaiveDateTime, rule: &ICalendarRecurrenceRule) -> Option<Vec<NaiveDateTime>> {
    // Outlook starts its zones in 1601: the centuries before the first meeting are not walked.
    let start = if start.year() < 1970 {
        start.with_year(1970)?
    } else {
        start
    };
    let until = start.with_month(1)?.with_day(1)?.with_year(LAST_YEAR)?;
    let until = match &rule.until {
        Some(end) => when::naive(end)?.min(until),
        None => until,
    };
    recur::expand(start, rule, until, MAX_ONSETS).ok()
}

fn offset(value: &ICalendarValue) -> Option<i32> {
    let time = value.as_partial_date_time()?;
    let hours = i32::from(time.tz_hour?);
    let minutes = i32::from(time.tz_minute.unwrap_or(0));
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if time.tz_minus { -seconds } else { seconds })
}
