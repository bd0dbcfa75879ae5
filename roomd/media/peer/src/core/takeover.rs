// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Senders that take over an m-line, as servers do with lines that have become free.
//!
//! The transport puts an m-line's packets in order by their numbers, and goes on counting when its
//! offer names another sender, whose numbers begin anywhere: whatever seems older than the last packet
//! of the one before is dropped, for up to half of all numbers. So such a line is made anew.

use str0m::media::Mid;

use super::Core;

/// Most m-lines whose senders are remembered.
const MAX_REMEMBERED: usize = 256;

impl Core {
    /// Forgets the lines that have another sender from this offer on: m-line and SSRC.
    pub(super) fn take_over(&mut self, senders: &[(String, u32)]) {
        for (name, ssrc) in senders {
            let mid = Mid::from(name.as_str());
            if self.senders.len() >= MAX_REMEMBERED && !self.senders.contains_key(&mid) {
                continue;
            }
            let before = self.senders.insert(mid, *ssrc);
            if before.is_some_and(|before| before != *ssrc) {
                self.rtc.direct_api().remove_media(mid);
                self.lines.retain(|(of, _), _| *of != mid);
                self.told.remove(&mid);
            }
        }
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

        fn negotiate(&mut self, offer: Offer) {
            self.server
                .handle_command(self.now, PeerCommand::Offer(offer));
            let sdp = Self::description(&mut self.server);
            let mut lines = sdp.expose().lines();
            let mid = lines.find_map(|line| line.strip_prefix("a=mid:"));
            self.mid = mid.unwrap().to_owned();
            let kind = SdpKind::Offer;
            let command = PeerCommand::RemoteDescription { kind, sdp };
            self.room.handle_command(self.now, command);
            let sdp = Self::description(&mut self.room);
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
}
