// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Two connections in virtual time, joined by a network in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test panics"
)]

mod channels;
mod codecs;
mod conformance;
mod feedback;
mod foreign;
mod hostile;
mod lines;
mod links;
mod media;
mod net;
mod parameters;
mod security;
mod simulcast;
