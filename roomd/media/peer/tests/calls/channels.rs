// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data channels.

use std::time::Duration;

use roomd_peer::{DataChannel, DataChannelId, Offer, PeerCommand, Reliability};

use crate::conformance::Check;
use crate::net::{A, B, Net};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[
    (
        "messages of data channels pass both ways in order",
        messages_pass_both_ways_in_order,
    ),
    (
        "both sides may agree on a channel beforehand",
        a_channel_that_both_sides_agreed_on_says_nothing_of_itself,
    ),
    (
        "what waits to be sent is bounded",
        what_waits_to_be_sent_is_bounded,
    ),
    (
        "channels are bounded and close on both sides",
        channels_are_bounded_and_close_on_both_sides,
    ),
];

fn with_channels(net: Net, configs: &[DataChannel]) -> (Net, [String; 2]) {
    let (mut net, lines) = net.called();
    for config in configs {
        net.command(A, PeerCommand::OpenChannel(config.clone()));
    }
    net.renegotiate(A, Offer::default(), |sdp| sdp);
    net.run(SECOND);
    (net, lines)
}

fn channel(net: &Net, end: usize, label: &str) -> DataChannelId {
    let mut channels = net.ends[end].channels.iter();
    channels.find(|(_, name)| name == label).unwrap().0
}

fn send(net: &mut Net, end: usize, label: &str, data: &[u8]) {
    let command = PeerCommand::SendMessage {
        channel: channel(net, end, label),
        binary: true,
        data: data.to_vec(),
    };
    net.command(end, command);
}

fn messages_pass_both_ways_in_order(net: Net) {
    let unordered = DataChannel {
        ordered: false,
        reliability: Reliability::Retransmits(0),
        ..DataChannel::named("lossy")
    };
    let (mut net, lines) = with_channels(net, &[DataChannel::named("chat"), unordered]);
    for end in [A, B] {
        let mut labels: Vec<_> = net.ends[end]
            .channels
            .iter()
            .map(|(_, label)| label)
            .collect();
        labels.sort();
        assert_eq!(labels, ["chat", "lossy"]);
    }
    for round in 0..50u8 {
        send(&mut net, A, "chat", &[round; 1500]);
        send(&mut net, B, "chat", &[round, 1]);
        net.run(Duration::from_millis(20));
    }
    send(&mut net, A, "lossy", &[9; 10_000]);
    net.run(SECOND);
    let chat = channel(&net, B, "chat");
    let lossy = channel(&net, B, "lossy");
    let expected = (0..50).map(|round| (chat, true, vec![round; 1500]));
    let expected: Vec<_> = expected.chain([(lossy, true, vec![9; 10_000])]).collect();
    assert_eq!(net.ends[B].messages, expected);
    assert_eq!(net.ends[A].messages.len(), 50);
    // A channel more needs no offer; the media is not disturbed.
    net.command(B, PeerCommand::OpenChannel(DataChannel::named("late")));
    net.talk(&lines, SECOND);
    send(&mut net, A, "late", b"text");
    net.run(SECOND);
    assert_eq!(net.ends[B].messages.last().unwrap().2, b"text");
    assert!(net.ends[B].count(&lines[0]) > 45);
}

fn a_channel_that_both_sides_agreed_on_says_nothing_of_itself(net: Net) {
    let agreed = DataChannel {
        negotiated: Some(7),
        ..DataChannel::named("agreed")
    };
    let (mut net, _) = net.called();
    for end in [A, B] {
        net.command(end, PeerCommand::OpenChannel(agreed.clone()));
        // The same stream a second time is refused.
        net.command(end, PeerCommand::OpenChannel(agreed.clone()));
        assert_eq!(net.ends[end].core.dropped().messages, 1);
    }
    net.renegotiate(B, Offer::default(), |sdp| sdp);
    net.run(SECOND);
    send(&mut net, A, "agreed", b"one");
    send(&mut net, B, "agreed", b"two");
    net.run(SECOND);
    assert_eq!(net.ends[B].messages[0].2, b"one");
    assert_eq!(net.ends[A].messages[0].2, b"two");
}

fn what_waits_to_be_sent_is_bounded(net: Net) {
    let (mut net, _) = with_channels(net, &[DataChannel::named("bulk")]);
    net.cut = true;
    for _ in 0..100 {
        send(&mut net, A, "bulk", &[0; 16_000]);
    }
    let dropped = net.ends[A].core.dropped().messages;
    assert!(dropped >= 90, "{dropped}");
    net.cut = false;
    net.run(5 * SECOND);
    let arrived = net.ends[B].messages.len();
    assert_eq!(arrived as u64 + dropped, 100);
}

fn channels_are_bounded_and_close_on_both_sides(net: Net) {
    let many = vec![DataChannel::named("x"); 100];
    let (mut net, _) = with_channels(net, &many);
    assert_eq!(net.ends[A].core.dropped().messages, 36);
    net.run(5 * SECOND);
    assert_eq!(net.ends[B].channels.len(), 64);
    let channel = net.ends[A].channels[0].0;
    net.command(A, PeerCommand::CloseChannel { channel });
    net.run(SECOND);
    assert_eq!(net.ends[A].channels_closed, [channel]);
    assert_eq!(net.ends[B].channels_closed.len(), 1);
    let long = DataChannel::named(&"n".repeat(256));
    net.command(A, PeerCommand::OpenChannel(long));
    let unknown = DataChannelId(9999);
    net.command(A, PeerCommand::CloseChannel { channel: unknown });
    let message = PeerCommand::SendMessage {
        channel: unknown,
        binary: false,
        data: vec![1],
    };
    net.command(A, message);
    assert_eq!(net.ends[A].core.dropped().messages, 38);
}
