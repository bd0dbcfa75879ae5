// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A device's sample clock as seen from the machine's: from counts of samples and the times at which
//! they came.
//!
//! A Kalman filter of two states (the time of a sample, and how much longer than it should a sample
//! lasts). Samples arrive late by chance but never early, so early ones are believed more.

use std::time::{Duration, Instant};

use roomd_media_core::mix::RATE;

/// No crystal is further off; in parts of one.
const MAX_DEVIATION: f64 = 500e-6;
/// How far off a crystal is thought to be before anything is known.
const LIKELY_DEVIATION: f64 = 100e-6;
/// How much a crystal wanders, per square root of a second.
const WANDER: f64 = 0.05e-6;
/// How far an early and a late arrival are trusted, in seconds.
const EARLY: f64 = 0.5e-3;
const LATE: f64 = 3e-3;

/// Samples that come by so much too late, again and again, follow others that were lost; ones that
/// come by so much too early tell that the first ones were held up. In seconds.
const STEP: f64 = 10e-3;
/// How often in a row.
const STEADY: u32 = 10;

/// The time of each sample.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Samples so far.
    count: u64,
    /// When the next sample is due, in seconds after the origin.
    at: f64,
    deviation: f64,
    /// Variances of both, and their covariance.
    variance: [f64; 3],
    /// Arrivals in a row that were later than [`STEP`], and the least of it.
    late: (u32, f64),
}

impl Clock {
    /// A clock whose first sample is of this time.
    pub(crate) fn new(origin: Instant) -> Self {
        Self {
            origin,
            count: 0,
            at: 0.0,
            deviation: 0.0,
            variance: [LATE * LATE, LIKELY_DEVIATION * LIKELY_DEVIATION, 0.0],
            late: (0, f64::MAX),
        }
    }

    /// How much later than expected samples come that arrive now, in seconds.
    pub(crate) fn lateness(&self, at: Instant) -> f64 {
        let since = at.saturating_duration_since(self.origin).as_secs_f64();
        let before = self.origin.saturating_duration_since(at).as_secs_f64();
        since - before - self.at
    }

    /// Notes that the next `samples` are of this time.
    pub(crate) fn observe(&mut self, samples: usize, at: Instant) {
        let lateness = self.lateness(at);
        if lateness > STEP {
            self.late = (self.late.0 + 1, self.late.1.min(lateness));
            if self.late.0 >= STEADY {
                self.step(self.late.1);
            }
        } else {
            self.late = (0, f64::MAX);
            if lateness < -STEP {
                self.step(lateness);
            } else {
                self.correct(lateness);
            }
        }
        self.advance(samples);
    }

    /// Sets the time anew; a sample lasts as long as before.
    fn step(&mut self, lateness: f64) {
        self.at += lateness;
        self.late = (0, f64::MAX);
        self.variance = [LATE * LATE, self.variance[1], 0.0];
    }

    /// Counts samples whose time is not known.
    pub(crate) fn advance(&mut self, samples: usize) {
        let lasts = samples as f64 / f64::from(RATE);
        self.count += samples as u64;
        self.at += lasts * (1.0 + self.deviation);
        let [time, rate, both] = &mut self.variance;
        *time += 2.0 * lasts * *both + lasts * lasts * *rate;
        *both += lasts * *rate;
        *rate += WANDER * WANDER * lasts;
    }

    fn correct(&mut self, lateness: f64) {
        let spread = if lateness > 0.0 { LATE } else { EARLY };
        let [time, rate, both] = self.variance;
        let sum = time + spread * spread;
        let (time_gain, rate_gain) = (time / sum, both / sum);
        self.at += time_gain * lateness;
        self.deviation =
            (self.deviation + rate_gain * lateness).clamp(-MAX_DEVIATION, MAX_DEVIATION);
        self.variance = [
            (1.0 - time_gain) * time,
            rate - rate_gain * both,
            (1.0 - time_gain) * both,
        ];
    }

    /// How much longer than it should a sample lasts, in parts of one.
    pub(crate) const fn deviation(&self) -> f64 {
        self.deviation
    }

    /// When the next sample is due.
    pub(crate) fn next(&self) -> Instant {
        let sign = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        if self.at < 0.0 {
            return self
                .origin
                .checked_sub(sign(-self.at))
                .unwrap_or(self.origin);
        }
        self.origin
            .checked_add(sign(self.at))
            .unwrap_or(self.origin)
    }

    /// Which sample is of this time, counted from the first one.
    pub(crate) fn sample_at(&self, at: Instant) -> f64 {
        self.count as f64 + self.lateness(at) * f64::from(RATE) / (1.0 + self.deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of 10 ms whose samples last longer by `ppm`, each up to 3 ms late.
    fn run(ppm: f64, seconds: u32, mut check: impl FnMut(u32, &Clock)) {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let mut dice = 1_u32;
        for block in 0..seconds * 100 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let late = f64::from(dice >> 8) / f64::from(1 << 24) * 3e-3;
            let at = f64::from(block) * 0.01 * (1.0 + ppm * 1e-6) + late;
            clock.observe(480, start + Duration::from_secs_f64(at));
            check(block, &clock);
        }
    }

    #[test]
    fn finds_a_clock_that_is_off_in_spite_of_late_arrivals() {
        for ppm in [-200.0, -100.0, 0.0, 30.0, 100.0, 250.0] {
            let mut worst: f64 = 0.0;
            run(ppm, 60, |block, clock| {
                if block >= 2000 {
                    worst = worst.max((clock.deviation() * 1e6 - ppm).abs());
                }
            });
            assert!(worst < 12.0, "{ppm} ppm: off by {worst:.1} after 20 s");
        }
    }

    #[test]
    fn tells_the_sample_of_a_time_and_the_time_of_a_sample() {
        run(100.0, 30, |block, clock| {
            let next = clock.sample_at(clock.next());
            let count = f64::from(block + 1) * 480.0;
            assert!((next - count).abs() < 0.01, "{next} instead of {count}");
        });
    }

    #[test]
    fn notices_samples_that_were_lost_and_none_that_are_only_late() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let mut deliver = |block: u32, late: u64| {
            let due = start + Duration::from_millis(10) * block;
            clock.observe(480, due + Duration::from_millis(late));
            (clock.next() - due).as_secs_f64() * 1000.0 - 10.0
        };
        for block in 0..500 {
            let late = if block % 50 == 49 { 60 } else { 0 };
            let off = deliver(block, late);
            assert!(off.abs() < 0.5, "{off} ms off after one that was late");
        }
        // 50 ms are lost.
        let off: Vec<f64> = (500..540).map(|block| deliver(block, 50)).collect();
        assert!(
            off[5].abs() < 0.5 && (off[39] - 50.0).abs() < 0.5,
            "{off:?}"
        );
    }

    #[test]
    fn a_first_arrival_that_was_late_is_made_good() {
        let start = Instant::now();
        let mut clock = Clock::new(start + Duration::from_millis(40));
        for block in 0..100 {
            clock.observe(480, start + Duration::from_millis(10) * block);
        }
        let off = (clock.next() - start).as_secs_f64() - 1.0;
        assert!(off.abs() < 0.5e-3, "{off} s");
        assert!(clock.deviation().abs() < 20e-6, "{}", clock.deviation());
    }

    #[test]
    fn no_arrival_makes_it_more_than_a_crystal_can_be_off() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        for second in 0..100_u64 {
            clock.observe(480, start + Duration::from_secs(second * second));
            assert!(clock.deviation().abs() <= MAX_DEVIATION);
        }
        assert!(clock.next() >= start);
    }
}
