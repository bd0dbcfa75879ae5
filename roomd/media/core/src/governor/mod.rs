// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Keeps the room's picture fluent on a processor that is too slow for all of it.
//!
//! The largest size goes first, pictures a second later, and the displays' own last. What was taken
//! away comes back one step at a time, and the more seldom the more often that went wrong.

mod allowance;
mod load;

pub use allowance::Allowance;
pub use load::{Load, Work};
pub use roomd_model::QualityLimit;

use std::time::{Duration, Instant};

/// It is too much when that is seen in so many of the last seconds.
const SECONDS: u32 = 3;
const WINDOW: u8 = 0b1_1111;
/// Encoders that begin, and the keyframes that go with it, say nothing about what follows.
const SETTLE: Duration = Duration::from_secs(3);
/// How long there must be room for more before it is tried: at first, and at most.
const LEAST_WAIT: Duration = Duration::from_secs(20);
const MOST_WAIT: Duration = Duration::from_secs(600);
/// What has to be taken back within this time was tried in vain.
const TRIAL: Duration = Duration::from_secs(60);

/// Decides what the processor allows; looks once a second.
#[derive(Debug)]
pub struct Governor {
    limit: Option<QualityLimit>,
    /// The last seconds, the latest in the lowest bit: 1 where it was too much.
    seconds: u8,
    /// Nothing is concluded before.
    settled: Option<Instant>,
    /// Since when there has been room for more.
    roomy: Option<Instant>,
    /// When a step was last taken back.
    raised: Option<Instant>,
    wait: Duration,
}

impl Default for Governor {
    fn default() -> Self {
        Self {
            limit: None,
            seconds: 0,
            settled: None,
            roomy: None,
            raised: None,
            wait: LEAST_WAIT,
        }
    }
}

impl Governor {
    /// What is left out at present.
    #[must_use]
    pub const fn limit(&self) -> Option<QualityLimit> {
        self.limit
    }

    /// Takes the figures of the last second.
    pub fn observe(&mut self, load: &Load, now: Instant) {
        self.judge_trial(now);
        if self.settled.is_some_and(|settled| now < settled) {
            return;
        }
        let behind = load.is_behind();
        self.seconds = (self.seconds << 1 | u8::from(behind)) & WINDOW;
        if self.seconds.count_ones() >= SECONDS {
            self.lower(load, now);
        } else if let Some(limit) = self.limit {
            self.raise(limit, load, now);
        }
    }

    fn lower(&mut self, load: &Load, now: Instant) {
        self.roomy = None;
        let mut steps = QualityLimit::ALL.into_iter();
        let relieves = |step: &QualityLimit| self.limit < Some(*step) && load.is_relieved_by(*step);
        let Some(step) = steps.find(relieves) else {
            return;
        };
        if self.raised.take().is_some() {
            self.wait = (self.wait * 2).min(MOST_WAIT);
        }
        self.change(Some(step), now);
    }

    fn raise(&mut self, limit: QualityLimit, load: &Load, now: Instant) {
        if load.is_behind() || !load.has_room(limit) {
            self.roomy = None;
            return;
        }
        let since = *self.roomy.get_or_insert(now);
        if now.saturating_duration_since(since) < self.wait {
            return;
        }
        let mut steps = QualityLimit::ALL.into_iter().rev();
        // A step that nobody notices is none.
        let milder = steps.find(|step| *step < limit && load.is_missed_by(*step));
        self.raised = Some(now);
        self.change(milder, now);
    }

    /// What has lasted makes the next attempt come sooner.
    fn judge_trial(&mut self, now: Instant) {
        let lasted = |raised| now.saturating_duration_since(raised) >= TRIAL;
        if self.raised.is_some_and(lasted) {
            self.raised = None;
            self.wait = (self.wait / 2).max(LEAST_WAIT);
        }
    }

    fn change(&mut self, limit: Option<QualityLimit>, now: Instant) {
        self.limit = limit;
        self.seconds = 0;
        self.roomy = None;
        self.settled = Some(now + SETTLE);
    }
}

#[cfg(test)]
mod tests;
