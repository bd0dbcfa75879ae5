// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Numbers used once.

use std::fmt;

use crate::key::IV_LEN;

/// Frames that one sealer seals at most: as many as its counter has values.
const FRAMES: u64 = 1 << 32;

/// Where a sealer's numbers begin. They travel readable in each frame.
///
/// The platforms form them of the SSRC, the RTP timestamp and a counter, and read them as opaque
/// bytes. Here random bytes stand in for the timestamp, so that a passphrase that outlives the
/// process, or that several participants share, meets no number twice.
#[derive(Clone, Copy)]
pub struct IvStart {
    /// The stream's SSRC: it keeps streams under one key apart.
    pub ssrc: u32,
    /// Fresh random bytes, different for each sealer.
    pub random: [u8; 8],
}

impl fmt::Debug for IvStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IvStart").finish_non_exhaustive()
    }
}

/// The numbers of one sealer. Not `Clone`: two copies would use each number twice.
pub(crate) struct Ivs {
    prefix: [u8; 8],
    counter: u32,
    left: u64,
}

impl Ivs {
    pub(crate) fn new(start: IvStart) -> Self {
        let [r0, r1, r2, r3, c0, c1, c2, c3] = start.random;
        let [s0, s1, s2, s3] = start.ssrc.to_be_bytes();
        Self {
            prefix: [s0, s1, s2, s3, r0, r1, r2, r3],
            counter: u32::from_be_bytes([c0, c1, c2, c3]),
            left: FRAMES,
        }
    }

    /// The next number; none when all are used.
    pub(crate) fn next(&mut self) -> Option<[u8; IV_LEN]> {
        self.left = self.left.checked_sub(1)?;
        let mut iv = [0; IV_LEN];
        iv[..8].copy_from_slice(&self.prefix);
        iv[8..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        Some(iv)
    }

    /// Leaves only `left` numbers, so that a test sees the end.
    #[cfg(test)]
    pub(crate) fn exhaust(&mut self, left: u64) {
        self.left = left;
    }
}

impl fmt::Debug for Ivs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ivs")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_once_and_then_end() {
        let mut ivs = Ivs::new(IvStart {
            ssrc: 0x0102_0304,
            random: [5, 6, 7, 8, 0xff, 0xff, 0xff, 0xff],
        });
        assert_eq!(
            ivs.next(),
            Some([1, 2, 3, 4, 5, 6, 7, 8, 255, 255, 255, 255])
        );
        assert_eq!(ivs.next(), Some([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]));
        assert_eq!(ivs.left, FRAMES - 2);
        ivs.exhaust(1);
        assert!(ivs.next().is_some());
        assert_eq!(ivs.next(), None);
        assert_eq!(ivs.next(), None);
    }
}
