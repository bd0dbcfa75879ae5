// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Homeservers that are not set up for calls, or for long logins.

use roomd_matrix_port::{Ask, Done, Failure};
use serde_json::json;

use super::line::{Room, room_id};
use super::person::Person;
use super::synapse::Homeserver;

/// An older set-up: the transports are in the well-known file, and nothing is held back.
const WELL_KNOWN: &str = r#"
extra_well_known_client_content:
  org.matrix.msc4143.rtc_foci: [{type: livekit, livekit_service_url: "https://rtc.example.org"}]
"#;

#[tokio::test]
async fn an_older_server_names_its_transports_and_holds_nothing_back() {
    let server = Homeserver::start(WELL_KNOWN).await;
    let bob = Person::new(&server, "bob").await;
    let id = bob.encrypted_room().await;
    let (_account, mut line, _) = Room::new(&server).await.online().await;
    assert!(line.join(&id).await.info.encrypted);
    let Ok(Done::Transports(transports)) = line.ask(Ask::Transports).await else {
        panic!("no transports");
    };
    let urls: Vec<_> = transports
        .iter()
        .map(|one| one.livekit_service_url.expose().as_str())
        .collect();
    assert_eq!(urls, ["https://rtc.example.org/"]);
    let later = Ask::DelayState {
        room: room_id(&id),
        kind: "org.matrix.msc3401.call.member".into(),
        state_key: "key".into(),
        content: json!({}).into(),
        delay_ms: 18_000,
    };
    assert_eq!(line.ask(later).await, Err(Failure::Unsupported));
}

#[tokio::test]
async fn an_expired_login_is_renewed_for_the_same_device() {
    let server = Homeserver::start("session_lifetime: 12s").await;
    let room = Room::new(&server).await;
    let (_account, mut line, first) = room.online().await;
    line.offline().await;
    let second = line.online().await;
    assert_eq!(first, second);
    assert!(line.ask(Ask::OpenIdToken).await.is_ok());
}
