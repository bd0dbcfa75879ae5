// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the account answers and tells: into the Matrix room, and who is in its call.

use std::time::{Duration, Instant};

use roomd_conference::{Ended, Event};
use roomd_matrix_port::{
    Ask, Call, Done, Failure, JoinedRoom, Me, News, Recipient, RoomGone, StateEvent,
};
use roomd_model::{FaultCode, Now, Secret};

use super::account::Purpose;
use super::keys::MESSAGE;
use super::people::Mode;
use super::stay::{Failed, Stay, Step};
use super::{Again, MatrixRtcSession, Stage, millis, name};
use crate::members;

/// After a failure that may pass.
pub(super) const AGAIN: Duration = Duration::from_secs(2);
/// An OpenID token is used no longer, however long the homeserver says that it lasts.
const OPEN_ID_AT_MOST: Duration = Duration::from_secs(60 * 60);
/// A password that was entered has opened something by then, or is wrong too.
const DOUBT: Duration = Duration::from_secs(3);
/// Memberships whose raised hands are asked for on entering.
const MAX_HANDS: usize = 64;
/// Clocks that differ by more than this make tokens and memberships fail, in milliseconds.
const SKEW: u64 = 5 * 60 * 1000;

impl MatrixRtcSession {
    pub(super) fn once_more(&mut self, again: Again, now: Now) {
        match again {
            Again::Join => self.join(),
            Again::Hand => self.raise_where_wanted(),
            Again::Transports => self.ask(Ask::Transports, Purpose::Transports),
            Again::Doubt => self.doubt_password(),
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

    pub(super) fn join(&mut self) {
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
            News::Online(me) => self.online(me, now),
            News::Offline => {}
            News::Ended(_) => self.fail(FaultCode::AccountRefused),
            News::Knock { room, outcome } => self.knock(&room, outcome),
            News::Gone { room, why } if self.is_here(&room) => match why {
                RoomGone::Kicked | RoomGone::Banned => {
                    self.fail(FaultCode::RemovedFromMeeting);
                }
                RoomGone::Left => self.end(Ended::Left),
            },
            News::Call(call) if self.is_here(&call.room) => self.call(call, now),
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
                    self.key_arrived(from, content);
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
                sender,
                event,
                target,
                key,
                ..
            } if self.is_here(&room) => self.reacted((&sender, &target), &key, event),
            News::Redacted { room, event, .. } if self.is_here(&room) => self.redacted(&event),
            News::Emoji {
                room,
                sender,
                target,
                emoji,
                ..
            } if self.is_here(&room) => {
                self.people.reacted((&sender, &target), emoji, now.mono);
            }
            News::Message { .. } | News::Reaction { .. } | News::Redacted { .. } => {}
            News::Emoji { .. } | News::Gone { .. } | News::Call(_) | News::Room { .. } => {}
        }
    }

    fn is_here(&self, room: &roomd_matrix_port::RoomId) -> bool {
        self.room.as_ref().is_some_and(|here| here.room == *room)
    }

    fn online(&mut self, me: Me, now: Now) {
        let same = self
            .me
            .as_ref()
            .is_none_or(|known| known.device == me.device);
        let again = self.me.replace(me).is_some();
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
        if again {
            self.ask_anew(now);
        }
    }

    /// What was asked before the line to the account broke may never have reached the homeserver.
    fn ask_anew(&mut self, now: Now) {
        if let Some(stay) = &mut self.stay {
            stay.reopened(now.mono);
        }
        let everybody: Vec<_> = self.members.iter().map(|it| it.device.clone()).collect();
        if self.mode == Some(Mode::Each) && !everybody.is_empty() {
            self.tell_key(everybody, 0, now);
        }
        self.raise_where_wanted();
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
                let lasts = Duration::from_secs(token.expires_in / 2).min(OPEN_ID_AT_MOST);
                self.open_id = Some((token, now.mono + lasts));
            }
            (
                purpose @ (Purpose::DelayLeave
                | Purpose::Membership
                | Purpose::RestartLeave(_)
                | Purpose::CancelOthers),
                result,
            ) => self.stayed(&purpose, result, now),
            (Purpose::Key { index, attempt }, result) => self.key_told(index, attempt, result, now),
            (Purpose::Hand, Ok(Done::Sent { event })) => self.hand_raised(event),
            (Purpose::Leave, _) => {
                if !self.account.awaits(&Purpose::Leave) {
                    self.end(Ended::Left);
                }
            }
            (Purpose::Chat, Err(_)) => self.event(Event::Fault(FaultCode::MessageNotSent)),
            (Purpose::OpenId, Err(_)) => {
                if !self.awaits_open_id() {
                    self.again.push((now.mono + AGAIN, Again::OpenId));
                }
            }
            (Purpose::Hand, Err(failure)) => self.hand_failed(failure.is_retryable(), now),
            (Purpose::Lower(event), Err(failure)) => {
                self.still_raised(event, failure.is_retryable(), now);
            }
            (Purpose::Door(id, user, participant), Err(_)) => {
                // Who still waits is still shown.
                if !self.knocking.values().any(|(known, _)| *known == user) {
                    self.knocking.insert(id, (user, participant));
                }
                self.event(Event::Fault(FaultCode::ModerationRefused));
            }
            (Purpose::Removal, Err(_)) => {
                self.event(Event::Fault(FaultCode::ModerationRefused));
            }
            (Purpose::Reactions(membership), Ok(Done::Reactions(all))) => {
                for it in all {
                    self.reacted((&it.sender, &membership), &it.key, it.event);
                }
            }
            // Hands that were up before the room came stay unseen.
            (Purpose::Reactions(_), Err(_)) => {}
            (Purpose::Chat | Purpose::Lower(_) | Purpose::Door(..) | Purpose::Removal, Ok(_))
            | (Purpose::Nothing, _) => {}
            (
                Purpose::Join
                | Purpose::Transports
                | Purpose::OpenId
                | Purpose::Hand
                | Purpose::Reactions(_),
                Ok(_),
            ) => {
                self.bad += 1;
            }
        }
    }

    /// A token of the homeserver's is on its way, or asked for in a while: a server that is due waits
    /// for it. Without the line to the homeserver, a question is answered at once.
    pub(super) fn awaits_open_id(&self) -> bool {
        let later = self.again.iter().any(|(_, it)| *it == Again::OpenId);
        later || self.account.awaits(&Purpose::OpenId)
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

    fn entered(&mut self, mut room: JoinedRoom, now: Now) {
        if self.room.is_some() {
            // Again, after the channel to the account was lost: it watches the room from here on.
            return;
        }
        // An invitation that answers a knock is for this meeting.
        room.belongs &= self.stage.knocked().is_none();
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
        for (from, content) in std::mem::take(&mut self.early) {
            self.key_arrived(from, content);
        }
        self.begin(now);
    }

    pub(super) fn password(&mut self, password: Secret, now: Now) {
        if password.expose().is_empty() {
            return;
        }
        if self.stage == Stage::Password {
            self.setup.password = Some(password);
            self.decide(now);
        } else if self.mode == Some(Mode::Shared) {
            self.setup.password = Some(password);
            self.told.wrong_password = false;
            self.apply_keys();
            // The engine tells changes: what the last password did not open and this one does not
            // either is not told again.
            self.again.retain(|(_, again)| *again != Again::Doubt);
            self.again.push((now.mono + DOUBT, Again::Doubt));
        } else if self.told.password_missing {
            self.setup.password = Some(password);
            self.encrypt_with_password(now);
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
            self.bind_people();
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
                Step::Member(ask) => {
                    self.announced_at = Some(millis(now));
                    self.ask(ask, Purpose::Membership);
                }
                Step::Word(ask, delay) => self.ask(ask, Purpose::RestartLeave(delay)),
                Step::Cancel(ask) => self.ask(ask, Purpose::Nothing),
                Step::CancelOthers(ask) => self.ask(ask, Purpose::CancelOthers),
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
                if stay.is_fresh() {
                    self.doubts.rest(now.mono);
                }
                self.raise_again();
                self.joined();
                self.look_again(now);
            }
            (Purpose::RestartLeave(delay), Ok(_)) => stay.heard(delay, now.mono),
            (Purpose::RestartLeave(delay), Err(Failure::Gone)) => stay.sent(delay, now.mono),
            (Purpose::RestartLeave(delay), Err(_)) => stay.unheard(delay, now.mono),
            (Purpose::DelayLeave | Purpose::Membership, Err(Failure::Forbidden)) => {
                self.fail(FaultCode::CallNotAllowed);
            }
            (Purpose::CancelOthers, Err(failure)) if failure.is_retryable() => {
                stay.failed(Failed::CancelOthers, now.mono);
            }
            (Purpose::CancelOthers, _) => {}
            (Purpose::DelayLeave, _) => stay.failed(Failed::DelayLeave, now.mono),
            (_, _) => stay.failed(Failed::Member, now.mono),
        }
    }

    /// A snapshot of the call.
    fn call(&mut self, call: Call, now: Now) {
        self.call = Some(call);
        self.look_again(now);
    }

    /// Reads the last snapshot, with what is known about it by now.
    pub(super) fn look_again(&mut self, now: Now) {
        let (Some(me), Some(call)) = (self.me.clone(), self.call.take()) else {
            return;
        };
        self.compare_clocks(&call);
        let read = members::read(&call, self.server_time(now));
        self.bad += read.bad.saturating_sub(self.unreadable);
        // Of a call that is too large, somebody is missing as well.
        if read.bad > 0 || call.left_out > 0 {
            self.warn(FaultCode::ParticipantUnreadable);
        }
        self.unreadable = read.bad;
        let own = |it: &members::Member| {
            it.device.user == me.user && it.device.device.expose() == me.device.expose()
        };
        let (mine, others): (Vec<_>, Vec<_>) = read.all.into_iter().partition(own);
        if let Some(stay) = &mut self.stay {
            // One that is being renewed may be there before the homeserver has answered.
            stay.snapshot(!mine.is_empty(), now.mono);
        }
        for gone in &self.members {
            if !others.iter().any(|it| it.device == gone.device) {
                self.keys.left(&gone.device);
            }
        }
        self.members = others;
        self.expires = self.first_expires(now);
        let named = self
            .members
            .iter()
            .map(|it| (it, name(&call, &it.device.user)));
        self.people.members(named, &mut self.random);
        self.ask_for_hands(&call);
        self.listen(now.mono);
        self.bind_people();
        self.share_keys(now);
        self.apply_keys();
        self.door(&call);
        self.call = Some(call);
    }

    /// When the first membership expires. No news tells it: the client that would renew it is gone.
    fn first_expires(&self, now: Now) -> Option<Instant> {
        let first = self.members.iter().map(|member| member.expires).min()?;
        let left = first.saturating_sub(self.server_time(now));
        Some(now.mono + Duration::from_millis(left.min(members::LASTS_AT_MOST)))
    }

    /// Hands that were raised before the room came are not told by themselves.
    fn ask_for_hands(&mut self, call: &Call) {
        if std::mem::replace(&mut self.hands_asked, true) {
            return;
        }
        let memberships: Vec<_> = self.members.iter().map(|it| it.event.clone()).collect();
        for event in memberships.into_iter().take(MAX_HANDS) {
            let room = call.room.clone();
            let ask = Ask::Reactions {
                room,
                event: event.clone(),
            };
            self.ask(ask, Purpose::Reactions(event));
        }
    }

    /// The server's time of our own membership, as it was announced first, tells how clocks differ.
    fn compare_clocks(&mut self, call: &Call) {
        let Some(stay) = self.stay.as_mut().filter(|stay| stay.is_fresh()) else {
            return;
        };
        let stands = |event: &&StateEvent| Some(&event.event) == stay.event();
        let Some(at) = call.memberships.iter().find(stands).map(|event| event.ts) else {
            return;
        };
        stay.began(at);
        // Once for each announcement: later than that, it is not about the clocks any more.
        let Some(ours) = self.announced_at.take() else {
            return;
        };
        if ours.abs_diff(at) >= SKEW {
            self.clock =
                i64::try_from(at).unwrap_or_default() - i64::try_from(ours).unwrap_or_default();
            self.warn(FaultCode::ClockWrong);
        } else {
            self.clock = 0;
        }
    }

    /// Says once what people should know.
    pub(super) fn warn(&mut self, code: FaultCode) {
        if !self.told.warnings.contains(&code) {
            self.told.warnings.push(code);
            self.event(Event::Fault(code));
        }
    }
}
