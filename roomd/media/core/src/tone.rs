// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Measures one frequency in sound (Goertzel).

/// The amplitude of a frequency in the samples, where a full-scale sine is 1.
#[must_use]
pub fn level(samples: &[i16], rate: u32, hertz: f64) -> f64 {
    if samples.is_empty() || rate == 0 {
        return 0.0;
    }
    let count = samples.len() as f64;
    let omega = std::f64::consts::TAU * hertz / f64::from(rate);
    let twice_cos = 2.0 * omega.cos();
    let (mut one, mut two) = (0.0, 0.0);
    for (index, &sample) in samples.iter().enumerate() {
        // The Hann window keeps a loud neighbour from leaking into the result.
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * (index as f64 + 0.5) / count).cos();
        let next = f64::from(sample) / 32768.0 * window + twice_cos * one - two;
        two = one;
        one = next;
    }
    let power = one * one + two * two - twice_cos * one * two;
    power.max(0.0).sqrt() * 4.0 / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, amplitude: f64) -> Vec<i16> {
        (0..9600)
            .map(|n| {
                let phase = std::f64::consts::TAU * hertz * f64::from(n) / 48_000.0;
                (phase.sin() * amplitude * 32767.0) as i16
            })
            .collect()
    }

    #[test]
    fn finds_its_frequency_and_no_other() {
        let samples = sine(1000.0, 0.25);
        assert!((level(&samples, 48_000, 1000.0) - 0.25).abs() < 0.01);
        assert!(level(&samples, 48_000, 1100.0) < 0.001);
        assert!(level(&[], 48_000, 1000.0) < f64::EPSILON);
    }
}
