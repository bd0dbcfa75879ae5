// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Event, IceServer, Input, JoinRequest,
    MediaCommand, MediaEvent, Output, PeerId, PeerState, Provider, SdpKind, Session, StreamBinding,
};
use roomd_direct::{Direct, DirectConfig};
use roomd_model::{MeetingLink, Now, ParticipantId, Pii, Secret};
use serde_json::{Value, json};
use url::Url;

pub fn direct() -> Direct {
    Direct::new(DirectConfig {
        hosts: vec!["room.example".into()],
        max_guests: 2,
        ice_servers: vec![
            server("stun:stun.example.org", None),
            server("turn:turn.example.org", Some("of the room alone")),
        ],
    })
}

fn server(url: &str, password: Option<&str>) -> IceServer {
    IceServer {
        url: url.into(),
        username: password.map(|_| Pii::from("room-2")),
        credential: password.map(Secret::new),
    }
}

pub fn link(direct: &Direct) -> MeetingLink {
    let url = Url::parse("https://room.example/meet/abcd-efgh-jkmn-pqrs").unwrap();
    direct.recognise(&url).unwrap()
}

pub fn noon() -> Now {
    Now {
        mono: Instant::now(),
        utc: "2026-03-02T12:00:00Z".parse().unwrap(),
    }
}

pub fn sdp(certificate: &str) -> String {
    format!(
        "v=0\r\na=fingerprint:sha-256 {certificate}\r\nm=audio 9 X 111\r\na=mid:0\r\n\
         m=video 9 X 96\r\na=mid:1\r\nm=video 9 X 96\r\na=mid:2\r\n"
    )
}

pub fn hello(name: &str) -> Value {
    json!({"type": "hello", "version": 1, "name": name, "password": null, "resume": null})
}

pub fn text(value: &Value) -> ChannelEvent {
    ChannelEvent::Text(Pii::new(value.to_string()))
}

/// A meeting in virtual time that writes down what happens.
pub struct Bench {
    pub session: Box<dyn Session>,
    pub now: Now,
    pub log: String,
    /// What came out since the last [`Bench::take`].
    pub outputs: Vec<Output>,
}

impl Bench {
    pub fn new(password: Option<&str>) -> Self {
        let direct = direct();
        let mut link = link(&direct);
        link.password = password.map(Secret::new);
        let now = noon();
        let join = JoinRequest {
            link,
            room_name: "Aula".into(),
            seed: [1; 32],
        };
        let mut bench = Self {
            session: direct.start(join, now),
            now,
            log: String::new(),
            outputs: Vec::new(),
        };
        bench.drain();
        bench
    }

    pub fn open(&mut self, channel: u64) {
        self.input(Input::Channel(ChannelId(channel), ChannelEvent::Opened));
    }

    pub fn close(&mut self, channel: u64) {
        self.input(Input::Channel(ChannelId(channel), ChannelEvent::Closed));
    }

    pub fn say(&mut self, channel: u64, message: &Value) {
        let kind = message["type"].as_str().unwrap_or("?");
        let _ = writeln!(self.log, "{channel} > {kind}");
        self.input(Input::Channel(ChannelId(channel), text(message)));
    }

    pub fn command(&mut self, command: Command) {
        let _ = writeln!(self.log, "person > {command:?}");
        self.input(Input::Command(command));
    }

    pub fn media(&mut self, event: MediaEvent) {
        let _ = writeln!(self.log, "media > {event:?}");
        self.input(Input::Media(event));
    }

    pub fn peer(&mut self, peer: u32, state: PeerState) {
        let peer = PeerId(peer);
        self.media(MediaEvent::Peer { peer, state });
    }

    pub fn answer(&mut self, peer: u32) {
        self.media(MediaEvent::LocalDescription {
            peer: PeerId(peer),
            kind: SdpKind::Answer,
            sdp: Pii::from("answer"),
        });
    }

    /// Opens a channel, says hello and admits.
    pub fn admit(&mut self, channel: u64, name: &str) -> ParticipantId {
        self.open(channel);
        self.say(channel, &hello(name));
        let id = self.waiting().pop().expect("someone waits");
        self.command(Command::Admit(id.clone()));
        id
    }

    pub fn waiting(&self) -> Vec<ParticipantId> {
        let waiting = self.outputs.iter().rev().find_map(|output| match output {
            Output::Event(Event::Waiting(people)) => Some(people),
            _ => None,
        });
        let ids = waiting
            .into_iter()
            .flatten()
            .map(|person| person.id.clone());
        ids.collect()
    }

    /// Messages that a channel received since the last [`Bench::take`].
    pub fn received(&self, channel: u64) -> Vec<Value> {
        let texts = self.outputs.iter().filter_map(|output| match output {
            Output::Channel(ChannelId(id), ChannelCommand::Text(text)) if *id == channel => {
                serde_json::from_str(text.expose()).ok()
            }
            _ => None,
        });
        texts.collect()
    }

    pub fn kinds(&self, channel: u64) -> Vec<String> {
        let messages = self.received(channel);
        let kinds = messages.iter().map(|message| message["type"].as_str());
        kinds.map(|kind| kind.unwrap_or("?").to_owned()).collect()
    }

    pub fn is_closed(&self, channel: u64) -> bool {
        let close = |output: &Output| matches!(output, Output::Channel(ChannelId(id), ChannelCommand::Close) if *id == channel);
        self.outputs.iter().any(close)
    }

    pub fn events(&self) -> Vec<Event> {
        let events = self.outputs.iter().filter_map(|output| match output {
            Output::Event(event) => Some(event.clone()),
            _ => None,
        });
        events.collect()
    }

    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    pub fn input(&mut self, input: Input) {
        self.session.handle(input, self.now);
        self.drain();
    }

    pub fn advance(&mut self, seconds: u64) {
        let _ = writeln!(self.log, "+{seconds} s");
        let until = self.now.mono + Duration::from_secs(seconds);
        while let Some((at, _)) = self.session.poll_timeout() {
            if at > until {
                break;
            }
            self.now = self.now.after(at.saturating_duration_since(self.now.mono));
            self.input(Input::Timeout);
        }
        self.now = self
            .now
            .after(until.saturating_duration_since(self.now.mono));
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            let line = describe(&output);
            let _ = writeln!(self.log, "  {line}");
            self.outputs.push(output);
        }
    }
}

fn describe(output: &Output) -> String {
    match output {
        Output::Channel(id, ChannelCommand::Text(text)) => format!("{} < {}", id.0, text.expose()),
        Output::Channel(id, ChannelCommand::Close) => format!("{} closed", id.0),
        Output::Channel(id, command @ (ChannelCommand::Open(_) | ChannelCommand::Binary(_))) => {
            panic!("this platform opens no channel: {} {command:?}", id.0)
        }
        Output::Event(event) => format!("{event:?}"),
        Output::Media(MediaCommand::Bind { peer, streams }) => {
            let one = |stream: &StreamBinding| {
                format!("{}={:?}#{}", stream.mid, stream.kind, stream.stream.0)
            };
            let streams: Vec<_> = streams.iter().map(one).collect();
            format!("Bind {} {}", peer.0, streams.join(" "))
        }
        Output::Media(command) => format!("{command:?}"),
    }
}
