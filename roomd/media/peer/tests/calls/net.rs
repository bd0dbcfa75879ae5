// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The network in memory: it delivers after a delay, loses on request and counts what passes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{PeerState, SdpKind};
use roomd_model::Pii;
use roomd_peer::{
    Core, DataChannelId, Frame, LineState, LocalParameters, MediaKind, Offer, Peer, PeerCommand,
    PeerEvent, SenderReport,
};

pub const DELAY: Duration = Duration::from_millis(20);

/// Makes a connection of some backend.
pub type Make = fn(Instant) -> Box<dyn Peer>;

/// The backend on str0m.
pub fn core(now: Instant) -> Box<dyn Peer> {
    Box::new(Core::new(now))
}

/// One end of the call and what it reported.
pub struct End {
    pub core: Box<dyn Peer>,
    pub address: SocketAddr,
    /// An address at a relay, which the network carries to and from it too.
    pub relayed: Option<SocketAddr>,
    /// Nothing passes but over the relay.
    pub walled: bool,
    pub states: Vec<PeerState>,
    pub frames: Vec<(String, Frame)>,
    pub reports: Vec<(String, SenderReport)>,
    pub described: Vec<(SdpKind, String)>,
    pub refused: Vec<String>,
    pub lines: Vec<LineState>,
    pub parameters: Vec<LocalParameters>,
    pub keyframes_wanted: Vec<String>,
    pub layers_wanted: Vec<Option<String>>,
    pub bandwidth: Vec<u64>,
    pub channels: Vec<(DataChannelId, String)>,
    pub channels_closed: Vec<DataChannelId>,
    pub messages: Vec<(DataChannelId, bool, Vec<u8>)>,
    pub figures: usize,
    pub sent_loss: Vec<f64>,
    pub closed: bool,
    /// Datagrams sent that are RTP or RTCP by their first byte (RFC 7983).
    pub media_sent: usize,
    /// RTP packets sent, by SSRC.
    pub ssrcs_sent: BTreeMap<u32, usize>,
}

impl End {
    fn new(now: Instant, make: Make, address: &str) -> Self {
        let address = address.parse().unwrap();
        let mut core = make(now);
        core.add_local(now, address, None);
        Self {
            core,
            address,
            relayed: None,
            walled: false,
            states: vec![],
            frames: vec![],
            reports: vec![],
            described: vec![],
            refused: vec![],
            lines: vec![],
            parameters: vec![],
            keyframes_wanted: vec![],
            layers_wanted: vec![],
            bandwidth: vec![],
            channels: vec![],
            channels_closed: vec![],
            messages: vec![],
            figures: 0,
            sent_loss: vec![],
            closed: false,
            media_sent: 0,
            ssrcs_sent: BTreeMap::new(),
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.core.poll_event() {
            assert!(!self.closed, "Closed is the last event");
            match event {
                PeerEvent::LocalDescription { kind, sdp } => {
                    self.described.push((kind, sdp.into_inner()));
                }
                PeerEvent::Line(line) => self.lines.push(line),
                PeerEvent::LocalParameters(parameters) => self.parameters.push(*parameters),
                PeerEvent::DescriptionRefused(code) => self.refused.push(code),
                PeerEvent::State(state) => self.states.push(state),
                PeerEvent::Frame { mid, frame } => self.frames.push((mid, frame)),
                PeerEvent::SenderReport { mid, report } => self.reports.push((mid, report)),
                PeerEvent::KeyframeWanted { mid, rid } => {
                    self.keyframes_wanted.push(mid);
                    self.layers_wanted.push(rid);
                }
                PeerEvent::ChannelOpen { channel, label } => self.channels.push((channel, label)),
                PeerEvent::Message {
                    channel,
                    binary,
                    data,
                } => self.messages.push((channel, binary, data)),
                PeerEvent::ChannelClosed { channel } => self.channels_closed.push(channel),
                PeerEvent::Bandwidth(rate) => self.bandwidth.push(rate),
                PeerEvent::Report(report) => {
                    self.figures += 1;
                    self.sent_loss.extend(report.sent_loss);
                }
                PeerEvent::AddressesChanged => panic!("only the task looks at the machine"),
                PeerEvent::Closed => self.closed = true,
            }
        }
    }

    fn count_sent(&mut self, datagram: &[u8]) {
        self.media_sent += 1;
        // RTP, not RTCP (RFC 5761): its SSRC is readable.
        if !(192..=223).contains(&datagram[1]) {
            let ssrc = u32::from_be_bytes(datagram[8..12].try_into().unwrap());
            *self.ssrcs_sent.entry(ssrc).or_default() += 1;
        }
    }

    fn is_at(&self, address: SocketAddr) -> bool {
        Some(address) == self.relayed || (address == self.address && !self.walled)
    }

    pub fn count(&self, mid: &str) -> usize {
        self.frames.iter().filter(|(line, _)| line == mid).count()
    }
}

/// One direction of the network. What it does is drawn from its seed, the same in every run.
pub struct Link {
    pub delay: Duration,
    /// Of a datagram, 0 to 1.
    pub loss: f64,
    /// Of a datagram to arrive 40 ms after its time, 0 to 1.
    pub late: f64,
    /// In bit/s, with a queue of 250 ms before it.
    pub bandwidth: Option<u64>,
    busy: Option<Instant>,
    state: u64,
}

impl Link {
    fn new(seed: u64) -> Self {
        Self {
            delay: DELAY,
            loss: 0.0,
            late: 0.0,
            bandwidth: None,
            busy: None,
            state: seed,
        }
    }

    fn draw(&mut self) -> f64 {
        // Knuth's MMIX.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }

    /// When a datagram arrives; none when it is lost.
    fn carry(&mut self, now: Instant, len: usize) -> Option<Instant> {
        if self.loss > 0.0 && self.draw() < self.loss {
            return None;
        }
        let mut at = now;
        if let Some(bandwidth) = self.bandwidth {
            at = self.busy.unwrap_or(now).max(now);
            if at - now > Duration::from_millis(250) {
                return None;
            }
            // With the headers of IP and UDP.
            let bits = (len as u64 + 28) * 8;
            at += Duration::from_micros(bits * 1_000_000 / bandwidth);
            self.busy = Some(at);
        }
        if self.late > 0.0 && self.draw() < self.late {
            at += Duration::from_millis(40);
        }
        Some(at + self.delay)
    }
}

/// Both ends, the clock and what is under way.
pub struct Net {
    /// What made the ends.
    pub makes: [Make; 2],
    pub start: Instant,
    pub now: Instant,
    pub ends: [End; 2],
    under_way: Vec<(Instant, usize, SocketAddr, SocketAddr, Vec<u8>)>,
    /// Every so many media datagrams one is lost.
    pub lose_every: Option<u32>,
    pub cut: bool,
    /// From A and from B.
    pub links: [Link; 2],
    counter: u32,
    pub lost: u32,
}

pub const A: usize = 0;
pub const B: usize = 1;

impl Net {
    pub fn new() -> Self {
        Self::between(core, core)
    }

    /// Two ends of these backends.
    pub fn between(a: Make, b: Make) -> Self {
        let now = Instant::now();
        Self {
            makes: [a, b],
            start: now,
            now,
            ends: [
                End::new(now, a, "192.0.2.1:5000"),
                End::new(now, b, "192.0.2.2:6000"),
            ],
            under_way: vec![],
            lose_every: None,
            cut: false,
            links: [Link::new(1), Link::new(2)],
            counter: 0,
            lost: 0,
        }
    }

    /// Two other ends of the same backends.
    pub fn again(&self) -> Self {
        let [a, b] = self.makes;
        Self::between(a, b)
    }

    /// A call that is verified on both sides; gives the m-lines, sound and picture.
    pub fn call() -> (Self, [String; 2]) {
        Self::new().called()
    }

    /// Makes the call.
    pub fn called(self) -> (Self, [String; 2]) {
        let mut net = self;
        net.negotiate(|sdp| sdp, |sdp| sdp);
        net.run(Duration::from_secs(2));
        for end in &net.ends {
            assert_eq!(end.states, [PeerState::Verified], "{:?}", end.refused);
        }
        let mids = mids(&net.ends[A].described.last().unwrap().1);
        (net, [mids[0].clone(), mids[1].clone()])
    }

    /// Offer from A, answer from B, each changed under way.
    pub fn negotiate(
        &mut self,
        offer: impl Fn(String) -> String,
        answer: impl Fn(String) -> String,
    ) {
        self.command(
            A,
            PeerCommand::Offer(Offer::of(&[MediaKind::Audio, MediaKind::Video])),
        );
        let sdp = offer(self.ends[A].described.last().unwrap().1.clone());
        self.describe(B, SdpKind::Offer, sdp);
        if let Some((SdpKind::Answer, sdp)) = self.ends[B].described.last().cloned() {
            self.describe(A, SdpKind::Answer, answer(sdp));
        }
    }

    /// Offer of a change from one end, changed under way, and the answer of the other.
    pub fn renegotiate(&mut self, from: usize, offer: Offer, change: impl Fn(String) -> String) {
        let seen = self.ends[from].described.len();
        self.command(from, PeerCommand::Offer(offer));
        assert!(
            self.ends[from].described.len() > seen,
            "{:?}",
            self.ends[from].refused
        );
        let sdp = change(self.ends[from].described.last().unwrap().1.clone());
        self.describe(1 - from, SdpKind::Offer, sdp);
        let (kind, answer) = self.ends[1 - from].described.last().unwrap().clone();
        assert_eq!(kind, SdpKind::Answer, "{:?}", self.ends[1 - from].refused);
        self.describe(from, SdpKind::Answer, change(answer));
        for end in &self.ends {
            assert_eq!(end.refused, [""; 0]);
        }
    }

    pub fn describe(&mut self, end: usize, kind: SdpKind, sdp: String) {
        self.command(
            end,
            PeerCommand::RemoteDescription {
                kind,
                sdp: Pii::new(sdp),
            },
        );
    }

    pub fn command(&mut self, end: usize, command: PeerCommand) {
        self.ends[end].core.handle_command(self.now, command);
        self.collect();
    }

    fn collect(&mut self) {
        for from in [A, B] {
            let to = 1 - from;
            while let Some(transmit) = self.ends[from].core.poll_transmit() {
                let media = matches!(transmit.contents.first(), Some(128..192));
                if media {
                    self.ends[from].count_sent(&transmit.contents);
                    self.counter += 1;
                    if self
                        .lose_every
                        .is_some_and(|every| self.counter.is_multiple_of(every))
                    {
                        self.lost += 1;
                        continue;
                    }
                }
                let leaves = self.ends[from].is_at(transmit.source);
                if self.cut || !leaves || !self.ends[to].is_at(transmit.destination) {
                    continue;
                }
                let Some(at) = self.links[from].carry(self.now, transmit.contents.len()) else {
                    self.lost += 1;
                    continue;
                };
                let datagram = (
                    at,
                    to,
                    transmit.source,
                    transmit.destination,
                    transmit.contents,
                );
                self.under_way.push(datagram);
            }
            self.ends[from].take_events();
        }
    }

    /// Lets the time pass.
    pub fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        loop {
            self.collect();
            let timeouts = self.ends.iter().filter_map(|end| end.core.poll_timeout());
            let arrivals = self.under_way.iter().map(|datagram| datagram.0);
            let Some(next) = timeouts.chain(arrivals).min().filter(|&next| next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            let under_way = self.under_way.iter().enumerate();
            let first = under_way.min_by_key(|(_, datagram)| datagram.0);
            let due = first.filter(|(_, datagram)| datagram.0 <= self.now);
            if let Some(due) = due.map(|(index, _)| index) {
                let (_, to, source, destination, contents) = self.under_way.remove(due);
                self.ends[to]
                    .core
                    .handle_datagram(self.now, source, destination, &contents);
                continue;
            }
            for end in &mut self.ends {
                if end.core.poll_timeout().is_some_and(|at| at <= self.now) {
                    end.core.handle_timeout(self.now);
                }
            }
        }
        self.now = until;
        self.collect();
    }

    /// Both ends send sound every 20 ms and a picture every 40 ms.
    pub fn talk(&mut self, mids: &[String; 2], duration: Duration) {
        let until = self.now + duration;
        let mut tick = 0u64;
        while self.now < until {
            for end in [A, B] {
                let sound = sound(self.now, self.start);
                self.command(
                    end,
                    PeerCommand::Write {
                        mid: mids[0].clone(),
                        frame: sound,
                    },
                );
                if tick.is_multiple_of(2) {
                    let picture = picture(self.now, self.start, tick.is_multiple_of(100));
                    self.command(
                        end,
                        PeerCommand::Write {
                            mid: mids[1].clone(),
                            frame: picture,
                        },
                    );
                }
            }
            tick += 1;
            self.run(Duration::from_millis(20));
        }
    }
}

pub fn mids(sdp: &str) -> Vec<String> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a=mid:"))
        .map(str::to_owned)
        .collect()
}

fn at_rate(now: Instant, start: Instant, rate: u64) -> u64 {
    u64::try_from((now - start).as_micros()).unwrap() * rate / 1_000_000
}

pub fn sound(now: Instant, start: Instant) -> Frame {
    let rtp_time = at_rate(now, start, 48_000);
    let mut payload = vec![0x78; 80];
    payload[1..9].copy_from_slice(&rtp_time.to_be_bytes());
    Frame::sound(Arc::from(payload), rtp_time, now)
}

/// Looks like VP8 to whom reads only the frame tag; four packets long.
pub fn picture(now: Instant, start: Instant, keyframe: bool) -> Frame {
    let rtp_time = at_rate(now, start, 90_000);
    let mut payload = vec![0x5a; 4000];
    payload[0] = if keyframe { 0x10 } else { 0x11 };
    payload[1..9].copy_from_slice(&rtp_time.to_be_bytes());
    Frame::picture(Arc::from(payload), rtp_time, now, keyframe)
}
