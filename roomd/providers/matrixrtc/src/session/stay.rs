// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's own membership: announced, kept up, and taken back by the homeserver when the room falls
//! silent (MSC4140).

use std::time::{Duration, Instant};

use roomd_matrix_port::{Ask, DelayId, DelayedAction, EventId, JoinedRoom};
use roomd_model::Pii;
use serde_json::{Value, json};
use url::Url;

use crate::members::MEMBER;

/// The homeserver takes the membership back after so long without a word.
const SILENCE: Duration = Duration::from_secs(18);
/// A word is said this often.
const WORD: Duration = Duration::from_secs(4);
/// How long a membership lasts.
const LASTS: Duration = Duration::from_secs(4 * 60 * 60);
/// It is renewed so long before its end.
const BEFORE: Duration = Duration::from_secs(30 * 60);
/// As many memberships after each other differ in their content.
const MARKS: u64 = 60_000;
/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// The room's own membership.
#[derive(Debug)]
pub(super) struct Stay {
    room: JoinedRoom,
    service: Pii<Url>,
    delay: Option<DelayId>,
    /// How often the delayed leave is put off.
    word: Duration,
    /// When something is due.
    due: Option<(Instant, Due)>,
    /// Leaves that are held back no longer for this membership; each is cancelled, because it would
    /// take the new one back as well.
    stale: Vec<DelayId>,
    /// When leaves are to be cancelled that a run before this one, or an answer that was lost, may have left
    /// behind: they would take this membership back.
    earlier: Option<Instant>,
    /// It was asked for, so that it may stand even though no answer said so.
    asked: bool,
    /// The membership as it stands.
    event: Option<EventId>,
    /// When it was first announced, in milliseconds of the server's clock.
    created: u64,
    /// Makes the content another one than that of the membership which an earlier run left behind.
    ///
    /// A homeserver makes no event of a content that stands already (Synapse, `handlers/message.py`,
    /// `deduplicate_state_event`). Nobody would notice that the room is there anew and lacks their keys.
    mark: u64,
    renewals: u32,
    /// A renewal was asked for, and is not answered.
    renewing: bool,
    /// What is to be asked for counts as a membership that just began.
    afresh: bool,
    renew: Option<Instant>,
    /// A snapshot of the call has shown it.
    seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Ask for the delayed leave, and then for the membership.
    Announce,
    /// Announce the membership.
    Member,
    /// Put the delayed leave off.
    Word,
}

/// What is to be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    DelayLeave(Ask),
    Member(Ask),
    /// Puts this leave off.
    Word(Ask, DelayId),
    /// Cancels a leave.
    Cancel(Ask),
    /// Cancels leaves that are not this membership's.
    CancelOthers(Ask),
}

impl Stay {
    /// Announces at once.
    pub(super) fn new(room: JoinedRoom, service: Pii<Url>, now: Instant, utc: u64) -> Self {
        Self {
            room,
            service,
            delay: None,
            word: WORD,
            due: Some((now, Due::Announce)),
            stale: Vec::new(),
            earlier: Some(now),
            asked: false,
            event: None,
            created: utc,
            mark: utc % MARKS,
            renewals: 0,
            renewing: false,
            afresh: false,
            renew: None,
            seen: false,
        }
    }

    /// The membership that stands.
    pub(super) const fn event(&self) -> Option<&EventId> {
        self.event.as_ref()
    }

    /// Whether the membership counts from the event that stands, and not from an earlier or a later one.
    pub(super) const fn is_fresh(&self) -> bool {
        self.renewals == 0 && !self.renewing
    }

    /// When the membership began, by the server's clock.
    pub(super) const fn began(&mut self, utc: u64) {
        self.created = utc;
    }

    pub(super) fn poll(&self) -> Option<Instant> {
        let due = self.due.map(|(at, _)| at);
        let earlier = self.earlier.filter(|_| self.but().is_some());
        [due, self.renew, earlier].into_iter().flatten().min()
    }

    /// The one leave that is to be held back, once the membership stands.
    fn but(&self) -> Option<&DelayId> {
        self.delay.as_ref().filter(|_| self.event.is_some())
    }

    /// What is due now.
    pub(super) fn step(&mut self, now: Instant) -> Option<Step> {
        if let Some(delay) = self.stale.pop() {
            let action = DelayedAction::Cancel;
            return Some(Step::Cancel(Ask::Delayed { delay, action }));
        }
        if let Some(but) = self.but().cloned()
            && self.earlier.take_if(|at| *at <= now).is_some()
        {
            return Some(Step::CancelOthers(Ask::CancelOthers {
                room: self.room.room.clone(),
                kind: MEMBER.to_owned(),
                state_key: self.key(),
                but,
            }));
        }
        if self.renew.take_if(|at| *at <= now).is_some() {
            self.renewing = true;
            return Some(Step::Member(self.membership()));
        }
        let (_, due) = self.due.take_if(|(at, _)| *at <= now)?;
        Some(match due {
            Due::Announce => Step::DelayLeave(Ask::DelayState {
                room: self.room.room.clone(),
                kind: MEMBER.to_owned(),
                state_key: self.key(),
                content: Pii::new(json!({})),
                delay_ms: millis(SILENCE),
            }),
            Due::Member => {
                self.asked = true;
                Step::Member(self.membership())
            }
            Due::Word => {
                let delay = self.delay.clone()?;
                let action = DelayedAction::Restart;
                let ask = Ask::Delayed {
                    delay: delay.clone(),
                    action,
                };
                Step::Word(ask, delay)
            }
        })
    }

    /// The homeserver will take the membership back, after so many milliseconds.
    pub(super) fn delayed(&mut self, delay: DelayId, delay_ms: u64, now: Instant) {
        // Asked for twice, when the membership was lost meanwhile.
        self.stale.extend(self.delay.replace(delay));
        self.word = WORD.min(Duration::from_millis(delay_ms / 4));
        self.due = Some((now, Due::Member));
    }

    /// The homeserver cannot; the membership then ends by its own time.
    pub(super) fn undelayed(&mut self, now: Instant) {
        self.stale.extend(self.delay.take());
        self.due = Some((now, Due::Member));
    }

    /// The membership stands.
    pub(super) fn announced(&mut self, event: EventId, now: Instant) {
        self.event = Some(event);
        let renewed = std::mem::take(&mut self.renewing) && !std::mem::take(&mut self.afresh);
        self.renewals += u32::from(renewed);
        self.renew = Some(now + LASTS - BEFORE);
        self.next_word(now);
    }

    /// Announces what stands as a membership that just began, as of a room that has forgotten all keys.
    /// False where it is being announced anyway.
    pub(super) fn begin_anew(&mut self, now: Instant) -> bool {
        if self.event.is_none() || self.renewing {
            return false;
        }
        self.next_mark();
        self.renewals = 0;
        self.afresh = true;
        self.renew = Some(now);
        true
    }

    fn next_mark(&mut self) {
        self.mark = (self.mark + 1) % MARKS;
    }

    /// The leave was put off.
    pub(super) fn heard(&mut self, delay: &DelayId, now: Instant) {
        if self.delay.as_ref() == Some(delay) {
            self.next_word(now);
        }
    }

    /// This leave cannot be put off any more: it was sent.
    pub(super) fn sent(&mut self, delay: &DelayId, now: Instant) {
        if self.delay.as_ref() == Some(delay) {
            self.delay = None;
            self.lost(now);
        }
    }

    /// This leave could not be put off, and will be tried again.
    pub(super) fn unheard(&mut self, delay: &DelayId, now: Instant) {
        if self.delay.as_ref() == Some(delay) {
            self.due = Some((now + AGAIN, Due::Word));
        }
    }

    /// What was asked before is not answered any more: everything that is not known to stand is asked
    /// for again.
    pub(super) fn reopened(&mut self, now: Instant) {
        self.earlier = Some(now);
        if self.event.is_none()
            || self.due.is_none() && self.delay.is_none() && self.renew.is_none()
        {
            self.due = Some((now, Due::Announce));
        } else if self.delay.is_some() {
            self.due = Some((now, Due::Word));
        }
        if self.event.is_some() && self.renew.is_none() {
            self.renew = Some(now);
        }
    }

    fn next_word(&mut self, now: Instant) {
        if self.delay.is_some() {
            self.due = Some((now + self.word, Due::Word));
        }
    }

    /// The homeserver took the membership back, or will: it is announced anew.
    fn lost(&mut self, now: Instant) {
        self.stale.extend(self.delay.take());
        // It may stand although its leave is gone.
        self.next_mark();
        self.earlier = Some(now);
        self.event = None;
        self.seen = false;
        self.renew = None;
        self.renewals = 0;
        self.renewing = false;
        self.afresh = false;
        self.due = Some((now, Due::Announce));
    }

    /// Asking failed, but may succeed later.
    pub(super) fn failed(&mut self, step: Failed, now: Instant) {
        match step {
            Failed::DelayLeave => {
                self.due = Some((now + AGAIN, Due::Announce));
                // It may have been arranged all the same.
                self.earlier = Some(now);
            }
            Failed::CancelOthers => self.earlier = Some(now + AGAIN),
            // What is to be renewed stands, and its leave goes on being put off.
            Failed::Member if self.event.is_some() => self.renew = Some(now + AGAIN),
            Failed::Member => self.due = Some((now + AGAIN, Due::Member)),
        }
    }

    /// A snapshot of the call has it, or not; announces it anew when it is gone.
    pub(super) fn snapshot(&mut self, contains: bool, now: Instant) {
        if self.event.is_none() {
            // One that an earlier run left behind says nothing about this one.
            return;
        }
        if contains {
            self.seen = true;
        } else if self.seen {
            self.lost(now);
        }
    }

    /// What takes the membership back.
    pub(super) fn leave(&self) -> Vec<Ask> {
        if !self.asked && self.delay.is_none() {
            return Vec::new();
        }
        let empty = Ask::SetState {
            room: self.room.room.clone(),
            kind: MEMBER.to_owned(),
            state_key: self.key(),
            content: Pii::new(json!({})),
        };
        match &self.delay {
            // One request does both, unless the leave has gone already.
            Some(delay) => vec![Ask::Delayed {
                delay: delay.clone(),
                action: DelayedAction::Send,
            }],
            None => vec![empty],
        }
    }

    fn key(&self) -> Pii<String> {
        let me = &self.room.me;
        let key = format!("{}_{}_m.call", me.user.expose(), me.device.expose());
        // Only there may users own keys that begin with their name (MSC3757, MSC3779).
        let owned = matches!(
            &self.room.version[..],
            "org.matrix.msc3757.10" | "org.matrix.msc3757.11" | "org.matrix.msc3779"
        );
        Pii::new(if owned { key } else { format!("_{key}") })
    }

    fn membership(&self) -> Ask {
        let me = &self.room.me;
        let renewals = self.renewals + u32::from(self.renewing && !self.afresh);
        let mut content = json!({
            "application": "m.call",
            "call_id": "",
            "scope": "m.room",
            "device_id": me.device.expose(),
            "membershipID": format!("{}:{}", me.user.expose(), me.device.expose()),
            "expires": millis(LASTS) * (1 + u64::from(renewals)) + self.mark,
            "m.call.intent": "video",
            "focus_active": {"type": "livekit", "focus_selection": "multi_sfu"},
            "foci_preferred": [{
                "type": "livekit",
                // Clients append to it, as the homeserver names it.
                "livekit_service_url": self.service.expose().as_str().trim_end_matches('/'),
                "livekit_alias": self.room.room.expose(),
            }],
        });
        if renewals > 0 {
            content["created_ts"] = Value::from(self.created);
        }
        Ask::SetState {
            room: self.room.room.clone(),
            kind: MEMBER.to_owned(),
            state_key: self.key(),
            content: Pii::new(content),
        }
    }
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    DelayLeave,
    Member,
    CancelOthers,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "stay_tests.rs"]
mod tests;
