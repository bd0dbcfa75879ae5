// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Connections in virtual time, against a server and an engine that the tests play.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;
mod data;
mod encryption;
mod ends;
mod join;
mod limits;
mod lines;
mod publish;
mod reconnect;
mod subscribe;
