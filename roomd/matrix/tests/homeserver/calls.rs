// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a call needs: transports, proof of who one is, memberships, and leaving by falling silent.

use std::time::{Duration, Instant};

use reqwest::Method;
use roomd_matrix_port::{Ask, DelayId, DelayedAction, Done, Failure, Me, News, UserId};
use roomd_model::Pii;
use serde_json::{Value, json};

use super::line::{Line, Room, room_id};
use super::person::Person;
use super::synapse::shared;

const MEMBER: &str = "org.matrix.msc3401.call.member";

fn state_key(me: &Me) -> String {
    format!("_{}_{}_m.call", me.user.expose(), me.device.expose())
}

async fn announce(line: &mut Line, room: &str, me: &Me) {
    let state = Ask::SetState {
        room: room_id(room),
        kind: MEMBER.into(),
        state_key: Pii::new(state_key(me)),
        // Newer clients leave the alias of the transport out, which the library does not parse.
        content: Pii::new(json!({
            "application": "m.call", "call_id": "", "device_id": me.device.expose(),
            "foci_preferred": [{"type": "livekit", "livekit_service_url": "https://rtc.example.org"}],
        })),
    };
    assert!(matches!(line.ask(state).await, Ok(Done::Sent { .. })));
}

async fn leave_later(line: &mut Line, room: &str, me: &Me, delay_ms: u64) -> (DelayId, u64) {
    let later = Ask::DelayState {
        room: room_id(room),
        kind: MEMBER.into(),
        state_key: Pii::new(state_key(me)),
        content: Pii::new(json!({})),
        delay_ms,
    };
    let answer = line.ask(later).await;
    let Ok(Done::Delayed { delay, delay_ms }) = answer else {
        panic!("{answer:?}");
    };
    (delay, delay_ms)
}

async fn delayed(line: &mut Line, delay: &DelayId, action: DelayedAction) -> Result<Done, Failure> {
    let delay = delay.clone();
    line.ask(Ask::Delayed { delay, action }).await
}

#[tokio::test]
async fn transports_and_a_token_are_had_from_the_homeserver() {
    let server = shared().await;
    let (_account, mut line, _) = Room::new(server).await.online().await;
    let Ok(Done::Transports(transports)) = line.ask(Ask::Transports).await else {
        panic!("no transports");
    };
    let urls: Vec<_> = transports
        .iter()
        .map(|one| one.livekit_service_url.expose().as_str())
        .collect();
    assert_eq!(urls, ["http://127.0.0.1:8080/"]);
    let Ok(Done::OpenId(token)) = line.ask(Ask::OpenIdToken).await else {
        panic!("no token");
    };
    assert_eq!(token.matrix_server_name.expose(), "localhost");
    assert_eq!(token.token_type, "Bearer");
    // What a media service asks about such a token.
    let proof = format!(
        "{}/_matrix/federation/v1/openid/userinfo?access_token={}",
        server.url,
        token.access_token.expose()
    );
    let answer = reqwest::get(proof).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn memberships_are_told_as_they_are() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    line.join(&room).await;
    announce(&mut line, &room, &me).await;
    let call = line.call(|call| call.memberships.len() == 1).await;
    assert_eq!(call.memberships[0].state_key.expose(), &state_key(&me));
    let content = json!({"application": "m.call", "anything": {"goes": [1, 2]}});
    let event = bob.set_state(&room, MEMBER, "_bob", content.clone()).await;
    bob.set_state(
        &room,
        "org.matrix.msc4143.rtc.slot",
        "m.call%23ROOM",
        json!({"status": "open"}),
    )
    .await;
    let call = line
        .call(|call| call.memberships.len() == 2 && call.slots.len() == 1)
        .await;
    let his = call
        .memberships
        .iter()
        .find(|one| one.event.expose() == event)
        .unwrap();
    assert_eq!(his.content.expose(), &content);
    assert_eq!(his.sender, UserId::new(&bob.user));
    assert!(his.ts > 1_700_000_000_000);
    assert_eq!(call.slots[0].state_key.expose(), "m.call#ROOM");
    let name = call.names[&his.sender].expose();
    assert!(bob.user.contains(name.as_str()), "{name}");
    bob.in_room(&room, "leave", json!({})).await;
    let call = line.call(|call| call.memberships.len() == 1).await;
    assert_eq!(call.memberships[0].sender, me.user);
}

#[tokio::test]
async fn sticky_memberships_are_told_those_from_before_included() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let sticky = "org.matrix.msc4354.sticky_duration_ms=3600000";
    let member = |id: &str| json!({"msc4354_sticky_key": id, "slot_id": "m.call#ROOM"});
    let kind = "org.matrix.msc4143.rtc.member";
    let before = bob.send_with(&room, kind, sticky, member("one")).await;
    let (_account, mut line, _) = Room::new(server).await.online().await;
    line.join(&room).await;
    let call = line.call(|call| call.sticky.len() == 1).await;
    assert_eq!(call.sticky[0].event.expose(), before);
    assert_eq!(call.sticky[0].duration_ms, 3_600_000);
    bob.send_with(&room, kind, sticky, member("two")).await;
    line.call(|call| call.sticky.len() == 2).await;
    bob.send_with(&room, kind, sticky, json!({"msc4354_sticky_key": "one"}))
        .await;
    let call = line.call(|call| call.sticky.len() == 1).await;
    assert_eq!(call.sticky[0].content.expose(), &member("two"));
}

#[tokio::test]
async fn who_falls_silent_leaves_the_call() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    line.join(&room).await;
    let (delay, waits) = leave_later(&mut line, &room, &me, 4000).await;
    assert_eq!(waits, 4000);
    announce(&mut line, &room, &me).await;
    line.call(|call| call.memberships.len() == 1).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(
            delayed(&mut line, &delay, DelayedAction::Restart).await,
            Ok(Done::Done)
        );
    }
    let news = line.so_far();
    assert!(
        !news.iter().any(|news| matches!(news, News::Call(_))),
        "{news:?}"
    );
    let silent = Instant::now();
    line.call(|call| call.memberships.is_empty()).await;
    assert!(
        silent.elapsed() > Duration::from_secs(3),
        "it left too early"
    );
    assert_eq!(
        delayed(&mut line, &delay, DelayedAction::Restart).await,
        Err(Failure::Gone)
    );
}

#[tokio::test]
async fn a_delayed_leave_is_sent_or_cancelled_on_request() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    line.join(&room).await;
    let (cancelled, _) = leave_later(&mut line, &room, &me, 60_000).await;
    let (sent, waits) = leave_later(&mut line, &room, &me, 48 * 3_600_000).await;
    assert_eq!(waits, 24 * 3_600_000, "the most that this server allows");
    announce(&mut line, &room, &me).await;
    line.call(|call| call.memberships.len() == 1).await;
    assert_eq!(
        delayed(&mut line, &cancelled, DelayedAction::Cancel).await,
        Ok(Done::Done)
    );
    assert_eq!(
        delayed(&mut line, &sent, DelayedAction::Send).await,
        Ok(Done::Done)
    );
    line.call(|call| call.memberships.is_empty()).await;
    for delay in [cancelled, sent] {
        assert_eq!(
            delayed(&mut line, &delay, DelayedAction::Restart).await,
            Err(Failure::Gone)
        );
    }
}

#[tokio::test]
async fn what_an_earlier_run_left_behind_is_cancelled() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (room, other) = (bob.room(json!({})).await, bob.room(json!({})).await);
    let (_account, mut line, me) = Room::new(server).await.online().await;
    line.join(&room).await;
    line.join(&other).await;
    let (elsewhere, _) = leave_later(&mut line, &other, &me, 60_000).await;
    let mut earlier = Vec::new();
    for _ in 0..2 {
        earlier.push(leave_later(&mut line, &room, &me, 60_000).await.0);
    }
    let (own, _) = leave_later(&mut line, &room, &me, 60_000).await;
    let cancel = Ask::CancelOthers {
        room: room_id(&room),
        kind: MEMBER.into(),
        state_key: Pii::new(state_key(&me)),
        but: own.clone(),
    };
    for _ in 0..2 {
        assert_eq!(line.ask(cancel.clone()).await, Ok(Done::Done));
    }
    let of_another = Ask::CancelOthers {
        room: room_id(&room),
        kind: MEMBER.into(),
        state_key: Pii::new(state_key(&me)),
        but: elsewhere.clone(),
    };
    assert_eq!(line.ask(of_another).await, Err(Failure::Gone));
    for delay in earlier {
        assert_eq!(
            delayed(&mut line, &delay, DelayedAction::Restart).await,
            Err(Failure::Gone)
        );
    }
    for delay in [own, elsewhere] {
        assert_eq!(
            delayed(&mut line, &delay, DelayedAction::Restart).await,
            Ok(Done::Done)
        );
    }
}

#[tokio::test]
async fn a_leave_is_carried_out_though_the_session_is_gone() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    line.join(&room).await;
    announce(&mut line, &room, &me).await;
    line.ask_only(Ask::SetState {
        room: room_id(&room),
        kind: MEMBER.into(),
        state_key: Pii::new(state_key(&me)),
        content: Pii::new(json!({})),
    })
    .await;
    drop(line);
    let path = format!("v3/rooms/{room}/state/{MEMBER}/{}", state_key(&me));
    let begun = Instant::now();
    while bob.ok(Method::GET, &path, Value::Null).await != json!({}) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never left");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
