// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a hostile server gets.

use std::collections::BTreeSet;
use std::time::Duration;

use livekit_protocol as proto;
use proptest::prelude::*;
use proto::signal_response::Message as Response;
use roomd_conference::{
    ChannelEvent, FrameScheme, LocalSource, MediaCommand, MediaEvent, PeerId, PeerState, SdpKind,
};
use roomd_livekit::{Event, Publish};
use roomd_model::{Pii, StreamId};

use crate::bench::{Bench, camera, join, leave, microphone, options, screen, sealed, somebody};

#[test]
fn text_and_noise_are_counted_and_nothing_else() {
    let mut bench = Bench::joined(&[]);
    bench.take_log();
    bench.channel(ChannelEvent::Text(Pii::from("{}")));
    bench.channel(ChannelEvent::Binary(Pii::new(vec![0xff; 1000])));
    bench.channel(ChannelEvent::Binary(Pii::new(Vec::new())));
    bench.channel(ChannelEvent::Opened);
    bench.hear(Response::Join(join()));
    bench.hear(Response::Reconnect(proto::ReconnectResponse::default()));
    assert_eq!(bench.take_log(), [""; 0]);
    assert_eq!(bench.connection.bad_messages(), 6);
    // Kinds of messages that there will be later are no fault of the server.
    bench.hear(Response::TrackSubscribed(proto::TrackSubscribed::default()));
    assert_eq!(bench.connection.bad_messages(), 6);
}

#[test]
fn more_people_than_a_meeting_has_are_not_followed() {
    let mut bench = Bench::joined(&[]);
    for hundred in 0..10 {
        let people = (0..100).map(|n| somebody(&format!("p{hundred}-{n}"), vec![camera("TR")]));
        bench.update(people.collect());
    }
    assert_eq!(bench.connection.participants().count(), 500);
    assert_eq!(bench.connection.bad_messages(), 500);
}

#[test]
fn nobody_takes_more_than_their_share() {
    let mut bench = Bench::joined(&[]);
    let tracks = (0..1000).map(|n| camera(&format!("TR_{n}"))).collect();
    let attribute = |n: usize| (format!("key{n}"), "v".repeat(1000));
    bench.update(vec![proto::ParticipantInfo {
        name: "n".repeat(10_000),
        metadata: "m".repeat(100_000),
        attributes: (0..1000).map(attribute).collect(),
        ..somebody("anna", tracks)
    }]);
    let anna = bench.connection.participants().next().unwrap();
    assert_eq!(anna.name.expose(), "");
    assert_eq!(anna.metadata.expose(), "");
    let size: usize = anna
        .attributes
        .iter()
        .map(|(k, v)| k.len() + v.expose().len())
        .sum();
    assert!(size <= 16 * 1024 && size > 10_000, "{size}");
    let subscribed = bench
        .log
        .iter()
        .find(|line| line.starts_with("> subscribe"))
        .unwrap();
    assert_eq!(subscribed.matches("TR_").count(), 16);
    bench.update(vec![proto::ParticipantInfo {
        identity: "i".repeat(1000),
        ..somebody("bert", Vec::new())
    }]);
    bench.update(vec![proto::ParticipantInfo::default()]);
    assert_eq!(bench.connection.bad_messages(), 2);
}

#[test]
fn two_lines_with_one_track_are_one_stream() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    bench.offer(&[("1", "PA_anna", "TR_b"), ("2", "PA_anna", "TR_b")]);
    assert!(bench.log.contains(&"peer 0 binds 1=Camera#1".to_owned()));
}

#[test]
fn servers_name_only_as_many_relays_as_are_used() {
    let mut bench = Bench::new(options(&[LocalSource::Microphone]));
    bench.open();
    let server = proto::IceServer {
        urls: vec!["turns:relay.example".into(), "x".repeat(2000)],
        username: "user".into(),
        credential: "secret".into(),
    };
    bench.hear(Response::Join(proto::JoinResponse {
        ice_servers: vec![server; 30],
        ..join()
    }));
    let opened = bench.media.iter().find_map(|command| match command {
        MediaCommand::OpenPeer { ice_servers, .. } => Some(ice_servers),
        _ => None,
    });
    let servers = opened.unwrap();
    assert_eq!(servers.len(), 16);
    assert!(
        servers
            .iter()
            .all(|server| server.url == "turns:relay.example")
    );
    assert_eq!(servers[0].username.as_ref().unwrap().expose(), "user");
}

#[test]
fn nothing_of_what_matters_prints() {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.update(vec![proto::ParticipantInfo {
        name: "Erika Mustermann".into(),
        metadata: "Geburtstag".into(),
        ..somebody("erika", Vec::new())
    }]);
    let printed = format!("{:?} {:?}", bench.connection, bench.events);
    for word in [
        "token",
        "Erika",
        "Geburtstag",
        "\"erika",
        "sfu.example",
        "v=0",
    ] {
        let said = printed.matches(word).count();
        // Names of fields may be words, too.
        let allowed = if word == "token" {
            printed.matches("token: [secret]").count()
        } else {
            0
        };
        assert_eq!(said, allowed, "{word}: {printed}");
    }
}

/// What may happen to a connection.
#[derive(Clone, Debug)]
enum Op {
    Hear(Box<Response>),
    Noise(Vec<u8>),
    Channel(u8),
    Offer(Vec<(u8, u8)>),
    Update(Vec<(u8, u8, u8)>),
    Peer(u8, u8),
    Described(u8, bool, u8),
    Refused(u8),
    Moved(u8),
    Pass(u32),
    Publish(u8, bool),
    Unpublish(u8),
    Want(u8, u16),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-c]",
        Just("PA_own".to_owned()),
        (0..4_u8).prop_map(|n| format!("PA_p{n}")),
        (0..8_u8).prop_map(|n| format!("TR_{n}")),
        (1..4_u8).prop_map(|n| format!("TR_own{n}")),
        ".{0,20}",
    ]
}

fn messages() -> impl Strategy<Value = Response> {
    prop_oneof![of_connections(), of_tracks()]
}

fn of_connections() -> impl Strategy<Value = Response> {
    let sid = text;
    prop_oneof![
        Just(Response::Join(join())),
        Just(Response::Join(proto::JoinResponse::default())),
        Just(Response::Reconnect(proto::ReconnectResponse::default())),
        (text(), any::<u32>()).prop_map(|(sdp, id)| {
            let id = id % 6;
            Response::Answer(proto::SessionDescription {
                sdp,
                id,
                ..Default::default()
            })
        }),
        (text(), any::<bool>()).prop_map(|(candidate, own)| {
            let candidate_init = format!("{{\"candidate\":{candidate:?}}}");
            let target = i32::from(own);
            Response::Trickle(proto::TrickleRequest {
                candidate_init,
                target,
                ..Default::default()
            })
        }),
        (text(), sid()).prop_map(|(cid, sid)| {
            let track = Some(proto::TrackInfo {
                sid,
                ..Default::default()
            });
            Response::TrackPublished(proto::TrackPublishedResponse { cid, track })
        }),
        sid().prop_map(|track_sid| {
            Response::TrackUnpublished(proto::TrackUnpublishedResponse { track_sid })
        }),
        (0..18, 0..4, any::<bool>()).prop_map(|(reason, action, can_reconnect)| {
            let leave = proto::LeaveRequest {
                reason,
                action,
                can_reconnect,
                ..Default::default()
            };
            Response::Leave(leave)
        }),
        (sid(), any::<bool>())
            .prop_map(|(sid, muted)| Response::Mute(proto::MuteTrackRequest { sid, muted })),
    ]
}

fn of_tracks() -> impl Strategy<Value = Response> {
    let sid = text;
    prop_oneof![
        (sid(), any::<bool>()).prop_map(|(sid, active)| {
            let speakers = vec![proto::SpeakerInfo {
                sid,
                active,
                level: f32::NAN,
            }];
            Response::SpeakersChanged(proto::SpeakersChanged { speakers })
        }),
        (sid(), any::<i32>()).prop_map(|(participant_sid, quality)| {
            let update = proto::ConnectionQualityInfo {
                participant_sid,
                quality,
                score: 0.0,
            };
            let updates = vec![update];
            Response::ConnectionQuality(proto::ConnectionQualityUpdate { updates })
        }),
        (sid(), any::<i32>()).prop_map(|(track_sid, state)| {
            let state = proto::StreamStateInfo {
                track_sid,
                state,
                ..Default::default()
            };
            let stream_states = vec![state];
            Response::StreamStateUpdate(proto::StreamStateUpdate { stream_states })
        }),
        (sid(), any::<bool>(), 0..5).prop_map(|(track_sid, enabled, quality)| {
            let quality = proto::SubscribedQuality { quality, enabled };
            let subscribed_codecs = vec![proto::SubscribedCodec {
                codec: "vp8".into(),
                qualities: vec![quality],
            }];
            Response::SubscribedQualityUpdate(proto::SubscribedQualityUpdate {
                track_sid,
                subscribed_codecs,
                ..Default::default()
            })
        }),
        (sid(), any::<bool>()).prop_map(|(track_sid, allowed)| {
            let participant_sid = String::new();
            Response::SubscriptionPermissionUpdate(proto::SubscriptionPermissionUpdate {
                participant_sid,
                track_sid,
                allowed,
            })
        }),
        (sid(), any::<i32>()).prop_map(|(track_sid, err)| {
            Response::SubscriptionResponse(proto::SubscriptionResponse { track_sid, err })
        }),
        any::<i64>().prop_map(|last_ping_timestamp| {
            Response::PongResp(proto::Pong {
                last_ping_timestamp,
                timestamp: 0,
            })
        }),
        text().prop_map(Response::RefreshToken),
        (sid(), text()).prop_map(|(sid, identity)| {
            let participant = Some(proto::ParticipantInfo {
                sid,
                identity,
                ..Default::default()
            });
            Response::RoomMoved(proto::RoomMovedResponse {
                participant,
                ..Default::default()
            })
        }),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => messages().prop_map(|message| Op::Hear(Box::new(message))),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Op::Noise),
        3 => (0..6_u8).prop_map(Op::Channel),
        3 => prop::collection::vec((0..6_u8, 0..8_u8), 0..6).prop_map(Op::Offer),
        3 => prop::collection::vec((0..4_u8, 0..8_u8, 0..8_u8), 0..4).prop_map(Op::Update),
        2 => (0..6_u8, 0..5_u8).prop_map(|(peer, state)| Op::Peer(peer, state)),
        1 => (0..6_u8, any::<bool>(), 0..4_u8).prop_map(|(p, o, n)| Op::Described(p, o, n)),
        1 => (0..6_u8).prop_map(Op::Refused),
        1 => (0..6_u8).prop_map(Op::Moved),
        4 => (0..20_000_u32).prop_map(Op::Pass),
        2 => (0..3_u8, any::<bool>()).prop_map(|(source, muted)| Op::Publish(source, muted)),
        1 => (0..3_u8).prop_map(Op::Unpublish),
        1 => (0..10_u8, any::<u16>()).prop_map(|(stream, lines)| Op::Want(stream, lines)),
    ]
}

const SOURCES: [LocalSource; 3] = [
    LocalSource::Microphone,
    LocalSource::Camera,
    LocalSource::Content,
];

fn apply(bench: &mut Bench, op: Op) {
    match op {
        Op::Hear(message) => bench.hear(*message),
        Op::Noise(bytes) => bench.channel(ChannelEvent::Binary(Pii::new(bytes))),
        Op::Channel(kind) => bench.channel(match kind {
            0 | 1 => ChannelEvent::Opened,
            2 => ChannelEvent::Closed,
            3 => ChannelEvent::Refused(roomd_conference::Refusal::Unreachable),
            4 => ChannelEvent::Refused(roomd_conference::Refusal::Status(503)),
            _ => ChannelEvent::Response {
                status: 503,
                body: Pii::from(""),
            },
        }),
        Op::Offer(lines) => {
            let lines: Vec<_> = lines
                .iter()
                .map(|(mid, track)| (format!("{mid}"), format!("TR_{track}")))
                .collect();
            let lines: Vec<_> = lines
                .iter()
                .map(|(mid, track)| (mid.as_str(), "PA", track.as_str()))
                .collect();
            bench.offer(&lines);
        }
        Op::Update(people) => {
            let people = people.into_iter().map(|(who, first, second)| {
                let kinds = [camera, microphone, screen];
                let track = |n: u8| {
                    let track = kinds[usize::from(n % 3)](&format!("TR_{n}"));
                    if n > 5 { sealed(track) } else { track }
                };
                let mut info = somebody(&format!("p{who}"), vec![track(first), track(second)]);
                if first == second {
                    info.state = proto::participant_info::State::Disconnected as i32;
                }
                info
            });
            bench.update(people.collect());
        }
        Op::Peer(peer, state) => {
            let states = [
                PeerState::Connecting,
                PeerState::Verified,
                PeerState::Interrupted,
                PeerState::Failed,
                PeerState::Unverified,
            ];
            bench.peer(PeerId(u32::from(peer)), states[usize::from(state)]);
        }
        Op::Described(peer, offer, lines) => bench.media_event(MediaEvent::LocalDescription {
            peer: PeerId(u32::from(peer)),
            kind: if offer {
                SdpKind::Offer
            } else {
                SdpKind::Answer
            },
            sdp: Pii::new("m=video 9 x\r\na=mid:q\r\na=msid:a b\r\n".repeat(usize::from(lines))),
        }),
        Op::Refused(peer) => bench.media_event(MediaEvent::DescriptionRefused {
            peer: PeerId(u32::from(peer)),
        }),
        Op::Moved(peer) => bench.media_event(MediaEvent::AddressesChanged {
            peer: PeerId(u32::from(peer)),
        }),
        Op::Pass(millis) => bench.pass(Duration::from_millis(u64::from(millis))),
        Op::Publish(source, muted) => bench.wish(|connection, now| {
            let source = SOURCES[usize::from(source)];
            connection.publish(Publish { source, muted }, now);
        }),
        Op::Unpublish(source) => bench.wish(|connection, now| {
            connection.unpublish(SOURCES[usize::from(source)], now);
        }),
        Op::Want(stream, lines) => bench.wish(|connection, _| {
            connection.want(StreamId(u32::from(stream)), u32::from(lines));
        }),
    }
}

/// What must be true of everything that came out.
fn verify(bench: &Bench, encrypted: bool) {
    let mut open = BTreeSet::new();
    let mut ever = BTreeSet::new();
    for command in &bench.media {
        match command {
            MediaCommand::OpenPeer { peer, .. } => {
                assert!(ever.insert(*peer), "a connection is opened twice");
                open.insert(*peer);
                assert!(open.len() <= 2, "more connections than two");
            }
            MediaCommand::ClosePeer { peer } => assert!(open.remove(peer)),
            MediaCommand::Offer { peer, .. }
            | MediaCommand::RemoteDescription { peer, .. }
            | MediaCommand::Hold { peer, .. }
            | MediaCommand::Publish { peer, .. }
            | MediaCommand::Encrypt { peer, .. } => assert!(open.contains(peer)),
            MediaCommand::Bind { peer, streams } => {
                assert!(open.contains(peer));
                let all: BTreeSet<_> = streams.iter().map(|binding| binding.stream).collect();
                assert_eq!(all.len(), streams.len(), "a stream is bound twice");
            }
            _ => {}
        }
    }
    let mut streams = BTreeSet::new();
    let mut came = BTreeSet::new();
    let mut people = BTreeSet::new();
    for event in &bench.events {
        match event {
            Event::TrackAdded(track) => {
                assert_eq!(track.encrypted, encrypted, "what is not alike is bound");
                assert!(came.insert(track.stream), "a stream comes twice");
                streams.insert(track.stream);
            }
            Event::TrackChanged(track) => assert!(streams.contains(&track.stream)),
            Event::TrackRemoved { stream } => assert!(streams.remove(stream)),
            Event::Participant(participant) => {
                people.insert(participant.identity.clone());
            }
            Event::ParticipantLeft(identity) => assert!(people.remove(identity)),
            Event::Ended(_) => {
                assert_eq!((streams.len(), people.len(), open.len()), (0, 0, 0));
            }
            _ => {}
        }
    }
    assert_eq!(bench.connection.tracks().count(), streams.len());
    assert_eq!(bench.connection.participants().count(), people.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_breaks_a_connection(
        all in prop::collection::vec(ops(), 1..60),
        encrypted in any::<bool>(),
        answers in any::<bool>(),
    ) {
        let mut options = options(&[LocalSource::Microphone]);
        options.encryption = encrypted.then_some(FrameScheme::ElementCall);
        options.data = true;
        let mut bench = Bench::new(options);
        bench.server = answers;
        bench.engine = answers;
        bench.open();
        bench.hear(Response::Join(join()));
        for op in all {
            apply(&mut bench, op);
        }
        verify(&bench, encrypted);
        bench.wish(|connection, _| connection.leave());
        verify(&bench, encrypted);
        assert!(bench.connection.is_ended());
        assert_eq!(bench.connection.poll_timeout(), None);
    }
}

#[test]
fn the_same_happens_every_time() {
    let run = || {
        let mut bench = Bench::joined(&[LocalSource::Microphone, LocalSource::Camera]);
        bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
        bench.offer(&[("1", "PA_anna", "TR_b")]);
        bench.hear(leave(
            proto::DisconnectReason::ServerShutdown,
            proto::leave_request::Action::Reconnect,
        ));
        bench.pass(Duration::from_secs(200));
        bench.log
    };
    assert_eq!(run(), run());
}
