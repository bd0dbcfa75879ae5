// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Finding the addresses of a connection: one socket for each local address, and what STUN servers
//! see of it (RFC 8489).

mod addresses;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod stun;

pub(crate) use addresses::local as addresses;

use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::socket::Socket;
use crate::{PeerConfig, turn};

/// What STUN may cost.
const BUDGET: Duration = Duration::from_secs(1);
/// First retransmission, doubled each time (RFC 8489, section 6.2.1).
const RETRANSMISSION: Duration = Duration::from_millis(500);
/// Most STUN servers asked.
const MAX_SERVERS: usize = 4;

/// A socket and what was found out about it.
#[derive(Debug)]
pub(crate) struct Local {
    /// Bound to one address.
    pub(crate) socket: Socket,
    /// That address.
    pub(crate) address: SocketAddr,
    /// The addresses that STUN servers saw.
    pub(crate) mapped: Vec<SocketAddr>,
}

/// Opens sockets on these addresses and asks the STUN servers. An address that cannot be used, or
/// not yet, is left out.
pub(crate) async fn gather(config: &PeerConfig, addresses: &[IpAddr]) -> Vec<Local> {
    let mut locals = Vec::new();
    for &address in addresses {
        if let Some(socket) = bind(address, config.ports)
            && let Ok(address) = socket.local_addr()
        {
            locals.push(Local {
                socket,
                address,
                mapped: Vec::new(),
            });
        }
    }
    let urls = config.ice_servers.iter().map(|server| server.url.as_str());
    let (stun, skipped) = stun::servers(urls.filter(|url| !turn::is_turn(url)));
    if skipped > 0 {
        tracing::warn!(skipped, "a server is neither for STUN nor for TURN");
    }
    if stun.is_empty() || locals.is_empty() {
        return locals;
    }
    let deadline = Instant::now() + BUDGET;
    let asked = async {
        let servers = resolve(&stun[..stun.len().min(MAX_SERVERS)]).await;
        ask(&mut locals, &servers).await;
    };
    // What was found before the deadline stays.
    let _ = tokio::time::timeout_at(deadline, asked).await;
    locals
}

/// Opens a socket on a port of the range, or any.
pub(crate) fn bind(address: IpAddr, ports: Option<(u16, u16)>) -> Option<Socket> {
    let Some((low, high)) = ports else {
        return Socket::bind((address, 0)).ok();
    };
    let mut range = low.min(high)..=low.max(high);
    range.find_map(|port| Socket::bind((address, port)).ok())
}

async fn resolve(servers: &[(String, u16)]) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    for (host, port) in servers {
        let Ok(addresses) = tokio::net::lookup_host((host.as_str(), *port)).await else {
            continue;
        };
        let addresses: Vec<SocketAddr> = addresses.collect();
        found.extend(addresses.iter().find(|address| address.is_ipv4()));
        found.extend(addresses.iter().find(|address| address.is_ipv6()));
    }
    found
}

/// Asks every server from every socket, until all have answered or the caller stops it.
async fn ask(locals: &mut [Local], servers: &[SocketAddr]) {
    let mut requests = Vec::new();
    for (index, local) in locals.iter().enumerate() {
        for &server in servers {
            if server.is_ipv4() == local.address.is_ipv4() {
                requests.push((index, stun::Request::new(server)));
            }
        }
    }
    let mut interval = RETRANSMISSION;
    while !requests.is_empty() {
        for (index, request) in &requests {
            // A failed send is a server that cannot be reached from this address.
            let socket = &locals[*index].socket;
            let _ = socket.try_send_to(request.bytes(), request.server());
        }
        let until = Instant::now() + interval;
        interval *= 2;
        while !requests.is_empty() {
            let Ok((index, source, datagram)) =
                tokio::time::timeout_at(until, receive(locals)).await
            else {
                break;
            };
            let local = &mut locals[index];
            requests.retain(|(at, request)| {
                let mapped = (*at == index)
                    .then(|| request.answer(source, &datagram))
                    .flatten();
                if let Some(mapped) = mapped
                    && mapped != local.address
                    && !local.mapped.contains(&mapped)
                {
                    local.mapped.push(mapped);
                }
                mapped.is_none()
            });
        }
    }
}

async fn receive(locals: &[Local]) -> (usize, SocketAddr, Vec<u8>) {
    let mut buffer = vec![0; 2048];
    std::future::poll_fn(|context| {
        for (index, local) in locals.iter().enumerate() {
            if local.socket.poll_recv_ready(context).is_pending() {
                continue;
            }
            match local.socket.try_recv_from(&mut buffer) {
                Ok((length, source)) => {
                    return Poll::Ready((index, source, buffer[..length].to_vec()));
                }
                // Nothing is there after all, or an ICMP answer to an earlier request is, and the next
                // datagram may be good.
                Err(_) => context.waker().wake_by_ref(),
            }
        }
        Poll::Pending
    })
    .await
}
