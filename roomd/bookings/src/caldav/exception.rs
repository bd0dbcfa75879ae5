// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! An entry of its own for one occurrence of a series.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use roomd_model::{Attendance, Pii};

use super::{
    answer::{EventLines, attendee, with_status},
    lines::{fold, value_start},
    moment::Moment,
};

/// The series' entry as it is on one date, declined by the room; none when the room is not invited
/// or the series' times are written in a way that cannot be moved.
pub(super) fn declined(
    text: &str,
    series: &EventLines,
    due: DateTime<Utc>,
    room: Tz,
    addresses: &[Pii<String>],
) -> Option<String> {
    let start_line = series.find("DTSTART")?;
    let ending = start_line.ending(text);
    let own = attendee(series, addresses)?;
    let start = Moment::read(&start_line.text, room)?;
    let local = start.local_of(due);
    let shift = local - start.local;
    let mut out = format!("BEGIN:VEVENT{ending}");
    for line in &series.lines {
        let left_out = ["RRULE", "RDATE", "EXRULE", "EXDATE"];
        if left_out.iter().any(|name| line.is(name)) {
            continue;
        }
        if line.is("DTSTART") {
            let moved = with_value(&line.text, &start.write(local))?;
            let head = moved.get("DTSTART".len()..)?;
            out.push_str(&fold(&format!("RECURRENCE-ID{head}"), ending));
            out.push_str(&fold(&moved, ending));
        } else if line.is("DTEND") {
            let end = Moment::read(&line.text, room)?;
            let moved = end.local.checked_add_signed(shift)?;
            out.push_str(&fold(&with_value(&line.text, &end.write(moved))?, ending));
        } else if line.range == own.range {
            out.push_str(&fold(
                &with_status(&line.text, Attendance::Declined),
                ending,
            ));
        } else {
            out.push_str(&text[line.range.clone()]);
        }
    }
    out.push_str("END:VEVENT");
    out.push_str(ending);
    Some(out)
}

fn with_value(line: &str, value: &str) -> Option<String> {
    Some(format!("{}{value}", &line[..value_start(line)?]))
}
