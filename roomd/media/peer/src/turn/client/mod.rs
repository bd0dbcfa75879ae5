// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! An allocation on a server, without clock, task or socket (RFC 8656).
//!
//! Frames and time go in; frames, events and the next deadline come out. The library keeps the
//! allocation, its permissions and its channels alive. What it cannot take is kept from it here:
//! frames that are not whole, nonces that are not ASCII, a server that repeats its refusal. Its log
//! names addresses, so it does not get one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use roomd_model::{Pii, Secret};
use stun_types::attribute::{ErrorCode, Nonce, Realm};
use stun_types::message::{IntegrityAlgorithm, Message, TransactionId};
use stun_types::{AddressFamily, TransportType};
use turn_client_proto::api::{Transmit, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::client::TurnClient;
use turn_client_proto::prelude::TurnClientApi;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::channel::ChannelData;
use turn_client_proto::types::message::ALLOCATE;
use turn_client_proto::types::{Instant as Moment, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use super::failure::Failure;
use super::frames;
use super::url::Carrier;

/// Longest user name, in bytes (RFC 8489, section 14.3).
const MAX_USERNAME: usize = 508;
/// Longest password, in bytes.
const MAX_CREDENTIAL: usize = 1024;
/// Most addresses that may send through the server.
const MAX_PERMISSIONS: usize = 64;
/// Most peers with a channel.
const MAX_CHANNELS: usize = 16;
/// How long a refused permission is not asked for again.
const REFUSED: Duration = Duration::from_secs(5);
/// Most rounds at one moment.
const MAX_ROUNDS: usize = 64;
/// What the server says when it does not know the allocation, as after a restart (RFC 8656, section 19).
const ALLOCATION_MISMATCH: u16 = 437;
/// Answers to so many of the last requests are taken for answers.
const MAX_ASKED: usize = 16;
/// Rest after too many rounds.
const REST: Duration = Duration::from_millis(5);

/// Between which addresses an allocation's traffic runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) carrier: Carrier,
    pub(super) local: SocketAddr,
    pub(super) server: SocketAddr,
}

/// Long-term credentials (RFC 8489, section 9.2).
#[derive(Clone, Debug)]
pub(super) struct Account {
    username: Pii<String>,
    credential: Secret,
}

impl Account {
    /// None when either is missing or out of bounds.
    pub(super) fn new(username: Option<&Pii<String>>, credential: Option<&Secret>) -> Option<Self> {
        let (username, credential) = (username?, credential?);
        let fits = (1..=MAX_USERNAME).contains(&username.expose().len())
            && (1..=MAX_CREDENTIAL).contains(&credential.expose().len());
        fits.then(|| Self {
            username: username.clone(),
            credential: credential.clone(),
        })
    }
}

/// What the server gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An address that relays.
    Relayed(SocketAddr),
    /// A datagram came to a relayed address.
    Received {
        relayed: SocketAddr,
        peer: SocketAddr,
        contents: Vec<u8>,
    },
}

/// A frame for the server.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    /// A peer's datagram, which may be lost; otherwise a request.
    pub(super) datagram: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Asking,
    Standing,
    Closing,
    Over(Option<Failure>),
}

#[derive(Debug)]
enum Permit {
    /// Asked for; the last datagram waits.
    Asked(SocketAddr, Vec<u8>),
    Granted,
    RefusedUntil(Instant),
}

/// One allocation.
pub(super) struct Client {
    library: TurnClient,
    way: Way,
    begun: Instant,
    stage: Stage,
    /// The request that the server answered with its challenge.
    challenged: Option<TransactionId>,
    /// What the answers to the allocation meant so far.
    cause: Option<Failure>,
    relayed: Option<SocketAddr>,
    permits: BTreeMap<IpAddr, Permit>,
    channels: BTreeSet<SocketAddr>,
    outgoing: VecDeque<Outgoing>,
    /// The transactions of the last requests.
    asked: VecDeque<[u8; 12]>,
    probes: u8,
    events: VecDeque<Event>,
    wake: Instant,
}

impl Client {
    /// Begins to ask for a relayed address. One of each family at once is possible too, but the
    /// library then gives the same channel to a peer of each.
    pub(super) fn new(now: Instant, way: Way, account: &Account, family: AddressFamily) -> Self {
        let mut config = TurnConfig::new(TurnCredentials::new(
            account.username.expose(),
            account.credential.expose(),
        ));
        config.set_address_family(family);
        config.add_supported_integrity(IntegrityAlgorithm::Sha256);
        let library = quiet(|| match way.carrier {
            Carrier::Udp => TurnClientUdp::allocate(way.local, way.server, config).into(),
            Carrier::Tcp | Carrier::Tls => {
                TurnClientTcp::allocate(way.local, way.server, config).into()
            }
        });
        let mut client = Self {
            library,
            way,
            begun: now,
            stage: Stage::Asking,
            challenged: None,
            cause: None,
            relayed: None,
            permits: BTreeMap::new(),
            channels: BTreeSet::new(),
            outgoing: VecDeque::new(),
            asked: VecDeque::new(),
            probes: 0,
            events: VecDeque::new(),
            wake: now,
        };
        client.drive(now);
        client
    }

    /// Takes a whole frame of the server.
    pub(super) fn handle_frame(&mut self, now: Instant, frame: &[u8]) {
        if self.is_over() || !self.admits(frame) {
            return;
        }
        let moment = self.moment(now);
        let transmit = Transmit::new(frame, self.kind(), self.way.server, self.way.local);
        let received = quiet(|| match self.library.recv(transmit, moment) {
            TurnRecvRet::PeerData(data) => Some((data.peer, data.data().to_vec())),
            TurnRecvRet::Handled | TurnRecvRet::Ignored(_) | TurnRecvRet::PeerIcmp { .. } => None,
        });
        if let Some((peer, contents)) = received
            && let Some(relayed) = self.relayed_for(peer)
        {
            self.events.push_back(Event::Received {
                relayed,
                peer,
                contents,
            });
        }
        self.drive(now);
    }

    /// Lets time pass.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if !self.is_over() {
            self.drive(now);
        }
    }

    /// Sends a datagram from the relayed address of its family. The first to an address waits for
    /// the server's permission; until then the latest is held and earlier ones are lost.
    pub(super) fn send(&mut self, now: Instant, to: SocketAddr, contents: Vec<u8>) {
        if self.stage != Stage::Standing || self.relayed_for(to).is_none() {
            return;
        }
        let full = self.permits.len() >= MAX_PERMISSIONS;
        match self.permits.get_mut(&to.ip()) {
            Some(Permit::Granted) => self.relay(now, to, &contents),
            Some(Permit::Asked(held_to, held)) => (*held_to, *held) = (to, contents),
            Some(Permit::RefusedUntil(until)) if *until > now => {}
            None if full => {}
            Some(Permit::RefusedUntil(_)) | None => self.ask_permit(now, to, contents),
        }
        self.drive(now);
    }

    /// Asks the server for something, so that it says so if it does not know the allocation any more: a
    /// permission for an address that is nobody's (RFC 5737, RFC 3849), another one each time.
    pub(super) fn probe(&mut self, now: Instant) {
        let Some(relayed) = self.relayed.filter(|_| self.stage == Stage::Standing) else {
            return;
        };
        self.probes = self.probes.wrapping_add(1);
        let nobody: IpAddr = if relayed.is_ipv4() {
            Ipv4Addr::new(192, 0, 2, self.probes).into()
        } else {
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, self.probes.into()).into()
        };
        let (udp, moment) = (TransportType::Udp, self.moment(now));
        // One that is still permitted is not asked for.
        let _ = quiet(|| self.library.create_permission(udp, nobody, moment));
        self.drive(now);
    }

    /// Gives the allocation back.
    pub(super) fn close(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        let moment = self.moment(now);
        let asked = quiet(|| self.library.delete(moment)).is_ok();
        self.stage = if asked {
            Stage::Closing
        } else {
            Stage::Over(None)
        };
        self.handle_timeout(now);
    }

    /// The next frame to send, padded for a stream.
    pub(super) fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// The next event.
    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::handle_timeout`] wants to be called.
    pub(super) const fn poll_timeout(&self) -> Instant {
        self.wake
    }

    /// Whether the server relays.
    pub(super) fn is_standing(&self) -> bool {
        self.stage == Stage::Standing
    }

    /// Whether nothing more comes of it.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// Why it is over, when it was not closed.
    pub(super) const fn failure(&self) -> Option<Failure> {
        match self.stage {
            Stage::Over(failure) => failure,
            Stage::Asking | Stage::Standing | Stage::Closing => None,
        }
    }

    const fn kind(&self) -> TransportType {
        match self.way.carrier {
            Carrier::Udp => TransportType::Udp,
            Carrier::Tcp | Carrier::Tls => TransportType::Tcp,
        }
    }

    fn moment(&self, now: Instant) -> Moment {
        let elapsed = now.saturating_duration_since(self.begun).as_nanos();
        Moment::from_nanos(i64::try_from(elapsed).unwrap_or(i64::MAX / 2))
    }

    fn instant(&self, moment: Moment) -> Option<Instant> {
        let nanos = u64::try_from(moment.as_nanos()).unwrap_or(0);
        self.begun.checked_add(Duration::from_nanos(nanos))
    }

    fn relayed_for(&self, peer: SocketAddr) -> Option<SocketAddr> {
        self.relayed
            .filter(|relayed| relayed.is_ipv4() == peer.is_ipv4())
    }

    fn admits(&mut self, frame: &[u8]) -> bool {
        match frame.first() {
            Some(0..=3) => {
                let Ok(message) = quiet(|| Message::from_bytes(frame)) else {
                    return false;
                };
                self.note(&message);
                self.note_mismatch(&message, frame);
                !self.is_over() && is_plain(&message)
            }
            Some(0x40..=0x4f) => ChannelData::parse(frame).is_ok(),
            Some(_) | None => false,
        }
    }

    /// Reads the cause out of an error response: the library only says that there was one. It also
    /// answers every challenge; the second one means that the credentials are wrong.
    fn note(&mut self, message: &Message<'_>) {
        if self.stage != Stage::Asking || !message.has_method(ALLOCATE) {
            return;
        }
        self.cause.get_or_insert(Failure::NotAllocated);
        let Ok(error) = message.attribute::<ErrorCode>() else {
            return;
        };
        let transaction = message.transaction_id();
        if error.code() != ErrorCode::UNAUTHORIZED {
            self.cause = Some(Failure::of_code(error.code()));
        } else if *self.challenged.get_or_insert(transaction) != transaction {
            self.stage = Stage::Over(Some(Failure::Refused));
        }
    }

    /// The library waits for the answer to a refresh, which comes after minutes.
    fn note_mismatch(&mut self, message: &Message<'_>, frame: &[u8]) {
        let asked = transaction(frame).is_some_and(|it| self.asked.contains(&it));
        let error = message.attribute::<ErrorCode>();
        let unknown = error.is_ok_and(|error| error.code() == ALLOCATION_MISMATCH);
        if asked && unknown && self.stage == Stage::Standing {
            self.stage = Stage::Over(Some(Failure::Lost));
        }
    }

    fn ask_permit(&mut self, now: Instant, to: SocketAddr, contents: Vec<u8>) {
        let moment = self.moment(now);
        let udp = TransportType::Udp;
        let asked = quiet(|| self.library.create_permission(udp, to.ip(), moment)).is_ok();
        let permit = if asked {
            Permit::Asked(to, contents)
        } else {
            Permit::RefusedUntil(now + REFUSED)
        };
        self.permits.insert(to.ip(), permit);
    }

    fn relay(&mut self, now: Instant, to: SocketAddr, contents: &[u8]) {
        let moment = self.moment(now);
        // Checks go to every candidate; what follows them goes to the one that was chosen, and
        // deserves the channel's smaller header.
        let checks = contents.first().is_none_or(|first| *first <= 3);
        let udp = TransportType::Udp;
        if !checks && self.channels.len() < MAX_CHANNELS && self.channels.insert(to) {
            // A server without channels still takes the longer form.
            let _ = quiet(|| self.library.bind_channel(udp, to, moment));
        }
        let sent = quiet(|| self.library.send_to(udp, to, contents, moment));
        if let Ok(Some(transmit)) = sent {
            self.put_out(transmit.build().data, true);
        }
    }

    fn put_out(&mut self, mut bytes: Vec<u8>, datagram: bool) {
        if let Some(asked) = transaction(&bytes).filter(|_| !datagram) {
            self.asked.push_back(asked);
            if self.asked.len() > MAX_ASKED {
                self.asked.pop_front();
            }
        }
        if self.way.carrier != Carrier::Udp {
            frames::pad(&mut bytes);
        }
        self.outgoing.push_back(Outgoing { bytes, datagram });
    }

    /// Polls the library until it waits for a later moment.
    fn drive(&mut self, now: Instant) {
        let moment = self.moment(now);
        for _ in 0..MAX_ROUNDS {
            while let Some(transmit) = quiet(|| self.library.poll_transmit(moment)) {
                self.put_out(transmit.data.to_vec(), false);
            }
            while let Some(event) = quiet(|| self.library.poll_event()) {
                self.event(now, event);
            }
            match quiet(|| self.library.poll(moment)) {
                TurnPollRet::WaitUntil(until) if until > moment => {
                    // Too far to be an instant is as good as a day.
                    let day = now + Duration::from_secs(86_400);
                    self.wake = self.instant(until).map_or(day, |until| until.min(day));
                    return;
                }
                TurnPollRet::Closed => return self.ended(),
                // Sockets are for relayed TCP, which is never asked for.
                TurnPollRet::WaitUntil(_)
                | TurnPollRet::AllocateTcpSocket { .. }
                | TurnPollRet::TcpClose { .. } => {}
            }
        }
        self.wake = now + REST;
    }

    fn ended(&mut self) {
        self.stage = match self.stage {
            Stage::Asking => Stage::Over(Some(self.cause.unwrap_or(Failure::Silent))),
            Stage::Standing => Stage::Over(Some(Failure::Lost)),
            Stage::Closing => Stage::Over(None),
            Stage::Over(failure) => Stage::Over(failure),
        };
    }

    fn event(&mut self, now: Instant, event: TurnEvent) {
        match event {
            TurnEvent::AllocationCreated(_, relayed) => self.relays(relayed),
            TurnEvent::PermissionCreated(_, address) => self.permitted(now, address),
            TurnEvent::PermissionCreateFailed(_, address) => {
                self.permits
                    .insert(address, Permit::RefusedUntil(now + REFUSED));
            }
            // The poll tells when it is over; without a channel there is the longer form.
            TurnEvent::AllocationCreateFailed(_)
            | TurnEvent::ChannelCreated(..)
            | TurnEvent::ChannelCreateFailed(..)
            | TurnEvent::TcpConnected(_)
            | TurnEvent::TcpConnectFailed(_) => {}
        }
    }

    fn relays(&mut self, relayed: SocketAddr) {
        let usable =
            relayed.port() != 0 && !relayed.ip().is_unspecified() && !relayed.ip().is_multicast();
        if !usable {
            self.stage = Stage::Over(Some(Failure::NotAllocated));
        } else if self.stage == Stage::Asking {
            self.relayed = Some(relayed);
            self.events.push_back(Event::Relayed(relayed));
            self.stage = Stage::Standing;
        }
    }

    fn permitted(&mut self, now: Instant, address: IpAddr) {
        let held = self.permits.insert(address, Permit::Granted);
        if let Some(Permit::Asked(to, contents)) = held {
            self.relay(now, to, &contents);
        }
    }
}

/// The transaction of a message (RFC 8489, section 5).
fn transaction(frame: &[u8]) -> Option<[u8; 12]> {
    frame.get(8..20)?.try_into().ok()
}

/// The library slices nonces at fixed places (RFC 8489, section 9.2), and repeats realms.
fn is_plain(message: &Message<'_>) -> bool {
    let plain = |text: &str| text.chars().all(|letter| matches!(letter, ' '..='~'));
    let nonce = message.attribute::<Nonce>();
    let realm = message.attribute::<Realm>();
    nonce.map_or(true, |nonce| plain(nonce.nonce()))
        && realm.map_or(true, |realm| !realm.realm().chars().any(char::is_control))
}

fn quiet<T>(work: impl FnOnce() -> T) -> T {
    tracing::dispatcher::with_default(&tracing::Dispatch::none(), work)
}

#[cfg(test)]
mod tests;
