// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a connection tells its owner.

use std::collections::BTreeMap;

use roomd_conference::{ChannelCommand, ChannelId, LocalSource, MediaCommand};
use roomd_model::{Pii, StreamId, StreamKind};

use crate::Ended;

/// What comes out of a connection.
#[derive(Clone, Debug)]
pub enum Output {
    /// Do this on a signalling channel.
    Channel(ChannelId, ChannelCommand),
    /// Do this in the media engine.
    Media(MediaCommand),
    /// The owner should know.
    Event(Event),
}

/// Who takes part, as the server calls them: unique within a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(pub Pii<String>);

impl Identity {
    /// An identity by its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Pii::new(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What a connection tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// In the room: the first time, and again after a full reconnect. Everybody who is there follows
    /// with [`Event::Participant`], what they send with [`Event::TrackAdded`].
    Joined(Joined),
    /// The connection is lost and tried again. Streams and participants stay until a full reconnect
    /// begins, which takes them away one by one.
    Reconnecting {
        /// The attempt under way, from 1.
        attempt: u32,
    },
    /// The connection is back; participants and streams are as they were.
    Resumed,
    /// Somebody is there, or changed.
    Participant(Participant),
    /// Somebody is gone; their streams went before.
    ParticipantLeft(Identity),
    /// A stream begins; it may be shown and heard. A picture arrives in its smallest size until
    /// [`crate::Connection::want`] says more.
    TrackAdded(Track),
    /// A stream changed: it was muted, or the server pauses it.
    TrackChanged(Track),
    /// A stream is gone.
    TrackRemoved {
        /// The stream.
        stream: StreamId,
    },
    /// Somebody sends something that is not taken; nothing of it is shown or heard.
    TrackRefused {
        /// Who sends it.
        identity: Identity,
        /// What it is.
        source: Source,
        /// Why not.
        reason: TrackRefusal,
    },
    /// A local source is known to the others from here on.
    Published {
        /// The source.
        source: LocalSource,
    },
    /// A local source is no longer sent: the server took it back or does not accept it. Where it may be
    /// sent again later, [`Event::Published`] says so; what was taken back returns muted.
    PublishFailed {
        /// The source.
        source: LocalSource,
        /// Why.
        reason: PublishFailure,
    },
    /// The server muted a local source, or unmuted it. The connection has obeyed; the room's own
    /// switch should follow.
    MutedByServer {
        /// The source.
        source: LocalSource,
        /// Muted now.
        muted: bool,
    },
    /// How well the server hears the room.
    Quality(Quality),
    /// What the room may do changed.
    Permissions(Permissions),
    /// The room's metadata changed.
    RoomMetadata(Pii<String>),
    /// A data packet arrived.
    Data(Data),
    /// The answer to a change of name, metadata or attributes.
    Updated {
        /// As [`crate::Connection::update`] returned it.
        request: u32,
        /// The server took it.
        accepted: bool,
    },
    /// Over; the last output.
    Ended(Ended),
}

/// What joining gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Who the room is.
    pub identity: Identity,
    /// What it may do.
    pub permissions: Permissions,
    /// What the meeting's room says of itself.
    pub metadata: Pii<String>,
}

/// What the token lets the room do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Receive what others send.
    pub subscribe: bool,
    /// Send the microphone.
    pub microphone: bool,
    /// Send the camera.
    pub camera: bool,
    /// Send content.
    pub content: bool,
    /// Send data packets.
    pub data: bool,
    /// Change the own name, metadata and attributes.
    pub update: bool,
}

/// Somebody else in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub identity: Identity,
    /// The name they go by; may be empty.
    pub name: Pii<String>,
    /// Free text of the application.
    pub metadata: Pii<String>,
    /// Free values of the application.
    pub attributes: BTreeMap<String, Pii<String>>,
    /// What kind of participant.
    pub kind: Kind,
    /// Their media is connected.
    pub active: bool,
    /// They send sound that is not muted.
    pub microphone: bool,
    /// They send a camera's picture that is not muted.
    pub camera: bool,
    /// They share something.
    pub sharing: bool,
    /// They send something whose frames are not encrypted, in a meeting that encrypts them.
    pub unencrypted: bool,
    /// They speak, as the server hears it.
    pub speaking: bool,
    /// How well they are connected, as the server sees it.
    pub quality: Quality,
}

/// What kind of participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A person, or something that the server takes for one.
    #[default]
    Standard,
    /// Brings streams into the room.
    Ingress,
    /// Records or streams the room.
    Egress,
    /// A telephone.
    Sip,
    /// A program that takes part.
    Agent,
    /// Another kind.
    Other,
}

/// How well somebody is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quality {
    /// Not known yet.
    #[default]
    Unknown,
    /// Excellent.
    Excellent,
    /// Good.
    Good,
    /// Poor.
    Poor,
    /// Lost.
    Lost,
}

/// Where a track comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A camera.
    Camera,
    /// A microphone.
    Microphone,
    /// A shared screen.
    Screen,
    /// The sound of a shared screen.
    ScreenAudio,
    /// Sound or picture of unknown origin.
    Unknown,
}

/// A stream that the room receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The stream.
    pub stream: StreamId,
    /// Who sends it.
    pub identity: Identity,
    /// What it carries.
    pub kind: StreamKind,
    /// Where it comes from.
    pub source: Source,
    /// Its frames are encrypted from end to end.
    pub encrypted: bool,
    /// Its sender muted it.
    pub muted: bool,
    /// The server does not send it at the moment, for lack of bandwidth.
    pub paused: bool,
}

/// Why a track is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrackRefusal {
    /// Its frames are not encrypted, in a meeting that encrypts them.
    Unencrypted,
    /// Its frames are encrypted, in a meeting that does not encrypt them.
    Encrypted,
    /// The sender does not let the room have it.
    NotAllowed,
    /// The server has no codec for it that the room takes.
    Codec,
}

/// Why a local source is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishFailure {
    /// The token does not allow it.
    NotAllowed,
    /// The server has no room for it.
    Limit,
    /// The server took it back.
    Unpublished,
    /// The server does not answer, or something else.
    Other,
}

/// A data packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Who sent it; none for the server itself.
    pub from: Option<Identity>,
    /// Its topic; may be empty.
    pub topic: String,
    /// What it says.
    pub payload: Pii<Vec<u8>>,
    /// It cannot get lost on the way.
    pub reliable: bool,
}
