// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the test plays: the core makes it, so it knows it to the sample.
//!
//! ```text
//! 0 s      1.5    2.0     3.0                8.0     9.0     9.5          12.5 s
//! | quiet   | mark | quiet |  noise sequence  | quiet | mark  | quiet      |
//! ```
//!
//! The marks are exponential sweeps. A maximum-length sequence would find the delay as well, but
//! two clocks that differ by 100 ppm smear it over three samples in a mark's length, and its peak is
//! two samples wide; a sweep spends a tenth of a second on its highest octave and is smeared over half
//! a sample. Both marks are the same, so whatever room and drift do to the one they do to the other.
//!
//! The noise is a maximum-length sequence through a band-pass: as wide as speech, never the same
//! within the test, which a canceller needs to converge, and the same in every test.

use std::f64::consts::PI;

/// Samples in a second.
pub const RATE: usize = 48_000;
/// Samples in a block of 10 ms.
pub const BLOCK: usize = 480;

/// Until the first mark.
const QUIET: usize = RATE * 3 / 2;
/// A mark.
pub(super) const MARK: usize = RATE / 2;
/// Until a room has faded.
const GAP: usize = RATE;
/// The noise sequence.
pub(super) const NOISE: usize = RATE * 5;
/// The longest delay that is looked for.
pub(super) const RANGE: usize = RATE * 3;

/// Where the parts begin.
pub(super) const FIRST_AT: usize = QUIET;
pub(super) const NOISE_AT: usize = FIRST_AT + MARK + GAP;
pub(super) const SECOND_AT: usize = NOISE_AT + NOISE + GAP;
/// When the test ends.
pub(super) const END: usize = SECOND_AT + MARK + RANGE;

/// Small loudspeakers play this band, and microphones hear it.
const BAND: (f64, f64) = (200.0, 6000.0);
/// The marks' amplitude: 12 dB below full scale, loud enough and without distortion.
const MARK_AMPLITUDE: f64 = 0.25;
/// The noise's root mean square, 26 dB below full scale by amplitude: the level of speech that
/// equipment is made for (ITU-T P.56 and G.191 measure and set it, as -26 dBov).
const NOISE_LEVEL: f64 = 0.05;
/// Marks begin and end softly.
const FADE: usize = RATE / 100;

/// A mark: an exponential sweep, upwards.
pub(super) fn sweep() -> Vec<f64> {
    let seconds = MARK as f64 / RATE as f64;
    let scale = seconds / (BAND.1 / BAND.0).ln();
    let sample = |n: usize| {
        let at = n as f64 / RATE as f64;
        let phase = 2.0 * PI * BAND.0 * scale * ((at / scale).exp() - 1.0);
        let edge = n.min(MARK - 1 - n).min(FADE) as f64 / FADE as f64;
        MARK_AMPLITUDE * phase.sin() * (0.5 - 0.5 * (PI * edge).cos())
    };
    (0..MARK).map(sample).collect()
}

/// The maximum-length sequence of x^18 + x^11 + 1, which repeats after 262143 samples.
#[derive(Clone, Copy, Debug)]
struct MaximumLength(u32);

impl Iterator for MaximumLength {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let bit = (self.0 ^ (self.0 >> 7)) & 1;
        self.0 = (self.0 >> 1) | (bit << 17);
        Some(if bit == 0 { -1.0 } else { 1.0 })
    }
}

fn noise() -> Vec<f64> {
    let smooth = |hertz: f64| 1.0 - (-2.0 * PI * hertz / RATE as f64).exp();
    let (fast, slow) = (smooth(BAND.1 / 2.0), smooth(BAND.0));
    let (mut high, mut low) = (0.0, 0.0);
    let band = MaximumLength(1).take(NOISE).map(|sample| {
        high += fast * (sample - high);
        low += slow * (high - low);
        high - low
    });
    let samples: Vec<f64> = band.collect();
    let power = samples.iter().map(|s| s * s).sum::<f64>() / NOISE as f64;
    let gain = NOISE_LEVEL / power.sqrt();
    samples.iter().map(|sample| sample * gain).collect()
}

/// Everything that is played, without the quiet at its end.
pub(super) fn script() -> Vec<i16> {
    let mut samples = vec![0.0; SECOND_AT + MARK];
    let parts = [
        (FIRST_AT, sweep()),
        (NOISE_AT, noise()),
        (SECOND_AT, sweep()),
    ];
    for (at, part) in parts {
        samples[at..at + part.len()].copy_from_slice(&part);
    }
    let sample = |s: &f64| (s * 32768.0).round() as i16;
    samples.iter().map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_of_maximum_length() {
        let mut sequence = MaximumLength(1);
        let period = sequence
            .by_ref()
            .take(1 << 19)
            .scan(MaximumLength(1), |state, _| {
                state.next();
                Some(state.0)
            })
            .position(|state| state == 1);
        assert_eq!(period, Some((1 << 18) - 2));
        const { assert!(NOISE < (1 << 18) - 1) };
    }

    #[test]
    fn nothing_of_the_script_is_cut_off() {
        let script = script();
        let largest = script.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((8000..16_000).contains(&largest), "{largest}");
        assert_eq!(script[..FIRST_AT], [0; FIRST_AT]);
        assert_eq!(END % BLOCK, 0);
        // Marks of 7.5 s distance: a sample more or less is less than 3 ppm.
        assert_eq!((SECOND_AT - FIRST_AT) as f64 / RATE as f64, 7.5);
    }
}
