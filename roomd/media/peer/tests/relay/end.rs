// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One end of a connection, and what two of them do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{IceServer, PeerId, PeerState, SdpKind};
use roomd_model::{Pii, Secret};
use roomd_peer::{Frame, MediaKind, Offer, PeerCommand, PeerConfig, PeerEvent, RelayReport, spawn};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::coturn;

const PATIENCE: Duration = Duration::from_secs(20);

pub fn server(url: &str) -> IceServer {
    IceServer {
        url: url.to_owned(),
        username: Some(Pii::new(coturn::USER.to_owned())),
        credential: Some(Secret::new(coturn::PASSWORD)),
    }
}

pub fn config(address: &str, ice_servers: Vec<IceServer>, ca_file: Option<PathBuf>) -> PeerConfig {
    PeerConfig {
        addresses: vec![address.parse().unwrap()],
        include_loopback: true,
        ports: None,
        ice_servers,
        ca_file,
    }
}

pub struct End {
    commands: Sender<PeerCommand>,
    events: Receiver<(PeerId, PeerEvent)>,
    writer: Option<AbortHandle>,
}

impl End {
    pub fn new(id: u32, config: PeerConfig) -> Self {
        let (sender, events) = mpsc::channel(64);
        Self {
            commands: spawn(PeerId(id), config, sender),
            events,
            writer: None,
        }
    }

    pub async fn send(&self, command: PeerCommand) {
        self.commands.send(command).await.unwrap();
    }

    /// The next event; none after the last.
    pub async fn event(&mut self) -> Option<PeerEvent> {
        self.events.recv().await.map(|(_, event)| event)
    }

    async fn until<T>(&mut self, mut found: impl FnMut(PeerEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                let (_, event) = self.events.recv().await.expect("it is still to come");
                if let Some(found) = found(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("in time")
    }

    async fn description(&mut self) -> String {
        self.until(|event| match event {
            PeerEvent::LocalDescription { sdp, .. } => Some(sdp.into_inner()),
            _ => None,
        })
        .await
    }

    pub async fn offer(&mut self) -> String {
        let offer = Offer::of(&[MediaKind::Audio, MediaKind::Video]);
        self.send(PeerCommand::Offer(offer)).await;
        self.description().await
    }

    /// An offer that restarts ICE.
    pub async fn restart(&mut self) -> String {
        self.send(PeerCommand::Offer(Offer::restart())).await;
        self.description().await
    }

    pub async fn answer(&mut self, sdp: &str) -> String {
        self.take(SdpKind::Offer, sdp).await;
        self.description().await
    }

    pub async fn take(&self, kind: SdpKind, sdp: &str) {
        let sdp = Pii::new(sdp.to_owned());
        self.send(PeerCommand::RemoteDescription { kind, sdp })
            .await;
    }

    pub async fn verified(&mut self) {
        self.until(|event| matches!(event, PeerEvent::State(PeerState::Verified)).then_some(()))
            .await;
    }

    pub async fn moved(&mut self) {
        self.until(|event| matches!(event, PeerEvent::AddressesChanged).then_some(()))
            .await;
    }

    /// What the next report says of its servers.
    pub async fn relays(&mut self) -> RelayReport {
        self.until(|event| match event {
            PeerEvent::Report(report) => Some(report.relays),
            _ => None,
        })
        .await
    }

    /// Sends sound and pictures whose content says who sent them, until closed.
    pub fn write(&mut self, mids: &[String], mark: u8) {
        let lines = [(MediaKind::Audio, 101), (MediaKind::Video, 2999)];
        let lines: Vec<_> = mids.iter().cloned().zip(lines).collect();
        let commands = self.commands.clone();
        let start = Instant::now();
        let writing = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                for (mid, (kind, length)) in &lines {
                    let frame = frame(start, *kind, *length, mark);
                    let mid = mid.clone();
                    if commands
                        .send(PeerCommand::Write { mid, frame })
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
            }
        });
        self.writer = Some(writing.abort_handle());
    }

    /// Waits for frames of both m-lines with the other end's mark.
    pub async fn frames(&mut self, mids: &[String], mark: u8, count: usize) {
        let mut left = vec![count; mids.len()];
        self.until(|event| {
            if let PeerEvent::Frame { mid, frame } = event {
                assert_eq!(frame.payload.last(), Some(&mark));
                let line = mids.iter().position(|known| *known == mid).unwrap();
                left[line] = left[line].saturating_sub(1);
            }
            left.iter().all(|left| *left == 0).then_some(())
        })
        .await;
    }

    pub async fn close(mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
        // The other end may have closed already.
        let _ = self.commands.send(PeerCommand::Close).await;
        let ends = async { while self.event().await.is_some() {} };
        timeout(PATIENCE, ends).await.expect("it ends in time");
    }
}

fn frame(start: Instant, kind: MediaKind, length: usize, mark: u8) -> Frame {
    let at = Instant::now();
    let payload: Arc<[u8]> = [vec![0x10], vec![mark; length]].concat().into();
    let time = |rate: u64| (at - start).as_micros() as u64 * rate / 1_000_000;
    match kind {
        MediaKind::Audio => Frame::sound(payload, time(48_000), at),
        MediaKind::Video => Frame::picture(payload, time(90_000), at, true),
    }
}

/// The candidates of a description.
pub fn candidates(sdp: &str) -> Vec<&str> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .collect()
}

/// The m-lines of a description.
pub fn mids(sdp: &str) -> Vec<String> {
    let mids = sdp.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    mids.map(str::to_owned).collect()
}

/// A description with no other candidates than relayed ones of a family.
pub fn relayed_only(sdp: &str, address: &str) -> String {
    let keeps = |line: &&str| {
        !line.starts_with("a=candidate:")
            || line.contains("typ relay") && line.contains(&format!(" {address} "))
    };
    let kept: Vec<&str> = sdp.lines().filter(keeps).collect();
    kept.join("\r\n") + "\r\n"
}
