// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The state that panel, display and D-Bus show, made of what the parts of the daemon know.

use chrono::{DateTime, Utc};
use roomd_api::{
    Agenda, AgendaEntry, AgendaLink, Call, Camera, ContentInput, Countdown, Devices, Health,
    Pairing, Preview, Room, SkippedEntry, SoundTest, State, Statistics,
};
use roomd_bookings::Today;
use roomd_model::{Booking, BookingLink, Fault, Phase, Pii};
use roomd_room::{CallView, View};

/// Everything that the state is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// What the room machine shows.
    pub view: &'a View,
    /// The room's name, as on the door.
    pub name: &'a str,
    /// IANA name of the room's time zone.
    pub time_zone: &'a str,
    /// Whom to ask.
    pub support: Option<&'a str>,
    /// How fresh the schedule is.
    pub calendar: Calendar,
    /// Which bookings are shown.
    pub today: Today,
    /// What is attached.
    pub devices: &'a Devices,
    /// The cameras to choose from.
    pub cameras: &'a [Camera],
    /// The inputs for content.
    pub content: &'a [ContentInput],
    /// How the devices are.
    pub health: &'a Health,
    /// The sound test.
    pub sound_test: &'a SoundTest,
    /// The pairing code that the display shows.
    pub pairing: Option<Pairing>,
    /// What is wrong besides what the room machine knows.
    pub faults: &'a [Fault],
    /// What was measured.
    pub statistics: Statistics,
}

/// How fresh the schedule is.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// A calendar is configured.
    pub configured: bool,
    /// When it was last read.
    pub read_at: Option<DateTime<Utc>>,
    /// It does not answer at the moment.
    pub stale: bool,
    /// What could not be read.
    pub skipped: Vec<SkippedEntry>,
}

/// Makes the state.
pub fn state(parts: Parts<'_>) -> State {
    let view = parts.view;
    State {
        room: Room {
            name: parts.name.to_owned(),
            phase: view.phase.clone(),
            language: view.language,
            time_zone: parts.time_zone.to_owned(),
            hosts_meetings: view.hosts_meetings,
            joins_sending: view.joins_sending,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            support: parts.support.map(str::to_owned),
        },
        agenda: Agenda {
            entries: agenda(view, parts.today),
            read_at: parts.calendar.read_at,
            stale: parts.calendar.stale,
            configured: parts.calendar.configured,
            skipped: parts.calendar.skipped,
        },
        call: view
            .call
            .as_ref()
            .map(|call| Box::new(self::call(call, view.volume))),
        devices: parts.devices.clone(),
        cameras: parts.cameras.to_vec(),
        content: parts.content.to_vec(),
        health: parts.health.clone(),
        sound_test: parts.sound_test.clone(),
        pairing: parts.pairing,
        faults: faults(view, parts.faults),
        statistics: parts.statistics,
    }
}

/// Worst first; each once.
fn faults(view: &View, others: &[Fault]) -> Vec<Fault> {
    let mut all: Vec<Fault> = others.to_vec();
    for code in &view.faults {
        if all.iter().all(|fault| fault.code != *code) {
            all.push(Fault::new(*code));
        }
    }
    all.sort_by_key(|fault| (std::cmp::Reverse(fault.code.severity()), fault.code));
    all
}

/// Today's bookings, and the offered one, which may begin after midnight.
fn agenda(view: &View, today: Today) -> Vec<AgendaEntry> {
    let offered = |booking: &Booking| match &view.phase {
        Phase::Offered { booking: id } => *id == booking.id,
        Phase::Idle
        | Phase::Joining
        | Phase::Lobby
        | Phase::InCall
        | Phase::Reconnecting { .. }
        | Phase::Leaving
        | Phase::Fault { .. } => false,
    };
    let shown = view.bookings.iter();
    shown
        .filter(|booking| today.has(booking) || offered(booking))
        .map(entry)
        .collect()
}

fn entry(booking: &Booking) -> AgendaEntry {
    AgendaEntry {
        id: booking.id.clone(),
        title: booking.title.clone(),
        start: booking.start,
        end: booking.end,
        all_day: booking.all_day,
        attendance: booking.attendance,
        link: match &booking.link {
            BookingLink::None => AgendaLink::None,
            BookingLink::Meeting(link) => AgendaLink::Joinable {
                provider: link.provider.0.clone(),
            },
            BookingLink::Refused { host, reason } => AgendaLink::Refused {
                host: host.clone(),
                reason: *reason,
            },
        },
        warnings: booking.warnings.clone(),
    }
}

fn call(view: &CallView, volume: u8) -> Call {
    Call {
        title: view.title.clone(),
        provider: view.provider.0.clone(),
        guest_url: view.guest_url.clone(),
        since: view.since,
        sending: view.sending,
        microphone: view.microphone,
        camera: view.camera,
        content: view.content,
        volume,
        layout: view.layout,
        hand: view.hand,
        e2ee: view.e2ee,
        participants: view.participants.clone(),
        waiting: view.waiting.clone(),
        speaker: view.speaker.clone(),
        sharer: view.sharer.clone(),
        chat: view.chat.clone(),
        password_wanted: view.password_wanted,
        countdown: view.countdown_ends.map(|ends_at| Countdown { ends_at }),
        can_admit: view.capabilities.admits,
        can_chat: view.capabilities.chat,
        can_raise_hand: view.capabilities.hands,
        can_share: view.capabilities.content,
        previews: view
            .streams
            .iter()
            .map(|stream| Preview {
                stream: stream.stream,
                participant: stream.participant.clone(),
                kind: stream.kind,
                live: stream.live,
                trouble: stream.trouble,
            })
            .collect(),
    }
}

/// The address that a tablet opens to become a panel.
pub fn pairing_url(host: &str) -> Pii<String> {
    Pii::new(format!("https://{host}/"))
}
