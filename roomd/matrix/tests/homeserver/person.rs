// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Somebody with an ordinary client, which encrypts nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::synapse::Homeserver;

pub const PASSWORD: &str = "correct horse battery staple";

pub struct Person {
    http: Client,
    url: String,
    pub user: String,
    pub device: String,
    pub token: String,
}

/// A name that nobody has yet.
pub fn fresh(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Person {
    /// Registers somebody new.
    pub async fn new(server: &Homeserver, name: &str) -> Self {
        let mut person = Self {
            http: Client::new(),
            url: server.url.clone(),
            user: String::new(),
            device: String::new(),
            token: String::new(),
        };
        let register = json!({
            "username": fresh(name), "password": PASSWORD, "auth": {"type": "m.login.dummy"},
        });
        let answer = person.ok(Method::POST, "v3/register", register).await;
        person.take_login(&answer);
        person
    }

    /// The same account on a further device.
    pub async fn login(&self) -> Self {
        let mut person = Self {
            http: Client::new(),
            url: self.url.clone(),
            user: String::new(),
            device: String::new(),
            token: String::new(),
        };
        let login = json!({
            "type": "m.login.password", "password": PASSWORD,
            "identifier": {"type": "m.id.user", "user": self.user},
        });
        let answer = person.ok(Method::POST, "v3/login", login).await;
        person.take_login(&answer);
        person
    }

    fn take_login(&mut self, answer: &Value) {
        for (field, value) in [
            (&mut self.user, "user_id"),
            (&mut self.device, "device_id"),
            (&mut self.token, "access_token"),
        ] {
            *field = answer[value].as_str().unwrap().to_owned();
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.request(
            method.clone(),
            format!("{}/_matrix/client/{path}", self.url),
        );
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if method != Method::GET {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (
            status,
            serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
        )
    }

    /// A call that must succeed.
    pub async fn ok(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Creates a room in which everybody may announce himself in a call.
    pub async fn room(&self, more: Value) -> String {
        let mut body = json!({
            "preset": "public_chat", "name": "Weekly",
            "power_level_content_override": {"events": {"org.matrix.msc3401.call.member": 0}},
        });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let answer = self.ok(Method::POST, "v3/createRoom", body).await;
        answer["room_id"].as_str().unwrap().to_owned()
    }

    pub async fn encrypted_room(&self) -> String {
        self.room(json!({"initial_state": [{
            "type": "m.room.encryption", "state_key": "",
            "content": {"algorithm": "m.megolm.v1.aes-sha2"},
        }]}))
        .await
    }

    pub async fn knock_room(&self) -> String {
        self.room(json!({"initial_state": [{
            "type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"},
        }]}))
        .await
    }

    pub async fn in_room(&self, room: &str, action: &str, body: Value) -> Value {
        self.ok(Method::POST, &format!("v3/rooms/{room}/{action}"), body)
            .await
    }

    pub async fn set_state(&self, room: &str, kind: &str, key: &str, content: Value) -> String {
        let path = format!("v3/rooms/{room}/state/{kind}/{key}");
        let answer = self.ok(Method::PUT, &path, content).await;
        answer["event_id"].as_str().unwrap().to_owned()
    }

    pub async fn send(&self, room: &str, kind: &str, content: Value) -> String {
        self.send_with(room, kind, "", content).await
    }

    pub async fn send_with(&self, room: &str, kind: &str, query: &str, content: Value) -> String {
        let path = format!("v3/rooms/{room}/send/{kind}/{}?{query}", fresh("txn"));
        let answer = self.ok(Method::PUT, &path, content).await;
        answer["event_id"].as_str().unwrap().to_owned()
    }
}
