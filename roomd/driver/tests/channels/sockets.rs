// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! WebSockets.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::any;
use roomd_conference::{ChannelCommand, ChannelEvent, Refusal};
use roomd_driver::channels::Settings;
use roomd_model::Pii;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::server::{Seen, Server, answering, plain, silent};
use crate::support::{ONE, Room, TWO, socket, socket_with, text};

/// Greets with the token, then echoes; `bye` closes.
async fn echo(mut socket: WebSocket, token: String) {
    let _ = socket.send(Message::Text(token.into())).await;
    while let Some(Ok(message)) = socket.recv().await {
        match message {
            Message::Text(text) if text.as_str() == "bye" => break,
            Message::Text(_) | Message::Binary(_) => {
                let _ = socket.send(message).await;
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
}

fn echo_server() -> Router {
    Router::new().route(
        "/echo",
        any(|upgrade: WebSocketUpgrade, headers: HeaderMap| async move {
            let token = headers.get(header::AUTHORIZATION);
            let token = token.map_or("none", |token| token.to_str().unwrap());
            let token = token.to_owned();
            upgrade.on_upgrade(|socket| echo(socket, token))
        }),
    )
}

#[tokio::test]
async fn text_and_bytes_travel_over_a_verified_connection() {
    let server = Server::start(echo_server()).await;
    let mut room = Room::start(server.trusted());
    room.says(
        ONE,
        [socket_with(&server.at("wss", "/echo"), Some("t0ken"))],
    );
    room.hears_opened(ONE).await;
    assert_eq!(room.hears_text(ONE).await, "Bearer t0ken");
    let bytes = Pii::new(vec![0, 255, 7]);
    room.says(ONE, [text("grüße"), ChannelCommand::Binary(bytes)]);
    assert_eq!(room.hears_text(ONE).await, "grüße");
    let event = room.hears_of(ONE).await;
    assert!(
        matches!(&event, ChannelEvent::Binary(bytes) if *bytes.expose() == [0, 255, 7]),
        "{event:?}"
    );
    room.says(ONE, [text("bye")]);
    room.hears_closed(ONE).await;
    // A message for a channel that is gone harms nobody.
    room.says(ONE, [text("late"), ChannelCommand::Close]);
    room.says(TWO, [socket(&server.at("wss", "/echo"))]);
    room.hears_opened(TWO).await;
    assert_eq!(room.hears_text(TWO).await, "none");
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_refused() {
    let server = Server::start(echo_server()).await;
    let mut stranger = Room::start(Settings::default());
    stranger.says(ONE, [socket(&server.at("wss", "/echo"))]);
    assert_eq!(stranger.hears_refused(ONE).await, Refusal::Certificate);

    let misnamed = Server::start_for("other.example", echo_server()).await;
    let mut room = Room::start(misnamed.trusted());
    room.says(ONE, [socket(&misnamed.at("wss", "/echo"))]);
    assert_eq!(room.hears_refused(ONE).await, Refusal::Certificate);

    // TLS towards a server that speaks none.
    let port = plain(echo_server()).await;
    room.says(TWO, [socket(&format!("wss://localhost:{port}/echo"))]);
    assert_eq!(room.hears_refused(TWO).await, Refusal::Certificate);

    let mut lost = Room::start(Settings {
        ca_file: Some("/nonexistent/authority.pem".into()),
        ..Settings::default()
    });
    lost.says(ONE, [socket(&server.at("wss", "/echo"))]);
    assert_eq!(lost.hears_refused(ONE).await, Refusal::Certificate);
}

#[tokio::test]
async fn a_refused_upgrade_gives_its_status() {
    let elsewhere = plain(echo_server()).await;
    let away = Redirect::temporary(&format!("http://127.0.0.1:{elsewhere}/echo"));
    let app = echo_server()
        .route("/denied", any(|| async { StatusCode::UNAUTHORIZED }))
        .route("/page", any(|| async { "a page" }))
        .route("/here", any(|| async { Redirect::temporary("/echo") }))
        .route(
            "/away",
            any(move || std::future::ready(away.clone().into_response())),
        );
    let port = plain(app).await;
    let mut room = Room::start(Settings::default());
    for (number, path, refusal) in [
        (0, "/denied", Some(Refusal::Status(401))),
        (1, "/page", Some(Refusal::Status(200))),
        (2, "/nowhere", Some(Refusal::Status(404))),
        (3, "/away", Some(Refusal::Address)),
        (4, "/here", None),
    ] {
        let id = roomd_conference::ChannelId(ONE.0 + number);
        room.says(id, [socket(&format!("ws://127.0.0.1:{port}{path}"))]);
        match refusal {
            Some(refusal) => assert_eq!(room.hears_refused(id).await, refusal, "{path}"),
            None => room.hears_opened(id).await,
        }
    }
}

#[tokio::test]
async fn nothing_travels_in_the_clear_but_to_this_machine() {
    let mut room = Room::start(Settings::default());
    for (number, url) in [
        "ws://192.0.2.1/",
        "ws://meet.example.org/",
        "ws://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "https://127.0.0.1/",
    ]
    .into_iter()
    .enumerate()
    {
        let id = roomd_conference::ChannelId(ONE.0 + number as u64);
        room.says(id, [socket(url)]);
        assert_eq!(room.hears_refused(id).await, Refusal::Address, "{url}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_websocket_is_refused() {
    const WRONG_KEY: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n         upgrade: websocket\r\nsec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    for (answer, refusal) in [
        (WRONG_KEY, Refusal::Unexpected),
        ("SSH-2.0-OpenSSH_9.2p1\r\n\r\n", Refusal::Unexpected),
    ] {
        let (port, _seen) = answering(answer).await;
        let mut room = Room::start(Settings::default());
        room.says(ONE, [socket(&format!("ws://127.0.0.1:{port}/"))]);
        assert_eq!(room.hears_refused(ONE).await, refusal, "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let (port, mut seen) = silent().await;
    let mut room = Room::start(Settings::default());
    room.says(ONE, [socket(&format!("ws://127.0.0.1:{port}/"))]);
    assert!(matches!(seen.recv().await, Some(Seen::Request(_))));
    // From here on only time passes.
    tokio::time::pause();
    let begin = Instant::now();
    assert_eq!(room.hears_refused(ONE).await, Refusal::Unreachable);
    assert!((8..=11).contains(&begin.elapsed().as_secs()));
    tokio::time::resume();

    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = unused.local_addr().unwrap().port();
    drop(unused);
    room.says(TWO, [socket(&format!("ws://127.0.0.1:{port}/"))]);
    assert_eq!(room.hears_refused(TWO).await, Refusal::Unreachable);
}

#[tokio::test]
async fn a_channel_that_is_closed_while_it_connects_tells_nothing() {
    let (port, mut seen) = silent().await;
    let mut room = Room::start(Settings::default());
    room.says(ONE, [socket(&format!("ws://127.0.0.1:{port}/"))]);
    assert!(matches!(seen.recv().await, Some(Seen::Request(_))));
    room.says(ONE, [ChannelCommand::Close]);
    assert_eq!(seen.recv().await, Some(Seen::End), "the server sees it go");
    room.hears_nothing().await;
}

/// Reports what it hears, slowly at first; says something once the room has gone.
fn listener(to_test: mpsc::UnboundedSender<Option<String>>) -> Router {
    let listen = |mut socket: WebSocket, to_test: mpsc::UnboundedSender<Option<String>>| async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        while let Some(Ok(message)) = socket.recv().await {
            let said = match message {
                Message::Text(text) => Some(text.to_string()),
                Message::Close(_) => None,
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => continue,
            };
            let _ = socket.send(Message::Text("heard".into())).await;
            let _ = to_test.send(said);
        }
    };
    Router::new().route(
        "/",
        any(move |upgrade: WebSocketUpgrade| {
            let to_test = to_test.clone();
            async move { upgrade.on_upgrade(move |socket| listen(socket, to_test)) }
        }),
    )
}

#[tokio::test]
async fn closing_sends_what_was_said_and_hears_nothing_more() {
    let (to_test, mut said) = mpsc::unbounded_channel();
    let server = Server::start(listener(to_test)).await;
    let mut room = Room::start(server.trusted());
    room.says(ONE, [socket(&server.at("wss", "/"))]);
    room.hears_opened(ONE).await;
    let texts = (0..500).map(|number| text(&number.to_string()));
    room.says(ONE, texts.chain([ChannelCommand::Close]));
    for number in 0..500 {
        assert_eq!(said.recv().await.unwrap(), Some(number.to_string()));
    }
    assert_eq!(said.recv().await.unwrap(), None, "an orderly farewell");
    room.hears_nothing().await;
}

#[tokio::test]
async fn the_end_of_the_session_is_a_farewell_too() {
    let (to_test, mut said) = mpsc::unbounded_channel();
    let server = Server::start(listener(to_test)).await;
    let mut room = Room::start(server.trusted());
    room.says(ONE, [socket(&server.at("wss", "/"))]);
    room.hears_opened(ONE).await;
    room.says(ONE, [text("leave")]);
    room.ends();
    tokio::time::timeout(crate::support::PATIENCE, room.channels)
        .await
        .expect("the channels end")
        .unwrap();
    assert_eq!(said.recv().await.unwrap(), Some("leave".to_owned()));
    assert_eq!(said.recv().await.unwrap(), None);
}
