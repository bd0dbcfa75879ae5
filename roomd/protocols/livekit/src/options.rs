// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a connection is made with.

use std::collections::BTreeMap;
use std::time::Duration;

use roomd_conference::{FrameScheme, IceServer};
use roomd_model::{Pii, Secret};
use url::Url;

/// What a connection is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server: `wss:` or `https:` (`ws:` or `http:` on this machine only), with or without a
    /// path. `/rtc` is appended.
    pub url: Pii<Url>,
    /// The access token.
    pub token: Secret,
    /// What is sent, and in which state it begins. Empty on a server that is only listened to; see
    /// [`crate::Connection::publish`] for later.
    pub publish: Vec<Publish>,
    /// How frames are encrypted from end to end; none where they are not. Cannot change later.
    pub encryption: Option<FrameScheme>,
    /// Takes and sends data packets.
    pub data: bool,
    /// STUN and TURN servers of the room's own, besides those that the server names.
    pub ice_servers: Vec<IceServer>,
    /// Attributes to join with. The server refuses a token that does not allow the room to set them.
    pub attributes: BTreeMap<String, Pii<String>>,
    /// How long joining may take, with all its attempts.
    pub join_limit: Duration,
    /// How long a connection that was lost is tried again.
    pub reconnect_limit: Duration,
    /// Spreads attempts of many rooms after a server's restart; from the session's seed.
    pub jitter: u64,
}

impl Options {
    /// Listens to all, sends nothing, without encryption of frames.
    #[must_use]
    pub fn new(url: Pii<Url>, token: Secret) -> Self {
        Self {
            url,
            token,
            publish: Vec::new(),
            encryption: None,
            data: false,
            ice_servers: Vec::new(),
            attributes: BTreeMap::new(),
            join_limit: Duration::from_secs(25),
            reconnect_limit: Duration::from_secs(110),
            jitter: 0,
        }
    }
}

/// A local source that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish {
    /// What.
    pub source: roomd_conference::LocalSource,
    /// The others are told that it is muted.
    pub muted: bool,
}
