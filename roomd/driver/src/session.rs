// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The async shell of one session: the only place where a session meets time and channels.
//!
//! One task owns the session. Whatever concerns it arrives as an [`Input`] through the
//! [`SessionHandle`]; whatever it wants leaves as an [`Output`] through one bounded channel, in the
//! order in which the session said it, because the order between signalling and media matters.
//! The shell never waits for the reader while holding on to the handle's callers: a full input
//! queue is an error for the caller, who drops the flooding channel or the session.
//!
//! Channels that the session opens itself run in tasks of their own, see [`crate::channels`]; they
//! report back through [`SessionHandle::channel_when_free`]. Of a channel that the session has closed
//! it hears nothing more, whatever waits in the queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;
use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Event, Input, MediaEvent, Output, Session,
};
use roomd_model::Now;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{debug, warn};

/// Inputs that may wait for the session.
const INPUTS: usize = 1024;
/// Bytes from servers that may wait for the session: a few of the largest messages.
const WAITING_BYTES: usize = 8 * 1024 * 1024;
/// Outputs that may wait for the owner.
const OUTPUTS: usize = 1024;
/// Outputs of one input; a session that says more is broken and is ended.
const MAX_BURST: usize = 100_000;

/// Reads both clocks.
pub type Clock = fn() -> Now;

/// Both clocks of the machine; in tests with paused time, the monotonic one is the paused one.
#[must_use]
pub fn system_clock() -> Now {
    Now {
        mono: Instant::now().into_std(),
        utc: Utc::now(),
    }
}

/// The session takes no more inputs: it ended, or too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// It ended.
    #[error("the session ended")]
    Ended,
    /// Too many inputs wait.
    #[error("the session's queue is full")]
    Full,
}

/// Feeds a running session. Dropping the last clone stops the task.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    inputs: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
    bad_messages: Arc<AtomicU64>,
}

/// An input in the queue.
#[derive(Debug)]
struct Waiting {
    input: Input,
    /// Counts its bytes until the session has it.
    _bytes: Option<OwnedSemaphorePermit>,
}

impl SessionHandle {
    /// A person wants something.
    ///
    /// # Errors
    ///
    /// When the session ended or does not keep up.
    pub fn command(&self, command: Command) -> Result<(), FeedError> {
        self.feed(Input::Command(command))
    }

    /// Something happened on a channel. On [`FeedError::Full`] the caller drops the channel.
    ///
    /// # Errors
    ///
    /// When the session ended or does not keep up.
    pub fn channel(&self, channel: ChannelId, event: ChannelEvent) -> Result<(), FeedError> {
        self.feed(Input::Channel(channel, event))
    }

    /// The media engine has news.
    ///
    /// # Errors
    ///
    /// When the session ended or does not keep up.
    pub fn media(&self, event: MediaEvent) -> Result<(), FeedError> {
        self.feed(Input::Media(event))
    }

    /// Waits for space in the queue, in messages and in bytes; for channel readers, so that TCP itself
    /// slows a flood down.
    ///
    /// # Errors
    ///
    /// When the session ended.
    pub async fn channel_when_free(
        &self,
        channel: ChannelId,
        event: ChannelEvent,
    ) -> Result<(), FeedError> {
        let bytes = u32::try_from(bytes_of(&event).min(WAITING_BYTES)).unwrap_or(u32::MAX);
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(bytes).await;
        let waiting = Waiting {
            input: Input::Channel(channel, event),
            _bytes: bytes.ok(),
        };
        self.inputs
            .send(waiting)
            .await
            .map_err(|_| FeedError::Ended)
    }

    /// Signalling messages that did not parse, so far.
    #[must_use]
    pub fn bad_messages(&self) -> u64 {
        self.bad_messages.load(Ordering::Relaxed)
    }

    fn feed(&self, input: Input) -> Result<(), FeedError> {
        let waiting = Waiting {
            input,
            _bytes: None,
        };
        self.inputs.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => FeedError::Full,
            mpsc::error::TrySendError::Closed(_) => FeedError::Ended,
        })
    }
}

fn bytes_of(event: &ChannelEvent) -> usize {
    match event {
        ChannelEvent::Text(text) | ChannelEvent::Response { body: text, .. } => text.expose().len(),
        ChannelEvent::Binary(bytes) => bytes.expose().len(),
        ChannelEvent::Opened | ChannelEvent::Refused(_) | ChannelEvent::Closed => 0,
    }
}

/// Runs a session until it ends, or until nobody holds its handle or reads its outputs.
///
/// The outputs end after [`Event::Ended`], or without it when the task was stopped.
pub fn spawn(
    session: Box<dyn Session>,
    clock: Clock,
) -> (SessionHandle, mpsc::Receiver<Output>, JoinHandle<()>) {
    let (inputs, to_session) = mpsc::channel(INPUTS);
    let (from_session, outputs) = mpsc::channel(OUTPUTS);
    let bad_messages = Arc::new(AtomicU64::new(0));
    let task = Task {
        session,
        clock,
        inputs: to_session,
        outputs: from_session,
        own: BTreeSet::new(),
        bad_messages: Arc::clone(&bad_messages),
    };
    let handle = SessionHandle {
        inputs,
        bytes: Arc::new(Semaphore::new(WAITING_BYTES)),
        bad_messages,
    };
    (handle, outputs, tokio::spawn(task.run()))
}

struct Task {
    session: Box<dyn Session>,
    clock: Clock,
    inputs: mpsc::Receiver<Waiting>,
    outputs: mpsc::Sender<Output>,
    /// The channels that the session opened and did not close.
    own: BTreeSet<ChannelId>,
    bad_messages: Arc<AtomicU64>,
}

impl Task {
    async fn run(mut self) {
        while self.drain().await {
            let Some(input) = self.next_input().await else {
                debug!("session stopped by its owner");
                return;
            };
            if !self.expects(&input) {
                continue;
            }
            self.session.handle(input, (self.clock)());
            self.count_bad_messages();
        }
    }

    /// Passes the outputs on; false when there is nothing more to do.
    async fn drain(&mut self) -> bool {
        for _ in 0..MAX_BURST {
            let Some(output) = self.session.poll_output() else {
                return true;
            };
            let ended = matches!(output, Output::Event(Event::Ended(_)));
            self.note(&output);
            if self.outputs.send(output).await.is_err() || ended {
                return false;
            }
        }
        warn!("session ended because it does not stop talking");
        false
    }

    async fn next_input(&mut self) -> Option<Input> {
        let Some((at, _)) = self.session.poll_timeout() else {
            return self.received().await;
        };
        tokio::select! {
            // What came in before the time-out may make it void.
            biased;
            input = self.received() => input,
            () = tokio::time::sleep_until(Instant::from_std(at)) => Some(Input::Timeout),
        }
    }

    async fn received(&mut self) -> Option<Input> {
        self.inputs.recv().await.map(|waiting| waiting.input)
    }

    fn note(&mut self, output: &Output) {
        match output {
            Output::Channel(id, ChannelCommand::Open(_)) => {
                self.own.insert(*id);
            }
            Output::Channel(id, ChannelCommand::Close) => {
                self.own.remove(id);
            }
            Output::Channel(_, ChannelCommand::Text(_) | ChannelCommand::Binary(_))
            | Output::Media(_)
            | Output::Event(_) => {}
        }
    }

    /// Whether an input is not about a channel that the session closed.
    fn expects(&mut self, input: &Input) -> bool {
        match input {
            Input::Channel(id, event) if id.0 >= ChannelId::FIRST_OWN => match event {
                ChannelEvent::Opened | ChannelEvent::Text(_) | ChannelEvent::Binary(_) => {
                    self.own.contains(id)
                }
                ChannelEvent::Response { .. } | ChannelEvent::Refused(_) | ChannelEvent::Closed => {
                    self.own.remove(id)
                }
            },
            Input::Command(_) | Input::Channel(..) | Input::Media(_) | Input::Timeout => true,
        }
    }

    /// Says that there were some, never what was in them.
    fn count_bad_messages(&self) {
        let count = self.session.bad_messages();
        if self.bad_messages.swap(count, Ordering::Relaxed) != count {
            debug!(count, "signalling messages that could not be used");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use roomd_conference::{ChannelCommand, Ended};
    use roomd_model::Pii;

    use super::*;

    /// Echoes text, says goodbye when told to, and reports a time-out every ten seconds.
    #[derive(Debug)]
    struct Echo {
        outputs: Vec<Output>,
        tick: std::time::Instant,
        bad: u64,
    }

    const TICK: Duration = Duration::from_secs(10);

    impl Session for Echo {
        fn handle(&mut self, input: Input, now: Now) {
            match input {
                Input::Command(_) => {
                    let output = Output::Event(Event::Ended(Ended::Left));
                    self.outputs.push(output);
                }
                Input::Channel(id, ChannelEvent::Text(text)) => {
                    self.bad += 1;
                    let output = Output::Channel(id, ChannelCommand::Text(text));
                    self.outputs.push(output);
                }
                Input::Channel(_, _) | Input::Media(_) => {}
                Input::Timeout => {
                    assert!(now.mono >= self.tick, "a time-out came too early");
                    self.tick = now.mono + TICK;
                    self.outputs.push(Output::Event(Event::Lobby));
                }
            }
        }

        fn poll_output(&mut self) -> Option<Output> {
            (!self.outputs.is_empty()).then(|| self.outputs.remove(0))
        }

        fn poll_timeout(&self) -> Option<(std::time::Instant, &'static str)> {
            Some((self.tick, "tick"))
        }

        fn bad_messages(&self) -> u64 {
            self.bad
        }
    }

    const LEAVE: Command = Command::Leave { returning: false };

    fn start() -> (SessionHandle, mpsc::Receiver<Output>, JoinHandle<()>) {
        let echo = Echo {
            outputs: vec![Output::Event(Event::Joined)],
            tick: system_clock().mono + TICK,
            bad: 0,
        };
        spawn(Box::new(echo), system_clock)
    }

    #[tokio::test(start_paused = true)]
    async fn inputs_and_timeouts_become_outputs_in_order() {
        let (handle, mut outputs, task) = start();
        let begin = Instant::now();
        assert!(matches!(
            outputs.recv().await,
            Some(Output::Event(Event::Joined))
        ));
        let text = ChannelEvent::Text(Pii::from("hello"));
        handle.channel(ChannelId(3), text).unwrap();
        let Some(Output::Channel(ChannelId(3), ChannelCommand::Text(text))) = outputs.recv().await
        else {
            panic!("no echo");
        };
        assert_eq!(text.expose(), "hello");
        assert_eq!(handle.bad_messages(), 1);
        for seconds in [10, 20, 30] {
            assert!(matches!(
                outputs.recv().await,
                Some(Output::Event(Event::Lobby))
            ));
            assert_eq!(begin.elapsed().as_secs(), seconds);
        }
        handle.command(LEAVE).unwrap();
        let ended = Output::Event(Event::Ended(Ended::Left));
        assert_eq!(
            format!("{:?}", outputs.recv().await.unwrap()),
            format!("{ended:?}")
        );
        assert!(outputs.recv().await.is_none());
        task.await.unwrap();
        assert_eq!(handle.command(LEAVE), Err(FeedError::Ended));
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_ends_with_its_owner() {
        let (handle, outputs, task) = start();
        drop(handle);
        task.await.unwrap();
        drop(outputs);
        let (handle, outputs, task) = start();
        drop(outputs);
        task.await.unwrap();
        assert_eq!(handle.command(LEAVE), Err(FeedError::Ended));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_does_not_read_holds_nobody_up() {
        let (handle, outputs, _task) = start();
        let text = || ChannelEvent::Text(Pii::from("x"));
        let mut refused = 0;
        for _ in 0..10 * INPUTS {
            match handle.channel(ChannelId(1), text()) {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => {
                    assert_eq!(error, FeedError::Full);
                    refused += 1;
                }
            }
        }
        assert!(refused > 0);
        drop(outputs);
    }
}
