// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A session with an account and a token service that answer as a test says.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_response::Message as Response;
use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Endpoint, Event, HttpRequest, Input,
    JoinRequest, Output, Provider, Session,
};
use roomd_matrix_port::{
    Ask, Call, DelayId, DeviceId, Done, EventId, Failure, JoinedRoom, Me, News, OpenIdToken,
    Recipient, Reply, Request, RoomId, RoomInfo, SERVICE, StateEvent, Transport, UserId,
};
use roomd_matrixrtc::{MatrixRtc, MatrixRtcConfig};
use roomd_model::{MeetingLink, Now, Participant, Pii, Secret, StreamId};
use serde_json::{Value, json};
use url::Url;

pub const LINK: &str = "https://call.example.org/room/#/weekly?roomId=!room:x";
pub const SERVICE_URL: &str = "https://sfu.x/jwt";

pub fn provider(encryption_required: bool) -> MatrixRtc {
    MatrixRtc::new(MatrixRtcConfig {
        hosts: vec!["call.example.org".to_owned()],
        matrix_to: true,
        default_server: "x".to_owned(),
        encryption_required,
    })
}

pub fn device(user: &str, device: &str) -> Recipient {
    Recipient {
        user: UserId::new(user),
        device: DeviceId::new(device),
    }
}

pub fn room(encrypted: bool) -> JoinedRoom {
    JoinedRoom {
        room: RoomId::new("!room:x"),
        version: "12".to_owned(),
        info: RoomInfo {
            name: Pii::from("Weekly"),
            encrypted,
            can_call: true,
            can_invite: true,
            can_kick: true,
        },
        belongs: true,
        me: me(),
    }
}

pub fn me() -> Me {
    Me {
        user: UserId::new("@room:x"),
        device: DeviceId::new("ROOM"),
        cross_signed: true,
    }
}

/// A member as Element Call announces it.
pub fn member(user: &str, device: &str, service: &str) -> StateEvent {
    StateEvent {
        state_key: Pii::new(format!("_{user}_{device}_m.call")),
        sender: UserId::new(user),
        event: EventId::new(format!("${user}{device}")),
        ts: 1_700_000_000_000,
        content: Pii::new(json!({
            "application": "m.call", "call_id": "", "scope": "m.room", "device_id": device,
            "expires": 14_400_000,
            "focus_active": {"type": "livekit", "focus_selection": "multi_sfu"},
            "foci_preferred": [{
                "type": "livekit", "livekit_service_url": service, "livekit_alias": "!room:x",
            }],
        })),
    }
}

pub struct Bench {
    session: Box<dyn Session>,
    pub now: Now,
    account: Option<ChannelId>,
    pub asked: VecDeque<(u64, Ask)>,
    /// What was asked and is answered.
    pub seen: Vec<Ask>,
    pub http: VecDeque<(ChannelId, HttpRequest)>,
    /// Where media servers are reached: address and token.
    pub sockets: Vec<(ChannelId, Url, String)>,
    pub events: Vec<Event>,
    /// What the account says to every question of a kind, by its name.
    pub answers: BTreeMap<&'static str, Result<Done, Failure>>,
    pub members: Vec<StateEvent>,
    /// What the account left out of the call.
    pub left_out: u32,
    events_sent: u32,
    offers: u32,
}

/// Somebody on a media server who sends these tracks.
pub fn sends(identity: &str, tracks: Vec<proto::TrackInfo>) -> proto::ParticipantInfo {
    proto::ParticipantInfo {
        sid: format!("PA_{identity}"),
        identity: identity.into(),
        state: proto::participant_info::State::Active.into(),
        tracks,
        ..Default::default()
    }
}

/// A camera's picture, encrypted from end to end or not.
pub fn camera(sid: &str, encrypted: bool) -> proto::TrackInfo {
    use proto::encryption::Type::{Gcm, None};
    proto::TrackInfo {
        sid: sid.into(),
        r#type: proto::TrackType::Video.into(),
        source: proto::TrackSource::Camera.into(),
        encryption: if encrypted { Gcm } else { None }.into(),
        ..Default::default()
    }
}

impl Bench {
    pub fn new(link: &str) -> Self {
        Self::with(link, true)
    }

    pub fn with(link: &str, encryption_required: bool) -> Self {
        let provider = provider(encryption_required);
        let link = provider.recognise(&Url::parse(link).unwrap()).unwrap();
        Self::joining(link, encryption_required)
    }

    pub fn joining(link: MeetingLink, encryption_required: bool) -> Self {
        let provider = provider(encryption_required);
        let now = Now {
            mono: Instant::now(),
            utc: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        };
        let join = JoinRequest {
            link,
            room_name: "Room 1".to_owned(),
            seed: [3; 32],
        };
        let mut bench = Self {
            session: provider.start(join, now),
            now,
            account: None,
            asked: VecDeque::new(),
            seen: Vec::new(),
            http: VecDeque::new(),
            sockets: Vec::new(),
            events: Vec::new(),
            answers: BTreeMap::new(),
            members: Vec::new(),
            left_out: 0,
            events_sent: 0,
            offers: 0,
        };
        bench.drain();
        bench
    }

    pub fn feed(&mut self, input: Input) {
        self.session.handle(input, self.now);
        self.drain();
    }

    pub fn command(&mut self, command: Command) {
        self.feed(Input::Command(command));
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Channel(id, ChannelCommand::Open(Endpoint::Service(name))) => {
                    assert_eq!(name, SERVICE);
                    self.account = Some(id);
                }
                Output::Channel(id, ChannelCommand::Text(text)) if self.account == Some(id) => {
                    let request = Request::from_text(text.expose()).unwrap();
                    self.asked.push_back((request.id, request.ask));
                }
                Output::Channel(id, ChannelCommand::Open(Endpoint::Http(request))) => {
                    self.http.push_back((id, request));
                }
                Output::Channel(id, ChannelCommand::Open(Endpoint::WebSocket { url, bearer })) => {
                    let token = bearer.unwrap_or_default().expose().to_owned();
                    self.sockets.push((id, url.into_inner(), token));
                }
                Output::Channel(..) | Output::Media(_) => {}
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub fn say(&mut self, reply: Reply) {
        let text = reply.to_text().unwrap();
        let channel = self.account.unwrap();
        self.feed(Input::Channel(channel, ChannelEvent::Text(text)));
    }

    pub fn news(&mut self, news: News) {
        self.say(Reply::News(news));
    }

    pub fn close_account(&mut self) {
        let channel = self.account.take().unwrap();
        self.feed(Input::Channel(channel, ChannelEvent::Closed));
    }

    /// Answers whatever is asked, as a homeserver where everything works, or as the test says.
    pub fn answer(&mut self) {
        while let Some((id, ask)) = self.asked.pop_front() {
            let result = self.result(&ask);
            self.seen.push(ask);
            self.say(Reply::Answer { id, result });
        }
    }

    pub fn result(&mut self, ask: &Ask) -> Result<Done, Failure> {
        let name = name(ask);
        if let Some(answer) = self.answers.get(name) {
            return answer.clone();
        }
        self.events_sent += 1;
        let event = EventId::new(format!("$own{}", self.events_sent));
        Ok(match ask {
            Ask::Join { .. } => Done::Joined(room(true)),
            Ask::Transports => Done::Transports(vec![Transport {
                livekit_service_url: Pii::new(Url::parse(SERVICE_URL).unwrap()),
            }]),
            Ask::OpenIdToken => Done::OpenId(OpenIdToken {
                access_token: Secret::new("openid"),
                token_type: "Bearer".to_owned(),
                matrix_server_name: Pii::from("x"),
                expires_in: 3600,
            }),
            Ask::DelayState { delay_ms, .. } => Done::Delayed {
                delay: DelayId::new(format!("delay{}", self.events_sent)),
                delay_ms: *delay_ms,
            },
            Ask::SetState { content, .. } => {
                let mut own = member("@room:x", "ROOM", SERVICE_URL);
                own.content = content.clone();
                own.event = event.clone();
                self.members.retain(|it| it.sender != own.sender);
                if content.expose() != &json!({}) {
                    self.members.push(own);
                }
                Done::Sent { event }
            }
            Ask::React { .. } | Ask::Redact { .. } | Ask::SendMessage { .. } => {
                Done::Sent { event }
            }
            Ask::Reactions { .. } => Done::Reactions(Vec::new()),
            Ask::ToDevice { .. } => Done::SentToDevice {
                unreachable: Vec::new(),
            },
            Ask::Leave { .. }
            | Ask::Delayed { .. }
            | Ask::CancelOthers { .. }
            | Ask::Invite { .. }
            | Ask::Kick { .. } => Done::Done,
        })
    }

    /// In the call, joined on the own media server.
    pub fn join(&mut self) {
        self.news(News::Online(me()));
        self.answer();
        self.grant(SERVICE_URL, "wss://sfu.x", "room");
        self.greet("sfu.x");
        self.call();
        self.answer();
    }

    /// In the Matrix room, announced, with a token for the media server.
    pub fn enter(&mut self) {
        self.news(News::Online(me()));
        self.answer();
        self.call();
        let (id, _) = self.http.pop_front().expect("no token is asked for");
        self.respond(id, 200, &json!({"url": "wss://sfu.x", "jwt": "token"}));
        self.answer();
    }

    pub fn respond(&mut self, id: ChannelId, status: u16, body: &Value) {
        let body = Pii::new(body.to_string());
        let response = ChannelEvent::Response { status, body };
        self.feed(Input::Channel(id, response));
    }

    /// A media server says something, on the last channel that was opened to this host.
    pub fn hear(&mut self, host: &str, message: Response) {
        let message = Some(message);
        let bytes = proto::SignalResponse { message }.encode_to_vec();
        let binary = ChannelEvent::Binary(Pii::new(bytes));
        self.feed(Input::Channel(self.socket(host), binary));
    }

    fn socket(&self, host: &str) -> ChannelId {
        let to = |(_, url, _): &&(ChannelId, Url, String)| url.host_str() == Some(host);
        self.sockets.iter().rfind(to).expect("no channel").0
    }

    /// A media server lets the room in.
    pub fn greet(&mut self, host: &str) {
        self.feed(Input::Channel(self.socket(host), ChannelEvent::Opened));
        let participant = proto::ParticipantInfo {
            sid: "PA_own".into(),
            identity: "@room:x:ROOM".into(),
            ..Default::default()
        };
        let join = proto::JoinResponse {
            participant: Some(participant),
            subscriber_primary: true,
            ping_interval: 5,
            ping_timeout: 600,
            ..Default::default()
        };
        self.hear(host, Response::Join(join));
    }

    /// A media server says who is there and what they send.
    pub fn update(&mut self, host: &str, participants: Vec<proto::ParticipantInfo>) {
        let update = proto::ParticipantUpdate { participants };
        self.hear(host, Response::Update(update));
    }

    /// A media server sends these tracks: participant and track, each in a line of its own.
    pub fn offer(&mut self, host: &str, tracks: &[(&str, &str)]) {
        self.offers += 1;
        let mut sdp =
            "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n".to_owned();
        for (line, (participant, track)) in tracks.iter().enumerate() {
            sdp += &format!(
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{line}\r\n\
                 a=msid:PA_{participant}|x {track}\r\na=sendonly\r\n"
            );
        }
        let offer = proto::SessionDescription {
            r#type: "offer".into(),
            sdp,
            id: self.offers,
            ..Default::default()
        };
        self.hear(host, Response::Offer(offer));
    }

    /// Who else is there, as it was told last.
    pub fn people(&self) -> Vec<Participant> {
        let all = self.events.iter().rev().find_map(|event| match event {
            Event::Participants(people) => Some(people.clone()),
            _ => None,
        });
        all.unwrap_or_default()
    }

    /// The stream that was announced last.
    pub fn stream(&self) -> StreamId {
        let stream = |event: &Event| match event {
            Event::StreamAdded { stream, .. } => Some(*stream),
            _ => None,
        };
        self.events
            .iter()
            .rev()
            .find_map(stream)
            .expect("no stream")
    }

    /// A media server says that somebody joined as the room.
    pub fn replaced(&mut self, host: &str) {
        let leave = proto::LeaveRequest {
            reason: proto::DisconnectReason::DuplicateIdentity.into(),
            ..Default::default()
        };
        self.hear(host, Response::Leave(leave));
    }

    /// A media server wants the room to join anew.
    pub fn restart(&mut self, host: &str) {
        let leave = proto::LeaveRequest {
            reason: proto::DisconnectReason::StateMismatch.into(),
            action: proto::leave_request::Action::Reconnect.into(),
            ..Default::default()
        };
        self.hear(host, Response::Leave(leave));
    }

    /// A token for a room of a LiveKit server, as its service answers.
    pub fn grant(&mut self, service: &str, url: &str, room: &str) {
        let asked = |(_, request): &(ChannelId, HttpRequest)| {
            request.url.expose().as_str() == format!("{service}/sfu/get")
        };
        let index = self.http.iter().position(asked).expect("not asked for");
        let (id, _) = self.http.remove(index).unwrap();
        let claims = json!({"sub": "@room:x:ROOM", "video": {"room": room}});
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        let token = format!("header.{payload}.signature");
        self.respond(id, 200, &json!({"url": url, "jwt": token}));
    }

    /// Shows the call as it is.
    pub fn call(&mut self) {
        let names = [("@anna:x", "Anna"), ("@bert:y", "Bert")];
        self.news(News::Call(Call {
            room: RoomId::new("!room:x"),
            memberships: self.members.clone(),
            sticky: Vec::new(),
            slots: Vec::new(),
            names: names
                .map(|(id, name)| (UserId::new(id), Pii::from(name)))
                .into(),
            knocking: Vec::new(),
            left_out: self.left_out,
        }));
    }

    /// Lets time pass; the account answers.
    pub fn advance(&mut self, by: Duration) {
        let until = self.now.mono + by;
        while let Some((at, _)) = self.session.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.after(at.saturating_duration_since(self.now.mono));
            self.feed(Input::Timeout);
            self.answer();
        }
        self.now = self
            .now
            .after(until.saturating_duration_since(self.now.mono));
    }

    /// The keys that were told since the last time: number, and to whom.
    pub fn keys(&mut self) -> Vec<(u64, Vec<Recipient>)> {
        let mut keys = Vec::new();
        let asked = std::mem::take(&mut self.asked);
        for (id, ask) in asked {
            if let Ask::ToDevice {
                content,
                recipients,
                kind,
            } = &ask
            {
                assert_eq!(kind, "io.element.call.encryption_keys");
                let index = content.expose()["keys"]["index"].as_u64().unwrap();
                keys.push((index, recipients.clone()));
            }
            let result = self.result(&ask);
            self.say(Reply::Answer { id, result });
        }
        keys
    }
}

fn name(ask: &Ask) -> &'static str {
    match ask {
        Ask::Join { .. } => "join",
        Ask::Leave { .. } => "leave",
        Ask::Transports => "transports",
        Ask::OpenIdToken => "openid",
        Ask::SetState { .. } => "state",
        Ask::DelayState { .. } => "delay",
        Ask::Delayed { .. } => "delayed",
        Ask::CancelOthers { .. } => "cancel others",
        Ask::ToDevice { .. } => "to device",
        Ask::SendMessage { .. } => "message",
        Ask::React { .. } => "react",
        Ask::Reactions { .. } => "reactions",
        Ask::Redact { .. } => "redact",
        Ask::Invite { .. } => "invite",
        Ask::Kick { .. } => "kick",
    }
}
