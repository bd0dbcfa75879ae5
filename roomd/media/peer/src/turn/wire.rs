// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The socket to a server: datagrams, or frames in a stream.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};

use super::client::Outgoing;
use super::failure::Failure;
use super::frames::Frames;
use super::tls;
use super::url::Carrier;
use crate::gather;
use crate::socket::Socket;

/// Largest datagram read.
const MAX_DATAGRAM: usize = 4096;
/// Read from a stream at once.
const CHUNK: usize = 16 * 1024;
/// Bytes that may wait for a stream before datagrams are dropped: late media is of no use.
const MAX_WAITING: usize = 32 * 1024;
/// Bytes that may wait at all; a server that does not read them is lost.
const MAX_UNSENT: usize = 64 * 1024;
/// The same inside the system, in bytes.
const SYSTEM_BUFFER: u32 = 128 * 1024;

/// How a server is to be reached.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) carrier: Carrier,
    /// Named in the certificate.
    pub(super) host: String,
    pub(super) server: SocketAddr,
    /// The local address; none lets the system choose.
    pub(super) local: Option<IpAddr>,
    /// Local UDP ports.
    pub(super) ports: Option<(u16, u16)>,
    /// Who may vouch for the server, where it needs that.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

pub(super) enum Wire {
    Datagrams(Socket, Vec<u8>),
    Stream(Box<Stream>),
}

pub(super) struct Stream {
    reader: ReadHalf<Box<dyn Duplex>>,
    writer: WriteHalf<Box<dyn Duplex>>,
    frames: Frames,
    chunk: Vec<u8>,
    waiting: Vec<u8>,
    unflushed: bool,
}

impl Wire {
    /// Connects; also gives the local address.
    pub(super) async fn connect(route: &Route) -> Result<(Self, SocketAddr), Failure> {
        match route.carrier {
            Carrier::Udp => datagrams(route),
            Carrier::Tcp => {
                let (stream, local) = stream(route).await?;
                Ok((Self::streaming(Box::new(stream)), local))
            }
            Carrier::Tls => {
                let name = ServerName::try_from(route.host.clone()).map_err(|_| Failure::Url)?;
                let config = route.tls.clone().ok_or(Failure::Tls)?;
                let (stream, local) = stream(route).await?;
                let stream = tokio_rustls::TlsConnector::from(config)
                    .connect(name, stream)
                    .await
                    .map_err(|error| tls::failure(&error))?;
                Ok((Self::streaming(Box::new(stream)), local))
            }
        }
    }

    fn streaming(stream: Box<dyn Duplex>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self::Stream(Box::new(Stream {
            reader,
            writer,
            frames: Frames::default(),
            chunk: vec![0; CHUNK],
            waiting: Vec::new(),
            unflushed: false,
        }))
    }

    /// Sends now or soon; [`Wire::next`] does the waiting part.
    pub(super) fn send(&mut self, outgoing: &Outgoing) -> Result<(), Failure> {
        match self {
            Self::Datagrams(socket, _) => {
                // With a full buffer requests are repeated, and datagrams may be lost. An ICMP
                // answer is told once, to whoever comes first: here or where it is read.
                match socket.try_send(&outgoing.bytes) {
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        Err(Failure::Unreachable)
                    }
                    Ok(_) | Err(_) => Ok(()),
                }
            }
            Self::Stream(stream) => {
                let waiting = stream.waiting.len() + outgoing.bytes.len();
                if waiting > MAX_UNSENT {
                    return Err(Failure::Lost);
                }
                if waiting <= MAX_WAITING || !outgoing.datagram {
                    stream.waiting.extend_from_slice(&outgoing.bytes);
                }
                Ok(())
            }
        }
    }

    /// The next frame of the server. May be dropped and called again at any time.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Datagrams(socket, buffer) => loop {
                // An error is an ICMP answer; a server that is gone falls silent.
                match socket.recv(buffer).await {
                    Ok(length) => return Ok(buffer[..length].to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                        return Err(Failure::Unreachable);
                    }
                    Err(_) => tokio::task::yield_now().await,
                }
            },
            Self::Stream(stream) => stream.next().await,
        }
    }

    /// Sends what waits and says farewell.
    pub(super) async fn shut_down(self) {
        if let Self::Stream(mut stream) = self {
            let waiting = std::mem::take(&mut stream.waiting);
            if stream.writer.write_all(&waiting).await.is_ok() {
                let _ = stream.writer.shutdown().await;
            }
        }
    }
}

impl Stream {
    async fn next(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            match self.frames.next() {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(_) => return Err(Failure::Malformed),
            }
            let idle = self.waiting.is_empty();
            let pushed = push(&mut self.writer, &self.waiting);
            tokio::select! {
                read = self.reader.read(&mut self.chunk) => match read {
                    Ok(0) | Err(_) => return Err(Failure::Lost),
                    Ok(length) => self.frames.push(&self.chunk[..length]),
                },
                pushed = pushed, if !idle || self.unflushed => match pushed {
                    Ok(0) if !idle => return Err(Failure::Lost),
                    Ok(length) => {
                        self.waiting.drain(..length);
                        self.unflushed = !idle;
                    }
                    Err(_) => return Err(Failure::Lost),
                },
            }
        }
    }
}

/// Writes some of what waits, or flushes when nothing does.
async fn push(writer: &mut WriteHalf<Box<dyn Duplex>>, waiting: &[u8]) -> io::Result<usize> {
    if waiting.is_empty() {
        writer.flush().await.map(|()| 0)
    } else {
        writer.write(waiting).await
    }
}

fn datagrams(route: &Route) -> Result<(Wire, SocketAddr), Failure> {
    let address = route.local.unwrap_or_else(|| unspecified(route.server));
    let socket = gather::bind(address, route.ports).ok_or(Failure::NoAddress)?;
    let connected = socket.connect(route.server);
    connected.map_err(|_| Failure::Unreachable)?;
    let local = socket.local_addr().map_err(|_| Failure::NoAddress)?;
    Ok((Wire::Datagrams(socket, vec![0; MAX_DATAGRAM]), local))
}

async fn stream(route: &Route) -> Result<(TcpStream, SocketAddr), Failure> {
    let socket = if route.server.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(|_| Failure::NoAddress)?;
    if let Some(local) = route.local {
        socket
            .bind((local, 0).into())
            .map_err(|_| Failure::NoAddress)?;
    }
    // A large buffer of the system's would turn a slow path into a late one.
    let _ = socket.set_send_buffer_size(SYSTEM_BUFFER);
    let stream = socket
        .connect(route.server)
        .await
        .map_err(|_| Failure::Unreachable)?;
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().map_err(|_| Failure::NoAddress)?;
    Ok((stream, local))
}

const fn unspecified(server: SocketAddr) -> IpAddr {
    match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
