// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A stand-in for the service that gives Matrix users their tokens for LiveKit (lk-jwt-service), as
//! no package registry carries the real one: kiosk/tests/meeting/token-service.mjs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use super::http::{self, Answer};
use super::livekit::{self, LiveKit};
use super::server::Server;
use super::synapse::{Synapse, User};
use crate::kiosk;

/// Runs until dropped or stopped.
pub struct TokenService {
    server: Server,
    port: u16,
}

/// Whose users it serves.
pub struct Access {
    /// The addresses of the homeservers, by their names.
    pub homeservers: BTreeMap<String, String>,
    /// Those whose users make rooms at the SFU; others must wait for one.
    pub full: Vec<String>,
}

impl TokenService {
    /// Starts one before an SFU; on a given port, as homeservers know the address beforehand.
    pub fn start(
        folder: &Path,
        name: &str,
        port: u16,
        livekit: &LiveKit,
        access: &Access,
    ) -> Result<Self> {
        let config = json!({
            "port": port,
            "livekit": livekit.url(),
            "key": livekit::KEY,
            "secret": livekit::SECRET,
            "homeservers": access.homeservers,
            "fullAccess": access.full,
        });
        let mut command = Command::new("node");
        command
            .arg(kiosk::directory().join("tests/meeting/token-service.mjs"))
            .env("TOKEN_SERVICE", config.to_string());
        let server = Server::start(name, command, folder, || is_ready(port))?;
        Ok(Self { server, port })
    }

    /// Where a service on this port is asked.
    pub fn url_at(port: u16) -> String {
        format!("http://127.0.0.1:{port}")
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts it again, on the same port.
    pub fn resume(&mut self) -> Result<()> {
        let port = self.port;
        self.server.resume(|| is_ready(port))
    }

    /// Asks for a token as clients do in rooms whose calls stand in state events.
    pub fn ask(&self, room: &str, openid_token: &Value, device: &str) -> Result<Answer> {
        let request = json!({ "room": room, "openid_token": openid_token, "device_id": device });
        http::post(&format!("{}/sfu/get", self.url()), None, &request)
    }

    /// A user's token for the call of a room.
    pub fn token(&self, homeserver: &Synapse, user: &User, room: &str) -> Result<String> {
        let proof = homeserver.openid_token(user)?;
        let told = self.ask(room, &proof, &user.device)?.success()?;
        Ok(told["jwt"].as_str().unwrap_or_default().to_owned())
    }
}

fn is_ready(port: u16) -> bool {
    let answer = http::get(&format!("{}/healthz", TokenService::url_at(port)), None);
    answer.is_ok_and(|answer| answer.status == 200)
}
