// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What sessions open themselves: WebSockets, requests, services of this device.
//!
//! Each channel is a task of its own, which reports through [`SessionHandle::channel_when_free`]: a
//! session that is slow slows its servers down, and no queue holds more than a bounded number of
//! messages and bytes. What waits for a server is bounded too; a server that does not take it is
//! given up, because the session must not wait for it.
//!
//! A channel that its session closes sends what was said before, and tells nothing more. When the
//! session ends, so do all its channels: farewells that were said are sent, for a few seconds.
//!
//! Invariants: certificates are verified, always; nothing travels in the clear but to this machine;
//! no address and no message reaches a log. Where channels lead is the session's to say: the room
//! starts sessions only for meetings on its allow-list.

mod clients;
mod line;
mod request;
mod service;
mod socket;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, Endpoint, Refusal};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::session::SessionHandle;

use clients::Clients;
use line::{Closing, Full, Inbox, Line, Message};
pub use service::{Attachment, Services};

/// Channels that one session may have open; more are refused.
const MAX_OPEN: usize = 64;
/// How long a channel may go on sending what its session said before it went.
const FAREWELL: Duration = Duration::from_secs(3);

/// Where the channels of sessions lead.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A certificate authority to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// What this device offers to sessions.
    pub services: Services,
}

/// The channels of one session.
#[derive(Debug)]
pub struct Channels {
    session: SessionHandle,
    ways: Arc<Ways>,
    lines: BTreeMap<ChannelId, Line>,
    /// Every task holds a clone, so that its other end tells when the last one is gone.
    running: mpsc::Sender<Infallible>,
    finished: mpsc::Receiver<Infallible>,
}

/// What every channel of a session shares.
#[derive(Debug)]
struct Ways {
    clients: Clients,
    services: Services,
}

impl Channels {
    /// No channels yet.
    #[must_use]
    pub fn new(settings: Settings, session: SessionHandle) -> Self {
        let (running, finished) = mpsc::channel(1);
        let ways = Ways {
            clients: Clients::new(settings.ca_file),
            services: settings.services,
        };
        Self {
            session,
            ways: Arc::new(ways),
            lines: BTreeMap::new(),
            running,
            finished,
        }
    }

    /// Whether a channel is one of those that a session opens, rather than a guest's.
    #[must_use]
    pub const fn owns(id: ChannelId) -> bool {
        id.0 >= ChannelId::FIRST_OWN
    }

    /// Does what the session wants with a channel. Never waits.
    pub fn command(&mut self, id: ChannelId, command: ChannelCommand) {
        match command {
            ChannelCommand::Open(endpoint) => self.open(id, endpoint),
            ChannelCommand::Text(text) => self.send(id, Message::Text(text)),
            ChannelCommand::Binary(bytes) => self.send(id, Message::Binary(bytes)),
            ChannelCommand::Close => {
                if let Some(line) = self.lines.remove(&id) {
                    line.close();
                }
            }
        }
    }

    /// Closes everything; the future ends when that is done, in three seconds at most. Nobody needs
    /// to wait for it.
    pub fn close(self) -> impl Future<Output = ()> + Send + 'static {
        let Self { mut finished, .. } = self;
        async move {
            // Nothing is ever sent: this is the end of the last task.
            let _ = finished.recv().await;
        }
    }

    fn open(&mut self, id: ChannelId, endpoint: Endpoint) {
        self.lines.retain(|_, line| !line.is_gone());
        let busy = self.lines.len() >= MAX_OPEN;
        let reporter = self.reporter(id);
        let Entry::Vacant(place) = self.lines.entry(id) else {
            warn!(channel = id.0, "a session opens a channel twice");
            return;
        };
        if busy {
            warn!(channel = id.0, "a session has too many channels");
            report_alone(reporter, ChannelEvent::Refused(Refusal::Unreachable));
            return;
        }
        let (line, inbox, closing) = line::line();
        place.insert(line);
        let (ways, running) = (Arc::clone(&self.ways), self.running.clone());
        tokio::spawn(async move {
            let mut ending = closing.clone();
            tokio::select! {
                () = run(&ways, endpoint, &reporter, inbox, closing) => {}
                () = async { ending.begun().await; tokio::time::sleep(FAREWELL).await } => {
                    debug!(channel = id.0, "a channel did not end in time");
                }
            }
            drop(running);
        });
    }

    fn send(&mut self, id: ChannelId, message: Message) {
        let Some(line) = self.lines.get(&id) else {
            debug!(channel = id.0, "a message for a channel that is gone");
            return;
        };
        if let Err(Full) = line.send(message) {
            warn!(channel = id.0, "a server does not take what it is told");
            self.lines.remove(&id);
            report_alone(self.reporter(id), ChannelEvent::Closed);
        }
    }

    fn reporter(&self, id: ChannelId) -> Reporter {
        Reporter {
            id,
            session: self.session.clone(),
        }
    }
}

async fn run(ways: &Ways, endpoint: Endpoint, reporter: &Reporter, inbox: Inbox, closing: Closing) {
    match endpoint {
        Endpoint::WebSocket { url, bearer } => {
            socket::run(&ways.clients, (url, bearer), reporter, inbox, closing).await;
        }
        Endpoint::Http(request) => request::run(&ways.clients, request, reporter, closing).await,
        Endpoint::Service(name) => {
            service::run(ways.services.get(name), reporter, inbox, closing).await;
        }
    }
}

/// Tells a session what happens on one of its channels.
#[derive(Debug)]
struct Reporter {
    id: ChannelId,
    session: SessionHandle,
}

impl Reporter {
    /// Waits until the session has room for it. A session that ended hears nothing, and its channels
    /// end by themselves.
    async fn tell(&self, event: ChannelEvent) {
        let _ = self.session.channel_when_free(self.id, event).await;
    }

    async fn refused(&self, refusal: Refusal) {
        debug!(channel = self.id.0, %refusal, "a channel is refused");
        self.tell(ChannelEvent::Refused(refusal)).await;
    }
}

fn report_alone(reporter: Reporter, event: ChannelEvent) {
    tokio::spawn(async move { reporter.tell(event).await });
}
