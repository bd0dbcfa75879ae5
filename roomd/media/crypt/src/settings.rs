// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a stream's two ends agree on.

use std::fmt;

use thiserror::Error;

use crate::codec::Codec;
use crate::key::Scheme;

/// Places of a ring, unless the platform says otherwise.
const RING: u16 = 16;
/// Places of Element Call's ring: all that a byte can name.
const LARGE_RING: u16 = 256;
/// Keys that a receiver tries forward, unless the platform says otherwise.
const WINDOW: u8 = 8;
/// Keys that Element Call tries forward.
const LARGE_WINDOW: u8 = 10;

/// The scheme cannot carry the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{scheme:?} cannot encrypt {codec:?}")]
pub struct UnsupportedCodec {
    /// The scheme asked for.
    pub scheme: Scheme,
    /// The codec it cannot carry.
    pub codec: Codec,
}

/// Scheme, codec and limits of one stream.
#[derive(Clone)]
pub struct Settings {
    pub(crate) scheme: Scheme,
    pub(crate) codec: Codec,
    pub(crate) window: u8,
    pub(crate) server_mark: Vec<u8>,
    ring: u16,
}

impl Settings {
    /// LiveKit with a key for each participant, or with one made of random bytes: a ring of 16,
    /// 8 keys tried forward.
    #[must_use]
    pub const fn livekit(codec: Codec) -> Self {
        Self::new(Scheme::LiveKit, codec, RING, WINDOW)
    }

    /// LiveKit with one passphrase for all: a ring of 16, no key tried forward.
    #[must_use]
    pub const fn livekit_shared(codec: Codec) -> Self {
        Self::new(Scheme::LiveKit, codec, RING, 0)
    }

    /// Element Call: a ring of 256, 10 keys tried forward.
    #[must_use]
    pub const fn element_call(codec: Codec) -> Self {
        Self::new(Scheme::LiveKit, codec, LARGE_RING, LARGE_WINDOW)
    }

    /// Jitsi: a ring of 16, 8 keys tried forward.
    ///
    /// # Errors
    /// A codec other than Opus and VP8, which are all that Jitsi encrypts.
    pub const fn jitsi(codec: Codec) -> Result<Self, UnsupportedCodec> {
        Self::jframe(Scheme::Jitsi, codec)
    }

    /// Nextcloud Talk: a ring of 16, 8 keys tried forward.
    ///
    /// # Errors
    /// A codec other than Opus and VP8, which are all that Talk encrypts.
    pub const fn talk(codec: Codec) -> Result<Self, UnsupportedCodec> {
        Self::jframe(Scheme::Talk, codec)
    }

    const fn jframe(scheme: Scheme, codec: Codec) -> Result<Self, UnsupportedCodec> {
        match codec {
            Codec::Opus | Codec::Vp8 => Ok(Self::new(scheme, codec, RING, WINDOW)),
            Codec::Vp9 | Codec::H264 => Err(UnsupportedCodec { scheme, codec }),
        }
    }

    const fn new(scheme: Scheme, codec: Codec, ring: u16, window: u8) -> Self {
        Self {
            scheme,
            codec,
            window,
            server_mark: Vec::new(),
            ring,
        }
    }

    /// Lets LiveKit's server put blank frames in, which end with this mark (`sif_trailer` of its
    /// answer to joining).
    #[must_use]
    pub fn with_server_mark(mut self, mark: &[u8]) -> Self {
        self.server_mark = mark.to_vec();
        self
    }

    /// The ring's place for a key's index: indices beyond the ring begin again.
    pub(crate) fn place(&self, index: u32) -> u8 {
        let place = index % u32::from(self.ring);
        u8::try_from(place).unwrap_or(u8::MAX)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("scheme", &self.scheme)
            .field("codec", &self.codec)
            .field("ring", &self.ring)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_beyond_the_ring_begin_again() {
        let (small, large) = (
            Settings::livekit(Codec::Opus),
            Settings::element_call(Codec::Opus),
        );
        for (index, in_small, in_large) in [
            (0, 0, 0),
            (15, 15, 15),
            (16, 0, 16),
            (255, 15, 255),
            (256, 0, 0),
            (u32::MAX, 15, 255),
        ] {
            assert_eq!(
                (small.place(index), large.place(index)),
                (in_small, in_large)
            );
        }
    }

    #[test]
    fn jframe_carries_only_what_the_platforms_encrypt() {
        assert!(Settings::jitsi(Codec::Vp8).is_ok() && Settings::talk(Codec::Opus).is_ok());
        for codec in [Codec::Vp9, Codec::H264] {
            let refusal = Settings::jitsi(codec).unwrap_err();
            assert_eq!((refusal.scheme, refusal.codec), (Scheme::Jitsi, codec));
            assert!(Settings::talk(codec).is_err());
        }
    }
}
