// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::sync::Arc;
use std::time::Duration;

use roomd_api::{Pairing, Reply, Request};
use roomd_interfaces::PreviewError;
use roomd_interfaces::web::Panels;
use roomd_model::{Phase, Pii};
use serde_json::json;

use crate::support::{House, at, cookie, next, send, state};

#[tokio::test]
async fn a_tablet_pairs_and_stays_paired_over_a_restart() {
    let house = House::open();
    assert_eq!(house.get("/api/session").await.status(), 401);
    assert_eq!(
        house
            .post("/api/pair", r#"{"code":"123456"}"#)
            .await
            .status(),
        410
    );
    assert_eq!(house.post("/api/pair/show", "").await.status(), 204);
    let code = house.code();
    let paired = house
        .post("/api/pair", &format!(r#"{{"code":"{code}"}}"#))
        .await;
    let cookie = cookie(&paired);

    let house = House::in_folder(house.close().await);
    let session = house
        .http
        .get(house.url("/api/session"))
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&session.text().await.unwrap()).unwrap();
    assert_eq!(body, json!({"paired": true, "local": false}));
    let mut socket = house.panel(&cookie).await;
    assert!(next(&mut socket).await.is_some());
}

#[tokio::test]
async fn wrong_codes_lock_pairing() {
    let house = House::open();
    house.post("/api/pair/show", "").await;
    let wrong = if house.code() == "000000" {
        "000001"
    } else {
        "000000"
    };
    let body = format!(r#"{{"code":"{wrong}"}}"#);
    for tries_left in (1..5).rev() {
        let answer = house.post("/api/pair", &body).await;
        assert_eq!(answer.status(), 403);
        let expected = json!({"triesLeft": tries_left}).to_string();
        assert_eq!(answer.text().await.unwrap(), expected);
    }
    let locked = house.post("/api/pair", &body).await;
    assert_eq!(locked.status(), 429);
    assert_eq!(locked.headers()["retry-after"], "30");
    assert_eq!(locked.text().await.unwrap(), r#"{"retryAfterSeconds":30}"#);
    assert_eq!(house.post("/api/pair/show", "").await.status(), 429);
    assert!(house.desk.shown().borrow().is_none());
}

#[tokio::test]
async fn the_wired_panel_uses_its_token_and_strangers_get_nowhere() {
    let house = House::open();
    let wrong = house.post("/api/session", r#"{"token":"guess"}"#).await;
    assert_eq!(wrong.status(), 401);
    let cookie = house.local_session().await;
    let origin = house.origin();
    let panel = "/api/panel";
    assert_eq!(
        house.socket(panel, &[("origin", &origin)]).await.err(),
        Some(401)
    );
    let foreign = [
        ("cookie", cookie.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(house.socket(panel, &foreign).await.err(), Some(403));
    let silent = [("cookie", cookie.as_str())];
    assert_eq!(house.socket(panel, &silent).await.err(), Some(403));
    let cross_site = house
        .http
        .post(house.url("/api/pair/show"))
        .header("origin", "https://evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(cross_site.status(), 403);
}

#[tokio::test]
async fn who_is_connected_is_told() {
    let mut house = House::open();
    assert_eq!(*house.panels.borrow(), Panels::default());
    let cookie = house.local_session().await;
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let mut panel = house.panel(&cookie).await;
        next(&mut panel).await.unwrap();
        sockets.push(panel);
    }
    let told = |wired| Panels { wired, paired: 0 };
    assert_eq!(*house.panels.borrow(), told(2));
    for wired in [1, 0] {
        drop(sockets.pop());
        let left = house.panels.wait_for(|panels| *panels == told(wired));
        let left = tokio::time::timeout(Duration::from_secs(20), left);
        assert!(left.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_panel_sees_the_state_then_changes_and_never_the_code() {
    let house = House::open();
    let cookie = house.local_session().await;
    let mut panel = house.panel(&cookie).await;
    let first = next(&mut panel).await.unwrap();
    assert_eq!(first["event"]["event"], "state");
    assert_eq!(first["event"]["value"]["room"]["name"], "Raum Elbe");

    let mut changed = state();
    changed.room.phase = Phase::Joining;
    changed.pairing = Some(Pairing {
        code: Some(Pii::from("482913")),
        url: Pii::from("https://room.example/"),
        expires_at: at(0),
    });
    house.owner.state.send_replace(Arc::new(changed));
    let room = next(&mut panel).await.unwrap();
    assert_eq!(room["event"]["event"], "room");
    assert_eq!(room["event"]["value"]["phase"]["phase"], "joining");
    let pairing = next(&mut panel).await.unwrap();
    assert_eq!(pairing["event"]["event"], "pairing");
    assert_eq!(pairing["event"]["value"]["code"], json!(null));

    let mut again = house.panel(&cookie).await;
    let all = next(&mut again).await.unwrap();
    assert_eq!(all["event"]["value"]["room"]["phase"]["phase"], "joining");
    assert!(!all.to_string().contains("482913"));
}

#[tokio::test]
async fn a_paired_panel_looks_at_content_and_strangers_do_not() {
    let mut house = House::open();
    let url = house.url("/api/content?input=Tisch%20links");
    let stranger = house.http.get(&url).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let cookie = house.local_session().await;
    for (answer, status) in [
        (Ok(b"picture".to_vec()), 200),
        (Err(PreviewError::NoPicture), 204),
        (Err(PreviewError::Unknown), 404),
        (Err(PreviewError::InUse), 409),
    ] {
        let asked = house.http.get(&url).header("cookie", &cookie).send();
        let asked = tokio::spawn(asked);
        let request = house.owner.previews.recv().await.unwrap();
        assert_eq!(request.input, "Tisch links");
        request.reply.send(answer).unwrap();
        let response = asked.await.unwrap().unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn requests_reach_the_room_and_nonsense_does_not() {
    let mut house = House::open();
    let mut panel = house.panel(&house.local_session().await).await;
    next(&mut panel).await.unwrap();

    send(&mut panel, r#"{"id":7,"request":{"request":"leave"}}"#).await;
    let intent = house.owner.intents.recv().await.unwrap();
    assert_eq!(intent.request, Request::Leave);
    intent.reply.send(Reply::Accepted).unwrap();
    let reply = next(&mut panel).await.unwrap();
    let expected = json!({"message": "reply", "id": 7, "reply": {"reply": "accepted"}});
    assert_eq!(reply, expected);

    for (id, bad) in [
        (8, json!({"request": "volume", "percent": 101})),
        (9, json!({"request": "explode"})),
        (10, json!({"request": "chat", "text": "x".repeat(2001)})),
    ] {
        send(&mut panel, &json!({"id": id, "request": bad}).to_string()).await;
        let reply = next(&mut panel).await.unwrap();
        assert_eq!(reply["id"], id);
        assert_eq!(reply["reply"]["refusal"], "bad-request");
    }
    assert!(house.owner.intents.try_recv().is_err());
}

#[tokio::test]
async fn an_oversized_message_ends_one_panel_and_a_stop_ends_all() {
    let house = House::open();
    let cookie = house.local_session().await;
    let mut loud = house.panel(&cookie).await;
    let mut calm = house.panel(&cookie).await;
    next(&mut loud).await.unwrap();
    next(&mut calm).await.unwrap();
    send(&mut loud, &"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(next(&mut loud).await, None);

    let mut changed = state();
    changed.room.name = "Raum Saale".to_owned();
    house.owner.state.send_replace(Arc::new(changed));
    let event = next(&mut calm).await.unwrap();
    assert_eq!(event["event"]["value"]["name"], "Raum Saale");
    house.close().await;
    assert_eq!(next(&mut calm).await, None);
}
