// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every text of the display. A language is a value of one struct, so a missing text does not
//! compile.

mod faults;

use chrono::{Datelike, NaiveDate};
use roomd_model::Language;

pub use faults::fault;

/// The texts of one language.
#[derive(Debug)]
pub struct Texts {
    weekdays: [&'static str; 7],
    months: [&'static str; 12],
    date: fn(&str, u32, &str, i32) -> String,
    /// The room is free until a time.
    pub free_until: fn(&str) -> String,
    /// The room is free for the rest of the day.
    pub free: &'static str,
    /// The room is booked until a time.
    pub busy_until: fn(&str) -> String,
    /// A heading.
    pub today: &'static str,
    /// A heading.
    pub tomorrow: &'static str,
    /// Takes the time's place.
    pub all_day: &'static str,
    /// More entries than the board shows.
    pub more: fn(usize) -> String,
    /// A title that is hidden.
    pub meeting: &'static str,
    /// The room answered no.
    pub declined: &'static str,
    /// The link leads where the room does not go.
    pub not_joinable: &'static str,
    /// Nothing in the calendar.
    pub no_meetings: &'static str,
    /// What to do with an empty day in a room that hosts meetings.
    pub start_hint: &'static str,
    /// What an empty day means otherwise.
    pub empty_hint: &'static str,
    /// There is no calendar.
    pub no_calendar: &'static str,
    /// What a room without a calendar can do.
    pub no_calendar_hint: &'static str,
    /// The calendar does not answer; with the time it last did.
    pub stale_since: fn(&str) -> String,
    /// The calendar does not answer and never did.
    pub stale: &'static str,
    /// Before the support contact.
    pub help: &'static str,
    /// The one-touch join.
    pub join_now: &'static str,
    /// A heading.
    pub pair_title: &'static str,
    /// What to do with the code.
    pub pair_hint: &'static str,
    /// Until when the code is good.
    pub valid_until: fn(&str) -> String,
    /// Connecting.
    pub joining: &'static str,
    /// What connecting means.
    pub joining_hint: &'static str,
    /// The meeting asks for a password.
    pub password: &'static str,
    /// Where to type it.
    pub password_hint: &'static str,
    /// The password was wrong.
    pub password_wrong: &'static str,
    /// Waiting to be let in.
    pub lobby: &'static str,
    /// Who decides.
    pub lobby_hint: &'static str,
    /// Lost and on the way back; with the attempt.
    pub reconnecting: &'static str,
    /// The attempt.
    pub reconnecting_hint: fn(u32) -> String,
    /// Going.
    pub leaving: &'static str,
    /// What going means.
    pub leaving_hint: &'static str,
    /// Joins silently.
    pub joins_silent: &'static str,
    /// Joins already sending.
    pub joins_sending: &'static str,
    /// What a touch of the panel does in the fault state.
    pub fault_hint: &'static str,
    /// The room in its own picture.
    pub self_view: &'static str,
    /// The picture is not a camera's.
    pub test_picture: &'static str,
    /// There is no camera.
    pub no_camera: &'static str,
    /// On the display for content while nothing is shared.
    pub content_here: &'static str,
    /// On a picture that stands still.
    pub stalled: &'static str,
    /// In place of a picture that cannot be decrypted.
    pub undecryptable: &'static str,
    /// In place of a picture that cannot be decoded.
    pub undecodable: &'static str,
    /// A participant is on the way.
    pub connecting: &'static str,
    /// A participant is lost.
    pub lost: &'static str,
    /// Marks shared content; with the sharer's name.
    pub shared_by: fn(&str) -> String,
    /// Marks what the room itself shares.
    pub shared_here: &'static str,
    /// The same, while its picture stands by somebody's word.
    pub frozen_here: &'static str,
    /// Nobody else is here.
    pub alone: &'static str,
    /// How guests come in.
    pub guests_open: &'static str,
    /// What the QR code is.
    pub guests_scan: &'static str,
    /// Nobody else is here and the room does not host the meeting.
    pub alone_hint: &'static str,
    /// More participants than tiles.
    pub others: &'static str,
    /// The room does not send.
    pub not_sending: &'static str,
    /// The room sends.
    pub sending: &'static str,
    /// Microphone off.
    pub muted: &'static str,
    /// Camera off.
    pub camera_off: &'static str,
    /// Not end-to-end encrypted.
    pub not_encrypted: &'static str,
    /// The connection is poor.
    pub connection_poor: &'static str,
    /// So many wait in the lobby.
    pub waiting: fn(usize) -> String,
    /// The call ends in so many seconds.
    pub ends_in: fn(u64) -> String,
}

impl Texts {
    /// The texts of a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::De => &DE,
            Language::En => &EN,
        }
    }

    /// A date in full.
    pub fn date(&self, day: NaiveDate) -> String {
        let weekday = day.weekday().num_days_from_monday();
        let name = |names: &[&'static str], at: u32| {
            usize::try_from(at)
                .ok()
                .and_then(|at| names.get(at).copied())
                .unwrap_or_default()
        };
        (self.date)(
            name(&self.weekdays, weekday),
            day.day(),
            name(&self.months, day.month0()),
            day.year(),
        )
    }
}

const DE: Texts = Texts {
    weekdays: [
        "Montag",
        "Dienstag",
        "Mittwoch",
        "Donnerstag",
        "Freitag",
        "Samstag",
        "Sonntag",
    ],
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    date: |weekday, day, month, year| format!("{weekday}, {day}. {month} {year}"),
    free_until: |time| format!("Frei bis {time} Uhr"),
    free: "Heute frei",
    busy_until: |time| format!("Belegt bis {time} Uhr"),
    today: "Heute",
    tomorrow: "Morgen",
    all_day: "Ganztägig",
    more: |count| format!("{count} weitere"),
    meeting: "Besprechung",
    declined: "Abgelehnt",
    not_joinable: "Nicht freigegeben",
    no_meetings: "Keine Besprechungen",
    start_hint: "Eine Besprechung starten Sie jederzeit am Bedienfeld.",
    empty_hint: "Für diesen Raum ist nichts gebucht.",
    no_calendar: "Kein Kalender eingerichtet",
    no_calendar_hint: "Besprechungen starten Sie am Bedienfeld.",
    stale_since: |time| format!("Kalender nicht erreichbar, Stand {time} Uhr"),
    stale: "Kalender nicht erreichbar",
    help: "Hilfe",
    join_now: "Jetzt beitreten: am Bedienfeld tippen",
    pair_title: "Tablet koppeln",
    pair_hint: "Code scannen oder Adresse öffnen, dann eingeben:",
    valid_until: |time| format!("Gültig bis {time} Uhr"),
    joining: "Verbindung wird aufgebaut",
    joining_hint: "Einen Augenblick bitte.",
    password: "Kennwort erforderlich",
    password_hint: "Bitte geben Sie das Kennwort der Besprechung am Bedienfeld ein.",
    password_wrong: "Das Kennwort war falsch. Bitte am Bedienfeld erneut eingeben.",
    lobby: "Im Warteraum",
    lobby_hint: "Der Raum ist angemeldet und wird gleich eingelassen.",
    reconnecting: "Verbindung wird wiederhergestellt",
    reconnecting_hint: |attempt| {
        format!("Die Verbindung ist unterbrochen. Versuch {attempt} läuft.")
    },
    leaving: "Besprechung wird verlassen",
    leaving_hint: "Kamera und Mikrofon sind aus.",
    joins_silent: "Kamera und Mikrofon senden noch nicht. So werden Sie zu sehen sein.",
    joins_sending: "Mit dem Beitritt sind Sie zu sehen und zu hören.",
    fault_hint: "Am Bedienfeld geht es weiter.",
    self_view: "Dieser Raum",
    test_picture: "Testbild",
    no_camera: "Keine Kamera",
    content_here: "Geteilte Inhalte erscheinen hier",
    stalled: "Bild steht",
    undecryptable: "Kann nicht entschlüsselt werden",
    undecodable: "Bild kann nicht gezeigt werden",
    connecting: "Verbindet …",
    lost: "Verbindung unterbrochen",
    shared_by: |name| format!("{name} teilt"),
    shared_here: "Dieser Raum teilt",
    frozen_here: "Dieser Raum teilt · Standbild",
    alone: "Noch niemand da",
    guests_open: "Gäste öffnen im Browser",
    guests_scan: "oder scannen diesen Code",
    alone_hint: "Sobald jemand beitritt, erscheint das Bild hier.",
    others: "weitere",
    not_sending: "Sie senden nicht – niemand sieht oder hört Sie",
    sending: "Sie sind zu sehen und zu hören",
    muted: "Stumm",
    camera_off: "Kamera aus",
    not_encrypted: "Nicht Ende-zu-Ende-verschlüsselt",
    connection_poor: "Verbindung schwach",
    waiting: |count| match count {
        1 => "1 Person wartet – am Bedienfeld einlassen".to_owned(),
        _ => format!("{count} Personen warten – am Bedienfeld einlassen"),
    },
    ends_in: |seconds| {
        format!(
            "Niemand sonst da – Ende in {}:{:02} Min.",
            seconds / 60,
            seconds % 60
        )
    },
};

const EN: Texts = Texts {
    weekdays: [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ],
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    date: |weekday, day, month, year| format!("{weekday}, {day} {month} {year}"),
    free_until: |time| format!("Free until {time}"),
    free: "Free today",
    busy_until: |time| format!("In use until {time}"),
    today: "Today",
    tomorrow: "Tomorrow",
    all_day: "All day",
    more: |count| format!("{count} more"),
    meeting: "Meeting",
    declined: "Declined",
    not_joinable: "Not permitted",
    no_meetings: "No meetings",
    start_hint: "Start a meeting at any time on the panel.",
    empty_hint: "Nothing is booked for this room.",
    no_calendar: "No calendar set up",
    no_calendar_hint: "Start meetings on the panel.",
    stale_since: |time| format!("Calendar unreachable, as of {time}"),
    stale: "Calendar unreachable",
    help: "Help",
    join_now: "Join now: tap the panel",
    pair_title: "Pair a tablet",
    pair_hint: "Scan the code or open the address, then enter:",
    valid_until: |time| format!("Valid until {time}"),
    joining: "Connecting",
    joining_hint: "One moment, please.",
    password: "Password required",
    password_hint: "Please enter the meeting's password on the panel.",
    password_wrong: "The password was wrong. Please enter it again on the panel.",
    lobby: "In the waiting room",
    lobby_hint: "The room has asked to join and will be let in shortly.",
    reconnecting: "Reconnecting",
    reconnecting_hint: |attempt| {
        format!("The connection was interrupted. Attempt {attempt} is under way.")
    },
    leaving: "Leaving the meeting",
    leaving_hint: "Camera and microphone are off.",
    joins_silent: "Camera and microphone are not sending yet. This is how you will be seen.",
    joins_sending: "You will be seen and heard as soon as you join.",
    fault_hint: "Continue on the panel.",
    self_view: "This room",
    test_picture: "Test picture",
    no_camera: "No camera",
    content_here: "Shared content appears here",
    stalled: "Picture stands still",
    undecryptable: "Cannot be decrypted",
    undecodable: "Picture cannot be shown",
    connecting: "Connecting …",
    lost: "Connection lost",
    shared_by: |name| format!("{name} is sharing"),
    shared_here: "This room is sharing",
    frozen_here: "This room is sharing · still picture",
    alone: "Nobody else is here yet",
    guests_open: "Guests open in a browser",
    guests_scan: "or scan this code",
    alone_hint: "As soon as someone joins, their picture appears here.",
    others: "more",
    not_sending: "You are not sending – nobody sees or hears you",
    sending: "You can be seen and heard",
    muted: "Muted",
    camera_off: "Camera off",
    not_encrypted: "Not end-to-end encrypted",
    connection_poor: "Poor connection",
    waiting: |count| match count {
        1 => "1 person is waiting – admit on the panel".to_owned(),
        _ => format!("{count} people are waiting – admit on the panel"),
    },
    ends_in: |seconds| {
        format!(
            "Nobody else here – ending in {}:{:02} min",
            seconds / 60,
            seconds % 60
        )
    },
};
