// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the session tells.

use std::time::{Duration, Instant};

use roomd_conference::{Ended, Event, LocalSource};
use roomd_model::Now;

use crate::SessionId;
use crate::call::{Alone, Call, Stage, Then};
use crate::machine::{Room, State};

const PASSWORD_LIMIT: Duration = Duration::from_secs(5 * 60);
const LOBBY_LIMIT: Duration = Duration::from_secs(30 * 60);
const RECONNECT_LIMIT: Duration = Duration::from_secs(2 * 60);

impl Room {
    pub(crate) fn session_event(&mut self, session: SessionId, event: Event) {
        let countdown = self.config.countdown();
        let alone_limit = self.config.alone_limit;
        let now = self.now;
        let State::Call(call) = &mut self.state else {
            return;
        };
        if call.session != session {
            return;
        }
        if let Event::Ended(ended) = event {
            return self.session_ended(ended);
        }
        if call.is_leaving() {
            return;
        }
        match event {
            Event::Lobby => call.enter(Stage::Lobby, Some(now.mono + LOBBY_LIMIT)),
            Event::Joined => {
                call.enter(Stage::InCall, None);
                if call.faces.is_empty() {
                    call.alone = Some(Alone::new(alone_limit, countdown, now));
                }
            }
            Event::Reconnecting { attempt } => {
                let until = match call.stage {
                    Stage::Reconnecting(_) => call.deadline,
                    Stage::Joining | Stage::Lobby | Stage::InCall | Stage::Leaving(_) => None,
                };
                let until = until.unwrap_or(now.mono + RECONNECT_LIMIT);
                call.enter(Stage::Reconnecting(attempt), Some(until));
            }
            Event::Participants(people) => {
                call.faces.set_participants(people);
                call.check_alone(countdown, now);
            }
            Event::Waiting(people) => call.faces.set_waiting(people),
            Event::StreamAdded {
                stream,
                participant,
                kind,
            } => call.faces.add_stream(stream, participant, kind),
            Event::StreamRemoved { stream } => call.faces.remove_stream(stream),
            Event::Chat(message) => call.faces.add_chat(message),
            // What the invitation calls it is what people know it by.
            Event::Title(title) => {
                call.plan.title.get_or_insert(title);
            }
            Event::E2ee(e2ee) => call.e2ee = e2ee,
            Event::Muted(LocalSource::Microphone) => call.microphone = false,
            Event::Muted(LocalSource::Camera) => call.camera = false,
            Event::Muted(LocalSource::Content) => call.content = false,
            Event::PasswordRequired { wrong } => {
                call.password_wanted = Some(wrong);
                if matches!(call.stage, Stage::Joining) {
                    call.deadline = Some(now.mono + PASSWORD_LIMIT);
                }
            }
            Event::Fault(code) => {
                self.faults.insert(code);
            }
            Event::Ended(_) => {}
        }
    }

    fn session_ended(&mut self, ended: Ended) {
        let State::Call(call) = &mut self.state else {
            return;
        };
        let then = match (&mut call.stage, ended) {
            (Stage::Leaving(then), _) => std::mem::replace(then, Then::Rest),
            (_, Ended::Left | Ended::Closed) => Then::Rest,
            (_, Ended::Failed(code)) => Then::Fault(code),
        };
        self.end_call(then);
    }
}

impl Call {
    /// A password that is wanted stays so until somebody enters it: the session asks once, and joining
    /// or coming back does not answer it.
    pub(crate) fn enter(&mut self, stage: Stage, deadline: Option<Instant>) {
        if matches!(stage, Stage::Leaving(_)) {
            self.password_wanted = None;
        }
        self.stage = stage;
        self.deadline = deadline;
        self.alone = None;
    }

    fn check_alone(&mut self, countdown: Duration, now: Now) {
        if !self.faces.is_empty() {
            self.alone = None;
        } else if self.in_call() && self.alone.is_none() {
            self.alone = Some(Alone::new(Duration::ZERO, countdown, now));
        }
    }
}
