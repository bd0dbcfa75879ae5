// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the account answers and tells: into the Matrix room, and who is in its call.

use std::collections::BTreeSet;
use std::time::Duration;

use roomd_conference::{Ended, Event};
use roomd_matrix_port::{
    Ask, Call, Done, Failure, JoinedRoom, KnockOutcome, Me, News, Recipient, RoomGone,
};
use roomd_model::{FaultCode, Now, Secret};

use super::account::Purpose;
use super::keys::{self, MESSAGE};
use super::people::Mode;
use super::stay::{Failed, Stay, Step};
use super::{Again, MatrixRtcSession, Stage, millis, name, waiting};
use crate::members;

/// After a failure that may pass.
const AGAIN: Duration = Duration::from_secs(2);
/// Devices that were not reached are tried so often.
const ATTEMPTS: u32 = 5;
/// Clocks that differ by more than this make tokens and memberships fail, in milliseconds.
const SKEW: u64 = 5 * 60 * 1000;

impl MatrixRtcSession {
    pub(super) fn once_more(&mut self, again: Again, now: Now) {
        match again {
            Again::Join => self.join(),
            Again::Transports => self.ask(Ask::Transports, Purpose::Transports),
            Again::OpenId if self.account.awaits(&Purpose::OpenId) => {}
            Again::OpenId => self.ask(Ask::OpenIdToken, Purpose::OpenId),
            Again::Key { index, attempt, to } => {
                // Who has left meanwhile gets nothing, and an old key is of no use.
                let newest = self.keys.newest().is_some_and(|key| key.index == index);
                let there = |device: &Recipient| self.members.iter().any(|it| it.device == *device);
                let to: Vec<_> = to.into_iter().filter(there).collect();
                if newest && !to.is_empty() {
                    self.tell_key(to, attempt, now);
                }
            }
        }
    }

    fn join(&mut self) {
        let Some(target) = &self.setup.target else {
            return;
        };
        let ask = Ask::Join {
            room: target.room.clone(),
            via: target.via.clone(),
            reason: Some(self.setup.room_name.clone()),
        };
        self.ask(ask, Purpose::Join);
    }

    pub(super) fn news(&mut self, news: News, now: Now) {
        match news {
            News::Online(me) => self.online(me),
            News::Offline => {}
            News::Ended(_) => self.fail(FaultCode::AccountRefused),
            News::Knock { room, outcome } => self.knock(&room, outcome),
            News::Gone { room, why } if self.is_here(&room) => match why {
                RoomGone::Kicked | RoomGone::Banned => {
                    self.fail(FaultCode::RemovedFromMeeting);
                }
                RoomGone::Left => self.end(Ended::Left),
            },
            News::Call(call) if self.is_here(&call.room) => self.call(&call, now),
            News::Room { room, info } if self.is_here(&room) => {
                let here = self.room.as_mut();
                let before = here.map(|here| std::mem::replace(&mut here.info, info.clone()));
                let renamed = before.is_some_and(|before| before.name != info.name);
                if renamed && !info.name.expose().is_empty() {
                    self.event(Event::Title(info.name));
                }
            }
            News::ToDevice {
                sender,
                device,
                kind,
                content,
                ..
            } => {
                if kind == MESSAGE {
                    let from = Recipient {
                        user: sender,
                        device,
                    };
                    self.key_arrived(from, content.expose());
                }
            }
            News::Message {
                room,
                sender,
                name,
                text,
                ts,
                own,
                ..
            } if self.is_here(&room) => self.said(&sender, name, text, (ts, own), now),
            News::Reaction {
                room,
                event,
                target,
                key,
                ..
            } if self.is_here(&room) => self.reacted(&target, &key, event),
            News::Redacted { room, event, .. } if self.is_here(&room) => self.redacted(&event),
            News::Emoji {
                room,
                target,
                emoji,
                ..
            } if self.is_here(&room) => self.people.reacted(&target, emoji, now.mono),
            News::Message { .. } | News::Reaction { .. } | News::Redacted { .. } => {}
            News::Emoji { .. } | News::Gone { .. } | News::Call(_) | News::Room { .. } => {}
        }
    }

    fn is_here(&self, room: &roomd_matrix_port::RoomId) -> bool {
        self.room.as_ref().is_some_and(|here| here.room == *room)
    }

    fn online(&mut self, me: Me) {
        let same = self
            .me
            .as_ref()
            .is_none_or(|known| known.device == me.device);
        self.me = Some(me);
        if !same {
            // Memberships and keys are a device's; another one begins anew.
            return self.fail(FaultCode::ConnectionLost);
        }
        // The account watches a room for as long as the channel is open.
        if !self.account.awaits(&Purpose::Join) && !matches!(self.stage, Stage::Leaving { .. }) {
            self.join();
        }
        if self.transport.is_none() && !self.account.awaits(&Purpose::Transports) {
            self.ask(Ask::Transports, Purpose::Transports);
        }
        if self.open_id.is_none() && !self.account.awaits(&Purpose::OpenId) {
            self.ask(Ask::OpenIdToken, Purpose::OpenId);
        }
    }

    pub(super) fn answer(&mut self, purpose: Purpose, result: Result<Done, Failure>, now: Now) {
        match (purpose, result) {
            (Purpose::Join, Ok(Done::Joined(room))) => self.entered(room, now),
            (Purpose::Join, Ok(Done::Knocked { room })) => self.knocked(room),
            (Purpose::Join, Err(failure)) => self.refused(failure, now),
            (Purpose::Transports, Ok(Done::Transports(all))) => {
                match all.into_iter().next() {
                    Some(transport) => self.transport = Some(transport.livekit_service_url),
                    None => self.fail(FaultCode::TransportMissing),
                }
                self.begin(now);
            }
            (Purpose::Transports, Err(failure)) if failure.is_retryable() => {
                self.again.push((now.mono + AGAIN, Again::Transports));
            }
            (Purpose::Transports, Err(_)) => self.fail(FaultCode::TransportMissing),
            (Purpose::OpenId, Ok(Done::OpenId(token))) => {
                let lasts = Duration::from_secs(token.expires_in / 2);
                self.open_id = Some((token, now.mono + lasts));
            }
            (Purpose::DelayLeave | Purpose::Membership | Purpose::RestartLeave, _)
                if self.stay.is_none() => {}
            (
                purpose @ (Purpose::DelayLeave | Purpose::Membership | Purpose::RestartLeave),
                result,
            ) => {
                self.stayed(&purpose, result, now);
            }
            (Purpose::Key { index, attempt }, result) => self.key_told(index, attempt, result, now),
            (Purpose::Hand, Ok(Done::Sent { event })) => self.hand_raised(event),
            (Purpose::Leave, _) => {
                if !self.account.awaits(&Purpose::Leave) {
                    self.end(Ended::Left);
                }
            }
            (Purpose::Chat, Err(_)) => self.event(Event::Fault(FaultCode::MessageNotSent)),
            (Purpose::OpenId, Err(_)) => self.again.push((now.mono + AGAIN, Again::OpenId)),
            (Purpose::Hand | Purpose::Nothing, Err(_)) | (Purpose::Chat, Ok(_)) => {}
            (Purpose::Nothing, Ok(_)) => {}
            (Purpose::Join | Purpose::Transports | Purpose::OpenId | Purpose::Hand, Ok(_)) => {
                self.bad += 1;
            }
        }
    }

    fn refused(&mut self, failure: Failure, now: Now) {
        let code = match failure {
            Failure::Unreachable | Failure::TooMany { .. } => {
                return self.again.push((now.mono + AGAIN, Again::Join));
            }
            Failure::UnknownRoom | Failure::Gone => FaultCode::MeetingUnknown,
            Failure::InviteOnly | Failure::Banned | Failure::Forbidden | Failure::NotInRoom => {
                FaultCode::MeetingRefused
            }
            Failure::BadRequest => FaultCode::LinkBroken,
            Failure::Account(_) => FaultCode::AccountRefused,
            Failure::Unsupported | Failure::Status { .. } | Failure::Encryption => {
                FaultCode::MeetingUnreachable
            }
        };
        self.fail(code);
    }

    fn knocked(&mut self, room: roomd_matrix_port::RoomId) {
        if self.stage == Stage::Entering {
            self.stage = Stage::Knocking(room);
            self.event(Event::Lobby);
        }
    }

    fn knock(&mut self, room: &roomd_matrix_port::RoomId, outcome: KnockOutcome) {
        if !matches!(&self.stage, Stage::Knocking(knocked) if knocked == room) {
            return;
        }
        match outcome {
            KnockOutcome::Invited => self.join(),
            KnockOutcome::Denied => self.fail(FaultCode::KnockDenied),
        }
    }

    fn entered(&mut self, room: JoinedRoom, now: Now) {
        if self.room.is_some() {
            // Again, after the channel to the account was lost: it watches the room from here on.
            return;
        }
        let allowed = room.info.can_call;
        let title = room.info.name.clone();
        self.room = Some(room);
        if !title.expose().is_empty() {
            self.event(Event::Title(title));
        }
        if !allowed {
            return self.fail(FaultCode::CallNotAllowed);
        }
        self.decide(now);
    }

    /// How the meeting is encrypted follows from link and room.
    fn decide(&mut self, now: Now) {
        let encrypted = self.room.as_ref().is_some_and(|room| room.info.encrypted);
        self.mode = if self.setup.password.is_some() {
            Some(Mode::Shared)
        } else if encrypted {
            Some(Mode::Each)
        } else if self.setup.protected
            || self.setup.encryption_required && self.setup.takes_password
        {
            self.stage = Stage::Password;
            return self.event(Event::PasswordRequired { wrong: false });
        } else if self.setup.encryption_required {
            return self.fail(FaultCode::EncryptionMissing);
        } else {
            Some(Mode::Plain)
        };
        self.stage = Stage::Inside;
        if self.mode == Some(Mode::Each) {
            self.keys.begin(&mut self.random, now.mono);
        }
        self.begin(now);
    }

    pub(super) fn password(&mut self, password: Secret, now: Now) {
        if self.stage == Stage::Password && !password.expose().is_empty() {
            self.setup.password = Some(password);
            self.decide(now);
        }
    }

    /// Into the call, once it is known how and where.
    fn begin(&mut self, now: Now) {
        let (Some(room), Some(transport), Stage::Inside) =
            (&self.room, &self.transport, &self.stage)
        else {
            return;
        };
        if self.stay.is_none() {
            let utc = self.server_time(now);
            self.stay = Some(Stay::new(room.clone(), transport.clone(), now.mono, utc));
            self.servers.begin(transport.clone(), now.mono);
        }
    }

    /// The server's clock, in milliseconds.
    fn server_time(&self, now: Now) -> u64 {
        millis(now).saturating_add_signed(self.clock)
    }

    pub(super) fn step_stay(&mut self, now: Now) {
        while let Some(step) = self.stay.as_mut().and_then(|stay| stay.step(now.mono)) {
            match step {
                Step::DelayLeave(ask) => self.ask(ask, Purpose::DelayLeave),
                Step::Member(ask) => self.ask(ask, Purpose::Membership),
                Step::Word(ask) => self.ask(ask, Purpose::RestartLeave),
            }
        }
    }

    fn stayed(&mut self, purpose: &Purpose, result: Result<Done, Failure>, now: Now) {
        let Some(stay) = &mut self.stay else { return };
        match (purpose, result) {
            (Purpose::DelayLeave, Ok(Done::Delayed { delay, delay_ms })) => {
                stay.delayed(delay, delay_ms, now.mono);
            }
            (Purpose::DelayLeave, Err(Failure::Unsupported)) => stay.undelayed(now.mono),
            (Purpose::Membership, Ok(Done::Sent { event })) => {
                stay.announced(event, now.mono);
                self.raise_again();
                self.joined();
            }
            (Purpose::RestartLeave, Ok(_)) => stay.heard(now.mono),
            (Purpose::RestartLeave, Err(Failure::Gone)) => stay.lost(now.mono),
            (Purpose::DelayLeave | Purpose::Membership, Err(Failure::Forbidden)) => {
                self.fail(FaultCode::CallNotAllowed);
            }
            (Purpose::DelayLeave, _) => stay.failed(Failed::DelayLeave, now.mono),
            (Purpose::Membership, _) => stay.failed(Failed::Member, now.mono),
            (_, _) => stay.failed(Failed::Word, now.mono),
        }
    }

    /// A snapshot of the call.
    fn call(&mut self, call: &Call, now: Now) {
        let Some(me) = self.me.clone() else { return };
        let own = |user: &roomd_matrix_port::UserId, device: &str| {
            *user == me.user && device == me.device.expose()
        };
        let read = members::read(call, self.server_time(now));
        self.bad += read.bad;
        let (mine, others): (Vec<_>, Vec<_>) = read
            .all
            .into_iter()
            .partition(|it| own(&it.device.user, it.device.device.expose()));
        let stands = self.stay.as_ref().and_then(Stay::event).cloned();
        let mine = mine.iter().find(|it| Some(&it.event) == stands.as_ref());
        if let Some(mine) = mine {
            self.compare_clocks(mine.since, now);
        }
        if let Some(stay) = &mut self.stay {
            stay.snapshot(mine.is_some(), now.mono);
        }
        for gone in &self.members {
            if !others.iter().any(|it| it.device == gone.device) {
                self.keys.forget(&gone.device);
            }
        }
        self.members = others;
        let named = self
            .members
            .iter()
            .map(|it| (it, name(call, &it.device.user)));
        self.people.members(named, &mut self.random);
        self.listen(now.mono);
        self.share_keys(now);
        self.apply_keys();
        self.door(call);
    }

    /// The server's time of our own membership tells how clocks differ.
    fn compare_clocks(&mut self, since: u64, now: Now) {
        let ours = millis(now);
        if self.told.joined || ours.abs_diff(since) < SKEW {
            return;
        }
        self.clock =
            i64::try_from(since).unwrap_or_default() - i64::try_from(ours).unwrap_or_default();
        if !self.clock_wrong {
            self.clock_wrong = true;
            self.event(Event::Fault(FaultCode::ClockWrong));
        }
    }

    fn door(&mut self, call: &Call) {
        let may = self.room.as_ref().is_some_and(|room| room.info.can_invite);
        let known = std::mem::take(&mut self.knocking);
        for knocking in call.knocking.iter().filter(|_| may) {
            let before = known.iter().find(|(_, (user, _))| *user == knocking.user);
            let (id, entry) = match before {
                Some((id, entry)) => (id.clone(), entry.clone()),
                None => {
                    let id = roomd_model::ParticipantId(self.random.name());
                    let who = waiting(id.clone(), call, knocking);
                    (id, (knocking.user.clone(), who))
                }
            };
            self.knocking.insert(id, entry);
        }
    }

    fn share_keys(&mut self, now: Now) {
        if self.mode != Some(Mode::Each) {
            return;
        }
        let others: BTreeSet<_> = self.members.iter().map(|it| it.device.clone()).collect();
        let to = self.keys.members(others, &mut self.random, now.mono);
        if !to.is_empty() {
            self.tell_key(to, 0, now);
        }
    }

    fn tell_key(&mut self, to: Vec<Recipient>, attempt: u32, now: Now) {
        let (Some(key), Some(room), Some(me)) = (self.keys.newest(), &self.room, &self.me) else {
            return;
        };
        let index = key.index;
        let content = keys::message(key, &room.room, (&me.user, &me.device), millis(now));
        let ask = Ask::ToDevice {
            kind: MESSAGE.to_owned(),
            content,
            recipients: to,
        };
        self.ask(ask, Purpose::Key { index, attempt });
    }

    fn key_told(&mut self, index: u8, attempt: u32, result: Result<Done, Failure>, now: Now) {
        let to = match result {
            Ok(Done::SentToDevice { unreachable }) => unreachable,
            Ok(_) => return self.bad += 1,
            // Told anew to all: who has it already is not hurt.
            Err(_) => self.members.iter().map(|it| it.device.clone()).collect(),
        };
        if !to.is_empty() && attempt < ATTEMPTS {
            let wait = AGAIN * (attempt + 1);
            let attempt = attempt + 1;
            self.again
                .push((now.mono + wait, Again::Key { index, attempt, to }));
        }
    }

    fn key_arrived(&mut self, from: Recipient, content: &serde_json::Value) {
        let Some(room) = &self.room else { return };
        let told = keys::read(content, &room.room, &from.device);
        let taken = told.and_then(|told| self.keys.take(from.clone(), told));
        match taken {
            Some((index, key)) => self.apply_key(&from, index, &key),
            None => self.bad += 1,
        }
    }

    pub(super) fn admit(&mut self, id: &roomd_model::ParticipantId, admit: bool) {
        let (Some((user, _)), Some(room)) = (self.knocking.remove(id), &self.room) else {
            return;
        };
        let room = room.room.clone();
        let ask = if admit {
            Ask::Invite { room, user }
        } else {
            Ask::Kick { room, user }
        };
        self.ask(ask, Purpose::Nothing);
    }

    pub(super) fn remove(&mut self, id: &roomd_model::ParticipantId) {
        let (Some(device), Some(room)) = (self.people.device(id), &self.room) else {
            return;
        };
        let ask = Ask::Kick {
            room: room.room.clone(),
            user: device.user.clone(),
        };
        self.ask(ask, Purpose::Nothing);
    }
}
