// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data channels: from a connection to the session and back.
//!
//! Nothing is told to a session that did not ask for it, and what a peer sends faster than the
//! session takes it is dropped here, so that it does not pile up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use roomd_conference::{DataChannel, DataChannelId, MediaEvent, PeerId};
use roomd_model::Pii;
use roomd_peer::PeerCommand;

use super::peers::Peers;
use super::{OUTBOX, Task};

/// Longest message, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;
/// Messages and bytes of one connection that are told in a second.
const MAX_PER_SECOND: (u32, usize) = (200, 1024 * 1024);
/// Channels of one connection that are told of over its life.
const MAX_CHANNELS: u16 = 256;

/// What a session wants to know of a connection's data channels.
#[derive(Debug, Default)]
pub(super) struct Data {
    taken: bool,
    /// Channels that were told of, over the connection's life and at present.
    told: u16,
    open: BTreeSet<DataChannelId>,
    /// When it began, messages and bytes.
    second: Option<(Instant, u32, usize)>,
}

impl Data {
    fn has_room(&mut self, bytes: usize, now: Instant) -> bool {
        let fresh = |&(began, _, _): &(Instant, u32, usize)| {
            now.saturating_duration_since(began) < Duration::from_secs(1)
        };
        let (began, messages, total) = self.second.filter(fresh).unwrap_or((now, 0, 0));
        let (messages, total) = (messages + 1, total.saturating_add(bytes));
        let room = messages <= MAX_PER_SECOND.0 && total <= MAX_PER_SECOND.1;
        if room {
            self.second = Some((began, messages, total));
        }
        room
    }
}

impl Peers {
    pub(super) fn open_channel(&mut self, id: PeerId, channel: DataChannel) {
        self.with(id, |peer| peer.send(PeerCommand::OpenChannel(channel)));
    }

    pub(super) fn take_data(&mut self, id: PeerId) {
        self.with(id, |peer| peer.data.taken = true);
    }

    pub(super) fn send_data(
        &mut self,
        id: PeerId,
        channel: DataChannelId,
        binary: bool,
        data: Pii<Vec<u8>>,
    ) {
        let data = data.into_inner();
        if data.len() > MAX_MESSAGE {
            tracing::warn!(peer = id.0, "a message is too long; it is not sent");
            return;
        }
        self.with(id, |peer| {
            peer.send(PeerCommand::SendMessage {
                channel,
                binary,
                data,
            });
        });
    }

    fn data(&mut self, id: PeerId) -> Option<&mut Data> {
        let data = &mut self.open.get_mut(&id)?.data;
        data.taken.then_some(data)
    }
}

impl Task {
    pub(super) fn channel_open(&mut self, peer: PeerId, channel: DataChannelId, label: String) {
        let Some(data) = self.peers.data(peer) else {
            return;
        };
        if data.told == MAX_CHANNELS {
            return;
        }
        data.told += 1;
        data.open.insert(channel);
        self.tell_session(MediaEvent::ChannelOpen {
            peer,
            channel,
            label,
        });
    }

    pub(super) fn channel_closed(&mut self, peer: PeerId, channel: DataChannelId) {
        let data = self.peers.data(peer);
        if data.is_some_and(|data| data.open.remove(&channel)) {
            self.tell_session(MediaEvent::ChannelClosed { peer, channel });
        }
    }

    pub(super) fn data_arrived(
        &mut self,
        peer: PeerId,
        channel: DataChannelId,
        binary: bool,
        data: Vec<u8>,
    ) {
        let room = self.outbox.len() < OUTBOX && data.len() <= MAX_MESSAGE;
        let Some(channels) = self.peers.data(peer) else {
            return;
        };
        let known = channels.open.contains(&channel);
        if !known || !room || !channels.has_room(data.len(), Instant::now()) {
            return;
        }
        self.tell_session(MediaEvent::Data {
            peer,
            channel,
            binary,
            data: Pii::new(data),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_passes_only_up_to_its_share_of_a_second() {
        let start = Instant::now();
        let mut data = Data::default();
        let passed =
            |data: &mut Data, bytes, now| (0..1000).filter(|_| data.has_room(bytes, now)).count();
        assert_eq!(passed(&mut data, 10, start), 200);
        let later = start + Duration::from_secs(1);
        assert_eq!(passed(&mut data, 64 * 1024, later), 16);
        assert!(!data.has_room(64 * 1024, later + Duration::from_millis(999)));
        assert!(data.has_room(64 * 1024, later + Duration::from_secs(1)));
    }
}
