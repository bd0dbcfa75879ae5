// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use chrono::{DateTime, Utc};
use roomd_conference::Capabilities;
use roomd_model::{
    Booking, BookingId, ChatMessage, E2ee, FaultCode, Language, Layout, Participant, ParticipantId,
    Phase, Pii, ProviderId, StreamId, StreamKind, StreamTrouble,
};

/// Everything that people see of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What the room is doing.
    pub phase: Phase,
    /// The language of panel and display.
    pub language: Language,
    /// The room joins already sending, against the default.
    pub joins_sending: bool,
    /// Some platform lets the room host a meeting.
    pub hosts_meetings: bool,
    /// Loudspeaker volume, 0 to 100.
    pub volume: u8,
    /// The schedule, by start. Links off the allow-list are refused ones here.
    pub bookings: Vec<Booking>,
    /// The call; none in the phases idle, offered and fault.
    pub call: Option<CallView>,
    /// What went wrong without ending the call, in the order of the codes.
    pub faults: Vec<FaultCode>,
}

/// The call, from the touch of the join button to the end of leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    /// The meeting's title, when there is one to show.
    pub title: Option<Pii<String>>,
    /// The booking it belongs to.
    pub booking: Option<BookingId>,
    /// The platform.
    pub provider: ProviderId,
    /// What the platform can do.
    pub capabilities: Capabilities,
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
    /// What somebody in the room shows is on the wire.
    pub content: bool,
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
    /// The meeting's chat, the last 200 lines.
    pub chat: Vec<ChatMessage>,
    /// The meeting asks for a password; true when the one given was wrong.
    pub password_wanted: Option<bool>,
    /// When the room leaves the empty call, unless somebody stays.
    pub countdown_ends: Option<DateTime<Utc>>,
    /// Received streams, in the order in which they came.
    pub streams: Vec<StreamView>,
}

/// A received stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamView {
    /// Which.
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
