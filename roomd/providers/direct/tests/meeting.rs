// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Meetings as guests live through them; whole transcripts are snapshots.

mod common;

use common::{Bench, hello, sdp};
use roomd_conference::{
    ChannelCommand, Command, Ended, Event, LocalSource, MediaCommand, MediaEvent, Output, PeerId,
    PeerState,
};
use roomd_model::{Connection, E2ee, FaultCode, Pii};
use serde_json::json;

fn last_e2ee(bench: &Bench) -> Option<E2ee> {
    let events = bench.events();
    events.iter().rev().find_map(|event| match event {
        Event::E2ee(e2ee) => Some(*e2ee),
        _ => None,
    })
}

#[test]
fn two_guests_meet_the_room() {
    let mut bench = Bench::new(None);
    bench.command(Command::Sending {
        microphone: true,
        camera: false,
    });
    bench.command(Command::WantedHeight(500));
    let erika = bench.admit(1, "Erika");
    bench.say(1, &json!({"type": "offer", "to": "room", "sdp": sdp("AA")}));
    bench.answer(0);
    bench.peer(0, PeerState::Verified);
    bench.say(
        1,
        &json!({"type": "state", "microphone": true, "camera": true, "sharing": true}),
    );
    bench.admit(2, "Max");
    bench.say(
        2,
        &json!({"type": "offer", "to": erika.0, "sdp": "for Erika"}),
    );
    bench.say(1, &json!({"type": "chat", "text": "Hello\u{202e}"}));
    bench.command(Command::Chat(Pii::from("Welcome")));
    bench.say(
        1,
        &json!({"type": "state", "microphone": true, "camera": true, "sharing": false}),
    );
    bench.say(1, &json!({"type": "bye"}));
    bench.command(Command::Leave { returning: false });
    insta::assert_snapshot!(bench.log);
}

#[test]
fn a_guest_gets_the_size_that_its_page_shows() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    let wishes = |bench: &Bench| -> Vec<_> {
        let outputs = bench.outputs.iter();
        outputs
            .filter_map(|output| match output {
                Output::Media(MediaCommand::Want { peer, mid, sizes }) => {
                    Some(format!("{} {mid} {sizes:?}", peer.0))
                }
                _ => None,
            })
            .collect()
    };
    let wants = |lines: u32| json!({"type": "wanted-height", "lines": lines});
    // Before there is a connection it is kept.
    bench.say(1, &wants(1080));
    assert_eq!(wishes(&bench), [""; 0]);
    bench.say(1, &json!({"type": "offer", "to": "room", "sdp": sdp("AA")}));
    assert_eq!(wishes(&bench), ["0 1 {Low, Medium, High, Full}"]);
    for lines in [2000, 1080, 360, 400, 0] {
        bench.say(1, &wants(lines));
    }
    let said = wishes(&bench);
    assert_eq!(
        said[1..],
        ["0 1 {Low, Medium}", "0 1 {Low}"],
        "only what is new"
    );
    // It goes for the next connection, too.
    bench.say(1, &json!({"type": "offer", "to": "room", "sdp": sdp("BB")}));
    assert_eq!(wishes(&bench)[3..], ["1 1 {Low}"]);
}

#[test]
fn what_the_room_shows_has_an_m_line_and_is_told() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    bench.say(1, &json!({"type": "offer", "to": "room", "sdp": sdp("AA")}));
    let published = bench.outputs.iter().any(|output| {
        let Output::Media(MediaCommand::Publish { mid, source, .. }) = output else {
            return false;
        };
        (mid.as_str(), *source) == ("2", LocalSource::Content)
    });
    assert!(published);
    let tells = |bench: &Bench, sharing: bool| {
        let mark = format!("\"sharing\":{sharing}");
        let told = |output: &Output| {
            let Output::Channel(_, ChannelCommand::Text(text)) = output else {
                return false;
            };
            let text = text.expose();
            text.contains("\"id\":\"room\"") && text.contains(&mark)
        };
        bench.outputs.iter().any(told)
    };
    for sharing in [true, false] {
        bench.take();
        bench.command(Command::Content(sharing));
        assert!(tells(&bench, sharing));
    }
}

#[test]
fn the_meeting_is_encrypted_only_when_every_connection_is_verified() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    bench.say(1, &json!({"type": "offer", "to": "room", "sdp": sdp("AA")}));
    assert_eq!(last_e2ee(&bench), None);
    bench.peer(0, PeerState::Verified);
    assert_eq!(last_e2ee(&bench), Some(E2ee::Verified));
    bench.admit(2, "Max");
    assert_eq!(last_e2ee(&bench), Some(E2ee::Pending));
    bench.say(2, &json!({"type": "offer", "to": "room", "sdp": sdp("BB")}));
    bench.take();
    bench.peer(1, PeerState::Unverified);
    assert_eq!(last_e2ee(&bench), Some(E2ee::Verified));
    assert!(
        bench
            .events()
            .contains(&Event::Fault(FaultCode::PeerNotVerified))
    );
    assert!(bench.is_closed(2) && !bench.is_closed(1));
    let streams = |event: &Event| matches!(event, Event::StreamAdded { .. });
    assert!(!bench.events().iter().any(streams));
}

#[test]
fn an_ice_restart_keeps_the_connection_and_a_new_certificate_replaces_it() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    let offer = |certificate: &str| json!({"type": "offer", "to": "room", "sdp": sdp(certificate)});
    bench.say(1, &offer("AA"));
    bench.peer(0, PeerState::Verified);
    bench.media(MediaEvent::Quality {
        peer: PeerId(0),
        poor: true,
    });
    bench.peer(0, PeerState::Interrupted);
    bench.log.clear();
    bench.say(1, &offer("AA"));
    bench.say(1, &offer("BB"));
    insta::assert_snapshot!(bench.log);
    for number in 0..10 {
        bench.say(1, &offer(&number.to_string()));
    }
    assert!(bench.is_closed(1), "connections without end");
}

#[test]
fn a_room_with_other_addresses_asks_for_a_restart_until_there_is_one() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    let moved = || MediaEvent::AddressesChanged { peer: PeerId(0) };
    bench.media(moved());
    let offer = json!({"type": "offer", "to": "room", "sdp": sdp("AA")});
    bench.say(1, &offer);
    bench.peer(0, PeerState::Verified);
    let token = bench.received(1)[1]["resume"].clone();
    let mut again = hello("Erika");
    again["resume"] = token;
    bench.take();
    bench.media(moved());
    assert_eq!(bench.kinds(1), ["restart"]);
    bench.take();
    // The channel went with the old address.
    bench.open(2);
    bench.say(2, &again);
    assert_eq!(bench.kinds(2), ["welcome", "restart"]);
    again["resume"] = bench.received(2)[0]["resume"].clone();
    bench.say(2, &offer);
    let opens = |output: &Output| matches!(output, Output::Media(MediaCommand::OpenPeer { .. }));
    assert!(!bench.outputs.iter().any(opens), "the same connection");
    bench.open(3);
    bench.say(3, &again);
    assert_eq!(bench.kinds(3), ["welcome"]);
}

#[test]
fn a_lost_guest_comes_back_without_the_lobby() {
    for (away, member_left) in [(10, false), (45, true)] {
        let mut bench = Bench::new(Some("sesame"));
        bench.open(1);
        let mut knock = hello("Erika");
        knock["password"] = json!("sesame");
        bench.say(1, &knock);
        let id = bench.waiting().pop().unwrap();
        bench.command(Command::Admit(id.clone()));
        let token = bench.received(1).pop().unwrap()["resume"].clone();
        bench.take();
        bench.close(1);
        bench.advance(away);
        let gone = bench.events().contains(&Event::Participants(Vec::new()));
        assert_eq!(gone, member_left);
        bench.open(2);
        let mut again = hello("Erika");
        again["resume"] = token.clone();
        bench.say(2, &again);
        let welcome = bench.received(2).pop().unwrap();
        assert_eq!(
            (&welcome["type"], &welcome["id"]),
            (&json!("welcome"), &json!(id.0))
        );
        assert_ne!(welcome["resume"], token, "a token is good once");
        bench.open(3);
        bench.say(3, &again);
        assert_eq!(bench.kinds(3), ["password-required"]);
    }
}

#[test]
fn who_was_removed_or_stayed_away_asks_again() {
    let mut bench = Bench::new(None);
    let id = bench.admit(1, "Erika");
    let mut again = hello("Erika");
    again["resume"] = bench.received(1).pop().unwrap()["resume"].clone();
    bench.command(Command::Remove(id));
    assert_eq!(bench.received(1).pop().unwrap()["reason"], "removed");
    bench.open(2);
    bench.say(2, &again);
    assert_eq!(bench.kinds(2), ["waiting"]);

    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    again["resume"] = bench.received(1).pop().unwrap()["resume"].clone();
    bench.close(1);
    bench.advance(61);
    bench.open(2);
    bench.say(2, &again);
    assert_eq!(bench.kinds(2), ["waiting"]);
}

#[test]
fn a_room_that_comes_back_does_not_end_the_meeting_for_its_guests() {
    for (returning, last) in [(false, "ended"), (true, "none")] {
        let mut bench = Bench::new(None);
        bench.admit(1, "Erika");
        bench.open(2);
        bench.say(2, &hello("Max"));
        bench.open(3);
        bench.take();
        bench.command(Command::Leave { returning });
        for channel in 1..=3 {
            let kinds = bench.kinds(channel);
            assert_eq!(kinds.last().map_or("none", String::as_str), last);
            assert!(bench.is_closed(channel));
        }
        assert_eq!(bench.events().last(), Some(&Event::Ended(Ended::Left)));
    }
}

#[test]
fn passwords_are_tried_five_times() {
    let mut bench = Bench::new(Some("sesame"));
    bench.open(1);
    bench.say(1, &hello("Erika"));
    bench.advance(120);
    let mut wrong = hello("Erika");
    wrong["password"] = json!("sesam");
    for _ in 0..5 {
        assert!(!bench.is_closed(1));
        bench.say(1, &wrong);
    }
    assert_eq!(bench.received(1).pop().unwrap()["reason"], "too-many");
    assert!(bench.is_closed(1));
    assert!(bench.waiting().is_empty());
}

#[test]
fn guessing_on_many_channels_does_not_help() {
    let mut bench = Bench::new(Some("sesame"));
    let mut wrong = hello("Mallory");
    wrong["password"] = json!("sesam");
    let mut right = hello("Erika");
    right["password"] = json!("sesame");
    for channel in 1..=20 {
        bench.open(channel);
        bench.say(channel, &wrong);
        assert_eq!(bench.kinds(channel), ["password-required"]);
    }
    for (channel, message) in [(21, &wrong), (22, &right), (1, &right)] {
        bench.open(channel);
        bench.say(channel, message);
        assert_eq!(bench.received(channel).pop().unwrap()["reason"], "too-many");
        assert!(bench.is_closed(channel));
    }
    assert!(bench.waiting().is_empty());
    bench.advance(4);
    for (channel, message, kind) in [
        (31, &right, "waiting"),
        (32, &wrong, "password-required"),
        (33, &wrong, "refused"),
    ] {
        bench.open(channel);
        bench.say(channel, message);
        assert_eq!(bench.kinds(channel), [kind]);
    }
}

#[test]
fn nobody_waits_at_the_password_for_ever() {
    let mut bench = Bench::new(Some("sesame"));
    bench.open(1);
    bench.say(1, &hello("Erika"));
    bench.advance(200);
    bench.say(1, &hello("Erika"));
    bench.advance(99);
    assert!(!bench.is_closed(1));
    bench.advance(1);
    assert!(bench.is_closed(1));
}

#[test]
fn a_full_meeting_lets_the_next_one_in_when_somebody_leaves() {
    let mut bench = Bench::new(None);
    bench.admit(1, "A");
    bench.admit(2, "B");
    bench.admit(3, "C");
    let waiting = bench.received(3);
    assert_eq!(waiting[0]["reason"], "lobby");
    assert_eq!(waiting[1]["reason"], "full");
    bench.say(1, &json!({"type": "bye"}));
    assert_eq!(bench.kinds(3), ["waiting", "waiting", "welcome"]);
}

#[test]
fn guests_learn_of_stun_servers_and_of_no_relay() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    let welcome = bench.received(1).pop().unwrap();
    assert_eq!(welcome["iceServers"], json!(["stun:stun.example.org"]));
    assert!(!welcome.to_string().contains("of the room alone"));
}

#[test]
fn who_floods_or_talks_nonsense_is_dropped_alone() {
    let flood = json!({"type": "hand", "raised": true});
    let nonsense = json!({"type": "hand", "raised": 7});
    let impostor = json!({"type": "chat", "text": "x", "from": "room"});
    for (message, times, reason) in [
        (&flood, 120, "too-many"),
        (&nonsense, 3, "bad-message"),
        (&impostor, 3, "bad-message"),
    ] {
        let mut bench = Bench::new(None);
        bench.admit(1, "Mallory");
        bench.admit(2, "Erika");
        bench.take();
        for _ in 0..times {
            assert!(!bench.is_closed(1));
            bench.say(1, message);
        }
        assert_eq!(bench.received(1).pop().unwrap()["reason"], reason);
        assert!(bench.is_closed(1) && !bench.is_closed(2));
        assert!(
            bench
                .events()
                .contains(&Event::Fault(FaultCode::GuestDropped))
        );
        bench.say(2, &json!({"type": "chat", "text": "still here"}));
        assert_eq!(bench.kinds(2).pop().unwrap(), "chat");
    }
}

#[test]
fn candidates_are_counted_and_strangers_ignored() {
    let mut bench = Bench::new(None);
    bench.admit(1, "A");
    let b = bench.admit(2, "B");
    bench.take();
    for _ in 0..105 {
        let line = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
        bench.say(
            1,
            &json!({"type": "candidate", "to": b.0, "candidate": line, "mid": "0"}),
        );
    }
    assert_eq!(bench.received(2).len(), 100);
    assert_eq!(bench.session.bad_messages(), 5);
    bench.say(1, &json!({"type": "offer", "to": "g-nobody", "sdp": "x"}));
    bench.say(1, &json!({"type": "answer", "to": "room", "sdp": "x"}));
    assert_eq!(bench.session.bad_messages(), 7);
    assert!(!bench.is_closed(1));
}

#[test]
fn silence_other_versions_and_bad_names_are_refused() {
    let mut bench = Bench::new(None);
    bench.open(1);
    bench.advance(15);
    assert_eq!(bench.received(1)[0]["reason"], "too-slow");
    assert!(bench.is_closed(1));
    bench.open(2);
    bench.say(2, &json!({"type": "hello", "version": 2, "shape": "new"}));
    assert_eq!(bench.received(2)[0]["reason"], "version");
    bench.open(3);
    bench.say(3, &hello("\u{202e}\u{200b}"));
    assert_eq!(bench.received(3)[0]["reason"], "bad-message");
    let sent = bench
        .take()
        .into_iter()
        .filter(|output| matches!(output, Output::Media(_)));
    assert_eq!(sent.count(), 0);
}

#[test]
fn the_state_of_a_connection_shows_at_the_participant() {
    let mut bench = Bench::new(None);
    bench.admit(1, "Erika");
    bench.say(1, &json!({"type": "offer", "to": "room", "sdp": sdp("AA")}));
    let mut seen = Vec::new();
    let states = [
        PeerState::Verified,
        PeerState::Interrupted,
        PeerState::Verified,
        PeerState::Failed,
    ];
    for state in states {
        bench.peer(0, state);
        let people = bench
            .events()
            .into_iter()
            .rev()
            .find_map(|event| match event {
                Event::Participants(people) => Some(people),
                _ => None,
            });
        seen.push(people.unwrap()[0].connection);
    }
    let expected = [
        Connection::Good,
        Connection::Lost,
        Connection::Good,
        Connection::Connecting,
    ];
    assert_eq!(seen, expected);
}
