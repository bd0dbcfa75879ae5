// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Calls without descriptions, as Jingle makes them.

use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_model::Secret;
use roomd_peer::{
    Codec, DataChannel, Direction, HeaderExtension, LineParameters, LineState, LocalParameters,
    MediaKind, Offer, Parameters, Payload, PeerCommand, RemoteTransport,
};

use crate::conformance::Check;
use crate::net::{A, B, Net, picture};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[
    (
        "a call passes without descriptions",
        a_call_without_descriptions,
    ),
    (
        "m-lines are told without descriptions",
        m_lines_are_told_without_descriptions,
    ),
    (
        "layers pass without descriptions",
        layers_pass_without_descriptions,
    ),
    (
        "directions change without descriptions",
        directions_change_without_descriptions,
    ),
    (
        "data channels open without descriptions",
        data_channels_open_without_descriptions,
    ),
    (
        "a relayed address is among the parameters",
        a_relayed_address_is_told_too,
    ),
    (
        "sources come and go without descriptions",
        sources_come_and_go_without_descriptions,
    ),
    (
        "a wrong fingerprint among parameters stops media",
        a_wrong_fingerprint_stops_media_here_too,
    ),
    (
        "parameters out of range are refused",
        what_is_out_of_range_is_refused,
    ),
    (
        "parameters that contradict what is known are refused",
        what_contradicts_is_refused,
    ),
    (
        "descriptions and parameters do not mix",
        descriptions_and_parameters_do_not_mix,
    ),
];

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
        data: false,
    }
}

fn line(mid: &str, kind: MediaKind) -> LineParameters {
    LineParameters {
        mid: mid.to_owned(),
        kind,
        direction: Direction::SendRecv,
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

fn same(text: String) -> String {
    text
}

fn call(net: Net, change: impl Fn(String) -> String) -> (Net, [String; 2]) {
    call_with(net, [parameters(true), parameters(false)], change)
}

/// A call with these parameters of A and of B.
fn call_with(
    mut net: Net,
    [of_a, of_b]: [Parameters; 2],
    change: impl Fn(String) -> String,
) -> (Net, [String; 2]) {
    give(&mut net, A, of_a.clone());
    let offered = answered(of_b, &net.ends[A].parameters[0], true, &change);
    give(&mut net, B, offered);
    assert_eq!(net.ends[B].refused, [""; 0]);
    let accepted = answered(of_a, &net.ends[B].parameters[0], false, &change);
    give(&mut net, A, accepted);
    assert_eq!(net.ends[A].refused, [""; 0]);
    net.run(2 * SECOND);
    (net, ["a0".to_owned(), "v0".to_owned()])
}

/// Gives both ends other parameters in the middle of a call.
fn agree(net: &mut Net, all: [Parameters; 2]) {
    for (end, parameters) in all.into_iter().enumerate() {
        let of = net.ends[1 - end].parameters.last().unwrap().clone();
        give(net, end, answered(parameters, &of, end == B, same));
        assert_eq!(net.ends[end].refused, [""; 0]);
    }
}

fn a_call_without_descriptions(net: Net) {
    let (mut net, lines) = call(net, same);
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

fn m_lines_are_told_without_descriptions(net: Net) {
    let mut early = net.again();
    give(&mut early, A, parameters(true));
    assert_eq!(early.ends[A].lines, [], "the peer has not answered");
    let (mut net, _) = call(net, same);
    let told = |mid: &str, kind, codecs: &[Codec]| LineState {
        mid: mid.to_owned(),
        kind,
        direction: Direction::SendRecv,
        codecs: codecs.to_vec(),
        layers: vec![],
    };
    let sound = told("a0", MediaKind::Audio, &[Codec::Opus]);
    let pictures = told("v0", MediaKind::Video, &[Codec::Vp8, Codec::H264]);
    for end in &mut net.ends {
        assert_eq!(end.lines, [sound.clone(), pictures.clone()]);
        end.lines.clear();
    }
    agree(&mut net, [parameters(true), parameters(false)]);
    for end in &net.ends {
        assert_eq!(end.lines, [], "nothing changed");
    }
    let mut less = parameters(true);
    less.lines.truncate(1);
    give(&mut net, A, less);
    let gone = LineState {
        direction: Direction::Inactive,
        ..told("v0", MediaKind::Video, &[])
    };
    assert_eq!(net.ends[A].lines, [gone]);
}

fn layers_pass_without_descriptions(net: Net) {
    let (mut net, _) = call(net, same);
    let rids = ["l", "h"].map(str::to_owned);
    let mut all = [parameters(true), parameters(false)];
    all[A].lines.push(LineParameters {
        direction: Direction::SendOnly,
        send: rids.clone().map(Some).to_vec(),
        ..line("s0", MediaKind::Video)
    });
    all[B].lines.push(LineParameters {
        direction: Direction::RecvOnly,
        send: vec![],
        ..line("s0", MediaKind::Video)
    });
    agree(&mut net, all);
    let told = [A, B].map(|end| net.ends[end].lines.last().unwrap().clone());
    let sent = (Direction::SendOnly, rids.to_vec());
    assert_eq!((told[A].direction, told[A].layers.clone()), sent);
    let taken = (Direction::RecvOnly, vec![]);
    assert_eq!((told[B].direction, told[B].layers.clone()), taken);
    for rid in rids.map(Some) {
        net.ends[B].frames.clear();
        for _ in 0..10 {
            let mut frame = picture(net.now, net.start, true);
            frame.rid.clone_from(&rid);
            let mid = "s0".to_owned();
            net.command(A, PeerCommand::Write { mid, frame });
            net.run(Duration::from_millis(50));
        }
        net.run(SECOND);
        let frames = &net.ends[B].frames;
        let of = frames.iter().filter(|(_, frame)| frame.rid == rid);
        assert_eq!((of.count(), frames.len()), (10, 10));
    }
}

/// Ten pictures of each end; how many of them came to A and to B.
fn shown(net: &mut Net) -> [usize; 2] {
    net.ends.iter_mut().for_each(|end| end.frames.clear());
    for _ in 0..10 {
        for end in [A, B] {
            let frame = picture(net.now, net.start, true);
            let mid = "v0".to_owned();
            net.command(end, PeerCommand::Write { mid, frame });
        }
        net.run(Duration::from_millis(50));
    }
    net.run(SECOND);
    [A, B].map(|end| net.ends[end].count("v0"))
}

fn directions_change_without_descriptions(net: Net) {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let (mut net, _) = call(net, same);
    let changes = [
        ([SendOnly, RecvOnly], [0, 10]),
        ([RecvOnly, SendOnly], [10, 0]),
        ([Inactive, Inactive], [0, 0]),
        ([SendRecv, SendRecv], [10, 10]),
        // Nothing is passed on either when only one side has turned.
        ([SendRecv, Inactive], [0, 0]),
        ([SendRecv, SendRecv], [10, 10]),
    ];
    for (directions, expected) in changes {
        let mut all = [parameters(true), parameters(false)];
        for end in [A, B] {
            all[end].lines[1].direction = directions[end];
        }
        agree(&mut net, all);
        for end in [A, B] {
            let told = net.ends[end].lines.iter().rfind(|line| line.mid == "v0");
            assert_eq!(told.unwrap().direction, directions[end]);
        }
        assert_eq!(shown(&mut net), expected, "{directions:?}");
    }
    let contiguous = |end: usize| net.ends[end].frames[0].1.contiguous;
    assert!(contiguous(A) && !contiguous(B), "B was sent what it missed");
}

fn data_channels_open_without_descriptions(net: Net) {
    let with = || {
        [true, false].map(|controlling| Parameters {
            data: true,
            ..parameters(controlling)
        })
    };
    for later in [false, true] {
        let (mut net, _) = if later {
            call(net.again(), same)
        } else {
            call_with(net.again(), with(), same)
        };
        net.command(A, PeerCommand::OpenChannel(DataChannel::named("data")));
        net.run(SECOND);
        if later {
            assert!(net.ends[B].channels.is_empty(), "it has no way yet");
            agree(&mut net, with());
            net.run(SECOND);
        }
        for end in [A, B] {
            let (channel, label) = net.ends[end].channels[0].clone();
            assert_eq!(label, "data");
            let message = PeerCommand::SendMessage {
                channel,
                binary: true,
                data: vec![7; 3000],
            };
            net.command(end, message);
            net.run(SECOND);
            assert_eq!(net.ends[1 - end].messages[0].2, [7u8; 3000]);
        }
    }
}

fn a_relayed_address_is_told_too(mut net: Net) {
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

fn sources_come_and_go_without_descriptions(net: Net) {
    let (mut net, lines) = call(net, same);
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

fn a_wrong_fingerprint_stops_media_here_too(net: Net) {
    let (mut net, lines) = call(net, |fingerprint| {
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

fn what_is_out_of_range_is_refused(net: Net) {
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
        let mut net = net.again();
        let mut bad = parameters(true);
        change(&mut bad);
        give(&mut net, A, bad);
        assert_eq!(net.ends[A].refused, ["parameters_out_of_range"]);
        assert!(net.ends[A].parameters.is_empty());
    }
}

fn what_contradicts_is_refused(net: Net) {
    let (mut net, lines) = call(net, same);
    let known = |net: &Net| {
        let of = net.ends[B].parameters[0].clone();
        answered(parameters(true), &of, false, same)
    };
    let mut other_kind = known(&net);
    other_kind.lines[1].kind = MediaKind::Audio;
    give(&mut net, A, other_kind);
    // A restart of ICE.
    let mut other_peer = known(&net);
    let remote = other_peer.remote.as_mut().unwrap();
    remote.ufrag = Secret::new("another");
    give(&mut net, A, other_peer);
    assert_eq!(net.ends[A].refused, ["description_not_applicable"; 2]);
    net.talk(&lines, SECOND);
    net.run(SECOND);
    for end in &net.ends {
        assert_eq!(end.states, [PeerState::Verified]);
        assert!(end.count(&lines[0]) > 45 && end.count(&lines[1]) > 20);
    }
}

fn descriptions_and_parameters_do_not_mix(net: Net) {
    let fresh = net.again();
    let (mut net, _) = net.called();
    give(&mut net, A, parameters(true));
    assert_eq!(net.ends[A].refused, ["descriptions_and_parameters_mixed"]);
    let offer = net.ends[A].described[0].1.clone();
    let (mut net, _) = call(fresh, same);
    net.describe(A, SdpKind::Offer, offer);
    net.command(A, PeerCommand::Offer(Offer::restart()));
    assert_eq!(
        net.ends[A].refused,
        ["descriptions_and_parameters_mixed"; 2]
    );
    assert_eq!(net.ends[A].states, [PeerState::Verified]);
}
