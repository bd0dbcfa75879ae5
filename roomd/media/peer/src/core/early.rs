// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The beginning of a handshake that arrives before the path it comes over is checked.
//!
//! The peer that finds the path first begins DTLS at once, and its first record then overtakes its
//! answer to our own check. Dropped, it would come again only after a second.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::Input;
use str0m::net::{Protocol, Receive};

use super::Core;

/// Most records held.
const MAX: usize = 8;
/// A record that is older would have come again.
const KEPT: Duration = Duration::from_secs(1);

/// A record of DTLS from an address that is not known yet.
#[derive(Debug)]
pub(super) struct Early {
    at: Instant,
    source: SocketAddr,
    destination: SocketAddr,
    contents: Vec<u8>,
}

impl Core {
    /// Holds a record back until its address is known; true when it does.
    pub(super) fn hold(
        &mut self,
        at: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
    ) -> bool {
        // Behind the handshake nothing comes early any more.
        if self.certified || self.early.len() >= MAX || !is_dtls(contents) {
            return false;
        }
        self.early.push(Early {
            at,
            source,
            destination,
            contents: contents.to_vec(),
        });
        true
    }

    /// Takes what was held back and is from a known address by now.
    pub(super) fn take_early(&mut self, now: Instant) {
        for early in std::mem::take(&mut self.early) {
            if now.saturating_duration_since(early.at) > KEPT {
                self.dropped.datagrams += 1;
                continue;
            }
            let (source, destination) = (early.source, early.destination);
            let Ok(receive) = Receive::new(Protocol::Udp, source, destination, &early.contents)
            else {
                continue;
            };
            let input = Input::Receive(now, receive);
            if !self.rtc.accepts(&input) {
                self.early.push(early);
                continue;
            }
            if self.rtc.handle_input(input).is_err() {
                self.dropped.datagrams += 1;
            }
            self.drive(now);
        }
    }
}

/// A record of DTLS, by its first byte (RFC 7983, section 7).
fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=63, ..])
}
