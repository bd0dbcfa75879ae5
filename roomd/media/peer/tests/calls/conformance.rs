// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What every backend of the transport must do, towards itself and towards every other one.
//!
//! A further backend is one line of [`BACKENDS`]. The checks are beside what they are about; what
//! only the backend on str0m does is tested there without the suite.

use std::collections::BTreeSet;
use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{Frame, Offer, PeerCommand};

use crate::net::{A, B, Make, Net, core, picture};
use crate::{
    channels, codecs, feedback, foreign, lines, links, media, parameters, security, simulcast,
};

const SECOND: Duration = Duration::from_secs(1);

const BACKENDS: [(&str, Make); 1] = [("str0m", core)];

/// What is demanded, and its check between two backends.
pub(crate) type Check = (&'static str, fn(Net));

/// What belongs to no other part of the suite.
const CHECKS: &[Check] = &[
    ("nothing is sent before a frame is written", silence),
    ("large pictures leave whole, a second apart", slides),
    ("a large picture leaves bit by bit", pacing),
    ("sound and picture go out under their own SSRCs", sources),
    (
        "a call outlives one change of addresses after another",
        addresses,
    ),
    (
        "what is not understood is refused and changes nothing",
        garbage,
    ),
    (
        "an offer that cannot be applied is refused and changes nothing",
        refused,
    ),
];

/// Holds every backend to a part of the suite, with every other one.
fn conform(part: &[Check]) {
    for (name, a) in BACKENDS {
        for (other, b) in BACKENDS {
            for &(what, check) in part {
                let run = std::panic::catch_unwind(|| check(Net::between(a, b)));
                assert!(run.is_ok(), "{name} with {other}: {what}");
            }
        }
    }
}

// The whole suite: each part is a test, so that they run beside each other.

#[test]
fn every_backend_conforms() {
    conform(CHECKS);
}

#[test]
fn every_backend_carries_media() {
    conform(media::CHECKS);
}

#[test]
fn every_backend_negotiates_lines() {
    conform(lines::CHECKS);
}

#[test]
fn every_backend_sends_layers() {
    conform(simulcast::CHECKS);
}

#[test]
fn every_backend_chooses_codecs() {
    conform(codecs::CHECKS);
}

#[test]
fn every_backend_receives_vp9() {
    conform(foreign::CHECKS);
}

#[test]
fn every_backend_gives_feedback() {
    conform(feedback::CHECKS);
}

#[test]
fn every_backend_bears_bad_networks() {
    conform(links::CHECKS);
}

#[test]
fn every_backend_verifies_certificates() {
    conform(security::CHECKS);
}

#[test]
fn every_backend_opens_data_channels() {
    conform(channels::CHECKS);
}

#[test]
fn every_backend_takes_parameters() {
    conform(parameters::CHECKS);
}

fn same(sdp: String) -> String {
    sdp
}

fn silence(net: Net) {
    let (mut net, lines) = net.called();
    net.run(3 * SECOND);
    for end in &net.ends {
        assert_eq!(end.ssrcs_sent.len(), 0, "no RTP, no probe, no padding");
    }
    net.talk(&lines, SECOND);
    for end in [A, B] {
        // Of a large picture, most packets still wait.
        let (mid, frame) = (lines[1].clone(), slide(&net));
        net.command(end, PeerCommand::Write { mid, frame });
        net.command(end, PeerCommand::Silence);
    }
    let sent = |net: &Net| [A, B].map(|end| net.ends[end].ssrcs_sent.clone());
    let before = sent(&net);
    net.run(3 * SECOND);
    assert_eq!(before, sent(&net));
    net.talk(&lines, SECOND);
    assert_ne!(before, sent(&net), "the next frame ends the silence");
}

/// A picture that takes longer to leave than until a tenth of a second is over.
fn slide(net: &Net) -> Frame {
    let mut frame = picture(net.now, net.start, true);
    let mut payload = frame.payload.to_vec();
    payload.resize(80_000, 0x5a);
    frame.payload = payload.into();
    frame
}

fn slides(net: Net) {
    let (mut net, lines) = net.called();
    for _ in 0..10 {
        let (mid, frame) = (lines[1].clone(), slide(&net));
        net.command(A, PeerCommand::Write { mid, frame });
        net.run(Duration::from_millis(900));
    }
    let slides = net.ends[B].frames.iter();
    let whole = slides.filter(|(_, frame)| frame.payload.len() == 80_000 && frame.contiguous);
    assert_eq!(whole.count(), 10);
}

/// RTP packets that A sent so far.
fn packets(net: &Net) -> usize {
    net.ends[A].ssrcs_sent.values().sum()
}

fn pacing(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    net.run(SECOND / 2);
    let (mid, frame, before) = (lines[1].clone(), slide(&net), packets(&net));
    net.command(A, PeerCommand::Write { mid, frame });
    net.run(Duration::from_millis(5));
    let at_once = packets(&net) - before;
    net.run(SECOND);
    let all = packets(&net) - before;
    assert!(at_once * 2 < all, "{at_once} of {all}");
    let (_, last) = net.ends[B].frames.last().unwrap();
    assert_eq!((last.payload.len(), last.contiguous), (80_000, true));
}

fn sources(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    let ssrcs: BTreeSet<u32> = net.ends[A].ssrcs_sent.keys().copied().collect();
    let described = &net.ends[A].described[0].1;
    let known = |ssrc: &&u32| described.contains(&format!("a=ssrc:{ssrc} "));
    assert!(ssrcs.iter().filter(known).count() >= 2, "{ssrcs:?}");
}

fn addresses(net: Net) {
    let (mut net, lines) = net.called();
    for (moved, address) in [(A, "198.51.100.1:7000"), (B, "198.51.100.2:7000")] {
        let (now, address) = (net.now, address.parse().unwrap());
        net.ends[moved].address = address;
        net.ends[moved].core.replace_locals(now, &[(address, None)]);
        net.renegotiate(moved, Offer::restart(), same);
        net.run(2 * SECOND);
        net.ends.iter_mut().for_each(|end| end.frames.clear());
        net.talk(&lines, SECOND);
        net.run(SECOND);
        for end in &net.ends {
            assert!(end.count(&lines[0]) > 45 && end.count(&lines[1]) > 20);
            assert_eq!(end.states.last(), Some(&PeerState::Verified));
        }
    }
}

fn garbage(net: Net) {
    let (mut net, lines) = net.called();
    net.describe(A, SdpKind::Offer, "v=0\r\nm=audio".into());
    net.describe(A, SdpKind::Answer, net.ends[B].described[0].1.clone());
    assert_eq!(net.ends[A].refused.len(), 2);
    let (from, to, now) = (net.ends[B].address, net.ends[A].address, net.now);
    for first in 0..=255 {
        let datagram = [first; 60];
        net.ends[A].core.handle_datagram(now, from, to, &datagram);
    }
    net.talk(&lines, SECOND);
    assert!(net.ends[A].count(&lines[0]) > 40);
}

/// An offer whose pictures have another sender, with what comes before the m-lines, and the m-lines.
fn other_sender(offer: &str) -> [String; 3] {
    let (head, rest) = offer.split_once("m=audio").unwrap();
    let (audio, video) = rest.split_once("m=video").unwrap();
    let another = |line: &str| match line.strip_prefix("a=ssrc:") {
        Some(value) => {
            let (ssrc, rest) = value.split_once(' ').unwrap();
            let ssrc = ssrc.parse::<u32>().unwrap() ^ 1;
            format!("a=ssrc:{ssrc} {rest}\r\n")
        }
        None => format!("{line}\r\n"),
    };
    let lines = video.lines();
    let lines = lines.filter(|line| !line.starts_with("a=ssrc-group"));
    let video: String = lines.map(another).collect();
    [
        head.to_owned(),
        format!("m=audio{audio}"),
        format!("m=video{video}"),
    ]
}

fn refused(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    net.command(A, PeerCommand::Offer(Offer::restart()));
    let (_, offer) = net.ends[A].described.last().unwrap().clone();
    let [head, audio, video] = other_sender(&offer);
    let [first, second] = &lines;
    // The lines in other places, then only their names.
    let turned = head.replace(
        &format!("{first} {second}\r\n"),
        &format!("{second} {first}\r\n"),
    );
    let offers = [
        format!("{turned}{video}{audio}"),
        format!("{turned}{audio}{video}"),
    ];
    for (index, offer) in offers.into_iter().enumerate() {
        net.describe(B, SdpKind::Offer, offer);
        assert_eq!(net.ends[B].refused.len(), index + 1);
        net.ends.iter_mut().for_each(|end| end.frames.clear());
        net.talk(&lines, 2 * SECOND);
        net.run(SECOND);
        for end in &net.ends {
            assert!(end.count(&lines[0]) >= 98 && end.count(&lines[1]) >= 48);
            assert_eq!(end.states, [PeerState::Verified]);
        }
    }
    // An offer of its own is still answered when another one was refused for its places.
    net.command(B, PeerCommand::Offer(Offer::restart()));
    let (_, own) = net.ends[B].described.last().unwrap().clone();
    net.describe(B, SdpKind::Offer, format!("{turned}{video}{audio}"));
    net.describe(A, SdpKind::Offer, own);
    let (kind, answer) = net.ends[A].described.last().unwrap().clone();
    net.describe(B, kind, answer);
    assert_eq!((kind, net.ends[B].refused.len()), (SdpKind::Answer, 3));
    assert_eq!(net.ends[A].refused, [""; 0]);
    net.run(2 * SECOND);
    net.ends.iter_mut().for_each(|end| end.frames.clear());
    net.talk(&lines, SECOND);
    net.run(SECOND);
    for end in &net.ends {
        assert!(end.count(&lines[0]) > 45 && end.count(&lines[1]) > 20);
    }
}
