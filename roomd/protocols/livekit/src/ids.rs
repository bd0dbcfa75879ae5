// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Numbers that no two connections of a session share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use roomd_conference::{ChannelId, PeerId};
use roomd_model::StreamId;

/// Gives out the numbers of one session: channels and WebRTC connections of this session, streams of
/// the daemon's life.
///
/// A session makes one and gives a clone to each [`crate::Connection`]; clones count together. Where
/// the session opens channels or connections of its own, it takes their numbers here too.
#[derive(Clone, Debug)]
pub struct Ids {
    channels: Arc<AtomicU64>,
    peers: Arc<AtomicU32>,
    streams: Arc<AtomicU32>,
}

impl Ids {
    /// Numbers for a new session; `streams` is what all sessions of the daemon's life count with.
    #[must_use]
    pub fn new(streams: Arc<AtomicU32>) -> Self {
        Self {
            channels: Arc::new(AtomicU64::new(ChannelId::FIRST_OWN)),
            peers: Arc::new(AtomicU32::new(0)),
            streams,
        }
    }

    /// A channel's number that was not given out before.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        ChannelId(self.channels.fetch_add(1, Ordering::Relaxed))
    }

    /// A WebRTC connection's number that was not given out before.
    #[must_use]
    pub fn peer(&self) -> PeerId {
        PeerId(self.peers.fetch_add(1, Ordering::Relaxed))
    }

    /// A stream's number that was not given out before.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        StreamId(self.streams.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together_and_streams_go_on_over_sessions() {
        let streams = Arc::new(AtomicU32::new(1));
        let one = Ids::new(Arc::clone(&streams));
        let other = one.clone();
        assert_eq!(one.channel(), ChannelId(ChannelId::FIRST_OWN));
        assert_eq!(other.channel(), ChannelId(ChannelId::FIRST_OWN + 1));
        assert_eq!((one.peer(), other.peer()), (PeerId(0), PeerId(1)));
        assert_eq!((one.stream(), other.stream()), (StreamId(1), StreamId(2)));
        let next = Ids::new(streams);
        assert_eq!((next.peer(), next.stream()), (PeerId(0), StreamId(3)));
    }
}
