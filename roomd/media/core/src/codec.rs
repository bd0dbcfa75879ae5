// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The codecs of received pictures, and the sizes that their keyframes announce.
//!
//! Only what decides whether a picture may reach a decoder is read here: is it a keyframe, and how
//! large does it say it is. Whatever cannot be read is no keyframe.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitReader, decode_nal};

/// How pictures are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// RFC 6386.
    Vp8,
    /// Profile 0.
    Vp9,
    /// ITU-T H.264, constrained baseline, as an Annex B byte stream.
    H264,
}

/// Longest sequence parameter set that is read, in bytes; real ones have less than 100.
const MAX_SPS: usize = 512;
/// NAL unit types (ITU-T H.264, table 7-1).
const IDR: u8 = 5;
const SPS: u8 = 7;

impl VideoCodec {
    /// Width and height that a keyframe announces; none for any other payload.
    #[must_use]
    pub fn keyframe_size(self, payload: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Vp8 => vp8(payload),
            Self::Vp9 => vp9(payload),
            Self::H264 => h264(payload),
        }
    }
}

/// RFC 6386, section 9.1.
fn vp8(payload: &[u8]) -> Option<(u32, u32)> {
    let [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *payload else {
        return None;
    };
    if tag & 1 != 0 {
        return None;
    }
    let width = u16::from_le_bytes([w0, w1]) & 0x3fff;
    let height = u16::from_le_bytes([h0, h1]) & 0x3fff;
    Some((u32::from(width), u32::from(height)))
}

/// The uncompressed header of profile 0 (VP9 bitstream specification, section 6.2).
fn vp9(payload: &[u8]) -> Option<(u32, u32)> {
    const MARKER: u32 = 0b10;
    const SYNC: u32 = 0x49_83_42;
    const RGB: u32 = 7;
    let mut bits = Bits { payload, at: 0 };
    let (marker, profile, existing) = (bits.take(2)?, bits.take(2)?, bits.take(1)?);
    let (inter, _shown, _resilient) = (bits.take(1)?, bits.take(1)?, bits.take(1)?);
    if marker != MARKER || profile != 0 || existing == 1 || inter == 1 {
        return None;
    }
    if bits.take(24)? != SYNC || bits.take(3)? == RGB {
        return None;
    }
    let _range = bits.take(1)?;
    Some((bits.take(16)? + 1, bits.take(16)? + 1))
}

/// An access unit with an IDR picture and the parameters that it needs.
fn h264(payload: &[u8]) -> Option<(u32, u32)> {
    let kind = |unit: &&[u8], wanted: u8| unit.first().is_some_and(|head| head & 31 == wanted);
    if !units(payload).any(|unit| kind(&unit, IDR)) {
        return None;
    }
    let parameters = units(payload).find(|unit| kind(unit, SPS))?;
    // Zeros at the end belong to the start code that follows.
    let end = parameters.iter().rposition(|byte| *byte != 0)? + 1;
    let parameters = parameters.get(..end.min(MAX_SPS))?;
    let bytes = decode_nal(parameters).ok()?;
    let parameters = SeqParameterSet::from_bits(BitReader::new(&bytes[..])).ok()?;
    parameters.pixel_dimensions().ok()
}

/// The NAL units of a byte stream (ITU-T H.264, annex B).
fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        let start = start_code(rest)? + 3;
        rest = rest.get(start..)?;
        let end = start_code(rest).unwrap_or(rest.len());
        let (unit, tail) = rest.split_at(end);
        rest = tail;
        Some(unit)
    })
}

fn start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(3).position(|bytes| bytes == [0, 0, 1])
}

struct Bits<'a> {
    payload: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next so many bits, 32 at the most.
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.payload.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parameters of a 640x360 picture as OpenH264 writes them.
    const SPS_640_360: [u8; 15] = [
        0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a,
    ];

    fn vp9_key(width: u16, height: u16) -> Vec<u8> {
        let size = u32::from(width - 1) << 16 | u32::from(height - 1);
        // Marker, profile 0, a shown keyframe; the sync code; colour space 1, its range; the size.
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |value: u32, count: u32| {
            bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        };
        put(0b1000_0010, 8);
        put(0x49_83_42, 24);
        put(0b0010, 4);
        put(size, 32);
        put(0, 4);
        let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        bits.chunks(8).map(byte).collect()
    }

    #[test]
    fn keyframes_say_their_size() {
        let vp8 = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0];
        assert_eq!(VideoCodec::Vp8.keyframe_size(&vp8), Some((640, 360)));
        let vp9 = vp9_key(1280, 720);
        assert_eq!(VideoCodec::Vp9.keyframe_size(&vp9), Some((1280, 720)));
        let start = [0, 0, 0, 1];
        let h264 = [&start[..], &SPS_640_360, &start, &[0x65, 0x88, 0x84]].concat();
        assert_eq!(VideoCodec::H264.keyframe_size(&h264), Some((640, 360)));
    }

    #[test]
    fn other_pictures_are_no_keyframes() {
        assert_eq!(VideoCodec::Vp8.keyframe_size(&[0x11; 12]), None);
        let mut inter = vp9_key(1280, 720);
        inter[0] |= 0b100;
        assert_eq!(VideoCodec::Vp9.keyframe_size(&inter), None);
        let slice = [0, 0, 1, 0x41, 0x9a, 0x22];
        assert_eq!(VideoCodec::H264.keyframe_size(&slice), None);
        let lonely = [0, 0, 1, 0x65, 0x88, 0x84];
        assert_eq!(
            VideoCodec::H264.keyframe_size(&lonely),
            None,
            "no parameters"
        );
    }

    proptest! {
        #[test]
        fn anything_can_be_read_and_no_size_is_beyond_its_field(
            payload: Vec<u8>,
            mut stream: Vec<u8>,
        ) {
            let fits = |size: Option<(u32, u32)>| size.is_none_or(|(w, h)| w.max(h) <= 1 << 16);
            prop_assert!(fits(VideoCodec::Vp8.keyframe_size(&payload)));
            prop_assert!(fits(VideoCodec::Vp9.keyframe_size(&payload)));
            prop_assert_eq!(VideoCodec::H264.keyframe_size(&payload), None);
            stream.splice(0..0, [0, 0, 1, 0x65, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e]);
            let size = VideoCodec::H264.keyframe_size(&stream);
            prop_assert!(size.is_none_or(|(w, h)| w >= 1 && h >= 1));
        }
    }
}
