// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Makes sound longer or shorter by a piece of it, so that its pitch stays and no cut is heard.
//!
//! The piece is as long as the distance at which the sound is most like itself, and the sound is
//! faded over to itself at that distance: waveform similarity overlap-add (W. Verhelst, M. Roelants,
//! ICASSP 1993). Distances are those of the pitch of voices and its multiples. They are looked for
//! coarsely at an eighth of the rate, then to the sample.

use std::ops::RangeInclusive;

/// The shortest piece, 2.5 ms: a pitch of 400 Hz.
pub(super) const SHORTEST: usize = 120;
/// The longest piece, 15 ms: a pitch of 67 Hz.
pub(super) const LONGEST: usize = 720;

/// Samples of which the coarse search makes one.
const COARSE: usize = 8;
/// Samples that the fine search compares.
const FINE: usize = 480;
/// Bits of what is compared: products of so many samples add up within 32 bits.
const BITS: u32 = 11;

/// How long a tail is as loud as the sound was, 10 ms.
const HELD: usize = 480;
/// After which time it is silent, 60 ms.
const FADED: usize = 2880;

/// Where sound is like other sound, and how much: 1 is the same shape, 0 no likeness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub at: usize,
    pub likeness: f32,
}

/// The place at which `width` samples are most like those at `here`. None where there is nothing to
/// compare: too few samples, or none that are not zero. No more than [`LONGEST`] places are tried.
pub(super) fn most_alike(
    sound: &[i16],
    here: usize,
    places: RangeInclusive<usize>,
    width: usize,
) -> Option<Match> {
    let width = width.min(LONGEST);
    let (first, last) = (*places.start(), *places.end());
    let last = last.min(first.saturating_add(LONGEST));
    if width < COARSE || last < first {
        return None;
    }
    let mut template = [0; LONGEST / COARSE];
    let mut region = [0; 2 * LONGEST / COARSE];
    let template = thinned(sound.get(here..here + width)?, &mut template);
    let region = thinned(sound.get(first..last + width)?, &mut region);
    // What is too high for the coarse search has a period within the reach of the fine one.
    let about = best(template, region).map_or(last, |found| first + found.at * COARSE);

    let first = (about + 1).saturating_sub(COARSE).max(first);
    let last = last.min(about + COARSE - 1);
    let width = width.min(FINE);
    let mut template = [0; FINE];
    let mut region = [0; FINE + 2 * COARSE];
    let template = scaled(sound.get(here..here + width)?, &mut template);
    let region = scaled(sound.get(first..last + width)?, &mut region);
    let found = best(template, region)?;
    Some(Match {
        at: first + found.at,
        likeness: found.likeness,
    })
}

/// Where in the region the template fits best.
fn best(template: &[i16], region: &[i16]) -> Option<Match> {
    let own = product(template, template) as f32;
    let mut best: Option<Match> = None;
    for (at, window) in region.windows(template.len()).enumerate() {
        let power = own * product(window, window) as f32;
        let likeness = product(template, window) as f32 / power.sqrt();
        if likeness.is_finite() && best.is_none_or(|best| likeness > best.likeness) {
            best = Some(Match { at, likeness });
        }
    }
    best
}

fn product(one: &[i16], other: &[i16]) -> i32 {
    let pairs = one.iter().zip(other);
    pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// One sample of every eight.
fn thinned<'a>(sound: &[i16], into: &'a mut [i16]) -> &'a [i16] {
    let sums = sound.chunks_exact(COARSE);
    let sums = sums.map(|eight| eight.iter().map(|sample| i32::from(*sample)).sum::<i32>());
    normalised(sums, into)
}

fn scaled<'a>(sound: &[i16], into: &'a mut [i16]) -> &'a [i16] {
    normalised(sound.iter().map(|sample| i32::from(*sample)), into)
}

/// Samples brought to the bits that are compared.
fn normalised(samples: impl Iterator<Item = i32> + Clone, into: &mut [i16]) -> &[i16] {
    let peak = samples.clone().map(i32::unsigned_abs).max().unwrap_or(0);
    let shift = (u32::BITS - peak.leading_zeros()).saturating_sub(BITS);
    let mut count = 0;
    for (out, sample) in into.iter_mut().zip(samples) {
        *out = (sample >> shift) as i16;
        count += 1;
    }
    &into[..count]
}

/// How far a fade has come at one of its steps, 0 to 1, without a bend at either end.
pub(super) fn faded(step: usize, steps: usize) -> f32 {
    let part = ((step as f32 + 0.5) / steps.max(1) as f32).min(1.0);
    part * part * (3.0 - 2.0 * part)
}

/// A sample between two others.
pub(super) fn between(one: i16, other: i16, part: f32) -> i16 {
    let (one, other) = (f32::from(one), f32::from(other));
    (one + (other - one) * part).round() as i16
}

/// Takes `count` samples away at a place, fading over to what follows them.
pub(super) fn cut(sound: &mut Vec<i16>, at: usize, count: usize, fade: usize) {
    let end = (at + count).min(sound.len());
    let (before, after) = sound.split_at_mut(end);
    let fade = fade.min(end - at).min(after.len());
    for (step, (old, new)) in before[at..].iter().zip(after).take(fade).enumerate() {
        *new = between(*old, *new, faded(step, fade));
    }
    sound.drain(at..end);
}

/// Puts `count` samples in at a place, which repeat what is before it; there must be so many on both
/// sides.
pub(super) fn repeat(sound: &mut Vec<i16>, at: usize, count: usize) {
    open(sound, at, count);
    for step in 0..count {
        let (next, last) = (sound[at + count + step], sound[at + step - count]);
        sound[at + step] = between(next, last, faded(step, count));
    }
}

/// How sound goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tail {
    /// What is repeated, in samples.
    period: usize,
    /// What the end of the period is off the end of the sound.
    step: f32,
    /// Samples so far.
    done: usize,
}

impl Tail {
    /// Of sound that ends at a place.
    pub(super) fn new(sound: &[i16], end: usize) -> Self {
        let width = FINE.min(end / 2);
        let here = end - width;
        let (nearest, furthest) = (
            here.saturating_sub(SHORTEST),
            here.saturating_sub(LONGEST).max(1),
        );
        // What has no pitch is repeated as rarely as possible.
        let found = most_alike(sound, here, furthest..=nearest, width)
            .filter(|found| found.likeness > 0.5)
            .map_or(furthest, |found| found.at);
        let period = here.saturating_sub(found).max(1);
        let sample = |before: usize| {
            let sample = end.checked_sub(before).and_then(|at| sound.get(at));
            sample.map_or(0.0, |sample| f32::from(*sample))
        };
        Self {
            period,
            step: sample(1) - sample(1 + period),
            done: 0,
        }
    }

    /// Puts `count` samples in at a place, as the sound before it would go on; returns them, and how
    /// much of each is heard.
    pub(super) fn extend<'a>(
        &mut self,
        sound: &'a mut Vec<i16>,
        at: usize,
        count: usize,
    ) -> impl Iterator<Item = (i16, f32)> + use<'a> {
        open(sound, at, count);
        let begin = self.done;
        for place in at..at + count {
            sound[place] = self.next(sound, place);
            self.done += 1;
        }
        let made = sound[at..at + count].iter().zip(begin..);
        made.map(|(sample, done)| (*sample, gain(done)))
    }

    /// Fades from the tail to the sound at a place, where the tail has come to.
    pub(super) fn merge(mut self, sound: &mut [i16], at: usize, fade: usize) {
        // It goes on from itself and not from what is written here.
        let mut tail = [0; LONGEST + FINE];
        let kept = self.period.min(at).min(LONGEST);
        tail[..kept].copy_from_slice(&sound[at - kept..at]);
        for step in 0..fade.min(FINE).min(sound.len() - at) {
            tail[kept + step] = self.next(&tail, kept + step);
            let old = (f32::from(tail[kept + step]) * gain(self.done)) as i16;
            sound[at + step] = between(old, sound[at + step], faded(step, fade));
            self.done += 1;
        }
    }

    /// Whether nothing is heard of it any more.
    pub(super) const fn is_over(&self) -> bool {
        self.done >= FADED
    }

    fn next(&self, sound: &[i16], place: usize) -> i16 {
        let before = place.checked_sub(self.period);
        let sample = before.and_then(|before| sound.get(before));
        let sample = f32::from(sample.copied().unwrap_or_default());
        if self.done >= self.period {
            return sample as i16;
        }
        // The first period begins where the sound ended, and all repeat it.
        let off = self.step * (1.0 - faded(self.done, self.period / 2));
        (sample + off).round() as i16
    }
}

/// What is heard of a tail: it fades, as nobody knows how the sound would have gone on.
fn gain(done: usize) -> f32 {
    1.0 - faded(done.saturating_sub(HELD), FADED - HELD)
}

/// Makes room at a place.
fn open(sound: &mut Vec<i16>, at: usize, count: usize) {
    let length = sound.len();
    sound.resize(length + count, 0);
    sound.copy_within(at..length, at + count);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, samples: usize) -> Vec<i16> {
        let omega = std::f64::consts::TAU * hertz / 48_000.0;
        (0..samples)
            .map(|n| ((n as f64 * omega).sin() * 8000.0).round() as i16)
            .collect()
    }

    #[test]
    fn finds_the_period_or_a_multiple_of_it() {
        for hertz in [67.0, 100.0, 230.5, 440.0, 1000.0, 3333.0, 7000.0] {
            let sound = sine(hertz, 3000);
            let ahead = most_alike(&sound, 1000, 1120..=1720, 720).unwrap();
            let behind = most_alike(&sound, 1000, 280..=880, 720).unwrap();
            for (lag, likeness) in [
                (ahead.at - 1000, ahead.likeness),
                (1000 - behind.at, behind.likeness),
            ] {
                let periods = lag as f64 * hertz / 48_000.0;
                let off = (periods - periods.round()).abs() / hertz * 48_000.0;
                assert!(
                    off <= 1.0,
                    "{hertz} Hz: {lag} samples are {periods} periods"
                );
                assert!(likeness > 0.95, "{hertz} Hz: {likeness}");
            }
        }
    }

    #[test]
    fn says_that_noise_is_not_like_itself() {
        let mut dice = 1_u32;
        let noise: Vec<i16> = std::iter::repeat_with(|| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (dice >> 16) as i16
        })
        .take(3000)
        .collect();
        let found = most_alike(&noise, 1000, 1120..=1720, 720).unwrap();
        assert!(found.likeness < 0.5, "{found:?}");
    }

    #[test]
    fn the_loudest_sound_does_not_overflow() {
        let square: Vec<i16> = (0..3000)
            .map(|n| if n / 240 % 2 == 0 { i16::MIN } else { i16::MAX })
            .collect();
        let found = most_alike(&square, 1000, 1120..=1720, 720).unwrap();
        assert!(found.likeness > 0.99 && found.at == 1480, "{found:?}");
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        let sound = sine(440.0, 1000);
        assert_eq!(most_alike(&sound, 0, 900..=999, 480), None);
        assert_eq!(most_alike(&sound, 990, 0..=100, 480), None);
        let (first, last) = (200, 100);
        assert_eq!(most_alike(&sound, 0, first..=last, 480), None);
        assert_eq!(most_alike(&sound, 0, 100..=200, 0), None);
        assert_eq!(most_alike(&[0; 2000], 0, 120..=720, 480), None);
    }

    /// The greatest second difference: how sharp the sharpest bend is.
    fn bend(sound: &[i16]) -> i32 {
        sound
            .windows(3)
            .map(|w| (i32::from(w[0]) - 2 * i32::from(w[1]) + i32::from(w[2])).abs())
            .max()
            .unwrap()
    }

    #[test]
    fn a_tone_that_is_cut_or_repeated_is_a_tone() {
        let whole = sine(440.0, 4000);
        let mut sound = whole.clone();
        let lag = most_alike(&sound, 2000, 2120..=2720, 720).unwrap().at - 2000;
        cut(&mut sound, 2000, lag, lag);
        assert_eq!(sound.len(), 4000 - lag);
        assert_eq!(sound[..2000], whole[..2000]);
        assert_eq!(sound[2000 + lag..], whole[2000 + 2 * lag..]);
        assert!(bend(&sound) <= bend(&whole) + 3, "{}", bend(&sound));

        let mut sound = whole.clone();
        let lag = 2000 - most_alike(&sound, 2000, 1280..=1880, 720).unwrap().at;
        repeat(&mut sound, 2000, lag);
        assert_eq!(sound.len(), 4000 + lag);
        assert_eq!(sound[2000 + lag..], whole[2000..]);
        assert!(bend(&sound) <= bend(&whole) + 3, "{}", bend(&sound));
    }

    #[test]
    fn a_tone_goes_on_and_fades_without_a_bend() {
        let whole = sine(440.0, 2000);
        // Two blocks of it, then the sound comes back out of phase.
        let mut sound = whole.clone();
        sound.truncate(1500);
        let mut tail = Tail::new(&sound, 1500);
        let made: Vec<_> = tail.extend(&mut sound, 1500, 480).collect();
        assert!(made.iter().all(|(_, heard)| *heard > 0.999));
        assert_eq!(tail.extend(&mut sound, 1980, 480).count(), 480);
        // A period of whole samples is up to half a sample off, and so is the slope where it ends.
        assert!(bend(&sound) <= bend(&whole) * 3 / 2, "{}", bend(&sound));
        let next = sine(440.0, 3000);
        sound.extend(&next[50..]);
        let mut heard = sound.clone();
        tail.merge(&mut heard, 2460, 240);
        assert_eq!(heard[2700..], sound[2700..]);
        let (before, after) = (bend(&heard[1980..2459]), bend(&heard[2462..]));
        assert!(before.max(after) <= bend(&whole) * 3, "{before} {after}");
        let rest: Vec<_> = tail.extend(&mut sound, 2460, 1920).collect();
        assert!(tail.is_over() && rest[1919].1 < 1e-3, "{:?}", rest[1919]);
        assert!(rest.is_sorted_by(|a, b| a.1 >= b.1));
    }
}
