// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A LiveKit server on loopback.

use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const KEY: &str = "test";
const SECRET: &str = "test-test-test-test-test-test-test";

pub struct Server {
    child: Child,
    program: PathBuf,
    config: PathBuf,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    pub async fn start(room: Value) -> Self {
        let program = std::env::var_os("ROOMD_LIVEKIT_SERVER")
            .expect("ROOMD_LIVEKIT_SERVER names the server's program: see the README");
        let folder = tempfile::tempdir().unwrap();
        let port = free_tcp();
        let udp = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let config = json!({
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "keys": { KEY: SECRET },
            "rtc": {
                "udp_port": udp.port(),
                "tcp_port": free_tcp(),
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                // In place of public servers, which clients would otherwise be told.
                "stun_servers": [udp.to_string()],
            },
            "room": room,
            "logging": { "level": "debug", "json": true },
        });
        let path = folder.path().join("livekit.yaml");
        std::fs::write(&path, config.to_string()).unwrap();
        let program = PathBuf::from(program);
        let mut server = Self {
            child: run(&program, &path),
            program,
            config: path,
            port,
            _folder: folder,
        };
        server.ready().await;
        server
    }

    /// Ends as a power cut does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends as an operator does.
    pub fn stop(&self) {
        let pid = self.child.id().to_string();
        Command::new("kill").arg(pid).status().unwrap();
    }

    /// Starts again, on the same ports.
    pub async fn again(&mut self) {
        self.child.wait().unwrap();
        self.child = run(&self.program, &self.config);
        self.ready().await;
    }

    async fn ready(&mut self) {
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not start");
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    pub fn token(&self, room: &str, identity: &str) -> String {
        self.token_with(room, identity, &json!({}))
    }

    pub fn token_with(&self, room: &str, identity: &str, grants: &Value) -> String {
        let mut video = json!({
            "room": room, "roomJoin": true, "canPublish": true, "canSubscribe": true,
            "canPublishData": true, "canUpdateOwnMetadata": true,
        });
        for (key, value) in grants.as_object().unwrap() {
            video[key] = value.clone();
        }
        sign(&json!({
            "iss": KEY, "sub": identity, "nbf": seconds() - 10, "exp": seconds() + 600,
            "name": identity.to_uppercase(), "video": video,
        }))
    }

    /// Calls the server's interface for operators.
    pub async fn service(&self, method: &str, body: Value) -> Value {
        let grants = json!({
            "roomAdmin": true, "roomCreate": true, "roomList": true, "room": body["room"],
        });
        let token = sign(&json!({
            "iss": KEY, "nbf": seconds() - 10, "exp": seconds() + 600, "video": grants,
        }));
        let path = format!("/twirp/livekit.RoomService/{method}");
        let (status, body) = http(self.port, "POST", &path, &token, &body.to_string()).await;
        assert_eq!(status, 200, "{method}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The server's name of a track.
    pub async fn track(&self, identity: &str, source: &str) -> String {
        let body = json!({ "room": "meeting", "identity": identity });
        let participant = self.service("GetParticipant", body).await;
        let tracks = participant["tracks"].as_array().unwrap();
        let track = tracks.iter().find(|track| track["source"] == source);
        track.unwrap()["sid"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &Path, config: &Path) -> Child {
    let log = std::env::var_os("ROOMD_LIVEKIT_LOG");
    let output = log.map_or_else(Stdio::null, |path| {
        let mut options = std::fs::OpenOptions::new();
        let file = options.append(true).create(true).open(path);
        file.unwrap().into()
    });
    Command::new(program)
        .arg("--config")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(output)
        .spawn()
        .unwrap()
}

fn free_tcp() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn sign(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let kind = json!({"alg": "HS256", "typ": "JWT"});
    let head = format!("{}.{}", part(&kind), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(head.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{head}.{signature}")
}

/// One request without anything around it.
pub async fn http(port: u16, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}
