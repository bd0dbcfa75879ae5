// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! In the call: keys, memberships, other servers, chat and hands.

use std::time::Duration;

use roomd_conference::{Command, Event, Input};
use roomd_matrix_port::{
    Ask, Call, DelayedAction, Done, EventId, Failure, Knocking, News, Reaction, RoomId, UserId,
};
use roomd_model::{E2ee, FaultCode, Participant, Pii};
use serde_json::json;

use crate::bench::{Bench, LINK, SERVICE_URL, camera, device, me, member, sends};

const SECOND: Duration = Duration::from_secs(1);

fn people(bench: &Bench) -> Vec<Participant> {
    bench.people()
}

fn inside() -> Bench {
    let mut bench = Bench::new(LINK);
    bench.enter();
    bench.call();
    bench
}

fn key(from: (&str, &str), claims: &str) -> News {
    News::ToDevice {
        sender: UserId::new(from.0),
        device: roomd_matrix_port::DeviceId::new(from.1),
        kind: "io.element.call.encryption_keys".to_owned(),
        content: Pii::new(json!({
            "keys": {"index": 0, "key": "AAAAAAAAAAAAAAAAAAAAAA=="},
            "room_id": "!room:x",
            "member": {"id": format!("{}:{claims}", from.0), "claimed_device_id": claims},
            "session": {"application": "m.call", "call_id": "", "scope": "m.room"},
            "sent_ts": 5,
        })),
    }
}

#[test]
fn keys_go_to_everybody_and_change_when_somebody_leaves() {
    let mut bench = inside();
    assert_eq!(bench.keys(), []);
    let (anna, bert) = (device("@anna:x", "A"), device("@bert:y", "B"));
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    assert_eq!(bench.keys(), [(0, vec![anna.clone()])]);
    bench.members.push(member("@bert:y", "B", SERVICE_URL));
    bench.call();
    assert_eq!(bench.keys(), [(0, vec![bert])]);
    bench.members.pop();
    bench.call();
    assert_eq!(bench.keys(), [(1, vec![anna])]);
}

#[test]
fn a_device_that_is_not_reached_is_told_again() {
    let mut bench = inside();
    bench.answers.insert("to device", Err(Failure::Unreachable));
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    bench.answer();
    bench.answers.clear();
    let at = bench.now.mono;
    let mut told = Vec::new();
    while told.is_empty() && bench.now.mono < at + 10 * SECOND {
        bench.now = bench.now.after(SECOND);
        bench.feed(Input::Timeout);
        told = bench.keys();
    }
    assert_eq!(told, [(0, vec![device("@anna:x", "A")])]);
}

#[test]
fn encryption_is_shown_as_it_is_negotiated() {
    let mut bench = inside();
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    let [anna] = &people(&bench)[..] else {
        panic!("{:?}", people(&bench));
    };
    assert_eq!(
        (anna.name.expose().as_str(), anna.e2ee),
        ("Anna", E2ee::Pending)
    );
    // Somebody else's device says that it is Anna's.
    bench.news(key(("@anna:x", "B"), "A"));
    assert_eq!(people(&bench)[0].e2ee, E2ee::Pending);
    bench.news(key(("@anna:x", "A"), "A"));
    assert_eq!(people(&bench)[0].e2ee, E2ee::Verified);
    assert!(bench.events.contains(&Event::E2ee(E2ee::Verified)));
}

#[test]
fn what_is_sent_in_the_clear_shows_for_as_long_as_it_is() {
    let mut bench = Bench::new(LINK);
    bench.join();
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    bench.news(key(("@anna:x", "A"), "A"));
    let mut sends = |tracks| {
        bench.update("sfu.x", vec![sends("@anna:x:A", tracks)]);
        people(&bench)[0].e2ee
    };
    let other = camera("TR_b", true);
    assert_eq!(sends(vec![camera("TR_a", false), other.clone()]), E2ee::Off);
    assert_eq!(sends(vec![other]), E2ee::Verified);
}

#[test]
fn keys_that_come_before_the_membership_are_kept() {
    let mut bench = inside();
    bench.news(key(("@anna:x", "A"), "A"));
    assert_eq!(people(&bench), []);
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    assert_eq!(people(&bench)[0].e2ee, E2ee::Verified);
}

#[test]
fn other_servers_are_listened_to_while_somebody_sends_there() {
    let mut bench = inside();
    bench
        .members
        .push(member("@bert:y", "B", "https://sfu.y/jwt"));
    bench.call();
    let (id, request) = bench
        .http
        .pop_front()
        .expect("no token for the other server");
    assert_eq!(request.url.expose().as_str(), "https://sfu.y/jwt/sfu/get");
    bench.respond(id, 200, &json!({"url": "wss://sfu.y", "jwt": "other"}));
    let tokens: Vec<_> = bench
        .sockets
        .iter()
        .map(|(_, _, token)| token.as_str())
        .collect();
    assert_eq!(tokens, ["token", "other"]);
    bench.members.pop();
    bench.call();
    bench.advance(60 * SECOND);
    assert!(
        bench
            .http
            .iter()
            .all(|(_, it)| !it.url.expose().as_str().contains("sfu.y"))
    );
}

#[test]
fn a_membership_that_the_homeserver_took_back_is_announced_anew() {
    let mut bench = inside();
    bench.call();
    bench.asked.clear();
    bench.members.clear();
    bench.call();
    bench.answer();
    assert_eq!(bench.members.len(), 1);
}

/// The leave that an earlier run arranged is sent while this one is in the call, and again.
#[test]
fn a_leave_that_is_replaced_is_cancelled() {
    let mut bench = inside();
    for _ in 0..2 {
        bench.members.clear();
        bench.call();
        let cancelled = |(_, ask): &(u64, Ask)| {
            matches!(
                ask,
                Ask::Delayed {
                    action: DelayedAction::Cancel,
                    ..
                }
            )
        };
        assert_eq!(bench.asked.iter().filter(|it| cancelled(it)).count(), 1);
        bench.answer();
        bench.call();
    }
    let arranged = bench.asked.len();
    bench.call();
    assert_eq!(bench.asked.len(), arranged, "it stands");
}

#[test]
fn a_page_that_is_loaded_again_gets_a_key() {
    let mut bench = inside();
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    assert_eq!(bench.keys(), [(0, vec![device("@anna:x", "A")])]);
    let again = bench.members.last_mut().unwrap();
    again.event = EventId::new("$again");
    again.ts += 5000;
    bench.call();
    assert_eq!(bench.keys(), [(1, vec![device("@anna:x", "A")])]);
}

#[test]
fn what_the_account_did_not_answer_is_asked_again() {
    let mut bench = inside();
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    // The line breaks before the key and the word have arrived.
    bench.asked.clear();
    bench.close_account();
    bench.advance(2 * SECOND);
    bench.news(News::Online(me()));
    let asked = |wanted: fn(&Ask) -> bool| bench.asked.iter().any(|(_, ask)| wanted(ask));
    assert!(asked(|ask| matches!(ask, Ask::ToDevice { .. })));
    assert!(asked(|ask| matches!(
        ask,
        Ask::Delayed {
            action: DelayedAction::Restart,
            ..
        }
    )));
}

#[test]
fn a_key_that_makes_no_sense_is_told_once() {
    let mut bench = inside();
    let told = |bench: &Bench| {
        let told = |event: &&Event| **event == Event::Fault(FaultCode::KeyUnusable);
        bench.events.iter().filter(told).count()
    };
    bench.news(key(("@anna:x", "B"), "A"));
    assert_eq!(told(&bench), 0, "a stranger's");
    bench.members.push(member("@anna:x", "B", SERVICE_URL));
    bench.call();
    for _ in 0..3 {
        bench.news(key(("@anna:x", "B"), "A"));
    }
    assert_eq!(told(&bench), 1);
}

#[test]
fn a_membership_of_unknown_shape_is_told() {
    let mut bench = inside();
    let mut odd = member("@anna:x", "A", SERVICE_URL);
    odd.content = Pii::new(json!({"application": 7}));
    bench.members.push(odd);
    bench.call();
    bench.call();
    let told = |event: &&Event| **event == Event::Fault(FaultCode::ParticipantUnreadable);
    assert_eq!(bench.events.iter().filter(told).count(), 1);
    assert_eq!(people(&bench), []);
}

#[test]
fn a_call_that_is_too_large_is_told() {
    let mut bench = inside();
    bench.left_out = 3;
    for _ in 0..2 {
        bench.call();
    }
    let told = |event: &&Event| **event == Event::Fault(FaultCode::ParticipantUnreadable);
    assert_eq!(bench.events.iter().filter(told).count(), 1);
}

#[test]
fn nobody_raises_the_hand_of_another() {
    let mut bench = inside();
    let anna = member("@anna:x", "A", SERVICE_URL);
    let hand = |sender: &str| News::Reaction {
        room: RoomId::new("!room:x"),
        event: EventId::new("$hand"),
        sender: UserId::new(sender),
        target: anna.event.clone(),
        key: "\u{1f590}".to_owned(),
        ts: 1,
    };
    // Told before the membership that it belongs to.
    bench.news(hand("@bert:y"));
    bench.members.push(anna.clone());
    bench.call();
    assert!(!people(&bench)[0].hand);
    bench.members.pop();
    bench.call();
    bench.news(hand("@anna:x"));
    bench.members.push(anna.clone());
    bench.call();
    assert!(people(&bench)[0].hand);
}

#[test]
fn a_hand_that_was_up_before_the_room_came_is_seen() {
    let mut bench = Bench::new(LINK);
    let reaction = Reaction {
        event: EventId::new("$hand"),
        sender: UserId::new("@anna:x"),
        key: "\u{1f590}\u{fe0f}".to_owned(),
    };
    let found = Ok(Done::Reactions(vec![reaction]));
    bench.answers.insert("reactions", found);
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.enter();
    bench.call();
    assert!(people(&bench)[0].hand);
}

#[test]
fn a_hand_that_is_raised_twice_is_raised_once() {
    let mut bench = inside();
    bench.asked.clear();
    for raised in [true, false, true] {
        bench.command(Command::Hand(raised));
    }
    let reacts = |(_, ask): &&(u64, Ask)| matches!(ask, Ask::React { .. });
    assert_eq!(bench.asked.iter().filter(reacts).count(), 1);
    bench.answer();
    bench.command(Command::Hand(false));
    assert!(matches!(bench.asked.front(), Some((_, Ask::Redact { .. }))));
}

#[test]
fn a_membership_that_nobody_renews_expires() {
    let mut bench = inside();
    let mut anna = member("@anna:x", "A", SERVICE_URL);
    let mut content = anna.content.into_inner();
    content["expires"] = json!(5000);
    anna.content = Pii::new(content);
    bench.members.push(anna);
    bench.members.push(member("@bert:y", "B", SERVICE_URL));
    bench.call();
    bench.advance(4 * SECOND);
    assert_eq!(people(&bench).len(), 2);
    bench.advance(2 * SECOND);
    let left: Vec<_> = people(&bench).into_iter().map(|it| it.name).collect();
    assert_eq!(left, [Pii::from("Bert")]);
}

#[test]
fn the_delayed_leave_is_put_off_again_and_again() {
    let mut bench = inside();
    bench
        .answers
        .insert("delayed", Ok(roomd_matrix_port::Done::Done));
    bench.advance(20 * SECOND);
    bench.answers.insert("delayed", Err(Failure::Gone));
    bench.members.clear();
    bench.advance(5 * SECOND);
    assert_eq!(bench.members.len(), 1, "announced anew");
}

#[test]
fn hands_are_reactions_and_rise_again_with_a_new_membership() {
    let mut bench = inside();
    bench.command(Command::Hand(true));
    let Some((_, Ask::React { event, key, .. })) = bench.asked.front().cloned() else {
        panic!("{:?}", bench.asked);
    };
    assert_eq!(key, "\u{1f590}\u{fe0f}");
    assert_eq!(Some(&event), bench.members.first().map(|it| &it.event));
    bench.answer();
    bench.members.clear();
    bench.call();
    bench.answer();
    bench.command(Command::Hand(false));
    assert!(matches!(bench.asked.front(), Some((_, Ask::Redact { .. }))));
    // Anna raises hers.
    let anna = member("@anna:x", "A", SERVICE_URL);
    let target = anna.event.clone();
    bench.members.push(anna);
    bench.call();
    bench.news(News::Reaction {
        room: RoomId::new("!room:x"),
        event: EventId::new("$hand"),
        sender: UserId::new("@anna:x"),
        target,
        key: "\u{1f590}".to_owned(),
        ts: 1,
    });
    assert!(people(&bench)[0].hand);
    bench.news(News::Redacted {
        room: RoomId::new("!room:x"),
        event: EventId::new("$hand"),
        sender: UserId::new("@anna:x"),
    });
    assert!(!people(&bench)[0].hand);
}

#[test]
fn a_room_may_be_named_later() {
    let mut bench = inside();
    let mut info = crate::bench::room(true).info;
    info.name = Pii::from("Jour fixe");
    bench.news(News::Room {
        room: RoomId::new("!room:x"),
        info,
    });
    let title = Event::Title(Pii::from("Jour fixe"));
    assert!(bench.events.contains(&title));
}

#[test]
fn an_emoji_is_shown_for_a_moment() {
    let mut bench = inside();
    let anna = member("@anna:x", "A", SERVICE_URL);
    let target = anna.event.clone();
    bench.members.push(anna);
    bench.call();
    bench.news(News::Emoji {
        room: RoomId::new("!room:x"),
        sender: UserId::new("@anna:x"),
        target,
        emoji: "\u{1f44f}".to_owned(),
        ts: 1,
    });
    let shown = |bench: &Bench| people(bench)[0].reaction.clone();
    assert_eq!(shown(&bench), Some(Pii::from("\u{1f44f}")));
    bench.advance(2 * SECOND);
    assert!(shown(&bench).is_some());
    bench.advance(2 * SECOND);
    assert_eq!(shown(&bench), None);
}

#[test]
fn the_chat_is_the_rooms() {
    let mut bench = inside();
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    bench.command(Command::Chat(Pii::from("hello")));
    bench.answers.insert("message", Err(Failure::Forbidden));
    bench.answer();
    assert!(
        bench
            .events
            .contains(&Event::Fault(FaultCode::MessageNotSent))
    );
    bench.news(News::Message {
        room: RoomId::new("!room:x"),
        event: EventId::new("$m"),
        sender: UserId::new("@anna:x"),
        name: Pii::from("Anna"),
        text: Pii::from("good morning"),
        ts: 1_700_000_000_000,
        own: false,
    });
    let chat = bench.events.iter().find_map(|event| match event {
        Event::Chat(message) => Some(message.clone()),
        _ => None,
    });
    let chat = chat.unwrap();
    assert_eq!(chat.text.expose(), "good morning");
    assert_eq!(chat.from, Some(people(&bench)[0].id.clone()));
}

#[test]
fn people_before_the_door_are_shown_and_let_in() {
    let mut bench = inside();
    let knocking = |users: &[&str]| {
        News::Call(Call {
            room: RoomId::new("!room:x"),
            memberships: Vec::new(),
            sticky: Vec::new(),
            slots: Vec::new(),
            names: [(UserId::new("@anna:x"), Pii::from("Anna"))].into(),
            knocking: users
                .iter()
                .map(|user| Knocking {
                    user: UserId::new(*user),
                    reason: None,
                })
                .collect(),
            left_out: 0,
        })
    };
    bench.news(knocking(&["@anna:x"]));
    let waiting = bench.events.iter().find_map(|event| match event {
        Event::Waiting(people) => people.first().cloned(),
        _ => None,
    });
    let anna = waiting.unwrap();
    assert_eq!(anna.name.expose(), "Anna");
    bench.asked.clear();
    bench.command(Command::Admit(anna.id));
    let asked: Vec<_> = bench.asked.iter().map(|(_, ask)| ask).collect();
    assert!(
        asked
            .iter()
            .any(|ask| matches!(ask, Ask::Invite { user, .. } if user.expose() == "@anna:x")),
        "{asked:?}"
    );
    // The homeserver does not let the room invite.
    bench.answers.insert("invite", Err(Failure::Forbidden));
    bench.answer();
    let refused = Event::Fault(FaultCode::ModerationRefused);
    assert!(bench.events.contains(&refused));
    assert!(
        matches!(bench.events.last(), Some(Event::Waiting(people)) if people.len() == 1),
        "who still waits is still shown"
    );
    bench.news(knocking(&[]));
    assert!(matches!(bench.events.last(), Some(Event::Waiting(people)) if people.is_empty()));
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    let mut bench = Bench::new(LINK);
    bench.now.utc += chrono::TimeDelta::hours(1);
    bench.enter();
    bench.call();
    assert!(bench.events.contains(&Event::Fault(FaultCode::ClockWrong)));
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    assert_eq!(people(&bench).len(), 1);
}

#[test]
fn a_clock_that_is_far_ahead_hides_nobody() {
    let mut bench = Bench::new(LINK);
    bench.now.utc += chrono::TimeDelta::days(2);
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.enter();
    bench.call();
    assert!(bench.events.contains(&Event::Fault(FaultCode::ClockWrong)));
    assert_eq!(people(&bench).len(), 1);
}

#[test]
fn the_account_may_go_and_come_back() {
    let mut bench = inside();
    bench.close_account();
    bench.advance(2 * SECOND);
    bench.news(News::Online(me()));
    bench.answer();
    assert!(
        !bench
            .events
            .iter()
            .any(|event| matches!(event, Event::Ended(_)))
    );
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    assert_eq!(people(&bench).len(), 1);
}
