// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The Matrix room's door: the room knocks, or lets in who does, and shows people out.

use roomd_conference::Event;
use roomd_matrix_port::{Ask, Call, KnockOutcome, RoomId};
use roomd_model::{FaultCode, ParticipantId};

use super::account::Purpose;
use super::{MatrixRtcSession, Stage, waiting};

impl MatrixRtcSession {
    pub(super) fn knocked(&mut self, room: RoomId) {
        if self.stage == Stage::Entering {
            self.stage = Stage::Knocking(room);
            self.event(Event::Lobby);
        }
    }

    pub(super) fn knock(&mut self, room: &RoomId, outcome: KnockOutcome) {
        if !matches!(&self.stage, Stage::Knocking(knocked) if knocked == room) {
            return;
        }
        match outcome {
            KnockOutcome::Invited => self.join(),
            KnockOutcome::Denied => self.fail(FaultCode::KnockDenied),
        }
    }

    /// Who knocks now, where the room may let them in.
    pub(super) fn door(&mut self, call: &Call) {
        let may = self.room.as_ref().is_some_and(|room| room.info.can_invite);
        let known = std::mem::take(&mut self.knocking);
        for knocking in call.knocking.iter().filter(|_| may) {
            if self.account.awaits_door(&knocking.user) {
                // Let in or turned away already, as far as the room is concerned.
                continue;
            }
            let before = known.iter().find(|(_, (user, _))| *user == knocking.user);
            let (id, entry) = match before {
                Some((id, entry)) => (id.clone(), entry.clone()),
                None => {
                    let id = ParticipantId(self.random.name());
                    let who = waiting(id.clone(), call, knocking);
                    (id, (knocking.user.clone(), who))
                }
            };
            self.knocking.insert(id, entry);
        }
    }

    pub(super) fn admit(&mut self, id: &ParticipantId, admit: bool) {
        let Some(room) = self.room.as_ref().map(|room| room.room.clone()) else {
            return;
        };
        let Some((user, participant)) = self.knocking.remove(id) else {
            return;
        };
        let purpose = Purpose::Door(id.clone(), user.clone(), participant);
        let ask = if admit {
            Ask::Invite { room, user }
        } else {
            Ask::Kick { room, user }
        };
        self.ask(ask, purpose);
    }

    pub(super) fn remove(&mut self, id: &ParticipantId) {
        let (Some(device), Some(room)) = (self.people.device(id), &self.room) else {
            return;
        };
        let ask = Ask::Kick {
            room: room.room.clone(),
            user: device.user.clone(),
        };
        self.ask(ask, Purpose::Removal);
    }
}
