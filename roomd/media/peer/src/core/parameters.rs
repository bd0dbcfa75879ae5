// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Connections without descriptions: what Jingle says piece by piece goes to the transport directly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use roomd_model::{Pii, Secret};
use str0m::IceCreds;
use str0m::media::{Mid, Pt, Rid};
use str0m::rtp::Ssrc;

use super::certificate::Fingerprint;
use super::describe::{self, Abilities, LEVEL_3_1, MAX_CANDIDATES, Refusal};
use super::negotiate::kind_of;
use super::{Core, PATIENCE, setup};
use crate::{
    Codec, Direction, Encoding, LineParameters, LineState, LocalParameters, MediaKind, Parameters,
    Payload, PeerEvent, RemoteTransport,
};

/// Most m-lines.
const MAX_LINES: usize = 64;
/// Most SSRCs of all m-lines, retransmissions included.
const MAX_SSRCS: usize = 512;
/// Most payload types.
const MAX_PAYLOADS: usize = 16;
/// Most encodings sent on an m-line.
const MAX_LAYERS: usize = 4;
/// Bounds of ICE credentials (RFC 8839, section 5.4).
const MAX_CREDENTIAL: usize = 256;

/// What is remembered of the parameters.
#[derive(Debug)]
pub(super) struct Explicit {
    peer: Option<Known>,
    payloads: Vec<Payload>,
    lines: BTreeMap<Mid, LineParameters>,
}

/// What the peer is known by, besides its fingerprint.
#[derive(Debug)]
struct Known {
    credentials: IceCreds,
    /// We began the handshake.
    active: bool,
}

impl Explicit {
    /// Whether an m-line has a stream of this SSRC.
    pub(super) fn names(&self, ssrc: u32) -> bool {
        let mut streams = self.lines.values().flat_map(|line| &line.receive);
        streams.any(|stream| stream.ssrc == ssrc)
    }

    /// Whether frames may be written to an m-line. The transport's own direction is always both ways.
    pub(super) fn sends(&self, mid: Mid) -> bool {
        self.lines.get(&mid).is_some_and(|line| {
            matches!(line.direction, Direction::SendRecv | Direction::SendOnly)
                && !line.send.is_empty()
        })
    }

    /// Whether frames of an m-line are passed on.
    pub(super) fn receives(&self, mid: Mid) -> bool {
        let line = self.lines.get(&mid);
        line.is_some_and(|line| matches!(line.direction, Direction::SendRecv | Direction::RecvOnly))
    }

    /// The names of what is sent on an m-line; none where it is one stream without a name.
    pub(super) fn layers(&self, mid: Mid) -> Vec<String> {
        let line = self.lines.get(&mid);
        let named = line.map(|line| line.send.iter().flatten().cloned().collect());
        named.unwrap_or_default()
    }

    /// Whether a known m-line is of another kind in these.
    fn contradicts(&self, lines: &[LineParameters]) -> bool {
        lines.iter().any(|line| {
            let known = self.lines.get(&Mid::from(line.mid.as_str()));
            known.is_some_and(|known| known.kind != line.kind)
        })
    }

    /// The codecs that the peer takes on an m-line, of those that are sent.
    pub(super) fn taken(&self, mid: Mid) -> Vec<(Codec, Pt)> {
        let Some(line) = self.lines.get(&mid) else {
            return Vec::new();
        };
        let sound = line.kind == MediaKind::Audio;
        let fits = |codec: Codec| codec.is_sound() == sound && codec != Codec::Vp9;
        self.payloads
            .iter()
            .filter(|payload| fits(payload.codec))
            .map(|payload| (payload.codec, payload.pt.into()))
            .collect()
    }
}

impl Core {
    /// Applies parameters and says ours.
    pub(super) fn parameters(
        &mut self,
        now: Instant,
        parameters: &Parameters,
    ) -> Result<(), Refusal> {
        check(parameters)?;
        let remote = parameters.remote.as_ref().map(known_by).transpose()?;
        let known = self.explicit.as_ref();
        if known.is_some_and(|known| known.contradicts(&parameters.lines)) {
            return Err(Refusal::NotApplicable);
        }
        let mut explicit = match self.explicit.take() {
            Some(known) => known,
            None if self.negotiated || self.pending.is_some() => return Err(Refusal::Mixed),
            None => self.begin(now, parameters),
        };
        let begun = match remote {
            Some((peer, fingerprint)) => self.reach(now, &mut explicit, peer, fingerprint),
            None => Ok(()),
        };
        let remote = parameters.remote.iter();
        for line in remote.flat_map(|remote| &remote.candidates) {
            self.remote_candidate(line.expose());
        }
        if begun.is_ok() {
            explicit.lines = self.set_lines(&explicit.lines, &parameters.lines);
            self.say_parameters(&parameters.lines);
        }
        let active = explicit.peer.as_ref().map(|known| known.active);
        self.explicit = Some(explicit);
        begun?;
        // Nothing is negotiated before the peer has said what it is.
        if let Some(active) = active {
            self.begin_channels(active, parameters.data);
            self.tell_parameters(&parameters.lines);
        }
        self.forget_gone();
        Ok(())
    }

    fn begin_channels(&mut self, client: bool, data: bool) {
        if data {
            self.rtc.direct_api().start_sctp(client);
        }
        self.channels_negotiated(data);
    }

    /// Tells what the parameters made of the m-lines.
    fn tell_parameters(&mut self, lines: &[LineParameters]) {
        let named: BTreeSet<Mid> = lines.iter().map(mid_of).collect();
        let told = self.told.iter();
        let gone = told.filter(|(mid, _)| !named.contains(*mid));
        let gone: Vec<(Mid, LineState)> = gone.map(|(mid, line)| (*mid, ended(line))).collect();
        for (mid, line) in gone {
            self.tell_line(mid, line);
        }
        for line in lines {
            let mid = mid_of(line);
            let line = LineState {
                mid: line.mid.clone(),
                kind: line.kind,
                direction: line.direction,
                codecs: self.sent_codecs(mid),
                layers: self.layers(mid),
            };
            self.tell_line(mid, line);
        }
    }

    /// Begins to look for the peer, or makes sure that it is the one known.
    fn reach(
        &mut self,
        now: Instant,
        explicit: &mut Explicit,
        peer: Known,
        fingerprint: Fingerprint,
    ) -> Result<(), Refusal> {
        self.expect(&fingerprint)?;
        if let Some(known) = &explicit.peer {
            // The transport restarts ICE by descriptions only.
            let same = known.credentials == peer.credentials;
            return same.then_some(()).ok_or(Refusal::NotApplicable);
        }
        let mut api = self.rtc.direct_api();
        api.set_remote_ice_credentials(peer.credentials.clone());
        api.start_dtls(peer.active)
            .map_err(|_| Refusal::NotApplicable)?;
        self.expected.get_or_insert(fingerprint);
        explicit.peer = Some(peer);
        self.negotiated = true;
        self.patience = Some(now + PATIENCE);
        Ok(())
    }

    /// Makes the transport anew: it takes payload types and extensions only when it is made, and
    /// nothing of it has been told to anybody yet.
    fn begin(&mut self, now: Instant, parameters: &Parameters) -> Explicit {
        let (rtc, certificate) = setup::rtc(now, &parameters.payloads, &parameters.extensions);
        self.rtc = rtc;
        self.certificate = certificate;
        for (_, candidate) in &self.locals {
            self.rtc.add_local_candidate(candidate.clone());
        }
        let mut api = self.rtc.direct_api();
        api.set_ice_controlling(parameters.controlling);
        api.enable_twcc_feedback();
        self.drive(now);
        Explicit {
            peer: None,
            payloads: parameters.payloads.clone(),
            lines: BTreeMap::new(),
        }
    }

    fn set_lines(
        &mut self,
        known: &BTreeMap<Mid, LineParameters>,
        lines: &[LineParameters],
    ) -> BTreeMap<Mid, LineParameters> {
        let set = lines.iter().map(|line| (mid_of(line), line.clone()));
        let set: BTreeMap<Mid, LineParameters> = set.collect();
        // At first what ends: its SSRCs may be another line's from here on.
        for (mid, before) in known {
            if let Some(line) = set.get(mid) {
                self.end_streams(*mid, line, before);
            } else {
                self.rtc.direct_api().remove_media(*mid);
                self.abilities.remove(mid);
            }
        }
        for (mid, line) in &set {
            self.set_line(*mid, line, known.contains_key(mid));
            // Both sides use the same payload types, and ours say so.
            let abilities = Abilities {
                loss: true,
                full: true,
                h264_level: LEVEL_3_1,
            };
            self.abilities.insert(*mid, abilities);
        }
        set
    }

    fn set_line(&mut self, mid: Mid, line: &LineParameters, known: bool) {
        let mut api = self.rtc.direct_api();
        if !known {
            api.declare_media(mid, kind_of(line.kind));
        }
        for rid in line.send.iter().map(rid_of) {
            if api.stream_tx_by_mid(mid, rid).is_none() {
                let (ssrc, rtx) = (api.new_ssrc(), api.new_ssrc());
                let rtx = (line.kind == MediaKind::Video).then_some(rtx);
                api.declare_stream_tx(ssrc, rtx, mid, rid);
            }
        }
        for stream in &line.receive {
            let rtx = stream.rtx.map(Ssrc::from);
            api.expect_stream_rx(stream.ssrc.into(), rtx, mid, rid_of(&stream.rid));
        }
    }

    /// Ends the streams that a known m-line does not have any more.
    fn end_streams(&mut self, mid: Mid, line: &LineParameters, before: &LineParameters) {
        let mut api = self.rtc.direct_api();
        let now: BTreeSet<u32> = line.receive.iter().map(|stream| stream.ssrc).collect();
        let received = before.receive.iter().map(|stream| stream.ssrc);
        for gone in received.filter(|ssrc| !now.contains(ssrc)) {
            api.remove_stream_rx(Ssrc::from(gone));
        }
        for gone in before.send.iter().filter(|rid| !line.send.contains(rid)) {
            let stream = api.stream_tx_by_mid(mid, rid_of(gone));
            if let Some(ssrc) = stream.map(|stream| stream.ssrc()) {
                api.remove_stream_tx(ssrc);
            }
            // Should it return, it is another stream, which counts from its own beginning.
            self.packetisers.remove(&(mid, gone.clone()));
        }
    }

    fn say_parameters(&mut self, lines: &[LineParameters]) {
        let fingerprint = self.fingerprint("sha-256").unwrap_or_default();
        let candidates = self.locals.iter();
        let candidates = candidates
            .map(|(_, candidate)| Pii::new(candidate.to_sdp_string()))
            .collect();
        let mut api = self.rtc.direct_api();
        let credentials = api.local_ice_credentials();
        let mut sent = Vec::new();
        for line in lines {
            let mid = mid_of(line);
            let mut encodings = Vec::new();
            for rid in &line.send {
                let stream = api.stream_tx_by_mid(mid, rid_of(rid));
                encodings.extend(stream.map(|stream| Encoding {
                    ssrc: *stream.ssrc(),
                    rtx: stream.rtx().map(|ssrc| *ssrc),
                    rid: rid.clone(),
                }));
            }
            sent.push((line.mid.clone(), encodings));
        }
        let parameters = LocalParameters {
            ufrag: Secret::new(credentials.ufrag),
            password: Secret::new(credentials.pass),
            candidates,
            fingerprint,
            lines: sent,
        };
        self.events
            .push_back(PeerEvent::LocalParameters(Box::new(parameters)));
    }
}

fn mid_of(line: &LineParameters) -> Mid {
    Mid::from(line.mid.as_str())
}

fn rid_of(rid: &Option<String>) -> Option<Rid> {
    rid.as_deref().map(Rid::from)
}

/// What is told of an m-line that is gone.
fn ended(line: &LineState) -> LineState {
    LineState {
        direction: Direction::Inactive,
        codecs: Vec::new(),
        layers: Vec::new(),
        ..line.clone()
    }
}

/// What a peer is known by, once it is in range.
fn known_by(remote: &RemoteTransport) -> Result<(Known, Fingerprint), Refusal> {
    let credential = |secret: &Secret, least: usize| {
        let text = secret.expose();
        (least..=MAX_CREDENTIAL).contains(&text.len()) && text.is_ascii()
    };
    let fits = credential(&remote.ufrag, 4)
        && credential(&remote.password, 22)
        && remote.candidates.len() <= MAX_CANDIDATES;
    fits.then_some(()).ok_or(Refusal::Parameters)?;
    let credentials = IceCreds {
        ufrag: remote.ufrag.expose().to_owned(),
        pass: remote.password.expose().to_owned(),
    };
    let active = remote.active;
    let known = Known {
        credentials,
        active,
    };
    Ok((known, describe::fingerprint(&remote.fingerprints)?))
}

/// Refuses what the transport would not bear.
fn check(parameters: &Parameters) -> Result<(), Refusal> {
    let lines = &parameters.lines;
    let names: BTreeSet<&str> = lines.iter().map(|line| line.mid.as_str()).collect();
    let named = |name: &str, longest: usize| {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain && (1..=longest).contains(&name.len())
    };
    let layers = |line: &LineParameters| {
        let received = line.receive.iter().map(|stream| &stream.rid);
        let mut rids = line.send.iter().chain(received).flatten();
        line.send.len() <= MAX_LAYERS && rids.all(|rid| named(rid, 8))
    };
    let fits = lines.len() <= MAX_LINES
        && names.len() == lines.len()
        && lines
            .iter()
            .all(|line| named(&line.mid, 16) && layers(line))
        && distinct_ssrcs(lines)
        && distinct_payloads(&parameters.payloads)
        && parameters
            .extensions
            .iter()
            .all(|(id, _)| (1..=14).contains(id));
    fits.then_some(()).ok_or(Refusal::Parameters)
}

fn distinct_ssrcs(lines: &[LineParameters]) -> bool {
    let streams = lines.iter().flat_map(|line| &line.receive);
    let ssrcs: Vec<u32> = streams
        .flat_map(|stream| [Some(stream.ssrc), stream.rtx])
        .flatten()
        .collect();
    let set: BTreeSet<u32> = ssrcs.iter().copied().collect();
    ssrcs.len() <= MAX_SSRCS && set.len() == ssrcs.len() && !set.contains(&0)
}

fn distinct_payloads(payloads: &[Payload]) -> bool {
    let numbers: Vec<u8> = payloads
        .iter()
        .flat_map(|payload| [Some(payload.pt), payload.rtx])
        .flatten()
        .collect();
    let set: BTreeSet<u8> = numbers.iter().copied().collect();
    payloads.len() <= MAX_PAYLOADS
        && set.len() == numbers.len()
        // The others cannot be told from RTCP (RFC 5761, section 4).
        && set.iter().all(|pt| matches!(pt, 0..=63 | 96..=127))
}
