// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The schedule over time: offers, wake-ups, daylight saving, restarts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
mod common;

use chrono::{Datelike, TimeDelta, Timelike, Weekday};
use common::{Rules, at, now, reading};
use roomd_bookings::{Cache, Privacy, Reader, Reading, Schedule, Tz};
use roomd_model::LinkWarning;

const LEAD: TimeDelta = TimeDelta::minutes(10);

fn event(uid: &str, start: &str, end: &str, room: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:{uid}\r\nDTSTART:{start}\r\nDTEND:{end}\r\n\
         LOCATION:https://meet.example.org/{room}\r\nEND:VEVENT\r\n"
    )
}

fn schedule(text: &str) -> Schedule {
    let mut reader = Reader::new(reading(&Rules));
    reader.add(text.as_bytes());
    let readout = reader.finish();
    assert_eq!(readout.skipped, []);
    let mut schedule = Schedule::default();
    schedule.replace(readout.entries, now(at(2026, 3, 18, 6, 0)));
    schedule
}

#[test]
fn a_year_of_weekly_meetings_stays_at_ten_on_the_wall() {
    let text = "BEGIN:VEVENT\r\nUID:w\r\nDTSTART;TZID=Europe/Berlin:20260107T100000\r\n\
                DTEND;TZID=Europe/Berlin:20260107T110000\r\nRRULE:FREQ=WEEKLY;BYDAY=WE\r\nEND:VEVENT\r\n";
    let year = Reading {
        from: at(2026, 1, 1, 0, 0),
        to: at(2027, 1, 1, 0, 0),
        ..reading(&Rules)
    };
    let mut reader = Reader::new(year);
    reader.add(text.as_bytes());
    let entries = reader.finish().entries;
    assert_eq!(entries.len(), 52);
    let mut summer = 0;
    for entry in &entries {
        let local = entry.booking.start.with_timezone(&Tz::Europe__Berlin);
        assert_eq!(
            (local.hour(), local.minute(), local.weekday()),
            (10, 0, Weekday::Wed)
        );
        assert_eq!(entry.booking.end - entry.booking.start, TimeDelta::hours(1));
        summer += usize::from(entry.booking.start.hour() == 8);
    }
    // From the last Sunday of March to the last Sunday of October.
    assert_eq!(summer, 30);
}

#[test]
fn one_touch_is_offered_from_the_lead_to_the_end() {
    let schedule = schedule(
        &[
            event("a", "20260318T090000Z", "20260318T100000Z", "raum-aaaaaa"),
            event("b", "20260318T100000Z", "20260318T110000Z", "raum-bbbbbb"),
            event(
                "long",
                "20260318T083000Z",
                "20260318T120000Z",
                "raum-cccccc",
            ),
        ]
        .concat(),
    );
    let offered = |hour, minute| {
        schedule
            .offered(now(at(2026, 3, 18, hour, minute)), LEAD)
            .map(|booking| booking.id.0.as_str())
    };
    assert_eq!(offered(8, 19), None);
    assert_eq!(offered(8, 20), Some("long"));
    assert_eq!(offered(8, 50), Some("a"));
    assert_eq!(offered(9, 49), Some("a"));
    assert_eq!(offered(9, 50), Some("b"));
    assert_eq!(offered(11, 0), Some("long"));
    assert_eq!(offered(12, 0), None);
    let wake = |hour, minute| {
        schedule.next_wake(now(at(2026, 3, 18, hour, minute)), LEAD, Tz::Europe__Berlin)
    };
    assert_eq!(wake(8, 0), at(2026, 3, 18, 8, 20));
    assert_eq!(wake(8, 50), at(2026, 3, 18, 9, 0));
    assert_eq!(wake(13, 0), at(2026, 3, 18, 23, 0));
}

#[test]
fn what_cannot_be_joined_is_not_offered() {
    let text = "BEGIN:VEVENT\r\nUID:declined\r\nDTSTART:20260318T090000Z\r\nDTEND:20260318T100000Z\r\n\
                LOCATION:https://meet.example.org/raum-dddddd\r\n\
                ATTENDEE;PARTSTAT=DECLINED:mailto:elbe@rooms.example.org\r\nEND:VEVENT\r\n\
                BEGIN:VEVENT\r\nUID:day\r\nDTSTART;VALUE=DATE:20260318\r\n\
                LOCATION:https://meet.example.org/raum-eeeeee\r\nEND:VEVENT\r\n\
                BEGIN:VEVENT\r\nUID:talk\r\nDTSTART:20260318T090000Z\r\nDTEND:20260318T100000Z\r\nEND:VEVENT\r\n";
    let schedule = schedule(text);
    let noon = now(at(2026, 3, 18, 9, 30));
    assert_eq!(schedule.offered(noon, LEAD), None);
    assert_eq!(schedule.today(noon, Tz::Europe__Berlin).len(), 3);
    assert_eq!(schedule.upcoming(noon, 2).len(), 2);
}

#[test]
fn a_restart_keeps_the_schedule_and_the_memory_of_ids() {
    let first = schedule(&event(
        "a",
        "20260318T090000Z",
        "20260318T100000Z",
        "raum-aaaaaa",
    ));
    let json = serde_json::to_string(&first.to_cache(Some(at(2026, 3, 18, 6, 0)))).unwrap();
    assert!(!json.contains("password"));
    let cache: Cache = serde_json::from_str(&json).unwrap();
    let mut second = Schedule::from_cache(cache);
    assert_eq!(second, first);

    let mut reader = Reader::new(Reading {
        privacy: Privacy::HideAllTitles,
        ..reading(&Rules)
    });
    reader.add(
        event(
            "other",
            "20260325T090000Z",
            "20260325T100000Z",
            "raum-aaaaaa",
        )
        .as_bytes(),
    );
    second.replace(reader.finish().entries, now(at(2026, 3, 19, 6, 0)));
    let [booking] = second.bookings() else {
        panic!("one booking");
    };
    assert_eq!(booking.warnings, [LinkWarning::ReusedId]);
    assert_eq!(booking.title, None);
}
