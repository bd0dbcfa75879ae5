// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What LiveKit's server and clients add to frames outside the encryption.

use sha2::{Digest, Sha256};

use crate::codec::Codec;
use crate::nal;

/// Longer than any blank frame of the server, in bytes.
const MAX_BLANK: usize = 256;
/// Units of a blank H.264 picture: two sets of parameters and a slice.
const BLANK_UNITS: usize = 3;
/// The end of a metadata trailer.
const METADATA: &[u8; 4] = b"LKTS";
/// Length byte and mark of a metadata trailer.
const METADATA_ENVELOPE: usize = 5;

/// SHA-256 of the frames that the server sends for a muted or ended track: a VP8 picture of 8x8,
/// parameters and slice of an H.264 picture of 2x2, and silence.
const BLANK_VP8: &str = "ef0161653d8b2b23aad46624b420af1d03ce48950e9fc85718028f91b50f9219";
const BLANK_H264: [&str; 3] = [
    "f0a0e09647d891d6d50aa898bce7108090375d0d55e50a2bb21147afee558e44",
    "61d9665eed71b6d424ae9539330a3bdd5cb386d4d781c808219a6e36750493a7",
    "faffc26b68a2fc09096fa20f3351e706398b6f838a7500c8063472c2e476e90d",
];
const BLANK_OPUS: &str = "aad8d31fc56b2802ca500e58c2fb9d0b29ad71bb7cb52cd6530251eade188988";

/// Whether a frame that carries the server's mark is one that the server may send readable.
pub(crate) fn is_blank(codec: Codec, frame: &[u8]) -> bool {
    if frame.len() > MAX_BLANK {
        return false;
    }
    match codec {
        Codec::Opus => digest(frame) == BLANK_OPUS,
        Codec::Vp8 => digest(frame) == BLANK_VP8,
        Codec::Vp9 => false,
        Codec::H264 => is_blank_unit(frame) || is_blank_picture(frame),
    }
}

fn is_blank_unit(unit: &[u8]) -> bool {
    BLANK_H264.contains(&digest(unit).as_str())
}

fn is_blank_picture(frame: &[u8]) -> bool {
    nal::units(frame, BLANK_UNITS + 1).is_some_and(|units| {
        units.len() <= BLANK_UNITS && units.iter().all(|unit| is_blank_unit(unit))
    })
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The frame without the metadata that some clients append behind the encryption. No sealed frame
/// ends like such metadata: its last byte but one is 12.
pub(crate) fn without_metadata(frame: &[u8]) -> &[u8] {
    let Some((rest, [length, mark @ ..])) = frame.split_last_chunk::<METADATA_ENVELOPE>() else {
        return frame;
    };
    let inside = usize::from(length ^ 0xff).checked_sub(METADATA_ENVELOPE);
    let kept = inside.and_then(|inside| rest.len().checked_sub(inside));
    match kept {
        Some(kept) if mark == METADATA => &rest[..kept],
        Some(_) | None => frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_blank_frames_are_blank() {
        let mut silence = vec![0xf8, 0xff, 0xfe];
        silence.resize(80, 0);
        assert!(is_blank(Codec::Opus, &silence));
        assert!(!is_blank(Codec::Vp8, &silence));
        silence[79] = 1;
        assert!(!is_blank(Codec::Opus, &silence));
        let pps = [0x68, 0x87, 0xcb, 0x83, 0xcb, 0x20];
        let slice = [0x65, 0x88, 0x84, 0x0a, 0xf2, 0x62, 0x80, 0, 0xa7, 0xbe];
        let start = [0, 0, 0, 1];
        assert!(is_blank(Codec::H264, &pps));
        assert!(is_blank(
            Codec::H264,
            &[&start[..], &pps, &start, &slice].concat()
        ));
        assert!(!is_blank(
            Codec::H264,
            &[&start[..], &pps, &start, &[0x65, 1]].concat()
        ));
        assert!(!is_blank(
            Codec::H264,
            &[&start[..], &pps].concat().repeat(4)
        ));
    }

    #[test]
    fn metadata_behind_a_frame_is_cut_off() {
        let mut frame = b"sealed".to_vec();
        frame.extend([0xfd, 0xfb, 0xff, 0xff, 0xff, 0xfe, 11 ^ 0xff]);
        frame.extend(METADATA);
        assert_eq!(without_metadata(&frame), b"sealed");
        for other in [&b"LKTS"[..], b"\xffLKTS", b"\x00LKTS", b"sealed", b""] {
            assert_eq!(without_metadata(other), other);
        }
        assert_eq!(without_metadata(&[5 ^ 0xff, b'L', b'K', b'T', b'S']), b"");
    }
}
