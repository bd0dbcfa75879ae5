// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The connections between the guests and the room.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use roomd_conference::{
    ChannelId, Event, LocalSource, MediaCommand, MediaEvent, PeerId, PeerState, SdpKind, SenderId,
    StreamBinding,
};
use roomd_model::{FaultCode, Now, ParticipantId, PictureSizes, Pii, StreamId, StreamKind};

use super::DirectSession;
use super::guest::{Guest, Link};
use crate::sdp::{self, Offer};
use crate::wire::{RefuseReason, ToGuest};

impl DirectSession {
    pub(super) fn offer_to_room(
        &mut self,
        channel: ChannelId,
        from: &ParticipantId,
        sdp: Pii<String>,
        now: Now,
    ) {
        let Some(offer) = sdp::offer(sdp.expose()) else {
            return self.bad(channel);
        };
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *from) else {
            return;
        };
        let known = guest.link.as_ref().map(|link| {
            let same = link.offer.fingerprints == offer.fingerprints;
            (link.peer, same, link.offer.mids == offer.mids)
        });
        match known {
            // The same certificate: an ICE restart of the connection that there is.
            Some((peer, true, true)) => {
                if let Some(link) = &mut guest.link {
                    link.moved = false;
                }
                self.describe(peer, sdp);
            }
            Some((_, _, _)) | None => {
                if !guest.connections.take(1.0, now.mono) {
                    return self.drop_channel(channel, RefuseReason::TooMany);
                }
                let old = guest.link.take();
                self.close_link(old);
                self.open_link(from, offer, sdp);
            }
        }
    }

    fn open_link(&mut self, id: &ParticipantId, offer: Offer, sdp: Pii<String>) {
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        let link = Link {
            peer,
            audio: self.fresh_stream(),
            camera: self.fresh_stream(),
            screen: self.fresh_stream(),
            offer,
            state: PeerState::Connecting,
            verified: false,
            moved: false,
            poor: false,
            live: BTreeSet::new(),
            delivered: false,
            announced: BTreeSet::new(),
        };
        let ice_servers = self.setup.ice_servers.clone();
        self.media_command(MediaCommand::OpenPeer { peer, ice_servers });
        self.describe(peer, sdp);
        self.bind(&link);
        if let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *id) {
            let asked = guest.wanted != PictureSizes::LAYERS;
            let wish = asked.then(|| wish(&link, guest.wanted));
            guest.link = Some(link);
            wish.into_iter().for_each(|wish| self.media_command(wish));
        }
    }

    /// A guest's page shows the room's camera with so many lines.
    pub(super) fn guest_wants(&mut self, id: &ParticipantId, lines: u32) {
        // A picture that is not shown is there at once when it is.
        let sizes = PictureSizes::up_to(lines.max(1));
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *id) else {
            return;
        };
        if guest.wanted != sizes {
            guest.wanted = sizes;
            let wish = guest.link.as_ref().map(|link| wish(link, sizes));
            wish.into_iter().for_each(|wish| self.media_command(wish));
        }
    }

    fn describe(&mut self, peer: PeerId, sdp: Pii<String>) {
        let kind = SdpKind::Offer;
        self.media_command(MediaCommand::RemoteDescription { peer, kind, sdp });
    }

    fn bind(&mut self, link: &Link) {
        let peer = link.peer;
        let [sound, camera, screen] = link.offer.mids.clone();
        let bound = [
            (link.audio, sound.clone(), StreamKind::Audio),
            (link.camera, camera.clone(), StreamKind::Camera),
            (link.screen, screen.clone(), StreamKind::Screen),
        ];
        let streams = bound.map(|(stream, mid, kind)| StreamBinding {
            stream,
            mid,
            kind,
            sender: SenderId::default(),
        });
        self.media_command(MediaCommand::Bind {
            peer,
            streams: streams.into(),
        });
        let sources = [
            (sound, LocalSource::Microphone),
            (camera, LocalSource::Camera),
            (screen, LocalSource::Content),
        ];
        for (mid, source) in sources {
            self.media_command(MediaCommand::Publish { peer, mid, source });
        }
    }

    pub(super) fn candidate_to_room(&mut self, from: &ParticipantId, candidate: Pii<String>) {
        let guest = self.guests.iter().find(|guest| guest.id == *from);
        let Some(peer) = guest
            .and_then(|guest| guest.link.as_ref())
            .map(|link| link.peer)
        else {
            return;
        };
        // An empty line ends the gathering; the connection does not wait for it.
        if !candidate.expose().is_empty() {
            self.media_command(MediaCommand::RemoteCandidate { peer, candidate });
        }
    }

    pub(super) fn media_event(&mut self, event: MediaEvent, _now: Now) {
        match event {
            MediaEvent::LocalDescription { peer, kind, sdp } => {
                // The room never offers: the newcomer does.
                if kind == SdpKind::Answer {
                    let from = self.room.id.clone();
                    self.send_to_peer(peer, &ToGuest::Answer { from, sdp });
                }
            }
            MediaEvent::LocalCandidate { peer, candidate } => {
                let message = ToGuest::Candidate {
                    from: self.room.id.clone(),
                    candidate,
                    mid: None,
                };
                self.send_to_peer(peer, &message);
            }
            MediaEvent::DescriptionRefused { peer } => {
                let channel = self.guest_of(peer).and_then(|guest| guest.channel);
                if let Some(channel) = channel {
                    self.bad(channel);
                }
            }
            MediaEvent::AddressesChanged { peer } => {
                if let Some(link) = self.guest_of(peer).and_then(|guest| guest.link.as_mut()) {
                    link.moved = true;
                    self.send_to_peer(peer, &ToGuest::Restart);
                }
            }
            MediaEvent::Peer { peer, state } => self.peer_state(peer, state),
            MediaEvent::Stream { stream, live } => {
                if let Some(link) = self
                    .guest_with(stream)
                    .and_then(|guest| guest.link.as_mut())
                {
                    if live {
                        link.live.insert(stream);
                        link.delivered = true;
                    } else {
                        link.live.remove(&stream);
                    }
                }
            }
            // The room shows it; there is nothing that the guest could be told.
            MediaEvent::Opened { .. } | MediaEvent::Trouble { .. } => {}
            // Guests say everything on their WebSocket.
            MediaEvent::ChannelOpen { .. }
            | MediaEvent::Data { .. }
            | MediaEvent::ChannelClosed { .. } => {}
            MediaEvent::Speaking { stream, speaking } => {
                if let Some(guest) = self.guest_with(stream) {
                    guest.speaking = speaking;
                }
            }
            MediaEvent::Quality { peer, poor } => {
                if let Some(link) = self.guest_of(peer).and_then(|guest| guest.link.as_mut()) {
                    link.poor = poor;
                }
            }
        }
    }

    fn peer_state(&mut self, peer: PeerId, state: PeerState) {
        let Some(guest) = self.guest_of(peer) else {
            return;
        };
        let id = guest.id.clone();
        match state {
            PeerState::Connecting | PeerState::Interrupted => {
                if let Some(link) = &mut guest.link {
                    link.state = state;
                }
            }
            PeerState::Verified => {
                if let Some(link) = &mut guest.link {
                    link.state = state;
                    link.verified = true;
                }
                self.announce_streams(&id);
            }
            PeerState::Unverified => {
                self.fault(FaultCode::PeerNotVerified);
                self.remove(&id, RefuseReason::Removed);
            }
            PeerState::Failed => {
                // The guest's page notices too, and offers again.
                guest.speaking = false;
                let link = guest.link.take();
                self.close_link(link);
            }
        }
    }

    /// Tells the room which of a guest's streams it may show and hear.
    pub(super) fn announce_streams(&mut self, id: &ParticipantId) {
        let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == *id) else {
            return;
        };
        let sharing = guest.sharing;
        let Some(link) = guest.link.as_mut().filter(|link| link.verified) else {
            return;
        };
        let mut events = Vec::new();
        let wanted = [
            (link.audio, StreamKind::Audio, true),
            (link.camera, StreamKind::Camera, true),
            (link.screen, StreamKind::Screen, sharing),
        ];
        for (stream, kind, wanted) in wanted {
            if wanted && link.announced.insert(stream) {
                events.push(Event::StreamAdded {
                    stream,
                    participant: id.clone(),
                    kind,
                });
            } else if !wanted && link.announced.remove(&stream) {
                events.push(Event::StreamRemoved { stream });
            }
        }
        for event in events {
            self.event(event);
        }
    }

    pub(super) fn close_link(&mut self, link: Option<Link>) {
        let Some(link) = link else {
            return;
        };
        for stream in link.announced {
            self.event(Event::StreamRemoved { stream });
        }
        self.media_command(MediaCommand::ClosePeer { peer: link.peer });
    }

    fn send_to_peer(&mut self, peer: PeerId, message: &ToGuest) {
        if let Some(channel) = self.guest_of(peer).and_then(|guest| guest.channel) {
            self.send_on(channel, message);
        }
    }

    fn guest_of(&mut self, peer: PeerId) -> Option<&mut Guest> {
        let is = |link: &Link| link.peer == peer;
        let mut guests = self.guests.iter_mut();
        guests.find(|guest| guest.link.as_ref().is_some_and(is))
    }

    fn guest_with(&mut self, stream: StreamId) -> Option<&mut Guest> {
        let is = |link: &Link| [link.audio, link.camera, link.screen].contains(&stream);
        let mut guests = self.guests.iter_mut();
        guests.find(|guest| guest.link.as_ref().is_some_and(is))
    }

    fn fresh_stream(&self) -> StreamId {
        StreamId(self.streams.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a guest wants of the room's camera.
fn wish(link: &Link, sizes: PictureSizes) -> MediaCommand {
    let [_, camera, _] = link.offer.mids.clone();
    MediaCommand::Want {
        peer: link.peer,
        mid: camera,
        sizes,
    }
}
