// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Relays: TURN over UDP, TCP and TLS (RFC 8656), for networks that let nothing else through.
//!
//! `url`, `frames`, `client` and `again` are pure; `wire` and `link` own a socket and the clock. Each
//! server has a task of its own, so that one that is slow, malformed or gone takes nothing else with
//! it. One that is lost, or does not answer, is asked again for as long as the connection lives.
//! The tasks end, and give their allocations back, when [`Relays`] is dropped.

mod again;
mod client;
mod failure;
mod frames;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod link;
mod tls;
mod url;
mod wire;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use roomd_conference::PeerId;
use stun_types::AddressFamily;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{PeerConfig, RelayReport};
use again::Again;
use client::Account;
pub use failure::Failure as RelayFailure;
use failure::Failure;
use link::{Link, Request};
pub(crate) use url::is_turn;
use url::{Carrier, Place};
use wire::Route;

/// Most servers asked.
const MAX_SERVERS: usize = 4;
/// Most relayed addresses; each is checked against each of the peer's.
const MAX_RELAYED: usize = 6;
/// Orders that may wait for a server.
const ORDERS: usize = 128;
/// What may wait for the connection.
const HEARD: usize = 256;
/// What the servers may cost before the first description; whoever answers later joins then.
const BUDGET: Duration = Duration::from_secs(2);
/// What the others may cost once one relays.
const GRACE: Duration = Duration::from_millis(500);
/// How long the first address of a server has before the next is tried too (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);
/// How long a name may take.
const RESOLVE: Duration = Duration::from_secs(5);

/// What the task of a server is told.
enum Order {
    /// This leaves for this address.
    Send(SocketAddr, Vec<u8>),
    /// Whether the server still knows of the allocation.
    Probe,
}

/// An address that relays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    /// The address at the server.
    pub(crate) address: SocketAddr,
    /// The address from which the server is reached.
    pub(crate) local: SocketAddr,
}

/// A datagram that came through a server.
#[derive(Debug)]
pub(crate) struct Datagram {
    /// The peer.
    pub(crate) source: SocketAddr,
    /// The relayed address.
    pub(crate) destination: SocketAddr,
    /// The bytes.
    pub(crate) contents: Vec<u8>,
}

/// What the connection learns.
#[derive(Debug)]
pub(crate) enum News {
    /// One more server relays.
    Relayed(Relayed),
    /// A server that was lost relays again, whatever its address is now.
    Again(Relayed),
    /// This address does not relay any more.
    Gone(SocketAddr),
    /// A datagram came.
    Datagram(Datagram),
}

#[derive(Debug)]
enum Heard {
    Allocated(usize, Allocation),
    Datagram(Datagram),
    Ended(usize, Option<Failure>),
}

#[derive(Debug)]
struct Allocation {
    address: SocketAddr,
    local: SocketAddr,
    /// How to ask for the other family.
    further: Option<Request>,
}

/// The servers of a connection.
pub(crate) struct Relays {
    id: PeerId,
    config: PeerConfig,
    /// Those that are asked or relay, by a number that is never used again.
    servers: BTreeMap<usize, Server>,
    begun: usize,
    heard: mpsc::Receiver<Heard>,
    sender: mpsc::Sender<Heard>,
    routes: Vec<(SocketAddr, usize)>,
    again: Again,
    failed: u32,
    failure: Option<Failure>,
}

struct Server {
    /// Which of the configuration it is.
    named: usize,
    carrier: Option<Carrier>,
    /// Dropping it ends the server's task.
    orders: mpsc::Sender<Order>,
    /// The address from which it is reached, once it relays.
    local: Option<IpAddr>,
    /// The second allocation, for the other family; many servers have only one.
    further: bool,
    /// How to ask for that one, once this one relays.
    other: Option<Request>,
}

impl Relays {
    /// Begins to ask all servers for addresses.
    pub(crate) fn new(id: PeerId, config: &PeerConfig) -> Self {
        let (sender, heard) = mpsc::channel(HEARD);
        let mut relays = Self {
            id,
            config: config.clone(),
            servers: BTreeMap::new(),
            begun: 0,
            heard,
            sender,
            routes: Vec::new(),
            again: Again::default(),
            failed: 0,
            failure: None,
        };
        relays.ask();
        relays
    }

    /// Asks all servers again but those that are reached from one of these addresses. What those
    /// relay goes on; the allocations of the others are given back.
    pub(crate) fn moved(&mut self, addresses: &[IpAddr]) {
        let stays = |server: &Server| server.local.is_some_and(|local| addresses.contains(&local));
        self.servers.retain(|_, server| stays(server));
        let servers = &self.servers;
        self.routes
            .retain(|(_, server)| servers.contains_key(server));
        self.ask();
    }

    /// Begins to ask every server that is not asked and does not relay.
    fn ask(&mut self) {
        for named in 0..MAX_SERVERS {
            self.ask_one(named);
        }
    }

    /// Begins to ask a server, if there is one of this number and it is not asked and does not relay.
    fn ask_one(&mut self, named: usize) {
        let servers = self.config.ice_servers.iter();
        let mut servers = servers.filter(|server| url::is_turn(&server.url));
        let Some(server) = servers.nth(named) else {
            return;
        };
        if self.server(named, false).is_some() {
            return;
        }
        let place = url::place(&server.url);
        let account = Account::new(server.username.as_ref(), server.credential.as_ref());
        let carrier = place.as_ref().map(|place| place.carrier);
        let config = Box::new(self.config.clone());
        self.begin(named, carrier, Start::Named(place, account, config));
    }

    /// Begins to ask a server that relays for the other family, if it is not asked for that and does
    /// not relay it.
    fn ask_other(&mut self, named: usize) {
        if self.server(named, true).is_some() {
            return;
        }
        let Some(server) = self.server(named, false) else {
            return;
        };
        let carrier = server.carrier;
        if let Some(request) = server.other.clone() {
            self.begin(named, carrier, Start::Further(request));
        }
    }

    /// Asks those whose time has come.
    fn ask_again(&mut self) {
        for (named, further) in self.again.take_due(Instant::now().into_std()) {
            if further {
                self.ask_other(named);
            } else {
                self.ask_one(named);
            }
        }
    }

    fn server(&self, named: usize, further: bool) -> Option<&Server> {
        let mut known = self.servers.values();
        known.find(|known| known.named == named && known.further == further)
    }

    fn begin(&mut self, named: usize, carrier: Option<Carrier>, start: Start) {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let index = self.begun;
        self.begun += 1;
        let task = ServerTask {
            index,
            orders: receiver,
            heard: self.sender.clone(),
        };
        let server = Server {
            named,
            carrier,
            orders,
            local: None,
            further: matches!(start, Start::Further(_)),
            other: None,
        };
        self.servers.insert(index, server);
        tokio::spawn(task.run(start));
    }

    /// Whether a server has still to answer.
    pub(crate) fn is_settling(&self) -> bool {
        self.servers.values().any(Server::is_pending)
    }

    /// Waits until every server has answered, but not long; gives what relays then, the best for
    /// media first.
    pub(crate) async fn settle(&mut self) -> Vec<Relayed> {
        let mut deadline = Instant::now() + BUDGET;
        let mut found: Vec<(Option<Carrier>, Relayed)> = Vec::new();
        while self.is_settling() {
            let Ok(Some(heard)) = tokio::time::timeout_at(deadline, self.heard.recv()).await else {
                break;
            };
            let carrier = match &heard {
                Heard::Allocated(index, _) => {
                    deadline = deadline.min(Instant::now() + GRACE);
                    self.servers.get(index).and_then(|server| server.carrier)
                }
                Heard::Datagram(_) | Heard::Ended(..) => None,
            };
            match self.take(heard) {
                Some(News::Relayed(relayed) | News::Again(relayed)) => {
                    found.push((carrier, relayed));
                }
                Some(News::Gone(gone)) => found.retain(|(_, relayed)| relayed.address != gone),
                Some(News::Datagram(_)) | None => {}
            }
        }
        found.sort_by_key(|(carrier, _)| *carrier);
        found.into_iter().map(|(_, relayed)| relayed).collect()
    }

    /// The next news; waits for ever when there is no server. May be dropped and called again at any
    /// time.
    pub(crate) async fn recv(&mut self) -> News {
        loop {
            let due = self.again.due();
            let wake = due.map_or_else(Instant::now, Instant::from_std);
            tokio::select! {
                Some(heard) = self.heard.recv() => {
                    if let Some(news) = self.take(heard) {
                        return news;
                    }
                }
                () = tokio::time::sleep_until(wake), if due.is_some() => self.ask_again(),
                else => std::future::pending().await,
            }
        }
    }

    /// The next news that is already there.
    pub(crate) fn try_recv(&mut self) -> Option<News> {
        while let Ok(heard) = self.heard.try_recv() {
            if let Some(news) = self.take(heard) {
                return Some(news);
            }
        }
        None
    }

    /// Sends from a relayed address; false when it is none, or its server does not keep up.
    pub(crate) fn send(&self, source: SocketAddr, to: SocketAddr, contents: Vec<u8>) -> bool {
        let route = self.routes.iter().find(|(relayed, _)| *relayed == source);
        route
            .and_then(|(_, server)| self.servers.get(server))
            .is_some_and(|server| server.orders.try_send(Order::Send(to, contents)).is_ok())
    }

    /// The connection stands still: servers may have forgotten about it.
    pub(crate) fn probe(&self) {
        for server in self.servers.values() {
            // One that does not keep up is asked when it stands still again.
            let _ = server.orders.try_send(Order::Probe);
        }
    }

    /// What became of the servers.
    pub(crate) fn report(&self) -> RelayReport {
        RelayReport {
            standing: u32::try_from(self.routes.len()).unwrap_or(u32::MAX),
            failed: self.failed,
            failure: self.failure,
        }
    }

    fn take(&mut self, heard: Heard) -> Option<News> {
        match heard {
            Heard::Datagram(datagram) => Some(News::Datagram(datagram)),
            Heard::Allocated(index, allocation) => self.allocated(index, allocation),
            Heard::Ended(index, failure) => {
                let route = self.routes.iter().find(|(_, server)| *server == index);
                let gone = route.map(|(address, _)| News::Gone(*address));
                self.ended(index, failure);
                gone
            }
        }
    }

    fn allocated(&mut self, index: usize, allocation: Allocation) -> Option<News> {
        let server = self.servers.get_mut(&index)?;
        server.local = Some(allocation.local.ip());
        server.other = allocation.further;
        let which = (server.named, server.further);
        let again = self.again.stands(Instant::now().into_std(), which);
        self.ask_other(which.0);
        let address = allocation.address;
        let known = self.routes.iter().any(|(old, _)| *old == address);
        if known || self.routes.len() >= MAX_RELAYED {
            return None;
        }
        self.routes.push((address, index));
        let local = allocation.local;
        let relayed = Relayed { address, local };
        if again {
            tracing::info!(
                peer = self.id.0,
                server = which.0,
                "a TURN server relays again"
            );
            return Some(News::Again(relayed));
        }
        Some(News::Relayed(relayed))
    }

    fn ended(&mut self, index: usize, failure: Option<Failure>) {
        self.routes.retain(|(_, server)| *server != index);
        let (Some(server), Some(failure)) = (self.servers.remove(&index), failure) else {
            return;
        };
        let which = (server.named, server.further);
        let news = !failure.is_passing() || self.again.failed(Instant::now().into_std(), which);
        if server.further && server.local.is_none() {
            tracing::debug!(peer = self.id.0, code = %failure, "no second family");
            return;
        }
        if !news {
            tracing::debug!(peer = self.id.0, server = which.0, code = %failure, "still of no use");
            return;
        }
        self.failed = self.failed.saturating_add(1);
        self.failure = Some(failure);
        tracing::info!(
            peer = self.id.0,
            server = server.named,
            over = ?server.carrier,
            code = %failure,
            "a TURN server is of no use"
        );
    }
}

impl Server {
    const fn is_pending(&self) -> bool {
        self.local.is_none()
    }
}

enum Start {
    /// From a URL, with its account.
    Named(Option<Place>, Option<Account>, Box<PeerConfig>),
    /// From an allocation that stands.
    Further(Request),
}

struct ServerTask {
    index: usize,
    orders: mpsc::Receiver<Order>,
    heard: mpsc::Sender<Heard>,
}

impl ServerTask {
    async fn run(self, start: Start) {
        let (index, heard) = (self.index, self.heard.clone());
        // What a server sends may break the protocol's state machine; it takes only this with it.
        let ended = tokio::spawn(self.serve(start)).await;
        let failure = ended.unwrap_or(Err(Failure::Broke)).err();
        let _ = heard.send(Heard::Ended(index, failure)).await;
    }

    async fn serve(mut self, start: Start) -> Result<(), Failure> {
        let mut attempts = JoinSet::new();
        let established = tokio::select! {
            established = establish(start, &mut attempts) => Some(established),
            () = self.heard.closed() => None,
        };
        // An allocation that comes too late is not left behind at the server.
        tokio::spawn(async move {
            while let Some(attempt) = attempts.join_next().await {
                if let Ok(Ok(late)) = attempt {
                    late.release().await;
                }
            }
        });
        match established {
            Some(link) => link?.run(self.index, &mut self.orders, &self.heard).await,
            None => Ok(()),
        }
    }
}

/// Tries one address after the other; the first that relays is it.
async fn establish(
    start: Start,
    attempts: &mut JoinSet<Result<Link, Failure>>,
) -> Result<Link, Failure> {
    let mut requests = match start {
        Start::Named(place, account, config) => requests(place, account, &config).await?,
        Start::Further(request) => vec![request],
    }
    .into_iter();
    let mut cause = Failure::NoAddress;
    loop {
        let next = requests.next();
        let last = next.is_none();
        if let Some(request) = next {
            attempts.spawn(Link::establish(request));
        }
        tokio::select! {
            attempt = attempts.join_next() => match attempt {
                Some(Ok(Ok(link))) => return Ok(link),
                Some(Ok(Err(failure))) => cause = failure,
                Some(Err(_)) => cause = Failure::Broke,
                None if last => return Err(cause),
                None => {}
            },
            () = tokio::time::sleep(STAGGER), if !last => {}
        }
    }
}

/// The first address of each family for which there is a local one.
async fn requests(
    place: Option<Place>,
    account: Option<Account>,
    config: &PeerConfig,
) -> Result<Vec<Request>, Failure> {
    let place = place.ok_or(Failure::Url)?;
    let account = account.ok_or(Failure::NoCredentials)?;
    let lookup = tokio::net::lookup_host((place.host.as_str(), place.port));
    let found: Vec<SocketAddr> = tokio::time::timeout(RESOLVE, lookup)
        .await
        .map_err(|_| Failure::Unresolved)?
        .map_err(|_| Failure::Unresolved)?
        .collect();
    let first = |v4: bool| found.iter().find(|address| address.is_ipv4() == v4);
    let servers = [first(true), first(false)].into_iter().flatten();
    let tls = match place.carrier {
        Carrier::Tls => Some(tls::load(config.ca_file.clone()).await?),
        Carrier::Udp | Carrier::Tcp => None,
    };
    let requests = servers.filter_map(|server| {
        let same = |address: &&IpAddr| address.is_ipv4() == server.is_ipv4();
        let local = config.addresses.iter().find(same).copied();
        (local.is_some() || config.addresses.is_empty()).then(|| Request {
            route: Route {
                carrier: place.carrier,
                host: place.host.clone(),
                server: *server,
                local,
                ports: config.ports,
                tls: tls.clone(),
            },
            account: account.clone(),
            family: if server.is_ipv4() {
                AddressFamily::IPV4
            } else {
                AddressFamily::IPV6
            },
            both: true,
        })
    });
    Ok(requests.collect())
}
