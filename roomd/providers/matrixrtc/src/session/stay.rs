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
    /// The membership as it stands.
    event: Option<EventId>,
    /// When it was first announced, in milliseconds.
    created: u64,
    renewals: u32,
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
    Word(Ask),
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
            event: None,
            created: utc,
            renewals: 0,
            renew: None,
            seen: false,
        }
    }

    /// The membership that stands.
    pub(super) const fn event(&self) -> Option<&EventId> {
        self.event.as_ref()
    }

    pub(super) fn poll(&self) -> Option<Instant> {
        let due = self.due.map(|(at, _)| at);
        [due, self.renew].into_iter().flatten().min()
    }

    /// What is due now.
    pub(super) fn step(&mut self, now: Instant) -> Option<Step> {
        if self.renew.take_if(|at| *at <= now).is_some() {
            self.renewals += 1;
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
            Due::Member => Step::Member(self.membership()),
            Due::Word => Step::Word(Ask::Delayed {
                delay: self.delay.clone()?,
                action: DelayedAction::Restart,
            }),
        })
    }

    /// The homeserver will take the membership back, after so many milliseconds.
    pub(super) fn delayed(&mut self, delay: DelayId, delay_ms: u64, now: Instant) {
        self.delay = Some(delay);
        self.word = WORD.min(Duration::from_millis(delay_ms / 4));
        self.due = Some((now, Due::Member));
    }

    /// The homeserver cannot; the membership then ends by its own time.
    pub(super) fn undelayed(&mut self, now: Instant) {
        self.delay = None;
        self.due = Some((now, Due::Member));
    }

    /// The membership stands.
    pub(super) fn announced(&mut self, event: EventId, now: Instant) {
        self.event = Some(event);
        self.renew = Some(now + LASTS - BEFORE);
        self.next_word(now);
    }

    /// The leave was put off.
    pub(super) fn heard(&mut self, now: Instant) {
        self.next_word(now);
    }

    fn next_word(&mut self, now: Instant) {
        if self.delay.is_some() {
            self.due = Some((now + self.word, Due::Word));
        }
    }

    /// The homeserver took the membership back, or will: it is announced anew.
    pub(super) fn lost(&mut self, now: Instant) {
        self.delay = None;
        self.seen = false;
        self.renew = None;
        self.due = Some((now, Due::Announce));
    }

    /// Asking failed, but may succeed later.
    pub(super) fn failed(&mut self, step: Failed, now: Instant) {
        let due = match step {
            Failed::DelayLeave => Due::Announce,
            Failed::Member => Due::Member,
            Failed::Word => Due::Word,
        };
        self.due = Some((now + AGAIN, due));
    }

    /// A snapshot of the call has it, or not; announces it anew when it is gone.
    pub(super) fn snapshot(&mut self, contains: bool, now: Instant) {
        if contains {
            self.seen = true;
        } else if self.seen {
            self.lost(now);
        }
    }

    /// What takes the membership back.
    pub(super) fn leave(&self) -> Vec<Ask> {
        if self.event.is_none() && self.delay.is_none() {
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
        let mut content = json!({
            "application": "m.call",
            "call_id": "",
            "scope": "m.room",
            "device_id": me.device.expose(),
            "membershipID": format!("{}:{}", me.user.expose(), me.device.expose()),
            "expires": millis(LASTS) * (1 + u64::from(self.renewals)),
            "m.call.intent": "video",
            "focus_active": {"type": "livekit", "focus_selection": "multi_sfu"},
            "foci_preferred": [{
                "type": "livekit",
                // Clients append to it, as the homeserver names it.
                "livekit_service_url": self.service.expose().as_str().trim_end_matches('/'),
                "livekit_alias": self.room.room.expose(),
            }],
        });
        if self.renewals > 0 {
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
    Word,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use roomd_matrix_port::{DeviceId, Me, RoomId, RoomInfo, UserId};

    use super::*;

    fn stay(now: Instant) -> Stay {
        let room = JoinedRoom {
            room: RoomId::new("!room"),
            version: "12".into(),
            info: RoomInfo {
                name: Pii::from("Weekly"),
                encrypted: true,
                can_call: true,
                can_invite: false,
                can_kick: false,
            },
            was_member: false,
            me: Me {
                user: UserId::new("@room:x"),
                device: DeviceId::new("DEV"),
                cross_signed: true,
            },
        };
        let service = Pii::new(Url::parse("https://x.org/jwt").unwrap());
        Stay::new(room, service, now, 1000)
    }

    #[test]
    fn the_leave_is_arranged_before_the_membership_is_announced() {
        let now = Instant::now();
        let mut stay = stay(now);
        let Some(Step::DelayLeave(Ask::DelayState {
            state_key,
            content,
            delay_ms,
            ..
        })) = stay.step(now)
        else {
            panic!("no leave");
        };
        assert_eq!(state_key.expose(), "_@room:x_DEV_m.call");
        assert_eq!((content.expose(), delay_ms), (&json!({}), 18_000));
        assert_eq!(stay.step(now), None, "the answer is awaited");
        stay.delayed(DelayId::new("d"), 18_000, now);
        let Some(Step::Member(Ask::SetState { content, .. })) = stay.step(now) else {
            panic!("no membership");
        };
        let content = content.expose();
        assert_eq!(content["membershipID"], "@room:x:DEV");
        assert_eq!(
            content["foci_preferred"][0]["livekit_service_url"],
            "https://x.org/jwt"
        );
        assert_eq!(content["expires"], 14_400_000);
        stay.announced(EventId::new("$e"), now);
        assert_eq!(stay.poll(), Some(now + WORD));
        let now = now + WORD;
        assert!(matches!(
            stay.step(now),
            Some(Step::Word(Ask::Delayed {
                action: DelayedAction::Restart,
                ..
            }))
        ));
        stay.heard(now);
        assert_eq!(stay.poll(), Some(now + WORD));
    }

    #[test]
    fn a_short_delay_is_put_off_more_often() {
        let now = Instant::now();
        let mut stay = stay(now);
        stay.step(now);
        stay.delayed(DelayId::new("d"), 4000, now);
        stay.step(now);
        stay.announced(EventId::new("$e"), now);
        assert_eq!(stay.poll(), Some(now + Duration::from_secs(1)));
    }

    #[test]
    fn a_membership_that_was_taken_back_is_announced_anew() {
        let now = Instant::now();
        let mut stay = stay(now);
        stay.step(now);
        stay.delayed(DelayId::new("d"), 18_000, now);
        stay.step(now);
        stay.announced(EventId::new("$e"), now);
        stay.snapshot(false, now);
        assert!(
            matches!(stay.due, Some((_, Due::Word))),
            "a snapshot from before"
        );
        stay.snapshot(true, now);
        stay.snapshot(false, now);
        assert!(matches!(stay.step(now), Some(Step::DelayLeave(_))));
        stay.snapshot(false, now);
        assert_eq!(stay.step(now), None, "once is enough");
    }

    #[test]
    fn a_membership_is_renewed_before_its_end_and_keeps_its_age() {
        let start = Instant::now();
        let mut stay = stay(start);
        stay.step(start);
        stay.undelayed(start);
        stay.step(start);
        stay.announced(EventId::new("$e"), start);
        let now = stay.poll().unwrap();
        assert_eq!(now, start + LASTS - BEFORE);
        let Some(Step::Member(Ask::SetState { content, .. })) = stay.step(now) else {
            panic!("not renewed");
        };
        assert_eq!(content.expose()["created_ts"], 1000);
        assert_eq!(content.expose()["expires"], 28_800_000);
    }

    #[test]
    fn leaving_takes_back_what_stands() {
        let now = Instant::now();
        let mut stay = stay(now);
        assert_eq!(stay.leave(), []);
        stay.step(now);
        stay.delayed(DelayId::new("d"), 18_000, now);
        assert!(matches!(
            stay.leave()[..],
            [Ask::Delayed {
                action: DelayedAction::Send,
                ..
            }]
        ));
        stay.undelayed(now);
        stay.announced(EventId::new("$e"), now);
        assert!(matches!(stay.leave()[..], [Ask::SetState { .. }]));
    }
}
