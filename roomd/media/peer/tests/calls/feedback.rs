// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the two ends tell each other about the media: keyframe requests, levels, the network.

use std::time::Duration;

use roomd_conference::PeerState;
use roomd_peer::{Level, Offer, PeerCommand};

use crate::conformance::Check;
use crate::net::{A, B, Net, mids, sound};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[
    (
        "keyframes are asked for both ways, by PLI and by FIR",
        keyframes_are_asked_for_by_whatever_is_negotiated,
    ),
    ("sound says how loud it is", sound_says_how_loud_it_is),
    (
        "a call passes where only a relay does",
        a_call_passes_where_only_a_relay_does,
    ),
    (
        "a relayed address goes with its local one",
        a_relayed_address_goes_with_its_local_one,
    ),
    (
        "a relayed address that is lost is not described",
        a_relayed_address_that_is_lost_is_not_described_until_it_returns,
    ),
    (
        "a call outlives a change of addresses",
        a_call_outlives_a_change_of_addresses,
    ),
];

fn without(sdp: &str, what: &str) -> String {
    assert!(sdp.contains(what));
    let lines = sdp.lines().filter(|line| !line.ends_with(what));
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// Keyframe requests that pass, both ways, when the descriptions lack this.
fn requests(mut net: Net, lacking: &str) -> [usize; 2] {
    net.negotiate(|sdp| without(&sdp, lacking), |sdp| without(&sdp, lacking));
    net.run(2 * SECOND);
    let lines = mids(&net.ends[A].described[0].1);
    net.talk(&[lines[0].clone(), lines[1].clone()], SECOND);
    for end in [A, B] {
        net.ends[end].keyframes_wanted.clear();
        let command = PeerCommand::RequestKeyframe {
            mid: lines[1].clone(),
            rid: None,
        };
        net.command(end, command);
    }
    net.run(Duration::from_millis(300));
    [B, A].map(|end| net.ends[end].keyframes_wanted.len())
}

fn keyframes_are_asked_for_by_whatever_is_negotiated(net: Net) {
    assert_eq!(requests(net.again(), "ccm fir"), [1, 1], "by PLI");
    assert_eq!(requests(net, "nack pli"), [1, 1], "by FIR");
}

fn sound_says_how_loud_it_is(net: Net) {
    let (mut net, lines) = net.called();
    let levels = [(0, true), (30, true), (127, false), (255, false)];
    for (below_overload, voice) in levels {
        let mut frame = sound(net.now, net.start);
        frame.level = Some(Level {
            below_overload,
            voice,
        });
        let mid = lines[0].clone();
        net.command(A, PeerCommand::Write { mid, frame });
        net.run(Duration::from_millis(20));
    }
    let frame = sound(net.now, net.start);
    let mid = lines[0].clone();
    net.command(A, PeerCommand::Write { mid, frame });
    net.run(SECOND);
    let seen: Vec<_> = net.ends[B]
        .frames
        .iter()
        .map(|(_, frame)| frame.level)
        .collect();
    let level = |below_overload, voice| {
        Some(Level {
            below_overload,
            voice,
        })
    };
    let expected = [
        level(0, true),
        level(30, true),
        level(127, false),
        level(127, false),
        None,
    ];
    assert_eq!(seen, expected);
}

fn a_call_passes_where_only_a_relay_does(mut net: Net) {
    let relayed = "203.0.113.9:49152".parse().unwrap();
    let (now, local) = (net.now, net.ends[A].address);
    net.ends[A].core.add_relayed(now, relayed, local);
    net.ends[A].relayed = Some(relayed);
    net.ends[A].walled = true;
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    net.run(SECOND);
    for end in &net.ends {
        assert!(end.count(&lines[0]) > 45 && end.count(&lines[1]) > 20);
    }
}

fn a_relayed_address_goes_with_its_local_one(net: Net) {
    let (mut net, _) = net.called();
    let relayed = "203.0.113.9:49152".parse().unwrap();
    let (now, old) = (net.now, net.ends[A].address);
    net.ends[A].core.add_relayed(now, relayed, old);
    let described = |net: &Net| {
        net.ends[A]
            .described
            .last()
            .unwrap()
            .1
            .contains("203.0.113.9")
    };
    net.ends[A].core.replace_locals(now, &[(old, None)]);
    net.renegotiate(A, Offer::restart(), |sdp| sdp);
    assert!(described(&net));
    let address = "198.51.100.7:7000".parse().unwrap();
    net.ends[A].address = address;
    net.ends[A].core.replace_locals(now, &[(address, None)]);
    net.renegotiate(A, Offer::restart(), |sdp| sdp);
    assert!(!described(&net));
}

fn a_relayed_address_that_is_lost_is_not_described_until_it_returns(net: Net) {
    let (mut net, lines) = net.called();
    let relayed = "203.0.113.9:49152".parse().unwrap();
    let (now, local) = (net.now, net.ends[A].address);
    for stands in [true, false, true] {
        if stands {
            net.ends[A].core.add_relayed(now, relayed, local);
        } else {
            net.ends[A].core.remove_relayed(now, relayed);
        }
        net.renegotiate(A, Offer::restart(), |sdp| sdp);
        let sdp = &net.ends[A].described.last().unwrap().1;
        assert_eq!(sdp.contains("203.0.113.9"), stands);
    }
    net.run(2 * SECOND);
    net.talk(&lines, SECOND);
    net.run(SECOND);
    assert!(net.ends[B].count(&lines[0]) > 45);
}

fn a_call_outlives_a_change_of_addresses(net: Net) {
    // Whoever moved, either side may begin the restart.
    for (moved, offerer) in [(A, A), (A, B), (B, A), (B, B)] {
        let (mut net, lines) = net.again().called();
        net.talk(&lines, SECOND);
        let address = "198.51.100.7:7000".parse().unwrap();
        let now = net.now;
        net.ends[moved].address = address;
        net.ends[moved].core.replace_locals(now, &[(address, None)]);
        net.renegotiate(offerer, Offer::restart(), |sdp| sdp);
        for description in [A, B].map(|end| &net.ends[end].described.last().unwrap().1) {
            assert!(!description.contains(if moved == A {
                "192.0.2.1 "
            } else {
                "192.0.2.2 "
            }));
        }
        net.run(2 * SECOND);
        let before = [A, B].map(|end| net.ends[end].frames.len());
        net.talk(&lines, 2 * SECOND);
        net.run(SECOND);
        for end in [A, B] {
            let end_now = &net.ends[end];
            assert_eq!(end_now.states.last(), Some(&PeerState::Verified));
            assert!(!end_now.closed);
            let frames = end_now.frames.len() - before[end];
            assert!(frames > 140, "{frames} {moved} {offerer}");
        }
    }
}
