// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Everything about a room that concerns its call, in one picture.

use matrix_sdk::deserialized_responses::RawAnySyncOrStrippedState;
use matrix_sdk::ruma::events::StateEventType;
use matrix_sdk::ruma::events::room::member::MembershipState;
use matrix_sdk::{Room, RoomMemberships, ruma};
use roomd_matrix_port::{
    Call, Knocking, MAX_CALL_BYTES, MAX_CALL_EVENTS, MAX_REASON_BYTES, RoomId, StateEvent, UserId,
};
use roomd_model::Pii;

use super::event::{Event, cut};
use super::{CALL_MEMBER, RTC_SLOT, Sticky, info};

/// Takes the picture, from what is known without asking the server.
pub(super) async fn picture(room: &Room, sticky: &mut Sticky, now: u64) -> Call {
    let mut picture = Picture {
        room,
        bytes: 0,
        call: Call {
            room: RoomId::new(room.room_id().as_str()),
            memberships: Vec::new(),
            sticky: Vec::new(),
            slots: Vec::new(),
            names: std::collections::BTreeMap::new(),
            knocking: Vec::new(),
            left_out: 0,
        },
    };
    picture.call.memberships = picture.states(CALL_MEMBER, true).await;
    picture.call.slots = picture.states(RTC_SLOT, false).await;
    picture.add_sticky(sticky, now).await;
    picture.add_knocking().await;
    picture.call
}

struct Picture<'a> {
    room: &'a Room,
    bytes: usize,
    call: Call,
}

impl Picture<'_> {
    /// The states of one type that say something, those of people who have left not included.
    async fn states(&mut self, kind: &str, of_members: bool) -> Vec<StateEvent> {
        let kind = StateEventType::from(kind);
        let mut states = Vec::new();
        for raw in self.room.get_state_events(kind).await.unwrap_or_default() {
            let RawAnySyncOrStrippedState::Sync(raw) = raw else {
                continue;
            };
            let Some(event) = Event::read(raw.json()) else {
                self.call.left_out += 1;
                continue;
            };
            if event.is_empty() || of_members && !self.is_member(&event.sender).await {
                continue;
            }
            if !self.has_space(states.len(), raw.json().get().len()) {
                continue;
            }
            self.name(&event.sender).await;
            states.push(state(event));
        }
        // The store has no order of its own.
        states.sort_by(|a, b| (a.ts, a.event.expose()).cmp(&(b.ts, b.event.expose())));
        states
    }

    async fn add_sticky(&mut self, sticky: &mut Sticky, now: u64) {
        let mut events = Vec::new();
        for event in sticky.at(now) {
            let content = event.content.expose();
            let says_something = content
                .as_object()
                .is_some_and(|content| content.keys().any(|key| !key.ends_with("sticky_key")));
            if !says_something || !self.is_member(event.sender.expose()).await {
                continue;
            }
            if self.has_space(events.len(), content.to_string().len()) {
                self.name(event.sender.expose()).await;
                events.push(event.clone());
            }
        }
        events.sort_by(|a, b| (a.ts, a.event.expose()).cmp(&(b.ts, b.event.expose())));
        self.call.sticky = events;
    }

    async fn add_knocking(&mut self) {
        let members = self.room.members_no_sync(RoomMemberships::KNOCK).await;
        for member in members.unwrap_or_default() {
            let reason = member
                .event()
                .reason()
                .map(|reason| Pii::new(cut(reason, MAX_REASON_BYTES).to_owned()));
            let size = reason.as_ref().map_or(0, |reason| reason.expose().len());
            if !self.has_space(self.call.knocking.len(), size) {
                continue;
            }
            let user = member.user_id().as_str();
            self.name(user).await;
            self.call.knocking.push(Knocking {
                user: UserId::new(user),
                reason,
            });
        }
        self.call.knocking.sort_by(|a, b| a.user.cmp(&b.user));
    }

    /// Makes space for one more, or counts it as left out.
    fn has_space(&mut self, count: usize, bytes: usize) -> bool {
        let fits = count < MAX_CALL_EVENTS && self.bytes + bytes <= MAX_CALL_BYTES;
        if fits {
            self.bytes += bytes;
        } else {
            self.call.left_out = self.call.left_out.saturating_add(1);
        }
        fits
    }

    async fn is_member(&self, user: &str) -> bool {
        let Ok(user) = ruma::UserId::parse(user) else {
            return false;
        };
        let member = self.room.get_member_no_sync(&user).await;
        member.is_ok_and(|member| {
            member.is_some_and(|member| *member.membership() == MembershipState::Join)
        })
    }

    async fn name(&mut self, user: &str) {
        let Ok(id) = ruma::UserId::parse(user) else {
            return;
        };
        let user = UserId::new(user);
        if !self.call.names.contains_key(&user) {
            let name = info::name(self.room, &id).await;
            self.call.names.insert(user, name);
        }
    }
}

fn state(event: Event) -> StateEvent {
    StateEvent {
        event: event.id(),
        state_key: Pii::new(event.state_key.unwrap_or_default()),
        sender: UserId::new(event.sender),
        ts: event.origin_server_ts,
        content: Pii::new(event.content),
    }
}
