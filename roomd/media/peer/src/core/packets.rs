// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The packets of one stream of pictures. They are numbered here, whatever codec a picture has: a
//! stream that changes its codec goes on without a gap.

use super::{h264, vp8};
use crate::{Codec, Frame};

/// Splits and numbers the pictures of one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packetiser {
    vp8: vp8::Pictures,
    /// Of the next packet.
    sequence: u64,
}

/// One packet's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) sequence: u64,
    pub(super) payload: Vec<u8>,
    /// The last one of its frame.
    pub(super) last: bool,
}

impl Packetiser {
    /// Begins with these numbers; a stream that others know already goes on with its own.
    pub(super) const fn new(picture: u16, sequence: u16) -> Self {
        Self {
            vp8: vp8::Pictures::new(picture),
            // Below 2^15, so that the first packets cannot be taken for a wrapped number.
            sequence: (sequence & 0x7fff) as u64,
        }
    }

    /// Splits a picture into payloads of at most `mtu` bytes; none for a codec that is not sent.
    pub(super) fn split(&mut self, frame: &Frame, mtu: usize) -> Vec<Packet> {
        let payloads = match frame.codec {
            Codec::Vp8 => self.vp8.split(&frame.payload, frame.temporal, mtu),
            Codec::H264 => h264::split(&frame.payload, mtu),
            Codec::Opus | Codec::Vp9 => Vec::new(),
        };
        let count = payloads.len();
        let packets = payloads.into_iter().enumerate().map(|(index, payload)| {
            let packet = Packet {
                sequence: self.sequence,
                payload,
                last: index + 1 == count,
            };
            self.sequence += 1;
            packet
        });
        packets.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn numbers_go_on_when_the_codec_changes() {
        let mut packetiser = Packetiser::new(0, 0x8007);
        let vp8 = Frame::picture(Arc::from([7; 2500]), 0, Instant::now(), true);
        let h264 = Frame {
            codec: Codec::H264,
            payload: Arc::from([&[0, 0, 1, 0x65][..], &[7; 2500]].concat()),
            ..vp8.clone()
        };
        let mut numbers = Vec::new();
        for frame in [&vp8, &h264, &vp8] {
            let packets = packetiser.split(frame, 1100);
            let last: Vec<bool> = packets.iter().map(|packet| packet.last).collect();
            assert_eq!(last, [false, false, true]);
            numbers.extend(packets.iter().map(|packet| packet.sequence));
        }
        assert_eq!(numbers, (7..16).collect::<Vec<_>>());
        let none = Frame {
            codec: Codec::Vp9,
            ..vp8
        };
        assert_eq!(packetiser.split(&none, 1100), []);
    }
}
