// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room sends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use livekit_protocol as proto;
use roomd_conference::{LocalSource, MediaCommand, PeerId, PeerState};
use roomd_model::{Now, PictureSizes, Pii};

use super::Connection;
use super::negotiate::Step;
use crate::{Event, Permissions, Publish, PublishFailure};

/// The connection on which the room sends.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) peer: Option<PeerId>,
    pub(super) state: PeerState,
    pub(super) publications: BTreeMap<LocalSource, Publication>,
    pub(super) step: Step,
    pub(super) until: Option<Instant>,
    /// The server answered once.
    pub(super) described: bool,
    /// m-lines that end with the next offer.
    pub(super) retired: Vec<String>,
    /// ICE restarts with the next offer.
    pub(super) restart: bool,
    /// m-lines that the server knows.
    pub(super) mids: BTreeSet<String>,
    pub(super) next_offer: u32,
    /// The server's, that came before its description.
    pub(super) candidates: Vec<Pii<String>>,
}

/// A source that is sent.
#[derive(Debug, Default)]
pub(super) struct Publication {
    /// The owner wants it muted.
    pub(super) muted: bool,
    /// The server wants it muted.
    pub(super) silenced: bool,
    /// It is not tried again, as the server does not take it.
    pub(super) refused: Option<PublishFailure>,
    pub(super) line: Option<Line>,
}

/// Where a source is sent.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) mid: String,
    pub(super) cid: String,
    pub(super) track: proto::TrackInfo,
    /// What the server knows, and what the engine does.
    pub(super) told_muted: Option<bool>,
    pub(super) held: bool,
    pub(super) wanted: PictureSizes,
}

impl Publication {
    pub(super) const fn is_muted(&self) -> bool {
        self.muted || self.silenced
    }
}

impl Publisher {
    pub(super) fn new(publish: &[Publish]) -> Self {
        let publication = |wish: &Publish| {
            let publication = Publication {
                muted: wish.muted,
                ..Publication::default()
            };
            (wish.source, publication)
        };
        Self {
            peer: None,
            state: PeerState::Connecting,
            publications: publish.iter().map(publication).collect(),
            step: Step::Idle,
            until: None,
            described: false,
            retired: Vec::new(),
            restart: false,
            mids: BTreeSet::new(),
            next_offer: 1,
            candidates: Vec::new(),
        }
    }

    /// Forgets the connection and keeps what is to be sent; returns it to be closed.
    pub(super) fn reset(&mut self) -> Option<PeerId> {
        let fresh = Self {
            publications: std::mem::take(&mut self.publications),
            ..Self::new(&[])
        };
        let old = std::mem::replace(self, fresh);
        for publication in self.publications.values_mut() {
            publication.line = None;
        }
        old.peer
    }

    pub(super) fn is(&self, peer: PeerId) -> bool {
        self.peer == Some(peer)
    }

    pub(super) fn is_well(&self) -> bool {
        self.peer.is_none() || self.state == PeerState::Verified
    }

    /// The sources that the server knows.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.publications.values().filter_map(|p| p.line.as_ref())
    }

    /// The source of one of our tracks.
    pub(super) fn source_of(&self, sid: &str) -> Option<LocalSource> {
        let has = |publication: &Publication| {
            let line = publication.line.as_ref();
            line.is_some_and(|line| line.track.sid == sid)
        };
        let mut publications = self.publications.iter();
        let found = publications.find(|(_, publication)| has(publication));
        found.map(|(source, _)| *source)
    }

    pub(super) fn wants_line(&self, source: LocalSource) -> bool {
        let publication = self.publications.get(&source);
        publication.is_some_and(|p| p.line.is_none() && p.refused.is_none())
    }
}

impl Connection {
    /// Sends a source, or changes whether the others see it muted.
    pub fn publish(&mut self, publish: Publish, now: Now) {
        if self.ended {
            return;
        }
        let publications = &mut self.publisher.publications;
        publications.entry(publish.source).or_default().refused = None;
        self.set_muted(publish.source, publish.muted, now);
    }

    /// Sends a source no longer.
    pub fn unpublish(&mut self, source: LocalSource, now: Now) {
        let publication = self.publisher.publications.remove(&source);
        if let Some(line) = publication.and_then(|publication| publication.line) {
            self.retire(line);
        }
        self.advance(now);
    }

    /// In which sizes the server wants a picture.
    pub(super) fn want_sizes(&mut self, sid: &str, sizes: PictureSizes) {
        let (source, peer) = (self.publisher.source_of(sid), self.publisher.peer);
        let (Some(source), Some(peer)) = (source, peer) else {
            // One that was taken back a moment ago.
            return;
        };
        let publication = self.publisher.publications.get_mut(&source);
        let Some(line) = publication.and_then(|publication| publication.line.as_mut()) else {
            return;
        };
        let sizes = match source {
            // One size only: it is wanted or not.
            LocalSource::Content if !sizes.is_empty() => PictureSizes::LAYERS,
            LocalSource::Content | LocalSource::Camera | LocalSource::Microphone => sizes,
        };
        if line.wanted != sizes && source != LocalSource::Microphone {
            line.wanted = sizes;
            let mid = line.mid.clone();
            self.media(MediaCommand::Want { peer, mid, sizes });
        }
    }

    /// What was not allowed may be, from now on.
    pub(super) fn allowed_again(&mut self, permissions: Permissions) {
        for (source, publication) in &mut self.publisher.publications {
            let allows = permissions.allows(*source);
            match publication.refused {
                Some(PublishFailure::NotAllowed) if allows => publication.refused = None,
                // Now it is known why.
                Some(PublishFailure::Unpublished) if !allows => {
                    publication.refused = Some(PublishFailure::NotAllowed);
                }
                Some(_) | None => {}
            }
        }
    }

    /// Restarts ICE with the next offer.
    pub(super) fn restart_publisher(&mut self) {
        self.publisher.restart = self.publisher.described;
    }

    /// The server has taken a track back.
    pub(super) fn track_unpublished(&mut self, sid: &str) {
        let Some(source) = self.publisher.source_of(sid) else {
            // Ours, which we took back ourselves.
            return;
        };
        if let Some(publication) = self.publisher.publications.get_mut(&source) {
            let reason = PublishFailure::Unpublished;
            publication.refused = Some(reason);
            // If the server lets it come back, a person says when it is heard and seen.
            publication.muted = true;
            if let Some(line) = publication.line.take() {
                self.retire(line);
            }
            self.event(Event::PublishFailed { source, reason });
        }
    }

    pub(super) fn refuse_forbidden(&mut self) {
        let Some(session) = &self.session else {
            return;
        };
        let (permissions, pictures) = (session.permissions, session.takes_pictures);
        let mut failed = Vec::new();
        for (source, publication) in &mut self.publisher.publications {
            if publication.line.is_some() || publication.refused.is_some() {
                continue;
            }
            let reason = if !permissions.allows(*source) {
                PublishFailure::NotAllowed
            } else if !pictures && *source != LocalSource::Microphone {
                PublishFailure::Other
            } else {
                continue;
            };
            publication.refused = Some(reason);
            failed.push((*source, reason));
        }
        for (source, reason) in failed {
            self.event(Event::PublishFailed { source, reason });
        }
    }

    pub(super) fn retire(&mut self, line: Line) {
        if let Some(peer) = self.publisher.peer.filter(|_| !line.held) {
            let (mid, held) = (line.mid.clone(), true);
            self.media(MediaCommand::Hold { peer, mid, held });
        }
        self.publisher.retired.push(line.mid);
    }
}
