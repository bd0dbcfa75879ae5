// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room receives, and from whom.

use livekit_protocol as proto;
use proto::signal_response::Message as Response;
use roomd_conference::MediaCommand;
use roomd_livekit::{Event, Kind, Quality};
use roomd_model::StreamId;

use crate::bench::{Bench, camera, gone, microphone, screen, sealed, somebody};

#[test]
fn tracks_come_and_go_with_their_lines() {
    let mut bench = Bench::joined(&[]);
    bench.take_log();
    // The line may come before the server says who it belongs to.
    bench.offer(&[("1", "PA_anna", "TR_a")]);
    bench.update(vec![somebody("anna", vec![microphone("TR_a")])]);
    assert_eq!(
        bench.take_log(),
        [
            "peer 0 remote Offer",
            "> answer 2",
            "> subscribe true TR_a",
            "peer 0 binds 1=Audio#1",
            "* added 1 anna Microphone",
            "* anna microphone",
        ]
    );
    // A line is used again for something else.
    let tracks = vec![microphone("TR_a"), camera("TR_b"), screen("TR_c")];
    bench.update(vec![somebody("anna", tracks)]);
    bench.offer(&[("1", "PA_anna", "TR_b"), ("2", "PA_anna", "TR_c")]);
    assert_eq!(
        bench.take_log(),
        [
            "> subscribe true TR_b TR_c",
            "* anna microphone camera sharing",
            "peer 0 remote Offer",
            "* removed 1",
            "peer 0 binds 1=Camera#2 2=Screen#3",
            "* added 2 anna Camera",
            "* added 3 anna Screen",
            "> answer 3",
        ]
    );
    // Streams go before whoever sent them.
    bench.update(vec![gone("anna")]);
    assert_eq!(
        bench.take_log(),
        ["* removed 2", "* removed 3", "peer 0 binds", "* anna left"]
    );
    assert_eq!(bench.connection.participants().count(), 0);
}

#[test]
fn sound_and_picture_of_a_participant_have_one_sender() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![
        somebody("anna", vec![microphone("TR_a"), camera("TR_b")]),
        somebody("bert", vec![microphone("TR_c"), camera("TR_d")]),
    ]);
    let senders = |bench: &mut Bench| {
        let mut bind = std::mem::take(&mut bench.media).into_iter().rev();
        let bind = bind.find_map(|command| match command {
            MediaCommand::Bind { streams, .. } => Some(streams),
            _ => None,
        });
        let streams = bind.expect("bound").into_iter();
        let streams = streams.map(|stream| (stream.mid, stream.sender));
        streams.collect::<std::collections::BTreeMap<_, _>>()
    };
    let of = ["TR_a", "TR_c", "TR_d", "TR_b"];
    let who = ["PA_anna", "PA_bert", "PA_bert", "PA_anna"];
    bench.offer(&[("1", who[0], of[0]), ("2", who[1], of[1])]);
    let before = senders(&mut bench);
    assert_ne!(before["1"], before["2"]);
    let lines = ["1", "2", "3", "4"];
    let offer: Vec<_> = (0..4).map(|i| (lines[i], who[i], of[i])).collect();
    bench.offer(&offer);
    let after = senders(&mut bench);
    assert_eq!((before["1"], before["2"]), (after["1"], after["2"]));
    assert_eq!((after["4"], after["3"]), (after["1"], after["2"]));
}

#[test]
fn a_line_is_known_by_the_servers_list_before_its_name() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    bench.take_log();
    bench.hear(Response::Offer(proto::SessionDescription {
        sdp: "m=video 9 x\r\na=mid:5\r\na=msid:x y\r\n".into(),
        id: 7,
        mid_to_track_id: [("5".to_owned(), "TR_b".to_owned())].into(),
        ..Default::default()
    }));
    assert_eq!(
        bench.take_log(),
        [
            "peer 0 remote Offer",
            "peer 0 binds 5=Camera#1",
            "* added 1 anna Camera",
            "> answer 7"
        ]
    );
}

#[test]
fn mutes_pauses_speakers_and_quality_are_told() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    bench.take_log();
    let muted = proto::TrackInfo {
        muted: true,
        ..camera("TR_b")
    };
    bench.update(vec![somebody("anna", vec![muted])]);
    assert_eq!(
        bench.take_log(),
        ["* changed 1 anna Camera muted", "* anna"]
    );
    let paused = |state: proto::StreamState| {
        Response::StreamStateUpdate(proto::StreamStateUpdate {
            stream_states: vec![proto::StreamStateInfo {
                participant_sid: "PA_anna".into(),
                track_sid: "TR_b".into(),
                state: state as i32,
            }],
        })
    };
    bench.hear(paused(proto::StreamState::Paused));
    assert_eq!(bench.take_log(), ["* changed 1 anna Camera muted paused"]);
    bench.hear(paused(proto::StreamState::Active));
    assert_eq!(bench.take_log(), ["* changed 1 anna Camera muted"]);
    let speaks = |sid: &str, active| {
        Response::SpeakersChanged(proto::SpeakersChanged {
            speakers: vec![proto::SpeakerInfo {
                sid: sid.into(),
                level: 0.5,
                active,
            }],
        })
    };
    bench.hear(speaks("PA_anna", true));
    bench.hear(speaks("PA_anna", true));
    bench.hear(speaks("PA_own", true));
    bench.hear(speaks("PA_anna", false));
    assert_eq!(bench.take_log(), ["* anna speaking", "* anna"]);
    let quality = |sid: &str, quality: proto::ConnectionQuality| proto::ConnectionQualityInfo {
        participant_sid: sid.into(),
        quality: quality as i32,
        score: 0.0,
    };
    bench.take_events();
    bench.hear(Response::ConnectionQuality(
        proto::ConnectionQualityUpdate {
            updates: vec![
                quality("PA_anna", proto::ConnectionQuality::Lost),
                quality("PA_own", proto::ConnectionQuality::Excellent),
            ],
        },
    ));
    let events = bench.take_events();
    assert_eq!(events[0], Event::Quality(Quality::Excellent));
    assert!(matches!(&events[1], Event::Participant(p) if p.quality == Quality::Lost));
}

#[test]
fn a_tile_gets_its_size_and_a_hidden_one_nothing() {
    let mut bench = Bench::joined(&[]);
    let tracks = vec![camera("TR_b"), microphone("TR_a")];
    bench.update(vec![somebody("anna", tracks)]);
    bench.offer(&[("1", "PA_anna", "TR_b"), ("2", "PA_anna", "TR_a")]);
    bench.take_log();
    for (lines, wanted) in [
        (720, vec!["> show TR_b 1280x720"]),
        (720, vec![]),
        (360, vec!["> show TR_b 640x360"]),
        (0, vec!["> show TR_b 0x0 disabled"]),
        (u32::MAX, vec!["> show TR_b 3840x2160"]),
    ] {
        bench.wish(|connection, _| connection.want(StreamId(1), lines));
        assert_eq!(bench.take_log(), wanted);
    }
    // Sound has no size, and what is not there has none.
    bench.wish(|connection, _| connection.want(StreamId(2), 360));
    bench.wish(|connection, _| connection.want(StreamId(9), 360));
    assert_eq!(bench.take_log(), [""; 0]);
}

#[test]
fn what_somebody_says_of_themselves_is_told() {
    let mut bench = Bench::joined(&[]);
    let attributes = [("hand", "up"), ("language", "de")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    bench.update(vec![proto::ParticipantInfo {
        metadata: "{}".into(),
        attributes: attributes.clone().into(),
        kind: proto::participant_info::Kind::Sip as i32,
        ..somebody("anna", Vec::new())
    }]);
    let anna = bench.connection.participants().next().unwrap();
    assert_eq!(anna.name.expose(), "ANNA");
    assert_eq!(anna.metadata.expose(), "{}");
    assert_eq!(anna.kind, Kind::Sip);
    assert!(anna.active);
    let told: Vec<_> = anna.attributes.iter().collect();
    for ((key, value), (told_key, told_value)) in attributes.iter().zip(told) {
        assert_eq!((key, value), (told_key, told_value.expose()));
    }
}

#[test]
fn old_news_and_hidden_people_are_not_told() {
    let mut bench = Bench::joined(&[]);
    let version = |version, tracks| proto::ParticipantInfo {
        version,
        ..somebody("anna", tracks)
    };
    bench.update(vec![version(5, vec![camera("TR_b")])]);
    bench.take_log();
    bench.update(vec![version(4, Vec::new())]);
    assert_eq!(bench.take_log(), [""; 0]);
    bench.update(vec![proto::ParticipantInfo {
        permission: Some(proto::ParticipantPermission {
            hidden: true,
            ..Default::default()
        }),
        ..somebody("recorder", Vec::new())
    }]);
    // Neither is our own former self.
    bench.update(vec![proto::ParticipantInfo {
        identity: "room".into(),
        ..somebody("old", vec![camera("TR_old")])
    }]);
    assert_eq!(bench.take_log(), [""; 0]);
}

#[test]
fn whoever_comes_back_under_another_name_of_the_server_is_the_same() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    bench.take_log();
    bench.update(vec![proto::ParticipantInfo {
        sid: "PA_again".into(),
        ..somebody("anna", vec![camera("TR_c")])
    }]);
    bench.update(vec![gone("anna")]);
    bench.offer(&[("2", "PA_again", "TR_c")]);
    assert_eq!(
        bench.take_log(),
        [
            "> subscribe true TR_c",
            "* removed 1",
            "peer 0 binds",
            "peer 0 remote Offer",
            "peer 0 binds 2=Camera#2",
            "* added 2 anna Camera",
            "> answer 3",
        ]
    );
    let connected: Vec<_> = bench.connection.participants().collect();
    assert_eq!(connected.len(), 1);
}

#[test]
fn a_track_that_may_not_be_had_is_refused_until_it_may() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![somebody("anna", vec![camera("TR_b"), screen("TR_c")])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    bench.take_log();
    let allowed = |allowed| {
        Response::SubscriptionPermissionUpdate(proto::SubscriptionPermissionUpdate {
            participant_sid: "PA_anna".into(),
            track_sid: "TR_b".into(),
            allowed,
        })
    };
    bench.hear(allowed(false));
    assert_eq!(
        bench.take_log(),
        [
            "> subscribe false TR_b",
            "* removed 1",
            "peer 0 binds",
            "* refused anna Camera NotAllowed"
        ]
    );
    bench.hear(allowed(true));
    assert_eq!(
        bench.take_log(),
        [
            "> subscribe true TR_b",
            "peer 0 binds 1=Camera#2",
            "* added 2 anna Camera"
        ]
    );
    bench.hear(Response::SubscriptionResponse(
        proto::SubscriptionResponse {
            track_sid: "TR_c".into(),
            err: proto::SubscriptionError::SeCodecUnsupported as i32,
        },
    ));
    assert_eq!(
        bench.take_log(),
        ["> subscribe false TR_c", "* refused anna Screen Codec"]
    );
}

#[test]
fn a_sealed_track_is_nothing_for_an_open_meeting() {
    let mut bench = Bench::joined(&[]);
    bench.take_log();
    bench.update(vec![somebody("anna", vec![sealed(camera("TR_b"))])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    assert_eq!(
        bench.take_log(),
        [
            "* anna camera",
            "* refused anna Camera Encrypted",
            "peer 0 remote Offer",
            "> answer 2"
        ]
    );
}

#[test]
fn of_a_large_meeting_the_speakers_are_received() {
    let mut bench = Bench::joined(&[]);
    let many = (0..100).map(|n| {
        let tracks = vec![camera(&format!("TR_c{n}")), microphone(&format!("TR_m{n}"))];
        somebody(&format!("p{n:03}"), tracks)
    });
    bench.update(many.collect());
    let subscribed = bench.take_log();
    let first = subscribed
        .iter()
        .find(|line| line.contains("subscribe true"));
    let count = |what: &str| first.unwrap().matches(what).count();
    assert_eq!((count("TR_c"), count("TR_m")), (20, 36));
    bench.hear(Response::SpeakersChanged(proto::SpeakersChanged {
        speakers: vec![proto::SpeakerInfo {
            sid: "PA_p099".into(),
            active: true,
            level: 1.0,
        }],
    }));
    let log = bench.take_log();
    // One makes room for the speaker, of each kind.
    let lines: Vec<_> = log
        .iter()
        .filter(|line| line.contains("subscribe"))
        .collect();
    assert_eq!(
        lines,
        [
            "> subscribe false TR_c19 TR_m35",
            "> subscribe true TR_c99 TR_m99"
        ]
    );
    let before = bench.media.len();
    bench.update(vec![somebody("p050", Vec::new())]);
    let changes = bench.media[before..].iter();
    let binds = changes.filter(|command| matches!(command, MediaCommand::Bind { .. }));
    assert_eq!(binds.count(), 0, "nothing changes for who is received");
}

#[test]
fn a_server_that_floods_with_offers_is_left() {
    let mut bench = Bench::joined(&[]);
    bench.engine = false;
    for _ in 0..9 {
        bench.offer(&[]);
    }
    let log = bench.take_log();
    assert!(
        log.iter().any(|line| line.contains("Reconnecting")),
        "{log:?}"
    );
}
