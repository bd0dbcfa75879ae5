// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Decides which received pictures reach a decoder.
//!
//! Invariant: nothing is shown that refers to a picture that was not decoded. After a loss the last
//! good picture stays until a keyframe comes.

use std::time::{Duration, Instant};

use crate::codec::VideoCodec;

/// How often a sender is asked for a keyframe.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// The largest encoded picture that is decoded, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// What to do with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Decode it.
    Decode,
    /// Drop it.
    Drop,
    /// Drop it and ask the sender for a keyframe.
    DropAndAsk,
}

/// The gate of one stream; closed until the first keyframe.
#[derive(Debug)]
pub struct Gate {
    codec: VideoCodec,
    open: bool,
    refuses: bool,
    asked: Option<Instant>,
}

impl Gate {
    /// A closed gate for pictures of this codec.
    #[must_use]
    pub const fn new(codec: VideoCodec) -> Self {
        Self {
            codec,
            open: false,
            refuses: false,
            asked: None,
        }
    }

    /// Judges the next picture in order.
    pub fn admit(&mut self, payload: &[u8], contiguous: bool, now: Instant) -> Verdict {
        let bounded = (1..=MAX_BYTES).contains(&payload.len()) && self.codec.fits(payload);
        let key = self.codec.keyframe_size(payload).is_some();
        if bounded && (key || self.open && contiguous) {
            self.open = true;
            self.refuses = false;
            return Verdict::Decode;
        }
        self.refuses |= key;
        self.close(now)
    }

    /// Whether the last keyframe was too large.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        self.refuses
    }

    /// Closes after a decoder's complaint, or for a new decoder.
    pub fn close(&mut self, now: Instant) -> Verdict {
        self.open = false;
        let due = |asked| now.saturating_duration_since(asked) >= ASK_EVERY;
        if self.asked.is_none_or(due) {
            self.asked = Some(now);
            Verdict::DropAndAsk
        } else {
            Verdict::Drop
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(width: u16, height: u16) -> Vec<u8> {
        let [w, h] = [width.to_le_bytes(), height.to_le_bytes()];
        vec![0x10, 0, 0, 0x9d, 0x01, 0x2a, w[0], w[1], h[0], h[1], 0]
    }

    const DELTA: [u8; 12] = [0x11; 12];

    #[test]
    fn nothing_before_the_first_keyframe_and_nothing_after_a_loss() {
        let mut gate = Gate::new(VideoCodec::Vp8);
        let mut now = Instant::now();
        assert_eq!(gate.admit(&DELTA, true, now), Verdict::DropAndAsk);
        assert_eq!(gate.admit(&DELTA, true, now), Verdict::Drop);
        now += ASK_EVERY;
        assert_eq!(gate.admit(&DELTA, true, now), Verdict::DropAndAsk);
        assert_eq!(gate.admit(&key(640, 360), false, now), Verdict::Decode);
        assert_eq!(gate.admit(&DELTA, true, now), Verdict::Decode);
        assert_eq!(gate.admit(&DELTA, false, now), Verdict::Drop);
        assert_eq!(gate.admit(&DELTA, true, now), Verdict::Drop);
        assert_eq!(gate.admit(&key(640, 360), true, now), Verdict::Decode);
    }

    #[test]
    fn giants_and_rubbish_never_reach_a_decoder() {
        let mut gate = Gate::new(VideoCodec::Vp8);
        let now = Instant::now();
        for payload in [
            key(4098, 16),
            key(16, 2306),
            key(0, 0),
            vec![],
            vec![0],
            vec![0; 40],
        ] {
            assert_ne!(gate.admit(&payload, true, now), Verdict::Decode);
        }
        let mut huge = key(640, 360);
        huge.resize(MAX_BYTES + 1, 0);
        assert_ne!(gate.admit(&huge, true, now), Verdict::Decode);
        assert!(gate.refuses());
        assert_eq!(gate.admit(&key(4096, 2304), true, now), Verdict::Decode);
        assert!(!gate.refuses());
        let mut huge = vec![0x11; MAX_BYTES];
        assert_eq!(gate.admit(&huge, true, now), Verdict::Decode);
        huge.push(0x11);
        assert_ne!(gate.admit(&huge, true, now), Verdict::Decode);
        assert_eq!(gate.admit(&key(640, 360), true, now), Verdict::Decode);
        assert_ne!(gate.admit(&key(8192, 8192), true, now), Verdict::Decode);
        assert!(gate.refuses());
        assert_ne!(gate.admit(&DELTA, true, now), Verdict::Decode);
    }
}
