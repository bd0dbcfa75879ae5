// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which codec is sent, and what is told of m-lines.

use std::sync::Arc;
use std::time::Duration;

use roomd_peer::{Codec, Direction, Frame, Layers, MediaKind, NewLine, Offer, PeerCommand};

use crate::conformance::Check;
use crate::net::{A, B, Net, mids, picture};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[
    (
        "what the peer takes is sent, and VP9 is not",
        what_the_peer_takes_is_sent_and_vp9_is_not,
    ),
    (
        "a stream changes its codec without a gap",
        a_stream_changes_its_codec_without_a_gap,
    ),
    (
        "H.264 is sent when the peer takes nothing else",
        h264_is_sent_when_the_peer_takes_nothing_else,
    ),
    (
        "a peer that takes H.264 otherwise gets none",
        a_peer_that_takes_h264_otherwise_gets_none,
    ),
    (
        "what becomes of m-lines is told",
        what_becomes_of_m_lines_is_told,
    ),
    (
        "layers that the peer does not take are not sent",
        layers_that_the_peer_does_not_take_are_not_sent,
    ),
];

/// The payload type whose attribute has this value.
fn number<'a>(sdp: &'a str, attribute: &str, value: &str) -> Option<&'a str> {
    let values = sdp.lines().filter_map(|line| line.strip_prefix(attribute));
    let mut pairs = values.filter_map(|line| line.split_once(' '));
    let (number, _) = pairs.find(|(_, known)| *known == value)?;
    Some(number)
}

/// The description without the payload types of a codec and of its retransmissions.
fn without(sdp: &str, codec: &str) -> String {
    let Some(own) = number(sdp, "a=rtpmap:", &format!("{codec}/90000")) else {
        // The answer to what was offered without it.
        return sdp.to_owned();
    };
    let again = number(sdp, "a=fmtp:", &format!("apt={own}")).unwrap();
    let numbers = [own, again];
    let mut text = String::new();
    for line in sdp.lines() {
        if line.starts_with("m=video") {
            let kept = line.split(' ').filter(|word| !numbers.contains(word));
            text.push_str(&kept.collect::<Vec<_>>().join(" "));
        } else {
            let value = line.split_once(':').map_or("", |(_, value)| value);
            let number = value.split(' ').next().unwrap();
            if line.starts_with("a=") && numbers.contains(&number) {
                continue;
            }
            text.push_str(line);
        }
        text.push_str("\r\n");
    }
    assert!(!text.contains(codec));
    text
}

fn call(mut net: Net, change: impl Fn(String) -> String) -> (Net, String) {
    net.negotiate(&change, &change);
    net.run(2 * SECOND);
    let mid = mids(&net.ends[A].described[0].1)[1].clone();
    (net, mid)
}

/// An access unit as an encoder gives it: parameter sets and a picture of three packets.
fn h264(net: &Net) -> Frame {
    let mut bytes = vec![0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x95, 0xa0];
    bytes.extend([0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65]);
    bytes.extend([0x88; 3000]);
    let mut frame = picture(net.now, net.start, true);
    frame.payload = Arc::from(bytes);
    frame.codec = Codec::H264;
    frame
}

fn write(net: &mut Net, mid: &str, frame: Frame) {
    let mid = mid.to_owned();
    net.command(A, PeerCommand::Write { mid, frame });
    net.run(Duration::from_millis(100));
}

fn codecs(net: &Net, mid: &str) -> Vec<Codec> {
    let mut lines = net.ends[A].lines.iter();
    let line = lines.rfind(|line| line.mid == mid).unwrap();
    assert_eq!(line.kind, MediaKind::Video);
    line.codecs.clone()
}

fn what_the_peer_takes_is_sent_and_vp9_is_not(net: Net) {
    let (mut net, mid) = call(net, |sdp| sdp);
    for (codec, expected) in [(Codec::Vp9, 0), (Codec::H264, 1), (Codec::Vp8, 2)] {
        let mut frame = h264(&net);
        frame.codec = codec;
        write(&mut net, &mid, frame);
        assert_eq!(net.ends[B].frames.len(), expected, "{codec:?}");
    }
    assert_eq!(codecs(&net, &mid), [Codec::Vp8, Codec::H264]);
}

fn a_stream_changes_its_codec_without_a_gap(net: Net) {
    let (mut net, mid) = call(net, |sdp| sdp);
    let mut sent = Vec::new();
    for number in 0..30 {
        let frame = match number / 5 % 2 {
            0 => h264(&net),
            _ => picture(net.now, net.start, number % 5 == 0),
        };
        sent.push((frame.codec, frame.payload.clone()));
        write(&mut net, &mid, frame);
    }
    let frames = &net.ends[B].frames;
    assert!(frames.iter().all(|(_, frame)| frame.contiguous));
    let came: Vec<_> = frames
        .iter()
        .map(|(_, frame)| (frame.codec, frame.payload.clone()))
        .collect();
    assert!(came == sent, "{} of {} came", came.len(), sent.len());
}

fn h264_is_sent_when_the_peer_takes_nothing_else(net: Net) {
    let (mut net, mid) = call(net, |sdp| without(&sdp, "VP8"));
    assert_eq!(codecs(&net, &mid), [Codec::H264], "VP9 is not sent");
    for _ in 0..5 {
        let frame = h264(&net);
        write(&mut net, &mid, frame);
        let frame = picture(net.now, net.start, true);
        write(&mut net, &mid, frame);
    }
    let sent = h264(&net).payload;
    assert_eq!(net.ends[B].frames.len(), 5);
    for (line, frame) in &net.ends[B].frames {
        assert_eq!((line, frame.codec), (&mid, Codec::H264));
        assert!(frame.keyframe);
        assert_eq!(frame.payload, sent, "with start codes of four bytes");
    }
}

fn a_peer_that_takes_h264_otherwise_gets_none(net: Net) {
    let changes: [(&str, &str); 3] = [
        ("packetization-mode=1", "packetization-mode=0"),
        ("profile-level-id=42e01f", "profile-level-id=42e00d"),
        ("profile-level-id=42e01f", "profile-level-id=64001f"),
    ];
    for (ours, theirs) in changes {
        let (mut net, mid) = call(net.again(), |sdp| sdp.replace(ours, theirs));
        assert_eq!(codecs(&net, &mid), [Codec::Vp8], "{theirs}");
        let frame = h264(&net);
        write(&mut net, &mid, frame);
        assert_eq!(net.ends[B].frames.len(), 0, "{theirs}");
    }
}

fn what_becomes_of_m_lines_is_told(net: Net) {
    let (mut net, _) = net.called();
    for end in &net.ends {
        let told: Vec<_> = end
            .lines
            .iter()
            .map(|line| (line.kind, line.codecs.clone()))
            .collect();
        let sound = (MediaKind::Audio, vec![Codec::Opus]);
        let pictures = vec![Codec::Vp8, Codec::H264];
        assert_eq!(told, [sound, (MediaKind::Video, pictures)]);
        assert!(
            end.lines
                .iter()
                .all(|line| line.direction == Direction::SendRecv)
        );
    }
    let line = NewLine {
        kind: MediaKind::Video,
        direction: Direction::SendOnly,
        layers: Layers::Rids(vec!["l".into(), "h".into()]),
    };
    let offer = Offer {
        add: vec![line],
        ..Offer::default()
    };
    net.ends.iter_mut().for_each(|end| end.lines.clear());
    net.renegotiate(A, offer, |sdp| sdp);
    let told = net.ends[A].lines.clone();
    assert_eq!(told.len(), 1, "the others did not change");
    assert_eq!(
        (told[0].direction, &told[0].layers[..]),
        (Direction::SendOnly, &["l".into(), "h".into()][..])
    );
    assert_eq!(net.ends[B].lines[0].direction, Direction::RecvOnly);
    let turn = vec![(told[0].mid.clone(), Direction::Inactive)];
    let offer = Offer {
        turn,
        ..Offer::default()
    };
    net.renegotiate(A, offer, |sdp| sdp);
    assert_eq!(net.ends[B].lines[1].direction, Direction::Inactive);
}

fn layers_that_the_peer_does_not_take_are_not_sent(net: Net) {
    let (mut net, _) = net.called();
    let line = NewLine {
        kind: MediaKind::Video,
        direction: Direction::SendOnly,
        layers: Layers::Rids(vec!["l".into(), "h".into()]),
    };
    let offer = Offer {
        add: vec![line],
        ..Offer::default()
    };
    // The peer knows no simulcast.
    net.renegotiate(A, offer, |sdp| {
        let kept = |line: &&str| !line.starts_with("a=rid:") && !line.starts_with("a=simulcast:");
        let lines = sdp.lines().filter(kept).map(|line| format!("{line}\r\n"));
        lines.collect()
    });
    let told = net.ends[A].lines.last().unwrap().clone();
    assert_eq!(told.layers, [""; 0]);
    for rid in [Some("l"), Some("h"), None] {
        net.ends[B].frames.clear();
        let mut frame = picture(net.now, net.start, true);
        frame.rid = rid.map(str::to_owned);
        write(&mut net, &told.mid, frame);
        net.run(SECOND);
        assert_eq!(
            net.ends[B].frames.len(),
            usize::from(rid.is_none()),
            "{rid:?}"
        );
    }
}
