// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A meeting room without a room: two people who speak, a loudspeaker, walls, a microphone whose
//! clock may be off. Everything follows from seeds.

use std::f64::consts::{PI, TAU};

use crate::fourier;

/// Samples per second.
pub const RATE: usize = 48_000;

/// Dice that always fall alike (xorshift).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// From -1 to 1.
    pub fn both(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        f64::midpoint(self.both(), 1.0)
    }
}

/// One resonance of a mouth.
#[derive(Clone, Copy, Default)]
struct Resonance {
    feedback: [f64; 2],
    last: [f64; 2],
}

impl Resonance {
    fn tune(&mut self, hertz: f64, width: f64) {
        let radius = (-PI * width / RATE as f64).exp();
        let turn = (TAU * hertz / RATE as f64).cos();
        self.feedback = [2.0 * radius * turn, -radius * radius];
    }

    fn pass(&mut self, input: f64) -> f64 {
        let [one, two] = self.feedback;
        let output = (1.0 - one - two) * input + one * self.last[0] + two * self.last[1];
        self.last = [output, self.last[0]];
        output
    }
}

/// Sound with the ups and downs, the spectrum and the pauses of speech, at -26 dBFS while it speaks:
/// phones of 60 to 180 ms, two thirds of them pulses through moving resonances, the others noise.
pub fn speech(seed: u64, pitch: f64, seconds: usize) -> Vec<f32> {
    let mut dice = Dice::new(seed);
    let mut mouth = [Resonance::default(); 4];
    let mut sound: Vec<f64> = Vec::new();
    let (mut phase, mut glottis, mut hiss, mut spoken) = (0.0, 0.0, 0.0, 0.0);
    while sound.len() < seconds * RATE {
        let mut length = ((0.06 + 0.12 * dice.unit()) * RATE as f64) as usize;
        spoken += length as f64 / RATE as f64;
        let pause = spoken > 2.0 && dice.unit() < 0.3;
        if pause {
            spoken = 0.0;
            length *= 4;
        }
        let voiced = dice.unit() < 0.7;
        let loud = 0.5 + dice.unit();
        let formants = [
            (300.0, 500.0, 80.0),
            (900.0, 1400.0, 110.0),
            (2300.0, 800.0, 160.0),
            (3300.0, 900.0, 250.0),
        ];
        for (resonance, (least, range, width)) in mouth.iter_mut().zip(formants) {
            resonance.tune(least + range * dice.unit(), width);
        }
        let (tone, slope) = (pitch * (0.85 + 0.3 * dice.unit()), 0.2 * dice.both());
        for index in 0..length {
            let within = index as f64 / length as f64;
            let envelope = (within * 8.0).min((1.0 - within) * 8.0).min(1.0);
            let value = if pause {
                0.0
            } else if voiced {
                phase += tone * (1.0 + slope * (within - 0.5)) / RATE as f64;
                let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
                phase -= pulse;
                glottis = 0.93 * glottis + pulse;
                let breath = glottis + 0.02 * dice.both();
                let weights = [4.0, 2.8, 1.6, 1.2];
                mouth
                    .iter_mut()
                    .zip(weights)
                    .map(|(r, weight)| r.pass(breath) * weight)
                    .sum()
            } else {
                let fresh = dice.both();
                let sharp = fresh - std::mem::replace(&mut hiss, fresh);
                mouth[3].pass(sharp) * 1.5 + mouth[2].pass(sharp) * 0.5 + sharp * 0.06
            };
            sound.push(value * envelope * loud);
        }
    }
    sound.truncate(seconds * RATE);
    at_level(&sound, -26.0)
}

/// Brings the louder two thirds to this level, in dBFS.
fn at_level(sound: &[f64], level: f64) -> Vec<f32> {
    let mut powers: Vec<f64> = sound
        .chunks(480)
        .map(|block| block.iter().map(|v| v * v).sum::<f64>() / block.len() as f64)
        .collect();
    powers.sort_by(f64::total_cmp);
    let loud = &powers[powers.len() / 3..];
    let mean = (loud.iter().sum::<f64>() / loud.len() as f64).sqrt();
    let gain = 10_f64.powf(level / 20.0) / mean;
    sound
        .iter()
        .map(|v| (v * gain).clamp(-1.0, 1.0) as f32)
        .collect()
}

/// Steady noise of this level, in dBFS.
pub fn noise(seed: u64, level: f64, length: usize) -> Vec<f32> {
    let mut dice = Dice::new(seed);
    // Even noise has a third of the power of its peaks.
    let gain = 10_f64.powf(level / 20.0) * 3_f64.sqrt();
    (0..length).map(|_| (dice.both() * gain) as f32).collect()
}

/// From loudspeaker to microphone: the direct way after `delay` samples, and as strong as it a tail
/// that falls by 60 dB within `reverberation` milliseconds. An echo is as loud as what is played.
pub fn impulse_response(seed: u64, delay: usize, reverberation: usize) -> Vec<f64> {
    const FIRST_REFLECTION: usize = 120;
    let mut dice = Dice::new(seed);
    let length = reverberation * RATE / 1000;
    let mut tail: Vec<f64> = (0..length)
        .map(|n| dice.both() * 10_f64.powf(-3.0 * n as f64 / length as f64))
        .collect();
    tail[..FIRST_REFLECTION].fill(0.0);
    let energy: f64 = tail.iter().map(|v| v * v).sum();
    for value in &mut tail {
        *value /= energy.sqrt();
    }
    tail[0] = 1.0;
    let silence = std::iter::repeat_n(0.0, delay);
    silence.chain(tail).map(|v| v * 0.5_f64.sqrt()).collect()
}

/// What a microphone behind this way takes.
pub fn convolve(sound: &[f32], response: &[f64]) -> Vec<f32> {
    let size = (sound.len() + response.len()).next_power_of_two();
    let padded = |values: &mut dyn Iterator<Item = f64>| {
        let mut padded: Vec<_> = values.map(|v| (v, 0.0)).collect();
        padded.resize(size, (0.0, 0.0));
        padded
    };
    let mut product = padded(&mut sound.iter().map(|v| f64::from(*v)));
    let mut other = padded(&mut response.iter().copied());
    fourier::transform(&mut product);
    fourier::transform(&mut other);
    for (a, b) in product.iter_mut().zip(&other) {
        // The conjugate, so that a second transform forward is one back.
        *a = (a.0 * b.0 - a.1 * b.1, -(a.0 * b.1 + a.1 * b.0));
    }
    fourier::transform(&mut product);
    let scale = 1.0 / size as f64;
    product[..sound.len()]
        .iter()
        .map(|v| (v.0 * scale) as f32)
        .collect()
}

/// The same sound taken by a device whose samples last longer by `ppm`.
pub fn drifted(sound: &[f32], ppm: f64) -> Vec<f32> {
    const REACH: usize = 24;
    const PHASES: usize = 2048;
    let weight = |phase: usize, n: usize| {
        let away = n as f64 - (REACH - 1) as f64 - phase as f64 / PHASES as f64;
        let sinc = if away.abs() < 1e-9 {
            1.0
        } else {
            (PI * away).sin() / (PI * away)
        };
        (sinc * f64::midpoint(1.0, (PI * away / (REACH + 1) as f64).cos())) as f32
    };
    let table: Vec<[f32; 2 * REACH]> = (0..PHASES)
        .map(|phase| std::array::from_fn(|n| weight(phase, n)))
        .collect();
    let padding = [0.0; REACH];
    let padded = [&padding[1..], sound, &padding, &padding].concat();
    let take = |index: usize| {
        let place = index as f64 * (1.0 + ppm * 1e-6);
        let around = &padded[(place.floor() as usize).min(sound.len())..];
        let weights = &table[(place.fract() * PHASES as f64) as usize];
        weights.iter().zip(around).map(|(w, v)| w * v).sum()
    };
    (0..sound.len()).map(take).collect()
}
