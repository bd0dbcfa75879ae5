// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whatever a remote party sends, the connection neither panics nor lets anything through.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use roomd_conference::{PeerState, SdpKind};
use roomd_model::{Pii, Secret};
use roomd_peer::{
    Codec, Core, DataChannel, Direction, Encoding, HeaderExtension, Layers, LineParameters,
    MediaKind, NewLine, Offer, Parameters, Payload, PeerCommand, PeerEvent, RemoteTransport,
};

use crate::net::{A, B, Net};

fn drained(core: &mut Core) -> Vec<PeerEvent> {
    while core.poll_transmit().is_some() {}
    std::iter::from_fn(|| core.poll_event()).collect()
}

fn kind() -> impl Strategy<Value = SdpKind> {
    prop_oneof![Just(SdpKind::Offer), Just(SdpKind::Answer)]
}

/// An offer in which lines are dropped, doubled, cut or swapped.
fn mangled() -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        0..5u8,
        any::<prop::sample::Index>(),
        "[ -~]{0,24}",
    );
    prop::collection::vec(edit, 1..12).prop_map(|edits| {
        let mut net = Net::new();
        net.command(
            A,
            PeerCommand::Offer(Offer::of(&[MediaKind::Audio, MediaKind::Video])),
        );
        // Everything that a description of ours can hold.
        net.command(A, PeerCommand::OpenChannel(DataChannel::named("data")));
        let layered = |layers| NewLine {
            kind: MediaKind::Video,
            direction: Direction::SendRecv,
            layers,
        };
        let rids = || vec!["l".to_owned(), "h".to_owned()];
        let offer = Offer {
            add: vec![
                layered(Layers::Rids(rids())),
                layered(Layers::Group(rids())),
            ],
            ..Offer::of(&[MediaKind::Audio, MediaKind::Video])
        };
        net.command(A, PeerCommand::Offer(offer));
        let sdp = &net.ends[A].described.last().unwrap().1;
        let mut lines: Vec<String> = sdp.lines().map(str::to_owned).collect();
        for (at, what, other, text) in edits {
            if lines.is_empty() {
                break;
            }
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match what {
                0 => drop(lines.remove(at)),
                1 => lines.insert(other, lines[at].clone()),
                2 => lines.swap(at, other),
                3 => lines[at].push_str(&text),
                _ => {
                    let cut = lines[at].len() / 2;
                    lines[at].truncate(cut);
                    lines[at].push_str(&text);
                }
            }
        }
        lines.join("\r\n") + "\r\n"
    })
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ])
}

fn line() -> impl Strategy<Value = LineParameters> {
    let rid = || prop::option::of("[a-z]{0,9}");
    let stream = (0..9u32, prop::option::of(0..9u32), rid());
    let streams = prop::collection::vec(stream, 0..4);
    let sent = prop::collection::vec(rid(), 0..4);
    let mid = "[a-z0-9-]{0,3}";
    let all = (mid, any::<bool>(), direction(), sent, streams);
    all.prop_map(|(mid, sound, direction, send, streams)| {
        let kind = if sound {
            MediaKind::Audio
        } else {
            MediaKind::Video
        };
        let encoding = |(ssrc, rtx, rid)| Encoding { ssrc, rtx, rid };
        let receive = streams.into_iter().map(encoding).collect();
        LineParameters {
            mid,
            kind,
            direction,
            send,
            receive,
        }
    })
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let codec = prop::sample::select(vec![Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264]);
    let payload = (codec, 90..130u8, prop::option::of(90..130u8));
    let remote = (
        "[a-z]{3,8}",
        "[a-z]{20,30}",
        "candidate:[ -~]{0,60}",
        any::<bool>(),
    );
    (
        prop::collection::vec(payload, 0..4),
        prop::collection::vec(line(), 0..4),
        prop::option::of(remote),
        0..16u8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(payloads, lines, remote, id, controlling, data)| Parameters {
                remote: remote.map(|(ufrag, password, candidate, active)| RemoteTransport {
                    ufrag: Secret::new(ufrag),
                    password: Secret::new(password),
                    candidates: vec![Pii::new(candidate)],
                    fingerprints: vec![format!("sha-1 {}", ["ab"; 20].join(":"))],
                    active,
                }),
                controlling,
                payloads: payloads
                    .into_iter()
                    .map(|(codec, pt, rtx)| Payload { codec, pt, rtx })
                    .collect(),
                extensions: vec![(id, HeaderExtension::Mid)],
                lines,
                data,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_parameters(all in prop::collection::vec(parameters(), 1..4)) {
        let mut now = Instant::now();
        let mut core = Core::new(now);
        core.add_local(now, "192.0.2.9:7000".parse().unwrap(), None);
        for parameters in all {
            core.handle_command(now, PeerCommand::Parameters(Box::new(parameters)));
            now += Duration::from_millis(100);
            core.handle_timeout(now);
            let answers = drained(&mut core);
            let answered = answers.iter().filter(|event| {
                let refused = matches!(event, PeerEvent::DescriptionRefused(_));
                refused || matches!(event, PeerEvent::LocalParameters(_))
            });
            prop_assert_eq!(answered.count(), 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_text_as_description(text in "(v=0\r\n)?([a-z]=[ -~]{0,60}\r?\n){0,20}", kind in kind()) {
        let now = Instant::now();
        let mut core = Core::new(now);
        let sdp = Pii::new(text);
        core.handle_command(now, PeerCommand::RemoteDescription { kind, sdp });
        let events = drained(&mut core);
        prop_assert!(matches!(events[..], [PeerEvent::DescriptionRefused(_)]), "{events:?}");
    }

    #[test]
    fn mangled_offers(text in mangled()) {
        let now = Instant::now();
        let mut core = Core::new(now);
        core.add_local(now, "192.0.2.9:7000".parse().unwrap(), None);
        for _ in 0..2 {
            let sdp = Pii::new(text.clone());
            core.handle_command(now, PeerCommand::RemoteDescription { kind: SdpKind::Offer, sdp });
        }
        core.handle_timeout(now + Duration::from_millis(50));
        for event in drained(&mut core) {
            prop_assert!(!matches!(event, PeerEvent::State(PeerState::Verified)));
        }
    }

    #[test]
    fn any_candidate(text in "(a=)?(candidate:)?[ -~]{0,80}") {
        let now = Instant::now();
        let mut core = Core::new(now);
        core.handle_command(now, PeerCommand::RemoteCandidate(Pii::new(text)));
        prop_assert!(drained(&mut core).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Garbage from the peer's own address in the middle of a call: DTLS, RTP, RTCP and STUN.
    #[test]
    fn any_datagrams(
        datagrams in prop::collection::vec(
            (
                prop::sample::select(vec![0u8, 1, 20, 21, 22, 23, 63, 100, 128, 144, 191, 255]),
                prop::sample::select(vec![0u8, 1, 96, 111, 200, 201, 205, 206]),
                prop::collection::vec(any::<u8>(), 0..300),
            ),
            1..60,
        ),
    ) {
        let (mut net, lines) = Net::call();
        let (from, to) = (net.ends[B].address, net.ends[A].address);
        for (first, second, rest) in datagrams {
            let contents = [vec![first, second], rest].concat();
            net.ends[A].core.handle_datagram(net.now, from, to, &contents);
        }
        net.run(Duration::from_millis(200));
        let before = net.ends[A].count(&lines[0]);
        net.talk(&lines, Duration::from_secs(1));
        net.run(Duration::from_millis(200));
        prop_assert_eq!(&net.ends[A].states, &[PeerState::Verified]);
        prop_assert!(net.ends[A].count(&lines[0]) > before + 45);
    }
}

#[test]
fn a_flood_from_elsewhere_changes_nothing() {
    let (mut net, lines) = Net::call();
    let (stranger, to) = ("198.51.100.7:9".parse().unwrap(), net.ends[A].address);
    for round in 0..30_000u32 {
        let first = [22u8, 128, 1][round as usize % 3];
        let contents = [&[first, 111][..], &round.to_be_bytes(), &[7; 40]].concat();
        net.ends[A]
            .core
            .handle_datagram(net.now, stranger, to, &contents);
    }
    assert_eq!(net.ends[A].core.dropped().datagrams, 30_000);
    net.run(Duration::from_secs(2));
    net.talk(&lines, Duration::from_secs(1));
    net.run(Duration::from_millis(200));
    assert!(net.ends[A].count(&lines[0]) > 45);
    assert_eq!(net.ends[A].states, [PeerState::Verified]);
}

/// Media that nobody has the keys of, from the peer's own address, each packet of another sender.
#[test]
fn senders_are_bounded() {
    let (mut net, lines) = Net::call();
    net.talk(&lines, Duration::from_secs(1));
    let (from, to) = (net.ends[B].address, net.ends[A].address);
    for ssrc in 1000..6000_u32 {
        let contents = [
            &[0x80_u8, 96, 0, 1, 0, 0, 0, 1][..],
            &ssrc.to_be_bytes(),
            &[7; 40],
        ]
        .concat();
        net.ends[A]
            .core
            .handle_datagram(net.now, from, to, &contents);
    }
    let dropped = net.ends[A].core.dropped().sources;
    assert!((4700..5000).contains(&dropped), "{dropped}");
    net.run(Duration::from_millis(200));
    let before = net.ends[A].count(&lines[0]);
    net.talk(&lines, Duration::from_secs(1));
    net.run(Duration::from_millis(200));
    assert!(net.ends[A].count(&lines[0]) > before + 45);
    assert_eq!(net.ends[A].states, [PeerState::Verified]);
}

#[test]
fn candidates_are_bounded() {
    let now = Instant::now();
    let mut core = Core::new(now);
    for port in 1..1000 {
        let line = format!("candidate:1 1 udp 2122260223 192.0.2.77 {port} typ host");
        core.handle_command(now, PeerCommand::RemoteCandidate(Pii::new(line)));
    }
    assert_eq!(core.dropped().candidates, 999 - 64);
}
