// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What people read; everything here is pure.
mod hardware;

use std::fmt::Write;

use chrono::TimeZone;
use roomd_api::{Agenda, AgendaEntry, AgendaLink, Call, State};
use roomd_model::{Attendance, E2ee, Fault, Layout, LinkRefusal, LinkWarning, Participant, Phase};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::hardware::{cameras, content, diagnosis, sound_test};

/// The room at a glance.
pub(crate) fn status(state: &State) -> String {
    let mut lines = vec![
        row("Room", &clean(&state.room.name)),
        row("State", &phase(&state.room.phase)),
    ];
    if let Some(call) = &state.call {
        lines.extend(call_rows(call));
    }
    let display = state
        .devices
        .display
        .as_deref()
        .unwrap_or("none (headless)");
    lines.push(row("Camera", device(state.devices.camera.as_deref())));
    lines.push(row("Mic", device(state.devices.microphone.as_deref())));
    lines.push(row("Speaker", device(state.devices.loudspeaker.as_deref())));
    lines.push(row("Display", display));
    lines.extend(hardware::health_rows(&state.health));
    lines.push(row("Calendar", calendar(&state.agenda)));
    lines.push(row("roomd", &state.room.version));
    for fault in &state.faults {
        lines.push(row("Fault", &fault_line(fault)));
    }
    lines.join("\n")
}

/// Today's meetings as a table.
pub(crate) fn meetings<Z: TimeZone>(agenda: &Agenda, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    if agenda.entries.is_empty() {
        return "no meetings today".to_owned();
    }
    let mut lines = Vec::new();
    if agenda.stale {
        lines.push("the calendar does not answer; these are the last known meetings".to_owned());
    }
    for entry in &agenda.entries {
        let title = entry
            .title
            .as_ref()
            .map_or("(private)", |title| title.expose().as_str());
        let mut line = format!(
            "{}  {}  [{}]",
            times(entry, zone),
            clean(title),
            link(&entry.link)
        );
        if let Some(answer) = attendance(entry.attendance) {
            let _ = write!(line, "  {answer}");
        }
        lines.push(line);
        lines.push(format!("               id: {}", clean(&entry.id.0)));
        for warning in &entry.warnings {
            lines.push(format!("               warning: {}", warn(*warning)));
        }
    }
    if !agenda.skipped.is_empty() {
        let count = agenda.skipped.len();
        lines.push(format!(
            "{count} entries could not be read (`diagnose` says why, `meetings --json` which)"
        ));
    }
    lines.join("\n")
}

/// JSON as an indented list, for people.
fn tree(value: &Value) -> String {
    let mut text = String::new();
    branch(&mut text, value, 0);
    text.trim_matches('\n').to_owned()
}

fn branch(text: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str(" none"),
        Value::Object(fields) => {
            for (name, value) in fields {
                let _ = write!(text, "\n{indent}{name}:");
                branch(text, value, depth + 1);
            }
        }
        Value::Array(items) if items.is_empty() => text.push_str(" none"),
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                let _ = write!(text, "\n{indent}{}.", number + 1);
                branch(text, value, depth + 1);
            }
        }
        Value::Null => text.push_str(" -"),
        Value::Bool(true) => text.push_str(" yes"),
        Value::Bool(false) => text.push_str(" no"),
        Value::Number(number) => {
            let _ = write!(text, " {number}");
        }
        Value::String(string) => {
            let _ = write!(text, " {}", clean(string));
        }
    }
}

fn call_rows(call: &Call) -> Vec<String> {
    let mut rows = Vec::new();
    if let Some(title) = &call.title {
        rows.push(row("Meeting", &clean(title.expose())));
    }
    if let Some(url) = &call.guest_url {
        rows.push(row("Link", url.expose()));
    }
    let switch = |on: bool| if on { "on" } else { "off" };
    rows.push(row("Sending", if call.sending { "yes" } else { "no" }));
    rows.push(row(
        "Switches",
        &format!(
            "microphone {}, camera {}, volume {}, layout {}",
            switch(call.microphone),
            switch(call.camera),
            call.volume,
            layout(call.layout)
        ),
    ));
    rows.push(row("Encryption", encryption(call.e2ee)));
    for person in &call.participants {
        rows.push(row("In call", &participant(person)));
    }
    for person in &call.waiting {
        rows.push(row("Waiting", &participant(person)));
    }
    rows
}

fn row(name: &str, value: &str) -> String {
    format!("{name:<12}{value}")
}

/// Names come from strangers and must not move the cursor of the operator's terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|character| {
            let moves = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}');
            if character.is_control() || moves {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

fn participant(participant: &Participant) -> String {
    let mut text = format!(
        "{} (id {})",
        clean(participant.name.expose()),
        clean(&participant.id.0)
    );
    for (is, word) in [
        (participant.speaking, "speaking"),
        (participant.hand, "hand raised"),
        (participant.sharing, "sharing"),
        (!participant.microphone, "muted"),
    ] {
        if is {
            let _ = write!(text, ", {word}");
        }
    }
    text
}

fn phase(phase: &Phase) -> String {
    match phase {
        Phase::Idle => "idle".to_owned(),
        Phase::Offered { .. } => "a meeting is due (`roomctl join`)".to_owned(),
        Phase::Joining => "joining".to_owned(),
        Phase::Lobby => "waiting in the lobby".to_owned(),
        Phase::InCall => "in call".to_owned(),
        Phase::Reconnecting { attempt } => format!("reconnecting, attempt {attempt}"),
        Phase::Leaving => "leaving".to_owned(),
        Phase::Fault { code } => format!("failed: {}", word(code)),
    }
}

const fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Grid => "grid",
        Layout::Speaker => "speaker",
        Layout::Share => "share",
    }
}

const fn encryption(e2ee: E2ee) -> &'static str {
    match e2ee {
        E2ee::Pending => "nobody else is connected",
        E2ee::Verified => "end-to-end, verified",
        E2ee::Off => "not end-to-end",
    }
}

fn device(name: Option<&str>) -> &str {
    name.unwrap_or("none")
}

fn calendar(agenda: &Agenda) -> &'static str {
    match (agenda.configured, agenda.stale) {
        (false, _) => "not configured",
        (true, true) => "does not answer",
        (true, false) => "up to date",
    }
}

fn fault_line(fault: &Fault) -> String {
    let severity = word(&fault.code.severity());
    let mut line = format!("{} ({severity})", word(&fault.code));
    if let Some(detail) = &fault.detail {
        let _ = write!(line, ": {}", clean(detail));
    }
    line
}

fn times<Z: TimeZone>(entry: &AgendaEntry, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    if entry.all_day {
        return "all day    ".to_owned();
    }
    let start = entry.start.with_timezone(zone).format("%H:%M");
    let end = entry.end.with_timezone(zone).format("%H:%M");
    format!("{start}-{end}")
}

fn link(link: &AgendaLink) -> String {
    match link {
        AgendaLink::None => "no link".to_owned(),
        AgendaLink::Joinable { provider } => clean(provider),
        AgendaLink::Refused { host, reason } => {
            let host = clean(host.expose());
            match reason {
                LinkRefusal::UnknownPlatform => format!("{host}: unknown platform"),
                LinkRefusal::NotAllowed => format!("{host}: not allowed"),
                LinkRefusal::NotHttps => format!("{host}: not HTTPS"),
            }
        }
    }
}

const fn attendance(attendance: Attendance) -> Option<&'static str> {
    match attendance {
        Attendance::NeedsAction => None,
        Attendance::Accepted => Some("accepted"),
        Attendance::Tentative => Some("tentative"),
        Attendance::Declined => Some("declined"),
    }
}

const fn warn(warning: LinkWarning) -> &'static str {
    match warning {
        LinkWarning::ShortId => "the meeting's id is short and easy to guess",
        LinkWarning::ReusedId => "the meeting's id was used before",
        LinkWarning::PasswordInInvitation => "the password travels with the link",
    }
}

/// An enum's word in JSON.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use roomd_model::{BookingId, Pii};

    use super::*;

    fn entry(title: Option<&str>, link: AgendaLink) -> AgendaEntry {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        AgendaEntry {
            id: BookingId("uid-1".to_owned()),
            title: title.map(Pii::from),
            start,
            end: start + TimeDelta::minutes(45),
            all_day: false,
            attendance: Attendance::Accepted,
            link,
            warnings: vec![LinkWarning::ShortId],
        }
    }

    #[test]
    fn meetings_name_time_title_platform_and_what_is_odd() {
        let joinable = AgendaLink::Joinable {
            provider: "direct".to_owned(),
        };
        let refused = AgendaLink::Refused {
            host: Pii::from("meet.example"),
            reason: LinkRefusal::NotAllowed,
        };
        let agenda = Agenda {
            entries: vec![
                entry(Some("Review\u{1b}[2J"), joinable),
                entry(None, refused),
            ],
            configured: true,
            ..Agenda::default()
        };
        let expected = "\
08:00-08:45  Review\u{fffd}[2J  [direct]  accepted
               id: uid-1
               warning: the meeting's id is short and easy to guess
08:00-08:45  (private)  [meet.example: not allowed]  accepted
               id: uid-1
               warning: the meeting's id is short and easy to guess";
        assert_eq!(meetings(&agenda, &Utc), expected);
        assert_eq!(meetings(&Agenda::default(), &Utc), "no meetings today");
    }

    #[test]
    fn a_tree_reads_well() {
        let value = serde_json::json!({
            "healthy": true,
            "faults": [{"code": "camera-missing", "detail": null}],
            "calendar": {"entries": 3, "skipped": {}},
        });
        let expected = "\
calendar:
  entries: 3
  skipped: none
faults:
  1.
    code: camera-missing
    detail: -
healthy: yes";
        assert_eq!(tree(&value), expected);
    }
}
