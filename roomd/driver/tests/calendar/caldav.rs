// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Finding a calendar, following it, answering invitations.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use chrono::TimeDelta;
use roomd_bookings::Privacy;
use roomd_driver::calendar::{AnswerError, CalendarState, Password, Settings, Source, spawn};
use roomd_model::{Attendance, FaultCode, Secret};

use crate::middleman::Middleman;
use crate::support::{PATIENCE, Radicale, event, id, next_hour, run, stamp, titles, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_appears_and_changes() {
    let server = Radicale::start().await;
    let start = next_hour();
    server.put("a.ics", &event("a", "Alpha", start, "")).await;
    // Only the host is configured: principal, home and calendar are found.
    let handle = spawn(server.settings("/", None));
    let state = until(&handle, "the first event", |state| {
        titles(state) == ["Alpha"]
    })
    .await;
    assert!(!state.stale && state.fault.is_none() && state.read_at.is_some());

    let day = start + TimeDelta::days(1);
    let series = event(
        "b",
        "Reihe",
        start + TimeDelta::hours(2),
        "RRULE:FREQ=DAILY;COUNT=3\r\n",
    );
    server.put("b.ics", &series).await;
    until(&handle, "a series", |state| {
        titles(state) == ["Alpha", "Reihe", "Reihe", "Reihe"]
    })
    .await;

    let due = stamp(day + TimeDelta::hours(2));
    let moved = event(
        "b",
        "Verschoben",
        day + TimeDelta::hours(5),
        &format!("RECURRENCE-ID:{due}\r\nSEQUENCE:1\r\n"),
    );
    server.put("b.ics", &format!("{series}{moved}")).await;
    let state = until(&handle, "a moved occurrence", |state| {
        titles(state).contains(&"Verschoben")
    })
    .await;
    let booking = state.schedule.find(&id(&format!("b/{due}"))).unwrap();
    assert_eq!(booking.start, day + TimeDelta::hours(5));
    assert_eq!(titles(&state), ["Alpha", "Reihe", "Verschoben", "Reihe"]);

    server
        .put("a.ics", &event("a", "Alpha neu", start, "SEQUENCE:1\r\n"))
        .await;
    until(&handle, "a change", |state| {
        titles(state).contains(&"Alpha neu")
    })
    .await;
    assert!(
        server
            .request("DELETE", "room/b.ics", "")
            .await
            .is_success()
    );
    until(&handle, "a removal", |state| titles(state) == ["Alpha neu"]).await;
    let log = fs::read_to_string(server.folder.path().join("log")).unwrap();
    assert!(log.contains("REPORT request"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_written_and_loses_nothing() {
    let server = Radicale::start().await;
    let start = next_hour();
    server
        .put(
            "a.ics",
            &event("a", "Alpha", start, "X-KEEP;Y=\"a;b\":as it is\r\n"),
        )
        .await;
    let handle = spawn(server.settings("/elbe/room/", None));
    until(&handle, "the event", |state| titles(state) == ["Alpha"]).await;
    handle.answer(id("a"), true).await.unwrap();
    let accepted = |wanted| {
        move |state: &CalendarState| {
            state
                .schedule
                .find(&id("a"))
                .is_some_and(|booking| booking.attendance == wanted)
        }
    };
    until(&handle, "the room's answer", accepted(Attendance::Accepted)).await;
    let text = server.get("a.ics").await;
    assert!(
        text.contains("PARTSTAT=ACCEPTED") && text.contains("as it is"),
        "{text}"
    );

    // Somebody else changes the entry; the answer keeps the change.
    server
        .put("a.ics", &event("a", "Beta", start, "SEQUENCE:1\r\n"))
        .await;
    handle.answer(id("a"), false).await.unwrap();
    let text = server.get("a.ics").await;
    assert!(
        text.contains("PARTSTAT=DECLINED") && text.contains("SUMMARY:Beta"),
        "{text}"
    );
    let first = start + TimeDelta::hours(2);
    let series = event("b", "Reihe", first, "RRULE:FREQ=DAILY;COUNT=3\r\n");
    server.put("b.ics", &series).await;
    let second = id(&format!("b/{}", stamp(first + TimeDelta::days(1))));
    until(&handle, "the series", |state| {
        state.schedule.find(&second).is_some()
    })
    .await;
    handle.answer(second.clone(), false).await.unwrap();
    let declined = |state: &CalendarState| -> Vec<bool> {
        let series = state
            .schedule
            .bookings()
            .iter()
            .filter(|booking| booking.id.0.starts_with("b/"));
        series
            .map(|booking| booking.attendance == Attendance::Declined)
            .collect()
    };
    until(&handle, "one date declined", |state| {
        declined(state) == [false, true, false]
    })
    .await;
    assert_eq!(
        handle.answer(id("none"), true).await,
        Err(AnswerError::UnknownBooking)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_outlives_the_server_and_a_restart() {
    let mut server = Radicale::start().await;
    let state_dir = tempfile::tempdir().unwrap();
    server
        .put("a.ics", &event("a", "Alpha", next_hour(), ""))
        .await;
    let settings = server.settings("/elbe/", Some(state_dir.path()));
    let handle = spawn(settings.clone());
    until(&handle, "the event", |state| titles(state) == ["Alpha"]).await;
    until_kept(state_dir.path(), "Alpha").await;
    let kept = state_dir.path().join("calendar.json");
    assert_eq!(
        fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
        0o600
    );

    server.stop();
    let state = until(&handle, "the failure", |state| state.stale).await;
    assert_eq!(state.fault, Some(FaultCode::CalendarUnreachable));
    assert_eq!(titles(&state), ["Alpha"]);
    assert_eq!(
        handle.answer(id("a"), true).await,
        Err(AnswerError::Unreachable)
    );

    drop(handle);
    let handle = spawn(settings.clone());
    let state = until(&handle, "the kept schedule", |state| state.fault.is_some()).await;
    assert!(state.stale && titles(&state) == ["Alpha"]);

    server.process = run(server.folder.path());
    server.ready().await;
    server
        .put(
            "b.ics",
            &event("b", "Beta", next_hour() + TimeDelta::hours(1), ""),
        )
        .await;
    handle.refresh().await;
    let state = until(&handle, "the recovery", |state| !state.stale).await;
    assert_eq!(titles(&state), ["Alpha", "Beta"]);

    let mut wrong = settings;
    if let Source::CalDav { password, .. } = &mut wrong.source {
        *password = Password::Given(Secret::new("falsch"));
    }
    handle.reload(wrong).await;
    until(&handle, "the refusal", |state| {
        state.fault == Some(FaultCode::CalendarRefused)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_changed_is_read_again() {
    let server = Radicale::start().await;
    let start = next_hour();
    server.put("a.ics", &event("a", "Alpha", start, "")).await;
    let middleman = Middleman::start(&server).await;
    let handle = spawn(middleman.settings(&server));
    until(&handle, "the event", |state| titles(state) == ["Alpha"]).await;
    assert_eq!(middleman.asked("calendar-query"), 1);
    assert_eq!(
        middleman.asked("expand"),
        1,
        "the server is asked to expand"
    );
    server
        .put(
            "b.ics",
            &event("b", "Beta", start + TimeDelta::hours(1), ""),
        )
        .await;
    until(&handle, "the new event", |state| {
        titles(state) == ["Alpha", "Beta"]
    })
    .await;
    assert!(middleman.asked("sync-collection") >= 1);
    assert_eq!(middleman.asked("calendar-multiget"), 1);
    assert_eq!(middleman.asked("calendar-query"), 1, "all is read once");
    assert!(!middleman.holds("a.ics", "calendar-multiget"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_crosses_a_change_is_written_on_top_of_it() {
    let server = Radicale::start().await;
    let start = next_hour();
    server.put("a.ics", &event("a", "Alpha", start, "")).await;
    let middleman = Middleman::start(&server).await;
    let handle = spawn(middleman.settings(&server));
    until(&handle, "the event", |state| titles(state) == ["Alpha"]).await;

    let changed = event("a", "Beta", start, "SEQUENCE:1\r\n");
    middleman.interfere("room/a.ics", &changed, 1);
    handle.answer(id("a"), true).await.unwrap();
    // Servers say 201 or 204 when they have written.
    let refused: Vec<bool> = middleman
        .statuses("PUT")
        .iter()
        .map(|s| *s == 412)
        .collect();
    assert_eq!(refused, [true, false]);
    let text = server.get("a.ics").await;
    assert!(
        text.contains("PARTSTAT=ACCEPTED") && text.contains("SUMMARY:Beta"),
        "{text}"
    );

    // Somebody who changes it again and again is not fought.
    middleman.interfere("room/a.ics", &changed, 9);
    assert_eq!(
        handle.answer(id("a"), false).await,
        Err(AnswerError::Conflict)
    );
    let text = server.get("a.ics").await;
    assert!(
        text.contains("PARTSTAT=NEEDS-ACTION") && text.contains("SUMMARY:Beta"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_an_unknown_authority_needs_its_certificate() {
    let server = Radicale::start_with_tls().await;
    server
        .put("a.ics", &event("a", "Alpha", next_hour(), ""))
        .await;
    let settings = server.settings("/", None);
    let mut stranger = settings.clone();
    if let Source::CalDav { ca_file, .. } = &mut stranger.source {
        *ca_file = None;
    }
    let handle = spawn(stranger);
    let state = until(&handle, "the refusal", |state| state.fault.is_some()).await;
    assert_eq!(state.fault, Some(FaultCode::CalendarUnreachable));
    assert!(titles(&state).is_empty());
    handle.reload(settings).await;
    until(&handle, "the event", |state| titles(state) == ["Alpha"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_comes_late_or_changes_is_read_again() {
    let server = Radicale::start().await;
    let state_dir = tempfile::tempdir().unwrap();
    server
        .put("a.ics", &event("a", "Alpha", next_hour(), ""))
        .await;
    let file = state_dir.path().join("password");
    let mut settings = server.settings("/elbe/", Some(state_dir.path()));
    if let Source::CalDav { password, .. } = &mut settings.source {
        *password = Password::File(file.clone());
    }
    fs::write(&file, "geheim\nremark\n").unwrap();
    let handle = spawn(settings.clone());
    until(&handle, "the event", |state| titles(state) == ["Alpha"]).await;
    until_kept(state_dir.path(), "Alpha").await;

    drop(handle);
    fs::remove_file(&file).unwrap();
    let handle = spawn(settings);
    let state = until(&handle, "the missing file", |state| state.fault.is_some()).await;
    assert_eq!(state.fault, Some(FaultCode::CalendarRefused));
    assert!(state.stale && titles(&state) == ["Alpha"]);
    fs::write(&file, "falsch\n").unwrap();
    handle.refresh().await;
    fs::write(&file, "geheim\n").unwrap();
    handle.refresh().await;
    until(&handle, "the recovery", |state| !state.stale).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn titles_that_may_not_be_kept_are_not_on_disk() {
    let mut server = Radicale::start().await;
    let state_dir = tempfile::tempdir().unwrap();
    server
        .put("a.ics", &event("a", "Alpha", next_hour(), ""))
        .await;
    let shown = server.settings("/elbe/", Some(state_dir.path()));
    let handle = spawn(shown.clone());
    until_kept(state_dir.path(), "Alpha").await;

    // Also while the server is down nothing of it stays.
    server.stop();
    let hidden = Settings {
        privacy: Privacy::HideAllTitles,
        ..shown.clone()
    };
    handle.reload(hidden).await;
    until(&handle, "the failure", |state| state.fault.is_some()).await;
    assert!(!state_dir.path().join("calendar.json").exists());

    server.process = run(server.folder.path());
    server.ready().await;
    handle.refresh().await;
    until_kept(state_dir.path(), "raum-a").await;
    let kept = fs::read_to_string(state_dir.path().join("calendar.json")).unwrap();
    assert!(!kept.contains("Alpha"), "{kept}");

    let none = Settings {
        source: Source::None,
        ..shown
    };
    handle.reload(none).await;
    let gone = async {
        while state_dir.path().join("calendar.json").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("the schedule of a calendar that is no more goes");
}

/// Waits until the schedule on disk holds the text.
async fn until_kept(folder: &Path, text: &str) {
    let waiting = async {
        loop {
            let kept = fs::read_to_string(folder.join("calendar.json"));
            if kept.is_ok_and(|kept| kept.contains(text)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the schedule is kept");
}
