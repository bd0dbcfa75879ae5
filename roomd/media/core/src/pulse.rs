// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Notices a pipeline that takes and gives nothing, by its counters.

use std::time::{Duration, Instant};

/// What went in and came out of a pipeline since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that were given to it.
    pub taken: u64,
    /// Frames that reached its end.
    pub given: u64,
}

/// Watches one pipeline.
#[derive(Debug, Default)]
pub struct Pulse {
    /// The counters when something last came out.
    last: Option<Counters>,
    /// Since when more has gone in than may be inside.
    waits: Option<Instant>,
}

/// How many frames may be inside: decoders of sound keep one back, encoders begin slowly.
const INSIDE: u64 = 10;
/// How long nothing may come out while more than those go in.
const PATIENCE: Duration = Duration::from_secs(2);

impl Pulse {
    /// Takes the counters of this moment; true when the pipeline stands still and has to be built
    /// anew.
    pub fn is_stuck(&mut self, counters: Counters, now: Instant) -> bool {
        let last = *self.last.get_or_insert(counters);
        if counters.given != last.given {
            self.last = Some(counters);
            self.waits = None;
            return false;
        }
        if counters.taken.saturating_sub(last.taken) <= INSIDE {
            return false;
        }
        let since = *self.waits.get_or_insert(now);
        now.saturating_duration_since(since) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second in which a pipeline counts as stuck, looked at once a second.
    fn stuck(counters: impl Fn(u64) -> (u64, u64)) -> Option<u64> {
        let begin = Instant::now();
        let mut pulse = Pulse::default();
        (0..60).find(|second| {
            let (taken, given) = counters(*second);
            pulse.is_stuck(
                Counters { taken, given },
                begin + Duration::from_secs(*second),
            )
        })
    }

    #[test]
    fn what_works_is_left_alone() {
        assert_eq!(stuck(|second| (second * 30, second * 30)), None);
        assert_eq!(stuck(|second| (second * 30, second)), None, "it is slow");
        assert_eq!(stuck(|_| (30, 29)), None, "nothing more to do");
        assert_eq!(stuck(|_| (0, 0)), None);
        let muted = |second: u64| (second.min(20) * 50, (second.min(20) * 50).saturating_sub(1));
        assert_eq!(stuck(muted), None, "one packet is kept back for ever");
        let burst = |second: u64| match second {
            0..20 => (5, 5),
            _ => (second * 30, (second - 19) * 30),
        };
        assert_eq!(stuck(burst), None, "much comes at once after a pause");
    }

    #[test]
    fn what_stands_still_is_noticed_in_three_seconds() {
        assert_eq!(
            stuck(|second| (second * 30, 0)),
            Some(3),
            "from the beginning"
        );
        let later = |second: u64| (second * 30, (second * 30).min(240));
        assert_eq!(stuck(later), Some(11), "after 8 seconds");
    }
}
