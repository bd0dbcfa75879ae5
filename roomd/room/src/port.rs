// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::sync::Arc;

use roomd_conference::{Command, Event, Provider};
use roomd_model::{
    Booking, BookingId, FaultCode, Language, Layout, MeetingLink, ParticipantId, Pii, Secret,
    StreamId, StreamTrouble,
};
use thiserror::Error;
use url::Url;

use crate::{Resume, RoomConfig};

/// The configured platforms, in order of preference.
pub type Platforms = Arc<[Box<dyn Provider>]>;

/// Numbers the sessions of one daemon, so that late news of an old one are not taken for the
/// new one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u32);

/// What goes into the room.
#[derive(Debug)]
pub enum Input {
    /// A person wants something; the answer is the result of [`crate::Room::handle`].
    Request(Request),
    /// A session has news.
    Session(SessionId, Event),
    /// Something is the matter with a received stream, or is well again.
    Trouble {
        /// The stream.
        stream: StreamId,
        /// What.
        trouble: StreamTrouble,
        /// Now.
        active: bool,
    },
    /// A received stream began to deliver, or stopped.
    Stream {
        /// Which.
        stream: StreamId,
        /// It delivers.
        live: bool,
    },
    /// Somebody shares what a content input shows, or does not any more.
    Content(bool),
    /// The schedule as it is now; replaces what was known.
    Bookings(Vec<Booking>),
    /// The configuration as it is now.
    Config(RoomConfig),
    /// The platforms as they are now; a running call goes on.
    Platforms(Platforms),
    /// The daemon ends: the room leaves, and keeps what a restart needs to come back.
    Shutdown,
    /// The time that [`crate::Room::poll_timeout`] named has come.
    Timeout,
}

/// What a person wants of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Joins a booked meeting.
    JoinBooking(BookingId),
    /// Joins by link.
    JoinLink(Pii<String>),
    /// Starts a meeting that the room hosts.
    StartMeeting {
        /// Guests must know it, if given.
        password: Option<Secret>,
        /// Fresh entropy for the meeting's id.
        seed: [u8; 32],
    },
    /// Leaves the meeting, or gives up joining it.
    Leave,
    /// The one button that sends.
    StartSending,
    /// Microphone on the wire or not.
    Microphone(bool),
    /// Camera on the wire or not.
    Camera(bool),
    /// Loudspeaker volume, 0 to 100.
    Volume(u8),
    /// Arranges the display.
    Layout(Layout),
    /// Lets someone in from the lobby.
    Admit(ParticipantId),
    /// Turns someone in the lobby away.
    Deny(ParticipantId),
    /// Removes someone from the meeting.
    Remove(ParticipantId),
    /// Raises or lowers the room's hand.
    Hand(bool),
    /// Writes into the chat.
    Chat(Pii<String>),
    /// Gives the password that the meeting asks for.
    Password(Secret),
    /// Stays in a call that the countdown would end.
    Stay,
    /// Answers an invitation in the room's name.
    Attendance {
        /// Which.
        booking: BookingId,
        /// Accept; otherwise decline.
        accept: bool,
    },
    /// Switches the language of panel and display.
    Language(Language),
    /// Takes a fault off the screen.
    Acknowledge(FaultCode),
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not in this state of the room.
    #[error("not in this state of the room")]
    NotNow,
    /// No such booking, participant or fault (any more).
    #[error("no such booking, participant or fault")]
    Unknown,
    /// The link is not a link, or is too long.
    #[error("not a link")]
    BadLink,
    /// The destination is not on the allow-list.
    #[error("the destination is not allowed")]
    DestinationNotAllowed,
    /// No platform can join this kind of link.
    #[error("no platform can join this kind of link")]
    PlatformUnknown,
    /// Too long or out of range.
    #[error("too long or out of range")]
    BadRequest,
    /// The daemon is shutting down.
    #[error("shutting down")]
    Busy,
}

/// What comes out of the room.
#[derive(Clone, Debug)]
pub enum Output {
    /// Starts a session of the link's platform. The one before was dropped.
    StartSession {
        /// Names it in [`Input::Session`].
        session: SessionId,
        /// The meeting, its password inside.
        link: MeetingLink,
        /// Its title, when there is one to show.
        title: Option<Pii<String>>,
    },
    /// Tells the session.
    Session(SessionId, Command),
    /// Ends the session's driver, its channels and its media.
    DropSession(SessionId),
    /// What is on the wire from here on.
    Sending {
        /// The microphone.
        microphone: bool,
        /// The camera.
        camera: bool,
    },
    /// What somebody in the room shows is on the wire from here on, or not.
    Content(bool),
    /// The room's own picture is taken for the display alone, without being sent.
    Preview(bool),
    /// Loudspeaker volume, 0 to 100.
    Volume(u8),
    /// Keeps this for a restart, or removes what was kept.
    Persist(Option<Resume>),
    /// Answers an invitation: accept, or decline.
    Answer(BookingId, bool),
    /// After [`Input::Shutdown`]: there is no call any more. The last output.
    Finished,
}

/// Reads a link that a person gave.
pub(crate) fn read_link(text: &str) -> Option<Url> {
    const LONGEST: usize = 2048;
    let text = text.trim();
    let url = (text.len() <= LONGEST).then(|| Url::parse(text).ok())??;
    // What has no host is for the platforms to know, such as `matrix:` URIs.
    (url.has_host() || url.scheme() == "matrix").then_some(url)
}
