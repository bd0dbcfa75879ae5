// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A date or time as a line writes it, and the same at another wall-clock time.

use std::str::FromStr;

use calcard::common::timezone::Tz as NamedZone;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::lines::{parameter, value_start};

/// Wall-clock time, its zone, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub local: NaiveDateTime,
    zone: Tz,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Date,
    Utc,
    Local,
}

impl Moment {
    /// The moment of a line such as `DTSTART;TZID=Europe/Berlin:20260324T100000`; none when its
    /// zone is one of the calendar's own making.
    pub fn read(line: &str, room: Tz) -> Option<Self> {
        let colon = value_start(line)?;
        let (head, value) = (&line[..colon - 1], line[colon..].trim());
        if let Ok(date) = NaiveDate::parse_from_str(value, "%Y%m%d") {
            let local = date.and_time(NaiveTime::MIN);
            return Some(Self {
                local,
                zone: room,
                form: Form::Date,
            });
        }
        let time = |value| NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%S").ok();
        if let Some(value) = value.strip_suffix('Z') {
            return Some(Self {
                local: time(value)?,
                zone: Tz::UTC,
                form: Form::Utc,
            });
        }
        let zone = match parameter(head, "TZID") {
            None => room,
            Some(name) => match NamedZone::from_str(name).ok()? {
                NamedZone::Tz(zone) => zone,
                NamedZone::Fixed(_) | NamedZone::Floating => return None,
            },
        };
        Some(Self {
            local: time(value)?,
            zone,
            form: Form::Local,
        })
    }

    pub fn utc(&self) -> Option<DateTime<Utc>> {
        let time = self.zone.from_local_datetime(&self.local).earliest()?;
        Some(time.with_timezone(&Utc))
    }

    /// The wall-clock time that `utc` has in this moment's zone.
    pub fn local_of(&self, utc: DateTime<Utc>) -> NaiveDateTime {
        utc.with_timezone(&self.zone).naive_local()
    }

    /// Another wall-clock time, written like this one.
    pub fn write(&self, local: NaiveDateTime) -> String {
        match self.form {
            Form::Date => local.format("%Y%m%d").to_string(),
            Form::Utc => local.format("%Y%m%dT%H%M%SZ").to_string(),
            Form::Local => local.format("%Y%m%dT%H%M%S").to_string(),
        }
    }
}
