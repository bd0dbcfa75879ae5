// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From what was heard to figures.

use super::correlation::find;
use super::outcome::{Figure, Outcome, Problem, Verdict};
use super::signal::{
    BLOCK, END, FIRST_AT, MARK, NOISE, NOISE_AT, RANGE, RATE, SECOND_AT, script, sweep,
};

/// A device needs this long until its level means something.
const SETTLING: usize = RATE / 2;
/// The canceller may take this long to converge; levels are measured after it.
const CONVERGING: usize = RATE * 5 / 2;
/// No two clocks differ by more; beyond it something was lost.
const MOST_DRIFT: f64 = 1000e-6;
/// So many samples at the end of the scale are no chance.
const CLIPPED: usize = 10;
/// A microphone's own noise moves more than this, in steps of the scale.
const STILL: i32 = 2;
/// So much above the noise something is heard, as power ratio (6 dB).
const ABOVE: f64 = 4.0;
/// Where the scale of levels ends, in dBFS.
const NOTHING: f64 = -120.0;

/// Judges the whole test, which was played so many samples late.
pub(super) fn judge(microphone: &[i16], cancelled: Option<&[i16]>, ahead: usize) -> Outcome {
    let mut outcome = Outcome::default();
    if is_still(microphone) {
        return Outcome::of(Problem::MicrophoneSilent);
    }
    let limit = |s: &&i16| **s == i16::MAX || **s == i16::MIN;
    if microphone.iter().filter(limit).count() > CLIPPED {
        outcome.problems.push(Problem::Clipping);
    }
    let noise = power(part(microphone, SETTLING, FIRST_AT));
    outcome.noise_dbfs = Some(Figure::noise_dbfs(dbfs(noise)));
    let Some(delay) = delay(microphone, &mut outcome) else {
        outcome.problems.push(unheard(microphone, noise));
        return outcome;
    };
    let own = (delay - ahead as f64).max(0.0);
    outcome.delay_ms = Some(Figure::delay_ms(own * 1000.0 / RATE as f64));
    levels(microphone, cancelled, noise, delay, &mut outcome);
    outcome
}

/// The delay in samples, and the drift with it.
fn delay(microphone: &[i16], outcome: &mut Outcome) -> Option<f64> {
    let mark = sweep();
    let search = |at: usize| {
        let heard: Vec<f64> = part(microphone, at, at + MARK + RANGE)
            .iter()
            .map(|sample| f64::from(*sample) / 32768.0)
            .collect();
        find(&mark, &heard).map(|found| found.lag)
    };
    let (first, second) = (search(FIRST_AT), search(SECOND_AT));
    let (Some(first), Some(second)) = (first, second) else {
        let one = first.or(second)?;
        outcome.problems.push(Problem::Interrupted);
        return Some(one);
    };
    let drift = (second - first) / (SECOND_AT - FIRST_AT) as f64;
    if drift.abs() > MOST_DRIFT {
        outcome.problems.push(Problem::Interrupted);
    } else {
        outcome.drift_ppm = Some(Figure::drift_ppm(drift * 1e6));
    }
    Some(first)
}

/// Why neither mark was found.
fn unheard(microphone: &[i16], noise: f64) -> Problem {
    let after = part(microphone, FIRST_AT, END);
    let loudest = after.chunks_exact(RATE).map(power).fold(0.0, f64::max);
    if loudest > ABOVE * noise {
        Problem::NotRecognised
    } else if Figure::noise_dbfs(dbfs(noise)).verdict == Verdict::Bad {
        Problem::TooNoisy
    } else {
        Problem::NotHeard
    }
}

fn levels(
    microphone: &[i16],
    cancelled: Option<&[i16]>,
    noise: f64,
    delay: f64,
    outcome: &mut Outcome,
) {
    // Rounded up to the next block, so that the beginning is not cut into.
    let late = (delay as usize).next_multiple_of(BLOCK);
    let (from, to) = (NOISE_AT + CONVERGING, NOISE_AT + NOISE - BLOCK);
    let played = power(part(&script(), from, to));
    let echo = power(part(microphone, from + late, to + late)) - noise;
    // Less than a tenth of the noise is within what noise differs from itself.
    if echo < noise / 10.0 || echo <= 0.0 {
        return;
    }
    outcome.heard_dbfs = Some(Figure::heard_dbfs(dbfs(echo), dbfs(noise)));
    let loss = dbfs(played) - dbfs(echo);
    outcome.echo_return_loss_db = Some(Figure::echo_return_loss_db(loss));
    let Some(cancelled) = cancelled else { return };
    let left = power(part(cancelled, from + late, to + late));
    let quiet = power(part(cancelled, SETTLING, FIRST_AT));
    let hidden = left <= 2.0 * quiet || left == 0.0;
    let enhancement = dbfs(echo) - dbfs(left);
    outcome.echo_return_loss_enhancement_db =
        Some(Figure::enhancement_db(enhancement, loss, hidden));
}

/// What there is of a part.
fn part(samples: &[i16], from: usize, to: usize) -> &[i16] {
    let to = to.min(samples.len());
    samples.get(from..to).unwrap_or_default()
}

fn is_still(samples: &[i16]) -> bool {
    let settled = part(samples, SETTLING, END);
    let (least, most) = (settled.iter().min(), settled.iter().max());
    let (least, most) = (least.copied().unwrap_or(0), most.copied().unwrap_or(0));
    i32::from(most) - i32::from(least) <= STILL
}

/// The mean power without the mean, which microphones have and nobody hears.
fn power(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let count = samples.len() as f64;
    let value = |s: &i16| f64::from(*s) / 32768.0;
    let mean = samples.iter().map(value).sum::<f64>() / count;
    samples
        .iter()
        .map(|s| (value(s) - mean).powi(2))
        .sum::<f64>()
        / count
}

fn dbfs(power: f64) -> f64 {
    (10.0 * (2.0 * power).log10()).max(NOTHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_of_full_scale_is_zero() {
        let sine = |n: usize| (n as f64 / 48.0 * std::f64::consts::TAU).sin();
        let sine: Vec<i16> = (0..4800).map(|n| (32767.0 * sine(n)) as i16).collect();
        assert!(dbfs(power(&sine)).abs() < 0.01);
        assert_eq!(dbfs(power(&[700; 480])), NOTHING);
        assert_eq!(dbfs(power(&[])), NOTHING);
        assert_eq!(part(&sine, 4790, 9000).len(), 10);
        assert_eq!(part(&sine, 5000, 9000).len(), 0);
    }
}
