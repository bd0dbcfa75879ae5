// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Offers of the connection on which the room sends.
//!
//! The server ties a track to an m-line by the track's name in our description, which the engine
//! chooses. So each source takes the same way: the engine makes an offer with a further m-line, the
//! server is told of the track under the name that this m-line has, and when it knows the track, the
//! offer follows. One source at a time: a server that does not find a name takes any track of the
//! kind that waits.

use std::time::{Duration, Instant};

use livekit_protocol as proto;
use roomd_conference::{LocalSource, MediaCommand, Offer, PeerId, PeerState, SdpKind};
use roomd_model::{Now, PictureSizes, Pii};

use super::Connection;
use super::offered::{add_track, new_line};
use super::publish::{Line, Publication, Publisher};
use super::reconnect::Cause;
use crate::wire::Request;
use crate::{Event, PublishFailure, sdp};

/// How long each step may take.
const STEP_LIMIT: Duration = Duration::from_secs(10);

/// Where a negotiation is.
#[derive(Debug, Default)]
pub(super) enum Step {
    /// Nothing is under way.
    #[default]
    Idle,
    /// The engine makes an offer.
    Offering { adds: Option<LocalSource> },
    /// The server is told of a track; the offer waits.
    Adding {
        source: LocalSource,
        mid: String,
        cid: String,
        sdp: Pii<String>,
    },
    /// The server has the offer.
    Sent { id: u32 },
}

impl Publisher {
    /// Whether it can take the server's candidates.
    pub(super) const fn is_described(&self) -> bool {
        self.described && !matches!(self.step, Step::Sent { .. })
    }

    pub(super) const fn is_negotiating(&self) -> bool {
        !matches!(self.step, Step::Idle) || self.restart
    }

    fn go(&mut self, step: Step, now: Now) {
        self.until = (!matches!(step, Step::Idle)).then(|| now.mono + STEP_LIMIT);
        self.step = step;
    }

    /// What the next offer is for; none when there is nothing to offer.
    fn next(&mut self, data: bool) -> Option<(Offer, Option<LocalSource>)> {
        if self.restart || !self.retired.is_empty() {
            // An offer that adds something may be dropped; what these do must not be.
            let offer = Offer {
                stop: std::mem::take(&mut self.retired),
                restart: std::mem::take(&mut self.restart),
                ..Offer::default()
            };
            return Some((offer, None));
        }
        let sources = [
            LocalSource::Microphone,
            LocalSource::Camera,
            LocalSource::Content,
        ];
        let source = sources.into_iter().find(|source| self.wants_line(*source));
        let Some(source) = source else {
            // Data channels alone.
            return (data && !self.described).then(|| (Offer::default(), None));
        };
        let offer = Offer {
            add: vec![new_line(source)],
            ..Offer::default()
        };
        Some((offer, Some(source)))
    }
}

impl Connection {
    pub(super) fn publisher_due(&self) -> Option<(Instant, &'static str)> {
        let until = self.publisher.until.filter(|_| self.signal.up().is_some());
        until.map(|until| (until, "negotiation"))
    }

    pub(super) fn publisher_expires(&mut self, now: Now) {
        if self.publisher_due().is_some_and(|(at, _)| at <= now.mono) {
            self.rejoin(Cause::Media, now);
        }
    }

    /// Goes on with what is to be sent.
    pub(super) fn advance_publisher(&mut self, now: Now) {
        let idle = matches!(self.publisher.step, Step::Idle);
        if !idle || self.signal.up().is_none() || self.session.is_none() {
            return;
        }
        self.refuse_forbidden();
        let data = self.sends_data();
        let Some((offer, adds)) = self.publisher.next(data) else {
            return;
        };
        self.publisher.go(Step::Offering { adds }, now);
        let peer = self.publisher_peer();
        self.media(MediaCommand::Offer { peer, offer });
    }

    /// The engine has made a description.
    pub(super) fn publisher_described(&mut self, kind: SdpKind, sdp: &Pii<String>, now: Now) {
        let Step::Offering { adds } = self.publisher.step else {
            return;
        };
        if kind != SdpKind::Offer {
            return;
        }
        let Some(source) = adds else {
            return self.send_offer(sdp.clone(), now);
        };
        let lines = sdp::lines(sdp.expose()).into_iter();
        let fresh = lines.filter(|line| !self.publisher.mids.contains(&line.mid));
        let named = fresh
            .filter_map(|line| Some((line.mid, line.track?)))
            .next();
        let Some((mid, cid)) = named else {
            return self.give_up(source, PublishFailure::Other, now);
        };
        let publication = self.publisher.publications.get(&source);
        let muted = publication.is_none_or(Publication::is_muted);
        let encrypted = self.options.encryption.is_some();
        self.say(Request::AddTrack(add_track(source, &cid, muted, encrypted)));
        let sdp = sdp.clone();
        let step = Step::Adding {
            source,
            mid,
            cid,
            sdp,
        };
        self.publisher.go(step, now);
    }

    /// The server knows a track.
    pub(super) fn track_published(&mut self, published: proto::TrackPublishedResponse, now: Now) {
        let track = published.track.unwrap_or_default();
        match std::mem::take(&mut self.publisher.step) {
            Step::Adding {
                source,
                mid,
                cid,
                sdp,
            } if cid == published.cid && !track.sid.is_empty() => {
                self.publisher.mids.insert(mid.clone());
                let peer = self.publisher_peer();
                let line = Line {
                    mid: mid.clone(),
                    cid,
                    told_muted: Some(track.muted),
                    track,
                    held: false,
                    wanted: PictureSizes::LAYERS,
                };
                self.media(MediaCommand::Publish { peer, mid, source });
                match self.publisher.publications.get_mut(&source) {
                    Some(publication) => {
                        publication.line = Some(line);
                        // Before anything can leave.
                        self.sync_mutes();
                        self.event(Event::Published { source });
                    }
                    // Taken back meanwhile.
                    None => self.retire(line),
                }
                self.send_offer(sdp, now);
            }
            step @ (Step::Idle
            | Step::Offering { .. }
            | Step::Adding { .. }
            | Step::Sent { .. }) => {
                self.publisher.step = step;
                self.bad();
            }
        }
    }

    /// The server does not take a track, or not yet.
    pub(super) fn track_refused(
        &mut self,
        request: &proto::AddTrackRequest,
        reason: proto::request_response::Reason,
        now: Now,
    ) {
        use proto::request_response::Reason;
        let Step::Adding { source, cid, .. } = &self.publisher.step else {
            return;
        };
        if *cid != request.cid {
            return;
        }
        let failure = match reason {
            Reason::Ok | Reason::Queued => return,
            Reason::NotAllowed => PublishFailure::NotAllowed,
            Reason::LimitExceeded => PublishFailure::Limit,
            Reason::NotFound
            | Reason::UnsupportedType
            | Reason::UnclassifiedError
            | Reason::InvalidHandle
            | Reason::InvalidName
            | Reason::DuplicateHandle
            | Reason::DuplicateName
            | Reason::InvalidRequest => PublishFailure::Other,
        };
        self.give_up(*source, failure, now);
    }

    /// The server has answered an offer.
    pub(super) fn answered(&mut self, answer: proto::SessionDescription, now: Now) {
        let (Step::Sent { id }, Some(peer)) = (&self.publisher.step, self.publisher.peer) else {
            return self.bad();
        };
        // Servers before ids answer with none.
        if answer.id != *id && answer.id != 0 {
            return self.bad();
        }
        self.publisher.described = true;
        self.publisher.go(Step::Idle, now);
        self.media(MediaCommand::RemoteDescription {
            peer,
            kind: SdpKind::Answer,
            sdp: Pii::new(answer.sdp),
        });
        self.trickle_waiting(peer);
    }

    fn send_offer(&mut self, sdp: Pii<String>, now: Now) {
        let id = self.publisher.next_offer;
        self.publisher.next_offer = id.wrapping_add(1).max(1);
        self.say(Request::Offer(proto::SessionDescription {
            r#type: "offer".to_owned(),
            sdp: sdp.into_inner(),
            id,
            ..proto::SessionDescription::default()
        }));
        self.publisher.go(Step::Sent { id }, now);
    }

    /// Drops the offer that was made for a source; the engine forgets it with the next one.
    fn give_up(&mut self, source: LocalSource, reason: PublishFailure, now: Now) {
        if let Some(publication) = self.publisher.publications.get_mut(&source) {
            publication.refused = Some(reason);
            self.event(Event::PublishFailed { source, reason });
        }
        self.publisher.go(Step::Idle, now);
        if !self.publisher.described {
            self.open_data_channels();
        }
    }

    fn publisher_peer(&mut self) -> PeerId {
        if let Some(peer) = self.publisher.peer {
            return peer;
        }
        let peer = self.open_peer();
        self.publisher.peer = Some(peer);
        self.publisher.state = PeerState::Connecting;
        self.send_own_key();
        self.open_data_channels();
        peer
    }
}
