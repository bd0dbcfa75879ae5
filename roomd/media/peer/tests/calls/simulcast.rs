// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Several encodings of one picture on one m-line, and temporal layers.

use std::collections::BTreeSet;
use std::time::Duration;

use roomd_peer::{Direction, Layers, MediaKind, NewLine, Offer, PeerCommand, Temporal};

use crate::conformance::Check;
use crate::net::{A, B, Net, mids, picture};

const SECOND: Duration = Duration::from_secs(1);
const RIDS: [&str; 3] = ["l", "m", "h"];

pub(crate) const CHECKS: &[Check] = &[
    (
        "layers are told apart by RID and switched one by one",
        layers_are_told_apart_by_rid_and_switched_one_by_one,
    ),
    (
        "layers are found by RID alone",
        layers_are_found_by_rid_alone,
    ),
    (
        "keyframes are asked for layer by layer, by PLI and by FIR",
        keyframes_are_asked_for_layer_by_layer,
    ),
    (
        "layers are described as a group of SSRCs",
        layers_can_be_told_apart_by_a_group_of_ssrcs,
    ),
    (
        "temporal layers are signalled",
        temporal_layers_are_signalled,
    ),
];

type Change = fn(String) -> String;

fn same(sdp: String) -> String {
    sdp
}

fn without(sdp: &str, what: &str) -> String {
    let lines = sdp.lines().filter(|line| !line.contains(what));
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// A call with an m-line of three layers more, whose descriptions are changed under way.
fn layered(net: Net, layers: fn(Vec<String>) -> Layers, change: Change) -> (Net, String) {
    let (mut net, base) = net.called();
    let line = NewLine {
        kind: MediaKind::Video,
        direction: Direction::SendOnly,
        layers: layers(RIDS.map(str::to_owned).to_vec()),
    };
    let offer = Offer {
        add: vec![line],
        ..Offer::default()
    };
    net.renegotiate(A, offer, change);
    let all = mids(&net.ends[A].described.last().unwrap().1);
    let mid = all.into_iter().find(|mid| !base.contains(mid)).unwrap();
    (net, mid)
}

/// Sends 25 pictures of each layer given, with the layer's name and a ciphertext-like rest inside.
fn send(net: &mut Net, mid: &str, rids: &[&str]) {
    net.ends[B].frames.clear();
    for round in 0..25u8 {
        for rid in rids {
            let mut frame = picture(net.now, net.start, round == 0);
            let mut payload = frame.payload.to_vec();
            payload[100] = rid.as_bytes()[0];
            for (index, byte) in payload[101..].iter_mut().enumerate() {
                *byte = (index as u8).wrapping_mul(round.wrapping_add(91));
            }
            frame.payload = payload.into();
            frame.rid = Some((*rid).to_owned());
            let mid = mid.to_owned();
            net.command(A, PeerCommand::Write { mid, frame });
        }
        net.run(Duration::from_millis(40));
    }
    net.run(SECOND);
}

fn received(net: &Net, rid: &str) -> usize {
    let frames = net.ends[B].frames.iter();
    let of = frames.filter(|(_, frame)| frame.rid.as_deref() == Some(rid));
    of.inspect(|(_, frame)| {
        assert_eq!(frame.payload[100], rid.as_bytes()[0]);
        assert_eq!(frame.payload.len(), 4000);
    })
    .count()
}

fn layers_are_told_apart_by_rid_and_switched_one_by_one(net: Net) {
    let (mut net, mid) = layered(net, Layers::Rids, same);
    let offer = &net.ends[A].described.last().unwrap().1;
    assert!(offer.contains("a=simulcast:send l;m;h"), "{offer}");
    assert!(
        net.ends[B]
            .described
            .last()
            .unwrap()
            .1
            .contains("a=simulcast:recv l;m;h")
    );
    send(&mut net, &mid, &RIDS);
    assert_eq!(RIDS.map(|rid| received(&net, rid)), [25; 3]);
    send(&mut net, &mid, &["l", "h"]);
    assert_eq!(RIDS.map(|rid| received(&net, rid)), [25, 0, 25]);
    send(&mut net, &mid, &RIDS);
    assert_eq!(RIDS.map(|rid| received(&net, rid)), [25; 3]);
    // A layer that was not negotiated goes nowhere.
    let before = net.ends[A].core.dropped().writes;
    send(&mut net, &mid, &["x"]);
    assert_eq!(net.ends[B].frames.len(), 0);
    assert_eq!(net.ends[A].core.dropped().writes, before + 25);
}

fn layers_are_found_by_rid_alone(net: Net) {
    let (mut net, mid) = layered(net, Layers::Rids, |sdp| without(&sdp, "a=ssrc"));
    send(&mut net, &mid, &RIDS);
    assert_eq!(RIDS.map(|rid| received(&net, rid)), [25; 3]);
}

fn keyframes_are_asked_for_layer_by_layer(net: Net) {
    let changes: [Change; 2] = [
        |sdp| without(&sdp, "ccm fir"),
        |sdp| without(&sdp, "nack pli"),
    ];
    for change in changes {
        let (mut net, mid) = layered(net.again(), Layers::Rids, change);
        send(&mut net, &mid, &RIDS);
        for rid in RIDS.map(|rid| Some(rid.to_owned())) {
            net.ends[A].layers_wanted.clear();
            let (mid, wanted) = (mid.clone(), rid.clone());
            net.command(B, PeerCommand::RequestKeyframe { mid, rid: wanted });
            net.run(Duration::from_millis(200));
            assert_eq!(net.ends[A].layers_wanted, [rid]);
        }
    }
}

fn layers_can_be_told_apart_by_a_group_of_ssrcs(net: Net) {
    let (mut net, mid) = layered(net, Layers::Group, same);
    let offer = net.ends[A].described.last().unwrap().1.clone();
    assert!(
        !offer.contains("a=simulcast") && !offer.contains("a=rid"),
        "{offer}"
    );
    let (_, group) = offer.split_once("a=ssrc-group:SIM ").unwrap();
    let group: Vec<u32> = group
        .lines()
        .next()
        .unwrap()
        .split(' ')
        .map(|ssrc| ssrc.parse().unwrap())
        .collect();
    assert_eq!(group.len(), 3);
    for (index, rid) in RIDS.iter().enumerate() {
        net.ends[A].ssrcs_sent.clear();
        send(&mut net, &mid, &[rid]);
        let sent: BTreeSet<u32> = net.ends[A].ssrcs_sent.keys().copied().collect();
        assert!(sent.contains(&group[index]), "{sent:?} {group:?}");
        let others = group.iter().filter(|ssrc| sent.contains(ssrc)).count();
        assert_eq!(others, 1, "only the layer that was written");
    }
}

fn temporal_layers_are_signalled(net: Net) {
    let (mut net, lines) = net.called();
    let layers = [(0, false), (2, true), (1, true), (2, false)].map(|(layer, sync)| Temporal {
        layer,
        sync,
        discardable: layer == 2,
    });
    for round in 0..40 {
        let mut frame = picture(net.now, net.start, round == 0);
        frame.temporal = Some(layers[round % 4]);
        let mid = lines[1].clone();
        net.command(A, PeerCommand::Write { mid, frame });
        net.run(Duration::from_millis(40));
    }
    net.run(SECOND);
    let seen: Vec<_> = net.ends[B]
        .frames
        .iter()
        .map(|(_, frame)| frame.temporal.unwrap())
        .collect();
    assert_eq!(seen.len(), 40);
    for (round, temporal) in seen.iter().enumerate() {
        assert_eq!(*temporal, layers[round % 4], "{round}");
    }
}
