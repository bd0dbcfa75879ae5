// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use futures_util::SinkExt;
use roomd_interfaces::{GuestCommand, GuestEvent};
use roomd_model::Pii;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{House, next, send};

async fn opened(house: &mut House) -> (u64, mpsc::Sender<GuestCommand>) {
    match house.guests.recv().await.unwrap() {
        GuestEvent::Opened {
            channel,
            meeting,
            commands,
        } => {
            assert_eq!(meeting.expose(), "abcd-efgh-jkmn");
            (channel, commands)
        }
        other @ (GuestEvent::Text { .. } | GuestEvent::Closed { .. }) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn text_goes_both_ways_until_one_side_closes() {
    let mut house = House::open();
    let mut page = house.guest().await;
    let (channel, commands) = opened(&mut house).await;
    send(&mut page, r#"{"type":"bye"}"#).await;
    match house.guests.recv().await.unwrap() {
        GuestEvent::Text {
            channel: from,
            text,
        } => {
            assert_eq!(
                (from, text.expose().as_str()),
                (channel, r#"{"type":"bye"}"#)
            );
        }
        other @ (GuestEvent::Opened { .. } | GuestEvent::Closed { .. }) => panic!("{other:?}"),
    }
    let hello = GuestCommand::Text(Pii::from(r#"{"type":"ended"}"#));
    commands.send(hello).await.unwrap();
    assert_eq!(next(&mut page).await, Some(json!({"type": "ended"})));
    commands.send(GuestCommand::Close).await.unwrap();
    assert_eq!(next(&mut page).await, None);
    let last = house.guests.recv().await.unwrap();
    assert!(matches!(last, GuestEvent::Closed { channel: c } if c == channel));
}

#[tokio::test]
async fn a_guest_that_floods_is_closed_alone() {
    let mut house = House::open();
    let mut calm = house.guest().await;
    let (calm_channel, calm_commands) = opened(&mut house).await;
    let mut loud = house.guest().await;
    let (loud_channel, _commands) = opened(&mut house).await;
    let flood = tokio::spawn(async move {
        // Ends with an error as soon as the room has enough.
        for _ in 0..5000 {
            if loud.send(Message::text("x")).await.is_err() {
                break;
            }
        }
        loud
    });
    loop {
        match house.guests.recv().await.unwrap() {
            GuestEvent::Text { channel, .. } => assert_eq!(channel, loud_channel),
            GuestEvent::Closed { channel } => {
                assert_eq!(channel, loud_channel);
                break;
            }
            GuestEvent::Opened { .. } => panic!("nobody came"),
        }
    }
    flood.await.unwrap();
    let still = GuestCommand::Text(Pii::from(r#""there""#));
    calm_commands.send(still).await.unwrap();
    assert_eq!(next(&mut calm).await, Some(json!("there")));
    assert_ne!(calm_channel, loud_channel);
}

#[tokio::test]
async fn strangers_pages_bad_ids_and_crowds_stay_out() {
    let house = House::open();
    let origin = house.origin();
    let good = "/meet/abcd-efgh-jkmn/ws";
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(house.socket(good, &foreign).await.err(), Some(403));
    assert_eq!(house.socket(good, &[]).await.err(), Some(403));
    let own = [("origin", origin.as_str())];
    assert_eq!(house.socket("/meet/short/ws", &own).await.err(), Some(404));
    let mut pages = Vec::new();
    for _ in 0..8 {
        pages.push(house.socket(good, &own).await.unwrap());
    }
    assert_eq!(house.socket(good, &own).await.err(), Some(429));
}
