// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Requests.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method as Asked, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::any;
use roomd_conference::{ChannelCommand, ChannelId, Method, Refusal};
use roomd_driver::channels::Settings;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::server::{Seen, Server, answering, plain, silent};
use crate::support::{ONE, PATIENCE, Room, TWO, get, request};

/// Says what was asked.
async fn say(method: Asked, uri: Uri, headers: HeaderMap, body: String) -> impl IntoResponse {
    let header = |name| {
        headers
            .get(name)
            .map_or("-", |value| value.to_str().unwrap())
    };
    let (token, kind) = (header(header::AUTHORIZATION), header(header::CONTENT_TYPE));
    let said = format!("{method} {} {token} {kind} {body}", uri.path());
    (StatusCode::CREATED, said)
}

fn says() -> Router {
    Router::new().fallback(say)
}

#[tokio::test]
async fn an_answer_is_given_whatever_its_status() {
    let server = Server::start(says().route("/gone", any(|| async { StatusCode::GONE }))).await;
    let mut room = Room::start(server.trusted());
    let url = server.at("https", "/a");
    room.says(ONE, [request(Method::Put, &url, Some("{}"))]);
    let answer = (201, "PUT /a Bearer token application/json {}".to_owned());
    assert_eq!(room.hears_answer(ONE).await, answer);
    for (number, method, name) in [
        (1, Method::Get, "GET"),
        (2, Method::Post, "POST"),
        (3, Method::Delete, "DELETE"),
    ] {
        let id = ChannelId(ONE.0 + number);
        room.says(id, [request(method, &url, None)]);
        let (_, said) = room.hears_answer(id).await;
        assert_eq!(said, format!("{name} /a - - "));
    }
    let id = ChannelId(ONE.0 + 4);
    room.says(id, [get(&server.at("https", "/gone"))]);
    assert_eq!(room.hears_answer(id).await, (410, String::new()));
    room.hears_nothing().await;
}

#[tokio::test]
async fn redirects_stay_on_the_host_and_keep_what_was_asked() {
    let elsewhere = plain(says()).await;
    let away = format!("http://127.0.0.1:{elsewhere}/b");
    let to = |redirect: Redirect| any(move || std::future::ready(redirect.clone().into_response()));
    let app = says()
        .route("/307", to(Redirect::temporary("/b")))
        .route("/308", to(Redirect::permanent("/b")))
        .route("/303", to(Redirect::to("/b")))
        .route("/away", to(Redirect::temporary(&away)))
        .route("/round", to(Redirect::temporary("/round")));
    let port = plain(app).await;
    let mut room = Room::start(Settings::default());
    let kept = "POST /b Bearer token application/json {\"a\":1}";
    for (number, path, expected) in [
        (0, "/307", Ok(kept)),
        (1, "/308", Ok(kept)),
        (2, "/303", Ok("GET /b Bearer token - ")),
        (3, "/away", Err(Refusal::Address)),
        (4, "/round", Err(Refusal::Unexpected)),
    ] {
        let id = ChannelId(ONE.0 + number);
        let url = format!("http://127.0.0.1:{port}{path}");
        room.says(id, [request(Method::Post, &url, Some("{\"a\":1}"))]);
        match expected {
            Ok(said) => assert_eq!(room.hears_answer(id).await, (201, said.to_owned())),
            Err(refusal) => assert_eq!(room.hears_refused(id).await, refusal, "{path}"),
        }
    }
}

#[tokio::test]
async fn what_is_not_secure_is_not_asked() {
    let server = Server::start(says()).await;
    let mut room = Room::start(Settings::default());
    room.says(ONE, [get("http://192.0.2.1/")]);
    assert_eq!(room.hears_refused(ONE).await, Refusal::Address);
    room.says(TWO, [get(&server.at("https", "/"))]);
    assert_eq!(room.hears_refused(TWO).await, Refusal::Certificate);
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_none_is_refused() {
    let mebibyte = 1024 * 1024;
    let app = Router::new()
        .route("/fits", any(move || async move { "x".repeat(mebibyte) }))
        .route(
            "/large",
            any(move || async move { "x".repeat(mebibyte + 1) }),
        )
        .route("/latin", any(|| async { b"gr\xfc\xdfe".to_vec() }));
    let port = plain(app).await;
    let mut room = Room::start(Settings::default());
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    room.says(ONE, [get(&url("/fits"))]);
    assert_eq!(room.hears_answer(ONE).await.1.len(), mebibyte);
    room.says(TWO, [get(&url("/large"))]);
    assert_eq!(room.hears_refused(TWO).await, Refusal::Unexpected);
    let id = ChannelId(ONE.0 + 2);
    room.says(id, [get(&url("/latin"))]);
    let answer = (200, "gr\u{fffd}\u{fffd}e".to_owned());
    assert_eq!(room.hears_answer(id).await, answer);

    let (port, _seen) = answering("SSH-2.0-OpenSSH_9.2p1\r\n\r\n").await;
    let id = ChannelId(ONE.0 + 3);
    room.says(id, [get(&format!("http://127.0.0.1:{port}/"))]);
    assert_eq!(room.hears_refused(id).await, Refusal::Unexpected);
}

#[tokio::test]
async fn a_slow_server_is_given_up_after_half_a_minute() {
    let (port, mut seen) = silent().await;
    let mut room = Room::start(Settings::default());
    room.says(ONE, [get(&format!("http://127.0.0.1:{port}/"))]);
    assert!(matches!(seen.recv().await, Some(Seen::Request(_))));
    tokio::time::pause();
    let begin = Instant::now();
    // The test's own patience is shorter than this server's silence.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(9)).await;
    }
    assert_eq!(room.hears_refused(ONE).await, Refusal::Unreachable);
    assert!((28..=31).contains(&begin.elapsed().as_secs()));
}

#[tokio::test]
async fn closing_gives_up_the_request() {
    let (port, mut seen) = silent().await;
    let mut room = Room::start(Settings::default());
    room.says(ONE, [get(&format!("http://127.0.0.1:{port}/"))]);
    assert!(matches!(seen.recv().await, Some(Seen::Request(_))));
    room.says(ONE, [ChannelCommand::Close]);
    assert_eq!(seen.recv().await, Some(Seen::End));
    room.hears_nothing().await;
}

#[tokio::test]
async fn a_request_survives_its_session_for_a_moment() {
    let (arrived, mut requests) = mpsc::unbounded_channel();
    let app = Router::new().fallback(any(move || {
        let arrived = arrived.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let _ = arrived.send(());
        }
    }));
    let port = plain(app).await;
    let room = Room::start(Settings::default());
    let url = format!("http://127.0.0.1:{port}/");
    room.says(ONE, [request(Method::Delete, &url, None)]);
    room.ends();
    let ended = tokio::time::timeout(PATIENCE, room.channels).await;
    ended.expect("the channels end").unwrap();
    requests.try_recv().expect("the farewell arrived before");

    // But only for a moment.
    let (port, mut seen) = silent().await;
    let room = Room::start(Settings::default());
    room.says(ONE, [get(&format!("http://127.0.0.1:{port}/"))]);
    assert!(matches!(seen.recv().await, Some(Seen::Request(_))));
    let begin = std::time::Instant::now();
    room.ends();
    let ended = tokio::time::timeout(PATIENCE, room.channels).await;
    ended.expect("the channels end").unwrap();
    assert!((2..=5).contains(&begin.elapsed().as_secs()));
}
