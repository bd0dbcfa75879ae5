// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Ways in which a server ends it.

use roomd_conference::LocalSource;
use roomd_livekit::{Ended, Event, PublishFailure, Source};
use serde_json::json;

use crate::room::{Room, options};
use crate::server::Server;
use crate::{BOTH, Pair};

// Release 1.13.5 may hang up before its last message is written (livekit/livekit#4776 mends it), so
// that whoever is thrown out takes it for a lost channel and comes back. These tests allow for it.

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn the_same_identity_takes_over() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let anna = Room::join(&server, "meeting", "anna", &BOTH).await;
    let other = Room::join(&server, "meeting", "anna", &BOTH).await;
    let mut pair = Pair { anna, bert: other };
    pair.until("the end", |pair| {
        pair.anna.ended().is_some() || pair.bert.ended().is_some()
    })
    .await;
    let ended = (pair.anna.ended(), pair.bert.ended());
    let replaced = Some(Ended::DuplicateIdentity);
    assert!(ended == (replaced, None) || ended == (None, replaced));
    let stays = if ended.0.is_none() {
        &pair.anna
    } else {
        &pair.bert
    };
    assert_eq!(stays.connection.participants().count(), 0);
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn operators_remove_and_close() {
    let server = Server::start(json!({ "auto_create": false })).await;
    let meeting = json!({ "name": "meeting" });
    server.service("CreateRoom", meeting).await;
    let anna = Room::join(&server, "meeting", "anna", &BOTH).await;
    let bert = Room::join(&server, "meeting", "bert", &BOTH).await;
    let mut pair = Pair { anna, bert };
    while pair.anna.ended().is_none() {
        let joins = pair.anna.joins();
        let whom = json!({ "room": "meeting", "identity": "anna" });
        server.service("RemoveParticipant", whom).await;
        pair.until("the end", |pair| {
            pair.anna.ended().is_some() || pair.anna.joins() > joins
        })
        .await;
    }
    assert_eq!(pair.anna.ended(), Some(Ended::Removed));
    pair.until("the news", |pair| {
        pair.bert.connection.participants().count() == 0
    })
    .await;
    server
        .service("DeleteRoom", json!({ "room": "meeting" }))
        .await;
    pair.until("the end", |pair| pair.bert.ended().is_some())
        .await;
    // Whoever comes back finds no room.
    let ended = pair.bert.ended();
    assert!(matches!(ended, Some(Ended::RoomClosed | Ended::NoSuchRoom)));
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn nobody_enters_without_a_place_a_room_or_a_token() {
    let server = Server::start(json!({ "auto_create": false })).await;
    let body = json!({ "name": "small", "max_participants": 1 });
    server.service("CreateRoom", body).await;
    let _first = Room::join(&server, "small", "anna", &[]).await;
    for (room, token, wanted) in [
        ("small", server.token("small", "bert"), Ended::Full),
        ("none", server.token("none", "bert"), Ended::NoSuchRoom),
        ("small", "nonsense".to_owned(), Ended::TokenRefused),
        (
            "small",
            server.token_with("small", "bert", &json!({ "roomJoin": false })),
            Ended::TokenRefused,
        ),
    ] {
        let mut late = Room::start(room, options(&server, &token, &[]));
        late.until("the end", |room| room.ended().is_some()).await;
        assert_eq!(late.ended(), Some(wanted));
    }
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn whoever_may_only_listen_does() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let anna = Room::join(&server, "meeting", "anna", &BOTH).await;
    let token = server.token_with("meeting", "bert", &json!({ "canPublish": false }));
    let bert = Room::start("bert", options(&server, &token, &BOTH));
    let mut pair = Pair { anna, bert };
    pair.until("sound", |pair| {
        let failed = |source| Event::PublishFailed {
            source,
            reason: PublishFailure::NotAllowed,
        };
        pair.bert.received("anna", Source::Microphone).len() > 10
            && pair.bert.has(|e| *e == failed(LocalSource::Camera))
            && pair.bert.has(|e| *e == failed(LocalSource::Microphone))
    })
    .await;
    assert_eq!(pair.bert.peers.len(), 1);
    // Until a moderator lets them.
    let permission = json!({
        "room": "meeting", "identity": "bert",
        "permission": { "can_publish": true, "can_subscribe": true },
    });
    server.service("UpdateParticipant", permission).await;
    pair.until("sound of the other", |pair| {
        pair.anna.received("bert", Source::Microphone).len() > 10
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn whoever_leaves_is_gone_at_once() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let anna = Room::join(&server, "meeting", "anna", &BOTH).await;
    let bert = Room::join(&server, "meeting", "bert", &BOTH).await;
    let mut pair = Pair { anna, bert };
    pair.until("sound", |pair| {
        pair.anna.received("bert", Source::Microphone).len() > 10
    })
    .await;
    pair.bert.wish(|connection, _| connection.leave());
    let left = std::time::Instant::now();
    pair.until("the news", |pair| {
        pair.anna.connection.participants().count() == 0
    })
    .await;
    assert!(
        left.elapsed().as_secs() < 2,
        "it takes {:?}",
        left.elapsed()
    );
    assert_eq!(pair.anna.connection.tracks().count(), 0);
}
