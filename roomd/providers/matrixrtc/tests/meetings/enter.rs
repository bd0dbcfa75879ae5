// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! On the way in: what is asked in which order, and what each refusal becomes.

use std::time::Duration;

use roomd_conference::{ChannelEvent, Command, Ended, Event, Input, Refusal};
use roomd_matrix_port::{Ask, Done, Failure, KnockOutcome, News, OpenIdToken, Reply, RoomId, Why};
use roomd_model::{FaultCode, Pii, Secret};
use serde_json::json;

use crate::bench::{Bench, LINK, me, room};

fn ended(bench: &Bench) -> Option<Ended> {
    bench.events.iter().find_map(|event| match event {
        Event::Ended(ended) => Some(*ended),
        _ => None,
    })
}

fn fails(bench: &Bench) -> FaultCode {
    match ended(bench) {
        Some(Ended::Failed(code)) => code,
        other => panic!("{other:?}, {:?}", bench.events),
    }
}

#[test]
fn everything_that_can_be_is_asked_at_once() {
    let mut bench = Bench::new(LINK);
    bench.news(News::Online(me()));
    let asked: Vec<_> = bench.asked.iter().map(|(_, ask)| ask.clone()).collect();
    let [Ask::Join { room, .. }, Ask::Transports, Ask::OpenIdToken] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert_eq!(room.expose(), "!room:x");
    bench.answer();
    assert_eq!(
        bench.http.len(),
        1,
        "the token is asked for beside the membership"
    );
    let (id, request) = bench.http.pop_front().unwrap();
    assert_eq!(request.url.expose().as_str(), "https://sfu.x/jwt/sfu/get");
    bench.respond(
        id,
        200,
        &json!({"url": "wss://sfu.x/livekit", "jwt": "token"}),
    );
    let [(_, url, token)] = &bench.sockets[..] else {
        panic!("{} connections", bench.sockets.len());
    };
    assert!(
        url.as_str().starts_with("wss://sfu.x/livekit/rtc?"),
        "{url}"
    );
    assert_eq!(token, "token");
    assert!(matches!(&bench.events[0], Event::Title(title) if title.expose() == "Weekly"));
}

#[test]
fn each_refusal_has_its_own_fault() {
    use FaultCode as Code;
    for (failure, code) in [
        (Failure::UnknownRoom, Code::MeetingUnknown),
        (Failure::InviteOnly, Code::MeetingRefused),
        (Failure::Banned, Code::MeetingRefused),
        (Failure::Forbidden, Code::MeetingRefused),
        (Failure::BadRequest, Code::LinkBroken),
        (Failure::Account(Why::LoginRefused), Code::AccountRefused),
        (Failure::Status { status: 500 }, Code::MeetingUnreachable),
    ] {
        let mut bench = Bench::new(LINK);
        bench.answers.insert("join", Err(failure));
        bench.news(News::Online(me()));
        bench.answer();
        assert_eq!(fails(&bench), code, "{failure:?}");
    }
    let mut bench = Bench::new("https://call.example.org/room/#/?roomId=nonsense");
    assert_eq!(fails(&bench), Code::LinkBroken);
    bench = Bench::new(LINK);
    bench.news(News::Ended(Why::TokenRevoked));
    assert_eq!(fails(&bench), Code::AccountRefused);
    bench = Bench::new(LINK);
    let mut closed = room(true);
    closed.info.can_call = false;
    bench.answers.insert("join", Ok(Done::Joined(closed)));
    bench.news(News::Online(me()));
    bench.answer();
    assert_eq!(fails(&bench), Code::CallNotAllowed);
    for (what, answer, code) in [
        (
            "transports",
            Ok(Done::Transports(Vec::new())),
            Code::TransportMissing,
        ),
        (
            "transports",
            Err(Failure::Unsupported),
            Code::TransportMissing,
        ),
        ("state", Err(Failure::Forbidden), Code::CallNotAllowed),
    ] {
        let mut bench = Bench::new(LINK);
        bench.answers.insert(what, answer);
        bench.news(News::Online(me()));
        bench.answer();
        assert_eq!(fails(&bench), code, "{what}");
    }
}

#[test]
fn a_token_service_refuses_or_is_down() {
    let mut bench = Bench::new(LINK);
    bench.news(News::Online(me()));
    bench.answer();
    let (id, _) = bench.http.pop_front().unwrap();
    bench.respond(id, 403, &json!({"errcode": "M_FORBIDDEN"}));
    assert_eq!(fails(&bench), FaultCode::TokenRefused);

    let mut bench = Bench::new(LINK);
    bench.news(News::Online(me()));
    bench.answer();
    for _ in 0..100 {
        if let Some((id, _)) = bench.http.pop_front() {
            let refused = ChannelEvent::Refused(Refusal::Unreachable);
            bench.feed(Input::Channel(id, refused));
        }
        bench.advance(Duration::from_millis(500));
    }
    assert_eq!(fails(&bench), FaultCode::TokenServiceDown);
}

#[test]
fn what_may_pass_is_asked_again() {
    let mut bench = Bench::new(LINK);
    for what in ["join", "transports", "delay"] {
        bench.answers.insert(what, Err(Failure::Unreachable));
    }
    bench.news(News::Online(me()));
    bench.answer();
    bench.advance(Duration::from_secs(5));
    assert_eq!(ended(&bench), None);
    bench.answers.clear();
    bench.advance(Duration::from_secs(5));
    assert_eq!(bench.http.len(), 1);
    assert_eq!(bench.members.len(), 1, "announced");
}

#[test]
fn a_token_of_the_homeserver_is_asked_for_again_in_a_while() {
    let mut bench = Bench::new(LINK);
    bench.answers.insert("openid", Err(Failure::Unreachable));
    bench.news(News::Online(me()));
    let mut asked = 0;
    let mut answer = |bench: &mut Bench| {
        // Bounded, where everything is asked again at once.
        for _ in 0..50 {
            let Some((id, ask)) = bench.asked.pop_front() else {
                return;
            };
            asked += u32::from(ask == Ask::OpenIdToken);
            let result = bench.result(&ask);
            bench.say(Reply::Answer { id, result });
        }
    };
    answer(&mut bench);
    for _ in 0..10 {
        bench.now = bench.now.after(Duration::from_secs(1));
        bench.feed(Input::Timeout);
        answer(&mut bench);
    }
    assert_eq!(asked, 6, "every two seconds");
    assert_eq!(bench.http.len(), 0);
    bench.answers.clear();
    bench.advance(Duration::from_secs(3));
    assert_eq!(bench.http.len(), 1, "the server is still due");
}

#[test]
fn a_token_of_the_homeserver_may_last_for_ever() {
    let mut bench = Bench::new(LINK);
    let token = OpenIdToken {
        access_token: Secret::new("openid"),
        token_type: "Bearer".to_owned(),
        matrix_server_name: Pii::from("x"),
        expires_in: u64::MAX,
    };
    bench.answers.insert("openid", Ok(Done::OpenId(token)));
    bench.news(News::Online(me()));
    bench.answer();
    assert_eq!(bench.http.len(), 1);
}

#[test]
fn whoever_knocks_waits_and_is_let_in_or_not() {
    let knock = |outcome| {
        let mut bench = Bench::new(LINK);
        let knocked = Done::Knocked {
            room: RoomId::new("!room:x"),
        };
        bench.answers.insert("join", Ok(knocked));
        bench.news(News::Online(me()));
        bench.answer();
        assert!(bench.events.contains(&Event::Lobby));
        bench.answers.clear();
        bench.news(News::Knock {
            room: RoomId::new("!room:x"),
            outcome,
        });
        bench.answer();
        bench
    };
    assert_eq!(knock(KnockOutcome::Invited).http.len(), 1);
    assert_eq!(fails(&knock(KnockOutcome::Denied)), FaultCode::KnockDenied);
}

#[test]
fn encryption_is_required_or_a_password_is_asked_for() {
    let plain = || Ok(Done::Joined(room(false)));
    let enter = |link: &str, required| {
        let mut bench = Bench::with(link, required);
        bench.answers.insert("join", plain());
        bench.news(News::Online(me()));
        bench.answer();
        bench
    };
    let without = enter("https://matrix.to/#/!room:lab.test", true);
    assert_eq!(fails(&without), FaultCode::EncryptionMissing);
    let asking = enter(LINK, true);
    let asks = Event::PasswordRequired { wrong: false };
    assert!(asking.events.contains(&asks) && asking.http.is_empty());
    assert_eq!(enter(LINK, false).http.len(), 1);
    let with_password = format!("{LINK}&password=secret");
    assert_eq!(enter(&with_password, true).http.len(), 1);
}

#[test]
fn leaving_takes_the_membership_back() {
    let mut bench = Bench::new(LINK);
    bench.enter();
    bench.command(Command::Leave { returning: false });
    let asked: Vec<_> = bench.asked.iter().map(|(_, ask)| ask.clone()).collect();
    assert!(matches!(&asked[..], [Ask::Delayed { .. }]), "{asked:?}");
    bench.answer();
    assert_eq!(ended(&bench), Some(Ended::Left));
}

#[test]
fn a_room_that_was_entered_for_the_meeting_is_left_with_it() {
    for returning in [false, true] {
        let mut bench = Bench::new(LINK);
        let mut stranger = room(true);
        stranger.belongs = false;
        bench.answers.insert("join", Ok(Done::Joined(stranger)));
        bench.enter();
        bench.command(Command::Leave { returning });
        let leaves = bench
            .asked
            .iter()
            .any(|(_, ask)| matches!(ask, Ask::Leave { .. }));
        assert_eq!(leaves, !returning);
        // The homeserver does not answer.
        bench.asked.clear();
        bench.advance(Duration::from_secs(5));
        assert_eq!(ended(&bench), Some(Ended::Left));
    }
}

#[test]
fn a_password_that_people_know_is_asked_for() {
    let provider = crate::bench::provider(true);
    let url = url::Url::parse(LINK).unwrap();
    let mut link = roomd_conference::Provider::recognise(&provider, &url).unwrap();
    link.protected = true;
    let mut bench = Bench::joining(link, true);
    bench.answers.insert("join", Ok(Done::Joined(room(false))));
    bench.news(News::Online(me()));
    bench.answer();
    assert!(
        bench
            .events
            .contains(&Event::PasswordRequired { wrong: false })
    );
    assert_eq!(bench.http.len(), 0);
    bench.command(Command::Password(Secret::new("")));
    assert_eq!(bench.http.len(), 0);
    bench.command(Command::Password(Secret::new("secret")));
    assert_eq!(bench.http.len(), 1);
}
