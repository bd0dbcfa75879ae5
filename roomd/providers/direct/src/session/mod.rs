// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One direct meeting.
//!
//! `door` holds what happens before a guest is admitted, `guest` what a guest is, `relay` what
//! admitted guests say, `media` their connections with the room.

mod door;
mod guest;
mod media;
mod relay;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Ended, Event, IceServer, Input, MediaCommand,
    Output, Session,
};
use roomd_model::{ChatMessage, E2ee, FaultCode, Now, Participant, ParticipantId, Pii, Secret};

use crate::limit::Bucket;
use crate::random::Random;
use crate::text;
use crate::wire::{FromGuest, Member, ROOM, RefuseReason, ToGuest, VERSION};

use door::Waiter;
use guest::{Departed, Guest};

/// A channel that says nothing for this long is closed.
const HELLO_LIMIT: Duration = Duration::from_secs(15);
/// A channel whose person is asked for the password is closed this long after it was opened.
const PASSWORD_LIMIT: Duration = Duration::from_secs(5 * 60);
/// Wrong passwords that a meeting takes at once over all channels, and in each second after that.
const WRONG_PASSWORDS: f64 = 20.0;
const WRONG_PASSWORDS_PER_SECOND: f64 = 20.0 / 60.0;
/// A guest without a channel leaves the meeting after this long.
const LOST_LIMIT: Duration = Duration::from_secs(30);
/// A guest without a channel may come back without the lobby for this long.
const RESUME_LIMIT: Duration = Duration::from_secs(60);
/// Messages that do not parse or make no sense, on one channel.
const MAX_BAD: u8 = 3;
/// Channels at once, admitted or not.
const MAX_CHANNELS: usize = 64;
/// Messages a channel may send at once, and in each second after that.
const BURST: f64 = 120.0;
const PER_SECOND: f64 = 40.0;
/// Bytes that count as one more message.
const BYTES_PER_TOKEN: usize = 4096;
const MAX_TEXT: usize = 64 * 1024;

/// What a meeting is made of.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) room_name: String,
    pub(crate) password: Option<Secret>,
    pub(crate) max_guests: usize,
    pub(crate) ice_servers: Vec<IceServer>,
}

/// One direct meeting, as the room holds it.
#[derive(Debug)]
pub(crate) struct DirectSession {
    setup: Setup,
    random: Random,
    streams: Arc<AtomicU32>,
    next_peer: u32,
    next_chat: u32,
    outputs: VecDeque<Output>,
    channels: BTreeMap<ChannelId, Channel>,
    waiting: Vec<Waiter>,
    guests: Vec<Guest>,
    departed: Vec<Departed>,
    room: Member,
    wanted_height: Option<u32>,
    /// Wrong passwords that are still allowed.
    wrong_passwords: Bucket,
    bad_messages: u64,
    ended: bool,
    told: Told,
}

/// What the room was told last, so that it hears of changes only.
#[derive(Debug, Default)]
struct Told {
    participants: Vec<Participant>,
    waiting: Vec<Participant>,
    e2ee: E2ee,
}

#[derive(Debug)]
struct Channel {
    opened: Instant,
    bucket: Bucket,
    bad: u8,
    wrong_passwords: u8,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing but `hello` is understood.
    New { until: Instant },
    /// In the lobby, under this id.
    Waiting(ParticipantId),
    /// In the meeting.
    Admitted(ParticipantId),
}

impl DirectSession {
    pub(crate) fn new(setup: Setup, random: Random, streams: Arc<AtomicU32>, now: Now) -> Self {
        let room = Member {
            id: ParticipantId(ROOM.to_owned()),
            name: Pii::new(setup.room_name.clone()),
            microphone: false,
            camera: false,
            sharing: false,
            hand: false,
        };
        Self {
            setup,
            random,
            streams,
            next_peer: 0,
            next_chat: 0,
            outputs: VecDeque::from([Output::Event(Event::Joined)]),
            channels: BTreeMap::new(),
            waiting: Vec::new(),
            guests: Vec::new(),
            departed: Vec::new(),
            room,
            wanted_height: None,
            wrong_passwords: Bucket::new(WRONG_PASSWORDS, WRONG_PASSWORDS_PER_SECOND, now.mono),
            bad_messages: 0,
            ended: false,
            told: Told::default(),
        }
    }
}

impl Session for DirectSession {
    fn handle(&mut self, input: Input, now: Now) {
        if self.ended {
            return;
        }
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Channel(channel, event) => self.channel_event(channel, event, now),
            Input::Media(event) => self.media_event(event, now),
            Input::Timeout => self.expire(now),
        }
        if !self.ended {
            self.admit_cleared(now);
            self.tell();
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.ended {
            return None;
        }
        let hello = self.channels.values().filter_map(|channel| {
            let Stage::New { until } = channel.stage else {
                return None;
            };
            Some((until, "hello"))
        });
        let lost = self.guests.iter().filter_map(|guest| guest.lost_at);
        let lost = lost.map(|at| (at + LOST_LIMIT, "guest lost"));
        let departed = self.departed.iter().map(|gone| (gone.until, "resume"));
        hello.chain(lost).chain(departed).min()
    }

    fn bad_messages(&self) -> u64 {
        self.bad_messages
    }
}

impl DirectSession {
    fn command(&mut self, command: Command, now: Now) {
        match command {
            Command::Admit(id) => self.admit(&id, now),
            Command::Deny(id) => self.deny(&id),
            Command::Remove(id) => self.remove(&id, RefuseReason::Removed),
            Command::Sending { microphone, camera } => {
                self.room.microphone = microphone;
                self.room.camera = camera;
                self.tell_room();
            }
            Command::Content(on) => {
                self.room.sharing = on;
                self.tell_room();
            }
            Command::Hand(raised) => {
                self.room.hand = raised;
                self.tell_room();
            }
            Command::Chat(line) => {
                if let Some(line) = text::chat(line.expose()) {
                    self.chat(None, Pii::new(line), now);
                }
            }
            // The room hosts the meeting; nobody asks it for a password.
            Command::Password(_) => {}
            Command::WantedHeight(lines) => self.want_height(lines),
            // Guests send one picture to all, so the largest that anybody shows decides.
            Command::Shown(_) => {}
            Command::Leave { returning } => self.leave(returning),
        }
    }

    fn channel_event(&mut self, id: ChannelId, event: ChannelEvent, now: Now) {
        match event {
            ChannelEvent::Opened => self.open(id, now),
            ChannelEvent::Text(text) => self.text(id, &text, now),
            ChannelEvent::Closed => self.closed(id, now),
            // Guests speak text, and this platform opens no channel itself.
            ChannelEvent::Binary(_) | ChannelEvent::Response { .. } | ChannelEvent::Refused(_) => {
                self.bad(id);
            }
        }
    }

    fn open(&mut self, id: ChannelId, now: Now) {
        if self.channels.contains_key(&id) {
            return;
        }
        if self.channels.len() >= MAX_CHANNELS {
            let reason = RefuseReason::TooMany;
            self.send_on(id, &ToGuest::Refused { reason });
            self.outputs
                .push_back(Output::Channel(id, ChannelCommand::Close));
            return;
        }
        let until = now.mono + HELLO_LIMIT;
        let channel = Channel {
            opened: now.mono,
            bucket: Bucket::new(BURST, PER_SECOND, now.mono),
            bad: 0,
            wrong_passwords: 0,
            stage: Stage::New { until },
        };
        self.channels.insert(id, channel);
    }

    fn text(&mut self, id: ChannelId, text: &Pii<String>, now: Now) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let text = text.expose();
        let extra = u32::try_from(text.len() / BYTES_PER_TOKEN).unwrap_or(u32::MAX);
        if !channel.bucket.take(1.0 + f64::from(extra), now.mono) {
            return self.drop_channel(id, RefuseReason::TooMany);
        }
        if text.len() > MAX_TEXT {
            return self.bad(id);
        }
        let stage = channel.stage.clone();
        let Ok(message) = serde_json::from_str::<FromGuest>(text) else {
            return self.unreadable(id, text);
        };
        match stage {
            Stage::New { .. } => self.knock(id, message, now),
            Stage::Waiting(guest) => self.waiter_says(id, &guest, &message),
            Stage::Admitted(guest) => self.guest_says(id, &guest, message, now),
        }
    }

    /// A `hello` of another version may have another shape; its sender is told to reload.
    fn unreadable(&mut self, id: ChannelId, text: &str) {
        #[derive(serde::Deserialize)]
        struct AnyHello {
            r#type: String,
            version: u32,
        }
        match serde_json::from_str::<AnyHello>(text) {
            Ok(hello) if hello.r#type == "hello" && hello.version != VERSION => {
                self.bad_messages += 1;
                self.drop_channel(id, RefuseReason::Version);
            }
            Ok(_) | Err(_) => self.bad(id),
        }
    }

    /// Counts a message that does not parse or makes no sense.
    fn bad(&mut self, id: ChannelId) {
        self.bad_messages += 1;
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.bad += 1;
        if channel.bad >= MAX_BAD {
            self.drop_channel(id, RefuseReason::BadMessage);
        }
    }

    /// Drops whoever is behind a channel, alone and for good.
    fn drop_channel(&mut self, id: ChannelId, reason: RefuseReason) {
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        match channel.stage.clone() {
            Stage::New { .. } => self.refuse(id, reason),
            Stage::Waiting(guest) => {
                self.waiting.retain(|waiter| waiter.id != guest);
                self.refuse(id, reason);
                self.fault(FaultCode::GuestDropped);
            }
            Stage::Admitted(guest) => {
                self.remove(&guest, reason);
                self.fault(FaultCode::GuestDropped);
            }
        }
    }

    fn refuse(&mut self, id: ChannelId, reason: RefuseReason) {
        self.send_on(id, &ToGuest::Refused { reason });
        self.close(id);
    }

    fn close(&mut self, id: ChannelId) {
        if self.channels.remove(&id).is_some() {
            self.outputs
                .push_back(Output::Channel(id, ChannelCommand::Close));
        }
    }

    fn expire(&mut self, now: Now) {
        let silent: Vec<_> = self
            .channels
            .iter()
            .filter(|(_, channel)| match channel.stage {
                Stage::New { until } => until <= now.mono,
                Stage::Waiting(_) | Stage::Admitted(_) => false,
            })
            .map(|(id, _)| *id)
            .collect();
        for id in silent {
            self.refuse(id, RefuseReason::TooSlow);
        }
        let lost = self
            .guests
            .iter()
            .filter(|guest| guest.lost_at.is_some_and(|at| at + LOST_LIMIT <= now.mono));
        let lost: Vec<_> = lost.map(|guest| guest.id.clone()).collect();
        for id in lost {
            self.part(&id, true);
        }
        self.departed.retain(|gone| gone.until > now.mono);
    }

    /// Guests who are not told that the meeting is over dial again until the room is back.
    fn leave(&mut self, returning: bool) {
        let channels: Vec<_> = self.channels.keys().copied().collect();
        for id in channels {
            if !returning {
                self.send_on(id, &ToGuest::Ended);
            }
            self.close(id);
        }
        for guest in std::mem::take(&mut self.guests) {
            self.close_link(guest.link);
        }
        self.waiting.clear();
        self.departed.clear();
        self.ended = true;
        self.event(Event::Ended(Ended::Left));
    }

    fn tell(&mut self) {
        let waiting: Vec<_> = self.waiting.iter().map(Waiter::participant).collect();
        if waiting != self.told.waiting {
            self.told.waiting.clone_from(&waiting);
            self.event(Event::Waiting(waiting));
        }
        let participants: Vec<_> = self.guests.iter().map(Guest::participant).collect();
        let verified = participants
            .iter()
            .all(|guest| guest.e2ee == E2ee::Verified);
        let e2ee = if verified && !participants.is_empty() {
            E2ee::Verified
        } else {
            E2ee::Pending
        };
        if participants != self.told.participants {
            self.told.participants.clone_from(&participants);
            self.event(Event::Participants(participants));
        }
        if e2ee != self.told.e2ee {
            self.told.e2ee = e2ee;
            self.event(Event::E2ee(e2ee));
        }
    }

    fn chat(&mut self, from: Option<&ParticipantId>, text: Pii<String>, now: Now) {
        let author = from.and_then(|id| self.guests.iter().find(|guest| guest.id == *id));
        let name = author.map_or_else(|| self.room.name.clone(), |guest| guest.name.clone());
        let message = ChatMessage {
            id: self.next_chat,
            from: from.cloned(),
            name: name.clone(),
            text: text.clone(),
            at: now.utc,
        };
        self.next_chat = self.next_chat.wrapping_add(1);
        self.event(Event::Chat(message));
        self.broadcast(&ToGuest::Chat {
            from: from.unwrap_or(&self.room.id).clone(),
            name,
            text,
            at: now.utc,
        });
    }

    fn want_height(&mut self, lines: u32) {
        let lines = [180, 360, 720]
            .into_iter()
            .find(|step| lines <= *step)
            .unwrap_or(1080);
        if self.wanted_height != Some(lines) {
            self.wanted_height = Some(lines);
            self.broadcast(&ToGuest::WantedHeight { lines });
        }
    }

    fn tell_room(&mut self) {
        let member = self.room.clone();
        self.broadcast(&ToGuest::Member { member });
    }

    fn broadcast(&mut self, message: &ToGuest) {
        let channels: Vec<_> = self
            .guests
            .iter()
            .filter_map(|guest| guest.channel)
            .collect();
        for id in channels {
            self.send_on(id, message);
        }
    }

    fn send_on(&mut self, id: ChannelId, message: &ToGuest) {
        // Every message of this protocol can be written as JSON; an error would lose this one only.
        if let Ok(text) = serde_json::to_string(message) {
            let command = ChannelCommand::Text(Pii::new(text));
            self.outputs.push_back(Output::Channel(id, command));
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn media_command(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }

    fn fault(&mut self, code: FaultCode) {
        self.event(Event::Fault(code));
    }
}
