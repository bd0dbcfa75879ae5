// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How a connection comes back.
//!
//! A resumed connection keeps its participants, tracks and WebRTC connections: the channel is opened
//! anew with the participant's name, and both sides restart ICE. Where that is not possible, the room
//! joins again from the beginning. Attempts are spread out, and their time is limited; they are over
//! only when the connection has held for a while, so that one that fails again and again ends too.

use std::time::{Duration, Instant};

use livekit_protocol::ReconnectReason;
use roomd_conference::PeerState;
use roomd_model::Now;

use super::Connection;
use crate::{Ended, Event};

/// The delay of the second attempt; each further one doubles it up to the longest.
const FIRST_DELAY: Duration = Duration::from_millis(300);
const LONGEST_DELAY: Duration = Duration::from_secs(7);
/// How long media may take to flow again after the server was reached.
const MEDIA_LIMIT: Duration = Duration::from_secs(15);
/// How long a media connection may be without a path before something is done.
const INTERRUPTED_LIMIT: Duration = Duration::from_secs(3);
/// How long the connection has to hold until it counts as back.
const STEADY: Duration = Duration::from_secs(10);
/// Attempts to resume that may fail before the room joins again.
const MAX_RESUMES: u32 = 5;

/// Why an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The channel to the server was lost, or does not open.
    Signal,
    /// The server has no place.
    Full,
    /// The server shuts down.
    Shutdown,
    /// A WebRTC connection lost its path, or has another one.
    Media,
}

/// The way back.
#[derive(Debug)]
pub(super) struct Attempts {
    /// The one under way, from 1.
    number: u32,
    /// When the next one begins; none while one is under way.
    at: Option<Instant>,
    /// When it is over for good.
    deadline: Instant,
    /// Joins again, instead of resuming.
    rejoin: bool,
    cause: Cause,
    /// Until when media has to flow, once the server was reached.
    media: Option<Instant>,
    /// When the connection counts as back.
    steady: Option<Instant>,
}

impl Connection {
    pub(super) fn attempts_due(&self) -> Option<(Instant, &'static str)> {
        let due = |attempts: &Attempts| {
            let at = attempts.at.map(|at| (at, "attempt"));
            let media = attempts.media.map(|at| (at, "media"));
            let steady = attempts.steady.map(|at| (at, "steady"));
            [at, media, steady].into_iter().flatten().min()
        };
        let attempts = self.attempts.as_ref().and_then(due);
        let interrupted = self.interrupted.filter(|_| self.signal.up().is_some());
        let interrupted = interrupted.map(|at| (at + INTERRUPTED_LIMIT, "interrupted"));
        attempts.into_iter().chain(interrupted).min()
    }

    /// Who to resume as, and why; none where the room has to join.
    pub(super) fn resume_with(&self) -> Option<(String, i32)> {
        let session = self.session.as_ref()?;
        let attempts = self.attempts.as_ref().filter(|attempts| !attempts.rejoin)?;
        let reason = match attempts.cause {
            Cause::Signal | Cause::Full | Cause::Shutdown => ReconnectReason::RrSignalDisconnected,
            Cause::Media if self.publisher.state == PeerState::Interrupted => {
                ReconnectReason::RrPublisherFailed
            }
            Cause::Media => ReconnectReason::RrSubscriberFailed,
        };
        Some((session.sid.clone(), reason as i32))
    }

    /// Whether the attempt under way joins from the beginning.
    pub(super) fn joins(&self) -> bool {
        self.resume_with().is_none()
    }

    /// Opens the channel again, and resumes where that is possible.
    pub(super) fn resume(&mut self, cause: Cause, now: Now) {
        // What the server knows of half a negotiation is not known here.
        let rejoin = self.session.is_none() || self.publisher.is_negotiating();
        self.retry(cause, rejoin, now);
    }

    /// Joins again from the beginning.
    pub(super) fn rejoin(&mut self, cause: Cause, now: Now) {
        self.retry(cause, true, now);
    }

    fn retry(&mut self, cause: Cause, rejoin: bool, now: Now) {
        self.hang_up();
        self.interrupted = None;
        let deadline = if self.session.is_some() {
            now.mono + self.options.reconnect_limit
        } else {
            self.born + self.options.join_limit
        };
        let jitter = self.options.jitter;
        let attempts = self.attempts.get_or_insert(Attempts {
            number: 0,
            at: None,
            deadline,
            rejoin: false,
            cause,
            media: None,
            steady: None,
        });
        attempts.number = attempts.number.saturating_add(1);
        attempts.rejoin |= rejoin || attempts.number > MAX_RESUMES;
        // What is said of the end is what the server said, not that it is gone.
        if attempts.cause == Cause::Signal || cause != Cause::Signal {
            attempts.cause = cause;
        }
        attempts.media = None;
        attempts.steady = None;
        let at = now.mono + delay(attempts.number, jitter);
        attempts.at = Some(at);
        let (number, cause) = (attempts.number, attempts.cause);
        if at > attempts.deadline {
            return self.end(self.why(cause));
        }
        if self.session.is_some() {
            self.event(Event::Reconnecting { attempt: number });
        }
        self.begin_attempt(now);
    }

    const fn why(&self, cause: Cause) -> Ended {
        match cause {
            Cause::Shutdown => Ended::ServerShutdown,
            Cause::Full => Ended::Full,
            Cause::Signal | Cause::Media if self.session.is_some() => Ended::Lost,
            Cause::Signal | Cause::Media => Ended::Unreachable,
        }
    }

    fn begin_attempt(&mut self, now: Now) {
        let Some(attempts) = &mut self.attempts else {
            return;
        };
        if attempts.at.is_some_and(|at| at <= now.mono) && self.signal.is_down() {
            attempts.at = None;
            self.open(now);
        }
    }

    pub(super) fn attempts_expire(&mut self, now: Now) {
        self.begin_attempt(now);
        let up = self.signal.up().is_some();
        if let Some(attempts) = &mut self.attempts {
            if attempts.media.is_some_and(|at| at <= now.mono) {
                return self.rejoin(Cause::Media, now);
            }
            if attempts.steady.is_some_and(|at| at <= now.mono) {
                self.attempts = None;
            }
        }
        let lost = self.interrupted.map(|at| at + INTERRUPTED_LIMIT);
        if up && lost.is_some_and(|at| at <= now.mono) {
            self.resume(Cause::Media, now);
        }
    }

    /// The server was reached; media has to follow.
    pub(super) fn reached(&mut self, now: Now) {
        if let Some(attempts) = &mut self.attempts {
            attempts.media = Some(now.mono + MEDIA_LIMIT);
            attempts.steady = None;
        }
    }

    /// Looks whether the connection is back.
    pub(super) fn settle(&mut self, now: Now) {
        let good = self.signal.up().is_some()
            && !self.publisher.is_negotiating()
            && self.publisher.is_well()
            && self.subscriber_is_well();
        let Some(attempts) = &mut self.attempts else {
            return;
        };
        if !good {
            attempts.steady = None;
        } else if attempts.steady.is_none() {
            attempts.steady = Some(now.mono + STEADY);
            let back = attempts.media.take().is_some() && !attempts.rejoin;
            if back {
                self.event(Event::Resumed);
            }
        }
    }
}

/// How long an attempt waits. The first one comes at once.
fn delay(number: u32, jitter: u64) -> Duration {
    let Some(doublings) = number.checked_sub(2) else {
        return Duration::ZERO;
    };
    let longest = FIRST_DELAY
        .saturating_mul(1 << doublings.min(16))
        .min(LONGEST_DELAY);
    // Between half of it and all of it, another part for each room and attempt.
    let mixed = jitter
        .wrapping_add(u64::from(number))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let share = (mixed >> 54) as u32;
    longest / 2 + longest / 2 * share / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_later_and_later_and_never_too_late() {
        assert_eq!(delay(0, 1), Duration::ZERO);
        assert_eq!(delay(1, 1), Duration::ZERO);
        for jitter in 0..100 {
            for (number, most) in [(2, 300), (3, 600), (4, 1200), (9, 7000), (u32::MAX, 7000)] {
                let delay = delay(number, jitter).as_millis();
                assert!(delay >= most / 2 && delay <= most, "{number}: {delay}");
            }
        }
        let rooms: std::collections::BTreeSet<_> = (0..100).map(|room| delay(9, room)).collect();
        assert!(rooms.len() > 50, "rooms come back together");
    }
}
