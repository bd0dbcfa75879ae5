// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One allocation with its socket and the clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun_types::AddressFamily;
use tokio::sync::mpsc;

use super::client::{Account, Client, Event, Way};
use super::failure::Failure;
use super::wire::{Route, Wire};
use super::{Allocation, Datagram, Heard, Order};

/// How long a server may take to relay, connecting included.
const SETUP: Duration = Duration::from_secs(10);
/// How long a server may take to confirm that an allocation is given back.
const RELEASE: Duration = Duration::from_secs(1);

/// What to ask of a server.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) route: Route,
    pub(super) account: Account,
    /// The family of the relayed address.
    pub(super) family: AddressFamily,
    /// The other family is asked for too.
    pub(super) both: bool,
}

impl Request {
    fn other(&self) -> Self {
        Self {
            family: match self.family {
                AddressFamily::IPV4 => AddressFamily::IPV6,
                AddressFamily::IPV6 => AddressFamily::IPV4,
            },
            both: false,
            ..self.clone()
        }
    }
}

/// A socket, and the allocation behind it.
pub(super) struct Link {
    request: Request,
    wire: Wire,
    client: Client,
    local: SocketAddr,
}

impl Link {
    /// Connects and asks until the server relays, in the other family if it has only that.
    pub(super) async fn establish(request: Request) -> Result<Self, Failure> {
        let other = request.both.then(|| request.other());
        match (Self::ask(request).await, other) {
            (Err(Failure::Family), Some(other)) => Self::ask(other).await,
            (asked, _) => asked,
        }
    }

    async fn ask(request: Request) -> Result<Self, Failure> {
        let deadline = tokio::time::Instant::now() + SETUP;
        let (wire, local) = tokio::time::timeout_at(deadline, Wire::connect(&request.route))
            .await
            .map_err(|_| Failure::Unreachable)??;
        let way = Way {
            carrier: request.route.carrier,
            local,
            server: request.route.server,
        };
        let client = Client::new(Instant::now(), way, &request.account, request.family);
        let mut link = Self {
            request,
            wire,
            client,
            local,
        };
        let asking = async {
            while !link.client.is_standing() {
                link.turn().await?;
            }
            Ok(())
        };
        tokio::time::timeout_at(deadline, asking)
            .await
            .map_err(|_| Failure::Silent)??;
        Ok(link)
    }

    /// Relays until nobody gives orders any more, or the server is lost.
    pub(super) async fn run(
        mut self,
        server: usize,
        orders: &mut mpsc::Receiver<Order>,
        heard: &mpsc::Sender<Heard>,
    ) -> Result<(), Failure> {
        loop {
            self.announce(server, heard).await;
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Send(to, contents)) => {
                        self.client.send(Instant::now(), to, contents);
                        self.flush()?;
                    }
                    Some(Order::Probe) => {
                        self.client.probe(Instant::now());
                        self.flush()?;
                    }
                    None => break,
                },
                turned = self.turn() => turned?,
            }
        }
        self.release().await;
        Ok(())
    }

    /// Gives the allocation back, as far as the server lets it.
    pub(super) async fn release(mut self) {
        self.client.close(Instant::now());
        let released = async {
            while !self.client.is_over() && self.turn().await.is_ok() {}
            self.wire.shut_down().await;
        };
        // A server that does not answer forgets the allocation by itself.
        let _ = tokio::time::timeout(RELEASE, released).await;
    }

    async fn announce(&mut self, server: usize, heard: &mpsc::Sender<Heard>) {
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Relayed(address) => {
                    let allocation = Allocation {
                        address,
                        local: self.local,
                        further: self.request.both.then(|| self.request.other()),
                    };
                    // A closed channel closes that of the orders too.
                    let _ = heard.send(Heard::Allocated(server, allocation)).await;
                }
                Event::Received {
                    relayed,
                    peer,
                    contents,
                } => {
                    // While the connection does not keep up, datagrams are lost as on any network.
                    let _ = heard.try_send(Heard::Datagram(Datagram {
                        source: peer,
                        destination: relayed,
                        contents,
                    }));
                }
            }
        }
    }

    /// Waits for one frame or one deadline. May be dropped and called again at any time.
    async fn turn(&mut self) -> Result<(), Failure> {
        self.flush()?;
        let wake = self.client.poll_timeout();
        tokio::select! {
            frame = self.wire.next() => self.client.handle_frame(Instant::now(), &frame?),
            () = tokio::time::sleep_until(wake.into()) => {
                self.client.handle_timeout(Instant::now());
            }
        }
        self.flush()?;
        self.client.failure().map_or(Ok(()), Err)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        while let Some(outgoing) = self.client.poll_outgoing() {
            self.wire.send(&outgoing)?;
        }
        Ok(())
    }
}
