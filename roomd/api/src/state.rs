// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use chrono::{DateTime, Utc};
use roomd_model::{
    Attendance, BookingId, ChatMessage, E2ee, Fault, Language, Layout, LinkRefusal, LinkWarning,
    Participant, ParticipantId, Phase, Pii, QualityLimit, SkipCause, StreamId, StreamKind,
    StreamTrouble,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Camera, ContentInput, Event, Health, SoundTest};

/// Everything a panel shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The room itself.
    pub room: Room,
    /// Today's meetings.
    pub agenda: Agenda,
    /// The call; none while idle or offered.
    pub call: Option<Box<Call>>,
    /// What is attached.
    pub devices: Devices,
    /// The cameras to choose from.
    pub cameras: Vec<Camera>,
    /// The inputs for content, to preview and to share.
    pub content: Vec<ContentInput>,
    /// How the devices are.
    pub health: Health,
    /// The sound test.
    pub sound_test: SoundTest,
    /// The pairing code that the display shows, or none.
    pub pairing: Option<Pairing>,
    /// What is wrong, worst first.
    pub faults: Vec<Fault>,
    /// What was measured.
    pub statistics: Statistics,
}

impl State {
    /// Brings the state up to date. Levels are not part of it and change nothing.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::State(state) => *self = *state,
            Event::Room(room) => self.room = room,
            Event::Agenda(agenda) => self.agenda = agenda,
            Event::Call(call) => self.call = call,
            Event::Devices(devices) => self.devices = devices,
            Event::Cameras(cameras) => self.cameras = cameras,
            Event::Content(content) => self.content = content,
            Event::Health(health) => self.health = health,
            Event::SoundTest(test) => self.sound_test = test,
            Event::Pairing(pairing) => self.pairing = pairing,
            Event::Faults(faults) => self.faults = faults,
            Event::Statistics(statistics) => self.statistics = *statistics,
            Event::Levels(_) => {}
        }
    }

    /// The events that turn `self` into `next`: one for each part that differs.
    #[must_use]
    pub fn changes(&self, next: &Self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.room != next.room {
            events.push(Event::Room(next.room.clone()));
        }
        if self.agenda != next.agenda {
            events.push(Event::Agenda(next.agenda.clone()));
        }
        if self.call != next.call {
            events.push(Event::Call(next.call.clone()));
        }
        if self.devices != next.devices {
            events.push(Event::Devices(next.devices.clone()));
        }
        if self.cameras != next.cameras {
            events.push(Event::Cameras(next.cameras.clone()));
        }
        if self.content != next.content {
            events.push(Event::Content(next.content.clone()));
        }
        if self.health != next.health {
            events.push(Event::Health(next.health.clone()));
        }
        if self.sound_test != next.sound_test {
            events.push(Event::SoundTest(next.sound_test.clone()));
        }
        if self.pairing != next.pairing {
            events.push(Event::Pairing(next.pairing.clone()));
        }
        if self.faults != next.faults {
            events.push(Event::Faults(next.faults.clone()));
        }
        if self.statistics != next.statistics {
            events.push(Event::Statistics(Box::new(next.statistics.clone())));
        }
        events
    }
}

/// The room itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its name, as on the door.
    pub name: String,
    /// What it is doing.
    pub phase: Phase,
    /// The language of panel and display.
    pub language: Language,
    /// IANA name of the room's time zone, such as `Europe/Berlin`.
    pub time_zone: String,
    /// The room can host direct meetings.
    pub hosts_meetings: bool,
    /// The room joins already sending, against the default; the panel says so.
    pub joins_sending: bool,
    /// roomd's version.
    pub version: String,
    /// Whom to ask, from the configuration; such as a telephone number.
    pub support: Option<String>,
}

/// Today's meetings, and how fresh they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Agenda {
    /// Bookings that end after now and begin before midnight, and the offered one, by start.
    pub entries: Vec<AgendaEntry>,
    /// When the calendar was last read; none before the first time.
    pub read_at: Option<DateTime<Utc>>,
    /// The calendar does not answer at the moment; the entries are the last known ones.
    pub stale: bool,
    /// A calendar is configured at all.
    pub configured: bool,
    /// Entries that could not be read, for the admin view.
    pub skipped: Vec<SkippedEntry>,
}

/// A calendar entry that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SkippedEntry {
    /// Its UID, or its place in the file.
    pub uid: String,
    /// What is wrong with it.
    pub cause: SkipCause,
}

/// One meeting of the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AgendaEntry {
    /// Which.
    pub id: BookingId,
    /// Its title; none when the privacy setting hides it.
    pub title: Option<Pii<String>>,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// All day or several days.
    pub all_day: bool,
    /// The room's own answer.
    pub attendance: Attendance,
    /// What touching it does.
    pub link: AgendaLink,
    /// What the linter found.
    pub warnings: Vec<LinkWarning>,
}

/// What touching a meeting of the agenda does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum AgendaLink {
    /// Nothing: no conference in it.
    None,
    /// Joins it.
    Joinable {
        /// The platform's id, such as `direct`.
        provider: String,
    },
    /// Explains why the room will not open it.
    Refused {
        /// The host it names.
        host: Pii<String>,
        /// Why.
        reason: LinkRefusal,
    },
}

/// The call, from the touch of the join button to the end of leaving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The meeting's title, when there is one to show.
    pub title: Option<Pii<String>>,
    /// The platform's id.
    pub provider: String,
    /// The link that guests open, when the room hosts the meeting.
    pub guest_url: Option<Pii<String>>,
    /// When the join button was touched.
    pub since: DateTime<Utc>,
    /// A person pressed the button that sends, or the configuration joins sending.
    pub sending: bool,
    /// The microphone is on the wire.
    pub microphone: bool,
    /// The camera is on the wire.
    pub camera: bool,
    /// What a content input shows is on the wire.
    pub content: bool,
    /// Loudspeaker volume, 0 to 100.
    pub volume: u8,
    /// How the display arranges people and content.
    pub layout: Layout,
    /// The room's hand is raised.
    pub hand: bool,
    /// End-to-end encryption, as negotiated.
    pub e2ee: E2ee,
    /// The others, in order of arrival.
    pub participants: Vec<Participant>,
    /// Who waits to be admitted.
    pub waiting: Vec<Participant>,
    /// Who speaks, or spoke last.
    pub speaker: Option<ParticipantId>,
    /// Whose shared content is shown.
    pub sharer: Option<ParticipantId>,
    /// The meeting's chat.
    pub chat: Vec<ChatMessage>,
    /// The meeting asks for a password; true when the one given was wrong.
    pub password_wanted: Option<bool>,
    /// The call ends by itself unless somebody stays.
    pub countdown: Option<Countdown>,
    /// The platform can do this: admit, chat, raise hands.
    pub can_admit: bool,
    /// See `can_admit`.
    pub can_chat: bool,
    /// See `can_admit`.
    pub can_raise_hand: bool,
    /// The platform carries what somebody in the room shows.
    pub can_share: bool,
    /// Media streams and who sends them, for the display.
    pub previews: Vec<Preview>,
}

/// A received stream and who sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The stream.
    pub stream: StreamId,
    /// Who sends it.
    pub participant: ParticipantId,
    /// What it carries.
    pub kind: StreamKind,
    /// It delivers.
    pub live: bool,
    /// What is the matter with it.
    pub trouble: Option<StreamTrouble>,
}

/// An empty call's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Countdown {
    /// When the room leaves.
    pub ends_at: DateTime<Utc>,
}

/// What is attached to the room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// What the camera is: a device's name, a file, or a test picture; none when it failed.
    pub camera: Option<String>,
    /// What the microphone is.
    pub microphone: Option<String>,
    /// What the loudspeaker is.
    pub loudspeaker: Option<String>,
    /// What the display is; none when roomd runs headless.
    pub display: Option<String>,
    /// What the display for content is; none without one.
    pub content_display: Option<String>,
    /// The camera is a test picture, not a device: the panel says so.
    pub test_picture: bool,
    /// The display should be on and does not turn on by itself: the panel asks for a hand.
    pub display_asks: bool,
}

/// A code that pairs a tablet with the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Pairing {
    /// Six digits; only the display shows them, a remote panel receives none.
    pub code: Option<Pii<String>>,
    /// The address to open on the tablet.
    pub url: Pii<String>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// What was measured; null where it could not be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Touch of the join button until media flows both ways, in milliseconds.
    pub join_ms: Option<f64>,
    /// Touch of the join button until the first remote picture was decoded, in milliseconds.
    pub first_remote_frame_ms: Option<f64>,
    /// Pictures a second that the room sends.
    pub fps_sent: Option<f64>,
    /// Pictures a second received, the best stream.
    pub fps_received: Option<f64>,
    /// Picture minus sound of the same participant at playout, in milliseconds; positive is
    /// picture late.
    pub av_offset_ms: Option<f64>,
    /// roomd's use of one core, in per cent.
    pub cpu_percent: Option<f64>,
    /// roomd's resident memory, in MB (10^6 bytes).
    pub rss_mb: Option<f64>,
    /// roomd's threads.
    pub threads: Option<u32>,
    /// roomd's open file descriptors.
    pub descriptors: Option<u32>,
    /// Signalling messages that did not parse, since start.
    pub bad_messages: u64,
    /// Times that a picture stood still for more than half a second, in this call.
    pub freezes: u32,
    /// What was done to received sound, in this call.
    pub sound: SoundStats,
    /// Per connection.
    pub peers: Vec<PeerStats>,
    /// Per received stream.
    pub streams: Vec<StreamStats>,
    /// Per encoding that the room sends.
    pub sent: Vec<SentStats>,
    /// What the room leaves out of its picture because its processor is too slow.
    pub quality_limit: Option<QualityLimit>,
    /// Echo cancellation; none while it does nothing.
    pub voice: Option<VoiceStats>,
}

/// One received stream, measured: rates over the last second, counts since it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StreamStats {
    /// Which.
    pub stream: StreamId,
    /// What it carries.
    pub kind: StreamKind,
    /// Decoded pictures, or packets of sound, a second.
    pub fps: f64,
    /// Encoded media, in kbit/s.
    pub kbps: f64,
    /// Width of its pictures, in pixels; none for sound, and before the first one.
    pub width: Option<u32>,
    /// Height, likewise.
    pub height: Option<u32>,
    /// Interarrival jitter, in milliseconds (RFC 3550, section 6.4.1).
    pub jitter_ms: f64,
    /// How long it waits to be played, in milliseconds, lip-sync included.
    pub delay_ms: f64,
    /// Picture minus sound of its participant at playout, in milliseconds; none where there are not
    /// both, and for shared content.
    pub av_offset_ms: Option<f64>,
    /// Packets of sound missing when they were due; gaps in a picture's frames.
    pub lost: u64,
    /// Times that its picture stood still for more than half a second.
    pub freezes: u32,
}

/// What was done to received sound so that it is heard without a gap and no later than it has to
/// be, all streams together, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SoundStats {
    /// Put in unheard, by repeating what was like it.
    pub stretched_ms: f64,
    /// Taken out unheard.
    pub compressed_ms: f64,
    /// Left out at once, as too much had come.
    pub skipped_ms: f64,
    /// Time in which sound was due that came later.
    pub missing_ms: f64,
}

/// One encoding that the room sends, to however many connections; rates over the last second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SentStats {
    /// What it carries.
    pub kind: StreamKind,
    /// Pictures, or packets of sound, a second.
    pub fps: f64,
    /// Encoded media, in kbit/s.
    pub kbps: f64,
    /// What its encoder aims at, in kbit/s; none for sound.
    pub target_kbps: Option<f64>,
    /// Width of its pictures, in pixels; none for sound.
    pub width: Option<u32>,
    /// Height, likewise.
    pub height: Option<u32>,
}

/// Echo cancellation, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VoiceStats {
    /// From a sound's way out of the mixer until the microphone has its echo, in milliseconds.
    pub delay_ms: f64,
    /// Echo return loss enhancement of the adaptive filter, in decibels.
    pub erle_db: f64,
    /// How much faster the loudspeaker's clock runs than the microphone's, in parts of a million.
    pub drift_ppm: f64,
}

/// One connection, measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PeerStats {
    /// Whose, when known.
    pub participant: Option<ParticipantId>,
    /// Round trip, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Lost of what they sent, in per cent.
    pub loss_percent: Option<f64>,
    /// Received, in kbit/s.
    pub received_kbps: Option<f64>,
    /// Sent, in kbit/s.
    pub sent_kbps: Option<f64>,
    /// Addresses at TURN servers that relay now.
    pub relays: u32,
    /// How often a TURN server was of no use, or was lost.
    pub relay_failures: u32,
    /// Why, the last time: a code such as `turn_credentials_refused`.
    pub relay_failure: Option<String>,
}
