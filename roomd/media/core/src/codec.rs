// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The codecs of received pictures, and the sizes that their keyframes announce.
//!
//! Only what decides whether a picture may reach a decoder is read here: is it a keyframe, and how
//! large does it say it is. Whatever cannot be read is no keyframe.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitReader, decode_nal};

use crate::frame;

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

    /// Profile, constraints and level of a H.264 access unit with parameters, as in
    /// `profile-level-id` (RFC 6184, section 8.1); none for anything else.
    #[must_use]
    pub fn profile_level(self, payload: &[u8]) -> Option<[u8; 3]> {
        match self {
            Self::Vp8 | Self::Vp9 => None,
            Self::H264 => {
                let mut units = units(payload);
                let parameters = units.find(|unit| unit.first().is_some_and(|it| it & 31 == SPS));
                parameters?.get(1..4)?.try_into().ok()
            }
        }
    }

    /// What to decode in place of a payload that says less about itself than a decoder reads: a VP9
    /// decoder takes whatever follows a frame for the next one, unseen, unless an index (VP9 bitstream
    /// specification, annex B) says that there is one frame. None where the payload is as it should be.
    #[must_use]
    pub fn bounded(self, payload: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Vp8 | Self::H264 => None,
            Self::Vp9 if vp9_index(payload).is_some() => None,
            Self::Vp9 => {
                // One frame, its length in four bytes.
                const MARK: u8 = 0xc0 | 3 << 3;
                let length = u32::try_from(payload.len()).ok()?.to_le_bytes();
                let index = [MARK, length[0], length[1], length[2], length[3], MARK];
                Some([payload, &index].concat())
            }
        }
    }

    /// Whether every size that a payload announces fits, those of hidden frames and of parameters
    /// that no picture uses yet included. What VP9 and H.264 hide so that it cannot be read does not
    /// fit.
    #[must_use]
    pub fn fits(self, payload: &[u8]) -> bool {
        let fits = |size: Option<(u32, u32)>| size.is_some_and(|(w, h)| frame::fits(w, h));
        match self {
            Self::Vp8 => vp8(payload).is_none_or(|(w, h)| frame::fits(w, h)),
            Self::Vp9 => vp9_frames(payload).all(|frame| match vp9_header(frame) {
                Some(Vp9::Key(w, h) | Vp9::Sized(w, h)) => frame::fits(w, h),
                Some(Vp9::Unsized) => true,
                None => false,
            }),
            Self::H264 => units(payload)
                .filter(|unit| unit.first().is_some_and(|head| head & 31 == SPS))
                .all(|unit| fits(h264_size(unit))),
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

/// The size that a keyframe of profile 0 announces.
fn vp9(payload: &[u8]) -> Option<(u32, u32)> {
    match vp9_header(vp9_frames(payload).next()?)? {
        Vp9::Key(width, height) => Some((width, height)),
        Vp9::Sized(..) | Vp9::Unsized => None,
    }
}

/// What a VP9 frame says of its size.
enum Vp9 {
    Key(u32, u32),
    /// A frame that refers to others and has a size of its own.
    Sized(u32, u32),
    /// One that has the size of a frame that it refers to.
    Unsized,
}

/// The uncompressed header of profile 0 (VP9 bitstream specification, section 6.2); none for
/// anything else.
fn vp9_header(frame: &[u8]) -> Option<Vp9> {
    const MARKER: u32 = 0b10;
    const SYNC: u32 = 0x49_83_42;
    const RGB: u32 = 7;
    const REFERENCES: usize = 3;
    let mut bits = Bits {
        payload: frame,
        at: 0,
    };
    let (marker, profile, existing) = (bits.take(2)?, bits.take(2)?, bits.take(1)?);
    if marker != MARKER || profile != 0 {
        return None;
    }
    if existing == 1 {
        return Some(Vp9::Unsized);
    }
    let (inter, shown, resilient) = (bits.take(1)?, bits.take(1)?, bits.take(1)?);
    if inter == 0 {
        let (sync, space, _range) = (bits.take(24)?, bits.take(3)?, bits.take(1)?);
        let size = (bits.take(16)? + 1, bits.take(16)? + 1);
        return (sync == SYNC && space != RGB).then_some(Vp9::Key(size.0, size.1));
    }
    let intra = shown == 0 && bits.take(1)? == 1;
    let _reset = if resilient == 0 { bits.take(2)? } else { 0 };
    if intra && bits.take(24)? != SYNC {
        return None;
    }
    let _refreshed = bits.take(8)?;
    if !intra {
        let _references = bits.take(4 * REFERENCES)?;
        for _ in 0..REFERENCES {
            if bits.take(1)? == 1 {
                return Some(Vp9::Unsized);
            }
        }
    }
    Some(Vp9::Sized(bits.take(16)? + 1, bits.take(16)? + 1))
}

/// The frames of a payload, several where it is a superframe (VP9 bitstream specification, annex B).
fn vp9_frames(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let index = vp9_index(payload);
    let single = index.is_none().then_some(payload);
    let mut rest = payload;
    let parts = index.into_iter().flatten().map(move |length| {
        let (frame, others) = rest.split_at(length.min(rest.len()));
        rest = others;
        frame
    });
    // One of no length says nothing.
    single
        .into_iter()
        .chain(parts.filter(|frame| !frame.is_empty()))
}

/// The lengths of a superframe's frames, in bytes.
fn vp9_index(payload: &[u8]) -> Option<Vec<usize>> {
    let mark = *payload.last().filter(|mark| *mark & 0xe0 == 0xc0)?;
    let (count, width) = (usize::from(mark & 7) + 1, usize::from(mark >> 3 & 3) + 1);
    let index = payload.get(payload.len().checked_sub(2 + count * width)?..)?;
    let lengths = index.strip_prefix(&[mark])?.get(..count * width)?;
    let length = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    Some(lengths.chunks(width).map(length).collect())
}

/// An access unit with an IDR picture and the parameters that it needs.
fn h264(payload: &[u8]) -> Option<(u32, u32)> {
    let kind = |unit: &&[u8], wanted: u8| unit.first().is_some_and(|head| head & 31 == wanted);
    if !units(payload).any(|unit| kind(&unit, IDR)) {
        return None;
    }
    h264_size(units(payload).find(|unit| kind(unit, SPS))?)
}

/// The size in a sequence parameter set.
fn h264_size(parameters: &[u8]) -> Option<(u32, u32)> {
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
        let level = Some([0x42, 0xc0, 0x1e]);
        assert_eq!(VideoCodec::H264.profile_level(&h264), level);
        assert_eq!(VideoCodec::H264.profile_level(&h264[..7]), None);
        assert_eq!(VideoCodec::Vp8.profile_level(&h264), None);
    }

    /// A frame that refers to three others and has a size of its own.
    fn vp9_sized(width: u16, height: u16) -> Vec<u8> {
        let size = u64::from(width - 1) << 16 | u64::from(height - 1);
        // Marker, profile 0, a shown and resilient frame; what it refreshes; three references;
        // none of their sizes; its own.
        let bits = 0b1000_0111_u64 << 56 | 0xff << 48 | 0b0000_0010_0100 << 36 | size << 1;
        let mut bytes = bits.to_be_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn giants_are_found_wherever_they_hide() {
        let superframe = |frames: [Vec<u8>; 2]| {
            let mark = 0b1100_1001;
            let length = |frame: &[u8]| (frame.len() as u16).to_le_bytes();
            let index = [
                &[mark][..],
                &length(&frames[0]),
                &length(&frames[1]),
                &[mark],
            ]
            .concat();
            [frames.concat(), index].concat()
        };
        let check = |codec: VideoCodec, payload: &[u8], fits: bool| {
            assert_eq!(codec.fits(payload), fits, "{codec:?} {payload:02x?}");
        };
        check(VideoCodec::Vp9, &vp9_key(1280, 720), true);
        check(VideoCodec::Vp9, &vp9_key(8192, 8192), false);
        check(VideoCodec::Vp9, &vp9_sized(1280, 720), true);
        check(VideoCodec::Vp9, &vp9_sized(32_768, 16_384), false);
        let small = || vp9_key(1280, 720);
        check(
            VideoCodec::Vp9,
            &superframe([small(), vp9_sized(640, 360)]),
            true,
        );
        check(
            VideoCodec::Vp9,
            &superframe([small(), vp9_key(65_535, 65_535)]),
            false,
        );
        assert_eq!(
            VideoCodec::Vp9.keyframe_size(&superframe([small(), small()])),
            Some((1280, 720))
        );
        check(
            VideoCodec::Vp9,
            &[0b1010_0000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            false,
        );
        let start = [0, 0, 0, 1];
        let good = [&start[..], &SPS_640_360].concat();
        check(VideoCodec::H264, &good, true);
        check(
            VideoCodec::H264,
            &[&good[..], &start, &[0x67, 0x42, 0xc0]].concat(),
            false,
        );
        check(VideoCodec::H264, &[0, 0, 1, 0x41, 0x9a, 0x22], true);
    }

    #[test]
    fn what_follows_a_vp9_frame_is_not_decoded() {
        let mut payload = vp9_key(640, 360);
        payload.extend(vp9_key(16384, 16384));
        let bounded = VideoCodec::Vp9.bounded(&payload).unwrap();
        assert_eq!(vp9_index(&bounded), Some(vec![payload.len()]));
        assert_eq!(bounded[..payload.len()], payload);
        assert_eq!(VideoCodec::Vp9.bounded(&bounded), None, "has its index");
        assert_eq!(VideoCodec::Vp8.bounded(&payload), None);
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
