// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Calls without descriptions, as Jingle makes them.

use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{
    Codec, HeaderExtension, LineParameters, LocalParameters, MediaKind, Offer, Parameters, Payload,
    PeerCommand, RemoteTransport,
};

use crate::net::{A, B, Net};

const SECOND: Duration = Duration::from_secs(1);

fn payload(codec: Codec, pt: u8, rtx: Option<u8>) -> Payload {
    Payload { codec, pt, rtx }
}

/// Other numbers than those of our descriptions, and no name on the packets.
fn parameters(controlling: bool) -> Parameters {
    Parameters {
        remote: None,
        controlling,
        payloads: vec![
            payload(Codec::Opus, 120, None),
            payload(Codec::H264, 107, Some(106)),
            payload(Codec::Vp8, 100, Some(101)),
        ],
        extensions: vec![
            (5, HeaderExtension::TransportSequence),
            (7, HeaderExtension::AudioLevel),
        ],
        lines: vec![line("a0", MediaKind::Audio), line("v0", MediaKind::Video)],
    }
}

fn line(mid: &str, kind: MediaKind) -> LineParameters {
    LineParameters {
        mid: mid.to_owned(),
        kind,
        send: vec![None],
        receive: vec![],
    }
}

fn give(net: &mut Net, end: usize, parameters: Parameters) {
    net.command(end, PeerCommand::Parameters(Box::new(parameters)));
}

/// The parameters with what the other end says, changed under way.
fn answered(
    mut parameters: Parameters,
    of: &LocalParameters,
    active: bool,
    change: impl Fn(String) -> String,
) -> Parameters {
    parameters.remote = Some(RemoteTransport {
        ufrag: of.ufrag.clone(),
        password: of.password.clone(),
        candidates: of.candidates.clone(),
        fingerprints: vec![change(of.fingerprint.clone())],
        active,
    });
    for (line, (mid, encodings)) in parameters.lines.iter_mut().zip(&of.lines) {
        assert_eq!(line.mid, *mid);
        line.receive.clone_from(encodings);
    }
    parameters
}

fn call(change: impl Fn(String) -> String) -> (Net, [String; 2]) {
    let mut net = Net::new();
    give(&mut net, A, parameters(true));
    let offered = answered(parameters(false), &net.ends[A].parameters[0], true, &change);
    give(&mut net, B, offered);
    assert_eq!(net.ends[B].refused, [""; 0]);
    let accepted = answered(parameters(true), &net.ends[B].parameters[0], false, &change);
    give(&mut net, A, accepted);
    assert_eq!(net.ends[A].refused, [""; 0]);
    net.run(2 * SECOND);
    (net, ["a0".to_owned(), "v0".to_owned()])
}

#[test]
fn a_call_without_descriptions() {
    let (mut net, lines) = call(|fingerprint| fingerprint);
    net.lose_every = Some(25);
    net.talk(&lines, 5 * SECOND);
    net.lose_every = None;
    net.run(SECOND);
    for end in [A, B] {
        net.command(
            end,
            PeerCommand::RequestKeyframe {
                mid: lines[1].clone(),
                rid: None,
            },
        );
    }
    net.run(SECOND);
    for end in &net.ends {
        assert_eq!(end.states, [PeerState::Verified]);
        assert!(end.count(&lines[0]) > 220, "{}", end.count(&lines[0]));
        // What was lost is sent again.
        assert!(end.count(&lines[1]) > 120, "{}", end.count(&lines[1]));
        assert!(end.bandwidth.iter().any(|&rate| rate > 100_000));
        assert!(!end.keyframes_wanted.is_empty());
    }
}

#[test]
fn a_relayed_address_is_told_too() {
    let mut net = Net::new();
    let (now, local) = (net.now, net.ends[A].address);
    let relayed = "203.0.113.9:49152".parse().unwrap();
    net.ends[A].core.add_relayed(now, relayed, local);
    give(&mut net, A, parameters(true));
    let candidates = &net.ends[A].parameters[0].candidates;
    let relay =
        |line: &&roomd_model::Pii<String>| line.expose().contains("203.0.113.9 49152 typ relay");
    assert_eq!(
        (candidates.len(), candidates.iter().filter(relay).count()),
        (2, 1)
    );
}

#[test]
fn sources_come_and_go_without_descriptions() {
    let (mut net, lines) = call(|fingerprint| fingerprint);
    let mut more = parameters(true);
    more.lines.push(line("v1", MediaKind::Video));
    let mut theirs = parameters(false);
    theirs.lines.push(line("v1", MediaKind::Video));
    for _ in 0..2 {
        give(&mut net, A, more.clone());
        let of = net.ends[A].parameters.last().unwrap().clone();
        give(
            &mut net,
            B,
            answered(theirs.clone(), &of, true, |text| text),
        );
        assert_eq!(net.ends[B].refused, [""; 0]);
        let both = [lines[0].clone(), "v1".to_owned()];
        let before = net.ends[B].count("v1");
        net.talk(&both, SECOND);
        net.run(SECOND);
        assert!(net.ends[B].count("v1") > before + 20);
        give(&mut net, A, parameters(true));
        give(&mut net, B, parameters(false));
        let before = net.ends[B].count("v1");
        net.talk(&both, SECOND);
        assert_eq!(net.ends[B].count("v1"), before, "the source is gone");
    }
}

#[test]
fn a_wrong_fingerprint_stops_media_here_too() {
    let (mut net, lines) = call(|fingerprint| {
        let (head, digest) = fingerprint.split_at(fingerprint.len() - 2);
        format!("{head}{}", if digest == "00" { "01" } else { "00" })
    });
    net.talk(&lines, 3 * SECOND);
    for end in &net.ends {
        assert!(end.frames.is_empty());
        assert_eq!(end.media_sent, 0);
        assert!(!end.states.contains(&PeerState::Verified));
    }
}

#[test]
fn what_is_out_of_range_is_refused() {
    let changes: [fn(&mut Parameters); 9] = [
        |bad| bad.lines[1].mid = "a0".into(),
        |bad| bad.lines[1].mid = "a-0".into(),
        |bad| bad.lines[1].send = vec![Some("x".repeat(9))],
        |bad| bad.payloads[0].pt = 72,
        |bad| bad.payloads[0].pt = 200,
        |bad| bad.payloads[0].pt = 100,
        |bad| bad.extensions[0].0 = 15,
        |bad| bad.lines = vec![bad.lines[0].clone(); 65],
        |bad| {
            let twice = roomd_peer::Encoding {
                ssrc: 1,
                rtx: Some(1),
                rid: None,
            };
            bad.lines[0].receive = vec![twice];
        },
    ];
    for change in changes {
        let mut net = Net::new();
        let mut bad = parameters(true);
        change(&mut bad);
        give(&mut net, A, bad);
        assert_eq!(net.ends[A].refused, ["parameters_out_of_range"]);
        assert!(net.ends[A].parameters.is_empty());
    }
}

#[test]
fn descriptions_and_parameters_do_not_mix() {
    let (mut net, _) = Net::call();
    give(&mut net, A, parameters(true));
    assert_eq!(net.ends[A].refused, ["descriptions_and_parameters_mixed"]);
    let offer = net.ends[A].described[0].1.clone();
    let (mut net, _) = call(|fingerprint| fingerprint);
    net.describe(A, SdpKind::Offer, offer);
    net.command(A, PeerCommand::Offer(Offer::restart()));
    assert_eq!(
        net.ends[A].refused,
        ["descriptions_and_parameters_mixed"; 2]
    );
    assert_eq!(net.ends[A].states, [PeerState::Verified]);
}
