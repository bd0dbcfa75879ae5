// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The chat, which is the Matrix room's, and raised hands, which are reactions to memberships.

use std::time::Duration;

use chrono::{DateTime, Utc};
use roomd_conference::Event;
use roomd_matrix_port::{Ask, EventId, UserId};
use roomd_model::{ChatMessage, Now, Pii};

use super::account::Purpose;
use super::stay::Stay;
use super::{Again, MatrixRtcSession};

/// The reaction that is a raised hand, as Element Call sends it.
const HAND: &str = "\u{1f590}\u{fe0f}";
/// After a failure that may pass.
const AGAIN: Duration = Duration::from_secs(2);
/// Asks for the coloured form of a sign.
const MARK: char = '\u{fe0f}';

impl MatrixRtcSession {
    pub(super) fn write(&mut self, text: Pii<String>) {
        let Some(room) = &self.room else { return };
        let ask = Ask::SendMessage {
            room: room.room.clone(),
            text,
        };
        self.ask(ask, Purpose::Chat);
    }

    /// Raises or lowers the room's hand.
    pub(super) fn raise(&mut self, raised: bool) {
        self.hand.wanted = raised;
        let Some(room) = &self.room else { return };
        let room = room.room.clone();
        let membership = self.stay.as_ref().and_then(Stay::event);
        match (raised, membership, self.hand.event.take()) {
            // The answer to what is on its way decides.
            (true, Some(membership), None) if !self.hand.asked => {
                let event = membership.clone();
                let key = HAND.to_owned();
                self.hand.asked = true;
                self.ask(Ask::React { room, event, key }, Purpose::Hand);
            }
            (false, _, Some(event)) => {
                let purpose = Purpose::Lower(event.clone());
                self.ask(Ask::Redact { room, event }, purpose);
            }
            // Nothing to do, but what is known stays known.
            (_, _, event) => self.hand.event = event,
        }
    }

    /// A hand falls with the membership that it refers to.
    pub(super) fn raise_again(&mut self) {
        self.hand.event = None;
        self.hand.asked = false;
        self.raise_where_wanted();
    }

    pub(super) fn raise_where_wanted(&mut self) {
        self.raise(self.hand.wanted);
    }

    /// The hand could not be lowered, and is lowered again.
    pub(super) fn still_raised(&mut self, event: EventId, may_pass: bool, now: Now) {
        self.hand.event.get_or_insert(event);
        if may_pass {
            self.again.push((now.mono + AGAIN, Again::Hand));
        }
    }

    pub(super) fn hand_failed(&mut self, may_pass: bool, now: Now) {
        self.hand.asked = false;
        if may_pass {
            self.again.push((now.mono + AGAIN, Again::Hand));
        }
    }

    pub(super) fn hand_raised(&mut self, event: EventId) {
        self.hand.asked = false;
        self.hand.event = Some(event);
        if !self.hand.wanted {
            // It was lowered while it was on its way up.
            self.raise(false);
        }
    }

    /// Somebody raised a hand, or did something else to an event.
    pub(super) fn reacted(&mut self, what: (&UserId, &EventId), key: &str, event: EventId) {
        // With and without the mark that says how it is drawn.
        if key.trim_end_matches(MARK) == HAND.trim_end_matches(MARK) {
            self.people.raised(what, event);
        }
    }

    pub(super) fn redacted(&mut self, event: &EventId) {
        self.people.redacted(event);
        self.hand.event.take_if(|hand| hand == event);
    }

    pub(super) fn said(
        &mut self,
        sender: &UserId,
        name: Pii<String>,
        text: Pii<String>,
        (ts, own): (u64, bool),
        now: Now,
    ) {
        let at = i64::try_from(ts)
            .ok()
            .and_then(DateTime::<Utc>::from_timestamp_millis);
        let id = self.chats;
        self.chats += 1;
        self.event(Event::Chat(ChatMessage {
            id,
            from: if own {
                None
            } else {
                self.people.by_user(sender)
            },
            name,
            text,
            at: at.unwrap_or(now.utc),
        }));
    }
}
