// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Recurrence rules in wall-clock time: the library walks the rule, zone and window stay outside.

use calcard::{
    common::timezone::Tz,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty,
        ICalendarRecurrenceRule,
    },
};
use chrono::NaiveDateTime;

use roomd_model::SkipCause;

use super::when;

/// Wall-clock times at which `rule` fires, from `start` to `until` inclusive.
pub(super) fn expand(
    start: NaiveDateTime,
    rule: &ICalendarRecurrenceRule,
    until: NaiveDateTime,
    limit: usize,
) -> Result<Vec<NaiveDateTime>, SkipCause> {
    if until < start {
        return Ok(Vec::new());
    }
    let mut rule = rule.clone();
    rule.until = Some(when::partial(until));
    let dtstart = when::partial(start);
    let event = ICalendarComponent {
        component_type: ICalendarComponentType::VEvent,
        entries: vec![
            ICalendarEntry::new(ICalendarProperty::Dtstart).with_value(dtstart),
            ICalendarEntry::new(ICalendarProperty::Rrule).with_value(rule),
        ],
        component_ids: Vec::new(),
    };
    let calendar = ICalendar {
        components: vec![event],
    };
    let expanded = calendar.expand_dates(Tz::Floating, limit + 1);
    if !expanded.errors.is_empty() {
        return Err(SkipCause::BadRule);
    }
    if expanded.events.len() > limit {
        return Err(SkipCause::TooMany);
    }
    let times = expanded
        .events
        .into_iter()
        .map(|event| event.start.naive_local());
    Ok(times.filter(|time| *time <= until).collect())
}
