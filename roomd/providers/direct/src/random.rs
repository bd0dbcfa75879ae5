// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use sha2::{Digest, Sha256};

/// Unpredictable bytes from a seed: SHA-256 over the seed and a counter.
///
/// The same seed gives the same bytes in every version, so that transcripts stay comparable.
pub struct Random {
    seed: [u8; 32],
    block: u64,
    bytes: std::vec::IntoIter<u8>,
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

/// 31 letters and digits that are hard to confuse on a door sign or over the telephone.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

impl Random {
    /// Starts from a seed of fresh entropy.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            block: 0,
            bytes: Vec::new().into_iter(),
        }
    }

    /// Characters of the unambiguous alphabet, each equally likely.
    pub fn characters(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        while text.len() < count {
            let byte = self.byte();
            // 248 is the largest multiple of 31 in a byte; beyond it the choice would be uneven.
            if byte < 248 {
                text.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
            }
        }
        text
    }

    fn byte(&mut self) -> u8 {
        loop {
            if let Some(byte) = self.bytes.next() {
                return byte;
            }
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.block.to_be_bytes());
            self.block += 1;
            self.bytes = hash.finalize().to_vec().into_iter();
        }
    }
}
