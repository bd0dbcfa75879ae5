// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where a mark is in what the microphone heard: by cross-correlation.
//!
//! The correlation is made in the frequency domain, which is a thousand times less work than in time.
//! The transform is written here: it is used for this alone, once in a test, and thirty lines are less
//! than a library.

use std::f64::consts::PI;

/// A mark that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// How much later than the search began, in samples.
    pub lag: f64,
}

/// How much higher than the usual correlation the peak must be. Of a normal distribution one value in
/// 10^15 is that high.
const PEAK: f64 = 8.0;
/// How much of what is heard at that place must be the mark, as correlation coefficient: with less
/// than a tenth (20 dB below the noise) speech is taken for a mark now and then.
const LIKENESS: f64 = 0.1;

/// Finds a mark.
///
/// The strongest path counts, which is the direct one unless something stands in its way. The place
/// is given to a fraction of a sample, by the parabola through the peak and its neighbours.
pub(super) fn find(mark: &[f64], heard: &[f64]) -> Option<Found> {
    let lags = heard.len().checked_sub(mark.len())? + 1;
    let correlation = correlate(mark, heard, lags);
    let (at, peak) = correlation
        .iter()
        .map(|c| c.abs())
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let energy = |samples: &[f64]| samples.iter().map(|s| s * s).sum::<f64>();
    let both = energy(mark) * energy(&heard[at..at + mark.len()]);
    if !both.is_normal() || peak / both.sqrt() < LIKENESS || peak < PEAK * usual(&correlation) {
        return None;
    }
    let beside = |index: Option<usize>| {
        let value = index.and_then(|index| correlation.get(index));
        value.map_or(0.0, |c| c.abs())
    };
    let (before, after) = (beside(at.checked_sub(1)), beside(at.checked_add(1)));
    let bend = before - 2.0 * peak + after;
    let fraction = if bend < 0.0 {
        0.5 * (before - after) / bend
    } else {
        0.0
    };
    Some(Found {
        lag: at as f64 + fraction,
    })
}

/// The standard deviation of a normal distribution with the same median; peaks do not count.
fn usual(correlation: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = correlation.iter().map(|c| c.abs()).collect();
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    *median / 0.6745
}

/// The correlation at the first lags.
fn correlate(mark: &[f64], heard: &[f64], lags: usize) -> Vec<f64> {
    // As long as what was heard: nothing wraps round into the lags that are read.
    let size = heard.len().next_power_of_two();
    let padded = |samples: &[f64]| {
        let mut values: Vec<Complex> = samples.iter().map(|s| (*s, 0.0)).collect();
        values.resize(size, (0.0, 0.0));
        transform(&mut values);
        values
    };
    let (mark, mut product) = (padded(mark), padded(heard));
    for (value, mark) in product.iter_mut().zip(&mark) {
        // Conjugated twice: times the mark's, and for the transform back.
        let (re, im) = times(*value, (mark.0, -mark.1));
        *value = (re, -im);
    }
    transform(&mut product);
    let scale = 1.0 / size as f64;
    product.iter().take(lags).map(|c| c.0 * scale).collect()
}

type Complex = (f64, f64);

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// The discrete Fourier transform (Cooley and Tukey, radix 2); the length is a power of two.
fn transform(values: &mut [Complex]) {
    let size = values.len();
    if size < 2 {
        return;
    }
    let shift = usize::BITS - size.trailing_zeros();
    for index in 0..size {
        let other = index.reverse_bits() >> shift;
        if other > index {
            values.swap(index, other);
        }
    }
    let angle = |n: usize| -2.0 * PI * n as f64 / size as f64;
    let turns: Vec<Complex> = (0..size / 2)
        .map(|n| (angle(n).cos(), angle(n).sin()))
        .collect();
    let mut half = 1;
    while half < size {
        let stride = size / (2 * half);
        for group in values.chunks_exact_mut(2 * half) {
            let (even, odd) = group.split_at_mut(half);
            for (n, (a, b)) in even.iter_mut().zip(odd).enumerate() {
                let turned = times(*b, turns[n * stride]);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter(count: usize) -> Vec<f64> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 23) - 1.0
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn the_correlation_is_the_one_in_time() {
        let (mark, heard) = (scatter(37), scatter(200));
        let fast = correlate(&mark, &heard, 164);
        for (lag, value) in fast.iter().enumerate() {
            let slow: f64 = mark.iter().zip(&heard[lag..]).map(|(a, b)| a * b).sum();
            assert!((slow - value).abs() < 1e-9, "{lag}: {slow}, {value}");
        }
    }

    #[test]
    fn a_mark_is_found_where_it_is_and_nowhere_else() {
        let mark = scatter(2000);
        let mut heard = vec![0.0; 8000];
        for (at, sample) in mark.iter().enumerate() {
            heard[at + 1234] -= 0.1 * sample;
        }
        let found = find(&mark, &heard).unwrap();
        assert!((found.lag - 1234.0).abs() < 0.01, "{found:?}");
        let mut other = mark.clone();
        other.reverse();
        assert_eq!(find(&other, &heard), None);
        assert_eq!(find(&mark, &vec![0.0; 8000]), None);
        assert_eq!(find(&mark, &heard[..100]), None);
    }
}
