// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One room on one server.
//!
//! `signal` holds the channel to the server, `refusal` why it does not open, `message` what the server
//! says, `join` how a connection begins and ends, `reconnect` how it comes back. `media` has what the
//! two WebRTC connections share: on one `publish`, `mute`, `negotiate` and `offered` send, on the other
//! `subscribe` receives, what `select` chooses of the `remote` tracks of the `people` on the `roster`,
//! in the `quality` that is wanted. `encryption` holds the keys, `data` the packets.

mod data;
mod encryption;
mod join;
mod media;
mod message;
mod mute;
mod negotiate;
mod offered;
mod people;
mod publish;
mod quality;
mod reconnect;
mod refusal;
mod remote;
mod roster;
mod select;
mod signal;
mod subscribe;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, MediaCommand, MediaEvent};
use roomd_model::{Now, Pii, Secret};

use crate::wire::Request;
use crate::{Ended, Event, Identity, Ids, Options, Output, Participant, Track};

use data::Packets;
use encryption::Keys;
use join::Session;
use publish::Publisher;
use reconnect::Attempts;
use roster::Roster;
use signal::Signal;
use subscribe::Subscriber;

pub use data::Packet;
pub use join::Update;

/// One room on one server.
#[derive(Debug)]
pub struct Connection {
    options: Options,
    ids: Ids,
    token: Secret,
    born: Instant,
    signal: Signal,
    /// What the last joining gave.
    session: Option<Session>,
    /// The connection is not, or not yet reliably, what it should be.
    attempts: Option<Attempts>,
    /// When a media connection lost its path.
    interrupted: Option<Instant>,
    roster: Roster,
    publisher: Publisher,
    subscriber: Subscriber,
    keys: Keys,
    packets: Packets,
    refusal: Option<Pii<String>>,
    outputs: VecDeque<Output>,
    bad_messages: u64,
    next_request: u32,
    ended: bool,
}

impl Connection {
    /// Begins to join; the first outputs are ready when this returns.
    #[must_use]
    pub fn new(options: Options, ids: Ids, now: Now) -> Self {
        let mut connection = Self {
            token: options.token.clone(),
            publisher: Publisher::new(&options.publish),
            options,
            ids,
            born: now.mono,
            signal: Signal::new(now.mono),
            session: None,
            attempts: None,
            interrupted: None,
            roster: Roster::default(),
            subscriber: Subscriber::default(),
            keys: Keys::default(),
            packets: Packets::default(),
            refusal: None,
            outputs: VecDeque::new(),
            bad_messages: 0,
            next_request: 1,
            ended: false,
        };
        connection.open(now);
        connection
    }

    /// Something happened on a channel; false when it is none of this connection's.
    pub fn handle_channel(&mut self, channel: ChannelId, event: &ChannelEvent, now: Now) -> bool {
        let own = !self.ended && self.signal.channel() == Some(channel);
        if own {
            self.channel_event(event, now);
            self.advance(now);
        }
        own
    }

    /// The media engine has news; false when they are none of this connection's.
    pub fn handle_media(&mut self, event: &MediaEvent, now: Now) -> bool {
        let own = !self.ended && self.concerns(event);
        if own {
            self.media_event(event, now);
            self.advance(now);
        }
        own
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Now) {
        if !self.ended {
            self.expire(now);
            self.advance(now);
        }
    }

    /// The next effect, or none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Connection::handle_timeout`], and what for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.ended {
            return None;
        }
        let due = [self.signal_due(), self.attempts_due(), self.publisher_due()];
        due.into_iter().flatten().min()
    }

    /// Messages that did not parse or made no sense, so far.
    #[must_use]
    pub const fn bad_messages(&self) -> u64 {
        self.bad_messages
    }

    /// Whether [`Event::Ended`] was said.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Who the room is on this server; none before it joined.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.session.as_ref().map(|session| &session.identity)
    }

    /// Who else takes part, as [`Event::Participant`] told.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.roster.told()
    }

    /// What the room receives.
    pub fn tracks(&self) -> impl Iterator<Item = Track> {
        let bound = self.subscriber.bound().iter();
        bound.map(|bound| bound.track.clone())
    }

    /// How long a message to the server and back takes.
    #[must_use]
    pub const fn round_trip(&self) -> Option<Duration> {
        self.signal.round_trip
    }

    /// What the server said when it last refused a channel.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Pii<String>> {
        self.refusal.as_ref()
    }

    /// Replaces the token that the next attempt uses. The server's own newer tokens are taken without
    /// this.
    pub fn set_token(&mut self, token: Secret) {
        self.token = token;
    }

    /// Leaves; [`Event::Ended`] follows at once.
    pub fn leave(&mut self) {
        if !self.ended {
            self.say_goodbye();
            self.end(Ended::Left);
        }
    }

    /// Goes on with whatever waits for a state that may have come.
    fn advance(&mut self, now: Now) {
        if self.ended {
            return;
        }
        self.settle(now);
        self.advance_publisher(now);
        self.sync_mutes();
        self.select_tracks();
        self.bind();
        self.sync_settings();
        self.tell_participants();
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn media(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }

    fn bad(&mut self) {
        self.bad_messages = self.bad_messages.saturating_add(1);
    }

    fn fresh_request(&mut self) -> u32 {
        let request = self.next_request;
        // Zero would be none.
        self.next_request = request.checked_add(1).unwrap_or(1);
        request
    }

    /// Says something to the server; false when there is no way to.
    fn say(&mut self, request: Request) -> bool {
        let Some(channel) = self.signal.up() else {
            return false;
        };
        let bytes = Pii::new(crate::wire::request(request));
        let output = Output::Channel(channel, ChannelCommand::Binary(bytes));
        self.outputs.push_back(output);
        true
    }
}
