// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The media servers of the call: the room sends to its own homeserver's, and listens to those of the
//! others.

use std::time::{Duration, Instant};

use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, Endpoint, HttpRequest, Method};
use roomd_livekit::{Connection, Ids};
use roomd_matrix_port::{Me, OpenIdToken, RoomId};
use roomd_model::{Pii, Secret};
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// The most servers of one call.
const MAX_SERVERS: usize = 16;
/// Between attempts at a server, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(20);

/// A media server.
#[derive(Debug)]
pub(super) struct Server {
    /// The service that gives tokens for it.
    pub(super) service: Pii<Url>,
    /// The room sends here.
    pub(super) own: bool,
    pub(super) state: State,
    /// Attempts since it was last joined.
    pub(super) attempts: u32,
    /// When it is tried next.
    pub(super) due: Option<Instant>,
    /// Since when it has not been joined.
    pub(super) since: Instant,
    /// The token service did not give a token when it was asked last.
    pub(super) tokenless: bool,
    /// The token service knows the newer form only.
    newer: bool,
}

#[derive(Debug)]
pub(super) enum State {
    /// Not there yet, or lost.
    Waiting,
    /// A token is asked for.
    Asking(ChannelId),
    /// Connected, or about to be.
    Connected {
        connection: Box<Connection>,
        joined: bool,
    },
}

/// What a token service answers.
pub(super) enum Granted {
    Token {
        url: Url,
        token: Secret,
    },
    /// The service takes another form of the request.
    OtherForm,
    Refused,
    /// It does not work at the moment.
    Down,
}

impl Server {
    fn new(service: Pii<Url>, own: bool, now: Instant) -> Self {
        Self {
            service,
            own,
            state: State::Waiting,
            attempts: 0,
            due: Some(now),
            since: now,
            tokenless: false,
            newer: false,
        }
    }

    pub(super) const fn is_joined(&self) -> bool {
        matches!(self.state, State::Connected { joined: true, .. })
    }

    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        match &mut self.state {
            State::Connected { connection, .. } => Some(connection),
            State::Waiting | State::Asking(_) => None,
        }
    }

    /// Tries it again in a while, later each time.
    pub(super) fn later(&mut self, now: Instant) {
        if self.is_joined() {
            self.since = now;
        }
        self.state = State::Waiting;
        let wait = FIRST_WAIT.saturating_mul(1 << self.attempts.min(6));
        self.attempts += 1;
        self.due = Some(now + wait.min(LAST_WAIT));
    }

    pub(super) const fn joined(&mut self) {
        self.attempts = 0;
        if let State::Connected { joined, .. } = &mut self.state {
            *joined = true;
        }
    }

    /// Asks its service for a token; none when the service's address is none that could be asked.
    pub(super) fn ask(
        &mut self,
        ids: &Ids,
        room: &RoomId,
        me: &Me,
        token: &OpenIdToken,
    ) -> Option<(ChannelId, ChannelCommand)> {
        let (path, body) = if self.newer {
            let member = json!({
                "id": format!("{}:{}", me.user.expose(), me.device.expose()),
                "claimed_user_id": me.user.expose(),
                "claimed_device_id": me.device.expose(),
            });
            let body = json!({
                "room_id": room.expose(), "slot_id": "m.call#ROOM", "openid_token": token,
                "member": member,
            });
            ("get_token", body)
        } else {
            let body = json!({
                "room": room.expose(), "openid_token": token, "device_id": me.device.expose(),
            });
            ("sfu/get", body)
        };
        let mut url = self.service.expose().clone();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(path.split('/'));
        let channel = ids.channel();
        self.state = State::Asking(channel);
        self.due = None;
        let request = HttpRequest {
            method: Method::Post,
            url: Pii::new(url),
            bearer: None,
            json: Some(Pii::new(body.to_string())),
        };
        Some((channel, ChannelCommand::Open(Endpoint::Http(request))))
    }

    /// Reads what its service answers.
    pub(super) fn granted(&mut self, event: &ChannelEvent) -> Granted {
        let granted = self.answered(event);
        self.tokenless = matches!(granted, Granted::Refused | Granted::Down);
        granted
    }

    fn answered(&mut self, event: &ChannelEvent) -> Granted {
        let ChannelEvent::Response { status, body } = event else {
            return Granted::Down;
        };
        #[derive(Deserialize)]
        struct Token {
            url: Url,
            jwt: String,
        }
        match status {
            200..=299 => match serde_json::from_str::<Token>(body.expose()) {
                Ok(token) => Granted::Token {
                    url: token.url,
                    token: Secret::new(token.jwt),
                },
                Err(_) => Granted::Down,
            },
            404 | 405 if !self.newer => {
                self.newer = true;
                Granted::OtherForm
            }
            400..=499 if *status != 429 => Granted::Refused,
            _ => Granted::Down,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Servers(pub(super) Vec<Server>);

impl Servers {
    /// Begins to send to this server.
    pub(super) fn begin(&mut self, service: Pii<Url>, now: Instant) {
        self.0.insert(0, Server::new(service, true, now));
    }

    pub(super) fn own(&mut self) -> Option<&mut Server> {
        self.0.first_mut().filter(|server| server.own)
    }

    /// Listens to these, and no longer to others; gives those that are left.
    pub(super) fn listen(&mut self, services: &[&Pii<Url>], now: Instant) -> Vec<Server> {
        let all = std::mem::take(&mut self.0);
        let used =
            |server: &Server| server.own || services.iter().any(|it| is_same(it, &server.service));
        let (kept, gone) = all.into_iter().partition(used);
        self.0 = kept;
        for service in services {
            let known = self
                .0
                .iter()
                .any(|server| is_same(service, &server.service));
            if !known && self.0.len() < MAX_SERVERS {
                self.0.push(Server::new((*service).clone(), false, now));
            }
        }
        gone
    }

    /// The server whose token is asked for on this channel.
    pub(super) fn asking(&mut self, channel: ChannelId) -> Option<usize> {
        let asks = |server: &Server| matches!(server.state, State::Asking(id) if id == channel);
        self.0.iter().position(asks)
    }

    pub(super) fn connections(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.0.iter_mut().filter_map(Server::connection)
    }
}

/// The same service, however its address ends.
fn is_same(a: &Pii<Url>, b: &Pii<Url>) -> bool {
    let text = |url: &Pii<Url>| url.expose().as_str().trim_end_matches('/').to_owned();
    text(a) == text(b)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use roomd_matrix_port::{DeviceId, UserId};

    use super::*;

    fn service(text: &str) -> Pii<Url> {
        Pii::new(Url::parse(text).unwrap())
    }

    fn asked(server: &mut Server) -> HttpRequest {
        let ids = Ids::new(Arc::new(AtomicU32::new(1)));
        let me = Me {
            user: UserId::new("@room:x"),
            device: DeviceId::new("DEV"),
            cross_signed: true,
        };
        let token = OpenIdToken {
            access_token: Secret::new("secret"),
            token_type: "Bearer".into(),
            matrix_server_name: Pii::from("x"),
            expires_in: 3600,
        };
        let asked = server.ask(&ids, &RoomId::new("!room"), &me, &token);
        let Some((_, ChannelCommand::Open(Endpoint::Http(request)))) = asked else {
            panic!("{asked:?}");
        };
        request
    }

    #[test]
    fn tokens_are_asked_for_in_both_forms() {
        let now = Instant::now();
        let mut server = Server::new(service("https://x.org/livekit/jwt/"), true, now);
        let request = asked(&mut server);
        assert_eq!(
            request.url.expose().as_str(),
            "https://x.org/livekit/jwt/sfu/get"
        );
        let body = request.json.unwrap().into_inner();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&body).unwrap(),
            json!({
                "room": "!room", "device_id": "DEV",
                "openid_token": {
                    "access_token": "secret", "token_type": "Bearer", "matrix_server_name": "x",
                    "expires_in": 3600,
                },
            })
        );
        let answer = |status, body: &str| ChannelEvent::Response {
            status,
            body: Pii::from(body),
        };
        assert!(matches!(
            server.granted(&answer(404, "")),
            Granted::OtherForm
        ));
        let request = asked(&mut server);
        assert_eq!(
            request.url.expose().as_str(),
            "https://x.org/livekit/jwt/get_token"
        );
        assert!(matches!(server.granted(&answer(404, "")), Granted::Refused));
        assert!(matches!(
            server.granted(&answer(403, "{}")),
            Granted::Refused
        ));
        assert!(matches!(server.granted(&answer(503, "")), Granted::Down));
        assert!(matches!(server.granted(&answer(429, "")), Granted::Down));
        assert!(matches!(
            server.granted(&answer(200, "<html>")),
            Granted::Down
        ));
        let granted = server.granted(&answer(200, r#"{"url": "wss://sfu.x", "jwt": "abc"}"#));
        let Granted::Token { url, token } = granted else {
            panic!("no token");
        };
        assert_eq!((url.as_str(), token.expose()), ("wss://sfu.x/", "abc"));
    }

    #[test]
    fn servers_of_others_come_and_go_and_the_own_stays() {
        let now = Instant::now();
        let mut servers = Servers::default();
        servers.begin(service("https://a.org/jwt"), now);
        let (a, b) = (service("https://a.org/jwt/"), service("https://b.org/jwt"));
        assert!(servers.listen(&[&a, &b], now).is_empty());
        assert_eq!(servers.0.len(), 2);
        let gone = servers.listen(&[], now);
        assert_eq!(gone.len(), 1);
        assert!(!gone[0].own && servers.own().is_some());
        let many: Vec<_> = (0..100)
            .map(|number| service(&format!("https://{number}.org/")))
            .collect();
        servers.listen(&many.iter().collect::<Vec<_>>(), now);
        assert_eq!(servers.0.len(), MAX_SERVERS);
    }

    #[test]
    fn a_server_that_is_down_is_tried_less_and_less_often() {
        let mut now = Instant::now();
        let mut server = Server::new(service("https://a.org/"), true, now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            server.later(now);
            waits.push((server.due.unwrap() - now).as_millis());
            now = server.due.unwrap();
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    }
}
