// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frame keys: whose they are, and for which streams the engine needs them.

use std::collections::{BTreeMap, VecDeque};

use roomd_conference::{FrameKeyMaterial, MediaCommand, PeerId};
use roomd_model::StreamId;

use super::Connection;
use crate::{Identity, Track};

/// Identities whose keys are held; keys may come before whom they belong to.
const MAX_IDENTITIES: usize = 1000;
/// Keys of one identity. Senders change them seldom; older ones are of no use.
const MAX_KEYS: usize = 16;

/// The frame keys of a room.
#[derive(Debug, Default)]
pub(super) struct Keys {
    of: BTreeMap<Identity, Ring>,
    shared: Ring,
    own: Option<(u32, FrameKeyMaterial)>,
}

/// The newest keys of somebody, the oldest first.
#[derive(Debug, Default)]
struct Ring(VecDeque<(u32, FrameKeyMaterial)>);

impl Ring {
    /// Takes a key; false when it is there already, so that the engine need not hear of it.
    fn set(&mut self, index: u32, key: FrameKeyMaterial) -> bool {
        let known = |(at, known): &(u32, FrameKeyMaterial)| *at == index && *known == key;
        if self.0.iter().any(known) {
            return false;
        }
        self.forget(index);
        if self.0.len() >= MAX_KEYS {
            self.0.pop_front();
        }
        self.0.push_back((index, key));
        true
    }

    fn forget(&mut self, index: u32) {
        self.0.retain(|(known, _)| *known != index);
    }
}

impl Connection {
    /// Sets what opens somebody's frames, on the tracks that they send and will send. The newest key
    /// at an index wins.
    pub fn set_key(&mut self, identity: &Identity, index: u32, key: FrameKeyMaterial) {
        if self.ended || self.options.encryption.is_none() {
            return;
        }
        let known = self.keys.of.contains_key(identity);
        if !known && self.keys.of.len() >= MAX_IDENTITIES {
            self.drop_foreign_keys();
            if self.keys.of.len() >= MAX_IDENTITIES {
                return self.bad();
            }
        }
        let ring = self.keys.of.entry(identity.clone()).or_default();
        if ring.set(index, key.clone()) {
            for stream in self.streams_of(Some(identity)) {
                self.stream_key(stream, index, key.clone());
            }
        }
    }

    /// Opens nothing of somebody's with an old key any more.
    pub fn forget_key(&mut self, identity: &Identity, index: u32) {
        if let Some(ring) = self.keys.of.get_mut(identity) {
            ring.forget(index);
            for stream in self.streams_of(Some(identity)) {
                self.media(MediaCommand::ForgetStreamKey { stream, index });
            }
        }
    }

    /// Sets what the room's own frames are encrypted with from now on.
    pub fn set_own_key(&mut self, index: u32, key: FrameKeyMaterial) {
        if self.ended || self.options.encryption.is_none() {
            return;
        }
        let own = Some((index, key));
        if self.keys.own != own {
            self.keys.own = own;
            self.send_own_key();
        }
    }

    /// Sets one key for everybody, the room included.
    pub fn set_shared_key(&mut self, index: u32, key: &FrameKeyMaterial) {
        if self.ended || self.options.encryption.is_none() {
            return;
        }
        if self.keys.shared.set(index, key.clone()) {
            for stream in self.streams_of(None) {
                self.stream_key(stream, index, key.clone());
            }
        }
        self.set_own_key(index, key.clone());
    }

    /// Gives the engine the room's own key, as soon as there is a connection to send on.
    pub(super) fn send_own_key(&mut self) {
        let key = self.keys.own.clone();
        if let (Some(peer), Some((index, key))) = (self.publisher.peer, key) {
            self.media(MediaCommand::SendingKey { peer, index, key });
        }
    }

    /// Gives the engine the keys of a new stream.
    pub(super) fn open_stream(&mut self, peer: PeerId, track: &Track) {
        if !track.encrypted {
            return;
        }
        let own = self.keys.of.get(&track.identity);
        let own = own.into_iter().flat_map(|ring| &ring.0);
        let keys: Vec<_> = self.keys.shared.0.iter().chain(own).cloned().collect();
        let stream = track.stream;
        for (index, key) in keys {
            self.media(MediaCommand::StreamKey {
                peer,
                stream,
                index,
                key,
            });
        }
    }

    fn stream_key(&mut self, stream: StreamId, index: u32, key: FrameKeyMaterial) {
        if let Some(peer) = self.subscriber.peer {
            self.media(MediaCommand::StreamKey {
                peer,
                stream,
                index,
                key,
            });
        }
    }

    /// The encrypted streams of somebody, or of everybody.
    fn streams_of(&self, identity: Option<&Identity>) -> Vec<StreamId> {
        let tracks = self.subscriber.bound().iter().map(|bound| &bound.track);
        let of = tracks.filter(|track| identity.is_none_or(|of| track.identity == *of));
        of.filter(|track| track.encrypted)
            .map(|track| track.stream)
            .collect()
    }

    /// Makes room for keys: of those who are not there.
    fn drop_foreign_keys(&mut self) {
        let roster = &self.roster;
        self.keys.of.retain(|identity, _| roster.has(identity));
    }
}
