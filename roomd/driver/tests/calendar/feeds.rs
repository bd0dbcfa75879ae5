// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Calendars that are only read: feeds over HTTPS, and files.

use std::fs;

use roomd_driver::calendar::{AnswerError, Password, Source, spawn};
use roomd_model::{FaultCode, Pii, Secret};

use crate::support::{Radicale, calendar, event, id, next_hour, settings, titles, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("room.ics");
    let handle = spawn(settings(Source::File(path.clone()), None));
    until(&handle, "the missing file", |state| state.fault.is_some()).await;
    let broken = "BEGIN:VEVENT\r\nUID:broken\r\nEND:VEVENT\r\n";
    fs::write(
        &path,
        calendar(&format!("{}{broken}", event("a", "Alpha", next_hour(), ""))),
    )
    .unwrap();
    handle.refresh().await;
    let state = until(&handle, "the file", |state| titles(state) == ["Alpha"]).await;
    assert_eq!(state.skipped.len(), 1);
    assert_eq!(state.skipped[0].uid.as_deref(), Some("broken"));
    assert_eq!(state.faults()[0].code, FaultCode::CalendarEntriesSkipped);
    let two = [
        event("a", "Alpha", next_hour(), ""),
        event("b", "Beta", next_hour(), ""),
    ]
    .concat();
    fs::write(&path, calendar(&two)).unwrap();
    let state = until(&handle, "the change", |state| {
        titles(state) == ["Alpha", "Beta"]
    })
    .await;
    assert_eq!(state.skipped, []);
    assert_eq!(
        handle.answer(id("a"), true).await,
        Err(AnswerError::ReadOnly)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_over_https_is_followed() {
    let mut server = Radicale::start_with_tls().await;
    server
        .put("a.ics", &event("a", "Alpha", next_hour(), ""))
        .await;
    let feed = |password: &str, ca_file| {
        let source = Source::Ics {
            url: Pii::new(server.address("/elbe/room/")),
            ca_file,
            username: Some(Pii::from("elbe")),
            password: Some(Password::Given(Secret::new(password))),
        };
        settings(source, None)
    };
    let good = feed("geheim", server.authority.clone());
    let (wrong, stranger) = (
        feed("falsch", server.authority.clone()),
        feed("geheim", None),
    );
    let handle = spawn(stranger);
    let state = until(&handle, "no trust", |state| state.fault.is_some()).await;
    assert_eq!(state.fault, Some(FaultCode::CalendarUnreachable));
    handle.reload(wrong).await;
    until(&handle, "the refusal", |state| {
        state.fault == Some(FaultCode::CalendarRefused)
    })
    .await;
    handle.reload(good).await;
    until(&handle, "the feed", |state| titles(state) == ["Alpha"]).await;
    server
        .put("a.ics", &event("a", "Beta", next_hour(), "SEQUENCE:1\r\n"))
        .await;
    until(&handle, "the change", |state| titles(state) == ["Beta"]).await;
    assert_eq!(
        handle.answer(id("a"), true).await,
        Err(AnswerError::ReadOnly)
    );
    server.stop();
    let state = until(&handle, "the failure", |state| state.stale).await;
    assert_eq!(titles(&state), ["Beta"], "the last schedule stands");
}
