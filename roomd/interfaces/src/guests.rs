// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::Pii;
use tokio::sync::mpsc;

/// Commands that wait for one guest's page at most; when it is full, the page does not read.
pub(crate) const COMMANDS: usize = 256;

/// What the guests' pages send, for whoever speaks the direct protocol.
#[derive(Debug)]
pub enum GuestEvent {
    /// A page connected.
    Opened {
        /// Names the connection; never used twice in the daemon's life.
        channel: u64,
        /// The meeting's id as the address names it; only its syntax was checked.
        meeting: Pii<String>,
        /// To the page. Dropping it closes the connection; so should whoever finds it full,
        /// because that page does not read.
        commands: mpsc::Sender<GuestCommand>,
    },
    /// A page sent a message.
    Text {
        /// Which page.
        channel: u64,
        /// At most 64 KiB of unchecked text.
        text: Pii<String>,
    },
    /// A page is gone; always the last event of its channel.
    Closed {
        /// Which page.
        channel: u64,
    },
}

/// What a guest's page is told.
#[derive(Clone, Debug)]
pub enum GuestCommand {
    /// Sends a message.
    Text(Pii<String>),
    /// Closes the connection.
    Close,
}

/// Where the guests' connections report to.
#[derive(Clone, Debug)]
pub struct GuestPort {
    pub(crate) events: mpsc::Sender<GuestEvent>,
}

impl GuestPort {
    /// A port and its far end; a full queue holds the pages back, one by one.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<GuestEvent>) {
        let (events, receiver) = mpsc::channel(COMMANDS);
        (Self { events }, receiver)
    }
}
