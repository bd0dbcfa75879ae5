// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Direct meetings: the room itself offers a meeting that browsers join.
//!
//! Every guest's page holds one WebSocket to the room ([`wire`]) and one WebRTC connection to the
//! room and to each other guest. The room relays what two guests need to find each other, and
//! answers the offers that are addressed to itself.
//!
//! Invariants: at most `max_guests` guests are admitted; nobody reads of the meeting before they
//! are admitted; the `from` of every relayed message is who really sent it, and nobody but the
//! room speaks as [`wire::ROOM`].
#![deny(missing_docs)]

mod limit;
mod link;
pub mod notice;
mod random;
mod sdp;
mod session;
mod text;
mod typescript;
pub mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use roomd_conference::{Capabilities, IceServer, JoinRequest, Provider, Session};
use roomd_model::{MeetingLink, Now, Pii, ProviderId};
use url::Url;

pub use link::{fresh_id, meeting_id};
pub use random::Random;
pub use typescript::typescript;

use link::Host;
use session::{DirectSession, Setup};

/// The platform's id.
pub const ID: &str = "direct";

/// What direct meetings need to know of the room.
#[derive(Clone, Debug)]
pub struct DirectConfig {
    /// The room's own addresses, as `host` (any port) or `host:port`. The first one names fresh
    /// meetings.
    pub hosts: Vec<String>,
    /// The most guests that are in a meeting at once.
    pub max_guests: usize,
    /// STUN and TURN servers for the room; guests are told the STUN servers only.
    pub ice_servers: Vec<IceServer>,
}

impl Default for DirectConfig {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            max_guests: 6,
            ice_servers: Vec::new(),
        }
    }
}

/// The provider of direct meetings.
#[derive(Clone, Debug)]
pub struct Direct {
    config: DirectConfig,
    hosts: Vec<Host>,
    // Stream ids stay unique over the meetings of the daemon's life, so sessions share the counter.
    streams: Arc<AtomicU32>,
}

impl Direct {
    /// Direct meetings on these addresses; an address that is none is left out.
    #[must_use]
    pub fn new(config: DirectConfig) -> Self {
        let hosts = config.hosts.iter().filter_map(|host| Host::parse(host));
        Self {
            hosts: hosts.collect(),
            config,
            streams: Arc::new(AtomicU32::new(1)),
        }
    }

    fn is_ours(&self, url: &Url) -> bool {
        self.hosts.iter().any(|host| host.matches(url))
    }
}

impl Provider for Direct {
    fn id(&self) -> ProviderId {
        ProviderId::new(ID)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            admits: true,
            chat: true,
            hands: true,
            content: true,
            e2ee: true,
            hosts: true,
        }
    }

    fn recognise(&self, url: &Url) -> Option<MeetingLink> {
        let id = meeting_id(url).filter(|_| self.is_ours(url))?;
        let mut clean = url.clone();
        clean.set_path(&format!("/meet/{id}"));
        clean.set_query(None);
        clean.set_fragment(None);
        Some(MeetingLink {
            provider: self.id(),
            url: Pii::new(clean),
            password: None,
            protected: false,
        })
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        meeting_id(url).filter(|_| self.is_ours(url)).map(Pii::new)
    }

    fn hosts(&self) -> Vec<String> {
        self.config.hosts.clone()
    }

    fn fresh_meeting(&self, seed: [u8; 32]) -> Option<Url> {
        let host = self.hosts.first()?;
        host.meeting(&fresh_id(&mut Random::new(seed)))
    }

    fn start(&self, join: JoinRequest, now: Now) -> Box<dyn Session> {
        let setup = Setup {
            room_name: text::name(&join.room_name).unwrap_or_else(|| "Room".to_owned()),
            password: join.link.password,
            max_guests: self.config.max_guests.max(1),
            ice_servers: self.config.ice_servers.clone(),
        };
        let random = Random::new(join.seed);
        let streams = Arc::clone(&self.streams);
        Box::new(DirectSession::new(setup, random, streams, now))
    }
}
