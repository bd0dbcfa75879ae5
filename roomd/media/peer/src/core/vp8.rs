// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! RTP payloads of VP8 (RFC 7741), of frames that may be encrypted: nothing of a frame is read.

use crate::Temporal;

/// Bytes of the longest descriptor: the required one, what is present, a PictureID of 15 bits,
/// TL0PICIDX and TID.
const MAX_DESCRIPTOR: usize = 6;
/// Begins a frame (S bit).
const START: u8 = 0x10;
/// An extension follows (X bit).
const EXTENDED: u8 = 0x80;
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0PICIDX: u8 = 0x40;
const HAS_TID: u8 = 0x20;
/// The frame may be discarded (N bit).
const UNREFERENCED: u8 = 0x20;
const LONG: u8 = 0x80;

/// Numbers the pictures of one stream and splits them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pictures {
    /// Of the next picture, 15 bits.
    picture: u16,
    /// Of the last picture of temporal layer 0.
    tl0: u8,
}

impl Pictures {
    /// Begins with this number; a stream that others know already goes on with its own.
    pub(super) const fn new(picture: u16) -> Self {
        Self {
            picture: picture & 0x7fff,
            tl0: 0,
        }
    }

    /// Splits a frame into payloads of at most `mtu` bytes of about the same length.
    pub(super) fn split(
        &mut self,
        frame: &[u8],
        temporal: Option<Temporal>,
        mtu: usize,
    ) -> Vec<Vec<u8>> {
        let descriptor = self.descriptor(temporal);
        let room = mtu.saturating_sub(MAX_DESCRIPTOR).max(1);
        let count = frame.len().div_ceil(room).max(1);
        let chunks = frame.chunks(frame.len().div_ceil(count).max(1));
        let payloads = chunks.enumerate().map(|(index, chunk)| {
            let mut payload = Vec::with_capacity(MAX_DESCRIPTOR + chunk.len());
            payload.extend_from_slice(&descriptor);
            if index == 0 {
                payload[0] |= START;
            }
            payload.extend_from_slice(chunk);
            payload
        });
        payloads.collect()
    }

    fn descriptor(&mut self, temporal: Option<Temporal>) -> Vec<u8> {
        let [high, low] = self.picture.to_be_bytes();
        self.picture = self.picture.wrapping_add(1) & 0x7fff;
        let mut bytes = vec![EXTENDED, HAS_PICTURE_ID, LONG | high, low];
        if let Some(temporal) = temporal {
            let layer = temporal.layer.min(3);
            if layer == 0 {
                self.tl0 = self.tl0.wrapping_add(1);
            }
            if temporal.discardable {
                bytes[0] |= UNREFERENCED;
            }
            bytes[1] |= HAS_TL0PICIDX | HAS_TID;
            bytes.push(self.tl0);
            bytes.push(layer << 6 | u8::from(temporal.sync) << 5);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(payloads: &[Vec<u8>], descriptor: usize) -> Vec<u8> {
        payloads
            .iter()
            .flat_map(|payload| payload[descriptor..].to_vec())
            .collect()
    }

    #[test]
    fn splits_evenly_and_marks_the_begin() {
        let mut pictures = Pictures::new(0x1234);
        let frame: Vec<u8> = (0..2500u32).map(|byte| byte as u8).collect();
        let payloads = pictures.split(&frame, None, 1100);
        assert_eq!(payloads.len(), 3);
        assert_eq!(joined(&payloads, 4), frame);
        for (index, payload) in payloads.iter().enumerate() {
            let first = if index == 0 { 0x90 } else { 0x80 };
            assert_eq!(payload[..4], [first, 0x80, 0x92, 0x34]);
            assert!((830..=838).contains(&payload.len()));
        }
        // The next picture has the next number.
        let next = pictures.split(&[1], None, 1100);
        assert_eq!(next, [[0x90, 0x80, 0x92, 0x35, 1]]);
    }

    #[test]
    fn numbers_wrap_at_15_bits() {
        let mut pictures = Pictures::new(0x7fff);
        for number in [[0xff, 0xff], [0x80, 0]] {
            assert_eq!(pictures.split(&[1], None, 1100)[0][2..4], number);
        }
    }

    #[test]
    fn counts_pictures_of_the_lowest_temporal_layer() {
        let mut pictures = Pictures::new(0);
        let mut tail = |layer, sync| {
            let temporal = Some(Temporal {
                layer,
                sync,
                discardable: layer == 2,
            });
            pictures.split(&[9; 40], temporal, 1100)[0][..6].to_vec()
        };
        assert_eq!(tail(0, false), [0x90, 0xe0, 0x80, 0, 1, 0]);
        assert_eq!(tail(2, true), [0xb0, 0xe0, 0x80, 1, 1, 0xa0]);
        assert_eq!(tail(1, false), [0x90, 0xe0, 0x80, 2, 1, 0x40]);
        assert_eq!(tail(0, false), [0x90, 0xe0, 0x80, 3, 2, 0]);
    }

    #[test]
    fn any_size_ends_up_complete() {
        for len in [1, 2, 1093, 1094, 1095, 40_000] {
            for mtu in [0, 6, 7, 100, 1100] {
                let frame = vec![7; len];
                let payloads = Pictures::new(0).split(&frame, None, mtu);
                assert_eq!(joined(&payloads, 4), frame, "{len} {mtu}");
                let longest = payloads.iter().map(Vec::len).max();
                assert!(longest <= Some(mtu.max(7)), "{longest:?} {mtu}");
            }
        }
    }
}
