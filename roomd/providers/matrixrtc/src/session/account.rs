// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The channel to the room's Matrix account, and what was asked of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use roomd_conference::{ChannelCommand, ChannelId, Endpoint};
use roomd_livekit::Ids;
use roomd_matrix_port::{Ask, DelayId, EventId, Request, SERVICE, UserId};
use roomd_model::{Participant, ParticipantId};

/// The most requests under way; whoever asks more is broken.
const MAX_PENDING: usize = 512;
/// A channel that closed is opened again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Join,
    Transports,
    OpenId,
    /// The leave that the homeserver sends when the room is silent.
    DelayLeave,
    RestartLeave(DelayId),
    /// Leaves of before are cancelled.
    CancelOthers,
    Membership,
    /// Our key of this number, sent to people.
    Key {
        index: u8,
        attempt: u32,
    },
    Hand,
    /// The hand that this event raised is lowered.
    Lower(EventId),
    /// What people have reacted to this membership with.
    Reactions(EventId),
    Chat,
    /// Somebody who knocks is let in or turned away.
    Door(ParticipantId, UserId, Participant),
    /// Somebody is removed.
    Removal,
    /// The last words.
    Leave,
    /// Nothing follows.
    Nothing,
}

/// The channel to the account.
#[derive(Debug, Default)]
pub(super) struct Account {
    channel: Option<ChannelId>,
    next: u64,
    pending: BTreeMap<u64, Purpose>,
    again: Option<Instant>,
}

impl Account {
    /// Opens the channel.
    pub(super) fn open(&mut self, ids: &Ids) -> (ChannelId, ChannelCommand) {
        let channel = ids.channel();
        self.channel = Some(channel);
        self.again = None;
        self.pending.clear();
        let service = Endpoint::Service(SERVICE);
        (channel, ChannelCommand::Open(service))
    }

    pub(super) fn is(&self, channel: ChannelId) -> bool {
        self.channel == Some(channel)
    }

    pub(super) const fn is_open(&self) -> bool {
        self.channel.is_some()
    }

    /// The channel is gone; gives what is not answered any more.
    pub(super) fn closed(&mut self, now: Instant) -> Vec<Purpose> {
        self.channel = None;
        self.again = Some(now + AGAIN);
        std::mem::take(&mut self.pending).into_values().collect()
    }

    /// When to open it again.
    pub(super) const fn again(&self) -> Option<Instant> {
        self.again
    }

    /// A request on its way; none without a channel.
    pub(super) fn ask(
        &mut self,
        ask: Ask,
        purpose: Purpose,
    ) -> Option<(ChannelId, ChannelCommand)> {
        let channel = self.channel?;
        if self.pending.len() >= MAX_PENDING {
            return None;
        }
        let id = self.next;
        let text = Request { id, ask }.to_text().ok()?;
        self.next += 1;
        self.pending.insert(id, purpose);
        Some((channel, ChannelCommand::Text(text)))
    }

    /// What an answer is for; none when nobody asked.
    pub(super) fn answered(&mut self, id: u64) -> Option<Purpose> {
        self.pending.remove(&id)
    }

    /// Whether an answer of this kind is awaited.
    pub(super) fn awaits(&self, purpose: &Purpose) -> bool {
        self.pending.values().any(|it| it == purpose)
    }

    /// Whether it was asked to let somebody in, or to turn them away.
    pub(super) fn awaits_door(&self, user: &UserId) -> bool {
        let mut pending = self.pending.values();
        pending.any(|it| matches!(it, Purpose::Door(_, other, _) if other == user))
    }

    pub(super) fn close(&mut self) -> Option<(ChannelId, ChannelCommand)> {
        self.again = None;
        Some((self.channel.take()?, ChannelCommand::Close))
    }
}
