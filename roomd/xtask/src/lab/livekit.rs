// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! LiveKit, the SFU behind Element Call and OpenTalk, on loopback.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::go::{self, Program};
use super::http::{self, Answer};
use super::room;
use super::server::Server;

const PROGRAM: Program = Program {
    name: "livekit-server",
    version: "1.13.5",
    package: "github.com/livekit/livekit-server/cmd/server",
};
/// The name of the key that signs tokens.
pub const KEY: &str = "lab";
/// The key itself; must never appear in a log.
pub const SECRET: &str = "Quittenbrot-Quittenbrot-Quittenbrot";
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// Runs until dropped or stopped.
pub struct LiveKit {
    server: Server,
    port: u16,
}

/// Somebody in a room, as the server tells.
#[derive(Debug, Deserialize)]
pub struct Participant {
    /// Who it is.
    pub identity: String,
    /// `JOINING`, `JOINED`, `ACTIVE` or `DISCONNECTED`.
    pub state: String,
    /// What is published.
    pub tracks: Vec<Track>,
}

/// A published track.
#[derive(Debug, Deserialize)]
pub struct Track {
    /// The server's name of it.
    pub sid: String,
    /// `AUDIO` or `VIDEO`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `CAMERA`, `MICROPHONE`, `SCREEN_SHARE`, `SCREEN_SHARE_AUDIO`.
    pub source: String,
    /// Nothing is sent.
    pub muted: bool,
    /// `NONE`, `GCM` or `CUSTOM`.
    pub encryption: String,
    /// In several sizes.
    pub simulcast: bool,
    /// Such as `video/VP8`.
    pub mime_type: String,
}

impl LiveKit {
    /// Starts one; several of different names stand side by side.
    pub fn start(folder: &Path, name: &str) -> Result<Self> {
        let port = room::free_port()?;
        let udp = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = json!({
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "keys": { (KEY): SECRET },
            "rtc": {
                "udp_port": udp,
                "tcp_port": room::free_port()?,
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                // In place of public servers, which clients would otherwise be told.
                "stun_servers": [format!("127.0.0.1:{udp}")],
            },
            "room": { "auto_create": false },
            "logging": { "level": "info", "json": true },
        });
        let path = folder.join(format!("{name}.yaml"));
        std::fs::write(&path, config.to_string())?;
        let mut command = Command::new(install()?);
        command.arg("--config").arg(&path);
        let server = Server::start(name, command, folder, || is_ready(port))?;
        Ok(Self { server, port })
    }

    /// Ends it as a power cut does; its rooms are gone.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again, on the same ports.
    pub fn resume(&mut self) -> Result<()> {
        let port = self.port;
        self.server.resume(|| is_ready(port))
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// A token that lets this identity into this room, to publish and to subscribe.
    pub fn token(&self, room: &str, identity: &str) -> Result<String> {
        self.token_with(
            identity,
            &json!({ "room": room, "roomJoin": true, "canPublish": true, "canSubscribe": true }),
        )
    }

    /// A token with these grants.
    pub fn token_with(&self, identity: &str, grants: &Value) -> Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        sign(&json!({
            "iss": KEY,
            "sub": identity,
            "nbf": now.as_secs(),
            "exp": (now + TOKEN_LIFE).as_secs(),
            "video": grants,
        }))
    }

    /// What the server says to whoever wants to join with this token.
    pub fn validate(&self, token: &str) -> Result<Answer> {
        http::get(&format!("{}/rtc/validate", self.base()), Some(token))
    }

    /// The names of all rooms.
    pub fn rooms(&self) -> Result<Vec<String>> {
        let told = self.service("ListRooms", &json!({}))?;
        let rooms = told["rooms"].as_array().into_iter().flatten();
        let names = rooms.filter_map(|room| room["name"].as_str().map(str::to_owned));
        Ok(names.collect())
    }

    /// Makes a room, as a token service does for those who may.
    pub fn create_room(&self, room: &str) -> Result<()> {
        self.service("CreateRoom", &json!({ "name": room }))
            .map(drop)
    }

    /// Who is in a room, and what they publish.
    pub fn participants(&self, room: &str) -> Result<Vec<Participant>> {
        let mut told = self.service("ListParticipants", &json!({ "room": room }))?;
        serde_json::from_value(told["participants"].take()).context("not a list of participants")
    }

    /// Throws somebody out.
    pub fn remove(&self, room: &str, identity: &str) -> Result<()> {
        let whom = json!({ "room": room, "identity": identity });
        self.service("RemoveParticipant", &whom).map(drop)
    }

    /// Mutes somebody's track, as a moderator does.
    pub fn mute(&self, room: &str, identity: &str, track: &str, muted: bool) -> Result<()> {
        let what =
            json!({ "room": room, "identity": identity, "track_sid": track, "muted": muted });
        self.service("MutePublishedTrack", &what).map(drop)
    }

    /// Calls a method of the server's `RoomService`.
    fn service(&self, method: &str, request: &Value) -> Result<Value> {
        let grants = json!({
            "roomCreate": true,
            "roomList": true,
            "roomAdmin": true,
            "room": request["room"],
        });
        let token = self.token_with("", &grants)?;
        let url = format!("{}/twirp/livekit.RoomService/{method}", self.base());
        let answer = http::post(&url, Some(&token), request)?;
        answer.success().with_context(|| method.to_owned())
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The program; built when it is missing.
pub fn install() -> Result<PathBuf> {
    go::program(&PROGRAM)
}

fn is_ready(port: u16) -> bool {
    let answer = http::get(&format!("http://127.0.0.1:{port}/"), None);
    answer.is_ok_and(|answer| answer.status == 200)
}

/// A JSON Web Token with HMAC-SHA256 (RFC 7519).
fn sign(claims: &Value) -> Result<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = format!("{}.{}", part(&head), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    Ok(format!("{signed}.{signature}"))
}

/// What a token says, without looking at its signature.
pub fn claims(token: &str) -> Result<Value> {
    let part = token.split('.').nth(1).context("no token")?;
    let bytes = URL_SAFE_NO_PAD.decode(part)?;
    serde_json::from_slice(&bytes).context("the token's claims are no JSON")
}
