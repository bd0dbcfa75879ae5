// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The media servers of the call: the room sends to its own homeserver's, and listens to those of the
//! others.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, Endpoint, HttpRequest, Method};
use roomd_livekit::{Connection, Ids};
use roomd_matrix_port::{Me, OpenIdToken, RoomId};
use roomd_model::{Pii, Secret};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

/// The most servers of one call.
const MAX_SERVERS: usize = 16;
/// Between attempts at a server, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(20);
/// The same while somebody waits to be in the meeting.
const LAST_WAIT_OUTSIDE: Duration = Duration::from_secs(4);
/// Whoever joins takes the identity of an earlier connection at once, give or take a slow network.
const REPLACES: Duration = Duration::from_secs(10);

/// A media server.
#[derive(Debug)]
pub(super) struct Server {
    /// Its number, which no other one of this meeting has.
    pub(super) number: u32,
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
    /// The server did not take the token that it was given last.
    pub(super) refused: bool,
    /// Where its last token leads.
    pub(super) place: Option<Place>,
    /// When it was joined last.
    joined_at: Option<Instant>,
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
    /// Its LiveKit room is that of the server of this number, whose connection serves both: a second
    /// one under the same identity would end the first.
    Shared(u32),
}

/// A room of a LiveKit server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    url: Pii<Url>,
    /// As the token names it; a token that does not say counts as one for the same room.
    room: Option<Pii<String>>,
}

impl Place {
    pub(super) fn new(url: &Url, token: &Secret) -> Self {
        let mut url = plain(url.clone());
        // The same server, whichever of its schemes is named.
        let scheme = match url.scheme() {
            "ws" => Some("http"),
            "wss" => Some("https"),
            _ => None,
        };
        // Between these schemes this cannot fail; a server under two addresses is two servers.
        let _ = scheme.map(|scheme| url.set_scheme(scheme));
        Self {
            url: Pii::new(url),
            room: room_of(token),
        }
    }
}

/// The LiveKit room that a token is for. Its signature is the server's to check: a token that lies leads
/// nowhere.
fn room_of(token: &Secret) -> Option<Pii<String>> {
    #[derive(Deserialize)]
    struct Claims {
        video: Grant,
    }
    #[derive(Deserialize)]
    struct Grant {
        room: Pii<String>,
    }
    let payload = token.expose().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    Some(claims.video.room)
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
    fn new(number: u32, service: Pii<Url>, own: bool, now: Instant) -> Self {
        Self {
            number,
            service: Pii::new(plain(service.into_inner())),
            own,
            state: State::Waiting,
            attempts: 0,
            due: Some(now),
            since: now,
            tokenless: false,
            refused: false,
            place: None,
            joined_at: None,
            newer: false,
        }
    }

    pub(super) const fn is_joined(&self) -> bool {
        matches!(self.state, State::Connected { joined: true, .. })
    }

    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        match &mut self.state {
            State::Connected { connection, .. } => Some(connection),
            State::Waiting | State::Asking(_) | State::Shared(_) => None,
        }
    }

    /// Leaves it to the connection of the server of this number.
    pub(super) fn share(&mut self, with: u32) {
        self.state = State::Shared(with);
        self.attempts = 0;
        self.due = None;
    }

    /// Tries it again in a while, later each time.
    pub(super) fn later(&mut self, in_meeting: bool, now: Instant) {
        if self.is_joined() {
            self.since = now;
        }
        self.state = State::Waiting;
        let wait = FIRST_WAIT.saturating_mul(1 << self.attempts.min(6));
        self.attempts += 1;
        let most = if in_meeting {
            LAST_WAIT
        } else {
            LAST_WAIT_OUTSIDE
        };
        self.due = Some(now + wait.min(most));
    }

    /// Begins anew, with all the time that a server has.
    pub(super) fn restart(&mut self, now: Instant) {
        self.state = State::Waiting;
        self.attempts = 0;
        self.since = now;
        self.due = Some(now);
    }

    pub(super) const fn joined(&mut self, now: Instant) {
        self.attempts = 0;
        self.refused = false;
        self.joined_at = Some(now);
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

/// All of them, the own one first.
#[derive(Debug, Default)]
pub(super) struct Servers {
    pub(super) all: Vec<Server>,
    next: u32,
}

impl Servers {
    /// Begins to send to this server.
    pub(super) fn begin(&mut self, service: Pii<Url>, now: Instant) {
        let number = self.number();
        self.all.insert(0, Server::new(number, service, true, now));
    }

    const fn number(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    pub(super) fn own(&mut self) -> Option<&mut Server> {
        self.all.first_mut().filter(|server| server.own)
    }

    /// Listens to these, and no longer to others; gives those that are left.
    pub(super) fn listen(&mut self, services: &[&Pii<Url>], now: Instant) -> Vec<Server> {
        let services: Vec<_> = services
            .iter()
            .filter(|it| self.may_reach(it.expose()))
            .collect();
        let all = std::mem::take(&mut self.all);
        let used =
            |server: &Server| server.own || services.iter().any(|it| is_same(it, &server.service));
        let (kept, gone) = all.into_iter().partition(used);
        self.all = kept;
        for service in services {
            let known = self
                .all
                .iter()
                .any(|server| is_same(service, &server.service));
            if !known && self.all.len() < MAX_SERVERS {
                let number = self.number();
                self.all
                    .push(Server::new(number, (**service).clone(), false, now));
            }
        }
        gone
    }

    /// Another server that is connected to this place.
    pub(super) fn connected_to(&self, place: &Place, besides: usize) -> Option<usize> {
        let is = |(index, server): &(usize, &Server)| {
            *index != besides
                && matches!(server.state, State::Connected { .. })
                && server.place.as_ref() == Some(place)
        };
        self.all.iter().enumerate().find(is).map(|(index, _)| index)
    }

    /// Another server whose connection took the identity of this one: it leads to the same place, or it
    /// was joined a moment ago in a room of the same name, which may be the same under another address.
    pub(super) fn replaced_by(&self, index: usize, now: Instant) -> Option<usize> {
        let place = self.all.get(index)?.place.as_ref()?;
        let recent = |server: &Server| {
            let joined = server.joined_at.filter(|_| server.is_joined());
            joined.is_some_and(|at| now.saturating_duration_since(at) < REPLACES)
        };
        let is = |(other, server): &(usize, &Server)| {
            let there = server.place.as_ref();
            *other != index
                && matches!(server.state, State::Connected { .. })
                && (there == Some(place)
                    || recent(server) && there.is_some_and(|there| there.room == place.room))
        };
        let found = self.all.iter().enumerate().filter(is);
        found
            .max_by_key(|(_, server)| (server.place.as_ref() == Some(place), server.joined_at))
            .map(|(index, _)| index)
    }

    /// Tries those by themselves that shared the connection of this server, unless it still leads where
    /// they do.
    pub(super) fn release(&mut self, number: u32, place: Option<&Place>, now: Instant) {
        for server in &mut self.all {
            let shares = matches!(server.state, State::Shared(with) if with == number);
            if shares && (place.is_none() || server.place.as_ref() != place) {
                server.state = State::Waiting;
                server.due = Some(now);
            }
        }
    }

    /// Whether an address that a member or a service names may be asked. Each gets a token that proves
    /// who the room is, so it has to be encrypted on the way; and what listens on this machine is
    /// nobody's to reach, except where the own server is there too.
    pub(super) fn may_reach(&self, url: &Url) -> bool {
        if is_here(url) {
            let own = self.all.first().filter(|server| server.own);
            return own.is_some_and(|own| is_here(own.service.expose()));
        }
        matches!(url.scheme(), "https" | "wss")
    }

    /// The server whose token is asked for on this channel.
    pub(super) fn asking(&mut self, channel: ChannelId) -> Option<usize> {
        let asks = |server: &Server| matches!(server.state, State::Asking(id) if id == channel);
        self.all.iter().position(asks)
    }

    /// The server whose connection serves this service.
    pub(super) fn serving(&self, service: &Pii<Url>) -> Option<u32> {
        let service = plain(service.expose().clone());
        let mut all = self.all.iter();
        let server = all.find(|server| *server.service.expose() == service)?;
        Some(match server.state {
            State::Shared(with) => with,
            State::Waiting | State::Asking(_) | State::Connected { .. } => server.number,
        })
    }

    pub(super) fn connections(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.all.iter_mut().filter_map(Server::connection)
    }
}

/// The same service, however its address ends.
fn is_same(a: &Pii<Url>, b: &Pii<Url>) -> bool {
    plain(a.expose().clone()) == plain(b.expose().clone())
}

/// Whether an address leads to this machine.
fn is_here(url: &Url) -> bool {
    let v4 = |ip: Ipv4Addr| ip.is_loopback() || ip.is_unspecified();
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => v4(ip),
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some_and(v4)
        }
        None => true,
    }
}

/// An address without what does not belong to a service: anybody can append it, and it would be another
/// server each time.
fn plain(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    // Addresses that can have neither name nor password have none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    url
}

#[cfg(test)]
#[path = "servers_tests.rs"]
mod tests;
