// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The connection without clock, task or socket.
//!
//! Time, datagrams and commands go in; datagrams, events and the next deadline come out. Every call
//! that changes the transport polls it until it asks for a timeout before it returns.
//!
//! Invariants: no frame goes in or out unless the state is [`PeerState::Verified`]; that state needs
//! a path, a finished DTLS handshake and a certificate that has the fingerprint of the remote
//! description, compared by the transport and here a second time. The fingerprint of the first
//! description stays in force: later descriptions of another certificate are refused.

mod backlog;
mod certificate;
mod channels;
mod climb;
mod describe;
mod drive;
mod early;
mod group;
mod h264;
mod media;
mod negotiate;
mod packets;
mod parameters;
mod places;
mod setup;
mod silence;
mod sources;
mod takeover;
mod vp8;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use roomd_conference::PeerState;
use str0m::bwe::Bitrate;
use str0m::change::SdpPendingOffer;
use str0m::media::Mid;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, CandidateKind, Input, Rtc};

use crate::{LineState, PeerCommand, PeerEvent};
use certificate::{Certificate, Fingerprint};
use channels::Channels;
use climb::Climb;
use describe::{Abilities, Credentials, Refusal};
use drive::{Bandwidth, Figures};
use early::Early;
use media::{Layer, Line};
use packets::Packetiser;
use parameters::Explicit;
use places::Places;
use silence::Silence;
use sources::Sources;

/// How long a connection may look for a path, at first and after an interruption.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest datagram taken.
const MAX_DATAGRAM: usize = 2000;
/// Most datagrams taken in a second.
const MAX_DATAGRAMS_PER_SECOND: u32 = 20_000;
/// Most remote candidates taken one by one between two descriptions.
const MAX_TRICKLED: usize = 64;

/// A datagram to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The local address, one that was given to [`Core::add_local`] or [`Core::add_relayed`].
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// The bytes.
    pub contents: Vec<u8>,
}

impl std::fmt::Debug for Transmit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transmit")
            .field("len", &self.contents.len())
            .finish_non_exhaustive()
    }
}

/// What was dropped, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Datagrams that were too large, too many, not for this connection, or unreadable.
    pub datagrams: u64,
    /// Frames written while the peer was not verified or the m-line could not take them.
    pub writes: u64,
    /// Remote candidates that cannot be used.
    pub candidates: u64,
    /// Messages and data channels that could not be sent, opened or taken.
    pub messages: u64,
    /// Received frames that could not be put together or are empty.
    pub frames: u64,
    /// Packets of new senders that came too many at once.
    pub sources: u64,
}

/// One connection, driven from outside.
pub struct Core {
    rtc: Rtc,
    state: PeerState,
    /// Nothing happens any more.
    ended: bool,
    closing: bool,
    negotiated: bool,
    pending: Option<SdpPendingOffer>,
    expected: Option<Fingerprint>,
    /// What the peer's ICE agent is known by from the last description.
    remote: Option<Credentials>,
    places: Places,
    certificate: Certificate,
    certified: bool,
    path: bool,
    /// When the last datagram of the peer arrived.
    heard: Instant,
    /// The m-lines of a connection without descriptions, once it is one.
    explicit: Option<Explicit>,
    channels: Channels,
    /// With the base of each, or what a relayed one is reached from.
    locals: Vec<(SocketAddr, Candidate)>,
    /// What the peer can do, by m-line.
    abilities: BTreeMap<Mid, Abilities>,
    lines: BTreeMap<Layer, Line>,
    /// m-lines whose layers are described as a group of SSRCs.
    groups: BTreeMap<Mid, Vec<String>>,
    /// As they were last told.
    told: BTreeMap<Mid, LineState>,
    /// Who sends to us on which m-line.
    senders: BTreeMap<Mid, u32>,
    sources: Sources,
    /// m-lines that our offers added.
    added: usize,
    packetisers: BTreeMap<Layer, Packetiser>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<PeerEvent>,
    wake: Instant,
    backlogs_due: Instant,
    patience: Option<Instant>,
    trickled: usize,
    second: Instant,
    datagrams: u32,
    figures: Figures,
    bandwidth: Bandwidth,
    dropped: Dropped,
    silence: Silence,
    climb: Climb,
    /// Bandwidth that probing looks for.
    reach: Bitrate,
    early: Vec<Early>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// Makes a connection that has no addresses yet.
    pub fn new(now: Instant) -> Self {
        let (rtc, certificate) = setup::rtc(now, &setup::PAYLOADS, &setup::EXTENSIONS);
        let mut core = Self {
            rtc,
            state: PeerState::Connecting,
            ended: false,
            closing: false,
            negotiated: false,
            pending: None,
            expected: None,
            remote: None,
            places: Places::default(),
            certificate,
            certified: false,
            path: false,
            heard: now,
            explicit: None,
            channels: Channels::default(),
            locals: Vec::new(),
            abilities: BTreeMap::new(),
            lines: BTreeMap::new(),
            groups: BTreeMap::new(),
            told: BTreeMap::new(),
            senders: BTreeMap::new(),
            sources: Sources::new(now),
            added: 0,
            packetisers: BTreeMap::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            wake: now,
            backlogs_due: now,
            patience: None,
            trickled: 0,
            second: now,
            datagrams: 0,
            figures: Figures::default(),
            bandwidth: Bandwidth::default(),
            dropped: Dropped::default(),
            silence: Silence::default(),
            climb: Climb::default(),
            reach: setup::WANTED,
            early: Vec::new(),
        };
        core.drive(now);
        core
    }

    /// Adds a local address, and the one a STUN server saw for it. Later descriptions hold them.
    pub fn add_local(&mut self, now: Instant, base: SocketAddr, mapped: Option<SocketAddr>) {
        let candidate = match mapped {
            Some(mapped) => Candidate::server_reflexive(mapped, base, Protocol::Udp),
            None => Candidate::host(base, Protocol::Udp),
        };
        match candidate {
            Ok(candidate) => {
                self.rtc.add_local_candidate(candidate.clone());
                self.locals.push((base, candidate));
                self.drive(now);
            }
            Err(_) => self.dropped.candidates += 1,
        }
    }

    /// Adds an address at a TURN server, and the local one from which the server is reached. Earlier
    /// ones are preferred. Datagrams from and to it have the relayed address as theirs.
    pub fn add_relayed(&mut self, now: Instant, relayed: SocketAddr, local: SocketAddr) {
        match Candidate::relayed(relayed, local, Protocol::Udp) {
            Ok(candidate) => {
                self.rtc.add_local_candidate(candidate.clone());
                self.locals.push((local, candidate));
                self.drive(now);
            }
            Err(_) => self.dropped.candidates += 1,
        }
    }

    /// Replaces the local addresses, as when the network changes: each is a base and, where there is
    /// one, what a STUN server saw for it. A relayed address stays while the machine has the address
    /// from which its server is reached. A path over an address that is gone ends; the call goes on
    /// after an ICE restart ([`crate::Offer::restart`], or one of the peer's), and meanwhile over a
    /// path that still works.
    pub fn replace_locals(&mut self, now: Instant, locals: &[(SocketAddr, Option<SocketAddr>)]) {
        let stays = |&(base, ref old): &(SocketAddr, Candidate)| {
            let relayed = old.kind() == CandidateKind::Relayed;
            // The server is reached from a socket of its own.
            let of_base = locals.iter().any(|(local, _)| local.ip() == base.ip());
            locals.contains(&(base, None)) && old.addr() == base
                || locals.contains(&(base, Some(old.addr())))
                || relayed && of_base
        };
        let all = std::mem::take(&mut self.locals);
        let (kept, gone): (Vec<_>, Vec<_>) = all.into_iter().partition(stays);
        // New ones first: as long as there may be a path, the call is not interrupted.
        for &(base, mapped) in locals {
            let address = mapped.unwrap_or(base);
            let known = |(of, old): &(SocketAddr, Candidate)| *of == base && old.addr() == address;
            if !kept.iter().any(known) {
                self.add_local(now, base, mapped);
            }
        }
        self.locals.extend(kept);
        for (_, candidate) in gone {
            self.rtc.direct_api().invalidate_candidate(&candidate);
        }
        self.drive(now);
    }

    /// Takes an address at a TURN server away, as when the server is lost. A path over it ends; the
    /// call goes on as after [`Core::replace_locals`].
    pub fn remove_relayed(&mut self, now: Instant, relayed: SocketAddr) {
        let goes = |(_, old): &(SocketAddr, Candidate)| {
            old.kind() == CandidateKind::Relayed && old.addr() == relayed
        };
        let all = std::mem::take(&mut self.locals);
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(goes);
        self.locals = kept;
        for (_, candidate) in gone {
            self.rtc.direct_api().invalidate_candidate(&candidate);
        }
        self.drive(now);
    }

    /// The fingerprint of our own certificate with this hash (`sha-1` to `sha-512`), as a description
    /// holds it (RFC 8122, section 5); none for another hash.
    pub fn fingerprint(&self, hash: &str) -> Option<String> {
        self.certificate.own(hash)
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        self.flush_keyframe_requests(now);
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            tracing::debug!("the transport refused a timeout");
        }
        self.drive(now);
    }

    /// Takes a datagram that arrived on a local address.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
    ) {
        if self.ended {
            return;
        }
        if contents.len() > MAX_DATAGRAM || self.flooded(now) {
            self.dropped.datagrams += 1;
            return;
        }
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, contents) else {
            self.dropped.datagrams += 1;
            return;
        };
        let input = Input::Receive(now, receive);
        // Without this, DTLS records from anywhere would reach the handshake.
        if !self.rtc.accepts(&input) {
            if !self.hold(now, source, destination, contents) {
                self.dropped.datagrams += 1;
            }
            return;
        }
        if !self.admits(now, contents) {
            self.dropped.sources += 1;
            return;
        }
        if self.rtc.handle_input(input).is_err() {
            self.dropped.datagrams += 1;
        }
        self.heard = now;
        self.drive(now);
        self.take_early(now);
        self.look_for_backlogs(now);
    }

    /// Obeys a command.
    pub fn handle_command(&mut self, now: Instant, command: PeerCommand) {
        if self.ended {
            if let PeerCommand::RemoteDescription { .. } = command {
                self.refuse(Refusal::Ended);
            }
            return;
        }
        match command {
            PeerCommand::RemoteDescription { kind, sdp } => {
                if let Err(refusal) = self.remote_description(now, kind, sdp.expose()) {
                    self.refuse(refusal);
                }
            }
            PeerCommand::Parameters(parameters) => {
                if let Err(refusal) = self.parameters(now, &parameters) {
                    self.refuse(refusal);
                }
            }
            PeerCommand::Offer(offer) => {
                if let Err(refusal) = self.offer(&offer) {
                    self.refuse(refusal);
                }
            }
            PeerCommand::RemoteCandidate(line) => self.remote_candidate(line.expose()),
            PeerCommand::Write { mid, frame } => self.write(now, &mid, frame),
            PeerCommand::Reach(bandwidth) => self.reach_for(bandwidth),
            PeerCommand::Silence => self.silence(now),
            PeerCommand::RequestKeyframe { mid, rid } => {
                self.request_keyframe(now, &mid, rid.as_deref());
            }
            PeerCommand::OpenChannel(config) => self.open_channel(config),
            PeerCommand::SendMessage {
                channel,
                binary,
                data,
            } => self.send_message(channel, binary, &data),
            PeerCommand::CloseChannel { channel } => self.close_channel(channel),
            PeerCommand::Close => self.close(),
        }
        self.drive(now);
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<PeerEvent> {
        self.events.pop_front()
    }

    /// When [`Core::handle_timeout`] wants to be called; none when the connection has ended.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let keyframe = self.lines.values().filter_map(Line::keyframe_due).min();
        [
            Some(self.wake),
            self.patience,
            self.silence_due(),
            self.climb.due(),
            keyframe,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The state.
    pub const fn state(&self) -> PeerState {
        self.state
    }

    /// Whether the connection has ended; events and datagrams may still wait.
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// What was dropped so far.
    pub const fn dropped(&self) -> Dropped {
        self.dropped
    }

    fn flooded(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.datagrams = 0;
        }
        self.datagrams = self.datagrams.saturating_add(1);
        self.datagrams > MAX_DATAGRAMS_PER_SECOND
    }

    fn remote_candidate(&mut self, line: &str) {
        match describe::candidate(line) {
            Some(candidate) if self.trickled < MAX_TRICKLED => {
                self.trickled += 1;
                self.rtc.add_remote_candidate(candidate);
            }
            Some(_) | None => self.dropped.candidates += 1,
        }
    }

    fn close(&mut self) {
        self.closing = true;
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
    }
}
