// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A peer that is not ours: the bare transport, which sends what our backend never does.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use roomd_conference::{PeerState, SdpKind};
use roomd_model::Pii;
use roomd_peer::{Codec, Dropped, Offer, Peer, PeerCommand, PeerEvent, Transmit};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::conformance::Check;
use crate::net::{A, B, Net, mids, picture};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) const CHECKS: &[Check] = &[("VP9 is received whole", vp9_is_received_whole)];

/// Offers one line of VP9 and sends on it.
struct Vp9Sender {
    rtc: Rtc,
    wake: Instant,
    pending: Option<SdpPendingOffer>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<PeerEvent>,
}

fn vp9_sender(now: Instant) -> Box<dyn Peer> {
    let rtc = Rtc::builder().clear_codecs().enable_vp9(true).build(now);
    Box::new(Vp9Sender {
        rtc,
        wake: now,
        pending: None,
        transmits: VecDeque::new(),
        events: VecDeque::new(),
    })
}

impl Vp9Sender {
    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => {
                    self.wake = at;
                    return;
                }
                Output::Transmit(transmit) => self.transmits.push_back(Transmit {
                    source: transmit.source,
                    destination: transmit.destination,
                    contents: transmit.contents.into(),
                }),
                Output::Event(Event::Connected) => {
                    self.events.push_back(PeerEvent::State(PeerState::Verified));
                }
                Output::Event(Event::KeyframeRequest(request)) => {
                    self.events.push_back(PeerEvent::KeyframeWanted {
                        mid: request.mid.to_string(),
                        rid: None,
                    });
                }
                Output::Event(_) => {}
            }
        }
    }
}

impl Peer for Vp9Sender {
    fn add_local(&mut self, _: Instant, base: SocketAddr, _: Option<SocketAddr>) {
        let candidate = Candidate::host(base, Protocol::Udp).unwrap();
        self.rtc.add_local_candidate(candidate);
        self.drain();
    }

    fn add_relayed(&mut self, _: Instant, _: SocketAddr, _: SocketAddr) {}

    fn remove_relayed(&mut self, _: Instant, _: SocketAddr) {}

    fn replace_locals(&mut self, _: Instant, _: &[(SocketAddr, Option<SocketAddr>)]) {}

    fn fingerprint(&self, _: &str) -> Option<String> {
        None
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain();
    }

    fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
    ) {
        let receive = Receive::new(Protocol::Udp, source, destination, contents).unwrap();
        self.rtc.handle_input(Input::Receive(now, receive)).unwrap();
        self.drain();
    }

    fn handle_command(&mut self, now: Instant, command: PeerCommand) {
        match command {
            PeerCommand::Offer(_) => {
                let mut changes = self.rtc.sdp_api();
                changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
                let (offer, pending) = changes.apply().unwrap();
                self.pending = Some(pending);
                self.events.push_back(PeerEvent::LocalDescription {
                    kind: SdpKind::Offer,
                    sdp: Pii::new(offer.to_sdp_string()),
                });
            }
            PeerCommand::RemoteDescription { sdp, .. } => {
                let answer = SdpAnswer::from_sdp_string(sdp.expose()).unwrap();
                let pending = self.pending.take().unwrap();
                self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
            }
            PeerCommand::Write { mid, frame } => {
                let writer = self.rtc.writer(Mid::from(mid.as_str())).unwrap();
                let pt = writer.payload_params().next().unwrap().pt();
                let time = MediaTime::new(frame.rtp_time, Frequency::NINETY_KHZ);
                writer.write(pt, now, time, frame.payload).unwrap();
            }
            _ => {}
        }
        self.drain();
        self.handle_timeout(now);
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    fn poll_event(&mut self) -> Option<PeerEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.wake)
    }

    fn state(&self) -> PeerState {
        PeerState::Connecting
    }

    fn is_ended(&self) -> bool {
        false
    }

    fn dropped(&self) -> Dropped {
        Dropped::default()
    }
}

/// The uncompressed header of a picture of 640 by 360, and something that fills two packets.
fn vp9(keyframe: bool, number: u8) -> Vec<u8> {
    let mut bytes = if keyframe {
        vec![0x82, 0x49, 0x83, 0x42, 0x20, 0x27, 0xf0, 0x16, 0x70]
    } else {
        vec![0x86, 0x00]
    };
    bytes.resize(2000, number);
    bytes
}

fn vp9_is_received_whole(net: Net) {
    let mut net = Net::between(vp9_sender, net.makes[B]);
    net.command(A, PeerCommand::Offer(Offer::default()));
    let offer = net.ends[A].described[0].1.clone();
    net.describe(B, SdpKind::Offer, offer);
    let answer = net.ends[B].described[0].1.clone();
    assert!(
        answer.contains("VP9/90000") && !answer.contains("VP8"),
        "{answer}"
    );
    assert!(!answer.contains("profile-id=2"), "only profile 0");
    let mid = mids(&answer)[0].clone();
    net.describe(A, SdpKind::Answer, answer);
    net.run(2 * SECOND);
    assert_eq!(net.ends[B].states, [PeerState::Verified]);
    assert_eq!(net.ends[B].lines[0].codecs, [], "VP9 is never sent");
    for number in 0..20 {
        let mut frame = picture(net.now, net.start, number == 0);
        frame.payload = vp9(number == 0, number).into();
        let mid = mid.clone();
        net.command(A, PeerCommand::Write { mid, frame });
        net.run(Duration::from_millis(40));
    }
    net.run(SECOND);
    assert_eq!(net.ends[B].frames.len(), 20);
    for (number, (_, frame)) in net.ends[B].frames.iter().enumerate() {
        assert_eq!(frame.codec, Codec::Vp9);
        assert_eq!(frame.payload[..], vp9(number == 0, number as u8)[..]);
        assert_eq!(frame.keyframe, number == 0, "{number}");
        assert!(frame.contiguous);
    }
    net.command(B, PeerCommand::RequestKeyframe { mid, rid: None });
    net.run(Duration::from_millis(300));
    assert_eq!(net.ends[A].keyframes_wanted.len(), 1);
}
