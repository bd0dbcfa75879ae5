// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Writes the room's answer into a calendar resource: one parameter of one line, everything else
//! stays as the server gave it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use roomd_model::{Attendance, Pii};

use super::{
    exception,
    lines::{Line, fold, lines, parameter, parameters, value_start},
    moment::Moment,
};

/// Why an answer could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The room is not among those invited.
    #[error("the room is not among the attendees")]
    NotInvited,
}

/// The resource with the room's answer in it.
///
/// An occurrence with an entry of its own is answered alone. Otherwise an acceptance is for the
/// whole series, and a refusal for the one occurrence: declining a date must not cancel the rest.
/// Dates and floating times are those of `room`.
pub fn answer(
    text: &str,
    recurrence: Option<DateTime<Utc>>,
    room: Tz,
    addresses: &[Pii<String>],
    attendance: Attendance,
) -> Result<String, AnswerError> {
    let events = events(text);
    let own = recurrence.and_then(|due| {
        events
            .iter()
            .position(|event| event.recurrence(room) == Some(due))
    });
    if let (Some(due), None, Attendance::Declined) = (recurrence, own, attendance) {
        let series = events
            .iter()
            .find(|event| event.find("RECURRENCE-ID").is_none());
        let added = series.and_then(|series| {
            exception::declined(text, series, due, room, addresses).map(|entry| (series.end, entry))
        });
        if let Some((at, entry)) = added {
            let mut out = text.to_owned();
            out.insert_str(at, &entry);
            return Ok(out);
        }
    }
    let mut out = text.to_owned();
    let mut found = false;
    for (index, event) in events.iter().enumerate().rev() {
        if own.is_some_and(|own| own != index) {
            continue;
        }
        if let Some(line) = attendee(event, addresses) {
            let changed = with_status(&line.text, attendance);
            let ending = line.ending(text);
            out.replace_range(line.range.clone(), &fold(&changed, ending));
            found = true;
        }
    }
    if found {
        Ok(out)
    } else {
        Err(AnswerError::NotInvited)
    }
}

/// The lines of one entry, without those of its alarms.
#[derive(Debug)]
pub(super) struct EventLines {
    pub lines: Vec<Line>,
    /// Where the entry ends, behind its last line.
    pub end: usize,
}

impl EventLines {
    pub fn find(&self, property: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.is(property))
    }

    fn recurrence(&self, room: Tz) -> Option<DateTime<Utc>> {
        Moment::read(&self.find("RECURRENCE-ID")?.text, room)?.utc()
    }

    fn attendees(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.is("ATTENDEE"))
    }
}

fn events(text: &str) -> Vec<EventLines> {
    let mut events = Vec::new();
    let mut open: Option<EventLines> = None;
    let mut nested = 0_usize;
    for line in lines(text) {
        let upper = line.text.trim_end().to_ascii_uppercase();
        match (&mut open, upper.as_str()) {
            (None, "BEGIN:VEVENT") => {
                nested = 0;
                open = Some(EventLines {
                    lines: Vec::new(),
                    end: 0,
                });
            }
            (None, _) => {}
            (Some(event), "END:VEVENT") => {
                event.end = line.range.end;
                events.extend(open.take());
            }
            (Some(event), name) => {
                if name.starts_with("BEGIN:") {
                    nested += 1;
                } else if name.starts_with("END:") {
                    nested = nested.saturating_sub(1);
                } else if nested == 0 {
                    event.lines.push(line);
                }
            }
        }
    }
    events
}

pub(super) fn attendee<'e>(event: &'e EventLines, addresses: &[Pii<String>]) -> Option<&'e Line> {
    let own = event.attendees().find(|line| {
        let Some(colon) = value_start(&line.text) else {
            return false;
        };
        let (head, value) = (&line.text[..colon - 1], line.text[colon..].trim());
        let value = match value.split_once(':') {
            Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto") => address,
            Some(_) | None => value,
        };
        let email = parameter(head, "EMAIL");
        addresses.iter().any(|own| {
            own.expose().eq_ignore_ascii_case(value)
                || email.is_some_and(|email| own.expose().eq_ignore_ascii_case(email))
        })
    });
    own.or_else(|| {
        let mut rooms = event.attendees().filter(|line| {
            let head = value_start(&line.text).map_or("", |colon| &line.text[..colon - 1]);
            parameter(head, "CUTYPE").is_some_and(|kind| {
                kind.eq_ignore_ascii_case("ROOM") || kind.eq_ignore_ascii_case("RESOURCE")
            })
        });
        rooms.next().filter(|_| rooms.next().is_none())
    })
}

pub(super) fn with_status(line: &str, attendance: Attendance) -> String {
    let status = match attendance {
        Attendance::NeedsAction => "NEEDS-ACTION",
        Attendance::Accepted => "ACCEPTED",
        Attendance::Tentative => "TENTATIVE",
        Attendance::Declined => "DECLINED",
    };
    let head_end = value_start(line).map_or(line.len(), |colon| colon - 1);
    let head = &line[..head_end];
    let existing = parameters(head).into_iter().find(|range| {
        head[range.clone()]
            .split_once('=')
            .is_some_and(|(name, _)| name.eq_ignore_ascii_case("PARTSTAT"))
    });
    let mut line = line.to_owned();
    match existing {
        Some(range) => line.replace_range(range, &format!("PARTSTAT={status}")),
        None => line.insert_str("ATTENDEE".len(), &format!(";PARTSTAT={status}")),
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    const BERLIN: Tz = Tz::Europe__Berlin;
    const SERIES: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nX-ODD:kept \\, as\r\n  it is\r\nATTENDEE;CN=\"Erika; M: x\";PARTSTAT=ACCEPTED:mailto:erika@example.org\r\nATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Besprechungsraum Elbe im\r\n  Haus 2:mailto:ELBE@rooms.example.org\r\nBEGIN:VALARM\r\nATTENDEE:mailto:elbe@rooms.example.org\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260324T100000\r\nATTENDEE:mailto:elbe@rooms.example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn room() -> Vec<Pii<String>> {
        vec![Pii::from("elbe@rooms.example.org")]
    }

    #[test]
    fn a_series_is_answered_in_every_entry_and_nothing_else_changes() {
        let changed = answer(SERIES, None, BERLIN, &room(), Attendance::Accepted).unwrap();
        let expected = SERIES
            .replace("NEEDS-ACTION;RSVP=TRUE;CN=Besprechungsraum Elbe im\r\n  Haus 2:mailto:ELBE@rooms.example.org", "ACCEPTED;RSVP=TRUE;CN=Besprechungsraum Elbe i\r\n m Haus 2:mailto:ELBE@rooms.example.org")
            .replace("100000\r\nATTENDEE:", "100000\r\nATTENDEE;PARTSTAT=ACCEPTED:");
        assert_eq!(changed, expected);
    }

    #[test]
    fn an_occurrence_with_its_own_entry_is_answered_alone() {
        let due = Utc.with_ymd_and_hms(2026, 3, 24, 9, 0, 0).unwrap();
        let changed = answer(SERIES, Some(due), BERLIN, &room(), Attendance::Declined).unwrap();
        let expected = SERIES.replace(
            "100000\r\nATTENDEE:",
            "100000\r\nATTENDEE;PARTSTAT=DECLINED:",
        );
        assert_eq!(changed, expected);
    }

    #[test]
    fn a_room_that_is_not_invited_does_not_answer() {
        let nobody = [Pii::from("havel@rooms.example.org")];
        let text = SERIES.replace("CUTYPE=ROOM;", "");
        assert_eq!(
            answer(&text, None, BERLIN, &nobody, Attendance::Accepted),
            Err(AnswerError::NotInvited)
        );
    }

    #[test]
    fn declining_one_date_keeps_the_rest_of_the_series() {
        let series = "BEGIN:VEVENT\nUID:b\nDTSTART;TZID=Europe/Berlin:20260324T100000\nDTEND;TZID=Europe/Berlin:20260324T113000\nRRULE:FREQ=WEEKLY\nEXDATE;TZID=Europe/Berlin:20260407T100000\nSUMMARY:Bleibt\nATTENDEE;PARTSTAT=ACCEPTED:mailto:elbe@rooms.example.org\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\n";
        let text = format!("BEGIN:VCALENDAR\n{series}END:VCALENDAR\n");
        let due = Utc.with_ymd_and_hms(2026, 3, 31, 8, 0, 0).unwrap();
        let changed = answer(&text, Some(due), BERLIN, &room(), Attendance::Declined).unwrap();
        let exception = "BEGIN:VEVENT\nUID:b\nRECURRENCE-ID;TZID=Europe/Berlin:20260331T100000\nDTSTART;TZID=Europe/Berlin:20260331T100000\nDTEND;TZID=Europe/Berlin:20260331T113000\nSUMMARY:Bleibt\nATTENDEE;PARTSTAT=DECLINED:mailto:elbe@rooms.example.org\nEND:VEVENT\n";
        assert_eq!(
            changed,
            format!("BEGIN:VCALENDAR\n{series}{exception}END:VCALENDAR\n")
        );

        let days = text
            .replace(
                ";TZID=Europe/Berlin:20260324T100000",
                ";VALUE=DATE:20260324",
            )
            .replace("DTEND;TZID=Europe/Berlin:20260324T113000\n", "");
        let due = Utc.with_ymd_and_hms(2026, 3, 30, 22, 0, 0).unwrap();
        let changed = answer(&days, Some(due), BERLIN, &room(), Attendance::Declined).unwrap();
        assert!(
            changed.contains("RECURRENCE-ID;VALUE=DATE:20260331\nDTSTART;VALUE=DATE:20260331\n")
        );
    }
}
