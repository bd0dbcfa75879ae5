// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Payloads in the room's own decoders: the process lives on, and a decoder fails or stays silent.

use roomd_media::fuzzing::{self, Heard, Shown};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::frame::{MAX_HEIGHT, MAX_WIDTH};

use crate::input::Input;

/// Most payloads of an input; as many wait for a decoder.
const MOST: usize = 30;
/// The longest Opus packet, in samples.
const LONGEST: usize = 5760;

pub(crate) fn vp8(input: Input<'_>) {
    pictures(VideoCodec::Vp8, input);
}

pub(crate) fn vp9(input: Input<'_>) {
    pictures(VideoCodec::Vp9, input);
}

pub(crate) fn h264(input: Input<'_>) {
    pictures(VideoCodec::H264, input);
}

fn pictures(codec: VideoCodec, input: Input<'_>) {
    let payloads = payloads(input);
    let Shown { pictures, largest } = fuzzing::pictures(codec, &payloads);
    // A payload may hold pictures that are not shown, and eight at the most.
    assert!(pictures <= payloads.len() * 8);
    assert!(largest.0 <= MAX_WIDTH && largest.1 <= MAX_HEIGHT);
}

/// An empty payload stands for one that was lost.
pub(crate) fn opus(input: Input<'_>) {
    let payloads = payloads(input);
    let Heard { samples } = fuzzing::sound(&payloads);
    assert!(samples <= (payloads.len() + 1) * LONGEST * 2, "{samples}");
}

fn payloads(mut input: Input<'_>) -> Vec<Vec<u8>> {
    let more = |_| (!input.is_empty()).then(|| input.bytes().to_vec());
    (0..MOST).map_while(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(name: &str) -> Vec<Vec<u8>> {
        let path = format!("{}/corpus/{name}/stream", env!("CARGO_MANIFEST_DIR"));
        payloads(Input::new(&std::fs::read(path).unwrap()))
    }

    #[test]
    fn what_is_well_formed_is_shown_and_heard() {
        for (codec, name) in [
            (VideoCodec::Vp8, "decode_vp8"),
            (VideoCodec::Vp9, "decode_vp9"),
            (VideoCodec::H264, "decode_h264"),
        ] {
            let shown = fuzzing::pictures(codec, &corpus(name));
            assert_eq!((shown.pictures, shown.largest), (6, (64, 64)), "{name}");
        }
        let heard = fuzzing::sound(&corpus("decode_opus"));
        assert!((5 * 960..=7 * 960).contains(&heard.samples), "{heard:?}");
    }
}
