// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What sessions open, against real servers on this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod bounds;
mod requests;
mod server;
mod services;
mod sockets;
mod support;
