// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The schedule over time: the present day, daylight saving, restarts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
mod common;

use chrono::{Datelike, TimeDelta, Timelike, Weekday};
use common::{Rules, at, now, reading};
use roomd_bookings::{Cache, Privacy, Reader, Reading, Schedule, Today, Tz};
use roomd_model::{BookingLink, LinkWarning};

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
fn today_is_what_is_left_of_the_day_in_the_rooms_zone() {
    let schedule = schedule(
        &[
            event(
                "over",
                "20260318T070000Z",
                "20260318T080000Z",
                "raum-aaaaaa",
            ),
            event(
                "yesterday",
                "20260317T090000Z",
                "20260317T100000Z",
                "raum-bbbbbb",
            ),
            event(
                "night",
                "20260317T210000Z",
                "20260318T110000Z",
                "raum-cccccc",
            ),
            event(
                "running",
                "20260318T083000Z",
                "20260318T120000Z",
                "raum-dddddd",
            ),
            // Half past eleven in the evening in Berlin.
            event(
                "late",
                "20260318T223000Z",
                "20260318T233000Z",
                "raum-eeeeee",
            ),
            event(
                "tomorrow",
                "20260318T233000Z",
                "20260319T003000Z",
                "raum-ffffff",
            ),
            event(
                "next-week",
                "20260325T090000Z",
                "20260325T100000Z",
                "raum-gggggg",
            ),
        ]
        .concat(),
    );
    let check = |at, expected: &[&str]| {
        let today = Today::new(now(at), Tz::Europe__Berlin);
        let bookings = schedule.bookings().iter();
        let found: Vec<&str> = bookings
            .filter(|booking| today.has(booking))
            .map(|booking| booking.id.0.as_str())
            .collect();
        assert_eq!(found, expected, "{at}");
    };
    check(at(2026, 3, 18, 9, 30), &["night", "running", "late"]);
    check(at(2026, 3, 18, 12, 0), &["late"]);
    check(at(2026, 3, 18, 23, 15), &["late", "tomorrow"]);
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

    let described = event("p", "20260318T090000Z", "20260318T100000Z", "raum-pppppp").replace(
        "END:VEVENT",
        "DESCRIPTION:Passwort: geheim-wort\r\nEND:VEVENT",
    );
    let cache = schedule(&described).to_cache(None);
    let json = serde_json::to_string(&cache).unwrap();
    assert!(!json.contains("geheim-wort"), "{json}");
    let kept = Schedule::from_cache(serde_json::from_str(&json).unwrap());
    let BookingLink::Meeting(link) = &kept.bookings()[0].link else {
        panic!("a meeting");
    };
    assert!(link.protected && link.password.is_none());

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
