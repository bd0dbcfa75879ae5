// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What panel and guest sockets have in common.
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, timeout};

/// A message is never larger.
pub(super) const MESSAGE: usize = 64 * 1024;
/// A client is asked for a sign of life so often.
const ASK: Duration = Duration::from_secs(15);
/// A client that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(40);
/// A client that does not take a message for so long is dropped.
const STALL: Duration = Duration::from_secs(10);

/// Why a socket is closed by the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The daemon stops.
    Stopping,
    /// Done, as agreed.
    Done,
    /// Too large, too often, or not of this protocol.
    Misbehaved,
    /// The other side is gone or does not read; nobody is there to tell.
    Gone,
}

/// Waits until the server stops.
pub(super) async fn stopping(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Sends within a time that a working client needs.
pub(super) async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Cause> {
    match timeout(STALL, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Cause::Gone),
    }
}

/// Says goodbye where somebody is there.
pub(super) async fn close(mut socket: WebSocket, cause: Cause) {
    let code = match cause {
        Cause::Stopping => close_code::AWAY,
        Cause::Done => close_code::NORMAL,
        Cause::Misbehaved => close_code::POLICY,
        Cause::Gone => return,
    };
    let frame = CloseFrame {
        code,
        reason: "".into(),
    };
    let _ = timeout(STALL, socket.send(Message::Close(Some(frame)))).await;
}

/// Watches that the other side is there.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Interval,
    heard: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + ASK, ASK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            interval,
            heard: Instant::now(),
        }
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Waits until it is time to ask again.
    pub(super) async fn due(&mut self) {
        self.interval.tick().await;
    }

    /// Asks, or gives up.
    pub(super) async fn ask(&self, socket: &mut WebSocket) -> Result<(), Cause> {
        if self.heard.elapsed() > SILENCE {
            return Err(Cause::Gone);
        }
        send(socket, Message::Ping(Vec::new().into())).await
    }
}
