// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The connections.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use roomd_conference::{
    FrameEncryption, IceServer, LocalSource, MediaEvent, Offer, PeerId, PeerState, SdpKind,
    StreamBinding,
};
use roomd_crypt::FrameKey;
use roomd_model::{FaultCode, PictureSizes, Pii, StreamId};
use roomd_peer::{LineState, PeerCommand, PeerConfig, PeerEvent, PeerReport};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::Task;
use super::data::Data;
use super::outlets::Published;
use super::seal::Sealing;

/// Connections at one time.
const MAX_PEERS: usize = 64;
/// Streams of one connection.
const MAX_STREAMS: usize = 64;
/// Commands that wait for a connection; one that is this far behind is lost anyway.
const MAX_PENDING: usize = 256;
/// All connections.
pub(super) struct Peers {
    template: PeerConfig,
    events: mpsc::Sender<(PeerId, PeerEvent)>,
    pub(super) open: BTreeMap<PeerId, Peer>,
    /// There is hardware that encodes H.264.
    pub(super) hardware: bool,
}

pub(super) struct Peer {
    pub(super) commands: mpsc::Sender<PeerCommand>,
    pub(super) pending: VecDeque<PeerCommand>,
    pub(super) state: PeerState,
    bindings: Vec<StreamBinding>,
    pub(super) published: BTreeMap<String, Published>,
    /// As negotiated.
    pub(super) lines: BTreeMap<String, LineState>,
    pub(super) sealing: Option<Sealing>,
    pub(super) data: Data,
    pub(super) bandwidth: Option<u64>,
    /// What was said to be of use.
    pub(super) reach: Option<u64>,
    report: Option<PeerReport>,
    poor: Poor,
}

/// Whether a connection is poor: three bad seconds make it so, five good ones end it.
#[derive(Clone, Copy, Debug, Default)]
struct Poor {
    poor: bool,
    seconds: u8,
}

impl Poor {
    /// Takes a second's figures; tells a change.
    fn report(&mut self, report: &PeerReport) -> Option<bool> {
        let slow = report.rtt.is_some_and(|rtt| rtt.as_millis() > 400);
        let bad = slow || report.loss.is_some_and(|loss| loss > 0.05);
        if bad == self.poor {
            self.seconds = 0;
            return None;
        }
        self.seconds += 1;
        if self.seconds < if self.poor { 5 } else { 3 } {
            return None;
        }
        *self = Self {
            poor: bad,
            seconds: 0,
        };
        Some(bad)
    }
}

impl Peer {
    pub(super) fn send(&mut self, command: PeerCommand) {
        if self.pending.is_empty() {
            match self.commands.try_send(command) {
                Ok(()) | Err(TrySendError::Closed(_)) => {}
                Err(TrySendError::Full(command)) => self.pending.push_back(command),
            }
        } else if self.pending.len() < MAX_PENDING {
            self.pending.push_back(command);
        }
    }

    fn flush(&mut self) {
        while let Some(command) = self.pending.pop_front() {
            if let Err(TrySendError::Full(command)) = self.commands.try_send(command) {
                self.pending.push_front(command);
                return;
            }
        }
    }

    pub(super) fn is_verified(&self) -> bool {
        self.state == PeerState::Verified
    }
}

impl Peers {
    pub(super) const fn new(
        template: PeerConfig,
        events: mpsc::Sender<(PeerId, PeerEvent)>,
    ) -> Self {
        Self {
            template,
            events,
            open: BTreeMap::new(),
            hardware: false,
        }
    }

    /// The room sends nothing any more.
    pub(super) fn silence(&mut self) {
        for peer in self.open.values_mut() {
            peer.send(PeerCommand::Silence);
        }
    }

    pub(super) fn open(&mut self, id: PeerId, ice_servers: Vec<IceServer>) {
        if self.open.contains_key(&id) {
            tracing::error!(peer = id.0, "a connection that is open is not opened again");
            return;
        }
        if self.open.len() >= MAX_PEERS {
            tracing::warn!("too many connections; one more is refused");
            return;
        }
        let config = PeerConfig {
            ice_servers,
            ..self.template.clone()
        };
        let peer = Peer {
            commands: roomd_peer::spawn(id, config, self.events.clone()),
            pending: VecDeque::new(),
            state: PeerState::Connecting,
            bindings: Vec::new(),
            published: BTreeMap::new(),
            lines: BTreeMap::new(),
            sealing: None,
            data: Data::default(),
            bandwidth: None,
            reach: None,
            report: None,
            poor: Poor::default(),
        };
        self.open.insert(id, peer);
    }

    pub(super) fn remote_description(&mut self, id: PeerId, kind: SdpKind, sdp: Pii<String>) {
        self.with(id, |peer| {
            peer.send(PeerCommand::RemoteDescription { kind, sdp })
        });
    }

    pub(super) fn remote_candidate(&mut self, id: PeerId, candidate: Pii<String>) {
        self.with(id, |peer| {
            peer.send(PeerCommand::RemoteCandidate(candidate))
        });
    }

    /// Replaces what a connection's m-lines carry; returns the streams that are gone.
    pub(super) fn bind(&mut self, id: PeerId, mut streams: Vec<StreamBinding>) -> Vec<StreamId> {
        streams.truncate(MAX_STREAMS);
        let Some(peer) = self.open.get_mut(&id) else {
            return Vec::new();
        };
        let before = std::mem::replace(&mut peer.bindings, streams);
        before
            .into_iter()
            .map(|binding| binding.stream)
            .filter(|stream| !peer.bindings.iter().any(|kept| kept.stream == *stream))
            .collect()
    }

    pub(super) fn publish(&mut self, id: PeerId, mid: String, source: LocalSource) {
        self.with(id, |peer| {
            let same = peer
                .published
                .get(&mid)
                .is_some_and(|known| known.source == source);
            if !same && peer.published.len() < MAX_STREAMS {
                peer.published.insert(mid, Published::new(source));
            }
        });
    }

    pub(super) fn want(&mut self, id: PeerId, mid: &str, sizes: PictureSizes) {
        self.with(id, |peer| {
            if let Some(published) = peer.published.get_mut(mid) {
                published.want(sizes);
            }
        });
    }

    pub(super) fn hold(&mut self, id: PeerId, mid: &str, held: bool) {
        self.with(id, |peer| {
            if let Some(published) = peer.published.get_mut(mid) {
                published.hold(held);
            }
        });
    }

    /// What is published on an m-line.
    pub(super) fn source(&self, id: PeerId, mid: &str) -> Option<LocalSource> {
        Some(self.open.get(&id)?.published.get(mid)?.source)
    }

    pub(super) fn offer(&mut self, id: PeerId, offer: Offer) {
        self.with(id, |peer| peer.send(PeerCommand::Offer(offer)));
    }

    pub(super) fn encrypt(&mut self, id: PeerId, encryption: FrameEncryption) {
        self.with(id, |peer| {
            let same = |sealing: &Sealing| sealing.encryption == encryption;
            if !peer.sealing.as_ref().is_some_and(same) {
                peer.sealing = Some(Sealing::new(encryption));
            }
        });
    }

    /// The streams of a connection.
    pub(super) fn streams(&self, id: PeerId) -> Vec<StreamId> {
        let bindings = self.open.get(&id).map(|peer| peer.bindings.as_slice());
        let bindings = bindings.unwrap_or_default().iter();
        bindings.map(|binding| binding.stream).collect()
    }

    /// How a connection's frames are encrypted, where they are.
    pub(super) fn encryption(&self, id: PeerId) -> Option<&FrameEncryption> {
        Some(&self.open.get(&id)?.sealing.as_ref()?.encryption)
    }

    pub(super) fn set_sending_key(&mut self, id: PeerId, index: u32, key: FrameKey) {
        self.with(id, |peer| {
            if let Some(sealing) = &mut peer.sealing {
                sealing.set_key(index, key);
            }
        });
    }

    /// Ends a connection; returns its streams.
    pub(super) fn close(&mut self, id: PeerId) -> Vec<StreamId> {
        let Some(mut peer) = self.open.remove(&id) else {
            return Vec::new();
        };
        peer.send(PeerCommand::Close);
        peer.bindings.iter().map(|binding| binding.stream).collect()
    }

    pub(super) fn close_all(&mut self) {
        for id in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(id);
        }
    }

    /// Gives connections what they had no room for before.
    pub(super) fn flush(&mut self) {
        for peer in self.open.values_mut() {
            peer.flush();
        }
    }

    pub(super) fn request_keyframe(&mut self, id: PeerId, mid: &str) {
        let mid = mid.to_owned();
        let rid = None;
        self.with(id, |peer| {
            peer.send(PeerCommand::RequestKeyframe { mid, rid })
        });
    }

    /// The stream on an m-line, and what it carries.
    pub(super) fn binding(&self, id: PeerId, mid: &str) -> Option<&StreamBinding> {
        let bindings = &self.open.get(&id)?.bindings;
        bindings.iter().find(|binding| binding.mid == mid)
    }

    /// Where a stream comes from.
    pub(super) fn origin(&self, stream: StreamId) -> Option<(PeerId, String)> {
        self.open.iter().find_map(|(id, peer)| {
            let binding = peer
                .bindings
                .iter()
                .find(|binding| binding.stream == stream)?;
            Some((*id, binding.mid.clone()))
        })
    }

    pub(super) fn is_verified(&self, id: PeerId) -> bool {
        self.open.get(&id).is_some_and(Peer::is_verified)
    }

    pub(super) fn reports(&self) -> Vec<(PeerId, PeerReport)> {
        self.open
            .iter()
            .filter_map(|(id, peer)| Some((*id, peer.report?)))
            .collect()
    }

    /// The connections that media goes to.
    pub(super) fn verified(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        let open = self.open.iter().map(|(id, peer)| (*id, peer));
        open.filter(|(_, peer)| peer.is_verified())
    }

    /// How much of what is sent gets lost, by the worst verified peer, 0 to 1.
    pub(super) fn sent_loss(&self) -> f64 {
        let losses = self
            .verified()
            .filter_map(|(_, peer)| peer.report?.sent_loss);
        losses.fold(0.0, f64::max)
    }

    fn line(&mut self, id: PeerId, line: LineState) {
        self.with(id, |peer| {
            if peer.lines.len() < MAX_STREAMS || peer.lines.contains_key(&line.mid) {
                peer.lines.insert(line.mid.clone(), line);
            }
        });
    }

    pub(super) fn with(&mut self, id: PeerId, act: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.open.get_mut(&id) {
            act(peer);
        }
    }
}

impl Task {
    pub(super) fn peer_event(&mut self, id: PeerId, event: PeerEvent) {
        if !self.peers.open.contains_key(&id) {
            return;
        }
        match event {
            PeerEvent::LocalDescription { kind, sdp } => {
                self.tell_session(MediaEvent::LocalDescription {
                    peer: id,
                    kind,
                    sdp,
                });
            }
            PeerEvent::DescriptionRefused(reason) => {
                tracing::info!(peer = id.0, reason, "a description is refused");
                self.tell_session(MediaEvent::DescriptionRefused { peer: id });
            }
            PeerEvent::AddressesChanged => {
                self.tell_session(MediaEvent::AddressesChanged { peer: id });
            }
            PeerEvent::State(state) => self.peer_state(id, state),
            PeerEvent::Frame { mid, frame } => self.received(id, &mid, frame),
            PeerEvent::SenderReport { mid, report } => {
                if let Some(stream) = self.peers.binding(id, &mid).map(|binding| binding.stream) {
                    self.streams.sender_report(stream, report);
                }
            }
            PeerEvent::KeyframeWanted { mid, rid } => {
                self.keyframe_wanted(id, &mid, rid.as_deref());
            }
            PeerEvent::Line(line) => {
                self.peers.line(id, line);
                self.allocate(Instant::now());
            }
            // No session lives without descriptions.
            PeerEvent::LocalParameters(_) => {}
            PeerEvent::ChannelOpen { channel, label } => self.channel_open(id, channel, label),
            PeerEvent::Message {
                channel,
                binary,
                data,
            } => self.data_arrived(id, channel, binary, data),
            PeerEvent::ChannelClosed { channel } => self.channel_closed(id, channel),
            PeerEvent::Bandwidth(estimate) => {
                self.peers.with(id, |peer| peer.bandwidth = Some(estimate));
                self.allocate(Instant::now());
            }
            PeerEvent::Report(report) => self.peer_report(id, report),
            PeerEvent::Closed => {
                let still_ours = self
                    .peers
                    .open
                    .get(&id)
                    .is_some_and(|peer| peer.commands.is_closed());
                if still_ours {
                    let gone = self.peers.close(id);
                    self.remove_streams(gone);
                    let state = PeerState::Failed;
                    self.tell_session(MediaEvent::Peer { peer: id, state });
                }
            }
        }
    }

    fn peer_state(&mut self, id: PeerId, state: PeerState) {
        self.peers.with(id, |peer| peer.state = state);
        match state {
            PeerState::Unverified => self.call_fault(FaultCode::PeerNotVerified),
            PeerState::Verified
            | PeerState::Connecting
            | PeerState::Interrupted
            | PeerState::Failed => {}
        }
        self.allocate(Instant::now());
        self.tell_session(MediaEvent::Peer { peer: id, state });
    }

    fn peer_report(&mut self, id: PeerId, report: PeerReport) {
        let Some(peer) = self.peers.open.get_mut(&id) else {
            return;
        };
        peer.report = Some(report);
        if let Some(poor) = peer.poor.report(&report) {
            self.tell_session(MediaEvent::Quality { peer: id, poor });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_poor_after_three_bad_seconds_and_good_after_five() {
        let bad = PeerReport {
            loss: Some(0.2),
            ..PeerReport::default()
        };
        let good = PeerReport::default();
        let mut poor = Poor::default();
        let mut run = |report: &PeerReport, seconds: usize| -> Vec<bool> {
            (0..seconds).filter_map(|_| poor.report(report)).collect()
        };
        assert_eq!(run(&bad, 2), []);
        assert_eq!(run(&good, 1), []);
        assert_eq!(run(&bad, 9), [true]);
        assert_eq!(run(&good, 4), []);
        assert_eq!(run(&bad, 1), []);
        assert_eq!(run(&good, 9), [false]);
    }
}
