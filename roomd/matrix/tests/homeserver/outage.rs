// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A homeserver that is away.

use std::time::{Duration, Instant};

use roomd_matrix::State;
use roomd_matrix_port::{Ask, Done, Failure, News, Why};
use roomd_model::Pii;
use serde_json::json;

use super::line::{Line, Room};
use super::person::Person;
use super::synapse::{CALLS, Homeserver, shared};

#[tokio::test]
async fn an_outage_is_survived() {
    let mut server = Homeserver::start(CALLS).await;
    let bob = Person::new(&server, "bob").await;
    let id = bob.room(json!({})).await;
    let room = Room::new(&server).await;
    let (account, mut line, me) = room.online().await;
    line.join(&id).await;
    server.stop();
    line.offline().await;
    assert_eq!(*account.state().borrow(), State::Offline);
    let begun = Instant::now();
    let failure = line.ask(Ask::OpenIdToken).await.unwrap_err();
    assert!(failure.is_retryable(), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    tokio::time::sleep(Duration::from_secs(5)).await;
    server.resume().await;
    assert_eq!(line.online().await, me);
    assert!(matches!(
        line.ask(Ask::OpenIdToken).await,
        Ok(Done::OpenId(_))
    ));
    // The room is still watched.
    bob.set_state(
        &id,
        "org.matrix.msc3401.call.member",
        "_bob",
        json!({"a": 1}),
    )
    .await;
    line.call(|call| call.memberships.len() == 1).await;
}

#[tokio::test]
async fn a_start_without_homeserver_waits_for_it() {
    let mut server = Homeserver::start(CALLS).await;
    let (kept, fresh) = (Room::new(&server).await, Room::new(&server).await);
    let (account, _line, me) = kept.online().await;
    account.stop().await;
    server.stop();
    let (kept, fresh) = (kept.start(), fresh.start());
    let (mut first, mut second) = (Line::new(&kept).await, Line::new(&fresh).await);
    for line in [&mut first, &mut second] {
        line.offline().await;
        assert_eq!(line.ask(Ask::Transports).await, Err(Failure::Unreachable));
    }
    server.resume().await;
    assert_eq!(first.online().await, me);
    second.online().await;
}

#[tokio::test]
async fn an_address_that_is_not_secure_is_refused() {
    let mut room = Room::new(shared().await).await;
    room.settings.homeserver = Pii::new("http://matrix.example.org".parse().unwrap());
    assert_eq!(room.refused().await, Why::Address);
    let account = room.start();
    let mut line = Line::new(&account).await;
    line.news(|news| matches!(news, News::Ended(_)).then_some(()))
        .await;
}
