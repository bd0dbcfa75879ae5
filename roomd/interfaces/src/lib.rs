// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HTTPS for panel and guests, D-Bus for operators.
//!
//! Both are translators: they show the [`roomd_api::State`] that the daemon owns and hand what
//! people want to it as an [`Intent`]. Neither decides anything about the room.
//!
//! Invariants: the pairing code never leaves through an interface, only through the room's own
//! display; whatever a client sends is bounded in size, number and rate before it reaches the
//! daemon; a client that misbehaves or stalls loses its own connection and nothing else.

pub mod dbus;
mod guests;
mod limits;
mod metrics;
pub mod pairing;
mod room;
mod storage;
pub mod web;
mod words;

pub use guests::{GuestCommand, GuestEvent, GuestPort};
pub use room::{
    Intent, PreviewError, PreviewRequest, Room, RoomOwner, SnapshotError, SnapshotRequest,
};
