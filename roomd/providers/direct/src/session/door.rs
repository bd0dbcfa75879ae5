// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From an open channel to a guest in the meeting.

use roomd_conference::ChannelId;
use roomd_model::{Connection, E2ee, Now, Participant, ParticipantId, Pii, Secret};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::guest::Guest;
use super::{DirectSession, PASSWORD_LIMIT, Stage};
use crate::text;
use crate::wire::{FromGuest, RefuseReason, ToGuest, VERSION, WaitReason};

const MAX_WRONG_PASSWORDS: u8 = 5;
const MAX_WAITING: usize = 20;

/// Someone who is not in the meeting yet.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) id: ParticipantId,
    pub(super) name: Pii<String>,
    pub(super) channel: ChannelId,
    /// May enter without being asked again, as soon as there is room.
    pub(super) cleared: bool,
}

impl Waiter {
    pub(super) fn participant(&self) -> Participant {
        Participant {
            id: self.id.clone(),
            name: self.name.clone(),
            microphone: false,
            camera: false,
            sharing: false,
            hand: false,
            reaction: None,
            speaking: false,
            connection: Connection::Connecting,
            e2ee: E2ee::Pending,
        }
    }
}

impl DirectSession {
    /// The first message of a channel, and each further try with a password.
    pub(super) fn knock(&mut self, channel: ChannelId, message: FromGuest, now: Now) {
        if message == FromGuest::Bye {
            return self.close(channel);
        }
        let FromGuest::Hello {
            version,
            name,
            password,
            resume,
        } = message
        else {
            return self.bad(channel);
        };
        if version != VERSION {
            return self.refuse(channel, RefuseReason::Version);
        }
        let Some(name) = text::name(name.expose()).map(Pii::new) else {
            return self.refuse(channel, RefuseReason::BadMessage);
        };
        if resume.is_some_and(|token| self.resume(channel, &name, &token, now)) {
            return;
        }
        if self.password_fits(channel, password.as_ref(), now) {
            let id = self.fresh_guest_id();
            self.wait(channel, id, name, false);
        }
    }

    pub(super) fn waiter_says(
        &mut self,
        channel: ChannelId,
        id: &ParticipantId,
        message: &FromGuest,
    ) {
        if *message == FromGuest::Bye {
            self.waiting.retain(|waiter| waiter.id != *id);
            self.close(channel);
        } else {
            self.bad(channel);
        }
    }

    fn password_fits(&mut self, id: ChannelId, given: Option<&Secret>, now: Now) -> bool {
        let Some(expected) = &self.setup.password else {
            return true;
        };
        let tried = given.is_some();
        // Whoever guesses on many channels must not learn that a guess was right either.
        if tried && !self.wrong_passwords.has(1.0, now.mono) {
            self.refuse(id, RefuseReason::TooMany);
            return false;
        }
        if given.is_some_and(|given| same_secret(expected, given)) {
            return true;
        }
        if tried {
            self.wrong_passwords.take(1.0, now.mono);
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return false;
        };
        // From here on a person types, which takes longer than a page needs to say hello.
        let until = channel.opened + PASSWORD_LIMIT;
        channel.stage = Stage::New { until };
        channel.wrong_passwords += u8::from(tried);
        if channel.wrong_passwords >= MAX_WRONG_PASSWORDS {
            self.refuse(id, RefuseReason::TooMany);
        } else {
            self.send_on(id, &ToGuest::PasswordRequired { wrong: tried });
        }
        false
    }

    /// Lets somebody back in who was in the meeting a moment ago; false for a token that is none.
    fn resume(&mut self, id: ChannelId, name: &Pii<String>, token: &Secret, now: Now) -> bool {
        let here = self
            .guests
            .iter()
            .find(|guest| same_secret(&guest.resume, token));
        if let Some(guest) = here {
            let guest = guest.id.clone();
            self.take_over(id, &guest);
            return true;
        }
        let gone = self
            .departed
            .iter()
            .position(|gone| gone.until > now.mono && same_secret(&gone.resume, token));
        let Some(index) = gone else {
            return false;
        };
        let gone = self.departed.remove(index);
        self.wait(id, gone.id, name.clone(), true);
        true
    }

    /// The guest's new channel replaces the one that was lost, or is about to be found lost.
    fn take_over(&mut self, id: ChannelId, guest: &ParticipantId) {
        let token = self.fresh_token();
        let Some(found) = self.guests.iter_mut().find(|other| other.id == *guest) else {
            return;
        };
        let old = found.channel.replace(id);
        found.lost_at = None;
        found.resume = token;
        if let Some(old) = old {
            self.close(old);
        }
        self.set_stage(id, Stage::Admitted(guest.clone()));
        self.welcome(guest);
    }

    fn wait(&mut self, channel: ChannelId, id: ParticipantId, name: Pii<String>, cleared: bool) {
        if self.waiting.len() >= MAX_WAITING {
            return self.refuse(channel, RefuseReason::TooMany);
        }
        self.set_stage(channel, Stage::Waiting(id.clone()));
        if !cleared || self.is_full() {
            let reason = if cleared {
                WaitReason::Full
            } else {
                WaitReason::Lobby
            };
            self.tell_waiter(channel, reason);
        }
        self.waiting.push(Waiter {
            id,
            name,
            channel,
            cleared,
        });
    }

    pub(super) fn admit(&mut self, id: &ParticipantId, now: Now) {
        let Some(waiter) = self.waiting.iter_mut().find(|waiter| waiter.id == *id) else {
            return;
        };
        let news = !std::mem::replace(&mut waiter.cleared, true);
        let channel = waiter.channel;
        if !self.is_full() {
            self.admit_cleared(now);
        } else if news {
            self.tell_waiter(channel, WaitReason::Full);
        }
    }

    pub(super) fn deny(&mut self, id: &ParticipantId) {
        let Some(index) = self.waiting.iter().position(|waiter| waiter.id == *id) else {
            return;
        };
        let waiter = self.waiting.remove(index);
        self.refuse(waiter.channel, RefuseReason::Denied);
    }

    /// Fills the meeting with those who may enter, in order of arrival.
    pub(super) fn admit_cleared(&mut self, now: Now) {
        while !self.is_full() {
            let Some(index) = self.waiting.iter().position(|waiter| waiter.cleared) else {
                return;
            };
            let waiter = self.waiting.remove(index);
            let id = waiter.id.clone();
            self.set_stage(waiter.channel, Stage::Admitted(id.clone()));
            let resume = self.fresh_token();
            self.guests.push(Guest::new(waiter, resume, now));
            self.welcome(&id);
            self.tell_member(&id);
        }
    }

    fn welcome(&mut self, id: &ParticipantId) {
        let Some(guest) = self.guests.iter().find(|guest| guest.id == *id) else {
            return;
        };
        let Some(channel) = guest.channel else {
            return;
        };
        let others = self.guests.iter().filter(|other| other.id != *id);
        let room = std::iter::once(self.room.clone());
        let stun = self.setup.ice_servers.iter().map(|server| &server.url);
        let message = ToGuest::Welcome {
            id: id.clone(),
            room_name: self.setup.room_name.clone(),
            ice_servers: stun
                .filter(|url| url.starts_with("stun:"))
                .cloned()
                .collect(),
            members: room.chain(others.map(Guest::member)).collect(),
            resume: guest.resume.clone(),
        };
        let moved = guest.link.as_ref().is_some_and(|link| link.moved);
        self.send_on(channel, &message);
        if moved {
            // The channel over which it was said may have gone with the old address.
            self.send_on(channel, &ToGuest::Restart);
        }
        if let Some(lines) = self.wanted_height {
            self.send_on(channel, &ToGuest::WantedHeight { lines });
        }
    }

    fn is_full(&self) -> bool {
        self.guests.len() >= self.setup.max_guests
    }

    fn set_stage(&mut self, id: ChannelId, stage: Stage) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.stage = stage;
        }
    }

    fn tell_waiter(&mut self, channel: ChannelId, reason: WaitReason) {
        let room_name = self.setup.room_name.clone();
        self.send_on(channel, &ToGuest::Waiting { reason, room_name });
    }

    fn fresh_guest_id(&mut self) -> ParticipantId {
        ParticipantId(format!("g-{}", self.random.characters(12)))
    }

    fn fresh_token(&mut self) -> Secret {
        Secret::new(self.random.characters(32))
    }
}

/// Compares by digest, in a time that depends on neither value.
fn same_secret(one: &Secret, other: &Secret) -> bool {
    let digest = |secret: &Secret| Sha256::digest(secret.expose().as_bytes());
    digest(one)
        .as_slice()
        .ct_eq(digest(other).as_slice())
        .into()
}
