// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's state machine: idle, offered, joining, lobby, in call, reconnecting, leaving, fault.
//!
//! The shell feeds [`Input`] with the time, drains [`Output`] after every input until there is
//! none, and calls again with [`Input::Timeout`] when [`Room::poll_timeout`] says so. Everything
//! that people see of the room is in [`Room::view`].
//!
//! Invariants, checked after every operation by the property tests:
//!
//! 1. Nothing is sent before a person asked for it in this call ([`Request::StartSending`]),
//!    unless the configuration joins sending; and only while the phase is in call.
//! 2. No session starts for a link off the allow-list, or of a platform that is not there.
//! 3. There is at most one session; a new one starts only after the old one was dropped.
//! 4. Idle, offered and fault imply that there is no call; every other phase implies one.
//! 5. Leaving ends within [`LEAVE_LIMIT`], whatever the session does; joining within
//!    [`RoomConfig::join_limit`] plus that, unless people type a password or wait in a lobby.
//! 6. What was persisted for a restart is taken back as soon as the room leaves, except when the
//!    daemon itself shuts down.
//! 7. A time-out that was handled is not named again.
#![deny(missing_docs)]

mod allow;
mod call;
mod config;
mod faces;
mod machine;
mod news;
mod port;
mod request;
mod resume;
mod schedule;
mod view;

pub use allow::{AllowList, AllowListError};
pub use config::RoomConfig;
pub use machine::{LEAVE_LIMIT, Room};
pub use port::{Input, Output, Platforms, Refusal, Request, SessionId};
pub use resume::Resume;
pub use view::{CallView, StreamView, View};
