// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How good what comes out is.

use std::f64::consts::TAU;
use std::ops::Range;

use crate::fourier;
use crate::simulation::RATE;

/// Seconds as samples.
pub fn seconds(range: Range<f64>) -> Range<usize> {
    (range.start * RATE as f64) as usize..(range.end * RATE as f64) as usize
}

pub fn decibels(ratio: f64) -> f64 {
    10.0 * ratio.max(1e-12).log10()
}

pub fn power(sound: &[f32]) -> f64 {
    let sum: f64 = sound.iter().map(|v| f64::from(*v).powi(2)).sum();
    sum / sound.len().max(1) as f64
}

/// Echo return loss enhancement: echo before against what is left of it, in decibels.
pub fn erle(echo: &[f32], cleaned: &[f32], range: Range<f64>) -> f64 {
    let range = seconds(range);
    decibels(power(&echo[range.clone()]) / power(&cleaned[range]))
}

/// How true `sound` is to `wanted`, whatever its level, in decibels (scale-invariant
/// signal-to-distortion ratio).
pub fn truth(wanted: &[f32], sound: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let energy = dot(wanted, wanted);
    let part = dot(wanted, sound).powi(2) / energy;
    decibels(part / (dot(sound, sound) - part))
}

/// Power by time and frequency, in frames of 1024 samples.
fn spectrogram(sound: &[f32]) -> Vec<Vec<f64>> {
    const SIZE: usize = 1024;
    let window = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / SIZE as f64).cos();
    let frame = |samples: &[f32]| {
        let mut values: Vec<_> = samples
            .iter()
            .enumerate()
            .map(|(n, v)| (f64::from(*v) * window(n), 0.0))
            .collect();
        fourier::transform(&mut values);
        values[..SIZE / 2]
            .iter()
            .map(|v| v.0 * v.0 + v.1 * v.1)
            .collect()
    };
    sound.windows(SIZE).step_by(SIZE / 2).map(frame).collect()
}

/// How much is taken off the person in the room where that person is louder than the echo: the
/// median over time and frequency up to 8 kHz, in decibels, of what goes on alone against the same
/// with the echo cancelled.
pub fn attenuation(near: &[f32], echo: &[f32], cleaned: &[f32]) -> f64 {
    let (near, echo, cleaned) = (spectrogram(near), spectrogram(echo), spectrogram(cleaned));
    let loudest = near.iter().flatten().copied().fold(0.0, f64::max);
    let mut losses = Vec::new();
    for ((near, echo), cleaned) in near.iter().zip(&echo).zip(&cleaned) {
        for ((near, echo), cleaned) in near.iter().zip(echo).zip(cleaned).skip(4).take(166) {
            if *near > loudest * 1e-4 && *near > 4.0 * echo {
                losses.push(decibels(near / cleaned));
            }
        }
    }
    assert!(losses.len() > 1000, "too little to judge by");
    losses.sort_by(f64::total_cmp);
    losses[losses.len() / 2]
}
