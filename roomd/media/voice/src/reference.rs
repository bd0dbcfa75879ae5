// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the loudspeaker played lately, to be read at the microphone's pace.
//!
//! A position between two samples is interpolated with a windowed sinc. That is a few lines beside a
//! resampler of chunks, which could not jump after a gap nor tell at which moment it is; and as the
//! reference alone is resampled, what the room says is left as it was taken.

use std::collections::VecDeque;
use std::f64::consts::PI;

use roomd_media_core::mix::{BLOCK, RATE};

/// Samples kept: a second.
const KEPT: usize = RATE as usize;
/// Samples on either side that make up one between.
const REACH: usize = 16;
/// Positions between two samples in the table.
const PHASES: usize = 512;

/// The loudspeaker's latest second.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    samples: VecDeque<f32>,
    /// Samples pushed so far.
    end: u64,
    table: Vec<[f32; 2 * REACH]>,
}

impl Default for Reference {
    fn default() -> Self {
        Self {
            samples: VecDeque::with_capacity(KEPT + BLOCK),
            end: 0,
            table: (0..=PHASES)
                .map(|phase| kernel(phase as f64 / PHASES as f64))
                .collect(),
        }
    }
}

/// The weights of the samples around a position, `fraction` behind the one in the middle.
fn kernel(fraction: f64) -> [f32; 2 * REACH] {
    let mut weights = [0.0; 2 * REACH];
    for (index, weight) in weights.iter_mut().enumerate() {
        let away = index as f64 - (REACH - 1) as f64 - fraction;
        let sinc = if away.abs() < 1e-9 {
            1.0
        } else {
            (PI * away).sin() / (PI * away)
        };
        // Blackman: what is aliased stays below what the canceller could tell.
        let place = PI * away / REACH as f64;
        let window = 0.42 + 0.5 * place.cos() + 0.08 * (2.0 * place).cos();
        *weight = (sinc * window) as f32;
    }
    weights
}

impl Reference {
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.end = 0;
    }

    pub(crate) fn push(&mut self, samples: impl IntoIterator<Item = f32>) {
        for sample in samples {
            self.samples.push_back(sample);
            self.end += 1;
        }
        let surplus = self.samples.len().saturating_sub(KEPT);
        self.samples.drain(..surplus);
    }

    /// Samples kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Fills a block from this position on, each sample `step` after the one before. What is not
    /// kept any more, or has not been played yet, is silence.
    pub(crate) fn read(&self, position: f64, step: f64, block: &mut [f32; BLOCK]) {
        let first = self.end as f64 - self.samples.len() as f64;
        for (index, out) in block.iter_mut().enumerate() {
            let place = position + index as f64 * step - first;
            *out = self.at(place);
        }
    }

    fn at(&self, place: f64) -> f32 {
        let whole = place.floor();
        let begin = whole - (REACH - 1) as f64;
        let room = self.samples.len() as f64 - (2 * REACH) as f64;
        if !(0.0..=room).contains(&begin) {
            return 0.0;
        }
        // Both are within the table and the samples, as just checked.
        let (phase, begin) = (
            ((place - whole) * PHASES as f64).round() as usize,
            begin as usize,
        );
        let weights = self.table.get(phase).into_iter().flatten();
        let around = self.samples.range(begin..begin + 2 * REACH);
        weights
            .zip(around)
            .map(|(weight, sample)| weight * sample)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, at: f64) -> f64 {
        (2.0 * PI * hertz * at / f64::from(RATE)).sin()
    }

    #[test]
    fn a_position_between_samples_is_true_to_the_wave() {
        for hertz in [100.0, 1000.0, 7000.0, 15_000.0] {
            let mut reference = Reference::default();
            reference.push((0..48_000).map(|n| sine(hertz, f64::from(n)) as f32));
            let (mut error, mut signal) = (0.0, 0.0);
            for start in [1000.25, 20_000.5, 40_000.77] {
                let mut block = [0.0; BLOCK];
                let step = 1.0001;
                reference.read(start, step, &mut block);
                for (index, value) in block.iter().enumerate() {
                    let wanted = sine(hertz, start + index as f64 * step);
                    error += (f64::from(*value) - wanted).powi(2);
                    signal += wanted.powi(2);
                }
            }
            let ratio = 10.0 * (signal / error).log10();
            assert!(ratio > 50.0, "{hertz} Hz: {ratio:.1} dB");
        }
    }

    #[test]
    fn what_is_not_there_is_silence() {
        let mut reference = Reference::default();
        let mut block = [1.0; BLOCK];
        for position in [-1e9, -1.0, 0.0, 1e9, f64::NAN, f64::INFINITY] {
            reference.read(position, 1.0, &mut block);
            assert!(block.iter().all(|sample| *sample == 0.0), "{position}");
        }
        reference.push(std::iter::repeat_n(0.5, 10 * KEPT));
        assert_eq!(reference.samples.len(), KEPT);
        reference.read(10.0, 1.0, &mut block);
        assert!(block.iter().all(|sample| *sample == 0.0));
        reference.read((10 * KEPT - 1000) as f64, 1.0, &mut block);
        assert!(block.iter().all(|sample| (*sample - 0.5).abs() < 0.01));
    }
}
