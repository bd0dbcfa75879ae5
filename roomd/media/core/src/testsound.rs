// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sound that stands in for a microphone: voice-like bursts over a quiet steady tone.

use std::f64::consts::TAU;

/// Samples per second.
pub const RATE: u32 = 48_000;
/// The steady tone's frequency, unless a test wants another.
pub const PILOT: f64 = 1000.0;

const PILOT_LEVEL: f64 = 0.015;
/// The first three resonances of a few vowels.
const VOWELS: [[f64; 3]; 4] = [
    [700.0, 1220.0, 2600.0],
    [400.0, 1700.0, 2450.0],
    [300.0, 870.0, 2240.0],
    [530.0, 1840.0, 2480.0],
];

/// Makes test sound, block by block.
#[derive(Clone, Debug)]
pub struct TestSound {
    pilot: f64,
    position: u64,
}

impl TestSound {
    /// A sound with a steady tone of this frequency.
    #[must_use]
    pub const fn new(pilot: f64) -> Self {
        Self { pilot, position: 0 }
    }

    /// The next samples.
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            let value = self.sample() * 32767.0;
            let value = value.clamp(-32767.0, 32767.0) as i16;
            *sample = value;
            self.position += 1;
        }
    }

    fn sample(&self) -> f64 {
        let time = self.position as f64 / f64::from(RATE);
        let pilot = (TAU * self.pilot * time).sin() * PILOT_LEVEL;
        // A syllable every quarter of a second, a pause after each seven.
        let syllable = self.position / 12_000;
        if syllable % 8 == 7 {
            return pilot;
        }
        let within = (self.position % 12_000) as f64 / 12_000.0;
        let envelope = (within * std::f64::consts::PI).sin().powi(2);
        let pitch = 115.0 + 8.0 * (TAU * 0.7 * time).sin();
        let vowel = VOWELS[usize::try_from(syllable % 4).unwrap_or_default()];
        let voice: f64 = (1..=24_u8)
            .map(|harmonic| {
                let hertz = pitch.floor() * f64::from(harmonic);
                let gain: f64 = vowel
                    .iter()
                    .map(|formant| 1.0 / (1.0 + ((hertz - formant) / 90.0).powi(2)))
                    .sum();
                (TAU * hertz * time).sin() * gain / f64::from(harmonic).sqrt()
            })
            .sum();
        pilot + voice * envelope * 0.3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mix, tone};

    #[test]
    fn the_pilot_is_always_there_and_the_voice_comes_and_goes() {
        let mut sound = TestSound::new(PILOT);
        let mut samples = vec![0; 96_000];
        sound.fill(&mut samples);
        let pilots: Vec<f64> = samples
            .chunks(9600)
            .map(|block| tone::level(block, RATE, PILOT))
            .collect();
        assert!(
            pilots.iter().all(|level| (0.008..0.03).contains(level)),
            "{pilots:?}"
        );
        let loud = mix::level(&samples[4000..8000]);
        let pause = mix::level(&samples[86_000..94_000]);
        assert!(loud > pause + 10, "{loud} against {pause}");
        assert!(tone::level(&samples[86_000..95_000], RATE, 440.0) < 0.005);
    }
}
