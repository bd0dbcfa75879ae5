// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sending side: between encoder and packetiser.

use thiserror::Error;

use crate::codec::Codec;
use crate::frame;
use crate::iv::{IvStart, Ivs};
use crate::key::{FrameKey, Scheme};
use crate::settings::Settings;
use crate::{MAX_FRAME, nal};

/// Why a frame was not sealed. It is dropped, never sent readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsealed {
    /// No key is set.
    #[error("no key")]
    NoKey,
    /// The frame is not one of the stream's codec.
    #[error("no frame of the codec")]
    Malformed,
    /// The frame is larger than [`MAX_FRAME`].
    #[error("the frame is too large")]
    TooLarge,
    /// All numbers are used; a new sealer with fresh random bytes goes on.
    #[error("all numbers are used")]
    Exhausted,
}

/// Seals the frames of one stream: one simulcast layer, or one microphone.
#[derive(Debug)]
pub struct Sealer {
    settings: Settings,
    key: Option<(u8, FrameKey)>,
    ivs: Ivs,
}

impl Sealer {
    /// A sealer without a key. `start` differs from that of every other sealer.
    #[must_use]
    pub fn new(settings: Settings, start: IvStart) -> Self {
        Self {
            settings,
            key: None,
            ivs: Ivs::new(start),
        }
    }

    /// Seals with this key from now on. The numbers go on where they are, so setting a key again is
    /// harmless.
    pub fn set_key(&mut self, index: u32, key: FrameKey) {
        self.key = Some((self.settings.place(index), key));
    }

    /// Forgets the key; nothing is sealed until the next.
    pub fn clear_key(&mut self) {
        self.key = None;
    }

    /// Seals one encoded frame. An empty one stays empty with LiveKit: it says that there is
    /// nothing to send.
    ///
    /// # Errors
    /// The frame must be dropped; [`Unsealed`] says why.
    pub fn seal(&mut self, frame: &[u8]) -> Result<Vec<u8>, Unsealed> {
        let (index, key) = self.key.as_ref().ok_or(Unsealed::NoKey)?;
        if frame.len() > MAX_FRAME {
            return Err(Unsealed::TooLarge);
        }
        if frame.is_empty() && self.settings.scheme == Scheme::LiveKit {
            return Ok(Vec::new());
        }
        let codec = self.settings.codec;
        let (clear, rest) = split(codec, frame).ok_or(Unsealed::Malformed)?;
        let iv = self.ivs.next().ok_or(Unsealed::Exhausted)?;
        frame::seal(codec, (&clear, rest), iv, (*index, key)).ok_or(Unsealed::Malformed)
    }
}

/// The clear part as the receiver will see it, and the rest.
fn split(codec: Codec, frame: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let clear_len = codec.clear_len(frame)?;
    let (clear, rest) = frame.split_at_checked(clear_len)?;
    let clear = match codec {
        Codec::Opus | Codec::Vp8 | Codec::Vp9 => clear.to_vec(),
        Codec::H264 => nal::travelling_header(frame, clear_len - nal::CLEAR_OF_SLICE)?,
    };
    Some((clear, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(settings: Settings) -> Sealer {
        let mut sealer = Sealer::new(
            settings,
            IvStart {
                ssrc: 1,
                random: [0; 8],
            },
        );
        sealer.set_key(0, FrameKey::from_bytes(Scheme::LiveKit, &[7; 16]).unwrap());
        sealer
    }

    #[test]
    fn nothing_is_sealed_when_all_numbers_are_used() {
        let mut sealer = sealer(Settings::livekit(Codec::Opus));
        sealer.ivs.exhaust(1);
        assert!(sealer.seal(&[1, 2]).is_ok());
        assert_eq!(sealer.seal(&[1, 2]), Err(Unsealed::Exhausted));
        sealer.set_key(1, FrameKey::from_bytes(Scheme::LiveKit, &[8; 16]).unwrap());
        assert_eq!(sealer.seal(&[1, 2]), Err(Unsealed::Exhausted));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let mut vp8 = sealer(Settings::jitsi(Codec::Vp8).unwrap());
        assert_eq!(vp8.seal(&[]), Err(Unsealed::Malformed));
        assert_eq!(vp8.seal(&[0x10; 9]), Err(Unsealed::Malformed));
        assert_eq!(vp8.seal(&vec![0; MAX_FRAME + 1]), Err(Unsealed::TooLarge));
        let mut h264 = sealer(Settings::livekit(Codec::H264));
        assert_eq!(h264.seal(&[0, 0, 0, 1, 0x67, 1]), Err(Unsealed::Malformed));
        assert_eq!(h264.seal(&[]), Ok(Vec::new()));
    }
}
