// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every state that the display draws, made up for pictures and tests.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use roomd_api::{
    Agenda, AgendaEntry, AgendaLink, Call, Countdown, Devices, Health, Pairing, Preview, Room,
    State, Statistics,
};
use roomd_model::{
    Attendance, BookingId, Connection, E2ee, Fault, FaultCode, Language, Layout, LinkRefusal, Now,
    Participant, ParticipantId, Phase, Pii, StreamId, StreamKind, StreamTrouble,
};

/// Half past one in Berlin, on a Wednesday in summer time.
pub fn now() -> Now {
    Now {
        mono: Instant::now(),
        utc: at(11, 30),
    }
}

/// A time of that day, UTC.
pub fn at(hour: i64, minute: i64) -> DateTime<Utc> {
    let midnight: DateTime<Utc> = "2026-06-17T00:00:00Z".parse().unwrap();
    midnight + TimeDelta::minutes(hour * 60 + minute)
}

/// A free room with a full day.
pub fn idle() -> State {
    State {
        room: Room {
            name: "Sitzungsraum 2".into(),
            phase: Phase::Idle,
            language: Language::De,
            time_zone: "Europe/Berlin".into(),
            hosts_meetings: true,
            joins_sending: false,
            version: "0.1.0".into(),
            support: Some("Medientechnik, Telefon 4711".into()),
        },
        agenda: Agenda {
            entries: vec![
                entry("1", "Jour fixe Referat Z 12", at(12, 30), at(13, 30)),
                entry("2", LONG, at(14, 0), at(15, 30)),
                entry("3", "Vorstellung Haushalt 2027", at(16, 0), at(17, 0)),
                entry(
                    "4",
                    "Frühbesprechung der Hausleitung",
                    at(30, 30),
                    at(31, 0),
                ),
            ],
            read_at: Some(at(11, 29)),
            stale: false,
            configured: true,
            skipped: Vec::new(),
        },
        call: None,
        devices: Devices {
            camera: Some("Konferenzkamera".into()),
            microphone: Some("Tischmikrofon".into()),
            loudspeaker: Some("Lautsprecher".into()),
            display: None,
            content_display: None,
            test_picture: false,
            display_asks: false,
        },
        cameras: Vec::new(),
        content: Vec::new(),
        health: Health::default(),
        sound_test: roomd_api::SoundTest::default(),
        pairing: None,
        faults: Vec::new(),
        statistics: Statistics::default(),
    }
}

/// A title that no row holds.
pub const LONG: &str = "Ressortübergreifende Abstimmung zur Umsetzung der Registermodernisierung \
                        und zur Fortschreibung des gemeinsamen Aktionsplans";

/// An entry that can be joined.
pub fn entry(id: &str, title: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> AgendaEntry {
    AgendaEntry {
        id: BookingId(id.into()),
        title: Some(title.into()),
        start,
        end,
        all_day: false,
        attendance: Attendance::Accepted,
        link: AgendaLink::Joinable {
            provider: "direct".into(),
        },
        warnings: Vec::new(),
    }
}

/// A pairing code on the board.
pub fn pairing() -> State {
    State {
        pairing: Some(Pairing {
            code: Some("482913".into()),
            url: "https://sitzungsraum-2.example.org/pair".into(),
            expires_at: at(11, 35),
        }),
        ..idle()
    }
}

/// A room in use, with an all-day entry, one it may not join, one declined, and three faults.
pub fn busy() -> State {
    let mut state = idle();
    let mut all_day = entry("0", "Tag der offenen Tür", at(0, 0), at(24, 0));
    all_day.all_day = true;
    all_day.link = AgendaLink::None;
    let mut refused = entry(
        "2",
        "Videogespräch mit Dienstleister",
        at(14, 0),
        at(14, 30),
    );
    refused.link = AgendaLink::Refused {
        host: "meet.example.com".into(),
        reason: LinkRefusal::NotAllowed,
    };
    let mut declined = entry("3", "Abgesagte Runde", at(15, 0), at(16, 0));
    declined.attendance = Attendance::Declined;
    let mut hidden = entry("5", "", at(17, 0), at(18, 0));
    hidden.title = None;
    state.agenda.entries = vec![
        all_day,
        entry("1", "Laufende Besprechung", at(11, 0), at(12, 15)),
        refused,
        declined,
        hidden,
        entry("6", "Späte Runde", at(19, 0), at(20, 0)),
    ];
    state.agenda.stale = true;
    state.faults = vec![
        Fault::new(FaultCode::CameraMissing),
        Fault::new(FaultCode::CalendarUnreachable),
        Fault::new(FaultCode::ConfigRejected),
    ];
    state
}

/// Nothing today.
pub fn empty() -> State {
    let mut state = idle();
    state.agenda.entries.clear();
    state
}

/// A meeting within its window.
pub fn offered() -> State {
    let mut state = idle();
    state.agenda.entries[0].start = at(11, 35);
    phase(
        state,
        Phase::Offered {
            booking: BookingId("1".into()),
        },
    )
}

/// The same state in another phase.
pub fn phase(mut state: State, phase: Phase) -> State {
    state.room.phase = phase;
    state
}

/// The same state in English.
pub fn english(mut state: State) -> State {
    state.room.language = Language::En;
    state
}

/// A call of that phase with so many others.
pub fn call(count: u32) -> State {
    let participants: Vec<Participant> = (0..count).map(person).collect();
    let previews = participants
        .iter()
        .zip(100..)
        .map(|(person, stream)| Preview {
            stream: StreamId(stream),
            participant: person.id.clone(),
            kind: StreamKind::Camera,
            live: person.camera,
            trouble: None,
        })
        .collect();
    let mut state = phase(idle(), Phase::InCall);
    state.call = Some(Box::new(Call {
        title: Some("Jour fixe Referat Z 12".into()),
        provider: "direct".into(),
        guest_url: Some("https://sitzungsraum-2.example.org/meet/k7Qm2xWv9RtB".into()),
        since: at(11, 20),
        sending: true,
        microphone: true,
        camera: true,
        content: false,
        volume: 60,
        layout: Layout::Grid,
        hand: false,
        e2ee: if count == 0 {
            E2ee::Pending
        } else {
            E2ee::Verified
        },
        participants,
        waiting: Vec::new(),
        speaker: None,
        sharer: None,
        chat: Vec::new(),
        password_wanted: None,
        countdown: None,
        can_admit: true,
        can_chat: true,
        can_raise_hand: true,
        can_share: true,
        previews,
    }));
    state
}

/// The state's call, changed.
pub fn with(mut state: State, change: impl FnOnce(&mut Call)) -> State {
    change(state.call.as_mut().unwrap());
    state
}

/// Somebody; every fourth without a camera.
pub fn person(number: u32) -> Participant {
    const NAMES: [&str; 8] = [
        "Erika Mustermann",
        "Dr. Jürgen Weiß",
        "Ayşe Yılmaz",
        "Ministerialrätin a. D. Freifrau Annegret von der Heide-Schwarzenbek",
        "Zoë Ångström",
        "Łukasz Wójcik",
        "Nguyễn Thị Minh",
        "Max Beispiel",
    ];
    Participant {
        id: ParticipantId(format!("p{number}")),
        name: NAMES[number as usize % NAMES.len()].into(),
        microphone: !number.is_multiple_of(3),
        camera: number % 4 != 3,
        sharing: false,
        hand: number == 2,
        reaction: None,
        speaking: number == 1,
        connection: Connection::Good,
        e2ee: E2ee::Verified,
    }
}

/// Somebody shares; shown as the layout shows it.
pub fn share(count: u32, layout: Layout) -> State {
    with(call(count), |call| {
        let sharer = ParticipantId("p1".into());
        call.participants[1].sharing = true;
        call.previews.push(Preview {
            stream: StreamId(900),
            participant: sharer.clone(),
            kind: StreamKind::Screen,
            live: true,
            trouble: None,
        });
        call.sharer = Some(sharer);
        call.layout = layout;
    })
}

/// One picture stands still, one cannot be decoded, one cannot be decrypted.
fn troubled() -> State {
    with(call(4), |call| {
        let troubles = [
            StreamTrouble::Stalled,
            StreamTrouble::Undecodable,
            StreamTrouble::Undecryptable,
        ];
        for (preview, trouble) in call.previews.iter_mut().zip(troubles) {
            preview.live = false;
            preview.trouble = Some(trouble);
        }
    })
}

/// Names each state; what the picture files are called.
pub fn all() -> Vec<(&'static str, State)> {
    let mut no_calendar = empty();
    no_calendar.agenda.configured = false;
    let mut crowded = busy();
    crowded.pairing = pairing().pairing;
    let password = with(call(0), |call| call.password_wanted = Some(false));
    let silent = with(call(0), |call| call.sending = false);
    let mut no_camera = call(0);
    no_camera.devices.camera = None;
    let lonely = with(call(0), |call| {
        call.sending = false;
        call.countdown = Some(Countdown {
            ends_at: at(11, 31),
        });
    });
    let everything = with(call(2), |call| {
        call.sending = false;
        call.e2ee = E2ee::Off;
        call.waiting = vec![person(7)];
        call.hand = true;
        call.participants[0].connection = Connection::Poor;
        call.participants[1].connection = Connection::Lost;
    });
    let muted = with(call(1), |call| {
        call.microphone = false;
        call.camera = false;
        call.waiting = vec![person(7), person(8)];
    });
    let speaker = with(call(6), |call| {
        call.layout = Layout::Speaker;
        call.speaker = Some(ParticipantId("p1".into()));
    });
    let mut call_pairing = call(4);
    call_pairing.pairing = pairing().pairing;
    let hostile = with(call(2), |call| {
        call.participants[0].name = Pii::from("<b>&\"]]>");
        call.participants[1].name = Pii::from("\u{0}\u{202E}evil\u{FFFF}</svg>");
        call.participants[1].camera = false;
        call.title = Some("</text><script>'\"&amp;".into());
    });
    vec![
        ("idle-de", idle()),
        ("idle-en", english(idle())),
        ("idle-empty", empty()),
        ("idle-no-calendar", english(no_calendar)),
        ("idle-busy-faults", busy()),
        ("idle-pairing", pairing()),
        ("idle-pairing-faults-en", english(crowded)),
        ("offered-de", offered()),
        ("offered-en", english(offered())),
        ("joining-de", phase(silent, Phase::Joining)),
        (
            "joining-password-en",
            english(phase(password, Phase::Joining)),
        ),
        ("lobby-no-camera", phase(no_camera, Phase::Lobby)),
        (
            "reconnecting",
            phase(call(1), Phase::Reconnecting { attempt: 2 }),
        ),
        ("leaving", phase(call(1), Phase::Leaving)),
        (
            "fault-de",
            phase(
                idle(),
                Phase::Fault {
                    code: FaultCode::DestinationNotAllowed,
                },
            ),
        ),
        (
            "fault-en",
            english(phase(
                idle(),
                Phase::Fault {
                    code: FaultCode::ConnectionLost,
                },
            )),
        ),
        ("call-alone", call(0)),
        ("call-alone-countdown", lonely),
        ("call-one", call(1)),
        ("call-one-muted-waiting", muted),
        ("call-two-everything", everything),
        ("call-four-troubled", troubled()),
        ("call-three", call(3)),
        ("call-five-en", english(call(5))),
        ("call-nine", call(9)),
        ("call-forty", call(40)),
        ("call-speaker", speaker),
        ("call-share", share(4, Layout::Share)),
        ("call-share-two", share(2, Layout::Share)),
        ("call-share-in-grid", share(3, Layout::Grid)),
        ("call-hostile-names", hostile),
        ("call-pairing", call_pairing),
    ]
}
