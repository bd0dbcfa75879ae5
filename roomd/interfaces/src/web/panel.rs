// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The panel's WebSocket: the state goes out, requests come in.
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{FuturesUnordered, StreamExt};
use roomd_api::{ClientMessage, Event, Levels, Refusal, Reply, ServerMessage, State as RoomState};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use super::presence::Present;
use super::socket::{self, Cause, Pulse};
use super::{App, auth};
use crate::limits::Bucket;
use crate::room::{refused, without_code};

/// Panels connected at the same time at most.
const PANELS: usize = 32;
/// Requests of one panel that wait for their answer at most.
const WAITING: usize = 16;
/// Messages that make no sense, or come too often, until the panel is dropped.
const PATIENCE: u32 = 100;

/// Turns a request of a paired page into the panel's WebSocket.
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    request: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(kind) = auth::panel(&app, &request) else {
        return auth::unauthorized();
    };
    if !auth::is_same_origin(&request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(seat) = Arc::clone(&app.panels).try_acquire_owned() else {
        return auth::too_many(std::time::Duration::from_secs(10));
    };
    upgrade
        .max_message_size(socket::MESSAGE)
        .max_frame_size(socket::MESSAGE)
        .on_upgrade(async move |mut socket| {
            let present = Present::new(app.connected.clone(), kind);
            let cause = run(&mut socket, &app).await;
            drop(present);
            tracing::debug!(?cause, "a panel disconnected");
            socket::close(socket, cause).await;
            drop(seat);
        })
}

pub(super) fn seats() -> Arc<tokio::sync::Semaphore> {
    Arc::new(tokio::sync::Semaphore::new(PANELS))
}

async fn run(socket: &mut WebSocket, app: &App) -> Cause {
    match converse(socket, app).await {
        Ok(never) => match never {},
        Err(cause) => cause,
    }
}

async fn converse(socket: &mut WebSocket, app: &App) -> Result<std::convert::Infallible, Cause> {
    let mut closing = app.closing.clone();
    let mut states = app.room.state();
    let mut levels = app.room.levels();
    let mut level_rate = Bucket::new(2, 10.0, Instant::now());
    let mut intake = Intake::new();
    let mut pulse = Pulse::new();
    let mut replies = FuturesUnordered::new();
    let mut shown = without_code(&states.borrow_and_update());
    let first = Event::State(Box::new(RoomState::clone(&shown)));
    send_event(socket, first).await?;
    loop {
        tokio::select! {
            () = socket::stopping(&mut closing) => return Err(Cause::Stopping),
            message = socket.recv() => {
                pulse.heard();
                match intake.take(message)? {
                    Taken::Ask(message) if replies.len() < WAITING => {
                        let room = app.room.clone();
                        replies.push(async move {
                            (message.id, room.ask(message.request).await)
                        });
                    }
                    Taken::Ask(message) => {
                        send_reply(socket, message.id, refused(Refusal::Busy)).await?;
                    }
                    Taken::Refuse(id, refusal) => {
                        send_reply(socket, id, refused(refusal)).await?;
                    }
                    Taken::Nothing => {}
                }
            }
            Some((id, reply)) = replies.next(), if !replies.is_empty() => {
                send_reply(socket, id, reply).await?;
            }
            changed = states.changed() => {
                changed.map_err(|_| Cause::Stopping)?;
                let next = without_code(&states.borrow_and_update());
                for event in shown.changes(&next) {
                    send_event(socket, event).await?;
                }
                shown = next;
            }
            next = levels.recv() => match next {
                Ok(levels) if level_rate.take(Instant::now()) => {
                    send_levels(socket, levels).await?;
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(Cause::Stopping),
            },
            () = pulse.due() => pulse.ask(socket).await?,
        }
    }
}

/// What a message of the panel amounts to.
enum Taken {
    Ask(ClientMessage),
    Refuse(u32, Refusal),
    Nothing,
}

/// Takes the panel's messages and keeps count.
struct Intake {
    rate: Bucket,
    nonsense: u32,
}

impl Intake {
    fn new() -> Self {
        Self {
            rate: Bucket::new(40, 20.0, Instant::now()),
            nonsense: 0,
        }
    }

    fn take(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<Taken, Cause> {
        let text = match message {
            None => return Err(Cause::Gone),
            // Larger than allowed, or not a WebSocket frame.
            Some(Err(_)) => return Err(Cause::Misbehaved),
            Some(Ok(Message::Close(_))) => return Err(Cause::Done),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(Taken::Nothing),
            Some(Ok(Message::Binary(_))) => return self.count(None, Refusal::BadRequest),
            Some(Ok(Message::Text(text))) => text,
        };
        let id = || serde_json::from_str(&text).ok().map(|Id { id }| id);
        if !self.rate.take(Instant::now()) {
            return self.count(id(), Refusal::Busy);
        }
        match serde_json::from_str(&text) {
            Ok(message) => Ok(Taken::Ask(message)),
            Err(_) => self.count(id(), Refusal::BadRequest),
        }
    }

    fn count(&mut self, id: Option<u32>, refusal: Refusal) -> Result<Taken, Cause> {
        self.nonsense += 1;
        if self.nonsense > PATIENCE {
            return Err(Cause::Misbehaved);
        }
        Ok(id.map_or(Taken::Nothing, |id| Taken::Refuse(id, refusal)))
    }
}

/// As much of a message as a refusal needs.
#[derive(Deserialize)]
struct Id {
    id: u32,
}

async fn send_event(socket: &mut WebSocket, event: Event) -> Result<(), Cause> {
    send(socket, &ServerMessage::Event { event }).await
}

async fn send_levels(socket: &mut WebSocket, levels: Levels) -> Result<(), Cause> {
    send_event(socket, Event::Levels(levels)).await
}

async fn send_reply(socket: &mut WebSocket, id: u32, reply: Reply) -> Result<(), Cause> {
    send(socket, &ServerMessage::Reply { id, reply }).await
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> Result<(), Cause> {
    // Only maps with odd keys do not serialise, and there are none.
    let json = serde_json::to_string(message).map_err(|_| Cause::Gone)?;
    socket::send(socket, Message::Text(json.into())).await
}
