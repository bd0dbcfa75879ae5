// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Connections to a real server, with real WebRTC connections and without an engine.
//!
//! `./x lab livekit` builds the server and runs these.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod channel;
mod ends;
mod media;
mod peer;
mod returns;
mod room;
mod server;

use std::time::{Duration, Instant};

use roomd_conference::LocalSource;

use room::{LIMIT, Room};

const BOTH: [LocalSource; 2] = [LocalSource::Microphone, LocalSource::Camera];

/// Two rooms of one meeting.
struct Pair {
    anna: Room,
    bert: Room,
}

impl Pair {
    /// Lives until something is true.
    async fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + LIMIT;
        while !done(self) {
            assert!(
                Instant::now() < end,
                "{what} takes too long\n{:#?}\n{:#?}",
                self.anna.events,
                self.bert.events
            );
            tokio::join!(self.anna.step(), self.bert.step());
        }
    }

    /// Lives for a while.
    async fn live(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.until("time", |_| Instant::now() >= end).await;
    }
}
