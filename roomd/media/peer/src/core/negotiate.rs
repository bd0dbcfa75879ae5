// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Offers and answers.

use std::time::Instant;

use roomd_conference::{PeerState, SdpKind};
use roomd_model::Pii;
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::{Media, Mid, Simulcast, SimulcastLayer};

use super::certificate::Fingerprint;
use super::describe::{self, Abilities, Description, Refusal};
use super::{Core, PATIENCE, group};
use crate::{Direction, Layers, LineState, MediaKind, NewLine, Offer, PeerEvent};

/// Most m-lines that our offers add.
const MAX_LINES: usize = 64;
/// Most layers of an m-line.
const MAX_LAYERS: usize = 4;

impl Core {
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.events
            .push_back(PeerEvent::DescriptionRefused(refusal.to_string()));
    }

    pub(super) fn remote_description(
        &mut self,
        now: Instant,
        kind: SdpKind,
        sdp: &str,
    ) -> Result<(), Refusal> {
        if self.explicit.is_some() {
            return Err(Refusal::Mixed);
        }
        let description = describe::inspect(sdp)?;
        self.expect(&description.fingerprint)?;
        self.apply(kind, &description)?;
        self.places.note(&description.lines, description.data);
        self.remote = Some(description.credentials.clone());
        self.forget_gone();
        self.expected.get_or_insert(description.fingerprint);
        self.channels_negotiated(description.data.is_some());
        self.abilities = description
            .lines
            .iter()
            .map(|(mid, abilities)| (Mid::from(mid.as_str()), *abilities))
            .collect();
        self.tell_lines(&description.lines);
        self.negotiated = true;
        self.trickled = 0;
        if self.state != PeerState::Verified {
            self.patience = Some(now + PATIENCE);
        }
        Ok(())
    }

    /// Sets what the certificate is compared with, or compares with what was set before.
    pub(super) fn expect(&mut self, fingerprint: &Fingerprint) -> Result<(), Refusal> {
        match &self.expected {
            Some(known) if known == fingerprint || self.certificate.is(fingerprint) => Ok(()),
            Some(_) => Err(Refusal::FingerprintChanged),
            None => {
                self.certificate.expect(fingerprint.hash);
                self.rtc
                    .direct_api()
                    .set_remote_fingerprint(fingerprint.for_transport());
                Ok(())
            }
        }
    }

    /// Tells what the description made of the m-lines.
    fn tell_lines(&mut self, lines: &[(String, Abilities)]) {
        for (name, _) in lines {
            let mid = Mid::from(name.as_str());
            let Some(media) = self.rtc.media(mid) else {
                continue;
            };
            let kind = match media.kind() {
                str0m::media::MediaKind::Audio => MediaKind::Audio,
                str0m::media::MediaKind::Video => MediaKind::Video,
            };
            let direction = match media.direction() {
                str0m::media::Direction::SendRecv => Direction::SendRecv,
                str0m::media::Direction::SendOnly => Direction::SendOnly,
                str0m::media::Direction::RecvOnly => Direction::RecvOnly,
                str0m::media::Direction::Inactive => Direction::Inactive,
            };
            let line = LineState {
                mid: name.clone(),
                kind,
                direction,
                codecs: self.sent_codecs(mid),
                layers: self.layers(mid),
            };
            self.tell_line(mid, line);
        }
        let named = |mid: &Mid| {
            lines
                .iter()
                .any(|(name, _)| Mid::from(name.as_str()) == *mid)
        };
        self.told.retain(|mid, _| named(mid));
    }

    /// Tells an m-line, unless it is as it was last told.
    pub(super) fn tell_line(&mut self, mid: Mid, line: LineState) {
        if self.told.get(&mid) != Some(&line) {
            self.told.insert(mid, line.clone());
            self.events.push_back(PeerEvent::Line(line));
        }
    }

    fn apply(&mut self, kind: SdpKind, description: &Description) -> Result<(), Refusal> {
        let ended = |mid: Mid| self.rtc.media(mid).is_none_or(Media::disabled);
        if !self.places.fit(&description.lines, description.data, ended) {
            return Err(Refusal::NotApplicable);
        }
        match kind {
            SdpKind::Offer => self.take_offer(description),
            SdpKind::Answer => self.take_answer(description),
        }
    }

    fn take_offer(&mut self, description: &Description) -> Result<(), Refusal> {
        let offer = SdpOffer::from_sdp_string(&description.sdp).map_err(|_| Refusal::Malformed)?;
        // The transport takes our unanswered offer back by itself, even when it refuses this one.
        self.pending = None;
        self.rehearse(description)?;
        self.take_over(&description.senders);
        let answer = self
            .rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|_| Refusal::NotApplicable)?;
        self.note_senders(&description.senders);
        self.describe(SdpKind::Answer, &answer.to_sdp_string());
        Ok(())
    }

    /// Lets the transport apply an offer except for its path. It looks at the path first, and drops
    /// the one that it has for another, before it finds out that it does not take the lines.
    fn rehearse(&mut self, description: &Description) -> Result<(), Refusal> {
        let Some(known) = &self.remote else {
            // There is no path yet, and no line.
            return Ok(());
        };
        let sdp = description.on_the_path_of(known);
        let offer = SdpOffer::from_sdp_string(&sdp).map_err(|_| Refusal::Malformed)?;
        let accepted = self.rtc.sdp_api().accept_offer(offer);
        accepted.map(drop).map_err(|_| Refusal::NotApplicable)
    }

    fn take_answer(&mut self, description: &Description) -> Result<(), Refusal> {
        let answer =
            SdpAnswer::from_sdp_string(&description.sdp).map_err(|_| Refusal::Malformed)?;
        let pending = self.pending.take().ok_or(Refusal::AnswerWithoutOffer)?;
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .map_err(|_| Refusal::NotApplicable)
    }

    /// Makes an offer.
    pub(super) fn offer(&mut self, offer: &Offer) -> Result<(), Refusal> {
        if self.explicit.is_some() {
            return Err(Refusal::Mixed);
        }
        let channels = self.channels.for_offer();
        let known = |mid: &String| Mid::from(mid.as_str());
        let mut changes = self.rtc.sdp_api();
        if offer.restart && self.negotiated {
            changes.ice_restart(true);
        }
        for (mid, direction) in &offer.turn {
            changes.set_direction(known(mid), direction_of(*direction));
        }
        for mid in offer.stop.iter().map(known) {
            changes.stop_media(mid);
        }
        for config in channels {
            changes.add_channel_with_config(config);
        }
        let room = MAX_LINES.saturating_sub(self.added);
        for line in offer.add.iter().take(room) {
            let (kind, simulcast) = (kind_of(line.kind), simulcast_of(line));
            let direction = direction_of(line.direction);
            // One stream for all m-lines: the receiver then keeps picture and sound together.
            let mid = changes.add_media(kind, direction, Some("room".into()), None, simulcast);
            if let Layers::Group(rids) = &line.layers {
                let rids = rids.iter().take(MAX_LAYERS).cloned();
                self.groups.insert(mid, rids.collect());
            }
            self.added += 1;
        }
        let (offer, pending) = changes.apply().ok_or(Refusal::OfferEmpty)?;
        self.pending = Some(pending);
        self.describe(SdpKind::Offer, &offer.to_sdp_string());
        Ok(())
    }

    fn describe(&mut self, kind: SdpKind, sdp: &str) {
        let sdp = Pii::new(group::by_ssrc(sdp, &self.groups));
        self.events
            .push_back(PeerEvent::LocalDescription { kind, sdp });
    }
}

pub(super) const fn kind_of(kind: MediaKind) -> str0m::media::MediaKind {
    match kind {
        MediaKind::Audio => str0m::media::MediaKind::Audio,
        MediaKind::Video => str0m::media::MediaKind::Video,
    }
}

const fn direction_of(direction: Direction) -> str0m::media::Direction {
    match direction {
        Direction::SendRecv => str0m::media::Direction::SendRecv,
        Direction::SendOnly => str0m::media::Direction::SendOnly,
        Direction::RecvOnly => str0m::media::Direction::RecvOnly,
        Direction::Inactive => str0m::media::Direction::Inactive,
    }
}

fn simulcast_of(line: &NewLine) -> Option<Simulcast> {
    let rids = match &line.layers {
        Layers::Single => return None,
        Layers::Rids(rids) | Layers::Group(rids) => rids,
    };
    let send = rids.iter().take(MAX_LAYERS);
    Some(Simulcast {
        send: send.map(|rid| SimulcastLayer::new(rid)).collect(),
        recv: Vec::new(),
    })
}
