// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::Instant;

use roomd_model::{
    ChatMessage, E2ee, FaultCode, MeetingLink, Now, Participant, ParticipantId, Pii, ProviderId,
    Secret, StreamId, StreamKind,
};
use url::Url;

use crate::{ChannelCommand, ChannelEvent, ChannelId, LocalSource, MediaCommand, MediaEvent};

/// One conference platform.
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// The platform's id.
    fn id(&self) -> ProviderId;

    /// What the platform can do; the panel shows only that.
    fn capabilities(&self) -> Capabilities;

    /// Recognises one of this platform's links.
    fn recognise(&self, url: &Url) -> Option<MeetingLink>;

    /// The meeting id within one of this platform's links, for the linter and the reuse check.
    fn meeting_id(&self, url: &Url) -> Option<Pii<String>>;

    /// The hosts that the configuration names for this platform; the room's default allow-list.
    fn hosts(&self) -> Vec<String> {
        Vec::new()
    }

    /// The link of a fresh meeting that the room itself hosts; none where it cannot.
    fn fresh_meeting(&self, _seed: [u8; 32]) -> Option<Url> {
        None
    }

    /// Starts joining. The first outputs are ready when this returns.
    fn start(&self, join: JoinRequest, now: Now) -> Box<dyn Session>;
}

/// What a platform can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The room admits guests from a lobby.
    pub admits: bool,
    /// Chat.
    pub chat: bool,
    /// Raised hands.
    pub hands: bool,
    /// The platform carries what somebody in the room shows.
    pub content: bool,
    /// The platform can encrypt end to end.
    pub e2ee: bool,
    /// The room hosts the meeting; its link is what guests open.
    pub hosts: bool,
}

/// What a session needs to start.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// The meeting.
    pub link: MeetingLink,
    /// The room's name, as participants see it.
    pub room_name: String,
    /// Seeds the session's random ids; fresh entropy in the product, fixed in tests.
    pub seed: [u8; 32],
}

/// One meeting on one platform, as a state machine.
pub trait Session: Send + std::fmt::Debug {
    /// Takes one input. Drain [`Session::poll_output`] afterwards.
    fn handle(&mut self, input: Input, now: Now);

    /// The next effect, or none.
    fn poll_output(&mut self) -> Option<Output>;

    /// When to call [`Session::handle`] with [`Input::Timeout`], and what for.
    fn poll_timeout(&self) -> Option<(Instant, &'static str)>;

    /// Signalling messages that did not parse or made no sense, since the session started.
    fn bad_messages(&self) -> u64 {
        0
    }
}

/// What goes into a session.
#[derive(Clone, Debug)]
pub enum Input {
    /// A person at the room wants something.
    Command(Command),
    /// Something happened on a signalling channel.
    Channel(ChannelId, ChannelEvent),
    /// The media engine has news.
    Media(MediaEvent),
    /// The time that [`Session::poll_timeout`] named has come.
    Timeout,
}

/// What comes out of a session.
#[derive(Clone, Debug)]
pub enum Output {
    /// Do this on a signalling channel.
    Channel(ChannelId, ChannelCommand),
    /// Do this in the media engine.
    Media(MediaCommand),
    /// The room should know.
    Event(Event),
}

/// What a person at the room wants of the meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Lets someone in from the lobby.
    Admit(ParticipantId),
    /// Turns someone in the lobby away.
    Deny(ParticipantId),
    /// Removes someone from the meeting.
    Remove(ParticipantId),
    /// Tells the others what the room sends.
    Sending {
        /// The room's microphone is on the wire.
        microphone: bool,
        /// The room's camera is on the wire.
        camera: bool,
    },
    /// Begins or ends showing the others what somebody in the room shows.
    Content(bool),
    /// Raises or lowers the room's hand.
    Hand(bool),
    /// Writes into the chat.
    Chat(Pii<String>),
    /// Gives the password that the meeting asks for.
    Password(Secret),
    /// The most picture lines that a camera stream is shown with, so that nobody sends more.
    WantedHeight(u32),
    /// The pictures that the displays show, and with how many lines. What is not named is not shown.
    Shown(Vec<(StreamId, u32)>),
    /// Leaves. The session ends with [`Event::Ended`].
    Leave {
        /// The room comes back in a moment: a meeting that it hosts is interrupted, not over.
        returning: bool,
    },
}

/// What a session tells the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Waiting to be let in.
    Lobby,
    /// In the meeting.
    Joined,
    /// Lost, on its way back.
    Reconnecting {
        /// The attempt under way, from 1.
        attempt: u32,
    },
    /// Everyone else in the meeting, in order of arrival.
    Participants(Vec<Participant>),
    /// Everyone who waits to be admitted by the room.
    Waiting(Vec<Participant>),
    /// A stream belongs to a participant, from here on.
    StreamAdded {
        /// The stream.
        stream: StreamId,
        /// Who sends it.
        participant: ParticipantId,
        /// What it carries.
        kind: StreamKind,
    },
    /// A stream is gone.
    StreamRemoved {
        /// The stream.
        stream: StreamId,
    },
    /// A chat message, our own included.
    Chat(ChatMessage),
    /// What the meeting is called there.
    Title(Pii<String>),
    /// End-to-end encryption of the whole meeting, as negotiated.
    E2ee(E2ee),
    /// The meeting asks for a password.
    PasswordRequired {
        /// The one given before was wrong.
        wrong: bool,
    },
    /// The meeting muted what the room sends; only a person in the room turns it on again.
    Muted(LocalSource),
    /// Something went wrong that the meeting survives.
    Fault(FaultCode),
    /// The meeting is over for the room; the last event.
    Ended(Ended),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The room left.
    Left,
    /// The meeting was closed by somebody else.
    Closed,
    /// It failed.
    Failed(FaultCode),
}
