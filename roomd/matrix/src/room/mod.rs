// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a session is told about a room that it watches.

mod call;
mod event;
mod info;
mod sticky;
mod timeline;
mod watched;

pub(crate) use event::is_flat;
pub(crate) use info::info;
pub(crate) use sticky::{Sticky, backlog};
pub(crate) use watched::Watched;

/// The call membership of MSC3401, a state.
pub(crate) const CALL_MEMBER: &str = "org.matrix.msc3401.call.member";
/// The call membership of MSC4143, a sticky event.
pub(crate) const RTC_MEMBER: &str = "org.matrix.msc4143.rtc.member";
/// The call itself of MSC4143, a state.
pub(crate) const RTC_SLOT: &str = "org.matrix.msc4143.rtc.slot";
