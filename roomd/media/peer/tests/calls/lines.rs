// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! m-lines that come, fall silent, return and end, and streams that are found without their names.

use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{Direction, Layers, MediaKind, NewLine, Offer, PeerCommand};

use crate::conformance::Check;
use crate::net::{A, B, Net, mids, picture};

const SECOND: Duration = Duration::from_secs(1);
const STREAMS: usize = 16;

pub(crate) const CHECKS: &[Check] = &[
    (
        "m-lines come, fall silent, return and end",
        sixteen_streams_come_fall_silent_end_and_come_again,
    ),
    (
        "the place of an ended m-line can be taken",
        an_ended_line_may_be_taken_by_another,
    ),
    ("there are at most 64 m-lines", up_to_64_lines_are_taken),
    (
        "a stream is found by its mid alone",
        streams_are_found_by_mid_alone,
    ),
    (
        "a stream is found by an SSRC announced before",
        streams_are_found_by_ssrc_announced_before,
    ),
    (
        "a stream is found by an SSRC announced after its packets",
        streams_are_found_by_ssrc_announced_after_the_packets,
    ),
];

fn sending(count: usize) -> Offer {
    let line = NewLine {
        kind: MediaKind::Video,
        direction: Direction::SendOnly,
        layers: Layers::Single,
    };
    Offer {
        add: vec![line; count],
        ..Offer::default()
    }
}

fn turned(lines: &[String], direction: Direction) -> Offer {
    Offer {
        turn: lines.iter().map(|mid| (mid.clone(), direction)).collect(),
        ..Offer::default()
    }
}

fn same(sdp: String) -> String {
    sdp
}

/// The lines that the last description of A added.
fn added(net: &Net, known: &[String]) -> Vec<String> {
    let all = mids(&net.ends[A].described.last().unwrap().1);
    all.into_iter().filter(|mid| !known.contains(mid)).collect()
}

/// A sends ten pictures on each line; what arrives at B is counted when its content is the line's.
fn shown(net: &mut Net, lines: &[String]) -> Vec<usize> {
    net.ends[B].frames.clear();
    for _ in 0..10 {
        for (index, mid) in lines.iter().enumerate() {
            let mut frame = picture(net.now, net.start, true);
            let mut payload = frame.payload.to_vec();
            payload[100] = u8::try_from(index).unwrap();
            payload.truncate(1500);
            frame.payload = payload.into();
            let mid = mid.clone();
            net.command(A, PeerCommand::Write { mid, frame });
        }
        net.run(Duration::from_millis(100));
    }
    net.run(SECOND);
    let frames = &net.ends[B].frames;
    let of = |(index, mid): (usize, &String)| {
        let own = |(line, frame): &&(String, roomd_peer::Frame)| {
            line == mid && usize::from(frame.payload[100]) == index
        };
        frames.iter().filter(own).count()
    };
    let counts: Vec<usize> = lines.iter().enumerate().map(of).collect();
    assert_eq!(
        counts.iter().sum::<usize>(),
        frames.len(),
        "no frame on a wrong line"
    );
    counts
}

fn sixteen_streams_come_fall_silent_end_and_come_again(net: Net) {
    let (mut net, base) = net.called();
    let mut known = base.to_vec();
    for _ in 0..2 {
        net.renegotiate(A, sending(STREAMS), same);
        let lines = added(&net, &known);
        assert_eq!(lines.len(), STREAMS);
        assert_eq!(shown(&mut net, &lines), [10; STREAMS]);
        for _ in 0..2 {
            net.renegotiate(A, turned(&lines, Direction::Inactive), same);
            assert_eq!(shown(&mut net, &lines), [0; STREAMS]);
            net.renegotiate(A, turned(&lines, Direction::SendOnly), same);
            assert_eq!(shown(&mut net, &lines), [10; STREAMS]);
        }
        // A half of them falls silent; the others go on.
        net.renegotiate(A, turned(&lines[..8], Direction::Inactive), same);
        let counts = shown(&mut net, &lines);
        assert_eq!((&counts[..8], &counts[8..]), (&[0; 8][..], &[10; 8][..]));
        let stop = Offer {
            stop: lines.clone(),
            ..Offer::default()
        };
        net.renegotiate(A, stop, same);
        let answer = &net.ends[B].described.last().unwrap().1;
        assert!(answer.matches("\nm=video 0 ").count() >= STREAMS);
        assert_eq!(shown(&mut net, &lines), [0; STREAMS]);
        known.extend(lines);
    }
    net.talk(&base, 2 * SECOND);
    net.run(SECOND);
    assert!(net.ends[B].count(&base[0]) > 95);
    assert_eq!(net.ends[B].states, [PeerState::Verified]);
}

fn an_ended_line_may_be_taken_by_another(net: Net) {
    let (mut net, base) = net.called();
    net.renegotiate(A, sending(1), same);
    let old = added(&net, &base).remove(0);
    let offer = net.ends[A].described.last().unwrap().1.clone();
    let stop = Offer {
        stop: vec![old.clone()],
        ..Offer::default()
    };
    net.renegotiate(A, stop, same);
    net.ends[B].lines.clear();
    // RFC 8829, section 5.2.2: another name in the same place.
    let (named, fresh) = (format!("a=mid:{old}\r\n"), "a=mid:fresh\r\n");
    let offer = offer.replace(&named, fresh);
    let offer = offer.replace(&format!(" {old}\r\n"), " fresh\r\n");
    net.describe(B, SdpKind::Offer, offer);
    assert_eq!(net.ends[B].refused, [""; 0]);
    let answer = &net.ends[B].described.last().unwrap().1;
    assert_eq!(mids(answer), [&base[0], &base[1], "fresh"]);
    assert!(!answer.contains("m=video 0 "));
    assert_eq!(net.ends[B].lines[0].mid, "fresh");
    assert_eq!(net.ends[B].lines[0].direction, Direction::RecvOnly);
}

fn up_to_64_lines_are_taken(net: Net) {
    let (mut net, base) = net.called();
    net.renegotiate(A, sending(100), same);
    let lines = added(&net, &base);
    assert_eq!(lines.len(), 62, "our own offers are bounded too");
    assert_eq!(shown(&mut net, &lines[40..]), [10; 22]);
    let offer = net.ends[A].described.last().unwrap().1.clone();
    let (_, last) = offer.rsplit_once("m=video").unwrap();
    let more = last.replace(&format!("a=mid:{}", lines[61]), "a=mid:more");
    net.describe(B, SdpKind::Offer, format!("{offer}m=video{more}"));
    assert_eq!(net.ends[B].refused, ["too_many_media_lines"]);
}

fn without(sdp: &str, what: &[&str]) -> String {
    let kept = |line: &&str| !what.iter().any(|what| line.contains(what));
    let lines = sdp.lines().filter(kept).map(|line| format!("{line}\r\n"));
    lines.collect()
}

fn streams_are_found_by_mid_alone(net: Net) {
    let (mut net, base) = net.called();
    net.renegotiate(A, sending(4), |sdp| without(&sdp, &["a=ssrc"]));
    let lines = added(&net, &base);
    assert_eq!(shown(&mut net, &lines), [10; 4]);
}

/// A call whose packets say nothing but their SSRC.
fn anonymous(mut net: Net) -> (Net, Vec<String>) {
    let bare = |sdp: String| without(&sdp, &["sdes:mid", "rtp-stream-id"]);
    net.negotiate(bare, bare);
    net.run(2 * SECOND);
    let base = mids(&net.ends[A].described[0].1);
    (net, base)
}

fn streams_are_found_by_ssrc_announced_before(net: Net) {
    let (mut net, base) = anonymous(net);
    net.renegotiate(A, sending(4), |sdp| without(&sdp, &["sdes:mid"]));
    let lines = added(&net, &base);
    assert_eq!(shown(&mut net, &lines), [10; 4]);
}

fn streams_are_found_by_ssrc_announced_after_the_packets(net: Net) {
    let (mut net, base) = anonymous(net);
    net.renegotiate(A, sending(4), |sdp| without(&sdp, &["sdes:mid", "a=ssrc"]));
    let lines = added(&net, &base);
    assert_eq!(shown(&mut net, &lines), [0; 4], "nobody knows them yet");
    let (_, offer) = net.ends[A].described.last().unwrap().clone();
    net.describe(B, SdpKind::Offer, without(&offer, &["sdes:mid"]));
    assert_eq!(net.ends[B].refused, [""; 0]);
    assert_eq!(shown(&mut net, &lines), [10; 4]);
}
