// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Every way in which a connection ends, or does not.

use std::time::Duration;

use livekit_protocol as proto;
use proto::DisconnectReason as Reason;
use proto::leave_request::Action;
use proto::signal_response::Message as Response;
use roomd_conference::{ChannelEvent, Endpoint, LocalSource, PeerState, Refusal};
use roomd_livekit::{Ended, Event};
use roomd_model::{FaultCode, Pii};

use crate::bench::{Bench, join, leave, options};

fn ended(bench: &Bench) -> Option<Ended> {
    bench.events.iter().find_map(|event| match event {
        Event::Ended(ended) => Some(*ended),
        _ => None,
    })
}

/// A refused channel, and what the server says when it is asked why.
fn refused(status: u16, reason: Option<(u16, &str)>) -> Bench {
    let mut bench = Bench::new(options(&[]));
    bench.channel(ChannelEvent::Refused(Refusal::Status(status)));
    let Some(Endpoint::Http(request)) = &bench.endpoint else {
        panic!("the server is not asked");
    };
    let path = request.url.expose().path();
    assert_eq!(path, "/livekit/rtc/validate");
    match reason {
        Some((status, body)) => {
            let body = Pii::from(body);
            bench.channel(ChannelEvent::Response { status, body });
        }
        None => bench.channel(ChannelEvent::Refused(Refusal::Unreachable)),
    }
    bench
}

#[test]
fn refused_tokens_and_missing_rooms_end_at_once() {
    for (status, reason, wanted) in [
        (401, Some((401, "no permissions")), Ended::TokenRefused),
        (403, None, Ended::TokenRefused),
        // What the server says of it counts, not what a proxy made of it.
        (502, Some((401, "invalid token")), Ended::TokenRefused),
        (400, Some((400, "no room")), Ended::TokenRefused),
        (
            404,
            Some((404, "requested room does not exist")),
            Ended::NoSuchRoom,
        ),
        (404, None, Ended::NoSuchRoom),
        // A proxy that knows only half of the server.
        (401, Some((404, "not found")), Ended::TokenRefused),
        (426, None, Ended::ClientTooOld),
    ] {
        let bench = refused(status, reason);
        assert_eq!(ended(&bench), Some(wanted), "{status} {reason:?}");
        let said = bench
            .connection
            .refusal()
            .map(|text| text.expose().as_str());
        assert_eq!(said, reason.map(|(_, text)| text));
    }
}

#[test]
fn a_reason_that_does_not_come_is_not_waited_for() {
    let mut bench = Bench::new(options(&[]));
    bench.channel(ChannelEvent::Refused(Refusal::Status(401)));
    bench.pass(Duration::from_secs(6));
    assert_eq!(ended(&bench), Some(Ended::TokenRefused));
}

#[test]
fn a_full_server_is_asked_again_for_as_long_as_joining_may_take() {
    // A server without a place for one more in its room has nothing against a token.
    for (status, reason) in [(429, 429), (503, 503), (500, 200)] {
        let mut bench = refused(status, Some((reason, "limit")));
        let mut asked = 1;
        while ended(&bench).is_none() {
            assert!(bench.now.mono - bench.start < Duration::from_secs(40));
            bench.pass(Duration::from_millis(100));
            if let Some(Endpoint::WebSocket { .. }) = bench.endpoint.take() {
                asked += 1;
                bench.channel(ChannelEvent::Refused(Refusal::Status(status)));
                let body = Pii::from("limit");
                let status = reason;
                bench.channel(ChannelEvent::Response { status, body });
            }
        }
        assert_eq!(ended(&bench), Some(Ended::Full));
        assert!(asked > 4, "asked {asked} times");
    }
}

#[test]
fn a_server_that_nobody_reaches_ends_the_attempts_in_time() {
    for event in [
        ChannelEvent::Refused(Refusal::Unreachable),
        ChannelEvent::Refused(Refusal::Unexpected),
        ChannelEvent::Closed,
    ] {
        let mut bench = Bench::new(options(&[]));
        while ended(&bench).is_none() {
            if bench.endpoint.take().is_some() {
                bench.channel(event.clone());
            }
            bench.pass(Duration::from_millis(100));
        }
        assert_eq!(ended(&bench), Some(Ended::Unreachable));
        let took = bench.now.mono - bench.start;
        assert!(took < Duration::from_secs(26), "{took:?}");
        assert!(took > Duration::from_secs(15), "{took:?}");
    }
    // Also one that neither opens nor refuses.
    let mut bench = Bench::new(options(&[]));
    bench.pass(Duration::from_secs(60));
    assert_eq!(ended(&bench), Some(Ended::Unreachable));
}

#[test]
fn what_is_not_secure_is_not_tried_again() {
    for refusal in [Refusal::Certificate, Refusal::Address] {
        let mut bench = Bench::new(options(&[]));
        bench.channel(ChannelEvent::Refused(refusal));
        assert_eq!(ended(&bench), Some(Ended::Insecure));
    }
    let mut strange = options(&[]);
    strange.url = Pii::new("ftp://sfu.example".parse().unwrap());
    assert_eq!(ended(&Bench::new(strange)), Some(Ended::Insecure));
}

#[test]
fn a_full_meeting_greets_nobody() {
    let mut bench = Bench::new(options(&[]));
    bench.open();
    bench.hear(leave(Reason::JoinFailure, Action::Disconnect));
    assert_eq!(ended(&bench), Some(Ended::Full));
}

#[test]
fn the_server_says_why_it_is_over() {
    for (reason, wanted) in [
        (Reason::DuplicateIdentity, Ended::DuplicateIdentity),
        (Reason::ParticipantRemoved, Ended::Removed),
        (Reason::RoomDeleted, Ended::RoomClosed),
        (Reason::RoomClosed, Ended::RoomClosed),
        (Reason::UnknownReason, Ended::Disconnected),
        (Reason::UserRejected, Ended::Disconnected),
    ] {
        let mut bench = Bench::joined(&[LocalSource::Microphone]);
        bench.take_log();
        bench.hear(leave(reason, Action::Disconnect));
        assert_eq!(ended(&bench), Some(wanted), "{reason:?}");
        let log = bench.take_log();
        assert!(log.contains(&"peer 0 closes".to_owned()), "{log:?}");
        assert!(log.contains(&"peer 1 closes".to_owned()), "{log:?}");
        assert!(log.contains(&"close".to_owned()), "{log:?}");
    }
}

#[test]
fn a_certificate_that_does_not_match_ends_it() {
    let mut bench = Bench::joined(&[]);
    bench.peer(roomd_conference::PeerId(0), PeerState::Unverified);
    assert_eq!(ended(&bench), Some(Ended::NotVerified));
}

#[test]
fn a_server_that_shuts_down_is_waited_for_and_then_given_up() {
    let mut bench = Bench::joined(&[]);
    bench.hear(leave(Reason::ServerShutdown, Action::Reconnect));
    let mut tried = 0;
    while ended(&bench).is_none() {
        if bench.endpoint.take().is_some() {
            tried += 1;
            bench.channel(ChannelEvent::Refused(Refusal::Unreachable));
        }
        bench.pass(Duration::from_millis(100));
    }
    assert_eq!(ended(&bench), Some(Ended::ServerShutdown));
    let took = bench.now.mono - bench.start;
    assert!((100..=111).contains(&took.as_secs()), "{took:?}");
    assert!((10..40).contains(&tried), "{tried} attempts");
}

#[test]
fn a_join_without_a_participant_is_none() {
    let mut bench = Bench::new(options(&[]));
    bench.open();
    bench.hear(Response::Join(proto::JoinResponse {
        alternative_url: "wss://elsewhere.example".into(),
        ..Default::default()
    }));
    let Some(Endpoint::WebSocket { url, .. }) = &bench.endpoint else {
        panic!("not tried again");
    };
    assert_eq!(url.expose().host_str(), Some("sfu.example"));
    bench.open();
    bench.hear(Response::Join(proto::JoinResponse {
        participant: Some(proto::ParticipantInfo {
            sid: "PA_own".into(),
            identity: "x".repeat(600),
            ..Default::default()
        }),
        ..join()
    }));
    assert_eq!(bench.connection.identity(), None);
    assert_eq!(bench.connection.bad_messages(), 2);
}

#[test]
fn a_silent_server_is_none() {
    let mut bench = Bench::new(options(&[]));
    bench.open();
    bench.pass(Duration::from_secs(60));
    assert_eq!(ended(&bench), Some(Ended::Unreachable));
}

#[test]
fn every_end_says_something_to_the_room() {
    use roomd_conference::Ended::{Closed, Failed, Left};
    for (ended, wanted) in [
        (Ended::Left, Left),
        (Ended::RoomClosed, Closed),
        (Ended::DuplicateIdentity, Failed(FaultCode::MeetingRefused)),
        (Ended::NoSuchRoom, Failed(FaultCode::MeetingUnknown)),
        (Ended::ClientTooOld, Failed(FaultCode::MeetingUnreachable)),
        (Ended::Lost, Failed(FaultCode::ConnectionLost)),
        (Ended::NotVerified, Failed(FaultCode::PeerNotVerified)),
    ] {
        assert_eq!(ended.for_room(), wanted);
    }
}
