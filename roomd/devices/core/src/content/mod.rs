// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Content inputs: what somebody in the room shows with a cable.
//!
//! A capture card or a dongle is previewed, cut and frozen, and shared only when a person says so.
//! [`edid`] tells a laptop what the room takes, [`timings`] asks the device, [`signal`] judges what
//! comes, [`inputs`] decides what is open and what is shared, and speaks with its shell in the words of
//! [`port`].

pub mod edid;
pub mod inputs;
mod known;
pub mod port;
pub mod signal;
pub mod timings;
