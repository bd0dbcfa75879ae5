// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The calendar task against a real CalDAV server, against feeds, and against files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod caldav;
mod feeds;
mod middleman;
mod support;
