// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Meetings of Element Call: what members of a Matrix room and token services send.

use std::time::{Duration, Instant};

use chrono::DateTime;
use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Endpoint, Event, Input as Fed, JoinRequest,
    Output, Provider, Session,
};
use roomd_matrixrtc::{MatrixRtc, MatrixRtcConfig};
use roomd_model::{Now, Pii};
use url::Url;

use crate::input::Input;

/// Most steps of an input.
const MOST: usize = 200;
/// Outputs of one step; more than this is a session that does not stop talking.
const BURST: usize = 20_000;

fn provider() -> MatrixRtc {
    MatrixRtc::new(MatrixRtcConfig {
        hosts: vec!["call.x".to_owned()],
        matrix_to: true,
        default_server: "x".to_owned(),
        encryption_required: true,
    })
}

/// Links of any shape.
pub(crate) fn link(mut input: Input<'_>) {
    let text = input.rest_text();
    let fragment = Url::parse(&format!("https://call.x/room/#{text}"));
    for url in [Url::parse(&text), fragment].into_iter().flatten() {
        let provider = provider();
        let Some(link) = provider.recognise(&url) else {
            continue;
        };
        let secret = link.password.as_ref().map(|it| it.expose().to_owned());
        let kept = link.url.expose().as_str();
        let query = kept.split_once('?').map_or("", |(_, query)| query);
        assert!(
            secret.is_none() || !query.split('&').any(|it| it.starts_with("password=")),
            "the password is left in the link"
        );
        let room = provider.meeting_id(link.url.expose());
        assert!(room.is_none_or(|room| room.expose().len() <= 255));
    }
}

/// Messages of the account, answers of token services, and the time that passes between them.
pub(crate) fn meeting(mut input: Input<'_>) {
    let mut meeting = Meeting::new();
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.byte() % 4 {
            0 => meeting.say(long(&mut input)),
            1 => meeting.respond(200, long(&mut input)),
            2 => {
                let status = input.word();
                meeting.respond(status, long(&mut input));
            }
            _ => meeting.wait(Duration::from_millis(input.word().into())),
        }
    }
    meeting.leave();
}

fn long(input: &mut Input<'_>) -> String {
    String::from_utf8_lossy(input.bytes()).into_owned()
}

struct Meeting {
    session: Box<dyn Session>,
    now: Now,
    account: Option<ChannelId>,
    requests: Vec<ChannelId>,
    ended: bool,
}

impl Meeting {
    fn new() -> Self {
        let provider = provider();
        let url = Url::parse("https://call.x/room/#/?roomId=!r:x").unwrap();
        let now = Now {
            mono: Instant::now(),
            utc: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        };
        let join = JoinRequest {
            link: provider.recognise(&url).unwrap(),
            room_name: "Room".to_owned(),
            seed: [1; 32],
        };
        let mut meeting = Self {
            session: provider.start(join, now),
            now,
            account: None,
            requests: Vec::new(),
            ended: false,
        };
        meeting.drain();
        meeting
    }

    fn feed(&mut self, input: Fed) {
        self.session.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        let mut count = 0;
        while let Some(output) = self.session.poll_output() {
            assert!(!self.ended, "an output followed the end");
            count += 1;
            assert!(count < BURST, "it does not stop talking");
            match output {
                Output::Channel(id, ChannelCommand::Open(Endpoint::Service(_))) => {
                    self.account = Some(id);
                }
                Output::Channel(id, ChannelCommand::Open(Endpoint::Http(_))) => {
                    self.requests.push(id);
                }
                Output::Event(Event::Ended(_)) => self.ended = true,
                Output::Channel(..) | Output::Media(_) | Output::Event(_) => {}
            }
        }
    }

    fn say(&mut self, text: String) {
        if let Some(account) = self.account {
            let event = ChannelEvent::Text(Pii::new(text));
            self.feed(Fed::Channel(account, event));
        }
    }

    fn respond(&mut self, status: u16, body: String) {
        if let Some(id) = self.requests.pop() {
            let body = Pii::new(body);
            self.feed(Fed::Channel(id, ChannelEvent::Response { status, body }));
        }
    }

    fn wait(&mut self, by: Duration) {
        let until = self.now.mono + by;
        for _ in 0..1000 {
            let Some((at, _)) = self.session.poll_timeout().filter(|(at, _)| *at <= until) else {
                self.now = self.now.after(until - self.now.mono);
                return;
            };
            self.now = self.now.after(at.saturating_duration_since(self.now.mono));
            self.feed(Fed::Timeout);
        }
        panic!("time stands still");
    }

    fn leave(&mut self) {
        self.feed(Fed::Command(Command::Leave { returning: false }));
        self.wait(Duration::from_secs(30));
        assert!(self.ended, "leaving does not end it");
    }
}
