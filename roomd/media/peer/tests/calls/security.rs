// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A certificate that is not the described one, or not described at all: no media, either way.

use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{MediaKind, Offer, PeerCommand};

use crate::conformance::Check;
use crate::net::{A, B, Net, mids};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[
    (
        "a certificate that was not described stops media both ways",
        a_wrong_fingerprint_stops_media_in_both_directions,
    ),
    ("two wrong fingerprints stop media", both_fingerprints_wrong),
    (
        "a missing or broken fingerprint is refused",
        a_missing_or_broken_fingerprint_is_refused_before_anything_is_sent,
    ),
    (
        "every hash of a fingerprint is understood",
        every_hash_that_servers_signal_verifies,
    ),
    (
        "every hash stops media when its digest is wrong",
        every_hash_stops_media_when_its_digest_is_wrong,
    ),
    (
        "a digest of another hash or certificate stops media",
        a_digest_of_another_hash_or_certificate_stops_media,
    ),
    (
        "a later description may name the same certificate by another hash",
        a_later_description_may_name_the_same_certificate_by_another_hash,
    ),
    (
        "a later description cannot bring another certificate",
        a_later_description_cannot_bring_another_certificate,
    ),
    (
        "an answer without an offer is refused",
        an_answer_without_an_offer_is_refused,
    ),
];

fn forged(sdp: String) -> String {
    map_fingerprint(&sdp, |line| {
        let (head, digest) = line.split_at(line.len() - 2);
        let other = if digest == "00" { "01" } else { "00" };
        Some(format!("{head}{other}"))
    })
}

fn map_fingerprint(sdp: &str, change: impl Fn(&str) -> Option<String>) -> String {
    assert!(sdp.contains("a=fingerprint:"));
    let lines = sdp.lines().filter_map(|line| {
        if line.starts_with("a=fingerprint:") {
            change(line)
        } else {
            Some(line.to_owned())
        }
    });
    lines.map(|line| line + "\r\n").collect()
}

fn assert_no_media(net: &Net) {
    for end in &net.ends {
        assert!(end.frames.is_empty());
        assert!(end.reports.is_empty());
        assert_eq!(end.media_sent, 0, "not one RTP or RTCP packet left");
        assert!(!end.states.contains(&PeerState::Verified));
    }
}

fn a_wrong_fingerprint_stops_media_in_both_directions(net: Net) {
    let same = |sdp: String| sdp;
    // The answer is forged: A must not accept B. The offer is forged: B must not accept A.
    for (rejects, offer, answer) in [
        (
            A,
            same as fn(String) -> String,
            forged as fn(String) -> String,
        ),
        (B, forged, same),
    ] {
        let mut net = net.again();
        net.negotiate(offer, answer);
        let lines = mids(&net.ends[A].described[0].1);
        net.talk(&[lines[0].clone(), lines[1].clone()], 5 * SECOND);
        assert_no_media(&net);
        assert_eq!(net.ends[rejects].states, [PeerState::Unverified]);
        assert!(net.ends[rejects].closed);
        assert!(net.ends[rejects].core.dropped().writes > 0);
        // The deceived side never hears of an end and gives up.
        net.run(40 * SECOND);
        assert_no_media(&net);
        assert_eq!(net.ends[1 - rejects].states, [PeerState::Failed]);
    }
}

fn both_fingerprints_wrong(mut net: Net) {
    net.negotiate(forged, forged);
    let lines = mids(&net.ends[A].described[0].1);
    net.talk(&[lines[0].clone(), lines[1].clone()], 3 * SECOND);
    assert_no_media(&net);
}

fn a_missing_or_broken_fingerprint_is_refused_before_anything_is_sent(net: Net) {
    type Change = fn(&str) -> Option<String>;
    let cases: [(Change, &str); 3] = [
        (|_| None, "fingerprint_missing"),
        (
            |_| Some("a=fingerprint:md5 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B".into()),
            "fingerprint_hash_unsupported",
        ),
        // The digest is not as long as the hash makes it.
        (
            |line| Some(line.replace("sha-256", "sha-512")),
            "fingerprint_malformed",
        ),
    ];
    for (change, code) in cases {
        // In the answer.
        let mut net = net.again();
        net.negotiate(|sdp| sdp, |sdp| map_fingerprint(&sdp, change));
        assert_eq!(net.ends[A].refused, [code]);
        net.run(5 * SECOND);
        assert_no_media(&net);
        assert_eq!(net.ends[A].states, []);
        // A right answer may still follow.
        let sdp = net.ends[B].described[0].1.clone();
        net.describe(A, SdpKind::Answer, sdp);
        net.run(3 * SECOND);
        assert_eq!(net.ends[A].states, [PeerState::Verified]);

        // In the offer: no answer, not a single datagram.
        let mut net = net.again();
        net.negotiate(|sdp| map_fingerprint(&sdp, change), |sdp| sdp);
        assert_eq!(net.ends[B].refused, [code]);
        assert!(net.ends[B].described.is_empty());
        net.run(5 * SECOND);
        assert_no_media(&net);
    }
}

/// The description with the fingerprints of that end's certificate in place of its own ones.
fn described_by(net: &Net, end: usize, hashes: &[&str], sdp: &str) -> String {
    map_fingerprint(sdp, |_| {
        let lines = hashes.iter().map(|hash| {
            let value = net.ends[end].core.fingerprint(hash).unwrap();
            format!("a=fingerprint:{value}")
        });
        Some(lines.collect::<Vec<_>>().join("\r\n"))
    })
}

const HASHES: [&str; 5] = ["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"];

/// A call in which each description goes through `change` with the end that made it.
fn call(mut net: Net, change: impl Fn(&Net, usize, &str) -> String) -> Net {
    net.command(
        A,
        PeerCommand::Offer(Offer::of(&[MediaKind::Audio, MediaKind::Video])),
    );
    let offer = change(&net, A, &net.ends[A].described[0].1);
    net.describe(B, SdpKind::Offer, offer);
    let answer = change(&net, B, &net.ends[B].described[0].1);
    net.describe(A, SdpKind::Answer, answer);
    let lines = mids(&net.ends[A].described[0].1);
    net.run(2 * SECOND);
    net.talk(&[lines[0].clone(), lines[1].clone()], 2 * SECOND);
    net.run(SECOND);
    net
}

fn assert_talks(net: &Net) {
    for end in &net.ends {
        assert_eq!(end.states, [PeerState::Verified], "{:?}", end.refused);
        assert!(end.frames.len() > 140, "{}", end.frames.len());
    }
}

fn every_hash_that_servers_signal_verifies(net: Net) {
    for hash in HASHES {
        let made = net.again();
        assert_talks(&call(made, |net, end, sdp| {
            described_by(net, end, &[hash], sdp)
        }));
    }
    assert_talks(&call(net, |net, end, sdp| {
        described_by(net, end, &HASHES, sdp)
    }));
}

fn every_hash_stops_media_when_its_digest_is_wrong(net: Net) {
    for hash in HASHES {
        for forger in [A, B] {
            let net = call(net.again(), |net, end, sdp| {
                let sdp = described_by(net, end, &[hash], sdp);
                if end == forger { forged(sdp) } else { sdp }
            });
            assert_no_media(&net);
            assert_eq!(
                net.ends[1 - forger].states,
                [PeerState::Unverified],
                "{hash}"
            );
        }
    }
}

fn a_digest_of_another_hash_or_certificate_stops_media(net: Net) {
    for hash in ["sha-384", "sha-512"] {
        let net = call(net.again(), |net, end, sdp| {
            let other = net.ends[1 - end].core.fingerprint(hash).unwrap();
            map_fingerprint(sdp, |_| Some(format!("a=fingerprint:{other}")))
        });
        assert_no_media(&net);
    }
    // The strongest hash counts, though a weaker one would match.
    for forger in [A, B] {
        let net = call(net.again(), |net, end, sdp| {
            let sdp = described_by(net, end, &["sha-256", "sha-512"], sdp);
            if end != forger {
                return sdp;
            }
            map_fingerprint(&sdp, |line| {
                let line = line.to_owned();
                Some(if line.contains("sha-512") {
                    forged(line + "\r\n")
                } else {
                    line
                })
            })
        });
        assert_no_media(&net);
        assert_eq!(net.ends[1 - forger].states, [PeerState::Unverified]);
    }
}

fn a_later_description_may_name_the_same_certificate_by_another_hash(net: Net) {
    let mut net = call(net, |net, end, sdp| {
        described_by(net, end, &["sha-512"], sdp)
    });
    let offer = described_by(&net, A, &["sha-1"], &net.ends[A].described[0].1);
    net.describe(B, SdpKind::Offer, offer.clone());
    assert_eq!(net.ends[B].refused, [""; 0]);
    net.describe(B, SdpKind::Offer, forged(offer));
    assert_eq!(net.ends[B].refused, ["fingerprint_changed"]);
}

fn a_later_description_cannot_bring_another_certificate(net: Net) {
    let (mut net, lines) = net.called();
    let offer = net.ends[A].described[0].1.clone();
    net.describe(B, SdpKind::Offer, forged(offer));
    assert_eq!(net.ends[B].refused, ["fingerprint_changed"]);
    net.talk(&lines, SECOND);
    net.run(SECOND);
    assert_eq!(net.ends[B].states, [PeerState::Verified]);
    assert!(net.ends[B].count(&lines[0]) > 45);
}

fn an_answer_without_an_offer_is_refused(net: Net) {
    let (net, _) = net.called();
    let answer = net.ends[B].described[0].1.clone();
    let mut other = net.again();
    other.describe(A, SdpKind::Answer, answer);
    assert_eq!(other.ends[A].refused, ["answer_without_offer"]);
}
