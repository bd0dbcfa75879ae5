// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a meeting session and the room's Matrix account say to each other.
//!
//! The account is a service of the device: it holds the login, the keys and the connection to the
//! homeserver, and it outlives every meeting. A session reaches it on a channel to [`SERVICE`] and
//! never sees the homeserver. Both sides speak JSON text: the session sends [`Request`]s, the account
//! sends [`Reply`]s, which are answers to requests and news that come by themselves.
//!
//! - The first news on a channel is [`News::Online`] or [`News::Offline`], whichever holds; the
//!   account's end is [`News::Ended`], after which the channel closes.
//! - Every request is answered exactly once, within [`ANSWER_WITHIN`]. Requests run side by side: who
//!   needs an order waits for the answer.
//! - A room is watched from [`Done::Joined`] on, until [`Ask::Leave`] or until the channel closes. The
//!   first [`News::Call`] of a room follows the answer to its join.
//! - The account serves one session at a time: the channel of an earlier one closes.
//! - Contents of events pass as they are, because the shapes of calls are still moving; what the
//!   account vouches for (sender, device, time of the server) stands beside them.
//!
//! Invariants: this crate knows no clock, socket or Matrix library; nothing in it prints an id, a
//! name or a content.
#![deny(missing_docs)]

mod answer;
mod failure;
mod ids;
mod news;
mod request;
mod text;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use answer::{Done, JoinedRoom, OpenIdToken, Reaction, Transport};
pub use failure::{Failure, Why};
pub use ids::{DelayId, DeviceId, EventId, RoomId, UserId};
pub use news::{
    Call, KnockOutcome, Knocking, Me, News, RoomGone, RoomInfo, StateEvent, StickyEvent,
};
pub use request::{Ask, DelayedAction, Recipient, Request};
pub use text::{BadText, MAX_TEXT_BYTES, Reply};

/// The name of the service that a session opens a channel to.
pub const SERVICE: &str = "matrix";

/// A request is answered within this time, most of them much sooner: only a join over other servers
/// takes long. Without a connection the answer is [`Failure::Unreachable`].
pub const ANSWER_WITHIN: Duration = Duration::from_secs(45);

/// The most entries of each list in a [`Call`]; the rest is counted in [`Call::left_out`].
pub const MAX_CALL_EVENTS: usize = 1000;

/// The most bytes of one event that is passed on, twice Matrix's own limit because a server adds to
/// it; larger ones are left out.
pub const MAX_EVENT_BYTES: usize = 128 * 1024;

/// The most levels of an event's content; deeper ones are left out.
pub const MAX_EVENT_DEPTH: usize = 32;

/// The most bytes of all contents in one [`Call`].
pub const MAX_CALL_BYTES: usize = 1024 * 1024;

/// The most bytes of a chat message: a longer one is cut when it arrives and refused when it is sent.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// The most bytes of a reason for knocking; longer ones are cut.
pub const MAX_REASON_BYTES: usize = 1024;

/// The most bytes of a reaction; longer ones are left out.
pub const MAX_KEY_BYTES: usize = 64;
/// The most reactions to one event that are told.
pub const MAX_REACTIONS: usize = 50;

/// The most servers that [`Ask::Join`] may name; the rest is not asked.
pub const MAX_VIA: usize = 16;

/// The most bytes of a display name or a room's name; longer ones are cut.
pub const MAX_NAME_BYTES: usize = 256;

/// The most recipients of one [`Ask::ToDevice`].
pub const MAX_RECIPIENTS: usize = 1000;

/// The most transports in [`Done::Transports`].
pub const MAX_TRANSPORTS: usize = 16;
