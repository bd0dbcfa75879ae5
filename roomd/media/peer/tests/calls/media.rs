// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Sound and pictures, and the path under them.

use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{Codec, Frame, Offer, PeerCommand};

use crate::conformance::Check;
use crate::net::{A, B, DELAY, Net, mids, picture, sound};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[
    (
        "sound and pictures pass both ways, whole and in order",
        carries_sound_and_picture_both_ways,
    ),
    (
        "sender reports tie the frames' time to a wall clock",
        ties_sender_reports_to_the_frames_time,
    ),
    (
        "lost packets of pictures are sent again",
        recovers_lost_packets_of_a_picture,
    ),
    (
        "the share of sound that is lost is known",
        each_end_learns_how_much_of_its_sound_is_lost,
    ),
    (
        "a restart of ICE ends an interruption",
        restarts_ice_in_the_middle_of_a_call,
    ),
    (
        "a restart of ICE disturbs nothing",
        survives_a_restart_while_the_path_stands,
    ),
    (
        "what is written during an interruption is dropped",
        drops_what_is_written_while_interrupted,
    ),
    (
        "keyframe requests pass at a bounded rate",
        passes_keyframe_requests_at_a_bounded_rate,
    ),
    (
        "an m-line falls silent and comes back by the peer's offer",
        an_inactive_line_leaves_the_others_alone_and_comes_back,
    ),
    ("an end ends both", closes_on_both_sides),
    (
        "a path that stays away is given up",
        gives_up_when_the_path_stays_away,
    ),
];

/// The stamp that the sender wrote into the payload, against the unwrapped time of arrival order.
fn stamp(frame: &Frame) -> u64 {
    u64::from_be_bytes(frame.payload[1..9].try_into().unwrap())
}

fn carries_sound_and_picture_both_ways(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, 5 * SECOND);
    net.run(SECOND);
    for end in &net.ends {
        assert!(end.count(&lines[0]) >= 248, "{}", end.count(&lines[0]));
        assert!(end.count(&lines[1]) >= 123, "{}", end.count(&lines[1]));
        for (mid, frame) in &end.frames {
            let sound = *mid == lines[0];
            assert_eq!(frame.clock_rate(), if sound { 48_000 } else { 90_000 });
            assert_eq!(frame.payload.len(), if sound { 80 } else { 4000 });
            assert_eq!(frame.keyframe, sound || frame.payload[0] & 1 == 0);
            assert_eq!(frame.codec, if sound { Codec::Opus } else { Codec::Vp8 });
            assert!(frame.contiguous);
            // All frames of a line have one distance between sent and received time.
            let (_, first) = end.frames.iter().find(|(line, _)| line == mid).unwrap();
            let expected = stamp(frame) - stamp(first);
            assert_eq!(frame.rtp_time - first.rtp_time, expected);
        }
        assert!(
            end.frames
                .iter()
                .any(|(mid, frame)| *mid == lines[1] && frame.keyframe)
        );
        for mid in &lines {
            let of = end.frames.iter().filter(|(line, _)| line == mid);
            let times: Vec<u64> = of.map(|(_, frame)| frame.rtp_time).collect();
            assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert!(end.figures >= 4);
        assert!(
            end.bandwidth.iter().any(|&rate| rate > 100_000),
            "{:?}",
            end.bandwidth
        );
    }
}

fn ties_sender_reports_to_the_frames_time(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, 6 * SECOND);
    for (line, rate) in lines.iter().zip([48_000.0, 90_000.0]) {
        let (_, frame) = net.ends[B]
            .frames
            .iter()
            .rfind(|(mid, _)| mid == line)
            .unwrap();
        let reports: Vec<_> = net.ends[B]
            .reports
            .iter()
            .filter(|(mid, _)| mid == line)
            .collect();
        assert!(reports.len() >= 4, "{}", reports.len());
        let (first, last) = (reports[0].1, reports[reports.len() - 1].1);
        // The sender's wall clock and its RTP time run alike.
        let wall = last.wall.duration_since(first.wall).unwrap().as_secs_f64();
        let rtp = (last.rtp_time - first.rtp_time) as f64 / rate;
        assert!((wall - rtp).abs() < 0.005, "{wall} {rtp}");
        // The last report and the last frame are of about the same moment.
        let apart = (frame.rtp_time as f64 - last.rtp_time as f64) / rate;
        assert!(apart.abs() < 1.5, "{apart}");
    }
}

fn recovers_lost_packets_of_a_picture(net: Net) {
    let (mut net, lines) = net.called();
    net.lose_every = Some(20);
    net.talk(&lines, 10 * SECOND);
    net.lose_every = None;
    net.run(SECOND);
    assert!(net.lost > 50, "{}", net.lost);
    for end in &net.ends {
        let pictures: Vec<_> = end
            .frames
            .iter()
            .filter(|(mid, _)| *mid == lines[1])
            .collect();
        assert!(pictures.len() >= 245, "{}", pictures.len());
        assert!(pictures.iter().all(|(_, frame)| frame.contiguous));
        // Lost sound is not waited for longer than the frames behind it bear.
        let sounds = end.count(&lines[0]);
        assert!((450..500).contains(&sounds), "{sounds}");
    }
}

fn each_end_learns_how_much_of_its_sound_is_lost(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, 5 * SECOND);
    for end in &net.ends {
        assert!(end.sent_loss.last() < Some(&0.01), "{:?}", end.sent_loss);
    }
    net.lose_every = Some(5);
    net.talk(&lines, 20 * SECOND);
    for end in &net.ends {
        let last = &end.sent_loss[end.sent_loss.len() - 10..];
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        assert!((0.08..0.35).contains(&mean), "{:?}", end.sent_loss);
    }
}

fn restarts_ice_in_the_middle_of_a_call(net: Net) {
    for offerer in [A, B] {
        let (mut net, lines) = net.again().called();
        net.talk(&lines, SECOND);
        let before = net.ends[offerer].described.last().unwrap().1.clone();
        net.cut = true;
        net.run(8 * SECOND);
        for end in &net.ends {
            assert_eq!(end.states.last(), Some(&PeerState::Interrupted));
        }
        net.cut = false;
        net.command(offerer, PeerCommand::Offer(Offer::restart()));
        let (kind, offer) = net.ends[offerer].described.last().unwrap().clone();
        assert_eq!(kind, SdpKind::Offer);
        assert_ne!(credentials(&before), credentials(&offer));
        net.describe(1 - offerer, SdpKind::Offer, offer);
        let (kind, answer) = net.ends[1 - offerer].described.last().unwrap().clone();
        assert_eq!(kind, SdpKind::Answer);
        net.describe(offerer, SdpKind::Answer, answer);
        net.run(2 * SECOND);
        let before: Vec<_> = net.ends.iter().map(|end| end.frames.len()).collect();
        net.talk(&lines, SECOND);
        for (end, before) in net.ends.iter().zip(before) {
            assert_eq!(
                end.states.last(),
                Some(&PeerState::Verified),
                "{:?}",
                end.refused
            );
            assert!(
                end.frames.len() > before + 60,
                "{} {before}",
                end.frames.len()
            );
        }
    }
}

fn credentials(sdp: &str) -> &str {
    sdp.lines()
        .find(|line| line.starts_with("a=ice-ufrag:"))
        .unwrap()
}

fn survives_a_restart_while_the_path_stands(net: Net) {
    let (mut net, lines) = net.called();
    net.command(B, PeerCommand::Offer(Offer::restart()));
    let offer = net.ends[B].described.last().unwrap().1.clone();
    net.describe(A, SdpKind::Offer, offer);
    let answer = net.ends[A].described.last().unwrap().1.clone();
    net.describe(B, SdpKind::Answer, answer);
    net.talk(&lines, 3 * SECOND);
    net.run(SECOND);
    for end in &net.ends {
        assert_eq!(end.states.last(), Some(&PeerState::Verified));
        assert!(end.count(&lines[0]) > 140, "{}", end.count(&lines[0]));
    }
}

fn drops_what_is_written_while_interrupted(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    net.run(SECOND);
    net.cut = true;
    net.run(8 * SECOND);
    for end in [A, B] {
        net.ends[end].frames.clear();
        assert_eq!(net.ends[end].states.last(), Some(&PeerState::Interrupted));
        let dropped = net.ends[end].core.dropped().writes;
        let frames = [sound(net.now, net.start), picture(net.now, net.start, true)];
        for (mid, frame) in lines.clone().into_iter().zip(frames) {
            net.command(end, PeerCommand::Write { mid, frame });
        }
        assert_eq!(net.ends[end].core.dropped().writes, dropped + 2);
    }
    net.cut = false;
    net.renegotiate(A, Offer::restart(), |sdp| sdp);
    net.run(3 * SECOND);
    for end in &net.ends {
        assert_eq!(end.states.last(), Some(&PeerState::Verified));
        assert!(end.frames.is_empty(), "nothing of it arrives late");
    }
}

fn passes_keyframe_requests_at_a_bounded_rate(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    net.ends[B].keyframes_wanted.clear();
    // No keyframe answers for 1.9 s: requests at 0, 0.5, 1.0 and 1.5 s.
    let picture = &lines[1];
    for _ in 0..19 {
        net.command(
            A,
            PeerCommand::RequestKeyframe {
                mid: picture.clone(),
                rid: None,
            },
        );
        net.run(Duration::from_millis(100));
    }
    net.run(2 * DELAY);
    let wanted = &net.ends[B].keyframes_wanted;
    assert_eq!(wanted.len(), 4, "{wanted:?}");
    assert!(wanted.iter().all(|mid| mid == picture));
    // Neither an unknown line nor one that cannot have them does harm.
    net.command(
        A,
        PeerCommand::RequestKeyframe {
            mid: "nothing".into(),
            rid: None,
        },
    );
    net.command(
        A,
        PeerCommand::RequestKeyframe {
            mid: lines[0].clone(),
            rid: None,
        },
    );
    net.run(SECOND);
}

fn an_inactive_line_leaves_the_others_alone_and_comes_back(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    // B's offers are written by hand from its answer, as it would make them itself.
    let own = net.ends[B].described.last().unwrap().1.clone();
    let own = own.replace("a=setup:passive", "a=setup:actpass");
    let own = own.replace("a=setup:active", "a=setup:actpass");
    assert_eq!(mids(&own), lines);
    let line = format!("a=mid:{}", lines[1]);
    let (head, tail) = own.split_once(&line).unwrap();
    let inactive = format!("{head}{line}{}", tail.replace("a=sendrecv", "a=inactive"));
    assert_ne!(own, inactive);

    net.describe(A, SdpKind::Offer, inactive);
    let answer = net.ends[A].described.last().unwrap().1.clone();
    assert!(answer.contains("a=inactive"), "{:?}", net.ends[A].refused);
    let before = [net.ends[B].count(&lines[0]), net.ends[B].count(&lines[1])];
    net.talk(&lines, 2 * SECOND);
    net.run(SECOND);
    assert!(net.ends[B].count(&lines[0]) > before[0] + 95);
    assert!(
        net.ends[B].count(&lines[1]) <= before[1] + 2,
        "A stopped sending its picture"
    );

    net.describe(A, SdpKind::Offer, own);
    let before = [net.ends[B].count(&lines[0]), net.ends[B].count(&lines[1])];
    let heard = net.ends[A].count(&lines[1]);
    net.talk(&lines, 2 * SECOND);
    net.run(SECOND);
    assert!(net.ends[B].count(&lines[0]) > before[0] + 95);
    assert!(net.ends[B].count(&lines[1]) > before[1] + 45);
    assert!(net.ends[A].count(&lines[1]) > heard + 45);
    assert_eq!(net.ends[A].states, [PeerState::Verified]);
}

fn closes_on_both_sides(net: Net) {
    let (mut net, lines) = net.called();
    net.talk(&lines, SECOND);
    net.command(A, PeerCommand::Close);
    net.run(SECOND);
    assert_eq!(net.ends[A].states, [PeerState::Verified]);
    assert_eq!(net.ends[B].states, [PeerState::Verified, PeerState::Failed]);
    for end in &net.ends {
        assert!(end.closed && end.core.is_ended());
        assert_eq!(end.core.poll_timeout(), None);
    }
}

fn gives_up_when_the_path_stays_away(net: Net) {
    let (mut net, _) = net.called();
    net.cut = true;
    net.run(40 * SECOND);
    for end in &net.ends {
        let states = [
            PeerState::Verified,
            PeerState::Interrupted,
            PeerState::Failed,
        ];
        assert_eq!(end.states, states);
        assert!(end.closed);
    }
}

#[test]
fn says_what_it_sends_in_its_offer() {
    let (net, _) = Net::call();
    let offer = &net.ends[A].described[0].1;
    assert_eq!(offer.matches("\nm=").count(), 2);
    assert!(
        offer.contains(" stereo=0") || offer.contains(";stereo=0"),
        "{offer}"
    );
    assert!(offer.contains("useinbandfec=1"));
    assert!(offer.contains("192.0.2.1 5000 typ host"));
    // VP8 comes first, so that peers send it.
    assert!(
        offer.contains("m=video 9 UDP/TLS/RTP/SAVPF 96 97 108 109 98 99\r\n"),
        "{offer}"
    );
    assert!(
        offer.contains("packetization-mode=1;profile-level-id=42e01f"),
        "{offer}"
    );
    assert!(offer.contains("profile-id=0"), "{offer}");
    for codec in ["AV1", "PCMU", "G722", "red/"] {
        assert!(!offer.contains(codec), "{codec}");
    }
    for feedback in ["transport-cc", "nack pli", "nack\r\n"] {
        assert!(offer.contains(feedback), "{feedback}");
    }
}
