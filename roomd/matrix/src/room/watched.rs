// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A room under watch: what was told of it last, and what could not be read yet.

use std::collections::VecDeque;

use matrix_sdk::Room;
use matrix_sdk::deserialized_responses::{
    TimelineEvent, TimelineEventKind, VerificationLevel, VerificationState,
};
use matrix_sdk::ruma::events::AnySyncTimelineEvent;
use matrix_sdk::ruma::serde::Raw;
use roomd_matrix_port::{Call, News, RoomId, RoomInfo, StickyEvent};

use super::event::Event;
use super::{Sticky, call, info, sticky, timeline};

/// Messages that wait for their key.
const MAX_UNREAD: usize = 64;

/// What encryption says about who sent an event.
#[derive(Clone, Copy)]
enum Proof {
    None,
    Encrypted,
    WrongSender,
}

impl Proof {
    fn of(event: &TimelineEvent) -> Self {
        let TimelineEventKind::Decrypted(event) = &event.kind else {
            return Self::None;
        };
        match event.encryption_info.verification_state {
            VerificationState::Unverified(VerificationLevel::MismatchedSender) => Self::WrongSender,
            VerificationState::Unverified(_) | VerificationState::Verified => Self::Encrypted,
        }
    }
}

/// Events that clients encrypt; reactions and redactions they do not.
fn is_secret(kind: &str) -> bool {
    matches!(kind, "m.room.message" | "io.element.call.reaction")
}

/// One room under watch.
#[derive(Debug)]
pub(crate) struct Watched {
    info: RoomInfo,
    call: Option<Call>,
    sticky: Sticky,
    unread: VecDeque<Raw<AnySyncTimelineEvent>>,
}

impl Watched {
    /// Starts from what a session was just told.
    pub fn new(info: RoomInfo) -> Self {
        Self {
            info,
            call: None,
            sticky: Sticky::default(),
            unread: VecDeque::new(),
        }
    }

    /// What the last poll brought.
    pub async fn take(&mut self, room: &Room, events: Vec<TimelineEvent>, now: u64) -> Vec<News> {
        let mut news = Vec::new();
        for event in events {
            if let TimelineEventKind::UnableToDecrypt { event, .. } = event.kind {
                self.unread.push_back(event);
                if self.unread.len() > MAX_UNREAD {
                    self.unread.pop_front();
                }
            } else {
                news.extend(self.read(room, &event, now).await);
            }
        }
        news
    }

    /// Tries messages again whose keys have come after them.
    pub async fn decrypt(&mut self, room: &Room, now: u64) -> Vec<News> {
        let mut news = Vec::new();
        for raw in std::mem::take(&mut self.unread) {
            let decrypted = room.decrypt_event(raw.cast_ref_unchecked(), None).await;
            match decrypted {
                Ok(event) if !matches!(event.kind, TimelineEventKind::UnableToDecrypt { .. }) => {
                    news.extend(self.read(room, &event, now).await);
                }
                Ok(_) | Err(_) => self.unread.push_back(raw),
            }
        }
        news
    }

    async fn read(&mut self, room: &Room, event: &TimelineEvent, now: u64) -> Option<News> {
        let proof = Proof::of(event);
        let event = Event::read(event.raw().json())?;
        if let Some(sticky) = sticky::read(&event, now) {
            self.sticky.take(sticky);
        }
        if let Some(redacted) = timeline::redacts(&event) {
            self.sticky.redact(&redacted);
        }
        // In an encrypted room, a plain message may be anybody's: the server's, for one.
        let must_be_encrypted = room.encryption_state().is_encrypted() && is_secret(&event.kind);
        match proof {
            Proof::WrongSender => None,
            Proof::None if must_be_encrypted => None,
            Proof::None | Proof::Encrypted => timeline::news(room, &event).await,
        }
    }

    /// What stuck to the room before the account looked.
    pub fn remember(&mut self, events: Vec<StickyEvent>) {
        for event in events {
            self.sticky.take(event);
        }
    }

    /// What is new about the room, if anything is.
    pub async fn changes(&mut self, room: &Room, now: u64) -> Vec<News> {
        let mut news = Vec::new();
        let info = info::info(room).await;
        if self.info != info {
            self.info = info.clone();
            let room = RoomId::new(room.room_id().as_str());
            news.push(News::Room { room, info });
        }
        let call = call::picture(room, &mut self.sticky, now).await;
        if self.call.as_ref() != Some(&call) {
            self.call = Some(call.clone());
            news.push(News::Call(call));
        }
        news
    }
}
