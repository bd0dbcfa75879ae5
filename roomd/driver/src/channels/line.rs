// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The way from a session to one of its channels: bounded in messages and in bytes.

use std::sync::Arc;

use roomd_model::Pii;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// Messages that may wait for one server.
const MESSAGES: usize = 1024;
/// Bytes that may wait for one server: a few of the largest messages.
const BYTES: usize = 8 * 1024 * 1024;

/// What a session says.
#[derive(Debug)]
pub(super) enum Message {
    Text(Pii<String>),
    Binary(Pii<Vec<u8>>),
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.expose().len(),
            Self::Binary(bytes) => bytes.expose().len(),
        }
    }
}

/// Too much waits already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// How a channel ends from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The session closed it.
    Closed,
    /// The session is gone, or its messages are too many.
    Abandoned,
}

/// The session's end. Dropping it ends the channel, after what was said before.
#[derive(Debug)]
pub(super) struct Line {
    messages: mpsc::Sender<(Message, OwnedSemaphorePermit)>,
    bytes: Arc<Semaphore>,
    closed: watch::Sender<bool>,
}

/// The channel's end.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: mpsc::Receiver<(Message, OwnedSemaphorePermit)>,
    /// Counts the message that is on its way out.
    sending: Option<OwnedSemaphorePermit>,
}

/// Knows when the session wants no more of the channel.
#[derive(Clone, Debug)]
pub(super) struct Closing(watch::Receiver<bool>);

pub(super) fn line() -> (Line, Inbox, Closing) {
    let (to_channel, messages) = mpsc::channel(MESSAGES);
    let (closed, closing) = watch::channel(false);
    let line = Line {
        messages: to_channel,
        bytes: Arc::new(Semaphore::new(BYTES)),
        closed,
    };
    let inbox = Inbox {
        messages,
        sending: None,
    };
    (line, inbox, Closing(closing))
}

impl Line {
    pub fn send(&self, message: Message) -> Result<(), Full> {
        let bytes = u32::try_from(message.len()).map_err(|_| Full)?;
        let room = Arc::clone(&self.bytes)
            .try_acquire_many_owned(bytes)
            .map_err(|_| Full)?;
        match self.messages.try_send((message, room)) {
            // A channel that is gone has said so, or is about to.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Full),
        }
    }

    pub fn close(self) {
        self.closed.send_replace(true);
    }

    pub fn is_gone(&self) -> bool {
        self.messages.is_closed()
    }
}

impl Inbox {
    /// The next message; none when the session wants no more of the channel.
    pub async fn next(&mut self) -> Option<Message> {
        self.sending = None;
        let (message, room) = self.messages.recv().await?;
        self.sending = Some(room);
        Some(message)
    }
}

impl Closing {
    /// Waits until the session wants no more of the channel.
    pub async fn begun(&mut self) -> Ending {
        match self.0.wait_for(|closed| *closed).await {
            Ok(_) => Ending::Closed,
            Err(_) => Ending::Abandoned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> Message {
        Message::Text(Pii::new("x".repeat(bytes)))
    }

    #[tokio::test]
    async fn messages_and_bytes_are_bounded_and_free_again_when_sent() {
        let (line, mut inbox, _closing) = line();
        for _ in 0..MESSAGES {
            line.send(text(1)).unwrap();
        }
        assert_eq!(line.send(text(1)), Err(Full));
        for _ in 0..MESSAGES {
            inbox.next().await.unwrap();
        }
        assert_eq!(line.send(text(BYTES)), Err(Full), "one is on its way out");
        line.send(text(BYTES - 1)).unwrap();
        assert_eq!(line.send(text(1)), Err(Full));
        inbox.next().await.unwrap();
        drop(line);
        assert!(inbox.next().await.is_none());
    }

    #[tokio::test]
    async fn what_was_said_before_the_end_is_kept_and_the_end_is_known() {
        for (close, ending) in [(true, Ending::Closed), (false, Ending::Abandoned)] {
            let (line, mut inbox, mut closing) = line();
            line.send(text(3)).unwrap();
            if close {
                line.close();
            } else {
                drop(line);
            }
            assert_eq!(closing.begun().await, ending);
            assert_eq!(closing.begun().await, ending, "for whoever asks later too");
            assert!(inbox.next().await.is_some());
            assert!(inbox.next().await.is_none());
        }
    }
}
