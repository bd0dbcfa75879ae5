// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A real CalDAV server, and what the tests write on it.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, Method, StatusCode};
use roomd_bookings::{LinkRules, Privacy, Tz};
use roomd_driver::calendar::{CalendarState, Handle, Password, Settings, Source};
use roomd_model::{Booking, BookingId, BookingLink, MeetingLink, Pii, ProviderId, Secret};
use tempfile::TempDir;
use url::Url;

pub const PATIENCE: Duration = Duration::from_secs(30);
pub const ROOM: &str = "elbe@rooms.example.org";

pub struct Rules;

impl LinkRules for Rules {
    fn judge(&self, url: &Url) -> BookingLink {
        BookingLink::Meeting(MeetingLink {
            provider: ProviderId::new("test"),
            url: Pii::new(url.clone()),
            password: None,
            protected: false,
        })
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        Some(Pii::from(url.path()))
    }
}

/// A Radicale of the distribution, with one account and one calendar.
pub struct Radicale {
    pub process: Child,
    pub port: u16,
    pub folder: TempDir,
    client: Client,
    /// The file of the authority that signed its certificate; none for plain HTTP.
    pub authority: Option<PathBuf>,
}

impl Radicale {
    pub async fn start() -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), None).await
    }

    /// The same over HTTPS, with a certificate of an authority that no system knows.
    pub async fn start_with_tls() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = certify(folder.path());
        Self::start_with(folder, Some(authority)).await
    }

    async fn start_with(folder: TempDir, authority: Option<PathBuf>) -> Self {
        fs::write(folder.path().join("users"), "elbe:geheim\n").unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let tls = if authority.is_some() {
            format!(
                "ssl = True\ncertificate = {folder}/server.pem\nkey = {folder}/server.key\n",
                folder = folder.path().display()
            )
        } else {
            String::new()
        };
        let config = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n{tls}[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\n\
             htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {data}\n\
             [logging]\nlevel = info\n",
            users = folder.path().join("users").display(),
            data = folder.path().join("data").display(),
        );
        fs::write(folder.path().join("config"), config).unwrap();
        // Any client makes TLS known to the process, and so does the task.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder().no_proxy();
        if let Some(path) = &authority {
            let pem = fs::read(path).unwrap();
            client = client.tls_certs_merge(Certificate::from_pem_bundle(&pem).unwrap());
        }
        let process = run(folder.path());
        let mut server = Self {
            process,
            port,
            folder,
            client: client.build().unwrap(),
            authority,
        };
        server.ready().await;
        let made = server.request("MKCALENDAR", "room/", "").await;
        assert_eq!(made, StatusCode::CREATED);
        server
    }

    pub async fn ready(&mut self) {
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

    pub fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// An address on the server.
    pub fn address(&self, path: &str) -> Url {
        let scheme = self.authority.as_ref().map_or("http", |_| "https");
        Url::parse(&format!("{scheme}://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    fn url(&self, name: &str) -> Url {
        self.address(&format!("/elbe/{name}"))
    }

    pub async fn request(&self, method: &str, name: &str, body: &str) -> StatusCode {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .client
            .request(method, self.url(name))
            .basic_auth("elbe", Some("geheim"));
        request.body(body.to_owned()).send().await.unwrap().status()
    }

    pub async fn put(&self, name: &str, events: &str) {
        let body = calendar(events);
        let status = self.request("PUT", &format!("room/{name}"), &body).await;
        assert!(status.is_success(), "{status}");
    }

    pub async fn get(&self, name: &str) -> String {
        let request = self.client.get(self.url(&format!("room/{name}")));
        let response = request
            .basic_auth("elbe", Some("geheim"))
            .send()
            .await
            .unwrap();
        response.error_for_status().unwrap().text().await.unwrap()
    }

    pub fn settings(&self, start: &str, state: Option<&Path>) -> Settings {
        settings(
            Source::CalDav {
                url: Pii::new(self.address(start)),
                username: Pii::from("elbe"),
                password: Password::Given(Secret::new("geheim")),
                ca_file: self.authority.clone(),
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

/// Writes a certificate for the loopback address, its key, and its authority; tells the authority.
fn certify(folder: &Path) -> PathBuf {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "Prüf-CA");
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&own, &issuer)
        .unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), own.serialize_pem()).unwrap();
    let path = folder.join("ca.pem");
    fs::write(&path, authority.pem()).unwrap();
    path
}

pub fn run(folder: &Path) -> Child {
    Command::new("radicale")
        .arg("--config")
        .arg(folder.join("config"))
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .expect("the CalDAV server of these tests is missing: install the package `radicale`")
}

pub fn settings(source: Source, state: Option<&Path>) -> Settings {
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

pub fn calendar(events: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//Test//DE\r\n{events}END:VCALENDAR\r\n"
    )
}

pub fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

pub fn event(uid: &str, title: &str, start: DateTime<Utc>, more: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{title}\r\nDTSTART:{}\r\n\
         DTEND:{}\r\nLOCATION:https://meet.example.org/raum-{uid}\r\n\
         ATTENDEE;CUTYPE=ROOM;PARTSTAT=NEEDS-ACTION;CN=Elbe:mailto:{ROOM}\r\n{more}END:VEVENT\r\n",
        stamp(start),
        stamp(start + TimeDelta::hours(1)),
    )
}

pub fn next_hour() -> DateTime<Utc> {
    Utc::now().duration_trunc(TimeDelta::hours(1)).unwrap() + TimeDelta::hours(1)
}

pub async fn until(
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

pub fn titles(state: &CalendarState) -> Vec<&str> {
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

pub fn id(uid: &str) -> BookingId {
    BookingId(uid.to_owned())
}
