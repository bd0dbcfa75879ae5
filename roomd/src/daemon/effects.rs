// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room machine wants, done.

use std::time::{Duration, Instant};

use roomd_api::Reply;
use roomd_conference::{Command, JoinRequest};
use roomd_driver::calendar::AnswerError;
use roomd_driver::channels::Channels;
use roomd_driver::session;
use roomd_interfaces::{SnapshotError, SnapshotRequest};
use roomd_media::EngineCommand;
use roomd_model::{BookingId, MeetingLink};
use roomd_room::{Input, Output, SessionId};

use super::{Active, Daemon, now};
use crate::{links, request};

/// Shorter than whoever asked waits.
const ANSWER_LIMIT: Duration = Duration::from_secs(9);

impl Daemon {
    /// Does one thing; true for the last one.
    pub(super) async fn effect(&mut self, output: Output) -> bool {
        match output {
            Output::StartSession {
                session,
                link,
                title: _,
            } => {
                self.start_session(session, link).await;
            }
            Output::Session(id, command) => self.session_command(id, command),
            Output::DropSession(id) => self.drop_session(id).await,
            Output::Sending { microphone, camera } => {
                self.media(EngineCommand::Sending { microphone, camera })
                    .await;
            }
            Output::Content(on) => self.media(EngineCommand::Content(on)).await,
            Output::Preview(open) => self.media(EngineCommand::Preview(open)).await,
            Output::Volume(percent) => self.media(EngineCommand::Volume(percent)).await,
            Output::Persist(resume) => self.store.keep(resume.as_ref()),
            Output::Answer(booking, accept) => self.answer(booking, accept),
            Output::Finished => return true,
        }
        false
    }

    pub(super) async fn media(&self, command: EngineCommand) {
        self.engine.command(command).await;
    }

    async fn start_session(&mut self, id: SessionId, link: MeetingLink) {
        let Some(platform) = self.platforms.iter().find(|p| p.id() == link.provider) else {
            tracing::error!(platform = %link.provider.0, "the room joins a platform that is gone");
            return;
        };
        let mut link = link;
        if link.password.is_none() && platform.capabilities().hosts {
            link.password = self.settings.direct.password_default.clone();
        }
        let meeting = platform.meeting_id(link.url.expose());
        let join = JoinRequest {
            link,
            room_name: self.settings.room.name.clone(),
            seed: rand::random(),
        };
        tracing::info!(session = id.0, "joining");
        let session = platform.start(join, now());
        let hosts = platform.capabilities().hosts;
        let (handle, outputs, _) = session::spawn(session, session::system_clock);
        self.session = Some(Active {
            id,
            channels: Channels::new(self.channels.clone(), handle.clone()),
            handle,
            outputs,
            ended: false,
        });
        let shown = self.shown.clone();
        self.tell_shown(shown);
        self.senders.clear();
        self.figures = roomd_media::EngineStatistics::default();
        self.media(EngineCommand::CallStarted { at: Instant::now() })
            .await;
        if let Some(meeting) = meeting.filter(|_| hosts) {
            let inputs = self.guests.start(meeting.expose());
            self.feed_session(inputs);
        }
    }

    fn session_command(&mut self, id: SessionId, command: Command) {
        let Some(active) = self.session.as_ref().filter(|active| active.id == id) else {
            tracing::debug!(session = id.0, "a command for a session that is gone");
            return;
        };
        if let Err(error) = active.handle.command(command) {
            tracing::warn!(%error, "a command did not reach the meeting");
        }
    }

    async fn drop_session(&mut self, id: SessionId) {
        if self.session.as_ref().is_none_or(|active| active.id != id) {
            return;
        }
        tracing::info!(session = id.0, "left");
        if let Some(active) = self.session.take() {
            self.bad_messages += active.handle.bad_messages();
            while self.farewells.try_join_next().is_some() {}
            self.farewells.spawn(active.channels.close());
        }
        self.senders.clear();
        self.guests.end();
        self.media(EngineCommand::CallEnded).await;
    }

    /// The calendar's own task writes the answer, and whoever asked hears how that went; the schedule
    /// shows it when it is read again.
    fn answer(&mut self, booking: BookingId, accept: bool) {
        let calendar = self.calendar.clone();
        let asked = self.answering.take();
        tokio::spawn(async move {
            let writing = calendar.answer(booking, accept);
            let written = tokio::time::timeout(ANSWER_LIMIT, writing)
                .await
                .unwrap_or(Err(AnswerError::Unreachable));
            let reply = match written {
                Ok(()) => Reply::Accepted,
                Err(error) => {
                    tracing::warn!(%error, "the answer to an invitation was not written");
                    Reply::Refused {
                        refusal: request::unwritten(error),
                    }
                }
            };
            if let Some(asked) = asked {
                // Whoever asked may be gone.
                let _ = asked.send(reply);
            }
        });
    }

    /// Encoding takes a moment, and nobody else waits for it.
    pub(super) fn snapshot(&self, reply: SnapshotRequest) {
        let engine = self.engine.clone();
        tokio::spawn(async move {
            let picture = engine.snapshot().await.map_err(|error| {
                tracing::warn!(%error, "no picture of the display");
                SnapshotError::Failed
            });
            // Whoever asked may be gone.
            let _ = reply.send(picture);
        });
    }

    /// Tells the room machine that time has come, or something else that it cannot refuse.
    pub(super) fn feed(&mut self, input: Input) {
        if let Err(refusal) = self.room.handle(input, now()) {
            tracing::debug!(%refusal, "the room refused an input");
        }
    }

    pub(super) fn expects(&self, id: &str) -> bool {
        links::expects(&self.platforms, &self.room.view(), id)
    }
}
