// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The task with real sockets on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test panics"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{IceServer, PeerId, PeerState, SdpKind};
use roomd_model::Pii;
use roomd_peer::{Frame, MediaKind, Offer, PeerCommand, PeerConfig, PeerEvent, spawn};
use stun_types::attribute::XorMappedAddress;
use stun_types::message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

fn loopback() -> PeerConfig {
    PeerConfig {
        addresses: vec!["127.0.0.1".parse().unwrap()],
        include_loopback: true,
        ports: None,
        ice_servers: vec![],
        ca_file: None,
    }
}

struct End {
    commands: Sender<PeerCommand>,
    events: Receiver<(PeerId, PeerEvent)>,
}

impl End {
    fn new(id: u32, config: PeerConfig) -> Self {
        let (sender, events) = mpsc::channel(16);
        Self {
            commands: spawn(PeerId(id), config, sender),
            events,
        }
    }

    async fn send(&self, command: PeerCommand) {
        self.commands.send(command).await.unwrap();
    }

    async fn until<T>(&mut self, mut found: impl FnMut(PeerEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                let (_, event) = self
                    .events
                    .recv()
                    .await
                    .expect("the event is still to come");
                if let Some(found) = found(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("in time")
    }

    async fn description(&mut self) -> String {
        self.until(|event| {
            if let PeerEvent::LocalDescription { sdp, .. } = event {
                Some(sdp.into_inner())
            } else {
                None
            }
        })
        .await
    }

    async fn state(&mut self, wanted: PeerState) {
        self.until(|event| {
            matches!(event, PeerEvent::State(state) if state == wanted).then_some(())
        })
        .await;
    }

    async fn frames(&mut self, mid: &str, mut count: usize) {
        self.until(|event| {
            if let PeerEvent::Frame { mid: line, frame } = event
                && line == mid
            {
                assert_eq!(frame.payload[1], 0x42);
                count -= 1;
            }
            (count == 0).then_some(())
        })
        .await;
    }
}

fn frame(start: Instant, clock_rate: u32) -> Frame {
    let at = Instant::now();
    let rtp_time = (at - start).as_micros() as u64 * u64::from(clock_rate) / 1_000_000;
    let payload: Arc<[u8]> = [
        vec![0x10],
        vec![0x42; 2000 / if clock_rate == 48_000 { 20 } else { 1 }],
    ]
    .concat()
    .into();
    if clock_rate == 48_000 {
        Frame::sound(payload, rtp_time, at)
    } else {
        Frame::picture(payload, rtp_time, at, true)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_over_loopback() {
    let ports = Some((41_200, 41_239));
    let mut a = End::new(
        1,
        PeerConfig {
            ports,
            ..loopback()
        },
    );
    let mut b = End::new(
        2,
        PeerConfig {
            ports,
            ..loopback()
        },
    );
    a.send(PeerCommand::Offer(Offer::of(&[
        MediaKind::Audio,
        MediaKind::Video,
    ])))
    .await;
    let offer = a.description().await;
    let port: u16 = offer
        .lines()
        .find(|line| line.starts_with("a=candidate:"))
        .and_then(|line| line.split(' ').nth(5)?.parse().ok())
        .unwrap();
    assert!((41_200..=41_239).contains(&port));
    let mids: Vec<String> = offer
        .lines()
        .filter_map(|line| line.strip_prefix("a=mid:"))
        .map(str::to_owned)
        .collect();
    b.send(PeerCommand::RemoteDescription {
        kind: SdpKind::Offer,
        sdp: Pii::new(offer),
    })
    .await;
    let answer = b.description().await;
    a.send(PeerCommand::RemoteDescription {
        kind: SdpKind::Answer,
        sdp: Pii::new(answer),
    })
    .await;
    a.state(PeerState::Verified).await;
    b.state(PeerState::Verified).await;

    let start = Instant::now();
    let writers = [a.commands.clone(), b.commands.clone()].map(|commands| {
        let mids = mids.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                for (mid, rate) in mids.iter().zip([48_000, 90_000]) {
                    let write = PeerCommand::Write {
                        mid: mid.clone(),
                        frame: frame(start, rate),
                    };
                    if commands.send(write).await.is_err() {
                        return;
                    }
                }
            }
        })
    });
    for mid in &mids {
        a.frames(mid, 20).await;
        b.frames(mid, 20).await;
    }
    b.send(PeerCommand::RequestKeyframe {
        mid: mids[1].clone(),
        rid: None,
    })
    .await;
    a.until(|event| matches!(event, PeerEvent::KeyframeWanted { .. }).then_some(()))
        .await;
    a.send(PeerCommand::Close).await;
    let closed = |event| matches!(event, PeerEvent::Closed).then_some(());
    a.until(closed).await;
    assert!(
        timeout(PATIENCE, a.events.recv()).await.unwrap().is_none(),
        "nothing after Closed"
    );
    b.until(closed).await;
    for writer in writers {
        timeout(PATIENCE, writer).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_dropped_sender_ends_the_task() {
    let End {
        commands,
        mut events,
    } = End::new(1, loopback());
    drop(commands);
    let last = timeout(PATIENCE, async {
        let mut last = None;
        while let Some((_, event)) = events.recv().await {
            last = Some(event);
        }
        last
    });
    assert!(matches!(last.await.unwrap(), Some(PeerEvent::Closed)));
}

fn stun(url: String) -> IceServer {
    IceServer {
        url,
        username: None,
        credential: None,
    }
}

#[tokio::test]
async fn a_stun_server_adds_an_address_and_a_silent_one_costs_a_second() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let urls = [&server, &silent].map(|socket| format!("stun:{}", socket.local_addr().unwrap()));
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        let mut requests = 0;
        loop {
            let (len, source) = server.recv_from(&mut buffer).await.unwrap();
            requests += 1;
            // The first request is lost.
            if requests == 1 {
                continue;
            }
            let request = Message::from_bytes(&buffer[..len]).unwrap();
            let mut answer = Message::builder_success(&request, MessageWriteVec::new());
            let seen = "203.0.113.9:40000".parse().unwrap();
            let seen = XorMappedAddress::new(seen, request.transaction_id());
            answer.add_attribute(&seen).unwrap();
            server.send_to(&answer.finish(), source).await.unwrap();
        }
    });
    let mut ice_servers: Vec<IceServer> = urls.into_iter().map(stun).collect();
    ice_servers.push(stun("turn:192.0.2.1".into()));
    let begun = Instant::now();
    let mut end = End::new(
        1,
        PeerConfig {
            ice_servers,
            ..loopback()
        },
    );
    end.send(PeerCommand::Offer(Offer::of(&[MediaKind::Audio])))
        .await;
    let offer = end.description().await;
    let took = begun.elapsed();
    assert!(offer.contains("203.0.113.9 40000 typ srflx"), "{offer}");
    assert!(
        offer
            .lines()
            .any(|line| line.contains("127.0.0.1") && line.contains("typ host"))
    );
    assert!(took < Duration::from_millis(2500), "{took:?}");
}
