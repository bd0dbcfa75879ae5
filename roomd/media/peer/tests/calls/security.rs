// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A certificate that is not the described one, or not described at all: no media, either way.

use std::time::Duration;

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{MediaKind, Offer, PeerCommand};

use crate::net::{A, B, Net, mids};

const SECOND: Duration = Duration::from_secs(1);

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

#[test]
fn a_wrong_fingerprint_stops_media_in_both_directions() {
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
        let mut net = Net::new();
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

#[test]
fn both_fingerprints_wrong() {
    let mut net = Net::new();
    net.negotiate(forged, forged);
    let lines = mids(&net.ends[A].described[0].1);
    net.talk(&[lines[0].clone(), lines[1].clone()], 3 * SECOND);
    assert_no_media(&net);
}

#[test]
fn a_missing_or_broken_fingerprint_is_refused_before_anything_is_sent() {
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
        let mut net = Net::new();
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
        let mut net = Net::new();
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
fn call(change: impl Fn(&Net, usize, &str) -> String) -> Net {
    let mut net = Net::new();
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

#[test]
fn every_hash_that_servers_signal_verifies() {
    for hash in HASHES {
        assert_talks(&call(|net, end, sdp| described_by(net, end, &[hash], sdp)));
    }
    assert_talks(&call(|net, end, sdp| described_by(net, end, &HASHES, sdp)));
}

#[test]
fn every_hash_stops_media_when_its_digest_is_wrong() {
    for hash in HASHES {
        for forger in [A, B] {
            let net = call(|net, end, sdp| {
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

#[test]
fn a_digest_of_another_hash_or_certificate_stops_media() {
    for hash in ["sha-384", "sha-512"] {
        let net = call(|net, end, sdp| {
            let other = net.ends[1 - end].core.fingerprint(hash).unwrap();
            map_fingerprint(sdp, |_| Some(format!("a=fingerprint:{other}")))
        });
        assert_no_media(&net);
    }
    // The strongest hash counts, though a weaker one would match.
    for forger in [A, B] {
        let net = call(|net, end, sdp| {
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

#[test]
fn a_later_description_may_name_the_same_certificate_by_another_hash() {
    let mut net = call(|net, end, sdp| described_by(net, end, &["sha-512"], sdp));
    let offer = described_by(&net, A, &["sha-1"], &net.ends[A].described[0].1);
    net.describe(B, SdpKind::Offer, offer.clone());
    assert_eq!(net.ends[B].refused, [""; 0]);
    net.describe(B, SdpKind::Offer, forged(offer));
    assert_eq!(net.ends[B].refused, ["fingerprint_changed"]);
}

#[test]
fn a_later_description_cannot_bring_another_certificate() {
    let (mut net, lines) = Net::call();
    let offer = net.ends[A].described[0].1.clone();
    net.describe(B, SdpKind::Offer, forged(offer));
    assert_eq!(net.ends[B].refused, ["fingerprint_changed"]);
    net.talk(&lines, SECOND);
    net.run(SECOND);
    assert_eq!(net.ends[B].states, [PeerState::Verified]);
    assert!(net.ends[B].count(&lines[0]) > 45);
}

#[test]
fn an_answer_without_an_offer_is_refused() {
    let (net, _) = Net::call();
    let answer = net.ends[B].described[0].1.clone();
    let mut other = Net::new();
    other.describe(A, SdpKind::Answer, answer);
    assert_eq!(other.ends[A].refused, ["answer_without_offer"]);
}
