// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Points in time as an entry writes them.

use calcard::{
    common::PartialDateTime,
    icalendar::{ICalendarEntry, ICalendarPeriod, ICalendarValue},
};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

use roomd_model::SkipCause;

use super::zone::{Zone, Zones};

/// A date, or a wall-clock time in a zone. UTC is a zone like any other.
#[derive(Clone, Debug)]
pub(super) enum When {
    Date(NaiveDate, Zone),
    Time(NaiveDateTime, Zone),
}

impl When {
    pub fn utc(&self) -> Result<DateTime<Utc>, SkipCause> {
        self.zone().to_utc(self.local()).ok_or(SkipCause::BadTime)
    }

    /// Wall-clock time; midnight of a date.
    pub fn local(&self) -> NaiveDateTime {
        match self {
            Self::Date(date, _) => date.and_time(NaiveTime::MIN),
            Self::Time(time, _) => *time,
        }
    }

    pub fn zone(&self) -> &Zone {
        match self {
            Self::Date(_, zone) | Self::Time(_, zone) => zone,
        }
    }

    pub const fn is_date(&self) -> bool {
        matches!(self, Self::Date(..))
    }

    /// The same kind of moment at another wall-clock time.
    pub fn at(&self, local: NaiveDateTime) -> Self {
        match self {
            Self::Date(_, zone) => Self::Date(local.date(), zone.clone()),
            Self::Time(_, zone) => Self::Time(local, zone.clone()),
        }
    }
}

/// Every moment that a property names; a value that is none is a broken property.
pub(super) fn all(
    entry: &ICalendarEntry,
    zones: &Zones,
    room: &Zone,
) -> Result<Vec<When>, SkipCause> {
    let mut moments = Vec::new();
    for value in entry.values.iter().take(super::MAX_OCCURRENCES) {
        let partial = match (value.as_partial_date_time(), value) {
            (Some(partial), _) => partial,
            (
                None,
                ICalendarValue::Period(
                    ICalendarPeriod::Range { start, .. } | ICalendarPeriod::Duration { start, .. },
                ),
            ) => start,
            (None, _) => return Err(SkipCause::BadTime),
        };
        moments.push(moment(entry, partial, zones, room)?);
    }
    Ok(moments)
}

/// The one moment of a property.
pub(super) fn one(entry: &ICalendarEntry, zones: &Zones, room: &Zone) -> Result<When, SkipCause> {
    let partial = entry
        .values
        .first()
        .and_then(ICalendarValue::as_partial_date_time)
        .ok_or(SkipCause::BadTime)?;
    moment(entry, partial, zones, room)
}

fn moment(
    entry: &ICalendarEntry,
    partial: &PartialDateTime,
    zones: &Zones,
    room: &Zone,
) -> Result<When, SkipCause> {
    let local = naive(partial).ok_or(SkipCause::BadTime)?;
    if !(1970..=2200).contains(&local.year()) {
        return Err(SkipCause::BadTime);
    }
    if partial.hour.is_none() {
        return Ok(When::Date(local.date(), room.clone()));
    }
    if let Some(hours) = partial.tz_hour {
        let minutes = i64::from(hours) * 60 + i64::from(partial.tz_minute.unwrap_or(0));
        let offset = TimeDelta::minutes(if partial.tz_minus { -minutes } else { minutes });
        let utc = local.checked_sub_signed(offset).ok_or(SkipCause::BadTime)?;
        return Ok(When::Time(utc, Zone::Named(chrono_tz::UTC)));
    }
    let zone = match entry.tz_id() {
        Some(id) => zones.find(id)?,
        None => room.clone(),
    };
    Ok(When::Time(local, zone))
}

/// Date and time without zone; midnight where no time is given.
pub(super) fn naive(partial: &PartialDateTime) -> Option<NaiveDateTime> {
    let date = NaiveDate::from_ymd_opt(
        i32::from(partial.year?),
        u32::from(partial.month?),
        u32::from(partial.day?),
    )?;
    // A leap second is the second before it.
    let second = partial.second.unwrap_or(0).min(59);
    let time = NaiveTime::from_hms_opt(
        u32::from(partial.hour.unwrap_or(0)),
        u32::from(partial.minute.unwrap_or(0)),
        u32::from(second),
    )?;
    Some(date.and_time(time))
}

/// The other way round, without a zone.
pub(super) fn partial(time: NaiveDateTime) -> PartialDateTime {
    PartialDateTime {
        year: u16::try_from(time.year()).ok(),
        month: u8::try_from(time.month()).ok(),
        day: u8::try_from(time.day()).ok(),
        hour: u8::try_from(time.hour()).ok(),
        minute: u8::try_from(time.minute()).ok(),
        second: u8::try_from(time.second()).ok(),
        ..PartialDateTime::default()
    }
}
