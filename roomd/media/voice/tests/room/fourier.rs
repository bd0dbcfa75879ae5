// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A plain Fourier transform for simulation and measurement.

use std::f64::consts::TAU;

/// Transforms in place; the length is a power of two.
pub fn transform(values: &mut [(f64, f64)]) {
    let size = values.len();
    assert!(size.is_power_of_two());
    let bits = size.trailing_zeros();
    for index in 0..size {
        let mirrored = index.reverse_bits() >> (usize::BITS - bits);
        if index < mirrored {
            values.swap(index, mirrored);
        }
    }
    let mut length = 2;
    while length <= size {
        let half = length / 2;
        let turns: Vec<(f64, f64)> = (0..half)
            .map(|k| (-TAU * k as f64 / length as f64).sin_cos())
            .collect();
        for part in values.chunks_mut(length) {
            let (low, high) = part.split_at_mut(half);
            for ((a, b), (sin, cos)) in low.iter_mut().zip(high).zip(&turns) {
                let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        length *= 2;
    }
}
