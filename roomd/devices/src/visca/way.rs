// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The way to a camera: a socket of UDP, or a connection of TCP that is made again when it breaks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use roomd_devices_core::visca::Protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tracing::warn;

use super::ViscaConfig;

/// What failed is opened again after this time, then less often.
const REOPEN: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_secs(30);
/// A camera in the same network connects within this time, and takes what is sent.
const PATIENCE: Duration = Duration::from_secs(2);

/// An open way.
enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// The way to one camera, open or not.
pub(super) struct Way {
    address: SocketAddr,
    protocol: Protocol,
    socket: Option<Socket>,
    reopen: Instant,
    pause: Duration,
}

impl Way {
    pub(super) fn new(config: ViscaConfig) -> Self {
        Self {
            address: config.address,
            protocol: config.protocol,
            socket: None,
            reopen: Instant::now(),
            pause: REOPEN,
        }
    }

    /// Opens what is closed, when it is time; true when it has just been opened.
    pub(super) async fn open(&mut self) -> bool {
        if self.socket.is_some() || Instant::now() < self.reopen {
            return false;
        }
        let opened = match self.protocol {
            Protocol::Sony | Protocol::Udp => bind(self.address).await.map(Socket::Udp),
            Protocol::Tcp => connect(self.address).await.map(Socket::Tcp),
        };
        match opened {
            Ok(socket) => self.socket = Some(socket),
            Err(error) => self.lose(&error),
        }
        self.socket.is_some()
    }

    /// When [`Self::open`] has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.socket.is_none().then_some(self.reopen)
    }

    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.socket {
            Some(Socket::Udp(socket)) => socket.recv(buffer).await,
            Some(Socket::Tcp(stream)) => match stream.read(buffer).await {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                read => read,
            },
            None => std::future::pending().await,
        }
    }

    /// What is not sent is not answered, and sent again; a connection that takes nothing fails on reading.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        match &mut self.socket {
            Some(Socket::Udp(socket)) => {
                let _ = socket.send(bytes).await;
            }
            Some(Socket::Tcp(stream)) => {
                let _ = timeout(PATIENCE, stream.write_all(bytes)).await;
            }
            None => {}
        }
    }

    /// It is broken, and opened again after a pause.
    pub(super) fn lose(&mut self, error: &io::Error) {
        if self.socket.is_some() || self.pause == REOPEN {
            warn!(address = %self.address, %error, "no way to the camera");
        }
        self.close();
    }

    /// Whoever answers nothing over TCP any more may never again on this connection.
    pub(super) fn fails(&mut self) {
        if self.protocol == Protocol::Tcp && self.socket.is_some() {
            self.close();
        }
    }

    /// The camera answers.
    pub(super) const fn works(&mut self) {
        self.pause = REOPEN;
    }

    fn close(&mut self) {
        self.socket = None;
        self.reopen = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(SELDOM);
    }
}

async fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(address).await?;
    Ok(socket)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let connected = timeout(PATIENCE, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    // Commands are few bytes, and wait for nothing.
    stream.set_nodelay(true)?;
    Ok(stream)
}
