// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the microphones hear, and how a tone is found in what was recorded.

use std::f64::consts::TAU;

/// Samples per second, of all that the bar sends and takes.
pub const RATE: usize = 48_000;
/// The tone of each microphone, in Hz. Each fits 96 samples a whole number of times.
pub const TONES: [usize; 4] = [500, 1000, 2000, 3500];
/// A quarter of full scale.
const AMPLITUDE: f64 = 8192.0;
/// After that many samples, every tone begins anew.
pub const PERIOD: usize = 96;

/// Sample `index` of every microphone: 16 bits, signed.
pub fn microphones(index: usize) -> [i16; 4] {
    TONES.map(|tone| {
        let turn = (index % PERIOD * tone) as f64 / RATE as f64;
        (AMPLITUDE * (TAU * turn).sin()) as i16
    })
}

/// The share of a tone in the power of one channel, from 0 to 1 (Goertzel's algorithm).
pub fn share(samples: &[i16], tone: usize) -> f64 {
    let factor = 2.0 * (TAU * tone as f64 / RATE as f64).cos();
    let (mut last, mut before, mut power) = (0.0_f64, 0.0_f64, 0.0_f64);
    for sample in samples {
        let value = f64::from(*sample);
        power += value * value;
        (last, before) = (value + factor * last - before, last);
    }
    if power == 0.0 {
        return 0.0;
    }
    let found = last * last + before * before - factor * last * before;
    (2.0 * found / (power * samples.len() as f64)).min(1.0)
}

/// One channel out of frames of little-endian 16-bit samples.
pub fn channel(bytes: &[u8], channels: usize, wanted: usize) -> Vec<i16> {
    bytes
        .chunks_exact(channels * 2)
        .map(|frame| i16::from_le_bytes([frame[wanted * 2], frame[wanted * 2 + 1]]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_microphone_has_its_own_tone() {
        let frames: Vec<[i16; 4]> = (0..9600).map(microphones).collect();
        for (own, tone) in TONES.iter().enumerate() {
            let samples: Vec<i16> = frames.iter().map(|frame| frame[own]).collect();
            assert!(share(&samples, *tone) > 0.99, "microphone {own}");
            for other in TONES.iter().filter(|other| *other != tone) {
                assert!(
                    share(&samples, *other) < 0.01,
                    "{other} Hz in microphone {own}"
                );
            }
        }
    }

    #[test]
    fn silence_has_no_tone() {
        assert_eq!(share(&[0; 480], 1000), 0.0);
        assert_eq!(share(&[], 1000), 0.0);
    }
}
