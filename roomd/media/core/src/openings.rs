// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How often something that keeps failing is begun anew: as soon as it can be, but not so often that it
//! takes the processor from the rest.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many within this time, and no more.
const MOST: usize = 20;
const WITHIN: Duration = Duration::from_secs(30);

/// What was begun lately.
#[derive(Clone, Debug, Default)]
pub struct Openings(VecDeque<Instant>);

impl Openings {
    /// Notes one more, unless there were too many lately.
    pub fn may(&mut self, now: Instant) -> bool {
        let lately = |at: &Instant| now.saturating_duration_since(*at) < WITHIN;
        while self.0.front().is_some_and(|at| !lately(at)) {
            self.0.pop_front();
        }
        let may = !self.is_full();
        if may {
            self.0.push_back(now);
        }
        may
    }

    /// Whether the next one has to wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked so often in two minutes; how often it was allowed.
    fn allowed(every: Duration) -> usize {
        let begin = Instant::now();
        let mut openings = Openings::default();
        let asked = (0..).map(|index| every * index);
        let asked = asked.take_while(|after| *after < Duration::from_secs(120));
        asked.filter(|after| openings.may(begin + *after)).count()
    }

    #[test]
    fn what_is_seldom_is_never_refused() {
        assert_eq!(allowed(Duration::from_secs(2)), 60);
    }

    #[test]
    fn a_storm_is_bounded_and_passes() {
        assert_eq!(allowed(Duration::from_millis(33)), 4 * MOST);
        let mut openings = Openings::default();
        let begin = Instant::now();
        while openings.may(begin) {}
        assert!(openings.is_full());
        assert!(!openings.may(begin + WITHIN / 2));
        assert!(openings.may(begin + WITHIN));
    }
}
