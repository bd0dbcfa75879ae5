// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use roomd_conference::{ChannelId, PeerId, PeerState};
use roomd_model::{
    Connection, E2ee, Now, Participant, ParticipantId, PictureSizes, Pii, Secret, StreamId,
};

use super::door::Waiter;
use crate::limit::Bucket;
use crate::sdp::Offer;
use crate::wire::Member;

/// New connections a guest may ask of the room at once, and in each second after that.
const CONNECTIONS: f64 = 5.0;
const CONNECTIONS_PER_SECOND: f64 = 0.1;

/// Someone in the meeting.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) id: ParticipantId,
    pub(super) name: Pii<String>,
    pub(super) channel: Option<ChannelId>,
    pub(super) lost_at: Option<Instant>,
    pub(super) resume: Secret,
    pub(super) microphone: bool,
    pub(super) camera: bool,
    pub(super) sharing: bool,
    pub(super) hand: bool,
    pub(super) speaking: bool,
    /// The sizes of the room's camera that its page can show.
    pub(super) wanted: PictureSizes,
    pub(super) link: Option<Link>,
    /// New connections with the room that are still allowed.
    pub(super) connections: Bucket,
    /// Candidates sent to each other member since the last description.
    pub(super) candidates: BTreeMap<ParticipantId, u8>,
}

/// Someone who lost the room and may come back.
#[derive(Debug)]
pub(super) struct Departed {
    pub(super) id: ParticipantId,
    pub(super) resume: Secret,
    pub(super) until: Instant,
}

/// A guest's connection with the room.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) peer: PeerId,
    pub(super) offer: Offer,
    pub(super) audio: StreamId,
    pub(super) camera: StreamId,
    pub(super) screen: StreamId,
    pub(super) state: PeerState,
    /// The certificate was verified at least once; every later state keeps it.
    pub(super) verified: bool,
    /// The room has other addresses, and the guest's page has not restarted ICE since.
    pub(super) moved: bool,
    pub(super) poor: bool,
    /// Streams that deliver now.
    pub(super) live: BTreeSet<StreamId>,
    /// Something was delivered before.
    pub(super) delivered: bool,
    /// Streams that the room was told of.
    pub(super) announced: BTreeSet<StreamId>,
}

impl Guest {
    pub(super) fn new(waiter: Waiter, resume: Secret, now: Now) -> Self {
        Self {
            id: waiter.id,
            name: waiter.name,
            channel: Some(waiter.channel),
            lost_at: None,
            resume,
            microphone: false,
            camera: false,
            sharing: false,
            hand: false,
            speaking: false,
            wanted: PictureSizes::LAYERS,
            link: None,
            connections: Bucket::new(CONNECTIONS, CONNECTIONS_PER_SECOND, now.mono),
            candidates: BTreeMap::new(),
        }
    }

    pub(super) fn member(&self) -> Member {
        Member {
            id: self.id.clone(),
            name: self.name.clone(),
            microphone: self.microphone,
            camera: self.camera,
            sharing: self.sharing,
            hand: self.hand,
        }
    }

    pub(super) fn participant(&self) -> Participant {
        let verified = self.link.as_ref().is_some_and(|link| link.verified);
        Participant {
            id: self.id.clone(),
            name: self.name.clone(),
            microphone: self.microphone,
            camera: self.camera,
            sharing: self.sharing,
            hand: self.hand,
            reaction: None,
            speaking: self.speaking,
            connection: self.connection(),
            e2ee: if verified {
                E2ee::Verified
            } else {
                E2ee::Pending
            },
        }
    }

    fn connection(&self) -> Connection {
        let Some(link) = &self.link else {
            return if self.lost_at.is_some() {
                Connection::Lost
            } else {
                Connection::Connecting
            };
        };
        match link.state {
            PeerState::Connecting => Connection::Connecting,
            PeerState::Interrupted | PeerState::Unverified | PeerState::Failed => Connection::Lost,
            PeerState::Verified => {
                let sends = self.microphone || self.camera || self.sharing;
                if sends && link.delivered && link.live.is_empty() {
                    Connection::Lost
                } else if link.poor {
                    Connection::Poor
                } else {
                    Connection::Good
                }
            }
        }
    }
}
