// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Joining, with all that goes right.

use livekit_protocol as proto;
use proto::signal_response::Message as Response;
use roomd_conference::{ChannelId, LocalSource};
use roomd_livekit::Event;

use crate::bench::{Bench, camera, join, microphone, options, somebody};

#[test]
fn a_room_joins_sends_and_receives() {
    let sources = [LocalSource::Microphone, LocalSource::Camera];
    let mut bench = Bench::new(options(&sources));
    bench.open();
    let anna = somebody("anna", vec![microphone("TR_a"), camera("TR_b")]);
    bench.hear(Response::Join(proto::JoinResponse {
        other_participants: vec![anna],
        ..join()
    }));
    bench.offer(&[("1", "PA_anna", "TR_a"), ("2", "PA_anna", "TR_b")]);
    assert_eq!(bench.channel, ChannelId(ChannelId::FIRST_OWN));
    assert_eq!(
        bench.take_log(),
        [
            "open wss://sfu.example/livekit/rtc?protocol=16&sdk=rust&auto_subscribe=0&adaptive_stream=1",
            "* joined as room",
            "peer 0 opens with 0 servers",
            "peer 0 offers 1 stops []",
            "> subscribe true TR_a TR_b",
            "* anna microphone camera",
            "> add microphone cid0-1 0x0 layers 0 encryption 0 muted",
            "peer 0 publishes Microphone on m1",
            "peer 0 holds m1 true",
            "* Published { source: Microphone }",
            "> offer 1",
            "peer 0 remote Answer",
            "peer 0 offers 1 stops []",
            "> add camera cid0-2 1280x720 layers 3 encryption 0 muted",
            "peer 0 publishes Camera on m2",
            "peer 0 holds m2 true",
            "* Published { source: Camera }",
            "> offer 2",
            "peer 0 remote Answer",
            "peer 1 opens with 0 servers",
            "peer 1 remote Offer",
            "peer 1 binds 1=Audio#1 2=Camera#2",
            "* added 1 anna Microphone",
            "* added 2 anna Camera",
            "> answer 1",
        ]
    );
    assert_eq!(bench.connection.identity().unwrap().expose(), "room");
    assert_eq!(bench.connection.participants().count(), 1);
    assert_eq!(bench.connection.tracks().count(), 2);
    assert_eq!(bench.connection.bad_messages(), 0);

    bench.wish(|connection, _| connection.leave());
    assert_eq!(
        bench.take_log(),
        [
            "> leave 1",
            "* removed 1",
            "* removed 2",
            "peer 0 closes",
            "peer 1 closes",
            "* anna left",
            "close",
            "* Ended(Left)",
        ]
    );
    assert!(bench.connection.is_ended());
    assert_eq!(bench.connection.poll_timeout(), None);
    bench.wish(|connection, _| connection.leave());
    bench.hear(Response::Join(join()));
    assert_eq!(bench.take_log(), [""; 0]);
}

#[test]
fn a_room_that_only_listens_opens_one_connection() {
    let mut bench = Bench::joined(&[]);
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    let opened = |line: &&String| line.contains("opens");
    assert_eq!(bench.log.iter().filter(opened).count(), 1);
    assert!(!bench.log.iter().any(|line| line.contains("> add")));
    assert!(matches!(
        bench.events.last(),
        Some(Event::TrackAdded(track)) if track.identity.expose() == "anna"
    ));
}
