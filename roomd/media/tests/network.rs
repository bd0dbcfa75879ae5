// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Two engines with a poor network between them: what is seen and heard at the other end.
//!
//! A relay on loopback stands for the network. Each end takes it for the other, as its address stands in
//! the descriptions; it forwards datagrams late, not at all, or as slowly as a narrow line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench::{PICTURE, Room, SOUND};
use roomd_conference::{LocalSource, MediaCommand, PeerId, PeerState, SdpKind};
use roomd_media::{EngineCommand, StreamReport};
use roomd_media_core::scene::TileSource;
use roomd_model::Pii;
use roomd_peer::{MediaKind, Offer};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

const PEER: PeerId = PeerId(1);
/// What a narrow line holds back at the most, in the time that it takes to send it.
const HELD: Duration = Duration::from_millis(200);
/// An estimate grows slowly where the machine itself is late.
const PATIENCE: Duration = Duration::from_secs(60);
/// The voice of the end that is watched.
const TONE: f64 = 1000.0;
const SOURCE: u8 = 11;

/// A line, the same in both directions.
#[derive(Clone, Copy)]
struct Line {
    /// In bit/s; none carries everything at once.
    rate: Option<u32>,
    /// One of so many datagrams is lost; none is when 0.
    loses_each: u32,
    /// Nothing gets through.
    cut: bool,
}

const WIDE: Line = Line {
    rate: None,
    loses_each: 0,
    cut: false,
};

/// The network; ends with the test's runtime.
#[derive(Clone)]
struct Network {
    // Changed by the test and read for each datagram, each for a moment.
    line: Arc<Mutex<Line>>,
    /// Stands for the right end, as the left one sees it, and the other way round.
    ends: [SocketAddr; 2],
}

impl Network {
    /// A network between the ends of these addresses; the second is told once it is known.
    async fn start(
        left: SocketAddr,
        right: tokio::sync::watch::Receiver<Option<SocketAddr>>,
    ) -> Self {
        let open = || async { Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()) };
        let (to_left, to_right) = (open().await, open().await);
        let ends = [&to_left, &to_right].map(|socket| socket.local_addr().unwrap());
        let line = Arc::new(Mutex::new(WIDE));
        let left = tokio::sync::watch::channel(Some(left)).1;
        tokio::spawn(forward(
            to_left.clone(),
            to_right.clone(),
            right,
            line.clone(),
        ));
        tokio::spawn(forward(to_right, to_left, left, line.clone()));
        Self { line, ends }
    }

    fn becomes(&self, line: Line) {
        *self.line.lock().unwrap() = line;
    }
}

/// Takes what comes to one socket to an address, from the other socket.
async fn forward(
    from: Arc<UdpSocket>,
    by: Arc<UdpSocket>,
    to: tokio::sync::watch::Receiver<Option<SocketAddr>>,
    line: Arc<Mutex<Line>>,
) {
    let mut buffer = vec![0; 2048];
    let mut free = Instant::now();
    let mut dice = 1_u32;
    while let Ok((length, _)) = from.recv_from(&mut buffer).await {
        let Some(to) = *to.borrow() else { continue };
        let line = *line.lock().unwrap();
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let lost = line.loses_each > 0 && (dice >> 8).is_multiple_of(line.loses_each);
        let now = Instant::now();
        free = free.max(now);
        if line.cut || lost || free - now > HELD {
            continue;
        }
        if let Some(rate) = line.rate {
            // With the headers of IPv4 and UDP.
            let bits = u32::try_from(length).unwrap() * 8 + 28 * 8;
            free += Duration::from_secs(1) * bits / rate;
        }
        let (datagram, by, at) = (buffer[..length].to_vec(), by.clone(), free);
        tokio::spawn(async move {
            sleep_until(at).await;
            let _ = by.send_to(&datagram, to).await;
        });
    }
}

/// The one address in a description, and the description with another in its place.
fn instead(sdp: &str, other: Option<SocketAddr>) -> (SocketAddr, String) {
    let mut found = None;
    let line = |line: &str| {
        let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        if line.starts_with("a=candidate:") {
            assert!(words[2].eq_ignore_ascii_case("udp"), "{line}");
            found = Some(format!("{}:{}", words[4], words[5]).parse().unwrap());
            if let Some(other) = other {
                (words[4], words[5]) = (other.ip().to_string(), other.port().to_string());
            }
        }
        words.join(" ")
    };
    let lines: Vec<_> = sdp.split("\r\n").map(line).collect();
    (found.expect("a candidate"), lines.join("\r\n"))
}

/// Two rooms with a network between them; the first sends, the second shows it.
async fn connected() -> (Room, Room, Network) {
    let (mut left, mut right) = (Room::start(SOURCE, TONE), Room::start(12, 440.0));
    let lines = Offer::of(&[MediaKind::Audio, MediaKind::Video]);
    let sources = [LocalSource::Microphone, LocalSource::Camera];
    let (offer, mids) = left.offer(PEER, lines, &sources).await;
    left.bind(PEER, &mids, [SOUND, PICTURE]).await;
    let (address, _) = instead(offer.expose(), None);
    let (found, right_address) = tokio::sync::watch::channel(None);
    let network = Network::start(address, right_address).await;
    let (_, offer) = instead(offer.expose(), Some(network.ends[1]));
    let answer = right.answer(PEER, Pii::new(offer), [SOUND, PICTURE]).await;
    let (address, answer) = instead(answer.expose(), Some(network.ends[0]));
    found.send_replace(Some(address));
    let remote = MediaCommand::RemoteDescription {
        peer: PEER,
        kind: SdpKind::Answer,
        sdp: Pii::new(answer),
    };
    left.session(remote).await;
    left.state(PeerState::Verified).await;
    // Figures are of a call.
    let at = std::time::Instant::now();
    right
        .engine
        .command(EngineCommand::CallStarted { at })
        .await;
    right.show(TileSource::Stream(PICTURE)).await;
    left.sending(true, true).await;
    right.sees(SOURCE).await;
    (left, right, network)
}

/// The picture's figures, once a second, until they are as wanted.
async fn until(room: &Room, what: &str, wanted: impl Fn(&StreamReport) -> bool) -> StreamReport {
    let end = Instant::now() + PATIENCE;
    let mut statistics = room.engine.statistics();
    let mut last = None;
    while let Ok(Ok(())) = timeout_at(end, statistics.changed()).await {
        let streams = statistics.borrow_and_update().streams.clone();
        last = streams.into_iter().find(|it| it.stream == PICTURE);
        if let Some(report) = last.filter(&wanted) {
            return report;
        }
    }
    panic!("not {what}: {last:?}");
}

/// Pictures a second over some seconds.
async fn rate(room: &Room, seconds: u32) -> f64 {
    let mut statistics = room.engine.statistics();
    let mut sum = 0.0;
    for _ in 0..seconds {
        statistics.changed().await.unwrap();
        let figures = statistics.borrow_and_update();
        let mut streams = figures.streams.iter();
        let picture = streams.find(|it| it.stream == PICTURE);
        sum += picture.map_or(0.0, |it| it.frames_per_second);
    }
    sum / f64::from(seconds)
}

fn height(report: &StreamReport) -> u32 {
    report.size.map_or(0, |(_, height)| height)
}

/// One network for all of it: several calls at once would make each other's networks worse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poor_network_is_survived() {
    let (_left, right, network) = connected().await;
    until(&right, "the large picture", |it| height(it) >= 720).await;
    loss(&right, &network).await;
    gap(&right, &network).await;
    narrow(&right, &network).await;
}

async fn loss(right: &Room, network: &Network) {
    network.becomes(Line {
        loses_each: 20,
        ..WIDE
    });
    sleep(Duration::from_secs(3)).await;
    let rate = rate(right, 5).await;
    assert!(rate >= 20.0, "{rate:.1} pictures a second");
    right.hears(TONE).await;
}

async fn gap(right: &Room, network: &Network) {
    network.becomes(Line { cut: true, ..WIDE });
    sleep(Duration::from_secs(2)).await;
    let stands = right.sees(SOURCE).await;
    network.becomes(WIDE);
    let begun = Instant::now();
    right.sees_later(SOURCE, stands).await;
    // What it takes without other work beside it stands in the connection's own tests.
    assert!(begun.elapsed() < Duration::from_secs(5));
    right.hears(TONE).await;
}

/// The size goes first, pictures a second stay, and the size comes back.
async fn narrow(right: &Room, network: &Network) {
    network.becomes(Line {
        rate: Some(300_000),
        ..WIDE
    });
    until(right, "a smaller picture", |it| {
        (1..=360).contains(&height(it))
    })
    .await;
    sleep(Duration::from_secs(5)).await;
    let rate = rate(right, 6).await;
    assert!(rate >= 20.0, "{rate:.1} pictures a second");
    right.hears(TONE).await;

    network.becomes(WIDE);
    until(right, "the large picture again", |it| height(it) >= 720).await;
}
