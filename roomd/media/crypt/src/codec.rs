// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What of a frame stays readable, because servers and packetisers look at it.

use crate::nal;

/// Clear bytes of a VP8 keyframe: frame tag, start code and size (RFC 6386, section 9.1).
const VP8_KEY: usize = 10;
/// Clear bytes of any other VP8 frame: the frame tag.
const VP8_DELTA: usize = 3;
/// The table of contents of an Opus packet (RFC 6716, section 3.1).
const OPUS: usize = 1;

/// The codec of a stream that can be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Sound.
    Opus,
    /// Video.
    Vp8,
    /// Video; nothing stays clear. LiveKit only.
    Vp9,
    /// Video in Annex B form, one access unit a frame. LiveKit only.
    H264,
}

impl Codec {
    /// How many bytes stay clear; none for what is no frame of this codec.
    pub(crate) fn clear_len(self, frame: &[u8]) -> Option<usize> {
        let clear = match self {
            Self::Opus => OPUS,
            Self::Vp8 if self.is_keyframe(frame) => VP8_KEY,
            Self::Vp8 => VP8_DELTA,
            Self::Vp9 => 0,
            Self::H264 => nal::first_slice(frame)? + nal::CLEAR_OF_SLICE,
        };
        (clear <= frame.len()).then_some(clear)
    }

    pub(crate) const fn is_video(self) -> bool {
        match self {
            Self::Opus => false,
            Self::Vp8 | Self::Vp9 | Self::H264 => true,
        }
    }

    /// Whether a readable frame needs no frame before it; of sound every packet is such.
    pub(crate) fn is_keyframe(self, frame: &[u8]) -> bool {
        match self {
            Self::Opus => true,
            Self::Vp8 => frame.first().is_some_and(|tag| tag & 1 == 0),
            Self::Vp9 => frame.first().is_some_and(|byte| vp9_key(*byte)),
            Self::H264 => nal::first_slice(frame)
                .and_then(|at| frame.get(at))
                .is_some_and(|header| nal::is_idr(*header)),
        }
    }
}

/// The first byte of a VP9 frame: marker 0b10, two bits of profile, a reserved bit in profile 3,
/// show-existing-frame, and zero for a keyframe (VP9 bitstream specification, section 6.2).
const fn vp9_key(byte: u8) -> bool {
    let skipped = if byte & 0x30 == 0x30 { 1 } else { 0 };
    let bits = byte << skipped;
    byte >> 6 == 0b10 && bits & 0b1100 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_codec_keeps_its_bytes_clear() {
        let table: &[(Codec, &[u8], Option<usize>)] = &[
            (Codec::Opus, &[0xf8], Some(1)),
            (Codec::Opus, &[], None),
            (Codec::Vp8, &[0x10; 10], Some(10)),
            (Codec::Vp8, &[0x10; 9], None),
            (Codec::Vp8, &[0x11; 3], Some(3)),
            (Codec::Vp8, &[0x11; 2], None),
            (Codec::Vp8, &[], None),
            (Codec::Vp9, &[0x82, 1], Some(0)),
            (Codec::Vp9, &[], Some(0)),
            (Codec::H264, &[0, 0, 0, 1, 0x65, 0x88, 0x84], Some(6)),
            (Codec::H264, &[0, 0, 0, 1, 0x65], None),
        ];
        for (codec, frame, clear) in table {
            assert_eq!(codec.clear_len(frame), *clear, "{codec:?} {frame:02x?}");
        }
    }

    #[test]
    fn keyframes_are_told_from_others() {
        let table: &[(Codec, &[u8], bool)] = &[
            (Codec::Opus, &[0xf8], true),
            (Codec::Vp8, &[0x10], true),
            (Codec::Vp8, &[0x11], false),
            (Codec::Vp9, &[0x82], true),
            (Codec::Vp9, &[0x86], false),
            (Codec::Vp9, &[0x8a], false),
            (Codec::Vp9, &[0b1011_0000], true),
            (Codec::Vp9, &[0b1011_0010], false),
            (Codec::Vp9, &[0x42], false),
            (Codec::H264, &[0, 0, 1, 0x65, 0x88], true),
            (Codec::H264, &[0, 0, 1, 0x41, 0x9a], false),
            (Codec::H264, &[], false),
        ];
        for (codec, frame, key) in table {
            assert_eq!(codec.is_keyframe(frame), *key, "{codec:?} {frame:02x?}");
        }
    }
}
