// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `LiveKit`'s signalling, for the platforms whose media goes through one of its servers.
//!
//! A [`Connection`] is one room on one server, as a state machine that sits inside a provider's
//! session. The session feeds it what happens on channels, in the media engine and in time, drains its
//! outputs after every input, and may hold several at once: they share [`Ids`].
//!
//! Invariants: an ended connection says nothing more; nothing that a server sends makes it panic or
//! grow without bound; where frames are encrypted, a track that is not is never bound to a stream, and
//! no data packet leaves; what is muted, by whomever, is held back in the engine before the server
//! hears of it; no server makes the room send what it did not send before; no other host is contacted
//! than the one that the session named and the STUN and TURN servers that this one names.
#![deny(missing_docs)]

mod connection;
mod ended;
mod event;
mod ids;
mod options;
mod sdp;
mod url;
mod wire;

pub use connection::{Connection, Packet, Update};
pub use ended::Ended;
pub use event::{
    Data, Event, Identity, Joined, Kind, Output, Participant, Permissions, PublishFailure, Quality,
    Source, Track, TrackRefusal,
};
pub use ids::Ids;
pub use options::{Options, Publish};
