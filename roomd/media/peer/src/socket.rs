// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A UDP socket whose reader is woken by what arrives, and by nothing else.
//!
//! The runtime's own sockets wake its thread once more for each datagram that has left, when its buffer is
//! free again. Nothing waits for that here: what the kernel does not take at once is lost like any datagram.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Socket {
    inner: AsyncFd<std::net::UdpSocket>,
}

impl Socket {
    /// Opens it; in a runtime.
    pub(crate) fn bind(address: impl Into<SocketAddr>) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address.into())?;
        socket.set_nonblocking(true)?;
        #[expect(unsafe_code, reason = "tokio asks its callers to own the descriptor")]
        // SAFETY: the socket owns its descriptor, which stays the same for as long as it lives, and the
        // registration owns the socket.
        let inner = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?;
        Ok(Self { inner })
    }

    /// Its own address.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.get_ref().local_addr()
    }

    /// Takes datagrams from this address alone, and sends to it.
    pub(crate) fn connect(&self, to: SocketAddr) -> io::Result<()> {
        self.inner.get_ref().connect(to)
    }

    /// Sends a datagram to where it is connected to, if the kernel takes it at once.
    pub(crate) fn try_send(&self, datagram: &[u8]) -> io::Result<()> {
        self.inner.get_ref().send(datagram).map(drop)
    }

    /// Sends a datagram if the kernel takes it at once.
    pub(crate) fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.inner.get_ref().send_to(datagram, to).map(drop)
    }

    /// Reads a datagram if there is one.
    pub(crate) fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let read = |socket: &std::net::UdpSocket| socket.recv_from(buffer);
        self.inner.try_io(Interest::READABLE, read)
    }

    /// Reads the next datagram.
    pub(crate) async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |socket: &std::net::UdpSocket| socket.recv(buffer);
        self.inner.async_io(Interest::READABLE, read).await
    }

    /// Whether there may be something to read.
    pub(crate) fn poll_recv_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_read_ready(context).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_not_read_at_once_is_read_later() {
        let [one, other] = [0, 0].map(|port| Socket::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        let to = other.local_addr().unwrap();
        for number in 0..100_u8 {
            one.try_send_to(&[number], to).unwrap();
        }
        let mut read = Vec::new();
        let reading = async {
            while read.len() < 100 {
                poll_fn(|context| other.poll_recv_ready(context)).await;
                let mut buffer = [0; 8];
                for _ in 0..32 {
                    let Ok((length, source)) = other.try_recv_from(&mut buffer) else {
                        break;
                    };
                    assert_eq!((length, source), (1, one.local_addr().unwrap()));
                    read.push(buffer[0]);
                }
            }
        };
        let patience = Duration::from_secs(10);
        tokio::time::timeout(patience, reading).await.unwrap();
        assert_eq!(read, (0..100).collect::<Vec<u8>>());
    }
}
