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
    Codec, Encoding, LineParameters, LocalParameters, MediaKind, Parameters, Payload, PeerEvent,
    RemoteTransport,
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
    credentials: Option<IceCreds>,
    payloads: Vec<Payload>,
    lines: BTreeMap<Mid, (MediaKind, BTreeSet<u32>)>,
}

impl Explicit {
    /// Whether an m-line has a stream of this SSRC.
    pub(super) fn names(&self, ssrc: u32) -> bool {
        let mut lines = self.lines.values();
        lines.any(|(_, ssrcs)| ssrcs.contains(&ssrc))
    }

    /// The codecs that the peer takes on an m-line, of those that are sent.
    pub(super) fn taken(&self, mid: Mid) -> Vec<(Codec, Pt)> {
        let Some(&(kind, _)) = self.lines.get(&mid) else {
            return Vec::new();
        };
        let sound = kind == MediaKind::Audio;
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
        let mut explicit = match self.explicit.take() {
            Some(known) => known,
            None if self.negotiated || self.pending.is_some() => return Err(Refusal::Mixed),
            None => self.begin(now, parameters),
        };
        let begun = match (remote, &parameters.remote) {
            (Some((credentials, fingerprint)), Some(remote)) => {
                let begun = self.reach(now, &mut explicit, credentials, fingerprint, remote.active);
                for line in &remote.candidates {
                    self.remote_candidate(line.expose());
                }
                begun
            }
            _ => Ok(()),
        };
        if begun.is_ok() {
            let before = std::mem::take(&mut explicit.lines);
            explicit.lines = self.set_lines(before, &parameters.lines);
            self.forget_gone();
            self.say_parameters(&parameters.lines);
        }
        self.explicit = Some(explicit);
        begun
    }

    /// Begins to look for the peer, or makes sure that it is the one known.
    fn reach(
        &mut self,
        now: Instant,
        explicit: &mut Explicit,
        credentials: IceCreds,
        fingerprint: Fingerprint,
        active: bool,
    ) -> Result<(), Refusal> {
        self.expect(&fingerprint)?;
        if let Some(known) = &explicit.credentials {
            // The transport restarts ICE by descriptions only.
            let same = *known == credentials;
            return same.then_some(()).ok_or(Refusal::NotApplicable);
        }
        let mut api = self.rtc.direct_api();
        api.set_remote_ice_credentials(credentials.clone());
        api.start_dtls(active).map_err(|_| Refusal::NotApplicable)?;
        self.expected.get_or_insert(fingerprint);
        explicit.credentials = Some(credentials);
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
            credentials: None,
            payloads: parameters.payloads.clone(),
            lines: BTreeMap::new(),
        }
    }

    fn set_lines(
        &mut self,
        mut known: BTreeMap<Mid, (MediaKind, BTreeSet<u32>)>,
        lines: &[LineParameters],
    ) -> BTreeMap<Mid, (MediaKind, BTreeSet<u32>)> {
        let mut set = BTreeMap::new();
        for line in lines {
            let mid = Mid::from(line.mid.as_str());
            let before = known.remove(&mid);
            let ssrcs = self.set_line(mid, line, before.map(|(_, ssrcs)| ssrcs));
            set.insert(mid, (line.kind, ssrcs));
            // Both sides use the same payload types, and ours say so.
            let abilities = Abilities {
                loss: true,
                full: true,
                h264_level: LEVEL_3_1,
            };
            self.abilities.insert(mid, abilities);
        }
        for (gone, _) in known {
            self.rtc.direct_api().remove_media(gone);
            self.abilities.remove(&gone);
        }
        set
    }

    fn set_line(
        &mut self,
        mid: Mid,
        line: &LineParameters,
        before: Option<BTreeSet<u32>>,
    ) -> BTreeSet<u32> {
        let mut api = self.rtc.direct_api();
        if before.is_none() {
            api.declare_media(mid, kind_of(line.kind));
        }
        let rid_of = |rid: &Option<String>| rid.as_deref().map(Rid::from);
        for rid in line.send.iter().map(rid_of) {
            if api.stream_tx_by_mid(mid, rid).is_none() {
                let (ssrc, rtx) = (api.new_ssrc(), api.new_ssrc());
                let rtx = (line.kind == MediaKind::Video).then_some(rtx);
                api.declare_stream_tx(ssrc, rtx, mid, rid);
            }
        }
        let now: BTreeSet<u32> = line.receive.iter().map(|stream| stream.ssrc).collect();
        for gone in before.iter().flatten().filter(|ssrc| !now.contains(ssrc)) {
            api.remove_stream_rx(Ssrc::from(*gone));
        }
        for stream in &line.receive {
            let rtx = stream.rtx.map(Ssrc::from);
            api.expect_stream_rx(stream.ssrc.into(), rtx, mid, rid_of(&stream.rid));
        }
        now
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
            let mid = Mid::from(line.mid.as_str());
            let mut encodings = Vec::new();
            for rid in &line.send {
                let stream = api.stream_tx_by_mid(mid, rid.as_deref().map(Rid::from));
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

/// What a peer is known by, once it is in range.
fn known_by(remote: &RemoteTransport) -> Result<(IceCreds, Fingerprint), Refusal> {
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
    Ok((credentials, describe::fingerprint(&remote.fingerprints)?))
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
