// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the logs say at the level that a room runs with.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use roomd_matrix::LOG_DIRECTIVES;
use roomd_matrix_port::Ask;
use tracing_subscriber::EnvFilter;

use super::line::{Room, room_id};
use super::person::Person;
use super::synapse::shared;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Collects what every test of this process logs.
pub fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(format!("info,{LOG_DIRECTIVES}")))
            .with_writer(|| Log)
            .with_ansi(false)
            .init();
    });
}

#[tokio::test]
async fn nothing_personal_is_logged() {
    let server = shared().await;
    let bob = Person::new(server, "bob").await;
    let id = bob.encrypted_room().await;
    let room = Room::new(server).await;
    let (account, mut line, me) = room.online().await;
    line.join(&id).await;
    let text = Ask::SendMessage {
        room: room_id(&id),
        text: "a secret word".into(),
    };
    line.ask(text).await.unwrap();
    line.try_join("!nowhere:localhost").await.unwrap_err();
    line.attachment
        .to
        .send("not a message".into())
        .await
        .unwrap();
    account.stop().await;
    std::fs::write(room.path().join("password"), "wrong").unwrap();
    std::fs::remove_file(room.settings.store.join("session.json")).unwrap();
    room.refused().await;
    let log = String::from_utf8(LOGGED.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("the Matrix account"),
        "nothing was logged at all"
    );
    for personal in [
        id.trim_start_matches('!'),
        me.user.expose(),
        me.device.expose(),
        "secret word",
        "nowhere",
        super::person::PASSWORD,
    ] {
        assert!(!log.contains(personal), "{personal} is in the log:\n{log}");
    }
}
