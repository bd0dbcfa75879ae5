// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What goes out on which m-line, and what is encoded for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use roomd_conference::{Direction, LocalSource, PeerId, PeerState};
use roomd_media_core::governor::Allowance;
use roomd_media_core::layers::{
    self, Allocator, Coding, Demand, Encoding, Outlet, Size, Sizes, Taker, Variant,
};
use roomd_peer::{Codec, Frame, LineState, PeerCommand};

use super::Task;
use super::peers::{Peer, Peers};
use crate::encode::{Encoded, Track};

/// What a path carries before there is an estimate, in bit/s.
const BEGIN: u64 = 1_700_000;
/// The share of a bandwidth estimate that pictures get; sound, headers and packets sent again need the
/// rest. On an emulated network that narrows, less loss than at 0.8.
const PICTURE_SHARE: f64 = 0.7;

/// The bandwidth that a path is tried for where somebody wants a picture of 1920x1080, in bit/s: that
/// picture at its best, and the rest.
const FULL: u64 = 6_500_000;

/// What is published on one m-line.
#[derive(Debug)]
pub(super) struct Published {
    pub source: LocalSource,
    wanted: Sizes,
    /// Nothing of it leaves, whatever the room sends.
    held: bool,
    outlet: Outlet,
    /// The codec of each size of the camera's picture.
    coding: Coding,
    /// Content, which has one size, goes out.
    flowing: bool,
}

impl Published {
    pub(super) fn new(source: LocalSource) -> Self {
        Self {
            source,
            // More than that has to be asked for.
            wanted: Sizes::LAYERS,
            held: false,
            outlet: Outlet::default(),
            coding: Coding::default(),
            flowing: false,
        }
    }

    pub(super) const fn want(&mut self, sizes: Sizes) {
        self.wanted = sizes;
    }

    pub(super) const fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// The RTP time with which a frame goes out; none when it does not.
    fn admit(&mut self, track: Track, frame: &Frame) -> Option<u64> {
        match track {
            Track::Microphone => Some(frame.rtp_time),
            Track::Camera(variant) if self.coding.sends(variant) => {
                let size = variant.size;
                self.outlet.admit(size, frame.keyframe, frame.rtp_time)
            }
            Track::Camera(_) => None,
            Track::Content => {
                self.flowing |= frame.keyframe;
                self.flowing.then_some(frame.rtp_time)
            }
        }
    }

    fn lost(&mut self, track: Track) {
        match track {
            Track::Microphone => {}
            Track::Camera(variant) if self.coding.sends(variant) => {
                self.outlet.lost(variant.size);
            }
            Track::Camera(_) => {}
            Track::Content => self.flowing = false,
        }
    }

    /// Whether the peer decodes what is published.
    fn is_taken(&self) -> bool {
        match self.source {
            LocalSource::Microphone => true,
            LocalSource::Camera => !self.coding.sizes().is_empty(),
            // Only the processor encodes it.
            LocalSource::Content => self.coding.has_vp8(),
        }
    }

    /// Sends each size in another codec, or in the same, from here on.
    fn code(&mut self, coding: Coding) {
        for size in self.coding.differing(coding).iter() {
            self.outlet.lost(size);
        }
        self.coding = coding;
    }

    /// What has to be encoded for it.
    fn needs(&self) -> impl Iterator<Item = Variant> {
        self.coding.variants(self.outlet.needs())
    }

    /// What of it waits for a keyframe.
    fn waits_for(&self) -> impl Iterator<Item = Variant> {
        self.coding.variants(self.outlet.waits_for())
    }
}

/// What is encoded.
#[derive(Debug, Default)]
pub(super) struct Encodings {
    pub camera: BTreeMap<Variant, Encoding>,
    /// What is encoded on until what follows it has begun.
    pub kept: BTreeSet<Variant>,
    pub content: Option<Encoding>,
}

type Line = (PeerId, String);

/// The sizes that an m-line takes at the same time; none where it takes one picture.
fn together(line: Option<&LineState>) -> Option<&'static [Size]> {
    let layers = line
        .map(|line| line.layers.len())
        .filter(|count| *count > 0);
    layers.map(Size::of_layers)
}

/// The name of a size on its m-line.
fn layer_name(line: Option<&LineState>, track: Track) -> Option<String> {
    let names = &line?.layers;
    let index = match track {
        Track::Camera(variant) => {
            let sizes = Size::of_layers(names.len());
            sizes.iter().position(|known| *known == variant.size)?
        }
        // The best of an m-line that was made for a camera.
        Track::Content => names.len().checked_sub(1)?,
        Track::Microphone => return None,
    };
    names.get(index).cloned()
}

/// What an m-line is sent of the pictures; nothing before it is known, as a first keyframe would be lost.
fn coding(line: Option<&LineState>, encrypted: bool, hardware: bool) -> Coding {
    let Some(line) = line else {
        return Coding::default();
    };
    let sends = match line.direction {
        Direction::SendRecv | Direction::SendOnly => true,
        Direction::RecvOnly | Direction::Inactive => false,
    };
    let takes = |codec: Codec| sends && line.codecs.contains(&codec);
    let taker = Taker {
        vp8: takes(Codec::Vp8),
        h264: takes(Codec::H264),
        encrypted,
        layered: !line.layers.is_empty(),
    };
    Coding::of(taker, hardware)
}

impl Peer {
    fn budget(&self) -> u32 {
        let share = self.bandwidth.unwrap_or(BEGIN) as f64 * PICTURE_SHARE;
        share.min(f64::from(u32::MAX)) as u32
    }

    /// Says how much bandwidth is of use.
    fn reach_for(&mut self, bandwidth: Option<u64>) {
        if self.reach != bandwidth {
            self.reach = bandwidth;
            self.send(PeerCommand::Reach(bandwidth));
        }
    }

    /// Whether nothing can leave it, because frames are sealed and there is no key.
    fn is_sealed_shut(&self) -> bool {
        let sealing = self.sealing.as_ref();
        sealing.is_some_and(|sealing| !sealing.has_key())
    }

    fn outlets(&self, source: LocalSource) -> impl Iterator<Item = (&String, &Published)> {
        let is = move |(_, published): &(&String, &Published)| {
            published.source == source && !published.held && published.is_taken()
        };
        self.published.iter().filter(is)
    }

    /// What its camera m-lines ask for, and how its content is encoded.
    fn demands(
        &self,
        content: bool,
        allowance: &Allowance,
    ) -> (Vec<(String, Demand)>, Option<Encoding>) {
        let mut budget = self.budget();
        let shows = content && self.outlets(LocalSource::Content).next().is_some();
        let encoding = shows.then(|| {
            let (encoding, rest) = layers::content(budget);
            budget = rest;
            allowance.content(encoding)
        });
        let count = self.outlets(LocalSource::Camera).count();
        let each = budget / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let demand = |(mid, published): (&String, &Published)| {
            let together = together(self.lines.get(mid));
            let taken: Sizes = together.unwrap_or(&Size::ALL).iter().copied().collect();
            let demand = Demand {
                sizes: allowance.sizes(taken.and(published.coding.sizes()), published.wanted),
                together: together.is_some(),
                budget: each,
                coding: published.coding,
            };
            (mid.clone(), demand)
        };
        let demands = self.outlets(LocalSource::Camera).map(demand).collect();
        (demands, encoding)
    }

    /// Sends a frame on every m-line that takes it; true when one did.
    fn send_frame(&mut self, track: Track, frame: &Frame) -> bool {
        let mut sent = false;
        for (mid, published) in &mut self.published {
            let line = self.lines.get(mid);
            if published.source != track.source() || published.held || !published.is_taken() {
                continue;
            }
            let Some(rtp_time) = published.admit(track, frame) else {
                continue;
            };
            let sealed = match &mut self.sealing {
                Some(sealing) => sealing.seal(mid, track, frame),
                None => Some(frame.clone()),
            };
            // A connection that is behind loses frames, never order.
            let written = sealed.is_some_and(|mut frame| {
                frame.rid = layer_name(line, track);
                frame.rtp_time = rtp_time;
                let mid = mid.clone();
                let write = PeerCommand::Write { mid, frame };
                self.pending.is_empty() && self.commands.try_send(write).is_ok()
            });
            sent |= written;
            if !written && !frame.is_discardable() {
                published.lost(track);
            }
        }
        sent
    }
}

impl Peers {
    /// Divides what the paths carry and the processor allows; `content` says whether there is any.
    pub(super) fn divide(
        &mut self,
        allocator: &mut Allocator<Line>,
        allowance: &Allowance,
        content: bool,
        now: Instant,
    ) -> Encodings {
        self.choose_codecs();
        let mut demands = BTreeMap::new();
        let mut encodings = Encodings::default();
        for (id, peer) in self.verified() {
            let (lines, shown) = peer.demands(content, allowance);
            demands.extend(lines.into_iter().map(|(mid, demand)| ((id, mid), demand)));
            let slower = |a: Encoding, b: Encoding| if a.bitrate < b.bitrate { a } else { b };
            encodings.content = match (encodings.content, shown) {
                (Some(a), Some(b)) => Some(slower(a, b)),
                (a, b) => a.or(b),
            };
        }
        for (id, peer) in &mut self.open {
            let mut lines = demands.iter().filter(|((of, _), _)| of == id);
            let full = lines.any(|(_, demand)| demand.sizes.contains(Size::Full));
            peer.reach_for(full.then_some(FULL));
        }
        let allocation = allocator.allocate(&demands, now);
        let slowed = |(variant, encoding)| (variant, allowance.camera(encoding));
        encodings.camera = allocation.encodings.into_iter().map(slowed).collect();
        for (id, peer) in &mut self.open {
            for (mid, published) in &mut peer.published {
                let line = (*id, mid.clone());
                let sizes = allocation.lines.get(&line).copied().unwrap_or_default();
                let together = demands.get(&line).is_some_and(|demand| demand.together);
                published.outlet.allot(sizes, together);
                // Whoever was gone for a while begins again with a keyframe.
                let taken =
                    peer.state == PeerState::Verified && !published.held && published.is_taken();
                published.flowing &= taken;
                encodings.kept.extend(published.needs());
            }
        }
        encodings
    }

    /// Says in which codec each m-line gets the camera's picture.
    fn choose_codecs(&mut self) {
        for peer in self.open.values_mut() {
            let encrypted = peer.sealing.is_some();
            for (mid, published) in &mut peer.published {
                let line = peer.lines.get(mid);
                published.code(coding(line, encrypted, self.hardware));
            }
        }
    }

    /// The largest size of the camera's picture that somebody wants, of those up to this one.
    pub(super) fn largest_wanted(&self, most: Size) -> Option<Size> {
        let any = Allowance::default().up_to(most);
        let peers = self.verified();
        let demands = peers.flat_map(|(_, peer)| peer.demands(false, &any).0);
        let sizes = demands.filter_map(|(_, demand)| demand.sizes.iter().next_back());
        sizes.max()
    }

    /// What of the camera's picture somebody waits for, and whether somebody waits for content.
    fn waited_for(&self) -> (BTreeSet<Variant>, bool) {
        let mut variants = BTreeSet::new();
        let mut content = false;
        for (_, peer) in self.verified().filter(|(_, peer)| !peer.is_sealed_shut()) {
            for published in peer.published.values() {
                variants.extend(published.waits_for());
            }
            let mut shown = peer.outlets(LocalSource::Content);
            content |= shown.any(|(_, published)| !published.flowing);
        }
        (variants, content)
    }

    /// What of an m-line a keyframe is wanted of: one layer, or all.
    fn wanted_keyframes(&self, id: PeerId, mid: &str, rid: Option<&str>) -> Vec<Variant> {
        let Some(peer) = self.open.get(&id) else {
            return Vec::new();
        };
        let Some(published) = peer.published.get(mid) else {
            return Vec::new();
        };
        let named = rid.and_then(|rid| {
            let names = &peer.lines.get(mid)?.layers;
            let index = names.iter().position(|name| name == rid)?;
            Size::of_layers(names.len()).get(index).copied()
        });
        let all = published.needs();
        all.filter(|it| named.is_none_or(|size| it.size == size))
            .collect()
    }

    /// A frame was lost between encoder and connections.
    fn lost(&mut self, track: Track) {
        let published = self
            .open
            .values_mut()
            .flat_map(|peer| peer.published.values_mut());
        published
            .filter(|published| published.source == track.source())
            .for_each(|published| published.lost(track));
    }

    fn send(&mut self, track: Track, frame: &Frame) -> bool {
        let verified = self.open.values_mut().filter(|peer| peer.is_verified());
        verified.fold(false, |sent, peer| peer.send_frame(track, frame) | sent)
    }
}

impl Task {
    /// Encodes what is sent, as well as the paths carry it and the processor allows.
    pub(super) fn allocate(&mut self, now: Instant) {
        let content = self.content.has_picture();
        let allowance = self.govern.allowance().up_to(self.capture.largest());
        let allocator = &mut self.allocator;
        let encodings = self.peers.divide(allocator, &allowance, content, now);
        self.capture.encode(encodings.camera, &encodings.kept);
        self.content.encode(encodings.content);
        if std::mem::take(&mut self.capture.refused) {
            self.hardware_failed();
        }
    }

    /// Asks encoders for the keyframes that somebody waits for.
    pub(super) fn make_keyframes(&mut self, now: Instant) {
        let (variants, content) = self.peers.waited_for();
        self.capture.want_keyframes(variants);
        if content {
            self.content.want_keyframe();
        }
        self.capture.tick(now);
        self.content.tick(now);
    }

    pub(super) fn keyframe_wanted(&mut self, id: PeerId, mid: &str, rid: Option<&str>) {
        let variants = self.peers.wanted_keyframes(id, mid, rid);
        self.capture.want_keyframes(variants);
        let source = self.peers.source(id, mid);
        if source == Some(LocalSource::Content) {
            self.content.want_keyframe();
        }
    }

    pub(super) fn encoded(&mut self, encoded: Encoded) {
        match encoded {
            Encoded::Frame {
                track,
                encoder,
                order,
                frame,
            } => {
                let sends = match track.source() {
                    LocalSource::Content => self.content.is_sending(),
                    source @ (LocalSource::Camera | LocalSource::Microphone) => {
                        self.capture.sends(source)
                    }
                };
                let before = self.order.insert(track, (encoder, order));
                let follows = match before {
                    Some((known, last)) if known == encoder => order == last + 1,
                    Some(_) | None => order == 0,
                };
                if !follows || !sends {
                    self.peers.lost(track);
                }
                if sends && self.peers.send(track, &frame) {
                    self.figures.frame_sent(track, frame.payload.len());
                    if let Track::Camera(_) = track {
                        self.figures.picture_sent(frame.rtp_time, Instant::now());
                    }
                }
            }
            Encoded::Failed(track) => self.encoder_failed(track),
        }
    }
}
