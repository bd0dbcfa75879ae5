// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room sends.

use std::time::Duration;

use livekit_protocol as proto;
use proto::request_response::{Reason, Request as Answered};
use proto::signal_request::Message as Request;
use proto::signal_response::Message as Response;
use roomd_conference::{LocalSource, MediaCommand, MediaEvent, PeerId, PeerState, SdpKind};
use roomd_livekit::{Event, Publish, PublishFailure};
use roomd_model::{PictureSize, PictureSizes, Pii};

use crate::bench::{Bench, join, options, permission};

const CONTENT: Publish = Publish {
    source: LocalSource::Content,
    muted: false,
};

#[test]
fn a_camera_is_offered_in_three_sizes() {
    let bench = Bench::joined(&[LocalSource::Camera]);
    let Some(Request::AddTrack(add)) = bench
        .said
        .iter()
        .find(|r| matches!(r, Request::AddTrack(_)))
    else {
        panic!("no track");
    };
    let layers: Vec<_> = add
        .layers
        .iter()
        .map(|layer| (layer.quality, layer.width, layer.height))
        .collect();
    assert_eq!(layers, [(0, 320, 180), (1, 640, 360), (2, 1280, 720)]);
    assert_eq!(add.simulcast_codecs[0].codec, "vp8");
    assert_eq!(add.simulcast_codecs[0].cid, add.cid);
    assert!(add.disable_red);
    let offered = bench.media.iter().find_map(|command| match command {
        MediaCommand::Offer { offer, .. } => Some(offer.add[0].layers.clone()),
        _ => None,
    });
    let rids = ["q", "h", "f"].map(str::to_owned).to_vec();
    assert_eq!(offered, Some(roomd_conference::Layers::Rids(rids)));
}

#[test]
fn content_comes_and_goes_on_its_own_line() {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.take_log();
    bench.wish(|connection, now| connection.publish(CONTENT, now));
    assert_eq!(
        bench.take_log(),
        [
            "peer 0 offers 1 stops []",
            "> add content cid0-2 1920x1080 layers 1 encryption 0 live",
            "peer 0 publishes Content on m2",
            "* Published { source: Content }",
            "> offer 2",
            "peer 0 remote Answer",
        ]
    );
    bench.wish(|connection, now| connection.unpublish(LocalSource::Content, now));
    assert_eq!(
        bench.take_log(),
        [
            "peer 0 holds m2 true",
            "peer 0 offers 0 stops [\"m2\"]",
            "> offer 3",
            "peer 0 remote Answer",
        ]
    );
    // The server confirms it; nothing is left to be said.
    bench.hear(Response::TrackUnpublished(
        proto::TrackUnpublishedResponse {
            track_sid: "TR_own2".into(),
        },
    ));
    assert_eq!(bench.take_log(), [""; 0]);
    assert_eq!(bench.connection.bad_messages(), 0);
}

#[test]
fn content_that_is_taken_back_while_it_is_offered_is_never_sent() {
    let mut bench = Bench::joined(&[]);
    bench.server = false;
    bench.wish(|connection, now| connection.publish(CONTENT, now));
    bench.wish(|connection, now| connection.unpublish(LocalSource::Content, now));
    bench.take_log();
    bench.server = true;
    let Some(Request::AddTrack(add)) = bench.said.pop() else {
        panic!("no track");
    };
    bench.hear(Response::TrackPublished(proto::TrackPublishedResponse {
        cid: add.cid,
        track: Some(proto::TrackInfo {
            sid: "TR_late".into(),
            ..Default::default()
        }),
    }));
    assert_eq!(
        bench.take_log(),
        [
            "peer 1 publishes Content on m1",
            "peer 1 holds m1 true",
            "> offer 1",
            "peer 1 remote Answer",
            "peer 1 offers 0 stops [\"m1\"]",
            "> offer 2",
            "peer 1 remote Answer",
        ]
    );
}

#[test]
fn muting_holds_back_first_and_unmuting_last() {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.take_log();
    for (muted, wanted) in [
        (false, ["peer 0 holds m1 false", "> mute TR_own1 false"]),
        (true, ["peer 0 holds m1 true", "> mute TR_own1 true"]),
    ] {
        bench.wish(|c, now| c.set_muted(LocalSource::Microphone, muted, now));
        assert_eq!(bench.take_log(), wanted);
        // Once is enough.
        bench.wish(|c, now| c.set_muted(LocalSource::Microphone, muted, now));
        assert_eq!(bench.take_log(), [""; 0]);
    }
}

#[test]
fn a_server_can_mute_the_room_and_never_unmute_it() {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.wish(|c, now| c.set_muted(LocalSource::Microphone, false, now));
    bench.take_log();
    let mute = |muted| {
        Response::Mute(proto::MuteTrackRequest {
            sid: "TR_own1".into(),
            muted,
        })
    };
    bench.hear(mute(true));
    assert_eq!(
        bench.take_log(),
        [
            "* MutedByServer { source: Microphone, muted: true }",
            "peer 0 holds m1 true"
        ]
    );
    // What the room wants otherwise does not count meanwhile, and the server is told the truth.
    bench.hear(mute(false));
    assert_eq!(
        bench.take_log(),
        [
            "* MutedByServer { source: Microphone, muted: false }",
            "> mute TR_own1 true"
        ]
    );
    // A person can.
    bench.wish(|c, now| c.set_muted(LocalSource::Microphone, false, now));
    assert_eq!(
        bench.take_log(),
        ["peer 0 holds m1 false", "> mute TR_own1 false"]
    );
    bench.hear(Response::Mute(proto::MuteTrackRequest {
        sid: "TR_unknown".into(),
        muted: true,
    }));
    assert_eq!(bench.connection.bad_messages(), 1);
}

#[test]
fn pictures_are_made_in_the_sizes_that_somebody_wants() {
    let mut bench = Bench::joined(&[LocalSource::Camera]);
    bench.wish(|connection, now| connection.publish(CONTENT, now));
    bench.take_log();
    let update = |sid: &str, codec: &str, enabled: [bool; 3]| {
        let qualities = enabled.iter().enumerate();
        let qualities = qualities.map(|(quality, enabled)| proto::SubscribedQuality {
            quality: quality as i32,
            enabled: *enabled,
        });
        Response::SubscribedQualityUpdate(proto::SubscribedQualityUpdate {
            track_sid: sid.into(),
            subscribed_codecs: vec![proto::SubscribedCodec {
                codec: codec.into(),
                qualities: qualities.collect(),
            }],
            ..Default::default()
        })
    };
    bench.hear(update("TR_own1", "video/VP8", [true, false, false]));
    assert_eq!(bench.take_log(), ["peer 0 wants of m1 {Low}"]);
    bench.hear(update("TR_own1", "vp8", [true, true, true]));
    assert_eq!(bench.take_log(), ["peer 0 wants of m1 {Low, Medium, High}"]);
    bench.hear(update("TR_own1", "vp8", [false; 3]));
    assert_eq!(bench.take_log(), ["peer 0 wants of m1 {}"]);
    // Content has one size, whatever it is called.
    bench.hear(update("TR_own2", "vp8", [false; 3]));
    bench.hear(update("TR_own2", "vp8", [true, false, false]));
    let all = PictureSizes::from_iter(PictureSize::LAYERS);
    assert_eq!(
        bench.take_log(),
        [
            "peer 0 wants of m2 {}".to_owned(),
            format!("peer 0 wants of m2 {all:?}")
        ]
    );
    // Of a codec that is not sent nothing follows.
    bench.hear(update("TR_own1", "video/av1", [true; 3]));
    bench.hear(update("TR_unknown", "vp8", [true; 3]));
    assert_eq!(bench.take_log(), [""; 0]);
}

#[test]
fn what_the_token_forbids_is_not_asked_for() {
    let mut bench = Bench::new(options(&[LocalSource::Microphone, LocalSource::Camera]));
    bench.open();
    let microphone_only = |sources: Vec<proto::TrackSource>| proto::ParticipantPermission {
        can_publish_sources: sources.into_iter().map(|source| source as i32).collect(),
        ..permission()
    };
    let mut message = join();
    let own = message.participant.as_mut().unwrap();
    own.permission = Some(microphone_only(vec![proto::TrackSource::Microphone]));
    let mut own = own.clone();
    bench.hear(Response::Join(message));
    let failed = |reason| Event::PublishFailed {
        source: LocalSource::Camera,
        reason,
    };
    assert!(bench.events.contains(&failed(PublishFailure::NotAllowed)));
    let adds = |bench: &Bench| {
        let is_add = |request: &&Request| matches!(request, Request::AddTrack(_));
        bench.said.iter().filter(is_add).count()
    };
    assert_eq!(adds(&bench), 1);
    // Until it allows more.
    own.permission = Some(permission());
    bench.update(vec![own]);
    assert_eq!(adds(&bench), 2);
}

#[test]
fn what_the_server_refuses_is_not_offered() {
    let mut bench = Bench::joined(&[]);
    bench.server = false;
    bench.wish(|connection, now| connection.publish(CONTENT, now));
    let Some(Request::AddTrack(add)) = bench.said.pop() else {
        panic!("no track");
    };
    let answer = |reason: Reason| {
        Response::RequestResponse(proto::RequestResponse {
            reason: reason as i32,
            request: Some(Answered::AddTrack(add.clone())),
            ..Default::default()
        })
    };
    bench.take_log();
    bench.hear(answer(Reason::Queued));
    assert_eq!(bench.take_log(), [""; 0]);
    bench.hear(answer(Reason::LimitExceeded));
    assert_eq!(
        bench.take_log(),
        ["* PublishFailed { source: Content, reason: Limit }"]
    );
    bench.server = true;
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.take_log(), [""; 0], "it is not tried again");
    // Unless somebody wants it again.
    bench.wish(|connection, now| connection.publish(CONTENT, now));
    assert!(bench.log.contains(&"> offer 1".to_owned()));
}

#[test]
fn what_a_server_takes_back_is_gone() {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.wish(|c, now| c.set_muted(LocalSource::Microphone, false, now));
    bench.take_log();
    bench.hear(Response::TrackUnpublished(
        proto::TrackUnpublishedResponse {
            track_sid: "TR_own1".into(),
        },
    ));
    assert_eq!(
        bench.take_log(),
        [
            "peer 0 holds m1 true",
            "* PublishFailed { source: Microphone, reason: Unpublished }",
            "peer 0 offers 0 stops [\"m1\"]",
            "> offer 2",
            "peer 0 remote Answer",
        ]
    );
    // It comes back when the server forbids and allows it, and a person decides what is heard.
    let own = |can_publish| proto::ParticipantInfo {
        sid: "PA_own".into(),
        identity: "room".into(),
        permission: Some(proto::ParticipantPermission {
            can_publish,
            ..permission()
        }),
        ..Default::default()
    };
    bench.update(vec![own(true)]);
    assert_eq!(bench.take_log(), [""; 0]);
    bench.update(vec![own(false)]);
    bench.take_log();
    bench.update(vec![own(true)]);
    let log = bench.take_log();
    assert!(
        log.iter()
            .any(|line| line.starts_with("> add microphone") && line.ends_with("muted")),
        "{log:#?}"
    );
}

#[test]
fn a_server_without_vp8_gets_sound_only() {
    let mut bench = Bench::new(options(&[LocalSource::Microphone, LocalSource::Camera]));
    bench.open();
    let codec = |mime: &str| proto::Codec {
        mime: mime.into(),
        ..Default::default()
    };
    bench.hear(Response::Join(proto::JoinResponse {
        enabled_publish_codecs: vec![codec("audio/opus"), codec("video/H264")],
        ..join()
    }));
    assert!(bench.events.contains(&Event::PublishFailed {
        source: LocalSource::Camera,
        reason: PublishFailure::Other,
    }));
    assert!(bench.events.contains(&Event::Published {
        source: LocalSource::Microphone
    }));
}

#[test]
fn addresses_go_both_ways_and_wait_for_descriptions() {
    let mut bench = Bench::new(options(&[LocalSource::Microphone]));
    bench.server = false;
    bench.open();
    bench.hear(Response::Join(join()));
    let trickle = |target: proto::SignalTarget| {
        Response::Trickle(proto::TrickleRequest {
            candidate_init: r#"{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"}"#.into(),
            target: target as i32,
            ..Default::default()
        })
    };
    let given = |bench: &Bench| {
        let remote =
            |command: &&MediaCommand| matches!(command, MediaCommand::RemoteCandidate { .. });
        bench.media.iter().filter(remote).count()
    };
    bench.hear(trickle(proto::SignalTarget::Publisher));
    bench.hear(trickle(proto::SignalTarget::Subscriber));
    assert_eq!(given(&bench), 0);
    bench.offer(&[]);
    assert_eq!(given(&bench), 1);
    bench.hear(trickle(proto::SignalTarget::Subscriber));
    assert_eq!(given(&bench), 2);
    let Some(Request::AddTrack(add)) = bench
        .said
        .iter()
        .find(|r| matches!(r, Request::AddTrack(_)))
    else {
        panic!("no track");
    };
    let published = proto::TrackPublishedResponse {
        cid: add.cid.clone(),
        track: Some(proto::TrackInfo {
            sid: "TR_own1".into(),
            ..Default::default()
        }),
    };
    bench.hear(Response::TrackPublished(published));
    bench.hear(Response::Answer(proto::SessionDescription {
        id: 1,
        ..Default::default()
    }));
    assert_eq!(given(&bench), 3);
    bench.media_event(MediaEvent::LocalCandidate {
        peer: PeerId(0),
        candidate: Pii::from("candidate:2"),
    });
    let Some(Request::Trickle(ours)) = bench.said.last() else {
        panic!("no candidate");
    };
    assert_eq!(ours.target, proto::SignalTarget::Publisher as i32);
    assert!(ours.candidate_init.contains("candidate:2"));
    // An empty one ends them.
    bench.hear(Response::Trickle(proto::TrickleRequest {
        r#final: true,
        ..Default::default()
    }));
    assert_eq!(bench.connection.bad_messages(), 0);
}

#[test]
fn answers_to_nothing_change_nothing() {
    let mut bench = Bench::joined(&[LocalSource::Microphone]);
    bench.take_log();
    for id in [0, 1, 99] {
        bench.hear(Response::Answer(proto::SessionDescription {
            id,
            ..Default::default()
        }));
    }
    bench.hear(Response::TrackPublished(proto::TrackPublishedResponse {
        cid: "unknown".into(),
        ..Default::default()
    }));
    for kind in [SdpKind::Offer, SdpKind::Answer] {
        bench.media_event(MediaEvent::LocalDescription {
            peer: PeerId(0),
            kind,
            sdp: Pii::from("v=0"),
        });
    }
    assert_eq!(bench.take_log(), [""; 0]);
    assert_eq!(bench.connection.bad_messages(), 4);
}

#[test]
fn a_negotiation_that_hangs_begins_anew() {
    let mut bench = Bench::joined(&[]);
    bench.server = false;
    bench.wish(|connection, now| connection.publish(CONTENT, now));
    bench.take_log();
    bench.pass(Duration::from_secs(11));
    let log = bench.take_log();
    assert!(
        log[0] == "close" && log[1].contains("Reconnecting"),
        "{log:?}"
    );
    assert!(!log[2].contains("reconnect="), "the server is joined anew");
    bench.server = true;
    bench.open();
    bench.hear(Response::Join(join()));
    bench.offer(&[]);
    assert!(
        bench
            .log
            .contains(&"* Published { source: Content }".to_owned())
    );
    assert_eq!(bench.connection.bad_messages(), 0);
    bench.peer(PeerId(0), PeerState::Failed);
    assert!(
        !bench.connection.is_ended(),
        "the old connection is forgotten"
    );
}
