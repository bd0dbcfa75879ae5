// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One `VEVENT`: its properties, typed.

use calcard::{
    Entry as Parsed, Parser,
    icalendar::{
        ICalendarClassification, ICalendarComponent, ICalendarDuration, ICalendarParameterName,
        ICalendarProperty, ICalendarRecurrenceRule, ICalendarStatus, ICalendarTransparency,
        ICalendarValue,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use roomd_model::{Attendance, BookingLink, LinkWarning, Pii, SkipCause};

use super::{
    Privacy, Reading, SkippedEntry, short_uid,
    when::{self, When},
    zone::{Zone, Zones},
};
use crate::links::{self, Texts};

const MAX_TITLE_CHARS: usize = 300;

/// A `VEVENT`, reduced to what a room needs.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub uid: String,
    pub source: usize,
    pub recurrence: Option<When>,
    pub version: (i64, Option<DateTime<Utc>>),
    pub start: When,
    pub end: Length,
    pub rules: Vec<ICalendarRecurrenceRule>,
    pub except_rules: Vec<ICalendarRecurrenceRule>,
    pub dates: Vec<When>,
    pub except: Vec<When>,
    pub cancelled: bool,
    pub transparent: bool,
    pub title: Option<Pii<String>>,
    pub attendance: Attendance,
    pub link: BookingLink,
    pub warnings: Vec<LinkWarning>,
    pub meeting_hash: Option<String>,
}

/// How long an event is.
#[derive(Clone, Debug)]
pub(super) enum Length {
    /// Wall-clock time from start to end, as of whole days.
    Nominal(TimeDelta),
    /// Elapsed time.
    Exact(TimeDelta),
}

/// Reads one block.
pub(super) fn read(
    block: &str,
    zones: &Zones,
    room: &Zone,
    reading: &Reading<'_>,
) -> Result<Event, SkippedEntry> {
    let Parsed::ICalendar(calendar) = Parser::new(block).entry() else {
        return Err(SkippedEntry {
            uid: None,
            cause: SkipCause::NotCalendar,
        });
    };
    let Some(component) = calendar.components.first() else {
        return Err(SkippedEntry {
            uid: None,
            cause: SkipCause::NotCalendar,
        });
    };
    let uid = match component.uid().map(str::trim) {
        Some(uid) if !uid.is_empty() => uid.to_owned(),
        Some(_) | None => {
            return Err(SkippedEntry {
                uid: None,
                cause: SkipCause::NoUid,
            });
        }
    };
    typed(&uid, component, zones, room, reading).map_err(|cause| SkippedEntry {
        uid: Some(short_uid(&uid)),
        cause,
    })
}

fn typed(
    uid: &str,
    component: &ICalendarComponent,
    zones: &Zones,
    room: &Zone,
    reading: &Reading<'_>,
) -> Result<Event, SkipCause> {
    let recurrence = component
        .property(&ICalendarProperty::RecurrenceId)
        .map(|entry| when::one(entry, zones, room))
        .transpose()?;
    let cancelled = component.status() == Some(&ICalendarStatus::Cancelled);
    let start = match (component.property(&ICalendarProperty::Dtstart), &recurrence) {
        (Some(entry), _) => when::one(entry, zones, room)?,
        (None, Some(recurrence)) => recurrence.clone(),
        (None, None) => return Err(SkipCause::NoStart),
    };
    let end = length(component, &start, zones, room)?;
    let found = links::find(&texts(component), reading.links);
    Ok(Event {
        uid: uid.to_owned(),
        source: 0,
        recurrence,
        version: version(component),
        end,
        rules: rules(component, &ICalendarProperty::Rrule)?,
        except_rules: rules(component, &ICalendarProperty::Exrule)?,
        dates: dates(component, &ICalendarProperty::Rdate, zones, room)?,
        except: dates(component, &ICalendarProperty::Exdate, zones, room)?,
        cancelled,
        transparent: component.transparency() == Some(&ICalendarTransparency::Transparent),
        title: title(component, reading.privacy),
        attendance: attendance(component, reading.addresses),
        link: found.link,
        warnings: found.warnings,
        meeting_hash: found.meeting_hash,
        start,
    })
}

fn length(
    component: &ICalendarComponent,
    start: &When,
    zones: &Zones,
    room: &Zone,
) -> Result<Length, SkipCause> {
    if let Some(entry) = component.property(&ICalendarProperty::Dtend) {
        let end = when::one(entry, zones, room)?;
        let exact = end.utc()? - start.utc()?;
        if exact < TimeDelta::zero() {
            return Err(SkipCause::EndsBeforeStart);
        }
        return Ok(if start.is_date() && end.is_date() {
            Length::Nominal(end.local() - start.local())
        } else {
            Length::Exact(exact)
        });
    }
    if let Some(entry) = component.property(&ICalendarProperty::Duration) {
        let Some(ICalendarValue::Duration(duration)) = entry.values.first() else {
            return Err(SkipCause::BadTime);
        };
        let whole_days = duration.weeks > 0 || duration.days > 0;
        let length = delta(duration)?;
        return Ok(if whole_days {
            Length::Nominal(length)
        } else {
            Length::Exact(length)
        });
    }
    Ok(Length::Nominal(if start.is_date() {
        TimeDelta::days(1)
    } else {
        TimeDelta::zero()
    }))
}

fn delta(duration: &ICalendarDuration) -> Result<TimeDelta, SkipCause> {
    if duration.neg {
        return Err(SkipCause::EndsBeforeStart);
    }
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let hours = i64::from(duration.hours) + days.saturating_mul(24);
    let minutes = i64::from(duration.minutes) + hours.saturating_mul(60);
    let seconds = i64::from(duration.seconds) + minutes.saturating_mul(60);
    // Nothing in a room takes longer than ten years.
    if seconds > 10 * 366 * 86_400 {
        return Err(SkipCause::BadTime);
    }
    Ok(TimeDelta::seconds(seconds))
}

fn version(component: &ICalendarComponent) -> (i64, Option<DateTime<Utc>>) {
    let first = |name| {
        component
            .property(&name)
            .and_then(|entry| entry.values.first())
    };
    let sequence = first(ICalendarProperty::Sequence).and_then(ICalendarValue::as_integer);
    let stamp = [ICalendarProperty::LastModified, ICalendarProperty::Dtstamp]
        .into_iter()
        .find_map(|name| first(name)?.as_partial_date_time().and_then(when::naive));
    (sequence.unwrap_or(0), stamp.map(|time| time.and_utc()))
}

fn rules(
    component: &ICalendarComponent,
    name: &ICalendarProperty,
) -> Result<Vec<ICalendarRecurrenceRule>, SkipCause> {
    let mut rules = Vec::new();
    for entry in component.properties(name).take(20) {
        match entry.values.first() {
            Some(ICalendarValue::RecurrenceRule(rule)) => rules.push((**rule).clone()),
            Some(_) | None => return Err(SkipCause::BadRule),
        }
    }
    Ok(rules)
}

fn dates(
    component: &ICalendarComponent,
    name: &ICalendarProperty,
    zones: &Zones,
    room: &Zone,
) -> Result<Vec<When>, SkipCause> {
    let mut dates = Vec::new();
    for entry in component.properties(name) {
        dates.extend(when::all(entry, zones, room)?);
        if dates.len() > super::MAX_STEPS {
            return Err(SkipCause::TooMany);
        }
    }
    Ok(dates)
}

fn title(component: &ICalendarComponent, privacy: Privacy) -> Option<Pii<String>> {
    let class = component
        .property(&ICalendarProperty::Class)
        .and_then(|entry| entry.values.first());
    // An unknown class counts as private (RFC 5545, 3.8.1.3).
    let private = !matches!(
        class,
        None | Some(ICalendarValue::Classification(
            ICalendarClassification::Public
        ))
    );
    let show = match privacy {
        Privacy::ShowTitles => true,
        Privacy::HidePrivateTitles => !private,
        Privacy::HideAllTitles => false,
    };
    if !show {
        return None;
    }
    let summary = component
        .property(&ICalendarProperty::Summary)?
        .values
        .first()?
        .as_text()?;
    let spaced = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = spaced
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_TITLE_CHARS)
        .collect();
    (!title.is_empty()).then(|| Pii::new(title))
}

/// The room's own answer: of the attendee with its address, else of the only room invited.
fn attendance(component: &ICalendarComponent, addresses: &[Pii<String>]) -> Attendance {
    let attendees = || {
        component
            .properties(&ICalendarProperty::Attendee)
            .take(2000)
    };
    let own = attendees().find(|entry| {
        let email = entry
            .parameter(&ICalendarParameterName::Email)
            .and_then(|v| v.as_text());
        [entry.calendar_address(), email]
            .into_iter()
            .flatten()
            .any(|address| {
                addresses
                    .iter()
                    .any(|own| own.expose().eq_ignore_ascii_case(address.trim()))
            })
    });
    let entry = own.or_else(|| {
        let mut rooms = attendees().filter(|entry| {
            let kind = entry
                .parameter(&ICalendarParameterName::Cutype)
                .and_then(|v| v.as_text());
            kind.is_some_and(|kind| {
                kind.eq_ignore_ascii_case("ROOM") || kind.eq_ignore_ascii_case("RESOURCE")
            })
        });
        rooms.next().filter(|_| rooms.next().is_none())
    });
    let status = entry
        .and_then(|entry| entry.parameter(&ICalendarParameterName::Partstat))
        .and_then(|value| value.as_text())
        .map(str::to_ascii_uppercase);
    match status.as_deref() {
        Some("ACCEPTED") => Attendance::Accepted,
        Some("TENTATIVE") => Attendance::Tentative,
        Some("DECLINED") => Attendance::Declined,
        Some(_) | None => Attendance::NeedsAction,
    }
}

fn texts(component: &ICalendarComponent) -> Texts<'_> {
    let all = |name: ICalendarProperty| -> Vec<&str> {
        component
            .entries
            .iter()
            .filter(|entry| entry.name == name)
            .flat_map(|entry| entry.values.iter().filter_map(ICalendarValue::as_text))
            .take(50)
            .collect()
    };
    let mut texts = Texts {
        conference: all(ICalendarProperty::Conference),
        location: all(ICalendarProperty::Location),
        url: all(ICalendarProperty::Url),
        extension: Vec::new(),
        description: all(ICalendarProperty::Description),
        html: all(ICalendarProperty::StyledDescription),
    };
    for entry in component.entries.iter().take(2000) {
        let ICalendarProperty::Other(name) = &entry.name else {
            continue;
        };
        let values = entry
            .values
            .iter()
            .filter_map(ICalendarValue::as_text)
            .take(50);
        if name.eq_ignore_ascii_case("X-ALT-DESC") {
            texts.html.extend(values);
        } else if name
            .get(..2)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("X-"))
        {
            texts.extension.extend(values);
        }
    }
    texts.extension.truncate(50);
    texts
}
