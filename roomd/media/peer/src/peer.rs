// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a transport backend is: a connection without clock, task or socket.

use std::net::SocketAddr;
use std::time::Instant;

use roomd_conference::PeerState;

use crate::core::{Core, Dropped, Transmit};
use crate::{PeerCommand, PeerEvent};

/// One connection, driven from outside: time, datagrams and commands go in; datagrams, events and
/// the next deadline come out. The conformance suite of this crate's tests says what it must do.
pub trait Peer: Send {
    /// Adds a local address, and the one a STUN server saw for it.
    fn add_local(&mut self, now: Instant, base: SocketAddr, mapped: Option<SocketAddr>);
    /// Adds an address at a TURN server, and the local one from which the server is reached.
    fn add_relayed(&mut self, now: Instant, relayed: SocketAddr, local: SocketAddr);
    /// Takes an address at a TURN server away; an ICE restart has to follow.
    fn remove_relayed(&mut self, now: Instant, relayed: SocketAddr);
    /// Replaces the local addresses; an ICE restart has to follow.
    fn replace_locals(&mut self, now: Instant, locals: &[(SocketAddr, Option<SocketAddr>)]);
    /// The fingerprint of our own certificate with this hash; none for an unknown hash.
    fn fingerprint(&self, hash: &str) -> Option<String>;
    /// Lets time pass.
    fn handle_timeout(&mut self, now: Instant);
    /// Takes a datagram that arrived on a local address.
    fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
    );
    /// Obeys a command.
    fn handle_command(&mut self, now: Instant, command: PeerCommand);
    /// The next datagram to send.
    fn poll_transmit(&mut self) -> Option<Transmit>;
    /// The next event.
    fn poll_event(&mut self) -> Option<PeerEvent>;
    /// When [`Peer::handle_timeout`] wants to be called; none when the connection has ended.
    fn poll_timeout(&self) -> Option<Instant>;
    /// The state.
    fn state(&self) -> PeerState;
    /// Whether the connection has ended; events and datagrams may still wait.
    fn is_ended(&self) -> bool;
    /// What was dropped so far.
    fn dropped(&self) -> Dropped;
}

impl Peer for Core {
    fn add_local(&mut self, now: Instant, base: SocketAddr, mapped: Option<SocketAddr>) {
        Self::add_local(self, now, base, mapped);
    }

    fn add_relayed(&mut self, now: Instant, relayed: SocketAddr, local: SocketAddr) {
        Self::add_relayed(self, now, relayed, local);
    }

    fn remove_relayed(&mut self, now: Instant, relayed: SocketAddr) {
        Self::remove_relayed(self, now, relayed);
    }

    fn replace_locals(&mut self, now: Instant, locals: &[(SocketAddr, Option<SocketAddr>)]) {
        Self::replace_locals(self, now, locals);
    }

    fn fingerprint(&self, hash: &str) -> Option<String> {
        Self::fingerprint(self, hash)
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
    ) {
        Self::handle_datagram(self, now, source, destination, contents);
    }

    fn handle_command(&mut self, now: Instant, command: PeerCommand) {
        Self::handle_command(self, now, command);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        Self::poll_transmit(self)
    }

    fn poll_event(&mut self) -> Option<PeerEvent> {
        Self::poll_event(self)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn state(&self) -> PeerState {
        Self::state(self)
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }

    fn dropped(&self) -> Dropped {
        Self::dropped(self)
    }
}
