// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The connection on which the room receives: the server makes the offers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use livekit_protocol as proto;
use roomd_conference::{MediaCommand, PeerId, PeerState, SdpKind, SenderId, StreamBinding};
use roomd_model::{Now, Pii, StreamId};

use super::Connection;
use super::reconnect::Cause;
use crate::wire::Request;
use crate::{Event, Track, sdp};

/// Offers of the server that wait for our answer.
const MAX_OFFERS: usize = 8;

/// The connection on which the room receives.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) peer: Option<PeerId>,
    pub(super) state: PeerState,
    /// Which track each m-line carries, as last offered.
    lines: BTreeMap<String, String>,
    /// What the engine knows of them.
    bound: Vec<Bound>,
    /// Senders that were counted.
    senders: u32,
    /// The numbers of the offers that wait for our answer.
    offers: VecDeque<u32>,
    /// The last offer of the server and our answer.
    pub(super) last: Option<Pii<(proto::SessionDescription, proto::SessionDescription)>>,
    offered: Option<Pii<proto::SessionDescription>>,
    /// The server's, that came before its description.
    pub(super) candidates: Vec<Pii<String>>,
}

/// A track that has a stream.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    mid: String,
    pub(super) sid: String,
    sender: SenderId,
    /// As the owner was told.
    pub(super) track: Track,
}

impl Default for Subscriber {
    fn default() -> Self {
        Self {
            peer: None,
            state: PeerState::Connecting,
            lines: BTreeMap::new(),
            bound: Vec::new(),
            senders: 0,
            offers: VecDeque::new(),
            last: None,
            offered: None,
            candidates: Vec::new(),
        }
    }
}

impl Subscriber {
    /// Forgets the connection; returns it to be closed.
    pub(super) fn reset(&mut self) -> Option<PeerId> {
        std::mem::take(self).peer
    }

    pub(super) fn is(&self, peer: PeerId) -> bool {
        self.peer == Some(peer)
    }

    pub(super) fn has_stream(&self, stream: StreamId) -> bool {
        self.sid_of(stream).is_some()
    }

    /// The server's name of the track that a stream carries.
    pub(super) fn sid_of(&self, stream: StreamId) -> Option<&str> {
        let mut bound = self.bound.iter();
        let found = bound.find(|bound| bound.track.stream == stream);
        found.map(|bound| bound.sid.as_str())
    }

    pub(super) fn bound(&self) -> &[Bound] {
        &self.bound
    }
}

impl Connection {
    /// Whether the server's media arrives, where it should.
    pub(super) fn subscriber_is_well(&self) -> bool {
        let session = self.session.as_ref();
        let needed = session.is_some_and(|session| session.permissions.subscribe);
        if self.subscriber.peer.is_some() {
            self.subscriber.state == PeerState::Verified
        } else {
            !needed
        }
    }

    /// The server offers what it sends.
    pub(super) fn offered(&mut self, offer: proto::SessionDescription, now: Now) {
        if self.subscriber.offers.len() >= MAX_OFFERS {
            self.bad();
            return self.rejoin(Cause::Media, now);
        }
        let peer = if let Some(peer) = self.subscriber.peer {
            peer
        } else {
            let peer = self.open_peer();
            self.subscriber.peer = Some(peer);
            peer
        };
        let subscriber = &mut self.subscriber;
        subscriber.offers.push_back(offer.id);
        let lines = sdp::lines(&offer.sdp).into_iter();
        let carried = lines.filter(|line| line.sends).filter_map(|line| {
            let named = offer.mid_to_track_id.get(&line.mid).map(String::as_str);
            let sid = named.or(line.track_sid())?.to_owned();
            Some((line.mid, sid))
        });
        subscriber.lines = carried.collect();
        let sdp = Pii::new(offer.sdp.clone());
        subscriber.offered = Some(Pii::new(offer));
        self.media(MediaCommand::RemoteDescription {
            peer,
            kind: SdpKind::Offer,
            sdp,
        });
        self.trickle_waiting(peer);
    }

    /// The engine answers.
    pub(super) fn subscriber_described(&mut self, kind: SdpKind, sdp: &Pii<String>) {
        if kind != SdpKind::Answer {
            return;
        }
        let Some(id) = self.subscriber.offers.pop_front() else {
            return;
        };
        let answer = proto::SessionDescription {
            r#type: "answer".to_owned(),
            sdp: sdp.expose().clone(),
            id,
            ..proto::SessionDescription::default()
        };
        let offer = self.subscriber.offered.clone();
        let both = offer.map(|offer| (offer.into_inner(), answer.clone()));
        self.subscriber.last = both.map(Pii::new);
        self.say(Request::Answer(answer));
    }

    /// Tells the engine what the m-lines carry, and the owner what changed.
    pub(super) fn bind(&mut self) {
        let Some(peer) = self.subscriber.peer else {
            return;
        };
        let before = std::mem::take(&mut self.subscriber.bound);
        let mut fresh = Vec::new();
        let mut changed = Vec::new();
        let mut seen = BTreeSet::new();
        let mut bound = Vec::new();
        for (mid, sid) in &self.subscriber.lines {
            let known = before.iter().find(|known| known.sid == *sid);
            let stream = known.map(|known| known.track.stream);
            let Some(track) = self.roster.track(sid, stream, &self.ids) else {
                continue;
            };
            if !seen.insert(sid.clone()) {
                continue;
            }
            match known {
                None => fresh.push(track.clone()),
                Some(known) if known.track != track => changed.push(track.clone()),
                Some(_) => {}
            }
            let of_same = |other: &&Bound| other.track.identity == track.identity;
            let known = before.iter().chain(&bound).find(of_same);
            let sender = known.map_or_else(
                || {
                    self.subscriber.senders = self.subscriber.senders.wrapping_add(1);
                    SenderId(self.subscriber.senders)
                },
                |known| known.sender,
            );
            bound.push(Bound {
                mid: mid.clone(),
                sid: sid.clone(),
                sender,
                track,
            });
        }
        let same = |one: &Bound, other: &Bound| one.mid == other.mid && one.sid == other.sid;
        let moved = before.len() != bound.len()
            || !before
                .iter()
                .zip(&bound)
                .all(|(one, other)| same(one, other));
        let gone = before.iter().filter(|known| !seen.contains(&known.sid));
        let gone: Vec<_> = gone.map(|known| known.track.stream).collect();
        let streams = bound.iter().map(binding).collect();
        self.subscriber.bound = bound;
        for stream in gone {
            self.event(Event::TrackRemoved { stream });
        }
        if moved {
            self.media(MediaCommand::Bind { peer, streams });
        }
        for track in fresh {
            self.open_stream(peer, &track);
            self.event(Event::TrackAdded(track));
        }
        for track in changed {
            self.event(Event::TrackChanged(track));
        }
    }

    /// Says of every stream that it is gone.
    pub(super) fn drop_streams(&mut self) {
        for bound in std::mem::take(&mut self.subscriber.bound) {
            let stream = bound.track.stream;
            self.event(Event::TrackRemoved { stream });
        }
    }
}

fn binding(bound: &Bound) -> StreamBinding {
    StreamBinding {
        stream: bound.track.stream,
        mid: bound.mid.clone(),
        kind: bound.track.kind,
        sender: bound.sender,
    }
}
