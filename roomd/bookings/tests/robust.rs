// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whatever a calendar or a server sends, the room goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
mod common;

use std::path::Path;

use common::{Rules, reading};
use proptest::prelude::*;
use roomd_bookings::{Reader, Tz, caldav};
use roomd_model::{Attendance, Pii};

fn read(bytes: &[u8]) {
    let mut reader = Reader::new(reading(&Rules));
    reader.add(bytes);
    let readout = reader.finish();
    for entry in readout.entries {
        assert!(entry.booking.start <= entry.booking.end);
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{8}T[0-9]{6}Z?",
        "(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])(T([01][0-9])[0-5][0-9][0-5][0-9]Z?)?",
        "FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY|HOURLY)(;(COUNT|INTERVAL)=[0-9]{1,6})?(;BY(DAY|MONTH|MONTHDAY|SETPOS|WEEKNO|YEARDAY|HOUR)=-?[0-9]{1,3}(MO|FR)?)?(;UNTIL=20[0-9]{6})?",
        "-?P[0-9]{1,9}[WDTHMS]{1,2}[0-9]{0,4}[HMS]?",
        ".{0,60}",
    ]
}

fn entry() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("DTSTART"),
        Just("DTEND"),
        Just("DURATION"),
        Just("RRULE"),
        Just("RDATE"),
        Just("EXDATE"),
        Just("RECURRENCE-ID"),
        Just("SEQUENCE"),
        Just("SUMMARY"),
        Just("LOCATION"),
        Just("ATTENDEE;PARTSTAT=X"),
        Just("DTSTART;TZID=Europe/Berlin"),
        Just("DTSTART;TZID=X"),
        Just("DESCRIPTION"),
        Just("X-ALT-DESC"),
    ];
    proptest::collection::vec((name, value()), 0..8).prop_map(|lines| {
        let lines: String = lines
            .iter()
            .map(|(name, value)| format!("{name}:{value}\r\n"))
            .collect();
        format!("BEGIN:VEVENT\r\nUID:p\r\n{lines}END:VEVENT\r\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        read(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = caldav::parse(&text);
        let _ = caldav::answer(&text, None, Tz::UTC, &[Pii::from("a@example.org")], Attendance::Accepted);
    }

    #[test]
    fn arbitrary_entries_do_not_panic(entries in proptest::collection::vec(entry(), 1..3)) {
        read(entries.concat().as_bytes());
    }

    #[test]
    fn damaged_calendars_do_not_panic(
        index in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[index.index(corpus.len())].clone();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = with }
        read(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let room = [Pii::from("elbe@rooms.example.org")];
        if let Ok(changed) = caldav::answer(&text, Some(common::at(2026, 3, 24, 8, 15)), Tz::Europe__Berlin, &room, Attendance::Declined) {
            prop_assert!(changed.contains("PARTSTAT=DECLINED"));
        }
    }
}
