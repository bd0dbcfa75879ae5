// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How loud sound is that is on its way through an encoder, which cuts it anew: measured as it goes
//! in, told for each packet that comes out.

use std::collections::VecDeque;

/// What may be on its way, in blocks: an encoder that gives nothing back leaves no more behind.
const MOST: usize = 64;
/// Digital silence, in dB below overload (RFC 6464).
const SILENCE: u8 = 127;

/// The loudness of what an encoder was given. Times are in samples.
#[derive(Debug, Default)]
pub struct Loudness {
    blocks: VecDeque<Block>,
}

#[derive(Debug)]
struct Block {
    begin: u64,
    end: u64,
    /// Mean of the squares; a square wave at overload has 1.
    power: f64,
}

impl Loudness {
    /// Measures a block that goes in.
    pub fn note(&mut self, begin: u64, samples: &[i16]) {
        if samples.is_empty() {
            return;
        }
        let squares = samples.iter().map(|&s| (f64::from(s) / 32768.0).powi(2));
        self.blocks.push_back(Block {
            begin,
            end: begin.saturating_add(samples.len() as u64),
            power: squares.sum::<f64>() / samples.len() as f64,
        });
        if self.blocks.len() > MOST {
            self.blocks.pop_front();
        }
    }

    /// How loud a packet is, in dB below overload, 0 to 127 (RFC 6464, section 3); none when it holds
    /// nothing of what went in. To be asked in order: what lies before it is forgotten.
    pub fn take(&mut self, begin: u64, samples: u64) -> Option<u8> {
        let end = begin.saturating_add(samples);
        while self.blocks.front().is_some_and(|block| block.end <= begin) {
            self.blocks.pop_front();
        }
        let (mut power, mut length) = (0.0, 0.0);
        for block in &self.blocks {
            let common = block.end.min(end).saturating_sub(block.begin.max(begin)) as f64;
            power += block.power * common;
            length += common;
        }
        (length > 0.0).then(|| below_overload(power / length))
    }
}

fn below_overload(power: f64) -> u8 {
    // The least power of a block that is not silent is still above this.
    let decibels = -10.0 * power.max(1e-13).log10();
    decibels.round().clamp(0.0, f64::from(SILENCE)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::BLOCK;

    const SIZE: u64 = BLOCK as u64;

    #[test]
    fn levels_are_decibels_below_overload() {
        for (value, expected) in [(i16::MIN, 0), (i16::MAX, 0), (3277, 20), (33, 60), (1, 90)] {
            let mut loudness = Loudness::default();
            loudness.note(0, &[value; BLOCK]);
            assert_eq!(loudness.take(0, SIZE), Some(expected), "{value}");
        }
        let mut loudness = Loudness::default();
        loudness.note(0, &[0; BLOCK]);
        assert_eq!(loudness.take(0, SIZE), Some(127));
    }

    #[test]
    fn a_packet_has_the_mean_of_its_blocks_and_of_no_others() {
        let mut loudness = Loudness::default();
        for (index, value) in [3277, 0, 3277, 3277, 33, 33].into_iter().enumerate() {
            loudness.note(1000 + index as u64 * SIZE, &[value; BLOCK]);
        }
        let packet = |number: u64| 1000 + number * 2 * SIZE;
        assert_eq!(loudness.take(packet(0), 2 * SIZE), Some(23));
        assert_eq!(loudness.take(packet(1), 2 * SIZE), Some(20));
        assert_eq!(loudness.take(packet(2), 2 * SIZE), Some(60));
        assert_eq!(loudness.take(packet(3), 2 * SIZE), None);
    }

    #[test]
    fn what_never_comes_out_is_forgotten() {
        let mut loudness = Loudness::default();
        for index in 0..1000 {
            loudness.note(index * SIZE, &[33; BLOCK]);
        }
        assert_eq!(loudness.blocks.len(), MOST);
        loudness.note(u64::MAX, &[33; BLOCK]);
        assert_eq!(loudness.take(0, 2 * SIZE), None);
        assert_eq!(loudness.take(999 * SIZE, u64::MAX), Some(60));
    }
}
