// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What admitted guests say to the room and to each other.

use roomd_conference::ChannelId;
use roomd_model::{Now, ParticipantId, Pii};

use super::guest::{Departed, Guest};
use super::{DirectSession, RESUME_LIMIT, Stage};
use crate::sdp::MAX_SDP;
use crate::text;
use crate::wire::{FromGuest, ROOM, RefuseReason, ToGuest};

/// Candidates that a guest may send to one member for each description.
const MAX_CANDIDATES: u8 = 100;
const MAX_CANDIDATE: usize = 1024;
const MAX_MID: usize = 16;

impl DirectSession {
    pub(super) fn guest_says(
        &mut self,
        channel: ChannelId,
        from: &ParticipantId,
        message: FromGuest,
        now: Now,
    ) {
        match message {
            FromGuest::Hello { .. } => self.bad(channel),
            FromGuest::Offer { to, sdp } => {
                self.reset_candidates(from, &to);
                if sdp.expose().len() > MAX_SDP {
                    self.bad(channel);
                } else if to.0 == ROOM {
                    self.offer_to_room(channel, from, sdp, now);
                } else {
                    let from = from.clone();
                    self.relay(&to, ToGuest::Offer { from, sdp });
                }
            }
            FromGuest::Answer { to, sdp } => {
                self.reset_candidates(from, &to);
                if sdp.expose().len() > MAX_SDP {
                    self.bad(channel);
                } else {
                    let from = from.clone();
                    self.relay(&to, ToGuest::Answer { from, sdp });
                }
            }
            FromGuest::Candidate { to, candidate, mid } => {
                self.candidate(channel, from, &to, candidate, mid);
            }
            FromGuest::State {
                microphone,
                camera,
                sharing,
            } => {
                self.change(from, |guest| {
                    guest.microphone = microphone;
                    guest.camera = camera;
                    guest.sharing = sharing;
                });
                self.announce_streams(from);
            }
            FromGuest::Hand { raised } => self.change(from, |guest| guest.hand = raised),
            FromGuest::WantedHeight { lines } => self.guest_wants(from, lines),
            FromGuest::Chat { text } => match text::chat(text.expose()) {
                Some(text) => self.chat(Some(from), Pii::new(text), now),
                None => self.bad(channel),
            },
            FromGuest::Bye => {
                self.part(from, false);
                self.close(channel);
            }
        }
    }

    /// Takes somebody out of the meeting for good.
    pub(super) fn remove(&mut self, id: &ParticipantId, reason: RefuseReason) {
        let guest = self.guests.iter().find(|guest| guest.id == *id);
        let Some(channel) = guest.map(|guest| guest.channel) else {
            return;
        };
        if let Some(channel) = channel {
            self.refuse(channel, reason);
        }
        self.part(id, false);
    }

    /// Takes somebody off the list of members and ends the connection with them.
    pub(super) fn part(&mut self, id: &ParticipantId, may_return: bool) {
        let Some(index) = self.guests.iter().position(|guest| guest.id == *id) else {
            return;
        };
        let guest = self.guests.remove(index);
        for other in &mut self.guests {
            other.candidates.remove(id);
        }
        self.broadcast(&ToGuest::MemberLeft { id: id.clone() });
        if let Some(at) = guest.lost_at.filter(|_| may_return) {
            self.departed.push(Departed {
                id: guest.id,
                resume: guest.resume,
                until: at + RESUME_LIMIT,
            });
        }
        self.close_link(guest.link);
    }

    pub(super) fn closed(&mut self, id: ChannelId, now: Now) {
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        match channel.stage {
            Stage::New { .. } => {}
            Stage::Waiting(guest) => self.waiting.retain(|waiter| waiter.id != guest),
            Stage::Admitted(guest) => {
                let found = self.guests.iter_mut().find(|other| other.id == guest);
                if let Some(guest) = found {
                    guest.channel = None;
                    guest.lost_at = Some(now.mono);
                }
            }
        }
    }

    pub(super) fn tell_member(&mut self, id: &ParticipantId) {
        let Some(guest) = self.guests.iter().find(|guest| guest.id == *id) else {
            return;
        };
        let member = guest.member();
        let others = self.guests.iter().filter(|other| other.id != *id);
        let channels: Vec<_> = others.filter_map(|other| other.channel).collect();
        for channel in channels {
            let member = member.clone();
            self.send_on(channel, &ToGuest::Member { member });
        }
    }

    fn change(&mut self, id: &ParticipantId, change: impl FnOnce(&mut Guest)) {
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *id) else {
            return;
        };
        let before = guest.member();
        change(guest);
        if guest.member() != before {
            self.tell_member(id);
        }
    }

    fn candidate(
        &mut self,
        channel: ChannelId,
        from: &ParticipantId,
        to: &ParticipantId,
        candidate: Pii<String>,
        mid: Option<String>,
    ) {
        let text = candidate.expose();
        let one_line = text.len() <= MAX_CANDIDATE && !text.contains(['\r', '\n']);
        let fits = mid.as_ref().is_none_or(|mid| mid.len() <= MAX_MID);
        if !one_line || !fits {
            return self.bad(channel);
        }
        if !self.is_member(to) || !self.count_candidate(from, to) {
            self.bad_messages += 1;
            return;
        }
        if to.0 == ROOM {
            self.candidate_to_room(from, candidate);
        } else {
            let from = from.clone();
            let message = ToGuest::Candidate {
                from,
                candidate,
                mid,
            };
            self.relay(to, message);
        }
    }

    /// Hands a message to another guest. One who is not there, or oneself, is no error of the
    /// sender: somebody may just have left.
    fn relay(&mut self, to: &ParticipantId, message: ToGuest) {
        let own = match &message {
            ToGuest::Offer { from, .. }
            | ToGuest::Answer { from, .. }
            | ToGuest::Candidate { from, .. } => from == to,
            ToGuest::Waiting { .. }
            | ToGuest::PasswordRequired { .. }
            | ToGuest::Welcome { .. }
            | ToGuest::Refused { .. }
            | ToGuest::Member { .. }
            | ToGuest::MemberLeft { .. }
            | ToGuest::Chat { .. }
            | ToGuest::WantedHeight { .. }
            | ToGuest::Restart
            | ToGuest::Ended => false,
        };
        let guest = self.guests.iter().find(|guest| guest.id == *to && !own);
        let Some(guest) = guest else {
            self.bad_messages += 1;
            return;
        };
        if let Some(channel) = guest.channel {
            self.send_on(channel, &message);
        }
    }

    fn is_member(&self, id: &ParticipantId) -> bool {
        id.0 == ROOM || self.guests.iter().any(|guest| guest.id == *id)
    }

    fn reset_candidates(&mut self, from: &ParticipantId, to: &ParticipantId) {
        if let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *from) {
            guest.candidates.remove(to);
        }
    }

    fn count_candidate(&mut self, from: &ParticipantId, to: &ParticipantId) -> bool {
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *from) else {
            return false;
        };
        let count = guest.candidates.entry(to.clone()).or_default();
        *count = count.saturating_add(1);
        *count <= MAX_CANDIDATES
    }
}
