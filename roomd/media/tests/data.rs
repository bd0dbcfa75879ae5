// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data channels between a session and a server, and m-lines that are held back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::time::Duration;

use bench::{PICTURE, Room, SOUND, Wire};
use roomd_conference::{
    DataChannel, DataChannelId, MediaCommand, MediaEvent, PeerId, Reliability, SdpKind,
};
use roomd_media::EngineEvent;
use roomd_model::Pii;
use roomd_peer::{MediaKind, Offer, PeerCommand, PeerEvent};
use tokio::sync::mpsc;

const PEER: PeerId = PeerId(1);

/// A server that opens a channel and makes the offer, and answers what the room's session says.
async fn server(room: &mut Room, take: bool) -> Wire {
    let (sender, mut events) = mpsc::channel(512);
    let commands = roomd_peer::spawn(PEER, bench::loopback(), sender);
    for command in [
        PeerCommand::OpenChannel(DataChannel::named("_reliable")),
        PeerCommand::Offer(Offer::of(&[MediaKind::Audio, MediaKind::Video])),
    ] {
        commands.send(command).await.unwrap();
    }
    let offer = loop {
        if let Some((_, PeerEvent::LocalDescription { sdp, .. })) = events.recv().await {
            break sdp;
        }
    };
    let mids = bench::mids(offer.expose());
    let open = MediaCommand::OpenPeer {
        peer: PEER,
        ice_servers: Vec::new(),
    };
    room.session(open).await;
    if take {
        room.session(MediaCommand::TakeData { peer: PEER }).await;
    }
    let lossy = DataChannel {
        ordered: false,
        reliability: Reliability::Retransmits(0),
        ..DataChannel::named("_lossy")
    };
    room.session(MediaCommand::OpenChannel {
        peer: PEER,
        channel: lossy,
    })
    .await;
    let sdp = offer;
    let kind = SdpKind::Offer;
    room.session(MediaCommand::RemoteDescription {
        peer: PEER,
        kind,
        sdp,
    })
    .await;
    let sdp = room.local_description().await;
    let kind = SdpKind::Answer;
    let answer = PeerCommand::RemoteDescription { kind, sdp };
    commands.send(answer).await.unwrap();
    Wire {
        commands,
        events,
        mids,
    }
}

/// The channels of both labels, as the wire numbers them.
async fn channels(wire: &mut Wire) -> [DataChannelId; 2] {
    let (mut reliable, mut lossy) = (None, None);
    while reliable.is_none() || lossy.is_none() {
        if let PeerEvent::ChannelOpen { channel, label } = wire.next().await {
            match label.as_str() {
                "_reliable" => reliable = Some(channel),
                "_lossy" => lossy = Some(channel),
                _ => panic!("an unknown channel"),
            }
        }
    }
    [reliable.unwrap(), lossy.unwrap()]
}

/// The wire's number of a channel that opens.
async fn wire_channel(wire: &mut Wire, wanted: &str) -> DataChannelId {
    loop {
        if let PeerEvent::ChannelOpen { channel, label } = wire.next().await
            && label == wanted
        {
            return channel;
        }
    }
}

/// The session's number of a channel.
async fn opened(room: &mut Room, wanted: &str) -> DataChannelId {
    room.wait("a channel", |event| match event {
        EngineEvent::Session(MediaEvent::ChannelOpen { channel, label, .. }) => {
            (label == wanted).then_some(channel)
        }
        _ => None,
    })
    .await
}

async fn data(room: &mut Room) -> (DataChannelId, bool, Vec<u8>) {
    room.wait("a message", |event| match event {
        EngineEvent::Session(MediaEvent::Data {
            channel,
            binary,
            data,
            ..
        }) => Some((channel, binary, data.into_inner())),
        _ => None,
    })
    .await
}

async fn say(wire: &Wire, channel: DataChannelId, data: &[u8]) {
    let command = PeerCommand::SendMessage {
        channel,
        binary: true,
        data: data.to_vec(),
    };
    wire.commands.send(command).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_go_both_ways_on_channels_of_either_side() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = server(&mut room, true).await;
    let [reliable, lossy] = channels(&mut wire).await;

    // The two open in no particular order.
    let mut found = [None, None];
    while found.contains(&None) {
        let (channel, label) = room
            .wait("a channel", |event| match event {
                EngineEvent::Session(MediaEvent::ChannelOpen { channel, label, .. }) => {
                    Some((channel, label))
                }
                _ => None,
            })
            .await;
        let place = usize::from(label == "_lossy");
        found[place] = Some(channel);
    }
    let own = found.map(Option::unwrap);
    say(&wire, reliable, b"to the room").await;
    assert_eq!(
        data(&mut room).await,
        (own[0], true, b"to the room".to_vec())
    );
    room.session(MediaCommand::SendData {
        peer: PEER,
        channel: own[1],
        binary: true,
        data: Pii::new(b"from the room".to_vec()),
    })
    .await;
    let (channel, message) = loop {
        if let PeerEvent::Message { channel, data, .. } = wire.next().await {
            break (channel, data);
        }
    };
    assert_eq!((channel, message), (lossy, b"from the room".to_vec()));

    // One that is too long is lost and harms nothing.
    say(&wire, reliable, &vec![7; 64 * 1024 + 1]).await;
    say(&wire, reliable, b"short").await;
    assert_eq!(data(&mut room).await.2, b"short");
    let close = PeerCommand::CloseChannel { channel: reliable };
    wire.commands.send(close).await.unwrap();
    let closed = room
        .wait("an end", |event| match event {
            EngineEvent::Session(MediaEvent::ChannelClosed { channel, .. }) => Some(channel),
            _ => None,
        })
        .await;
    assert_eq!(closed, own[0]);
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_takes_no_data_is_told_none() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = server(&mut room, false).await;
    let [reliable, _] = channels(&mut wire).await;
    say(&wire, reliable, b"unasked").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    room.session(MediaCommand::TakeData { peer: PEER }).await;
    // The engine does as it is told in order: the far side sees this once data is taken.
    let taken = DataChannel::named("taken");
    room.session(MediaCommand::OpenChannel {
        peer: PEER,
        channel: taken,
    })
    .await;
    wire_channel(&mut wire, "taken").await;
    let reopen = PeerCommand::OpenChannel(DataChannel::named("later"));
    wire.commands.send(reopen).await.unwrap();
    let channel = opened(&mut room, "later").await;
    // What came before stays unsaid.
    let later = wire_channel(&mut wire, "later").await;
    say(&wire, later, b"asked").await;
    assert_eq!(data(&mut room).await, (channel, true, b"asked".to_vec()));
    room.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_back_does_not_leave_until_it_is_let_go() {
    let mut room = Room::start(11, 1000.0);
    let mut wire = Wire::connect(&mut room, PEER, [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    room.sending(true, true).await;
    wire.flows(0, 20).await;
    wire.flows(1, 5).await;
    for held in [true, false] {
        for mid in wire.mids.clone() {
            let peer = PEER;
            room.session(MediaCommand::Hold { peer, mid, held }).await;
        }
        if held {
            // What was under way arrives yet.
            wire.frames(0, Duration::from_millis(500)).await;
            let second = Duration::from_secs(1);
            let left = wire.frames(0, second).await + wire.frames(1, second).await;
            assert_eq!(left, 0, "frames leave that are held back");
        } else {
            wire.flows(0, 20).await;
            wire.flows(1, 5).await;
        }
    }
    room.engine.shutdown().await;
}
