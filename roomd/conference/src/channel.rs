// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Signalling channels: a guest's WebSocket, a connection to a server, a request.

use roomd_model::{Pii, Secret};
use url::Url;

/// Names one signalling channel. Guests' channels are numbered from below by the room's web server;
/// a session numbers those that it opens from [`ChannelId::FIRST_OWN`] on and uses no number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

impl ChannelId {
    /// The first number for channels that a session opens itself.
    pub const FIRST_OWN: u64 = 1 << 32;
}

/// What a session opens a channel to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A WebSocket (RFC 6455), answered with [`ChannelEvent::Opened`] or [`ChannelEvent::Refused`].
    WebSocket {
        /// A `wss:` address; `ws:` on this machine only.
        url: Pii<Url>,
        /// A token for the `Authorization` header (RFC 6750).
        bearer: Option<Secret>,
    },
    /// One HTTP request, answered with [`ChannelEvent::Response`] or [`ChannelEvent::Refused`], after
    /// which the channel is gone.
    Http(HttpRequest),
    /// A service of this device that the configuration sets up, by its name: the account that the
    /// room has with a messenger, for example. It speaks text messages of its own protocol.
    Service(&'static str),
}

/// A request whose answer is text of at most 1 MiB. No redirect is followed to another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// An `https:` address; `http:` on this machine only.
    pub url: Pii<Url>,
    /// A token for the `Authorization` header (RFC 6750).
    pub bearer: Option<Secret>,
    /// JSON to send.
    pub json: Option<Pii<String>>,
}

/// The method of a request (RFC 9110).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

/// What happens on a channel.
#[derive(Clone, Debug)]
pub enum ChannelEvent {
    /// It is open.
    Opened,
    /// A text message arrived: at most 64 KiB from a guest, 2 MiB from a server.
    Text(Pii<String>),
    /// A binary message arrived, at most 2 MiB.
    Binary(Pii<Vec<u8>>),
    /// The answer to a request; the channel is gone.
    Response {
        /// The status (RFC 9110).
        status: u16,
        /// What it says.
        body: Pii<String>,
    },
    /// It could not be opened.
    Refused(Refusal),
    /// It is gone.
    Closed,
}

/// Why a channel could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address is neither encrypted nor on this machine, or a redirect leads to another host.
    #[error("the address is not secure")]
    Address,
    /// Nobody answers there, or not in time.
    #[error("the server does not answer")]
    Unreachable,
    /// The server's certificate does not verify.
    #[error("the server's certificate does not verify")]
    Certificate,
    /// The server refuses a WebSocket with this status.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// The answer is larger than allowed, or no answer of this protocol.
    #[error("the server's answer makes no sense")]
    Unexpected,
    /// The device has no such service.
    #[error("the device has no such service")]
    NoService,
}

/// What a session does with a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelCommand {
    /// Opens it, with a number that was not used before.
    Open(Endpoint),
    /// Sends a text message.
    Text(Pii<String>),
    /// Sends a binary message.
    Binary(Pii<Vec<u8>>),
    /// Closes it, after what was sent before.
    Close,
}
