// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Floods, in both directions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use roomd_conference::{ChannelEvent, ChannelId, Refusal};
use roomd_driver::channels::Settings;

use crate::server::{Seen, plain, silent};
use crate::support::{ONE, Room, TWO, get, socket, text};

fn serve<F>(serve: impl Fn(WebSocket) -> F + Clone + Send + Sync + 'static) -> Router
where
    F: Future<Output = ()> + Send + 'static,
{
    let upgrade = move |upgrade: WebSocketUpgrade| {
        let serve = serve.clone();
        async move { upgrade.max_message_size(8 << 20).on_upgrade(serve) }
    };
    Router::new().route("/", any(upgrade))
}

async fn room_at(app: Router, pace: fn()) -> Room {
    let port = plain(app).await;
    let room = Room::start_at_pace(Settings::default(), pace);
    room.says(ONE, [socket(&format!("ws://127.0.0.1:{port}/"))]);
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_session_hears_all_ten_thousand_messages_in_order() {
    const MESSAGES: usize = 10_000;
    let app = serve(|mut socket| async move {
        for number in 0..MESSAGES {
            let _ = socket.send(Message::Text(number.to_string().into())).await;
            if number % 100 == 0 {
                // Pings are answered between the messages.
                let _ = socket.send(Message::Ping(vec![1].into())).await;
            }
        }
        let mut pongs = 0;
        while let Some(Ok(message)) = socket.recv().await {
            pongs += usize::from(matches!(message, Message::Pong(_)));
            if pongs == MESSAGES / 100 {
                let _ = socket.send(Message::Text("all pongs".into())).await;
                break;
            }
        }
    });
    let slow = || {
        let begin = std::time::Instant::now();
        while begin.elapsed() < Duration::from_micros(100) {}
    };
    let mut room = room_at(app, slow).await;
    room.hears_opened(ONE).await;
    for number in 0..MESSAGES {
        assert_eq!(room.hears_text(ONE).await, number.to_string());
    }
    assert_eq!(room.hears_text(ONE).await, "all pongs");
    room.hears_closed(ONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_session_that_stands_still_stops_the_server_not_the_memory() {
    const MEBIBYTE: usize = 1 << 20;
    const MESSAGES: usize = 100;
    static STILL: AtomicBool = AtomicBool::new(true);
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let app = serve(move |mut socket| {
        let count = Arc::clone(&count);
        async move {
            let message = Message::Binary(vec![7; MEBIBYTE].into());
            for _ in 0..MESSAGES {
                let _ = socket.send(message.clone()).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let wait = || {
        while STILL.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let mut room = room_at(app, wait).await;
    // Long enough for all of it, if anybody took it.
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = sent.load(Ordering::Relaxed);
        if now == before && now > 0 {
            break;
        }
        before = now;
    }
    STILL.store(false, Ordering::Relaxed);
    // Eight wait for the session, one is in the reader, and the system buffers some.
    assert!(before <= 40, "{before} MiB are on their way");
    room.hears_opened(ONE).await;
    for _ in 0..MESSAGES {
        let event = room.hears_of(ONE).await;
        assert!(matches!(event, ChannelEvent::Binary(bytes) if bytes.expose().len() == MEBIBYTE));
    }
    room.hears_closed(ONE).await;
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_channel() {
    let app = serve(|mut socket| async move {
        for size in [2 << 20, (2 << 20) + 1, 1] {
            let _ = socket.send(Message::Text("x".repeat(size).into())).await;
        }
        while let Some(Ok(_)) = socket.recv().await {}
    });
    let mut room = room_at(app, || {}).await;
    room.hears_opened(ONE).await;
    assert_eq!(room.hears_text(ONE).await.len(), 2 << 20);
    room.hears_closed(ONE).await;
    room.hears_nothing().await;
}

#[tokio::test]
async fn a_server_that_does_not_read_is_given_up() {
    let app = serve(|socket| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(socket);
    });
    let mut room = room_at(app, || {}).await;
    room.hears_opened(ONE).await;
    let large = "x".repeat(100_000);
    room.says(ONE, (0..400).map(|_| text(&large)));
    room.hears_closed(ONE).await;
    // The others go on.
    room.says(TWO, [get("http://192.0.2.1/")]);
    assert_eq!(room.hears_refused(TWO).await, Refusal::Address);
    room.hears_nothing().await;
}

#[tokio::test]
async fn a_session_does_not_open_channels_without_end() {
    let (port, mut seen) = silent().await;
    let mut room = Room::start(Settings::default());
    let url = format!("http://127.0.0.1:{port}/");
    for number in 0..64 {
        room.says(ChannelId(ONE.0 + number), [get(&url)]);
    }
    let id = ChannelId(ONE.0 + 64);
    room.says(id, [get(&url)]);
    assert_eq!(room.hears_refused(id).await, Refusal::Unreachable);
    room.says(ONE, [roomd_conference::ChannelCommand::Close]);
    assert!(matches!(seen.recv().await, Some(Seen::Request(_))));
    let id = ChannelId(ONE.0 + 65);
    room.says(id, [get("http://192.0.2.1/")]);
    assert_eq!(room.hears_refused(id).await, Refusal::Address);
}
