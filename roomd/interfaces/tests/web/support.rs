// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use futures_util::{SinkExt, StreamExt};
use roomd_api::{Agenda, Devices, Health, Room as RoomFacts, State, Statistics};
use roomd_interfaces::pairing::Desk;
use roomd_interfaces::web::{Certificate, Identity, Panels, WebServer, WebSettings};
use roomd_interfaces::{GuestEvent, GuestPort, Room, RoomOwner};
use roomd_model::{Language, Phase, Pii, Secret};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

pub type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// What an operator's scraper bears.
pub const METRICS_TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub struct House {
    pub address: SocketAddr,
    pub identity: Identity,
    pub owner: RoomOwner,
    pub desk: Desk,
    pub guests: mpsc::Receiver<GuestEvent>,
    pub panels: watch::Receiver<Panels>,
    pub folder: TempDir,
    pub http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    server: tokio::task::JoinHandle<()>,
}

pub fn state() -> State {
    State {
        room: RoomFacts {
            name: "Raum Elbe".to_owned(),
            phase: Phase::Idle,
            language: Language::De,
            time_zone: "Europe/Berlin".to_owned(),
            hosts_meetings: true,
            joins_sending: false,
            version: "0.0.0".to_owned(),
            support: None,
        },
        agenda: Agenda::default(),
        call: None,
        devices: Devices::default(),
        cameras: Vec::new(),
        content: Vec::new(),
        health: Health::default(),
        sound_test: roomd_api::SoundTest::default(),
        pairing: None,
        faults: Vec::new(),
        statistics: Statistics::default(),
    }
}

impl House {
    pub fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kiosk = folder.path().join("kiosk");
        std::fs::create_dir_all(kiosk.join("assets")).unwrap();
        std::fs::write(kiosk.join("panel.html"), "panel page").unwrap();
        std::fs::write(kiosk.join("guest.html"), "guest page").unwrap();
        for asset in ["panel-HZQ5UFOT.js", "icon.svg", "wide-letters.svg"] {
            std::fs::write(kiosk.join("assets").join(asset), "asset").unwrap();
        }
        Self::in_folder(folder)
    }

    pub fn in_folder(folder: TempDir) -> Self {
        let (room, owner) = Room::new(state());
        let (port, guests) = GuestPort::new();
        let desk = Desk::open(folder.path(), Pii::from("https://room.example/"));
        let settings = WebSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            kiosk_dir: folder.path().join("kiosk"),
            state_dir: folder.path().to_owned(),
            panel_token_file: Some(folder.path().join("panel-token")),
            certificate: Certificate::Device { host: None },
            metrics_token: Some(Secret::new(METRICS_TOKEN)),
        };
        let server = WebServer::bind(settings, room, port, desk.clone()).unwrap();
        let (address, identity) = (server.address(), server.identity());
        let panels = server.panels();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server.serve(shutdown).await.unwrap();
        });
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(trusting(&identity))
            .build()
            .unwrap();
        Self {
            address,
            identity,
            owner,
            desk,
            guests,
            panels,
            folder,
            http,
            stop: Some(stop),
            server,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    pub fn token(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("panel-token")).unwrap()
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, json: &str) -> reqwest::Response {
        self.http
            .post(self.url(path))
            .header("content-type", "application/json")
            .body(json.to_owned())
            .send()
            .await
            .unwrap()
    }

    /// The cookie of the wired panel.
    pub async fn local_session(&self) -> String {
        let body = format!(r#"{{"token":"{}"}}"#, self.token());
        cookie(&self.post("/api/session", &body).await)
    }

    /// The code that the display shows.
    pub fn code(&self) -> String {
        let shown = self.desk.shown();
        let pairing = shown.borrow().clone().unwrap();
        pairing.code.unwrap().into_inner()
    }

    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub async fn socket(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, u16> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(trusting(&self.identity)));
        let tls = connector.connect(name, tcp).await.unwrap();
        let url = format!("wss://localhost:{}{path}", self.address.port());
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, tls).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn panel(&self, cookie: &str) -> Socket {
        let origin = self.origin();
        self.socket("/api/panel", &[("cookie", cookie), ("origin", &origin)])
            .await
            .unwrap()
    }

    pub async fn guest(&self) -> Socket {
        let origin = self.origin();
        self.socket("/meet/abcd-efgh-jkmn/ws", &[("origin", &origin)])
            .await
            .unwrap()
    }

    /// Stops the server and keeps what it left on disk.
    pub async fn close(mut self) -> TempDir {
        self.stop.take().unwrap().send(()).unwrap();
        self.server.await.unwrap();
        self.folder
    }
}

fn trusting(identity: &Identity) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let pem = identity.authority_pem().unwrap();
    let der = rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    roots.add(der).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub fn cookie(response: &reqwest::Response) -> String {
    assert_eq!(response.status(), 204);
    let header = response.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(header.contains(part), "{header}");
    }
    header.split(';').next().unwrap().to_owned()
}

/// The next text message as JSON; none when the server closed.
pub async fn next(socket: &mut Socket) -> Option<serde_json::Value> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next());
        match message.await.unwrap()? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub async fn send(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

pub fn at(seconds: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}
