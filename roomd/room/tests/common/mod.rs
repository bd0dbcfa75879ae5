// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use roomd_conference::{Capabilities, Event, JoinRequest, Provider, Session};
use roomd_model::{
    Attendance, Booking, BookingId, BookingLink, Connection, E2ee, MeetingLink, Now, Participant,
    ParticipantId, Pii, ProviderId,
};
use roomd_room::{
    CallView, Input, Output, Platforms, Refusal, Request, Resume, Room, RoomConfig, SessionId,
};
use url::Url;

/// A platform of which only the pure half is needed.
#[derive(Debug)]
pub struct Fake;

impl Provider for Fake {
    fn id(&self) -> ProviderId {
        ProviderId::new("fake")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            admits: true,
            chat: true,
            hands: true,
            content: true,
            e2ee: true,
            hosts: true,
        }
    }

    fn recognise(&self, url: &Url) -> Option<MeetingLink> {
        url.path().starts_with("/meet/").then(|| link(url.as_str()))
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        Some(Pii::from(url.path()))
    }

    fn hosts(&self) -> Vec<String> {
        vec!["room.example".to_owned()]
    }

    fn fresh_meeting(&self, seed: [u8; 32]) -> Option<Url> {
        Url::parse(&format!("https://room.example/meet/{}", seed[0])).ok()
    }

    fn start(&self, _join: JoinRequest, _now: Now) -> Box<dyn Session> {
        unreachable!("the room starts no session itself")
    }
}

pub fn platforms() -> Platforms {
    Arc::from(vec![Box::new(Fake) as Box<dyn Provider>])
}

pub fn link(url: &str) -> MeetingLink {
    MeetingLink {
        provider: ProviderId::new("fake"),
        url: Pii::new(Url::parse(url).unwrap()),
        password: None,
        protected: false,
    }
}

pub const LINK: &str = "https://room.example/meet/one";
pub const OTHER: &str = "https://room.example/meet/two";
pub const ELSEWHERE: &str = "https://elsewhere.example/meet/three";

pub fn noon() -> Now {
    Now {
        mono: Instant::now(),
        utc: "2026-03-02T12:00:00Z".parse().unwrap(),
    }
}

pub fn booking(id: &str, start: DateTime<Utc>, minutes: i64, url: &str) -> Booking {
    Booking {
        id: BookingId(id.to_owned()),
        title: Some(Pii::from("Budget")),
        start,
        end: start + TimeDelta::minutes(minutes),
        all_day: false,
        attendance: Attendance::Accepted,
        link: BookingLink::Meeting(link(url)),
        warnings: Vec::new(),
    }
}

pub fn person(id: &str) -> Participant {
    Participant {
        id: ParticipantId(id.to_owned()),
        name: Pii::from("Erika"),
        microphone: true,
        camera: true,
        sharing: false,
        hand: false,
        reaction: None,
        speaking: false,
        connection: Connection::Good,
        e2ee: E2ee::Verified,
    }
}

/// A room in virtual time.
#[derive(Debug)]
pub struct Bench {
    pub room: Room,
    pub now: Now,
    /// Everything that came out since the last [`Bench::take`].
    pub outputs: Vec<Output>,
    /// The sessions that were started, in order.
    pub sessions: Vec<(SessionId, MeetingLink)>,
}

impl Bench {
    pub fn new(config: RoomConfig, resume: Option<Resume>) -> Self {
        let now = noon();
        let mut bench = Self {
            room: Room::new(config, platforms(), resume, now),
            now,
            outputs: Vec::new(),
            sessions: Vec::new(),
        };
        bench.drain();
        bench
    }

    /// A room in a call, after the first participant came.
    pub fn in_call(config: RoomConfig) -> Self {
        let mut bench = Self::new(config, None);
        bench.join(LINK).unwrap();
        bench.event(Event::Joined);
        bench.event(Event::Participants(vec![person("a")]));
        bench
    }

    pub fn input(&mut self, input: Input) -> Result<(), Refusal> {
        let result = self.room.handle(input, self.now);
        self.drain();
        result
    }

    pub fn ask(&mut self, request: Request) -> Result<(), Refusal> {
        self.input(Input::Request(request))
    }

    pub fn join(&mut self, url: &str) -> Result<(), Refusal> {
        self.ask(Request::JoinLink(Pii::from(url)))
    }

    /// News of the newest session.
    pub fn event(&mut self, event: Event) {
        let session = self.sessions.last().expect("a session").0;
        self.input(Input::Session(session, event)).unwrap();
    }

    pub fn advance(&mut self, by: Duration) {
        let until = self.now.mono + by;
        while let Some((at, _)) = self.room.poll_timeout() {
            if at > until {
                break;
            }
            self.now = self.now.after(at.saturating_duration_since(self.now.mono));
            self.input(Input::Timeout).unwrap();
            let next = self.room.poll_timeout();
            assert!(
                next.is_none_or(|(next, _)| next > at),
                "a time-out is named again"
            );
        }
        self.now = self
            .now
            .after(until.saturating_duration_since(self.now.mono));
    }

    pub fn call(&self) -> CallView {
        self.room.view().call.expect("a call")
    }

    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// The kinds of what came out, for comparing their order.
    pub fn said(&mut self) -> Vec<String> {
        let text = |output: &Output| match output {
            Output::StartSession { session, .. } => format!("start {}", session.0),
            Output::Session(session, command) => format!("tell {} {command:?}", session.0),
            Output::DropSession(session) => format!("drop {}", session.0),
            Output::Sending { microphone, camera } => format!("sending {microphone} {camera}"),
            Output::Content(on) => format!("content {on}"),
            Output::Preview(on) => format!("preview {on}"),
            Output::Volume(percent) => format!("volume {percent}"),
            Output::Persist(resume) => format!("persist {}", resume.is_some()),
            Output::Answer(id, accept) => format!("answer {} {accept}", id.0),
            Output::Finished => "finished".to_owned(),
        };
        self.take().iter().map(text).collect()
    }

    fn drain(&mut self) {
        while let Some(output) = self.room.poll_output() {
            if let Output::StartSession { session, link, .. } = &output {
                self.sessions.push((*session, link.clone()));
            }
            self.outputs.push(output);
        }
    }
}
