// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The guests' channels: those of the meeting under way belong to its session, the others wait.

use std::collections::BTreeMap;

use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId};
use roomd_direct::notice;
use roomd_interfaces::{GuestCommand, GuestEvent};
use roomd_model::Pii;
use tokio::sync::mpsc;

/// What a page may say before its meeting starts: a greeting, and again after a reload.
const EARLY_MESSAGES: usize = 4;

/// Something for the session.
pub type SessionInput = (ChannelId, ChannelEvent);

/// All channels, and the meeting under way.
#[derive(Debug, Default)]
pub struct Guests {
    channels: BTreeMap<u64, Channel>,
    meeting: Option<String>,
}

#[derive(Debug)]
struct Channel {
    meeting: Pii<String>,
    /// None for a page that is being closed; its `Closed` is still to come.
    commands: Option<mpsc::Sender<GuestCommand>>,
    early: Vec<Pii<String>>,
}

impl Guests {
    /// Takes what happened on a channel; what it gives is for the session. `expected` says whether
    /// a meeting is one that the room will hold.
    pub fn take(
        &mut self,
        event: GuestEvent,
        room_name: &str,
        expected: impl Fn(&str) -> bool,
    ) -> Vec<SessionInput> {
        match event {
            GuestEvent::Opened {
                channel,
                meeting,
                commands,
            } => {
                let name = meeting.expose().clone();
                self.channels.insert(
                    channel,
                    Channel {
                        meeting,
                        commands: Some(commands),
                        early: Vec::new(),
                    },
                );
                if self.meeting.as_ref() == Some(&name) {
                    return vec![(ChannelId(channel), ChannelEvent::Opened)];
                }
                if expected(&name) {
                    self.text(channel, notice::not_started(room_name));
                } else {
                    self.text(channel, notice::unknown_meeting());
                    self.channels.remove(&channel);
                }
                Vec::new()
            }
            GuestEvent::Text { channel, text } => self.text_arrived(channel, text),
            GuestEvent::Closed { channel } => match self.channels.remove(&channel) {
                Some(gone) if self.belongs(&gone) => {
                    vec![(ChannelId(channel), ChannelEvent::Closed)]
                }
                Some(_) | None => Vec::new(),
            },
        }
    }

    /// A meeting starts: whoever waited for it is handed over.
    pub fn start(&mut self, meeting: &str) -> Vec<SessionInput> {
        self.meeting = Some(meeting.to_owned());
        let mut inputs = Vec::new();
        for (id, channel) in &mut self.channels {
            if channel.meeting.expose() == meeting {
                inputs.push((ChannelId(*id), ChannelEvent::Opened));
                let early = channel.early.drain(..).map(ChannelEvent::Text);
                inputs.extend(early.map(|event| (ChannelId(*id), event)));
            }
        }
        inputs
    }

    /// The meeting is over: its channels close.
    pub fn end(&mut self) {
        if let Some(meeting) = self.meeting.take() {
            self.channels
                .retain(|_, channel| *channel.meeting.expose() != meeting);
        }
    }

    /// Does what the session wants with a channel.
    pub fn command(&mut self, id: ChannelId, command: ChannelCommand) {
        match command {
            ChannelCommand::Text(text) => self.text(id.0, text),
            ChannelCommand::Open(_) | ChannelCommand::Binary(_) => {
                tracing::warn!("a session asks of a guest's channel what only servers take");
            }
            ChannelCommand::Close => {
                let commands = self
                    .channels
                    .remove(&id.0)
                    .and_then(|channel| channel.commands);
                if let Some(commands) = commands {
                    let _ = commands.try_send(GuestCommand::Close);
                }
            }
        }
    }

    fn belongs(&self, channel: &Channel) -> bool {
        self.meeting.as_ref() == Some(channel.meeting.expose())
    }

    fn text_arrived(&mut self, id: u64, text: Pii<String>) -> Vec<SessionInput> {
        let Some(channel) = self.channels.get_mut(&id) else {
            return Vec::new();
        };
        if self.meeting.as_ref() == Some(channel.meeting.expose()) {
            return vec![(ChannelId(id), ChannelEvent::Text(text))];
        }
        if channel.early.len() == EARLY_MESSAGES {
            self.channels.remove(&id);
        } else {
            channel.early.push(text);
        }
        Vec::new()
    }

    /// Closes a page that floods or does not read. The session hears of it when the page is gone.
    pub fn stop(&mut self, id: ChannelId) {
        if let Some(channel) = self.channels.get_mut(&id.0) {
            channel.commands = None;
        }
    }

    fn text(&mut self, id: u64, text: Pii<String>) {
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        let Some(commands) = &channel.commands else {
            return;
        };
        if commands.try_send(GuestCommand::Text(text)).is_err() {
            self.stop(ChannelId(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(guests: &mut Guests, id: u64, meeting: &str) -> mpsc::Receiver<GuestCommand> {
        let (commands, receiver) = mpsc::channel(8);
        let event = GuestEvent::Opened {
            channel: id,
            meeting: meeting.into(),
            commands,
        };
        assert!(guests.take(event, "Raum", |id| id == "known").is_empty());
        receiver
    }

    #[test]
    fn an_early_guest_is_handed_over_with_the_greeting() {
        let mut guests = Guests::default();
        let mut page = open(&mut guests, 1, "known");
        assert!(
            matches!(page.try_recv(), Ok(GuestCommand::Text(_))),
            "told to wait"
        );
        let hello = GuestEvent::Text {
            channel: 1,
            text: "hello".into(),
        };
        assert!(guests.take(hello, "Raum", |_| true).is_empty());
        let inputs = guests.start("known");
        assert!(matches!(
            inputs.as_slice(),
            [
                (ChannelId(1), ChannelEvent::Opened),
                (ChannelId(1), ChannelEvent::Text(_))
            ]
        ));
        guests.end();
        assert!(matches!(
            page.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        ));
    }

    #[test]
    fn a_page_that_does_not_read_is_closed_and_the_session_hears_of_it() {
        let mut guests = Guests::default();
        let mut page = open(&mut guests, 1, "known");
        guests.start("known");
        let text = || ChannelCommand::Text("chat".into());
        for _ in 0..20 {
            guests.command(ChannelId(1), text());
        }
        while page.try_recv().is_ok() {}
        assert!(matches!(
            page.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        ));
        let inputs = guests.take(GuestEvent::Closed { channel: 1 }, "Raum", |_| true);
        assert!(matches!(
            inputs.as_slice(),
            [(ChannelId(1), ChannelEvent::Closed)]
        ));
    }

    #[test]
    fn an_unknown_meeting_is_refused_and_closed() {
        let mut guests = Guests::default();
        let mut page = open(&mut guests, 1, "unknown");
        assert!(
            matches!(page.try_recv(), Ok(GuestCommand::Text(_))),
            "told why"
        );
        assert!(page.try_recv().is_err());
        assert!(guests.channels.is_empty());
    }

    #[test]
    fn whoever_talks_on_without_a_meeting_is_closed_alone() {
        let mut guests = Guests::default();
        let _chatty = open(&mut guests, 1, "known");
        let _quiet = open(&mut guests, 2, "known");
        for _ in 0..=EARLY_MESSAGES {
            guests.take(
                GuestEvent::Text {
                    channel: 1,
                    text: "x".into(),
                },
                "Raum",
                |_| true,
            );
        }
        assert_eq!(guests.channels.keys().copied().collect::<Vec<_>>(), [2]);
    }
}
