// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
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
        belongs: false,
        me: Me {
            user: UserId::new("@room:x"),
            device: DeviceId::new("DEV"),
            cross_signed: true,
        },
    };
    let service = Pii::new(Url::parse("https://x.org/jwt").unwrap());
    Stay::new(room, service, now, 1000)
}

/// One that no other came before, with its leave arranged.
fn first(now: Instant, delay_ms: u64) -> Stay {
    let mut stay = stay(now);
    stay.earlier = None;
    stay.step(now);
    stay.delayed(DelayId::new("d"), delay_ms, now);
    stay.step(now);
    stay.announced(EventId::new("$e"), now);
    stay
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
    assert_eq!(content["expires"], 14_401_000);
    stay.announced(EventId::new("$e"), now);
    let Some(Step::CancelOthers(Ask::CancelOthers { state_key, but, .. })) = stay.step(now) else {
        panic!("what an earlier run left behind takes it back");
    };
    assert_eq!(state_key.expose(), "_@room:x_DEV_m.call");
    assert_eq!(but, DelayId::new("d"));
    assert_eq!(stay.step(now), None);
    assert_eq!(stay.poll(), Some(now + WORD));
    let now = now + WORD;
    assert!(matches!(
        stay.step(now),
        Some(Step::Word(
            Ask::Delayed {
                action: DelayedAction::Restart,
                ..
            },
            _
        ))
    ));
    stay.heard(&DelayId::new("d"), now);
    assert_eq!(stay.poll(), Some(now + WORD));
}

#[test]
fn a_short_delay_is_put_off_more_often() {
    let now = Instant::now();
    let stay = first(now, 4000);
    assert_eq!(stay.poll(), Some(now + Duration::from_secs(1)));
}

#[test]
fn a_membership_that_was_taken_back_is_announced_anew() {
    let now = Instant::now();
    let mut stay = first(now, 18_000);
    stay.snapshot(false, now);
    assert!(
        matches!(stay.due, Some((_, Due::Word))),
        "a snapshot from before"
    );
    stay.snapshot(true, now);
    stay.snapshot(false, now);
    assert_eq!(
        stay.step(now),
        Some(cancel("d")),
        "it would take the next one back"
    );
    assert!(matches!(stay.step(now), Some(Step::DelayLeave(_))));
    stay.snapshot(false, now);
    assert_eq!(stay.step(now), None, "once is enough");
    // Answers about the old leave change nothing any more.
    let old = DelayId::new("d");
    stay.sent(&old, now);
    stay.unheard(&old, now);
    stay.heard(&old, now);
    assert_eq!(stay.poll(), None);
    stay.delayed(DelayId::new("e"), 18_000, now);
    assert!(matches!(stay.step(now), Some(Step::Member(_))));
    stay.announced(EventId::new("$f"), now);
    assert!(matches!(stay.step(now), Some(Step::CancelOthers(_))));
    let now = now + WORD;
    assert!(matches!(stay.step(now), Some(Step::Word(_, delay)) if delay == DelayId::new("e")));
    stay.sent(&DelayId::new("e"), now);
    assert!(matches!(stay.step(now), Some(Step::DelayLeave(_))));
}

#[test]
fn a_leave_that_was_asked_for_twice_is_cancelled_once() {
    let now = Instant::now();
    let mut stay = stay(now);
    stay.step(now);
    stay.reopened(now);
    assert!(matches!(stay.step(now), Some(Step::DelayLeave(_))));
    stay.delayed(DelayId::new("d"), 18_000, now);
    stay.delayed(DelayId::new("e"), 18_000, now);
    assert_eq!(stay.step(now), Some(cancel("d")));
    assert!(matches!(stay.step(now), Some(Step::Member(_))));
    assert_eq!(stay.step(now), None);
}

#[test]
fn what_was_not_answered_is_asked_again() {
    let start = Instant::now();
    let mut stay = first(start, 18_000);
    // The word goes out, and the line to the account breaks before the answer.
    let now = start + WORD;
    assert!(matches!(stay.step(now), Some(Step::Word(..))));
    stay.reopened(now);
    assert!(matches!(stay.step(now), Some(Step::CancelOthers(_))));
    assert!(matches!(stay.step(now), Some(Step::Word(..))));
    // The same while it is renewed.
    let now = start + LASTS - BEFORE;
    assert!(matches!(stay.step(now), Some(Step::Member(_))));
    stay.reopened(now);
    assert!(matches!(stay.step(now), Some(Step::CancelOthers(_))));
    assert!(matches!(stay.step(now), Some(Step::Member(_))));
}

fn cancel(delay: &str) -> Step {
    Step::Cancel(Ask::Delayed {
        delay: DelayId::new(delay),
        action: DelayedAction::Cancel,
    })
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
    assert_eq!(content.expose()["expires"], 28_801_000);
}

#[test]
fn a_membership_begins_anew_while_its_leave_is_put_off() {
    let now = Instant::now();
    assert!(!stay(now).begin_anew(now), "it begins anyway");
    let mut stay = first(now, 18_000);
    assert!(stay.begin_anew(now));
    let Some(Step::Member(Ask::SetState { content, .. })) = stay.step(now) else {
        panic!("not announced");
    };
    assert!(!stay.is_fresh(), "what stands is the one of before");
    let content = content.expose();
    assert_eq!(content["expires"], 14_401_001, "another content");
    assert!(content.get("created_ts").is_none(), "it has just begun");
    assert!(!stay.begin_anew(now), "it is being announced");
    assert_eq!(stay.step(now), None);
    stay.announced(EventId::new("$f"), now);
    assert!(stay.is_fresh());
    assert_eq!(stay.poll(), Some(now + WORD));
    assert!(matches!(stay.step(now + WORD), Some(Step::Word(..))));
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
    assert_eq!(stay.step(now), Some(cancel("d")));
    assert!(matches!(stay.step(now), Some(Step::Member(_))));
    let leaves = matches!(stay.leave()[..], [Ask::SetState { .. }]);
    assert!(leaves, "it may stand without an answer");
}

#[test]
fn what_was_left_behind_is_cancelled_until_it_is_done() {
    let now = Instant::now();
    let mut stay = stay(now);
    stay.step(now);
    assert_eq!(stay.poll(), None, "nothing stands that could be taken back");
    // The homeserver arranged this one, but its answer was lost.
    stay.failed(Failed::DelayLeave, now);
    let now = now + AGAIN;
    assert!(matches!(stay.step(now), Some(Step::DelayLeave(_))));
    stay.delayed(DelayId::new("d"), 18_000, now);
    assert!(matches!(stay.step(now), Some(Step::Member(_))));
    stay.announced(EventId::new("$e"), now);
    assert!(matches!(stay.step(now), Some(Step::CancelOthers(_))));
    assert_eq!(stay.step(now), None);
    stay.failed(Failed::CancelOthers, now);
    assert_eq!(stay.poll(), Some(now + AGAIN));
    assert!(matches!(
        stay.step(now + AGAIN),
        Some(Step::CancelOthers(_))
    ));
    assert_eq!(stay.poll(), Some(now + WORD), "once is enough");
    stay.lost(now);
    stay.step(now);
    stay.step(now);
    stay.delayed(DelayId::new("e"), 18_000, now);
    stay.step(now);
    stay.announced(EventId::new("$f"), now);
    assert!(matches!(stay.step(now), Some(Step::CancelOthers(_))));
}
