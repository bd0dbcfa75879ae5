// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Senders that take over an m-line, as servers do with lines that have become free, and lines whose
//! place is taken by another one.
//!
//! The transport puts an m-line's packets in order by their numbers, and goes on counting when its
//! offer names another sender, whose numbers begin anywhere: whatever seems older than the last packet
//! of the one before is dropped, for up to half of all numbers. So such a line is made anew.
//!
//! What is remembered of lines is bounded by forgetting what the transport has no line of: it has one
//! in each place, and a description has a bounded number of places.

use str0m::media::Mid;

use super::Core;

impl Core {
    /// Forgets the lines that have another sender from this offer on: m-line and SSRC.
    pub(super) fn take_over(&mut self, senders: &[(String, u32)]) {
        for (name, ssrc) in senders {
            let mid = Mid::from(name.as_str());
            let before = self.senders.get(&mid);
            if before.is_some_and(|before| before != ssrc) {
                self.rtc.direct_api().remove_media(mid);
            }
        }
        self.forget_gone();
    }

    /// Notes who sends from this offer on.
    pub(super) fn note_senders(&mut self, senders: &[(String, u32)]) {
        let known = senders.iter();
        let known = known.map(|(name, ssrc)| (Mid::from(name.as_str()), *ssrc));
        self.senders.extend(known);
    }

    /// Forgets the lines that the transport does not have any more. A line that is only stopped goes
    /// on with its numbers, should it ever return.
    pub(super) fn forget_gone(&mut self) {
        let rtc = &self.rtc;
        let stands = |mid: Mid| rtc.media(mid).is_some();
        self.lines.retain(|(mid, _), _| stands(*mid));
        self.packetisers.retain(|(mid, _), _| stands(*mid));
        self.groups.retain(|mid, _| stands(*mid));
        self.senders.retain(|mid, _| stands(*mid));
        self.told.retain(|mid, _| stands(*mid));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use roomd_conference::{PeerState, SdpKind};
    use roomd_model::Pii;

    use super::*;
    use crate::{Direction, Frame, Layers, MediaKind, NewLine, Offer, PeerCommand, PeerEvent};

    /// A server that sends pictures, a room that gets them, and no time lost between.
    struct Call {
        server: Core,
        room: Core,
        now: Instant,
        mid: String,
        tick: u64,
    }

    impl Call {
        fn new() -> Self {
            let now = Instant::now();
            let core = |port: u16| {
                let mut core = Core::new(now);
                core.add_local(now, ([127, 0, 0, 1], port).into(), None);
                core
            };
            let mut call = Self {
                server: core(4000),
                room: core(5000),
                now,
                mid: String::new(),
                tick: 0,
            };
            call.negotiate(Offer {
                add: vec![NewLine {
                    kind: MediaKind::Video,
                    direction: Direction::SendOnly,
                    layers: Layers::Single,
                }],
                ..Offer::default()
            });
            while call.room.state() != PeerState::Verified
                || call.server.state() != PeerState::Verified
            {
                call.step();
            }
            call
        }

        fn description(core: &mut Core) -> Pii<String> {
            loop {
                match core.poll_event() {
                    Some(PeerEvent::LocalDescription { sdp, .. }) => return sdp,
                    Some(_) => {}
                    None => panic!("no description"),
                }
            }
        }

        fn offer(&mut self, offer: Offer) -> Pii<String> {
            self.server
                .handle_command(self.now, PeerCommand::Offer(offer));
            Self::description(&mut self.server)
        }

        /// Gives the room an offer; its answer.
        fn answer(&mut self, sdp: Pii<String>) -> Pii<String> {
            let kind = SdpKind::Offer;
            let command = PeerCommand::RemoteDescription { kind, sdp };
            self.room.handle_command(self.now, command);
            Self::description(&mut self.room)
        }

        fn negotiate(&mut self, offer: Offer) {
            let sdp = self.offer(offer);
            let mut lines = sdp.expose().lines();
            let mid = lines.find_map(|line| line.strip_prefix("a=mid:"));
            self.mid = mid.unwrap().to_owned();
            let sdp = self.answer(sdp);
            let kind = SdpKind::Answer;
            let command = PeerCommand::RemoteDescription { kind, sdp };
            self.server.handle_command(self.now, command);
        }

        fn step(&mut self) {
            self.now += Duration::from_millis(10);
            for _ in 0..20 {
                while let Some(sent) = self.server.poll_transmit() {
                    let (from, to) = (sent.source, sent.destination);
                    self.room
                        .handle_datagram(self.now, from, to, &sent.contents);
                }
                while let Some(sent) = self.room.poll_transmit() {
                    let (from, to) = (sent.source, sent.destination);
                    self.server
                        .handle_datagram(self.now, from, to, &sent.contents);
                }
            }
            self.server.handle_timeout(self.now);
            self.room.handle_timeout(self.now);
        }

        /// Sends pictures; how many arrive.
        fn pictures(&mut self, count: u64) -> u64 {
            let mut arrived = 0;
            for _ in 0..count * 4 {
                self.tick += 1;
                if self.tick.is_multiple_of(4) {
                    let mut payload = vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 64, 0, 64, 0];
                    payload.extend([0; 50]);
                    let time = self.tick * 900;
                    let frame = Frame::picture(payload.into(), time, self.now, true);
                    let mid = self.mid.clone();
                    let write = PeerCommand::Write { mid, frame };
                    self.server.handle_command(self.now, write);
                }
                self.step();
                while let Some(event) = self.room.poll_event() {
                    arrived += u64::from(matches!(event, PeerEvent::Frame { .. }));
                }
            }
            arrived
        }

        /// Somebody else's pictures come on the same line; their numbers begin in the upper half of
        /// the SSRC.
        fn replace(&mut self, first: u16) {
            let mid = Mid::from(self.mid.as_str());
            let ssrc = u32::from(first) << 16;
            let mut api = self.server.rtc.direct_api();
            let old = api.stream_tx_by_mid(mid, None).unwrap().ssrc();
            api.remove_stream_tx(old);
            api.declare_stream_tx(ssrc.into(), Some((ssrc + 1).into()), mid, None);
            self.server.packetisers.clear();
            // Padding of the one before, which is under way, names the line too.
            while self.server.poll_transmit().is_some() {}
            self.negotiate(Offer::restart());
        }
    }

    #[test]
    fn pictures_of_every_sender_arrive() {
        let mut call = Call::new();
        assert!(call.pictures(10) > 5);
        for first in [30_000, 100, 20_000, 1] {
            call.replace(first);
            let arrived = call.pictures(20);
            assert!(arrived > 5, "of a sender from {first} on: {arrived}");
        }
    }

    #[test]
    fn a_line_that_gets_another_name_again_and_again_goes_on() {
        let mut call = Call::new();
        assert!(call.pictures(10) > 5);
        let (first, mut name) = (call.mid.clone(), call.mid.clone());
        let offer = call.offer(Offer::restart()).into_inner();
        let of = |name: &str| {
            let line = format!("a=mid:{first}\r\n");
            let offer = offer.replace(&line, &format!("a=mid:{name}\r\n"));
            offer.replace(&format!("BUNDLE {first}"), &format!("BUNDLE {name}"))
        };
        let ended = |name: &str| {
            let offer = of(name).replace("m=video 9 ", "m=video 0 ");
            offer.replace(&format!("BUNDLE {name}"), "BUNDLE")
        };
        for round in 0..300 {
            call.answer(Pii::new(ended(&name)));
            name = format!("n{round}");
            call.answer(Pii::new(of(&name)));
            let mid = name.clone();
            let request = PeerCommand::RequestKeyframe { mid, rid: None };
            call.room.handle_command(call.now, request);
            let (lines, senders) = (call.room.lines.len(), call.room.senders.len());
            assert_eq!((lines, senders), (1, 1), "{round}");
        }
        call.answer(Pii::new(ended(&name)));
        call.negotiate(Offer::restart());
        let arrived = call.pictures(20);
        assert!(arrived > 5, "{arrived}");
    }
}
