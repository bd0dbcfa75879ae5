// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Reads a corpus of entries as the common clients write them, and compares with what a person
//! expects of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
mod common;

use std::fmt::Write;
use std::path::Path;

use common::{Rules, at, now, reading};
use roomd_bookings::{Reader, Readout, Schedule};
use roomd_model::{Booking, BookingLink};

#[test]
fn the_corpus_reads_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ics"));
    assert!(files.len() >= 25);
    let mut out = String::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let mut reader = Reader::new(reading(&Rules));
        reader.add(&bytes);
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        writeln!(out, "== {name}").unwrap();
        describe(&mut out, reader.finish());
    }
    insta::assert_snapshot!(out);
}

fn describe(out: &mut String, readout: Readout) {
    let mut schedule = Schedule::default();
    schedule.replace(readout.entries, now(at(2026, 3, 16, 0, 0)));
    for booking in schedule.bookings() {
        writeln!(out, "{}", line(booking)).unwrap();
    }
    for skipped in readout.skipped {
        let uid = skipped.uid.unwrap_or_else(|| "-".to_owned());
        writeln!(out, "skipped {uid}: {}", skipped.cause).unwrap();
    }
}

fn line(booking: &Booking) -> String {
    let link = match &booking.link {
        BookingLink::None => "-".to_owned(),
        BookingLink::Meeting(link) => {
            let password = if link.password.is_some() {
                " +password"
            } else {
                ""
            };
            format!("{}{password}", link.url.expose())
        }
        BookingLink::Refused { host, reason } => format!("refused {} {reason:?}", host.expose()),
    };
    format!(
        "{} {}..{} {:?}{} {:?} {link} {:?}",
        booking.id.0,
        booking.start.format("%m-%d %H:%M"),
        booking.end.format("%m-%d %H:%M"),
        booking
            .title
            .as_ref()
            .map_or("(hidden)", |title| title.expose()),
        if booking.all_day { " all-day" } else { "" },
        booking.attendance,
        booking.warnings,
    )
}
