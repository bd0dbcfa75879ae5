// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Logging in, staying logged in, and being thrown out.

use std::os::unix::fs::PermissionsExt;

use reqwest::Method;
use roomd_matrix::{Login, State};
use roomd_matrix_port::{Ask, Failure, Me, News, Why};
use serde_json::{Value, json};

use super::line::{Line, Room};
use super::person::Person;
use super::synapse::shared;

/// What anybody sees of the account's keys.
async fn keys(person: &Person, me: &Me) -> Value {
    let body = json!({"device_keys": {me.user.expose(): []}});
    person.ok(Method::POST, "v3/keys/query", body).await
}

/// Whether the account's identity has signed the device, as others see it.
fn is_signed(keys: &Value, me: &Me) -> bool {
    let (user, device) = (me.user.expose(), me.device.expose());
    let own = keys["self_signing_keys"][user]["keys"].as_object();
    let own = own.and_then(|keys| keys.keys().next().cloned());
    let signatures = &keys["device_keys"][user][device]["signatures"][user];
    own.is_some_and(|own| signatures[own].is_string())
}

async fn devices(person: &Person) -> Vec<String> {
    let answer = person.ok(Method::GET, "v3/devices", Value::Null).await;
    let devices = answer["devices"].as_array().unwrap().iter();
    devices
        .map(|device| device["device_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_first_login_makes_a_device_that_others_see_verified() {
    let server = shared().await;
    let (person, other) = (
        Person::new(server, "room").await,
        Person::new(server, "bob").await,
    );
    let room = Room::of(server, &person);
    let (account, _line, me) = room.online().await;
    assert_eq!(me.user.expose(), person.user);
    assert!(me.cross_signed);
    assert_eq!(
        *account.state().borrow(),
        State::Online { cross_signed: true }
    );
    let keys = keys(&other, &me).await;
    assert!(keys["master_keys"][&person.user].is_object(), "{keys}");
    assert!(is_signed(&keys, &me), "{keys}");
    let devices = person
        .ok(
            Method::GET,
            &format!("v3/devices/{}", me.device.expose()),
            Value::Null,
        )
        .await;
    assert_eq!(devices["display_name"], "Room 1");
    for name in ["passphrase", "session.json", "recovery-key"] {
        let mode = std::fs::metadata(room.settings.store.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_wrong_password_or_user_ends_the_account() {
    let server = shared().await;
    let mut room = Room::new(server).await;
    std::fs::write(room.path().join("password"), "wrong").unwrap();
    assert_eq!(room.refused().await, Why::LoginRefused);
    room.settings.user = "nobody".into();
    assert_eq!(room.refused().await, Why::LoginRefused);
    room.settings.login = Login::Password(room.path().join("missing"));
    assert_eq!(room.refused().await, Why::Configuration);
}

#[tokio::test]
async fn an_ended_account_says_so_to_every_session() {
    let server = shared().await;
    let room = Room::new(server).await;
    std::fs::write(room.path().join("password"), "wrong").unwrap();
    let account = room.start();
    let mut states = account.state();
    states
        .wait_for(|state| matches!(state, State::Ended(_)))
        .await
        .unwrap();
    for _ in 0..2 {
        let mut line = Line::new(&account).await;
        line.news(|news| (*news == News::Ended(Why::LoginRefused)).then_some(()))
            .await;
        assert!(line.attachment.from.recv().await.is_none());
    }
}

#[tokio::test]
async fn a_restart_is_the_same_device() {
    let server = shared().await;
    let person = Person::new(server, "room").await;
    let room = Room::of(server, &person);
    let (account, _line, first) = room.online().await;
    account.stop().await;
    // Whoever has only the store does not need the password.
    std::fs::write(room.path().join("password"), "changed meanwhile").unwrap();
    let (_account, _line, second) = room.online().await;
    assert_eq!(first, second);
    let devices = devices(&person).await;
    assert_eq!(devices.len(), 2, "{devices:?}");
}

#[tokio::test]
async fn a_revoked_login_is_made_anew_and_is_vouched_for_again() {
    let server = shared().await;
    let (person, other) = (
        Person::new(server, "room").await,
        Person::new(server, "bob").await,
    );
    let room = Room::of(server, &person);
    let (_account, mut line, first) = room.online().await;
    revoke(&room, &person).await;
    line.offline().await;
    let second = line.online().await;
    assert_ne!(first.device, second.device);
    assert!(second.cross_signed);
    assert!(is_signed(&keys(&other, &second).await, &second));
    assert!(line.ask(Ask::OpenIdToken).await.is_ok());
    let devices = devices(&person).await;
    assert_eq!(
        devices.len(),
        2,
        "the old device is gone, the new one is there: {devices:?}"
    );
}

/// Logs the account's device out, as its owner could anywhere.
async fn revoke(room: &Room, person: &Person) {
    let kept = std::fs::read(room.settings.store.join("session.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let mut device = person.login().await;
    device.ok(Method::POST, "v3/logout", json!({})).await;
    device.token = kept["session"]["access_token"].as_str().unwrap().to_owned();
    device.ok(Method::POST, "v3/logout", json!({})).await;
}

#[tokio::test]
async fn a_token_is_used_until_it_is_revoked() {
    let server = shared().await;
    let person = Person::new(server, "room").await;
    let device = person.login().await;
    let mut room = Room::of(server, &person);
    let token = room.path().join("token");
    std::fs::write(&token, &device.token).unwrap();
    room.settings.login = Login::AccessToken(token.clone());
    let (account, _line, me) = room.online().await;
    assert_eq!(me.device.expose(), device.device);
    assert!(
        me.cross_signed,
        "this server takes a first identity without a password"
    );
    account.stop().await;
    let (_account, mut line, me) = room.online().await;
    assert_eq!(me.device.expose(), device.device);
    device.ok(Method::POST, "v3/logout", json!({})).await;
    line.news(|news| (*news == News::Ended(Why::TokenRevoked)).then_some(()))
        .await;
    assert_eq!(room.refused().await, Why::TokenRevoked);
    room.settings.user = "somebody-else".into();
    std::fs::write(&token, person.login().await.token).unwrap();
    assert_eq!(room.refused().await, Why::Configuration);
}

#[tokio::test]
async fn an_identity_made_elsewhere_needs_its_recovery_key() {
    let server = shared().await;
    let (person, other) = (
        Person::new(server, "room").await,
        Person::new(server, "bob").await,
    );
    let first = Room::of(server, &person);
    let (_first_account, _line, _) = first.online().await;
    let mut second = Room::of(server, &person);
    let (account, _line, me) = second.online().await;
    assert!(!me.cross_signed);
    assert!(!is_signed(&keys(&other, &me).await, &me));
    account.stop().await;
    second.settings.recovery_key_file = Some(first.settings.store.join("recovery-key"));
    let (_account, _line, again) = second.online().await;
    assert_eq!(again.device, me.device);
    assert!(again.cross_signed);
    assert!(is_signed(&keys(&other, &again).await, &again));
    assert!(
        !second.settings.store.join("recovery-key").exists(),
        "somebody else looks after it"
    );
}

#[tokio::test]
async fn a_broken_store_is_made_anew() {
    let server = shared().await;
    let room = Room::new(server).await;
    let (account, _line, first) = room.online().await;
    account.stop().await;
    std::fs::write(room.settings.store.join("passphrase"), "0".repeat(64)).unwrap();
    let (_account, _line, second) = room.online().await;
    assert_ne!(first.device, second.device);
    assert!(second.cross_signed);
}

#[tokio::test]
async fn a_later_session_takes_the_account_over() {
    let server = shared().await;
    let room = Room::new(server).await;
    let (account, mut first, _) = room.online().await;
    first.ask_only(Ask::OpenIdToken).await;
    let mut second = Line::new(&account).await;
    second.online().await;
    assert!(second.ask(Ask::Transports).await.is_ok());
    while first.attachment.from.recv().await.is_some() {}
    assert!(
        second.so_far().is_empty(),
        "the first session's answers are its own"
    );
    account.stop().await;
    second
        .news(|news| (*news == News::Ended(Why::Stopped)).then_some(()))
        .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = shared().await;
    let (_account, mut line, _) = Room::new(server).await.online().await;
    line.attachment.to.send("nonsense".into()).await.unwrap();
    let not_in_room = Ask::SendMessage {
        room: roomd_matrix_port::RoomId::new("!nowhere:localhost"),
        text: "hello".into(),
    };
    assert_eq!(line.ask(not_in_room).await, Err(Failure::NotInRoom));
    let no_room = Ask::Join {
        room: "no room".into(),
        via: Vec::new(),
        reason: None,
    };
    assert_eq!(line.ask(no_room).await, Err(Failure::BadRequest));
}
