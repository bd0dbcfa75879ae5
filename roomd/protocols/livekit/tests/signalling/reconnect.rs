// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Lost channels, lost paths, and the way back.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use livekit_protocol as proto;
use proto::DisconnectReason as Reason;
use proto::leave_request::Action;
use proto::signal_request::Message as Request;
use proto::signal_response::Message as Response;
use roomd_conference::{
    ChannelEvent, Endpoint, LocalSource, MediaEvent, PeerId, PeerState, Refusal,
};
use roomd_livekit::{Ended, Event, Ids};
use roomd_model::{Secret, StreamId};

use crate::bench::{Bench, camera, join, leave, microphone, options, somebody};

const PUBLISHER: PeerId = PeerId(0);
const SUBSCRIBER: PeerId = PeerId(1);
const JOIN: &str =
    "open wss://sfu.example/livekit/rtc?protocol=16&sdk=rust&auto_subscribe=0&adaptive_stream=1";

fn resume(reason: u8) -> String {
    format!("{JOIN}&reconnect=1&sid=PA_own&reconnect_reason={reason}")
}

/// In the room with Anna, whose camera is shown.
fn meeting() -> Bench {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    bench.wish(|connection, _| connection.want(StreamId(1), 360));
    bench.take_log();
    bench
}

fn welcome_back(bench: &mut Bench) {
    bench.open();
    bench.hear(Response::Reconnect(proto::ReconnectResponse::default()));
}

fn ended(bench: &Bench) -> Option<Ended> {
    bench.events.iter().find_map(|event| match event {
        Event::Ended(ended) => Some(*ended),
        _ => None,
    })
}

#[test]
fn a_lost_channel_is_resumed_and_nothing_is_lost() {
    let mut bench = meeting();
    bench.channel(ChannelEvent::Closed);
    // Meanwhile the room is muted and the tile grows.
    bench.wish(|c, now| c.set_muted(LocalSource::Microphone, false, now));
    bench.wish(|connection, _| connection.want(StreamId(1), 720));
    assert_eq!(
        bench.take_log(),
        [
            "* Reconnecting { attempt: 1 }".to_owned(),
            resume(1),
            "peer 0 holds m1 false".to_owned(),
        ]
    );
    welcome_back(&mut bench);
    assert_eq!(
        bench.take_log(),
        [
            "> sync offer Some(2) answer Some(2) publish [\"cid0-1\"] \
             subscription Some((true, [\"TR_b\"]))",
            "peer 0 offers 0 stops [] restarts",
            "> mute TR_own1 false",
            "> show TR_b 1280x720",
            "> offer 2",
            "peer 0 remote Answer",
            "* Resumed",
        ]
    );
    // The server restarts ICE where it makes the offers.
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    assert_eq!(bench.take_log(), ["peer 1 remote Offer", "> answer 3"]);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.take_log(), [""; 0]);
    assert_eq!(bench.connection.bad_messages(), 0);
}

#[test]
fn a_silent_channel_is_lost_and_a_talking_one_is_not() {
    let mut bench = meeting();
    bench.pass(Duration::from_secs(300));
    assert_eq!(bench.take_log(), [""; 0]);
    assert_eq!(bench.connection.round_trip(), Some(Duration::ZERO));
    bench.server = false;
    bench.pass(Duration::from_secs(14));
    assert_eq!(bench.take_log(), [""; 0]);
    // Any message counts.
    bench.hear(Response::RoomUpdate(proto::RoomUpdate::default()));
    bench.pass(Duration::from_secs(14));
    assert_eq!(bench.take_log(), [""; 0]);
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        bench.take_log(),
        [
            "close".to_owned(),
            "* Reconnecting { attempt: 1 }".to_owned(),
            resume(1)
        ]
    );
}

#[test]
fn round_trips_are_measured_and_told() {
    let mut bench = meeting();
    bench.server = false;
    bench.said.clear();
    bench.pass(Duration::from_secs(5));
    let Some(Request::PingReq(ping)) = bench.said.pop() else {
        panic!("no ping");
    };
    bench.pass(Duration::from_millis(40));
    let pong = |last_ping_timestamp| {
        Response::PongResp(proto::Pong {
            last_ping_timestamp,
            timestamp: 0,
        })
    };
    bench.hear(pong(ping.timestamp));
    let took = bench.connection.round_trip();
    assert_eq!(took, Some(Duration::from_millis(40)));
    // One that makes no sense changes nothing.
    for strange in [i64::MAX, i64::MIN, 0] {
        bench.hear(pong(strange));
    }
    assert_eq!(bench.connection.round_trip(), took);
    assert_eq!(bench.connection.bad_messages(), 3);
    bench.pass(Duration::from_secs(5));
    assert!(matches!(bench.said.pop(), Some(Request::PingReq(ping)) if ping.rtt == 40));
}

#[test]
fn a_server_that_does_not_know_the_room_any_more_is_joined_anew() {
    let mut bench = meeting();
    bench.channel(ChannelEvent::Closed);
    bench.open();
    bench.take_log();
    bench.hear(leave(Reason::StateMismatch, Action::Reconnect));
    // The old streams stay until the new ones are there.
    let log = bench.take_log();
    assert_eq!(log[..2], ["close", "* Reconnecting { attempt: 2 }"]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.take_log(), [JOIN]);
    bench.open();
    bench.hear(Response::Join(proto::JoinResponse {
        other_participants: vec![somebody("bert", vec![microphone("TR_c")])],
        ..join()
    }));
    assert_eq!(
        bench.take_log(),
        [
            "* removed 1",
            "peer 0 closes",
            "peer 1 closes",
            "* joined as room",
            "peer 2 opens with 0 servers",
            "peer 2 offers 1 stops []",
            "> subscribe true TR_c",
            "* anna left",
            "* bert microphone",
            "> add microphone cid2-1 0x0 layers 0 encryption 0 muted",
            "peer 2 publishes Microphone on m1",
            "peer 2 holds m1 true",
            "* Published { source: Microphone }",
            "> offer 1",
            "peer 2 remote Answer",
        ]
    );
    bench.offer(&[("1", "PA_bert", "TR_c")]);
    assert!(
        bench
            .take_log()
            .contains(&"* added 2 bert Microphone".to_owned())
    );
    // What the old connections say does not matter.
    bench.peer(PUBLISHER, PeerState::Failed);
    bench.peer(SUBSCRIBER, PeerState::Unverified);
    assert_eq!(bench.take_log(), [""; 0]);
}

#[test]
fn a_server_asks_for_either_way_back() {
    let mut bench = meeting();
    bench.hear(leave(Reason::Migration, Action::Resume));
    assert_eq!(bench.take_log().last(), Some(&resume(3)));
    let mut bench = meeting();
    bench.hear(leave(Reason::UnknownReason, Action::Reconnect));
    assert_eq!(bench.take_log().last().map(String::as_str), Some(JOIN));
    // As servers before actions said it.
    let mut bench = meeting();
    bench.hear(Response::Leave(proto::LeaveRequest {
        can_reconnect: true,
        ..Default::default()
    }));
    assert_eq!(bench.take_log().last().map(String::as_str), Some(JOIN));
}

#[test]
fn other_addresses_restart_ice_on_both_connections() {
    let mut bench = meeting();
    bench.media_event(MediaEvent::AddressesChanged { peer: SUBSCRIBER });
    bench.media_event(MediaEvent::AddressesChanged { peer: PUBLISHER });
    assert_eq!(
        bench.take_log(),
        [
            "close".to_owned(),
            "* Reconnecting { attempt: 1 }".to_owned(),
            resume(3)
        ]
    );
    welcome_back(&mut bench);
    assert!(
        bench
            .take_log()
            .contains(&"peer 0 offers 0 stops [] restarts".to_owned())
    );
}

#[test]
fn a_path_that_is_gone_for_a_moment_is_waited_for() {
    let mut bench = meeting();
    bench.peer(SUBSCRIBER, PeerState::Interrupted);
    bench.pass(Duration::from_secs(2));
    bench.peer(SUBSCRIBER, PeerState::Verified);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.take_log(), [""; 0]);
    bench.peer(SUBSCRIBER, PeerState::Interrupted);
    bench.pass(Duration::from_secs(4));
    assert_eq!(
        bench.take_log(),
        [
            "close".to_owned(),
            "* Reconnecting { attempt: 1 }".to_owned(),
            resume(3)
        ]
    );
    welcome_back(&mut bench);
    assert!(!bench.events.contains(&Event::Resumed), "media is not back");
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    assert!(bench.events.contains(&Event::Resumed));

    let mut bench = meeting();
    bench.peer(PUBLISHER, PeerState::Interrupted);
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.take_log().last(), Some(&resume(2)));
}

#[test]
fn media_that_does_not_come_back_leads_to_a_fresh_start() {
    let mut bench = meeting();
    bench.engine = false;
    bench.peer(SUBSCRIBER, PeerState::Interrupted);
    bench.pass(Duration::from_secs(3));
    welcome_back(&mut bench);
    bench.take_log();
    bench.pass(Duration::from_secs(16));
    let log = bench.take_log();
    assert_eq!(log[..2], ["close", "* Reconnecting { attempt: 2 }"]);
    assert_eq!(log[2], JOIN);

    let mut bench = meeting();
    bench.peer(SUBSCRIBER, PeerState::Failed);
    assert_eq!(bench.take_log().last().map(String::as_str), Some(JOIN));
    // Once is enough for both.
    bench.peer(PUBLISHER, PeerState::Failed);
    assert_eq!(bench.take_log(), [""; 0]);
}

#[test]
fn descriptions_that_do_not_fit_lead_to_a_fresh_start() {
    let mut bench = meeting();
    bench.media_event(MediaEvent::DescriptionRefused { peer: SUBSCRIBER });
    assert_eq!(bench.take_log().last().map(String::as_str), Some(JOIN));
}

#[test]
fn half_a_negotiation_is_not_resumed() {
    let mut bench = meeting();
    bench.server = false;
    let content = roomd_livekit::Publish {
        source: LocalSource::Content,
        muted: false,
    };
    bench.wish(|connection, now| connection.publish(content, now));
    bench.channel(ChannelEvent::Closed);
    assert_eq!(bench.take_log().last().map(String::as_str), Some(JOIN));
}

#[test]
fn attempts_end_and_say_so() {
    let mut bench = meeting();
    let begin = bench.now.mono;
    bench.channel(ChannelEvent::Closed);
    let mut attempts = 0;
    while ended(&bench).is_none() {
        if let Some(Endpoint::WebSocket { .. }) = bench.endpoint.take() {
            attempts += 1;
            bench.channel(ChannelEvent::Refused(Refusal::Unreachable));
        }
        bench.pass(Duration::from_millis(50));
    }
    assert_eq!(ended(&bench), Some(Ended::Lost));
    let took = (bench.now.mono - begin).as_secs();
    assert!((100..=111).contains(&took), "{took} s");
    assert!((15..40).contains(&attempts), "{attempts}");
    let log = bench.take_log();
    let last = &log[log.len() - 5..];
    assert_eq!(
        last,
        [
            "* removed 1",
            "peer 0 closes",
            "peer 1 closes",
            "* anna left",
            "* Ended(Lost)"
        ]
    );
}

#[test]
fn a_connection_that_fails_again_and_again_ends_too() {
    let mut bench = meeting();
    let begin = bench.now.mono;
    while ended(&bench).is_none() {
        assert!(bench.now.mono - begin < Duration::from_secs(200));
        // It holds for a moment, each time.
        bench.channel(ChannelEvent::Closed);
        bench.pass(Duration::from_secs(8));
        let resuming = matches!(
            &bench.endpoint,
            Some(Endpoint::WebSocket { url, .. })
                if url.expose().query().unwrap().contains("reconnect=1")
        );
        bench.open();
        if resuming {
            bench.hear(Response::Reconnect(proto::ReconnectResponse::default()));
        } else {
            bench.hear(Response::Join(join()));
            bench.offer(&[]);
        }
        bench.pass(Duration::from_secs(2));
    }
    assert_eq!(ended(&bench), Some(Ended::Lost));
}

#[test]
fn the_newest_token_is_used() {
    let mut bench = meeting();
    let used = |bench: &Bench| match &bench.endpoint {
        Some(Endpoint::WebSocket { bearer, .. }) => bearer.as_ref().unwrap().expose().to_owned(),
        _ => panic!("no channel"),
    };
    assert_eq!(used(&bench), "token");
    bench.hear(Response::RefreshToken("fresh".into()));
    bench.channel(ChannelEvent::Closed);
    assert_eq!(used(&bench), "fresh");
    bench.wish(|connection, _| connection.set_token(Secret::new("fresher")));
    bench.channel(ChannelEvent::Refused(Refusal::Unreachable));
    bench.pass(Duration::from_secs(1));
    assert_eq!(used(&bench), "fresher");
    bench.channel(ChannelEvent::Refused(Refusal::Unreachable));
    for strange in [String::new(), "x".repeat(100_000)] {
        bench.hear(Response::RefreshToken(strange));
    }
    bench.pass(Duration::from_secs(2));
    assert_eq!(used(&bench), "fresher");
}

#[test]
fn a_resumed_connection_can_be_refused_for_good() {
    let mut bench = meeting();
    bench.channel(ChannelEvent::Closed);
    bench.channel(ChannelEvent::Refused(Refusal::Status(401)));
    bench.channel(ChannelEvent::Refused(Refusal::Unreachable));
    assert_eq!(ended(&bench), Some(Ended::TokenRefused));
}

#[test]
fn another_room_of_the_server_takes_everything_over() {
    let mut bench = meeting();
    bench.hear(Response::RoomMoved(proto::RoomMovedResponse {
        room: Some(proto::Room {
            metadata: "other".into(),
            ..Default::default()
        }),
        token: "moved".into(),
        participant: Some(proto::ParticipantInfo {
            sid: "PA_moved".into(),
            identity: "room".into(),
            ..Default::default()
        }),
        other_participants: vec![somebody("bert", vec![microphone("TR_c")])],
    }));
    assert_eq!(
        bench.take_log(),
        [
            "* joined as room",
            "> subscribe true TR_c",
            "* removed 1",
            "peer 1 binds",
            "* anna left",
            "* bert microphone",
        ]
    );
    bench.channel(ChannelEvent::Closed);
    assert!(bench.log[1].contains("sid=PA_moved"), "{:?}", bench.log);
}

#[test]
fn connections_of_one_session_share_no_number() {
    let ids = Ids::new(Arc::new(AtomicU32::new(1)));
    let mut benches: Vec<_> = (0..3)
        .map(|_| Bench::with(options(&[LocalSource::Microphone]), ids.clone()))
        .collect();
    let mut channels = std::collections::BTreeSet::new();
    for round in 0..3 {
        for bench in &mut benches {
            assert!(channels.insert(bench.channel), "a channel is opened twice");
            bench.open();
            bench.hear(Response::Join(proto::JoinResponse {
                other_participants: vec![somebody("anna", vec![camera("TR_b")])],
                ..join()
            }));
            bench.offer(&[("1", "PA_anna", "TR_b")]);
            if round < 2 {
                bench.hear(leave(Reason::StateMismatch, Action::Reconnect));
                bench.pass(Duration::from_secs(3));
            }
        }
    }
    let mut peers = std::collections::BTreeSet::new();
    let mut streams = std::collections::BTreeSet::new();
    for bench in &benches {
        for line in &bench.log {
            if let Some(peer) = line.strip_suffix(" opens with 0 servers") {
                assert!(peers.insert(peer.to_owned()), "{peer} is opened twice");
            }
            if let Some(added) = line.strip_prefix("* added ") {
                let stream = added.split(' ').next().unwrap();
                assert!(
                    streams.insert(stream.to_owned()),
                    "stream {stream} comes twice"
                );
            }
        }
    }
    assert_eq!((peers.len(), streams.len()), (18, 9));
}
