// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Ways back to a meeting.

use std::time::{Duration, Instant};

use roomd_conference::{LocalSource, MediaEvent};
use roomd_livekit::{Event, Source};
use serde_json::json;

use crate::room::{Room, now};
use crate::server::Server;
use crate::{BOTH, Pair};

async fn pair(server: &Server) -> Pair {
    let anna = Room::join(server, "meeting", "anna", &BOTH).await;
    let bert = Room::join(server, "meeting", "bert", &BOTH).await;
    let mut pair = Pair { anna, bert };
    pair.until("sound", meets).await;
    pair
}

/// Both receive from now on.
fn meets(pair: &mut Pair) -> bool {
    [(&pair.anna, "bert"), (&pair.bert, "anna")]
        .iter()
        .all(|(room, other)| {
            [Source::Microphone, Source::Camera]
                .into_iter()
                .all(|source| room.received(other, source).len() > 10)
        })
}

fn forget(pair: &mut Pair) {
    for room in [&mut pair.anna, &mut pair.bert] {
        room.frames.clear();
        room.events.clear();
    }
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn a_lost_channel_interrupts_nothing() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    for _ in 0..2 {
        let before = pair.anna.stream("bert", Source::Camera);
        forget(&mut pair);
        pair.anna.cut();
        pair.until("the way back", |pair| {
            pair.anna.has(|e| *e == Event::Resumed)
        })
        .await;
        pair.until("sound and picture", meets).await;
        assert_eq!(pair.anna.stream("bert", Source::Camera), before);
        let lost = |event: &Event| {
            matches!(
                event,
                Event::Joined(_) | Event::TrackRemoved { .. } | Event::ParticipantLeft(_)
            )
        };
        assert!(!pair.anna.has(lost) && !pair.bert.has(lost));
    }
    assert_eq!(pair.anna.connection.bad_messages(), 0);
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn other_addresses_keep_the_meeting() {
    let server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    let before = pair.anna.stream("bert", Source::Camera);
    forget(&mut pair);
    let peers: Vec<_> = pair.anna.peers.keys().copied().collect();
    assert_eq!(peers.len(), 2);
    for peer in peers {
        let event = MediaEvent::AddressesChanged { peer };
        pair.anna.connection.handle_media(&event, now());
    }
    pair.until("the way back", |pair| {
        pair.anna.has(|e| *e == Event::Resumed)
    })
    .await;
    pair.until("sound and picture", meets).await;
    assert_eq!(pair.anna.stream("bert", Source::Camera), before);
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn a_server_that_was_killed_is_joined_anew() {
    let mut server = Server::start(json!({ "auto_create": true })).await;
    let mut pair = pair(&server).await;
    forget(&mut pair);
    server.kill();
    pair.until("the loss", |pair| {
        let lost = |event: &Event| matches!(event, Event::Reconnecting { .. });
        pair.anna.has(lost) && pair.bert.has(lost)
    })
    .await;
    server.again().await;
    pair.until("the way back", |pair| {
        let joined = |event: &Event| matches!(event, Event::Joined(_));
        pair.anna.has(joined) && pair.bert.has(joined)
    })
    .await;
    pair.anna.frames.clear();
    pair.bert.frames.clear();
    pair.until("sound and picture", meets).await;
}

#[tokio::test]
#[ignore = "needs a LiveKit server"]
async fn a_server_that_is_restarted_is_joined_anew() {
    let mut server = Server::start(json!({ "auto_create": true })).await;
    let mut anna = Room::join(&server, "meeting", "anna", &BOTH).await;
    let published = |room: &mut Room| {
        let source = LocalSource::Camera;
        room.has(|event| *event == Event::Published { source })
    };
    anna.until("the camera", published).await;
    anna.events.clear();
    // Once to take nobody any more, and once to end.
    server.stop();
    let end = Instant::now() + Duration::from_millis(500);
    anna.until("a moment", |_| Instant::now() >= end).await;
    assert_eq!(anna.events, [], "who is there may stay");
    server.stop();
    anna.until("the loss", |room| {
        room.has(|event| matches!(event, Event::Reconnecting { .. }))
    })
    .await;
    server.again().await;
    anna.until("the way back", |room| {
        room.has(|event| matches!(event, Event::Joined(_)))
    })
    .await;
}
