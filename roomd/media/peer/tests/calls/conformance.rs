// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What every backend of the transport must do, towards itself and towards every other one.
//!
//! A further backend is one line of [`BACKENDS`].

use std::collections::BTreeSet;
use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{
    Codec, DataChannel, Direction, Frame, Layers, MediaKind, NewLine, Offer, PeerCommand, Temporal,
};

use crate::net::{A, B, Make, Net, core, mids, picture};

const SECOND: Duration = Duration::from_secs(1);

const BACKENDS: [(&str, Make); 1] = [("str0m", core)];

/// What is demanded, and its check between two backends.
type Check = (&'static str, fn(Net));

const SUITE: [Check; 16] = [
    ("frames pass both ways, whole and in order", frames),
    ("a certificate that was not described stops media", forged),
    ("every hash of a fingerprint is understood", hashes),
    ("nothing is sent before a frame is written", silence),
    ("large pictures leave whole, a second apart", slides),
    ("sound and picture go out under their own SSRCs", sources),
    ("lost packets of pictures are sent again", loss),
    ("keyframe requests arrive", keyframes),
    ("an m-line can be added, silenced and ended", lines),
    ("layers arrive under their RID", layers),
    ("temporal layers are described", temporal),
    ("messages of data channels arrive", channels),
    ("a call outlives another address", addresses),
    (
        "what is not understood is refused and changes nothing",
        garbage,
    ),
    (
        "an offer that cannot be applied is refused and changes nothing",
        refused,
    ),
    ("an end ends both", close),
];

#[test]
fn every_backend_conforms() {
    for (name, a) in BACKENDS {
        for (other, b) in BACKENDS {
            for (what, check) in SUITE {
                let run = std::panic::catch_unwind(|| check(Net::between(a, b)));
                assert!(run.is_ok(), "{name} with {other}: {what}");
            }
        }
    }
}

fn same(sdp: String) -> String {
    sdp
}

fn frames(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, 2 * SECOND);
    net.run(SECOND);
    for end in &net.ends {
        for (mid, least, codec) in [(&lines[0], 98, Codec::Opus), (&lines[1], 48, Codec::Vp8)] {
            let of = end.frames.iter().filter(|(line, _)| line == mid);
            let frames: Vec<_> = of.map(|(_, frame)| frame).collect();
            assert!(frames.len() >= least, "{}", frames.len());
            assert!(
                frames
                    .iter()
                    .all(|frame| frame.contiguous && frame.codec == codec)
            );
            let ordered = |pair: &[&roomd_peer::Frame]| pair[0].rtp_time < pair[1].rtp_time;
            assert!(frames.windows(2).all(ordered));
        }
    }
}

fn forged(mut net: Net) {
    let flip = |sdp: String| {
        let own = sdp.split_once("a=fingerprint:sha-256 ").unwrap().1;
        let own = own.lines().next().unwrap();
        let first = if own.starts_with("00") { "01" } else { "00" };
        sdp.replace(own, &format!("{first}{}", &own[2..]))
    };
    net.negotiate(same, flip);
    let lines = mids(&net.ends[A].described[0].1);
    net.talk(&[lines[0].clone(), lines[1].clone()], 3 * SECOND);
    for end in &net.ends {
        assert!(end.frames.is_empty());
        assert_eq!(end.media_sent, 0);
        assert!(!end.states.contains(&PeerState::Verified));
    }
    assert_eq!(
        net.ends[A].states,
        [PeerState::Unverified],
        "{:?}",
        net.ends[A].refused
    );
}

fn hashes(mut net: Net) {
    net.command(
        A,
        PeerCommand::Offer(Offer::of(&[MediaKind::Audio, MediaKind::Video])),
    );
    for (end, hash) in [(A, "sha-512"), (B, "sha-1")] {
        let value = net.ends[end].core.fingerprint(hash).unwrap();
        let (kind, sdp) = net.ends[end].described[0].clone();
        let lines = sdp
            .lines()
            .map(|line| match line.strip_prefix("a=fingerprint:") {
                Some(_) => format!("a=fingerprint:{value}\r\n"),
                None => format!("{line}\r\n"),
            });
        net.describe(1 - end, kind, lines.collect());
    }
    net.run(2 * SECOND);
    for end in &net.ends {
        assert_eq!(end.states, [PeerState::Verified], "{:?}", end.refused);
    }
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

fn sources(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    let ssrcs: BTreeSet<u32> = net.ends[A].ssrcs_sent.keys().copied().collect();
    let described = &net.ends[A].described[0].1;
    let known = |ssrc: &&u32| described.contains(&format!("a=ssrc:{ssrc} "));
    assert!(ssrcs.iter().filter(known).count() >= 2, "{ssrcs:?}");
}

fn loss(net: Net) {
    let (mut net, lines) = net.called();
    net.lose_every = Some(20);
    net.talk(&lines, 5 * SECOND);
    net.lose_every = None;
    net.run(SECOND);
    for end in &net.ends {
        assert!(end.count(&lines[1]) >= 120, "{}", end.count(&lines[1]));
    }
}

fn keyframes(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    for end in [A, B] {
        net.ends[1 - end].keyframes_wanted.clear();
        let mid = lines[1].clone();
        net.command(end, PeerCommand::RequestKeyframe { mid, rid: None });
        net.run(Duration::from_millis(300));
        assert_eq!(net.ends[1 - end].keyframes_wanted, [lines[1].clone()]);
    }
}

fn new_line(net: &mut Net, layers: Layers) -> String {
    let known = mids(&net.ends[A].described.last().unwrap().1);
    let line = NewLine {
        kind: MediaKind::Video,
        direction: Direction::SendOnly,
        layers,
    };
    let offer = Offer {
        add: vec![line],
        ..Offer::default()
    };
    net.renegotiate(A, offer, same);
    let all = mids(&net.ends[A].described.last().unwrap().1);
    all.into_iter().find(|mid| !known.contains(mid)).unwrap()
}

/// Ten pictures from A on a line; how many of them B got.
fn shown(net: &mut Net, mid: &str, rid: Option<&str>) -> usize {
    net.ends[B].frames.clear();
    for _ in 0..10 {
        let mut frame = picture(net.now, net.start, true);
        frame.rid = rid.map(str::to_owned);
        let mid = mid.to_owned();
        net.command(A, PeerCommand::Write { mid, frame });
        net.run(Duration::from_millis(50));
    }
    net.run(SECOND);
    let frames = net.ends[B].frames.iter();
    let of = frames.filter(|(line, frame)| line == mid && frame.rid.as_deref() == rid);
    of.count()
}

fn lines(net: Net) {
    let (mut net, _) = net.called();
    let mid = new_line(&mut net, Layers::Single);
    assert_eq!(shown(&mut net, &mid, None), 10);
    for (direction, expected) in [(Direction::Inactive, 0), (Direction::SendOnly, 10)] {
        let offer = Offer {
            turn: vec![(mid.clone(), direction)],
            ..Offer::default()
        };
        net.renegotiate(A, offer, same);
        assert_eq!(shown(&mut net, &mid, None), expected);
    }
    let offer = Offer {
        stop: vec![mid.clone()],
        ..Offer::default()
    };
    net.renegotiate(A, offer, same);
    assert_eq!(shown(&mut net, &mid, None), 0);
}

fn layers(net: Net) {
    let (mut net, _) = net.called();
    let rids = vec!["q".to_owned(), "f".to_owned()];
    let mid = new_line(&mut net, Layers::Rids(rids));
    for rid in ["q", "f"] {
        assert_eq!(shown(&mut net, &mid, Some(rid)), 10);
    }
}

fn temporal(net: Net) {
    let (mut net, lines) = net.called();
    for layer in [0, 1, 0, 1] {
        let mut frame = picture(net.now, net.start, true);
        let sync = layer == 1;
        frame.temporal = Some(Temporal {
            layer,
            sync,
            discardable: sync,
        });
        let mid = lines[1].clone();
        net.command(A, PeerCommand::Write { mid, frame });
        net.run(Duration::from_millis(50));
    }
    let seen = net.ends[B].frames.iter().map(|(_, frame)| frame.temporal);
    let layers: Vec<_> = seen.map(|temporal| temporal.unwrap().layer).collect();
    assert_eq!(layers, [0, 1, 0, 1]);
}

fn channels(net: Net) {
    let (mut net, _) = net.called();
    net.command(A, PeerCommand::OpenChannel(DataChannel::named("data")));
    net.renegotiate(A, Offer::default(), same);
    net.run(SECOND);
    for end in [A, B] {
        let (channel, label) = net.ends[end].channels[0].clone();
        assert_eq!(label, "data");
        let data = vec![end as u8; 3000];
        let binary = true;
        net.command(
            end,
            PeerCommand::SendMessage {
                channel,
                binary,
                data,
            },
        );
        net.run(SECOND);
        assert_eq!(net.ends[1 - end].messages[0].2, vec![end as u8; 3000]);
    }
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

fn close(net: Net) {
    let (mut net, _) = net.called();
    net.command(B, PeerCommand::Close);
    net.run(SECOND);
    for end in &net.ends {
        assert!(end.closed && end.core.is_ended());
        assert_eq!(end.core.poll_timeout(), None);
    }
}
