// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Services of this device that sessions open channels to.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use roomd_conference::{ChannelEvent, Refusal};
use roomd_model::Pii;
use tokio::sync::mpsc;
use tracing::warn;

use super::Reporter;
use super::line::{Closing, Inbox, Message};

/// A session's line to a service. Dropping either end ends it.
#[derive(Debug)]
pub struct Attachment {
    /// What the session says.
    pub to: mpsc::Sender<Pii<String>>,
    /// What the service says.
    pub from: mpsc::Receiver<Pii<String>>,
}

type Attaching = Pin<Box<dyn Future<Output = Attachment> + Send>>;
type Attach = Arc<dyn Fn() -> Attaching + Send + Sync>;

/// The services by their names.
#[derive(Clone, Default)]
pub struct Services(BTreeMap<&'static str, Attach>);

impl Services {
    /// Offers a service; `attach` gives a new session its line.
    pub fn add<F>(&mut self, name: &'static str, attach: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Attachment> + Send + 'static,
    {
        self.0
            .insert(name, Arc::new(move || Box::pin(attach()) as Attaching));
    }

    pub(super) fn get(&self, name: &str) -> Option<Attach> {
        self.0.get(name).cloned()
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

pub(super) async fn run(
    attach: Option<Attach>,
    reporter: &Reporter,
    mut inbox: Inbox,
    mut closing: Closing,
) {
    let Some(attach) = attach else {
        return reporter.refused(Refusal::NoService).await;
    };
    let Attachment { to, mut from } = tokio::select! {
        attached = attach() => attached,
        _ = closing.begun() => return,
    };
    reporter.tell(ChannelEvent::Opened).await;
    tokio::select! {
        () = write(&mut inbox, &to) => {}
        () = read(&mut from, reporter) => reporter.tell(ChannelEvent::Closed).await,
    }
}

/// Passes on until the session wants no more.
async fn write(inbox: &mut Inbox, to: &mpsc::Sender<Pii<String>>) {
    while let Some(message) = inbox.next().await {
        match message {
            Message::Text(text) => {
                // A service that is gone may have said why: reading finds that, and the end.
                let _ = to.send(text).await;
            }
            Message::Binary(_) => warn!("a session sends a service what only servers take"),
        }
    }
}

async fn read(from: &mut mpsc::Receiver<Pii<String>>, reporter: &Reporter) {
    while let Some(text) = from.recv().await {
        reporter.tell(ChannelEvent::Text(text)).await;
    }
}
