// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages between devices.

use reqwest::Method;
use roomd_matrix_port::{Ask, DeviceId, Done, Failure, Me, News, Recipient, UserId};
use roomd_model::Pii;
use serde_json::{Value, json};

use super::line::{Line, Room};
use super::person::{Person, fresh};
use super::synapse::shared;

const KEYS: &str = "io.element.call.encryption_keys";

fn recipient(me: &Me) -> Recipient {
    Recipient {
        user: me.user.clone(),
        device: me.device.clone(),
    }
}

async fn send(line: &mut Line, to: Vec<Recipient>, content: Value) -> Vec<Recipient> {
    let answer = line
        .ask(Ask::ToDevice {
            kind: KEYS.into(),
            content: Pii::new(content),
            recipients: to,
        })
        .await;
    let Ok(Done::SentToDevice { unreachable }) = answer else {
        panic!("{answer:?}");
    };
    unreachable
}

async fn receive(line: &mut Line) -> News {
    line.news(|news| matches!(news, News::ToDevice { .. }).then(|| news.clone()))
        .await
}

#[tokio::test]
async fn keys_go_both_ways_encrypted_and_say_who_sent_them() {
    let server = shared().await;
    let (_one, mut one, me) = Room::new(server).await.online().await;
    let (_two, mut two, other) = Room::new(server).await.online().await;
    for count in 0..2 {
        let content = json!({"keys": {"index": count}});
        assert_eq!(
            send(&mut one, vec![recipient(&other)], content.clone()).await,
            []
        );
        assert_eq!(
            receive(&mut two).await,
            News::ToDevice {
                sender: me.user.clone(),
                device: me.device.clone(),
                kind: KEYS.into(),
                content: Pii::new(content),
            }
        );
        assert_eq!(
            send(&mut two, vec![recipient(&me)], json!({"back": count})).await,
            []
        );
        let News::ToDevice { sender, device, .. } = receive(&mut one).await else {
            unreachable!();
        };
        assert_eq!((sender, device), (other.user.clone(), other.device.clone()));
    }
}

#[tokio::test]
async fn devices_that_cannot_be_reached_are_named() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (_one, mut one, me) = Room::new(server).await.online().await;
    let (_two, mut two, other) = Room::new(server).await.online().await;
    let to = |user: &str, device: &str| Recipient {
        user: UserId::new(user),
        device: DeviceId::new(device),
    };
    let lost = vec![
        // No keys, no such device, no such user, no user at all.
        to(&bob.user, &bob.device),
        to(other.user.expose(), "NOWHERE"),
        to("@nobody:localhost", "DEVICE"),
        to("nonsense", "DEVICE"),
    ];
    let mut all = lost.clone();
    all.extend([recipient(&other), recipient(&me)]);
    let mut unreachable = send(&mut one, all, json!({"a": 1})).await;
    unreachable.sort();
    let mut expected = lost;
    expected.sort();
    assert_eq!(unreachable, expected);
    receive(&mut two).await;
    let reserved = Ask::ToDevice {
        kind: "m.room_key".into(),
        content: Pii::new(json!({})),
        recipients: vec![recipient(&other)],
    };
    assert_eq!(one.ask(reserved).await, Err(Failure::BadRequest));
}

#[tokio::test]
async fn what_was_not_encrypted_is_not_passed_on() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let (_one, mut one, me) = Room::new(server).await.online().await;
    let (_two, mut two, other) = Room::new(server).await.online().await;
    let plain = json!({"messages": {me.user.expose(): {me.device.expose(): {
        "keys": {"index": 0, "key": "forged"}, "member": {"claimed_device_id": other.device.expose()},
    }}}});
    let path = format!("v3/sendToDevice/{KEYS}/{}", fresh("txn"));
    bob.ok(Method::PUT, &path, plain).await;
    send(
        &mut two,
        vec![recipient(&me)],
        json!({"keys": {"index": 1}}),
    )
    .await;
    let News::ToDevice { content, .. } = receive(&mut one).await else {
        unreachable!();
    };
    assert_eq!(content.expose(), &json!({"keys": {"index": 1}}));
    let rest = one.so_far();
    assert!(
        !rest
            .iter()
            .any(|news| matches!(news, News::ToDevice { .. }))
    );
}
