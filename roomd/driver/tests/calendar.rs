// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The calendar task against a real CalDAV server, and against files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use reqwest::{Client, Method, StatusCode};
use roomd_bookings::{LinkRules, Privacy, Tz};
use roomd_driver::calendar::{AnswerError, CalendarState, Handle, Settings, Source, spawn};
use roomd_model::{
    Attendance, Booking, BookingId, BookingLink, FaultCode, MeetingLink, Pii, ProviderId, Secret,
};
use tempfile::TempDir;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(30);
const ROOM: &str = "elbe@rooms.example.org";

struct Rules;

impl LinkRules for Rules {
    fn judge(&self, url: &Url) -> BookingLink {
        BookingLink::Meeting(MeetingLink {
            provider: ProviderId::new("test"),
            url: Pii::new(url.clone()),
            password: None,
        })
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        Some(Pii::from(url.path()))
    }
}

/// A Radicale of the distribution, with one account and one calendar.
struct Radicale {
    process: Child,
    port: u16,
    folder: TempDir,
    client: Client,
}

impl Radicale {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("users"), "elbe:geheim\n").unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\n\
             htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {data}\n\
             [logging]\nlevel = info\n",
            users = folder.path().join("users").display(),
            data = folder.path().join("data").display(),
        );
        fs::write(folder.path().join("config"), config).unwrap();
        // Any client makes TLS known to the process, and so does the task.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let process = run(folder.path());
        let mut server = Self {
            process,
            port,
            folder,
            client,
        };
        server.ready().await;
        let made = server.request("MKCALENDAR", "room/", "").await;
        assert_eq!(made, StatusCode::CREATED);
        server
    }

    async fn ready(&mut self) {
        let waiting = async {
            while self.client.get(self.url("")).send().await.is_err() {
                if let Some(status) = self.process.try_wait().unwrap() {
                    panic!("radicale ended with {status}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("radicale answers in time");
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn url(&self, name: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/elbe/{name}", self.port)).unwrap()
    }

    async fn request(&self, method: &str, name: &str, body: &str) -> StatusCode {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .client
            .request(method, self.url(name))
            .basic_auth("elbe", Some("geheim"));
        request.body(body.to_owned()).send().await.unwrap().status()
    }

    async fn put(&self, name: &str, events: &str) {
        let body = calendar(events);
        let status = self.request("PUT", &format!("room/{name}"), &body).await;
        assert!(status.is_success(), "{status}");
    }

    async fn get(&self, name: &str) -> String {
        let request = self.client.get(self.url(&format!("room/{name}")));
        let response = request
            .basic_auth("elbe", Some("geheim"))
            .send()
            .await
            .unwrap();
        response.error_for_status().unwrap().text().await.unwrap()
    }

    fn settings(&self, start: &str, state: Option<&Path>) -> Settings {
        settings(
            Source::CalDav {
                url: Pii::new(
                    Url::parse(&format!("http://127.0.0.1:{}{start}", self.port)).unwrap(),
                ),
                username: Pii::from("elbe"),
                password: Secret::new("geheim"),
                ca_file: None,
            },
            state,
        )
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &Path) -> Child {
    Command::new("radicale")
        .arg("--config")
        .arg(folder.join("config"))
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .expect("the CalDAV server of these tests is missing: install the package `radicale`")
}

fn settings(source: Source, state: Option<&Path>) -> Settings {
    Settings {
        source,
        poll: Duration::from_millis(200),
        zone: Tz::Europe__Berlin,
        privacy: Privacy::default(),
        addresses: vec![Pii::from(ROOM)],
        links: Arc::new(Rules),
        state_dir: state.map(PathBuf::from),
    }
}

fn calendar(events: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//Test//DE\r\n{events}END:VCALENDAR\r\n"
    )
}

fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

fn event(uid: &str, title: &str, start: DateTime<Utc>, more: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{title}\r\nDTSTART:{}\r\n\
         DTEND:{}\r\nLOCATION:https://meet.example.org/raum-{uid}\r\n\
         ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;CN=Elbe:mailto:{ROOM}\r\n{more}END:VEVENT\r\n",
        stamp(start),
        stamp(start + TimeDelta::hours(1)),
    )
}

fn next_hour() -> DateTime<Utc> {
    Utc::now().duration_trunc(TimeDelta::hours(1)).unwrap() + TimeDelta::hours(1)
}

async fn until(
    handle: &Handle,
    what: &str,
    wanted: impl Fn(&CalendarState) -> bool,
) -> CalendarState {
    let mut state = handle.state();
    let waiting = state.wait_for(|state| wanted(state));
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(state) => state.unwrap().clone(),
        Err(_) => panic!("not in time: {what}; {:?}", handle.state().borrow()),
    }
}

fn titles(state: &CalendarState) -> Vec<&str> {
    let title = |booking: &'_ Booking| booking.title.is_some();
    let bookings = state
        .schedule
        .bookings()
        .iter()
        .filter(|booking| title(booking));
    bookings
        .filter_map(|booking| booking.title.as_ref())
        .map(|title| title.expose().as_str())
        .collect()
}

fn id(uid: &str) -> BookingId {
    BookingId(uid.to_owned())
}

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
    let kept = state_dir.path().join("calendar.json");
    let waiting = async {
        while !kept.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("the schedule is kept");
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
        *password = Secret::new("falsch");
    }
    handle.reload(wrong).await;
    until(&handle, "the refusal", |state| {
        state.fault == Some(FaultCode::CalendarRefused)
    })
    .await;
}

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
