// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Counts what a thread that works in even steps missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// The steps that were missed; one thread writes, the engine reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks(Arc<AtomicU32>);

impl Ticks {
    /// Something came, or took, so long; what fills whole periods is missed.
    pub(crate) fn late(&self, late: Duration, period: Duration) {
        let missed = late.as_nanos() / period.as_nanos().max(1);
        let missed = u32::try_from(missed).unwrap_or(u32::MAX);
        if missed > 0 {
            self.0.fetch_add(missed, Relaxed);
        }
    }

    /// Since the last call.
    pub(crate) fn take(&self) -> u32 {
        self.0.swap(0, Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_periods_are_missed() {
        let ticks = Ticks::default();
        let period = Duration::from_millis(33);
        for late in [0, 20, 32, 34, 100] {
            ticks.clone().late(Duration::from_millis(late), period);
        }
        ticks.late(Duration::ZERO, Duration::ZERO);
        assert_eq!(ticks.take(), 1 + 3);
        assert_eq!(ticks.take(), 0);
    }
}
