// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Keys on their way: told to those who are in the call, and taken from them.

use std::collections::BTreeMap;

use roomd_matrix_port::{Ask, Done, Failure, Recipient};
use roomd_model::{FaultCode, Now, Pii};

use super::account::Purpose;
use super::enter::AGAIN;
use super::keys::{self, MESSAGE, Unread};
use super::people::Mode;
use super::{Again, MatrixRtcSession, Stage, millis};

/// Devices that were not reached are tried so often.
const ATTEMPTS: u32 = 5;
/// Keys that are held until the room of the call is known.
const MAX_EARLY: usize = 256;

impl MatrixRtcSession {
    pub(super) fn share_keys(&mut self, now: Now) {
        if self.mode != Some(Mode::Each) {
            return;
        }
        let members = self.members.iter();
        let others: BTreeMap<_, _> = members.map(|it| (it.device.clone(), it.since)).collect();
        let to = self.keys.members(others, &mut self.random, now.mono);
        if !to.is_empty() {
            self.tell_key(to, 0, now);
        }
    }

    pub(super) fn tell_key(&mut self, to: Vec<Recipient>, attempt: u32, now: Now) {
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

    pub(super) fn key_told(
        &mut self,
        index: u8,
        attempt: u32,
        result: Result<Done, Failure>,
        now: Now,
    ) {
        let to = match result {
            Ok(Done::SentToDevice { unreachable }) => {
                self.keys.told(index, now.mono);
                unreachable
            }
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

    /// Asks for keys where what members send does not open. No message does: whoever is in the call since
    /// another time is told everybody's.
    pub(super) fn doubt_keys(&mut self, now: Now) {
        if self.mode != Some(Mode::Each) || self.stage != Stage::Inside {
            return;
        }
        self.doubts.look(&self.people.failing_members(), now.mono);
        if self.doubts.due().is_some_and(|at| at <= now.mono) {
            let stay = self.stay.as_mut();
            let asked = stay.is_some_and(|stay| stay.begin_anew(now.mono));
            self.doubts.asked(asked, now.mono);
        }
    }

    pub(super) fn key_arrived(&mut self, from: Recipient, content: Pii<serde_json::Value>) {
        let Some(room) = &self.room else {
            // Which call it is of is not known yet.
            if self.early.len() < MAX_EARLY {
                self.early.push((from, content));
            }
            return;
        };
        let told = match keys::read(content.expose(), &room.room, &from.device) {
            Ok(told) => told,
            Err(Unread::Elsewhere) => return,
            Err(Unread::Wrong) => {
                self.bad += 1;
                // Anybody may send anything; only who is in the call is missing without a key.
                if self.members.iter().any(|member| member.device == from) {
                    self.warn(FaultCode::KeyUnusable);
                }
                return;
            }
        };
        match self.keys.take(from.clone(), told) {
            Some((index, key)) => self.apply_key(&from, index, &key),
            None => self.bad += 1,
        }
    }
}
