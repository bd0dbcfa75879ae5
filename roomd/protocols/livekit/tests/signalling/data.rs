// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data packets, and what the room says of itself.

use std::collections::BTreeMap;

use livekit_protocol as proto;
use prost::Message as _;
use proto::data_packet::Value;
use proto::request_response::{Reason, Request as Answered};
use proto::signal_request::Message as Request;
use proto::signal_response::Message as Response;
use roomd_conference::{DataChannelId, LocalSource, MediaCommand, MediaEvent, PeerId};
use roomd_livekit::{Data, Event, Identity, Packet, Update};
use roomd_model::Pii;

use crate::bench::{Bench, options};

const PUBLISHER: PeerId = PeerId(0);
const SUBSCRIBER: PeerId = PeerId(1);

fn with_data(sources: &[LocalSource]) -> Bench {
    let mut options = options(sources);
    options.data = true;
    let mut bench = Bench::joined_with(options);
    for (peer, channel, label) in [
        (SUBSCRIBER, 0, "_reliable"),
        (SUBSCRIBER, 1, "_lossy"),
        (SUBSCRIBER, 2, "_data_track"),
        (PUBLISHER, 0, "_lossy"),
        (PUBLISHER, 1, "_reliable"),
    ] {
        bench.media_event(MediaEvent::ChannelOpen {
            peer,
            channel: DataChannelId(channel),
            label: label.into(),
        });
    }
    bench
}

fn packet(reliable: bool) -> Packet {
    Packet {
        payload: Pii::new(b"hello".to_vec()),
        topic: "chat".into(),
        reliable,
        to: vec![Identity::new("anna")],
    }
}

fn arrives(bench: &mut Bench, channel: u32, packet: &proto::DataPacket) {
    let data = Pii::new(packet.encode_to_vec());
    bench.media_event(MediaEvent::Data {
        peer: SUBSCRIBER,
        channel: DataChannelId(channel),
        binary: true,
        data,
    });
}

fn from_anna(payload: &[u8], sequence: u32) -> proto::DataPacket {
    proto::DataPacket {
        participant_identity: "anna".into(),
        participant_sid: "PA_anna".into(),
        sequence,
        value: Some(Value::User(proto::UserPacket {
            payload: payload.to_vec(),
            topic: Some("chat".into()),
            ..Default::default()
        })),
        ..Default::default()
    }
}

#[test]
fn channels_are_offered_with_the_first_source_or_alone() {
    let log = with_data(&[LocalSource::Microphone]).log;
    let at = |what: &str| log.iter().position(|line| line.contains(what)).unwrap();
    assert!(at("TakeData") < at("peer 0 channel _reliable"));
    assert!(at("peer 0 channel _reliable") < at("peer 0 channel _lossy"));
    assert!(at("peer 0 channel _lossy") < at("peer 0 offers 1"));
    assert!(
        log.iter()
            .any(|line| line.contains("TakeData") && line.contains("PeerId(1)"))
    );
    let alone = with_data(&[]).log;
    assert!(alone.contains(&"peer 0 offers 0 stops []".to_owned()));
    assert!(alone.contains(&"> offer 1".to_owned()));
    let without = Bench::joined(&[]).log;
    assert!(
        !without
            .iter()
            .any(|line| line.contains("channel") || line.contains("TakeData"))
    );
}

#[test]
fn packets_leave_on_our_channels() {
    let mut bench = with_data(&[]);
    bench.media.clear();
    for (reliable, channel, sequence) in [(true, 1, 1), (true, 1, 2), (false, 0, 0)] {
        assert!(bench.wish(|connection, _| connection.send_data(packet(reliable))));
        let Some(MediaCommand::SendData {
            peer: PUBLISHER,
            channel: used,
            binary: true,
            data,
        }) = bench.media.pop()
        else {
            panic!("nothing is sent");
        };
        assert_eq!(used, DataChannelId(channel));
        let sent = proto::DataPacket::decode(data.expose().as_slice()).unwrap();
        assert_eq!(sent.sequence, sequence);
        assert_eq!(sent.destination_identities, ["anna"]);
        assert!(matches!(sent.value, Some(Value::User(user)) if user.payload == b"hello"));
    }
    let large = Packet {
        payload: Pii::new(vec![0; 16 * 1024]),
        ..packet(true)
    };
    assert!(!bench.wish(|connection, _| connection.send_data(large)));
    bench.media_event(MediaEvent::ChannelClosed {
        peer: PUBLISHER,
        channel: DataChannelId(1),
    });
    assert!(!bench.wish(|connection, _| connection.send_data(packet(true))));
    assert!(bench.wish(|connection, _| connection.send_data(packet(false))));
}

#[test]
fn packets_arrive_once_from_the_servers_channels() {
    let mut bench = with_data(&[]);
    bench.take_events();
    for (channel, sequence) in [(0, 1), (0, 1), (0, 2), (1, 0), (2, 0), (9, 0)] {
        arrives(&mut bench, channel, &from_anna(b"x", sequence));
    }
    let came = |reliable| {
        Event::Data(Data {
            from: Some(Identity::new("anna")),
            topic: "chat".into(),
            payload: Pii::new(b"x".to_vec()),
            reliable,
        })
    };
    assert_eq!(bench.take_events(), [came(true), came(true), came(false)]);
    // Of the server itself, and of no use.
    let of_server = proto::DataPacket {
        participant_identity: String::new(),
        participant_sid: String::new(),
        ..from_anna(b"x", 0)
    };
    arrives(&mut bench, 0, &of_server);
    let events = bench.take_events();
    assert!(matches!(&events[..], [Event::Data(data)] if data.from.is_none()));
    let sealed = proto::DataPacket {
        value: Some(Value::EncryptedPacket(proto::EncryptedPacket::default())),
        ..from_anna(b"x", 9)
    };
    arrives(&mut bench, 0, &sealed);
    assert_eq!(bench.take_events(), []);
    assert_eq!(bench.connection.bad_messages(), 0);
    bench.media_event(MediaEvent::Data {
        peer: SUBSCRIBER,
        channel: DataChannelId(0),
        binary: true,
        data: Pii::new(vec![0xff; 100]),
    });
    assert_eq!(bench.connection.bad_messages(), 1);
}

#[test]
fn what_the_room_says_of_itself_is_answered() {
    let mut bench = with_data(&[]);
    let update = Update {
        name: Pii::from("Sitzungssaal"),
        attributes: BTreeMap::from([("hand".to_owned(), Pii::from("up"))]),
        ..Update::default()
    };
    let request = bench
        .wish(|connection, _| connection.update(update.clone()))
        .unwrap();
    let Some(Request::UpdateMetadata(said)) = bench.said.pop() else {
        panic!("nothing is said");
    };
    assert_eq!(
        (said.name.as_str(), said.metadata.as_str()),
        ("Sitzungssaal", "")
    );
    assert_eq!(said.attributes["hand"], "up");
    for (reason, accepted) in [(Reason::Ok, true), (Reason::NotAllowed, false)] {
        bench.take_events();
        bench.hear(Response::RequestResponse(proto::RequestResponse {
            request_id: said.request_id,
            reason: reason as i32,
            request: Some(Answered::UpdateMetadata(said.clone())),
            ..Default::default()
        }));
        assert_eq!(bench.take_events(), [Event::Updated { request, accepted }]);
    }
    let next = bench.wish(|connection, _| connection.update(update.clone()));
    assert!(next > Some(request));
    bench.channel(roomd_conference::ChannelEvent::Closed);
    assert_eq!(bench.wish(|connection, _| connection.update(update)), None);
}

#[test]
fn the_meetings_own_words_are_told() {
    let mut bench = with_data(&[]);
    bench.take_events();
    let room = |metadata: &str| {
        Response::RoomUpdate(proto::RoomUpdate {
            room: Some(proto::Room {
                metadata: metadata.into(),
                ..Default::default()
            }),
        })
    };
    bench.hear(room("agenda"));
    bench.hear(room("agenda"));
    bench.hear(room(&"x".repeat(100_000)));
    let told = Event::RoomMetadata(Pii::from("agenda"));
    assert_eq!(bench.take_events(), [told]);
}
