// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Synapse, a Matrix homeserver with what calls need: delayed and sticky events, and transports.

mod config;
mod kind;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::http::{self, Answer, escape};
use super::server::Server;
use super::{install, room};

pub use kind::Kind;

const VERSION: &str = "1.163.2";
/// The server's name in the identifiers of users and aliases.
pub const SERVER_NAME: &str = "lab.test";
/// Every user's password; must never appear in a log.
pub const PASSWORD: &str = "Mirabellenkompott";
/// The type of the state event that says who is in a call.
pub const CALL_MEMBER: &str = "org.matrix.msc3401.call.member";

/// Runs until dropped or stopped.
pub struct Synapse {
    server: Server,
    port: u16,
}

/// A registered user on one device.
#[derive(Clone, Debug)]
pub struct User {
    /// Such as `@anna:lab.test`.
    pub id: String,
    /// The device that the token belongs to.
    pub device: String,
    /// The access token.
    pub token: String,
}

impl Synapse {
    /// Starts one with an empty database, which tells clients of these token services.
    pub fn start(folder: &Path, services: &[String]) -> Result<Self> {
        let python = install()?;
        let port = room::free_port()?;
        let config = folder.join("homeserver.yaml");
        std::fs::write(
            &config,
            config::homeserver(folder, port, services).to_string(),
        )?;
        std::fs::write(
            folder.join("synapse-log.yaml"),
            config::logging().to_string(),
        )?;
        let mut command = Command::new(python);
        command
            .args(["-m", "synapse.app.homeserver", "--config-path"])
            .arg(config)
            .current_dir(folder);
        let server = Server::start("synapse", command, folder, || is_ready(port))?;
        Ok(Self { server, port })
    }

    /// Ends it as systemd does.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts it again, on the same port with the same database.
    pub fn resume(&mut self) -> Result<()> {
        let port = self.port;
        self.server.resume(|| is_ready(port))
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the server can do.
    pub fn versions(&self) -> Result<Value> {
        http::get(&self.client("/versions"), None)?.success()
    }

    /// Makes an account, with a device.
    pub fn register(&self, name: &str) -> Result<User> {
        self.user(
            "/v3/register",
            &json!({
                "auth": { "type": "m.login.dummy" },
                "username": name,
                "password": PASSWORD,
            }),
        )
    }

    /// Another device of the same user.
    pub fn log_in(&self, user: &User) -> Result<User> {
        self.user(
            "/v3/login",
            &json!({
                "type": "m.login.password",
                "identifier": { "type": "m.id.user", "user": user.id },
                "password": PASSWORD,
            }),
        )
    }

    fn user(&self, path: &str, request: &Value) -> Result<User> {
        let told = http::post(&self.client(path), None, request)?.success()?;
        let field = |name: &str| {
            let text = told[name].as_str().map(str::to_owned);
            text.with_context(|| format!("{path}: no {name}"))
        };
        Ok(User {
            id: field("user_id")?,
            device: field("device_id")?,
            token: field("access_token")?,
        })
    }

    /// Makes a room with this local alias, and gives its identifier.
    pub fn create_room(&self, owner: &User, alias: &str, kind: Kind) -> Result<String> {
        let told = self.post(owner, "/v3/createRoom", &kind.request(alias))?;
        let id = told["room_id"].as_str().context("the room has no id")?;
        Ok(id.to_owned())
    }

    /// Invites somebody.
    pub fn invite(&self, by: &User, room: &str, whom: &User) -> Result<()> {
        let path = format!("/v3/rooms/{}/invite", escape(room));
        self.post(by, &path, &json!({ "user_id": whom.id }))
            .map(drop)
    }

    /// Joins a room, by its identifier or alias.
    pub fn join(&self, user: &User, room: &str) -> Result<()> {
        self.try_join(user, room)?.success().map(drop)
    }

    /// The same, and what the server says to it.
    pub fn try_join(&self, user: &User, room: &str) -> Result<Answer> {
        let path = format!("/v3/join/{}", escape(room));
        self.ask("POST", user, &path, Some(&json!({})))
    }

    /// Asks to be invited.
    pub fn knock(&self, user: &User, room: &str) -> Result<()> {
        let path = format!("/v3/knock/{}", escape(room));
        self.post(user, &path, &json!({})).map(drop)
    }

    /// The whole state of a room.
    pub fn state(&self, user: &User, room: &str) -> Result<Vec<Value>> {
        let path = format!("/v3/rooms/{}/state", escape(room));
        let told = self.ask("GET", user, &path, None)?.success()?;
        Ok(told.as_array().cloned().unwrap_or_default())
    }

    /// The content of one state event; nothing when there is none.
    pub fn state_of(
        &self,
        user: &User,
        room: &str,
        kind: &str,
        key: &str,
    ) -> Result<Option<Value>> {
        let answer = self.ask("GET", user, &state_path(room, kind, key), None)?;
        if answer.status == 404 {
            return Ok(None);
        }
        answer.success().map(Some)
    }

    /// Writes a state event.
    pub fn put_state(
        &self,
        user: &User,
        room: &str,
        kind: &str,
        key: &str,
        content: &Value,
    ) -> Result<Answer> {
        self.ask("PUT", user, &state_path(room, kind, key), Some(content))
    }

    /// Has the server write a state event later unless it is told otherwise, and gives the id by
    /// which it is told (MSC4140).
    pub fn delay_state(
        &self,
        user: &User,
        room: &str,
        [kind, key]: [&str; 2],
        content: &Value,
        millis: u64,
    ) -> Result<String> {
        let path = state_path(room, kind, key);
        let path = format!("{path}?org.matrix.msc4140.delay={millis}");
        let told = self.ask("PUT", user, &path, Some(content))?.success()?;
        let id = told["delay_id"].as_str().context("no delay_id")?;
        Ok(id.to_owned())
    }

    /// A token that proves to others who the user is.
    pub fn openid_token(&self, user: &User) -> Result<Value> {
        let path = format!("/v3/user/{}/openid/request_token", escape(&user.id));
        self.post(user, &path, &json!({}))
    }

    /// Posts as a user and wants a success.
    pub fn post(&self, user: &User, path: &str, body: &Value) -> Result<Value> {
        let answer = self.ask("POST", user, path, Some(body))?;
        answer.success().with_context(|| path.to_owned())
    }

    /// Asks as a user; the path begins behind `/_matrix/client`.
    pub fn ask(
        &self,
        method: &str,
        user: &User,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        http::ask(method, &self.client(path), Some(&user.token), body)
    }

    fn client(&self, path: &str) -> String {
        format!("{}/_matrix/client{path}", self.url())
    }
}

impl User {
    /// How the user's device is called at the SFU on which it publishes.
    pub fn sfu_identity(&self) -> String {
        format!("{}:{}", self.id, self.device)
    }

    /// Where the user's membership of a room's call stands on this device.
    pub fn call_member_key(&self) -> String {
        format!("_{}_{}_m.call", self.id, self.device)
    }
}

fn state_path(room: &str, kind: &str, key: &str) -> String {
    format!("/v3/rooms/{}/state/{kind}/{}", escape(room), escape(key))
}

/// The Python that has it; installed when it is missing.
pub fn install() -> Result<PathBuf> {
    let constraints = include_str!("constraints.txt");
    let folder = install::python("synapse", "matrix-synapse", VERSION, constraints)?;
    Ok(install::program(&folder, "python"))
}

fn is_ready(port: u16) -> bool {
    let answer = http::get(&format!("http://127.0.0.1:{port}/health"), None);
    answer.is_ok_and(|answer| answer.status == 200)
}
