// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Following the machine's addresses during a connection.
//!
//! They are compared now and then, and soon after a socket failed to send. New ones get sockets, and
//! what STUN servers see of those is found out beside the connection, which goes on with the old
//! sockets until then. A relay that comes back has another address too, and is told in the same way.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::PeerConfig;
use crate::gather::{self, Local};

/// How often the addresses are compared.
const INTERVAL: Duration = Duration::from_secs(2);
/// The same while sockets fail.
const HURRY: Duration = Duration::from_millis(500);
/// How long TURN servers may take before the change is told; whoever answers later joins then.
const RELAYS: Duration = Duration::from_secs(2);
/// How often it is seen whether they answered.
const PAUSE: Duration = Duration::from_millis(50);

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Next {
    /// Compare the addresses.
    Look,
    /// New sockets are ready.
    Found(Vec<Local>),
    /// See whether the relays are.
    Settle,
}

/// What is known of the addresses of one connection.
pub(crate) struct Moves {
    config: PeerConfig,
    looked: Instant,
    due: Instant,
    /// The addresses that the machine has, while sockets are opened for them.
    wanted: Vec<IpAddr>,
    gathering: JoinSet<Vec<Local>>,
    untold: Option<Untold>,
}

/// A change that waits for relays before it is told.
#[derive(Clone, Copy, Debug)]
struct Untold {
    until: Instant,
    check: Instant,
}

impl Moves {
    pub(crate) fn new(config: &PeerConfig) -> Self {
        let now = Instant::now();
        Self {
            config: config.clone(),
            looked: now,
            due: now + INTERVAL,
            wanted: Vec::new(),
            gathering: JoinSet::new(),
            untold: None,
        }
    }

    /// Addresses that were given are the ones to use, whatever the machine has.
    const fn is_fixed(&self) -> bool {
        !self.config.addresses.is_empty()
    }

    /// Waits for what is to be done next. May be dropped and called again at any time.
    pub(crate) async fn next(&mut self) -> Next {
        let looks = !self.is_fixed() && self.gathering.is_empty();
        let check = self.untold.map_or(self.due, |untold| untold.check);
        tokio::select! {
            Some(found) = self.gathering.join_next() => Next::Found(found.unwrap_or_default()),
            () = tokio::time::sleep_until(self.due.into()), if looks => Next::Look,
            () = tokio::time::sleep_until(check.into()), if self.untold.is_some() => Next::Settle,
            else => std::future::pending().await,
        }
    }

    /// A socket failed to send.
    pub(crate) fn failed(&mut self, now: Instant, error: &io::Error) {
        let passing = [io::ErrorKind::WouldBlock, io::ErrorKind::ConnectionRefused];
        if !passing.contains(&error.kind()) {
            self.due = self.due.min(now.max(self.looked + HURRY));
        }
    }

    /// Compares, and opens sockets on addresses that are new.
    pub(crate) fn look(&mut self, now: Instant, locals: &[Local]) {
        self.looked = now;
        self.due = now + INTERVAL;
        let wanted = gather::addresses(&self.config);
        let has = |address: &IpAddr| locals.iter().any(|local| local.address.ip() == *address);
        let fresh: Vec<IpAddr> = wanted.iter().copied().filter(|ip| !has(ip)).collect();
        let gone = locals
            .iter()
            .any(|local| !wanted.contains(&local.address.ip()));
        if (fresh.is_empty() && !gone) || is_cut_off(&wanted, locals) {
            return;
        }
        self.wanted = wanted;
        let config = self.config.clone();
        self.gathering
            .spawn(async move { gather::gather(&config, &fresh).await });
    }

    /// Takes new sockets and closes those whose address is gone; false when that changes nothing.
    pub(crate) fn replace(
        &mut self,
        now: Instant,
        locals: &mut Vec<Local>,
        found: Vec<Local>,
    ) -> bool {
        let stays = |local: &Local| self.wanted.contains(&local.address.ip());
        let changes = !found.is_empty() || !locals.iter().all(stays);
        // An address that cannot be used yet, as while IPv6 makes sure that it is unique.
        let nothing_left = found.is_empty() && !locals.iter().any(stays);
        if !changes || nothing_left {
            return false;
        }
        locals.retain(stays);
        locals.extend(found);
        self.untold = Some(Untold {
            until: now + RELAYS,
            check: now,
        });
        true
    }

    /// A relay came back, and others may follow.
    pub(crate) fn returned(&mut self, now: Instant) {
        self.untold.get_or_insert(Untold {
            until: now + RELAYS,
            check: now,
        });
    }

    /// Whether a change is to be told now.
    pub(crate) fn settled(&mut self, now: Instant, settling: bool) -> bool {
        let Some(untold) = &mut self.untold else {
            return false;
        };
        if settling && now < untold.until {
            untold.check = now + PAUSE;
            return false;
        }
        self.untold = None;
        true
    }
}

/// Nothing but loopback is left: the network may come back, and the old sockets with it.
fn is_cut_off(wanted: &[IpAddr], locals: &[Local]) -> bool {
    let outside = locals.iter().any(|local| !local.address.ip().is_loopback());
    wanted.iter().all(IpAddr::is_loopback) && outside
}
