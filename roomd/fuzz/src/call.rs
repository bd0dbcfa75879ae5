// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A call in virtual time between the connection under test and a hostile peer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use roomd_conference::{PeerState, SdpKind};
use roomd_model::Pii;
use roomd_peer::{Core, DataChannel, Frame, MediaKind, Offer, PeerCommand, PeerEvent};
use str0m::change::SdpOffer;
use str0m::media::Mid;
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Input, Output, Rtc};

use crate::hostile;

/// Most events and datagrams that one datagram of the peer may cause.
const MOST_CAUSED: usize = 2000;
/// Most datagrams each way at one moment.
const MOST_ROUNDS: usize = 400;
const OPUS: u8 = 111;

/// An RTP packet as the hostile peer sends it.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) pt: u8,
    pub(crate) sequence: u64,
    pub(crate) time: u32,
    pub(crate) marker: bool,
    pub(crate) extensions: ExtensionValues,
    pub(crate) payload: Vec<u8>,
}

type Damage = Box<dyn FnMut(&mut Vec<u8>)>;

/// Both ends and the clock.
pub(crate) struct Call {
    pub(crate) now: Instant,
    pub(crate) core: Core,
    pub(crate) address: SocketAddr,
    pub(crate) peer: Rtc,
    pub(crate) peer_address: SocketAddr,
    /// Sound and picture.
    pub(crate) mids: [String; 2],
    /// SSRCs of the connection under test.
    pub(crate) ssrcs: Vec<u32>,
    pub(crate) frames: Vec<(String, Frame)>,
    pub(crate) messages: usize,
    pub(crate) keyframes_wanted: usize,
    /// Sent by the peer, in order.
    sound: u32,
    /// Every datagram of the peer passes here first.
    damage: Option<Damage>,
}

impl Call {
    /// Offer and answer are exchanged; nothing else has been.
    pub(crate) fn described() -> Self {
        let now = Instant::now();
        let (address, peer_address) = (local(1), local(2));
        let mut core = Core::new(now);
        core.add_local(now, address, None);
        core.handle_command(now, PeerCommand::OpenChannel(DataChannel::named("data")));
        let offer = Offer::of(&[MediaKind::Audio, MediaKind::Video]);
        core.handle_command(now, PeerCommand::Offer(offer));
        let offer = description(&mut core);
        let mut peer = Rtc::builder()
            .set_crypto_provider(std::sync::Arc::new(hostile::provider()))
            .enable_bwe(None)
            .build(now);
        let candidate = Candidate::host(peer_address, Protocol::Udp).unwrap();
        peer.add_local_candidate(candidate);
        let read = SdpOffer::from_sdp_string(&offer).unwrap();
        let answer = peer.sdp_api().accept_offer(read).unwrap().to_sdp_string();
        let mut call = Self {
            now,
            core,
            address,
            peer,
            peer_address,
            mids: mids(&offer),
            ssrcs: ssrcs(&offer),
            frames: Vec::new(),
            messages: 0,
            keyframes_wanted: 0,
            sound: 0,
            damage: None,
        };
        call.command(PeerCommand::RemoteDescription {
            kind: SdpKind::Answer,
            sdp: Pii::new(answer),
        });
        call
    }

    /// A call that is verified.
    pub(crate) fn verified() -> Self {
        let mut call = Self::described();
        call.run(Duration::from_secs(1));
        assert_eq!(call.core.state(), PeerState::Verified);
        call
    }

    /// Changes what the peer sends from now on.
    pub(crate) fn damage(&mut self, damage: impl FnMut(&mut Vec<u8>) + 'static) {
        self.damage = Some(Box::new(damage));
    }

    pub(crate) fn mend(&mut self) {
        self.damage = None;
    }

    pub(crate) fn command(&mut self, command: PeerCommand) {
        self.core.handle_command(self.now, command);
    }

    /// A datagram that claims to be the peer's.
    pub(crate) fn inject(&mut self, contents: &[u8]) {
        self.core
            .handle_datagram(self.now, self.peer_address, self.address, contents);
        self.take_events();
    }

    /// Lets the time pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        loop {
            let wake = self.settle();
            let next = [wake, self.core.poll_timeout()];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next < until) else {
                break;
            };
            self.now = next.max(self.now + Duration::from_millis(1));
            // The peer may have ended.
            let _ = self.peer.handle_input(Input::Timeout(self.now));
            self.core.handle_timeout(self.now);
        }
        self.now = until;
        let _ = self.peer.handle_input(Input::Timeout(self.now));
        self.core.handle_timeout(self.now);
        self.settle();
    }

    /// Carries datagrams until there are none.
    fn settle(&mut self) -> Option<Instant> {
        for _ in 0..MOST_ROUNDS {
            let (sent, wake) = self.drain_peer();
            for mut contents in sent {
                if let Some(damage) = &mut self.damage {
                    damage(&mut contents);
                }
                self.inject(&contents);
            }
            let mut answered = 0;
            while let Some(transmit) = self.core.poll_transmit() {
                answered += 1;
                assert!(answered <= MOST_CAUSED, "too many answers");
                if transmit.destination == self.peer_address {
                    self.give_peer(&transmit.contents);
                }
            }
            if answered == 0 {
                return wake;
            }
        }
        // Both may answer each other for ever, which costs no more than what arrives.
        None
    }

    fn drain_peer(&mut self) -> (Vec<Vec<u8>>, Option<Instant>) {
        let mut sent = Vec::new();
        for _ in 0..MOST_CAUSED {
            match self.peer.poll_output() {
                Ok(Output::Timeout(at)) => return (sent, Some(at)),
                Ok(Output::Transmit(transmit)) => sent.push(transmit.contents.into()),
                Ok(Output::Event(_)) => {}
                Err(_) => break,
            }
        }
        (sent, None)
    }

    fn give_peer(&mut self, contents: &[u8]) {
        let (from, to) = (self.address, self.peer_address);
        if let Ok(receive) = Receive::new(Protocol::Udp, from, to, contents) {
            // What the peer thinks of it is its own affair.
            let _ = self.peer.handle_input(Input::Receive(self.now, receive));
        }
    }

    fn take_events(&mut self) {
        let mut caused = 0;
        while let Some(event) = self.core.poll_event() {
            caused += 1;
            assert!(caused <= MOST_CAUSED, "too many events");
            if let PeerEvent::Frame { mid, frame } = event {
                self.frames.push((mid, frame));
            } else if matches!(event, PeerEvent::Message { .. }) {
                self.messages += 1;
            } else if matches!(event, PeerEvent::KeyframeWanted { .. }) {
                self.keyframes_wanted += 1;
            }
        }
    }

    /// The peer sends a packet on an m-line.
    pub(crate) fn send(&mut self, mid: &str, packet: Packet) {
        let now = self.now;
        let mut api = self.peer.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(Mid::from(mid), None) {
            let sequence = packet.sequence.into();
            let write = RtpWrite::new(packet.pt.into(), sequence, packet.time, now, packet.payload)
                .marker(packet.marker)
                .ext_vals(packet.extensions);
            stream.write_rtp(write);
        }
        let _ = self.peer.handle_input(Input::Timeout(now));
    }

    /// Whether the sound of the peer still arrives.
    pub(crate) fn sound_arrives(&mut self) -> bool {
        let mid = self.mids[0].clone();
        let before = self.frames.len();
        for _ in 0..10 {
            self.sound += 1;
            let packet = Packet {
                pt: OPUS,
                sequence: u64::from(self.sound),
                time: self.sound * 960,
                marker: false,
                extensions: ExtensionValues::default(),
                payload: vec![0x78; 40],
            };
            self.send(&mid, packet);
            self.run(Duration::from_millis(20));
        }
        let heard = self.frames[before..]
            .iter()
            .filter(|(line, _)| *line == mid);
        heard.count() >= 5
    }
}

/// Takes what the core says, which must stay bounded.
pub(crate) fn events(core: &mut Core) -> Vec<PeerEvent> {
    let mut transmits = 0;
    while core.poll_transmit().is_some() {
        transmits += 1;
        assert!(transmits <= MOST_CAUSED, "too many datagrams");
    }
    let events: Vec<_> = std::iter::from_fn(|| core.poll_event()).collect();
    assert!(events.len() <= MOST_CAUSED, "too many events");
    events
}

/// The description that the core made last.
pub(crate) fn description(core: &mut Core) -> String {
    let described = events(core).into_iter().filter_map(|event| {
        if let PeerEvent::LocalDescription { sdp, .. } = event {
            Some(sdp.into_inner())
        } else {
            None
        }
    });
    described.last().expect("a description")
}

pub(crate) fn local(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5000))
}

/// The names of the m-lines of sound and picture.
fn mids(sdp: &str) -> [String; 2] {
    ["audio", "video"].map(|kind| {
        let line = sdp.split("m=").find(|line| line.starts_with(kind));
        let mut lines = line.unwrap_or_default().lines();
        let mid = lines.find_map(|line| line.strip_prefix("a=mid:"));
        mid.expect("the line has a name").to_owned()
    })
}

fn ssrcs(sdp: &str) -> Vec<u32> {
    let lines = sdp.lines().filter_map(|line| line.strip_prefix("a=ssrc:"));
    let mut all: Vec<u32> = lines
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_makes_a_call_whose_sound_arrives() {
        let mut call = Call::verified();
        assert!(call.sound_arrives());
        assert_eq!(call.ssrcs.len(), 3);
    }
}
