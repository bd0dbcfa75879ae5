// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Element Call: a meeting in a Matrix room (MatrixRTC, MSC4143), whose media goes over LiveKit
//! servers (MSC4195) and is encrypted from end to end with keys that only participants have.
//!
//! The room takes part with its own Matrix account, a service of the device (`roomd_matrix_port`);
//! each LiveKit server of the meeting is a connection of its own (`roomd_livekit`).
#![deny(missing_docs)]

mod link;
mod members;
mod random;
mod session;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use roomd_conference::{Capabilities, JoinRequest, Provider, Session};
use roomd_model::{MeetingLink, Now, Pii, ProviderId};
use url::Url;

use session::{MatrixRtcSession, Setup};

/// The platform's id.
pub const ID: &str = "element-call";

/// Stream numbers begin here, apart from those of other platforms.
const FIRST_STREAM: u32 = 1 << 24;

/// What the platform needs to know.
#[derive(Clone, Debug)]
pub struct MatrixRtcConfig {
    /// Hosts of Element Call whose links the room joins.
    pub hosts: Vec<String>,
    /// Joins links to Matrix rooms (`matrix.to` and `matrix:`) too.
    pub matrix_to: bool,
    /// The Matrix server of rooms whose link names none.
    pub default_server: String,
    /// Joins no meeting that is not encrypted from end to end.
    pub encryption_required: bool,
}

/// The provider of Element Call's meetings.
#[derive(Clone, Debug)]
pub struct MatrixRtc {
    config: MatrixRtcConfig,
    // Stream ids stay unique over the meetings of the daemon's life, so sessions share the counter.
    streams: Arc<AtomicU32>,
}

impl MatrixRtc {
    /// Meetings on these hosts.
    #[must_use]
    pub fn new(config: MatrixRtcConfig) -> Self {
        Self {
            config,
            streams: Arc::new(AtomicU32::new(FIRST_STREAM)),
        }
    }

    /// The link to be opened: a `matrix:` URI is one of matrix.to.
    fn link<'a>(&self, url: &'a Url) -> Option<Cow<'a, Url>> {
        let link = if link::is_matrix_uri(url) {
            Cow::Owned(link::from_uri(url)?)
        } else {
            Cow::Borrowed(url)
        };
        (self.is_ours(&link) && link::names_something(&link)).then_some(link)
    }

    fn is_ours(&self, url: &Url) -> bool {
        let (Some(host), "https" | "http") = (url.host_str(), url.scheme()) else {
            return false;
        };
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        let named = |configured: &String| {
            configured.eq_ignore_ascii_case(host) || Some(configured) == with_port.as_ref()
        };
        self.config.hosts.iter().any(named) || self.config.matrix_to && link::is_matrix_to(url)
    }
}

impl Provider for MatrixRtc {
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
            hosts: false,
        }
    }

    fn recognise(&self, url: &Url) -> Option<MeetingLink> {
        let (url, password) = link::without_password(&*self.link(url)?);
        Some(MeetingLink {
            provider: self.id(),
            url: Pii::new(url),
            protected: password.is_some(),
            password,
        })
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        let target = link::target(&*self.link(url)?, &self.config.default_server);
        target.map(|target| target.room)
    }

    fn hosts(&self) -> Vec<String> {
        let matrix_to = self.config.matrix_to.then(|| link::MATRIX_TO.to_owned());
        self.config.hosts.iter().cloned().chain(matrix_to).collect()
    }

    fn start(&self, join: JoinRequest, _now: Now) -> Box<dyn Session> {
        let setup = Setup {
            target: link::target(join.link.url.expose(), &self.config.default_server),
            password: join.link.password,
            protected: join.link.protected,
            takes_password: !link::is_matrix_to(join.link.url.expose()),
            encryption_required: self.config.encryption_required,
            room_name: Pii::new(join.room_name),
        };
        let streams = Arc::clone(&self.streams);
        Box::new(MatrixRtcSession::new(setup, join.seed, streams))
    }
}
