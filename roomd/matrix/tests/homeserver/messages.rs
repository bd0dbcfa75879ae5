// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Chat, hands and emoji.

use reqwest::Method;
use roomd_matrix_port::{Ask, Done, EventId, Failure, News, Reaction};
use roomd_model::Pii;
use serde_json::{Value, json};

use super::line::{Line, Room, room_id};
use super::person::Person;
use super::synapse::shared;

async fn say(line: &mut Line, room: &str, text: &str) -> EventId {
    let answer = line
        .ask(Ask::SendMessage {
            room: room_id(room),
            text: Pii::from(text),
        })
        .await;
    let Ok(Done::Sent { event }) = answer else {
        panic!("{answer:?}");
    };
    event
}

/// The next message: its text, whether it is this account's, and its event.
async fn hear(line: &mut Line) -> (String, bool, EventId) {
    line.news(|news| match news {
        News::Message {
            text, own, event, ..
        } => Some((text.expose().clone(), *own, event.clone())),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn messages_go_both_ways_in_an_encrypted_room() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.encrypted_room().await;
    let (_one, mut one, _) = Room::new(server).await.online().await;
    let (_two, mut two, _) = Room::new(server).await.online().await;
    assert!(one.join(&room).await.info.encrypted);
    two.join(&room).await;
    let sent = say(&mut one, &room, "Grüße").await;
    assert_eq!(hear(&mut one).await, ("Grüße".into(), true, sent.clone()));
    assert_eq!(hear(&mut two).await, ("Grüße".into(), false, sent.clone()));
    let path = format!("v3/rooms/{room}/event/{}", sent.expose());
    let event = bob.ok(Method::GET, &path, Value::Null).await;
    assert_eq!(event["type"], "m.room.encrypted");
    let sent = say(&mut two, &room, "back").await;
    assert_eq!(hear(&mut one).await, ("back".into(), false, sent));
    assert_eq!(hear(&mut two).await.0, "back");
    // In an encrypted room a plain message may be anybody's.
    bob.send(
        &room,
        "m.room.message",
        json!({"msgtype": "m.text", "body": "plain"}),
    )
    .await;
    let sent = say(&mut one, &room, "last").await;
    assert_eq!(hear(&mut two).await, ("last".into(), false, sent));
}

#[tokio::test]
async fn plain_rooms_have_plain_messages() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let (_account, mut line, _) = Room::new(server).await.online().await;
    line.join(&room).await;
    bob.send(
        &room,
        "m.room.message",
        json!({"msgtype": "m.image", "body": "picture"}),
    )
    .await;
    let long = json!({"msgtype": "m.text", "body": "ü".repeat(20_000)});
    bob.send(&room, "m.room.message", long).await;
    let text = hear(&mut line).await.0;
    assert_eq!(text, "ü".repeat(8 * 1024));
    let too_long = Ask::SendMessage {
        room: room_id(&room),
        text: Pii::new("x".repeat(20_000)),
    };
    assert_eq!(line.ask(too_long).await, Err(Failure::BadRequest));
}

#[tokio::test]
async fn hands_rise_and_fall_and_emoji_fly() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let room = bob.room(json!({})).await;
    let (_account, mut line, me) = Room::new(server).await.online().await;
    line.join(&room).await;
    let member = bob
        .set_state(
            &room,
            "org.matrix.msc3401.call.member",
            "_bob",
            json!({"a": 1}),
        )
        .await;
    let react = Ask::React {
        room: room_id(&room),
        event: EventId::new(&member),
        key: "🖐️".into(),
    };
    let Ok(Done::Sent { event: hand }) = line.ask(react).await else {
        panic!("no reaction");
    };
    let raised = line.news(|news| match news {
        News::Reaction {
            event,
            sender,
            target,
            key,
            ..
        } => Some((event.clone(), sender.clone(), target.clone(), key.clone())),
        _ => None,
    });
    let expected = (
        hand.clone(),
        me.user.clone(),
        EventId::new(&member),
        "🖐️".into(),
    );
    assert_eq!(raised.await, expected);
    let so_far = || Ask::Reactions {
        room: room_id(&room),
        event: EventId::new(&member),
    };
    let up = Reaction {
        event: hand.clone(),
        sender: me.user.clone(),
        key: "🖐️".into(),
    };
    assert_eq!(line.ask(so_far()).await, Ok(Done::Reactions(vec![up])));
    let redact = Ask::Redact {
        room: room_id(&room),
        event: hand.clone(),
    };
    assert!(matches!(line.ask(redact).await, Ok(Done::Sent { .. })));
    let lowered = line.news(|news| match news {
        News::Redacted { event, .. } => Some(event.clone()),
        _ => None,
    });
    assert_eq!(lowered.await, hand);
    assert_eq!(line.ask(so_far()).await, Ok(Done::Reactions(Vec::new())));
    let emoji = json!({
        "emoji": "🎉", "name": "party",
        "m.relates_to": {"rel_type": "m.reference", "event_id": member},
    });
    bob.send(&room, "io.element.call.reaction", emoji).await;
    let flew = line.news(|news| match news {
        News::Emoji { emoji, target, .. } => Some((emoji.clone(), target.clone())),
        _ => None,
    });
    assert_eq!(flew.await, ("🎉".into(), EventId::new(&member)));
}
