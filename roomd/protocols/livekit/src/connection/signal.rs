// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The channel to the server: opening it, why it is refused, whether it lives.

use std::time::{Duration, Instant};

use livekit_protocol as proto;
use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, Endpoint};
use roomd_model::Now;

use super::Connection;
use super::reconnect::Cause;
use crate::url::{self, Resume};
use crate::wire::{self, Request};
use crate::{Ended, Output};

/// How long the channel may take to open. Servers look for a node for some seconds before they answer.
const OPEN_LIMIT: Duration = Duration::from_secs(15);
/// How long the first message may take.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// What a server may ask for as intervals of pings, and how long it may be silent, in seconds.
const PING_INTERVAL: (i32, i32) = (1, 60);
const PING_TIMEOUT: (i32, i32) = (5, 180);

/// Where the channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none; another attempt is under way, or about to be.
    Down,
    /// It is being opened.
    Opening { channel: ChannelId, until: Instant },
    /// It is open; the server has not said yet what became of us.
    Greeting { channel: ChannelId, until: Instant },
    /// It was refused with this status, and the server is asked for the reason.
    Asking {
        channel: ChannelId,
        until: Instant,
        status: u16,
    },
    /// The server talks with us.
    Up { channel: ChannelId },
}

/// The channel to the server.
#[derive(Debug)]
pub(super) struct Signal {
    stage: Stage,
    /// When the server last said something.
    heard: Instant,
    ping_at: Instant,
    ping_interval: Duration,
    ping_timeout: Duration,
    pub(super) round_trip: Option<Duration>,
}

impl Signal {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Down,
            heard: now,
            ping_at: now,
            ping_interval: Duration::from_secs(5),
            ping_timeout: Duration::from_secs(15),
            round_trip: None,
        }
    }

    /// The channel that there is, in whatever state.
    pub(super) const fn channel(&self) -> Option<ChannelId> {
        match self.stage {
            Stage::Down => None,
            Stage::Opening { channel, .. }
            | Stage::Greeting { channel, .. }
            | Stage::Asking { channel, .. }
            | Stage::Up { channel } => Some(channel),
        }
    }

    /// The channel on which the server talks with us.
    pub(super) const fn up(&self) -> Option<ChannelId> {
        match self.stage {
            Stage::Up { channel } => Some(channel),
            Stage::Down | Stage::Opening { .. } | Stage::Greeting { .. } | Stage::Asking { .. } => {
                None
            }
        }
    }

    pub(super) const fn is_greeting(&self) -> bool {
        matches!(self.stage, Stage::Greeting { .. })
    }

    pub(super) const fn is_down(&self) -> bool {
        matches!(self.stage, Stage::Down)
    }

    /// The server has greeted us.
    pub(super) fn greeted(&mut self, now: Instant) {
        if let Stage::Greeting { channel, .. } = self.stage {
            self.stage = Stage::Up { channel };
            self.heard = now;
            self.ping_at = now + self.ping_interval;
        }
    }

    /// The server is asked over this channel why it refused one.
    pub(super) fn asks(&mut self, channel: ChannelId, until: Instant, status: u16) {
        self.stage = Stage::Asking {
            channel,
            until,
            status,
        };
    }

    /// Takes how often the server wants to be asked whether it lives; in seconds, 0 for no wish.
    pub(super) fn set_pings(&mut self, interval: i32, timeout: i32, now: Instant) {
        let seconds = |wish: i32, (least, most): (i32, i32)| {
            let seconds = u64::try_from(wish.clamp(least, most)).unwrap_or(1);
            (wish > 0).then(|| Duration::from_secs(seconds))
        };
        if let Some(interval) = seconds(interval, PING_INTERVAL) {
            self.ping_interval = interval;
        }
        if let Some(timeout) = seconds(timeout, PING_TIMEOUT) {
            self.ping_timeout = timeout.max(self.ping_interval * 2);
        }
        self.ping_at = now + self.ping_interval;
    }

    fn due(&self) -> Option<(Instant, &'static str)> {
        match self.stage {
            Stage::Down => None,
            Stage::Opening { until, .. } => Some((until, "channel")),
            Stage::Greeting { until, .. } => Some((until, "greeting")),
            Stage::Asking { until, .. } => Some((until, "reason")),
            Stage::Up { .. } => {
                let silent = (self.heard + self.ping_timeout, "silence");
                Some(silent.min((self.ping_at, "ping")))
            }
        }
    }
}

impl Connection {
    pub(super) fn signal_due(&self) -> Option<(Instant, &'static str)> {
        self.signal.due()
    }

    /// Opens the channel, to join or to resume.
    pub(super) fn open(&mut self, now: Now) {
        let resume = self.resume_with();
        let resume = resume.as_ref().map(|(sid, reason)| Resume {
            sid,
            reason: *reason,
        });
        let attributes = &self.options.attributes;
        let Some(url) = url::signal(self.options.url.expose(), attributes, resume) else {
            return self.end(Ended::Insecure);
        };
        let channel = self.ids.channel();
        let until = now.mono + OPEN_LIMIT;
        self.signal.stage = Stage::Opening { channel, until };
        let endpoint = Endpoint::WebSocket {
            url,
            bearer: Some(self.token.clone()),
        };
        self.command(channel, ChannelCommand::Open(endpoint));
    }

    pub(super) fn channel_event(&mut self, event: &ChannelEvent, now: Now) {
        match (self.signal.stage, event) {
            (Stage::Opening { channel, .. }, ChannelEvent::Opened) => {
                let until = now.mono + GREETING_LIMIT;
                self.signal.stage = Stage::Greeting { channel, until };
            }
            (Stage::Opening { .. }, ChannelEvent::Refused(refusal)) => {
                self.signal.stage = Stage::Down;
                self.refused(*refusal, now);
            }
            (Stage::Greeting { .. } | Stage::Up { .. }, ChannelEvent::Binary(bytes)) => {
                self.signal.heard = now.mono;
                match wire::response(bytes.expose()) {
                    Some(message) => self.message(message, now),
                    None => self.bad(),
                }
            }
            (
                Stage::Asking {
                    status: refused, ..
                },
                ChannelEvent::Response { status, body },
            ) => {
                self.signal.stage = Stage::Down;
                self.reason(refused, *status, body, now);
            }
            (Stage::Asking { status, .. }, ChannelEvent::Refused(_) | ChannelEvent::Closed) => {
                self.signal.stage = Stage::Down;
                self.refused_with(status, now);
            }
            (_, ChannelEvent::Closed) => {
                self.signal.stage = Stage::Down;
                self.resume(Cause::Signal, now);
            }
            // A server speaks in bytes, and answers what was asked.
            (
                _,
                ChannelEvent::Opened
                | ChannelEvent::Text(_)
                | ChannelEvent::Binary(_)
                | ChannelEvent::Response { .. }
                | ChannelEvent::Refused(_),
            ) => self.bad(),
        }
    }

    pub(super) fn expire(&mut self, now: Now) {
        if self.signal.due().is_some_and(|(at, _)| at <= now.mono) {
            match self.signal.stage {
                Stage::Down => {}
                Stage::Opening { .. } | Stage::Greeting { .. } => {
                    self.hang_up();
                    self.resume(Cause::Signal, now);
                }
                Stage::Asking { status, .. } => {
                    self.hang_up();
                    self.refused_with(status, now);
                }
                Stage::Up { .. } => self.ping(now),
            }
        }
        self.publisher_expires(now);
        self.attempts_expire(now);
    }

    /// Closes the channel, if there is one.
    pub(super) fn hang_up(&mut self) {
        if let Some(channel) = self.signal.channel() {
            self.command(channel, ChannelCommand::Close);
            self.signal.stage = Stage::Down;
        }
    }

    fn ping(&mut self, now: Now) {
        if self.signal.heard + self.signal.ping_timeout <= now.mono {
            self.hang_up();
            return self.resume(Cause::Signal, now);
        }
        self.signal.ping_at = now.mono + self.signal.ping_interval;
        let rtt = self.signal.round_trip.unwrap_or_default().as_millis();
        self.say(Request::PingReq(proto::Ping {
            timestamp: now.utc.timestamp_millis(),
            rtt: i64::try_from(rtt).unwrap_or_default(),
        }));
    }

    pub(super) fn pong(&mut self, sent: i64, now: Now) {
        let taken = now.utc.timestamp_millis().saturating_sub(sent);
        let taken = u64::try_from(taken).ok().map(Duration::from_millis);
        // The wall clock may have been set meanwhile.
        match taken.filter(|taken| *taken <= self.signal.ping_timeout) {
            Some(taken) => self.signal.round_trip = Some(taken),
            None => self.bad(),
        }
    }

    pub(super) fn command(&mut self, channel: ChannelId, command: ChannelCommand) {
        self.outputs.push_back(Output::Channel(channel, command));
    }
}
