// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a stream waits longer than it has to, for lip-sync.

use std::time::Duration;

/// How fast the delay of sound changes, in parts of the media time gone by: the mixer stretches and
/// compresses sound by more than that unheard.
const SLEW: f64 = 0.05;

/// A delay that becomes another one from a media time on.
#[derive(Debug)]
pub(super) struct Extra {
    rate: f64,
    from: Duration,
    to: Duration,
    since: u64,
}

impl Extra {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            from: Duration::ZERO,
            to: Duration::ZERO,
            since: 0,
        }
    }

    /// Changes it: by and by from a media time on, or at once.
    pub(super) fn change(&mut self, to: Duration, from: Option<u64>) {
        if to == self.to {
            return;
        }
        if let Some(since) = from {
            (self.from, self.since) = (self.at(since), since);
        } else {
            self.from = to;
        }
        self.to = to;
    }

    /// Media time starts again: what was changing has changed.
    pub(super) const fn settle(&mut self) {
        self.from = self.to;
    }

    /// The delay of a frame.
    pub(super) fn at(&self, rtp_time: u64) -> Duration {
        let passed = rtp_time.saturating_sub(self.since) as f64 / self.rate;
        let most = Duration::try_from_secs_f64(passed * SLEW).unwrap_or(Duration::MAX);
        if self.to > self.from {
            self.to.min(self.from.saturating_add(most))
        } else {
            self.to.max(self.from.saturating_sub(most))
        }
    }

    /// What it is, or will be.
    pub(super) const fn wanted(&self) -> Duration {
        self.to
    }
}
