// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The guests' WebSockets: text goes back and forth, and nothing of it is understood here.
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use roomd_model::Pii;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::socket::{self, Cause, Pulse};
use super::{App, auth};
use crate::guests::COMMANDS;
use crate::limits::{Bucket, PerAddress, subnet};
use crate::{GuestCommand, GuestEvent, GuestPort};

/// Guests connected at the same time at most.
const IN_ALL: usize = 40;
/// Of them from one address.
const PER_ADDRESS: usize = 8;
/// The daemon takes a guest's message within this time, or the guest goes.
const STALL: Duration = Duration::from_secs(5);
/// Newcomer of a full mesh: offers and candidates to seven, all at once.
const BURST: u32 = 400;
const PER_SECOND: f64 = 50.0;
const BURST_BYTES: u32 = 2 * 1024 * 1024;
const BYTES_PER_SECOND: f64 = 64.0 * 1024.0;

/// Who is connected, and how the daemon hears of them.
#[derive(Debug)]
pub(super) struct Guests {
    port: GuestPort,
    next_channel: AtomicU64,
    // A lock and no task: it counts, and a new connection must know at once.
    seats: Arc<Mutex<Seats>>,
}

#[derive(Debug)]
struct Seats {
    taken: BTreeMap<IpAddr, usize>,
    newcomers: PerAddress,
}

/// One guest's place; free again when dropped.
struct Seat {
    seats: Arc<Mutex<Seats>>,
    address: IpAddr,
}

impl Guests {
    pub(super) fn new(port: GuestPort) -> Self {
        let seats = Seats {
            taken: BTreeMap::new(),
            newcomers: PerAddress::new(20, 1.0),
        };
        Self {
            port,
            next_channel: AtomicU64::new(1),
            seats: Arc::new(Mutex::new(seats)),
        }
    }

    /// A place for a guest from this address, or how long to wait for one.
    fn seat(&self, address: IpAddr) -> Result<Seat, Duration> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.newcomers.take(address, Instant::now())?;
        let address = subnet(address);
        let in_all: usize = seats.taken.values().sum();
        let here = seats.taken.get(&address).copied().unwrap_or_default();
        if here >= PER_ADDRESS || in_all >= IN_ALL {
            return Err(Duration::from_secs(5));
        }
        seats.taken.insert(address, here + 1);
        Ok(Seat {
            seats: Arc::clone(&self.seats),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = seats.taken.get_mut(&self.address) {
            *here -= 1;
        }
        seats.taken.retain(|_, here| *here > 0);
    }
}

/// Meeting ids are unguessable; their syntax alone says that this may be one.
pub(super) fn is_meeting_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (12..=64).contains(&id.len()) && id.bytes().all(plain)
}

/// Turns a request of a guest's page into its WebSocket.
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_meeting_id(&id) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if !auth::is_same_origin(&request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let seat = match app.guests.seat(peer.ip()) {
        Ok(seat) => seat,
        Err(wait) => return auth::too_many(wait),
    };
    upgrade
        .max_message_size(socket::MESSAGE)
        .max_frame_size(socket::MESSAGE)
        .on_upgrade(async move |socket| {
            serve(socket, &app, Pii::new(id)).await;
            drop(seat);
        })
}

async fn serve(mut socket: WebSocket, app: &App, meeting: Pii<String>) {
    let channel = app.guests.next_channel.fetch_add(1, Ordering::Relaxed);
    let events = &app.guests.port.events;
    let (sender, mut commands) = mpsc::channel(COMMANDS);
    let opened = GuestEvent::Opened {
        channel,
        meeting,
        commands: sender,
    };
    if !matches!(timeout(STALL, events.send(opened)).await, Ok(Ok(()))) {
        socket::close(socket, Cause::Stopping).await;
        return;
    }
    let cause = match converse(&mut socket, app, channel, &mut commands).await {
        Ok(never) => match never {},
        Err(cause) => cause,
    };
    tracing::debug!(channel, ?cause, "a guest disconnected");
    socket::close(socket, cause).await;
    // However long it takes: the daemon counts on it.
    let _ = events.send(GuestEvent::Closed { channel }).await;
}

async fn converse(
    socket: &mut WebSocket,
    app: &App,
    channel: u64,
    commands: &mut mpsc::Receiver<GuestCommand>,
) -> Result<std::convert::Infallible, Cause> {
    let mut closing = app.closing.clone();
    let mut pulse = Pulse::new();
    let mut rate = Rate::new();
    loop {
        tokio::select! {
            () = socket::stopping(&mut closing) => return Err(Cause::Stopping),
            command = commands.recv() => match command {
                Some(GuestCommand::Text(text)) => {
                    socket::send(socket, Message::Text(text.into_inner().into())).await?;
                }
                Some(GuestCommand::Close) | None => return Err(Cause::Done),
            },
            message = socket.recv() => {
                pulse.heard();
                let Some(text) = rate.take(message)? else { continue };
                let event = GuestEvent::Text { channel, text };
                match timeout(STALL, app.guests.port.events.send(event)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return Err(Cause::Stopping),
                }
            }
            () = pulse.due() => pulse.ask(socket).await?,
        }
    }
}

/// Bounds what one guest can make the daemon do.
struct Rate {
    messages: Bucket,
    bytes: Bucket,
}

impl Rate {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            messages: Bucket::new(BURST, PER_SECOND, now),
            bytes: Bucket::new(BURST_BYTES, BYTES_PER_SECOND, now),
        }
    }

    fn take(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<Pii<String>>, Cause> {
        let message = match message {
            None => return Err(Cause::Gone),
            Some(Err(_)) => return Err(Cause::Misbehaved),
            Some(Ok(message)) => message,
        };
        let now = Instant::now();
        if !self.messages.take(now) {
            return Err(Cause::Misbehaved);
        }
        match message {
            Message::Close(_) => Err(Cause::Done),
            Message::Binary(_) => Err(Cause::Misbehaved),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Text(text) => {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                if !self.bytes.take_many(f64::from(length), now) {
                    return Err(Cause::Misbehaved);
                }
                Ok(Some(Pii::new(text.as_str().to_owned())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meeting_ids_are_checked() {
        let check = |id: &str, expected: bool| assert_eq!(is_meeting_id(id), expected, "{id}");
        check("abcd-efgh-jkmn", true);
        check("abcdefghjkm", false);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        check("Abcd-efgh-jkmn", false);
        check("../../etc/passwd", false);
        check("abcdefgh%2fjkmnp", false);
    }

    #[test]
    fn seats_are_counted_and_given_back() {
        let (port, _events) = GuestPort::new();
        let guests = Guests::new(port);
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut seats: Vec<Seat> = Vec::new();
        for last in 0..5 {
            for _ in 0..PER_ADDRESS {
                seats.push(guests.seat(address(last)).ok().unwrap());
            }
            assert!(guests.seat(address(last)).is_err());
        }
        assert_eq!(seats.len(), IN_ALL);
        assert!(guests.seat(address(9)).is_err());
        seats.pop();
        assert!(guests.seat(address(9)).is_ok());
    }
}
