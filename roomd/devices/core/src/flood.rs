// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A limit to how often something may happen, for devices that repeat themselves without end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Lets so many through within a time; beyond that nothing until it was quiet for as long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    most: usize,
    within: Duration,
    passed: VecDeque<Instant>,
    closed: Option<Instant>,
    /// When it is quiet again, until that is told.
    quiet: Option<Instant>,
}

/// What a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may happen.
    Pass,
    /// It is the first one too many.
    Closed,
    /// It is one of many too many.
    Drop,
}

impl Gate {
    /// A gate for `most` events in `within`.
    #[must_use]
    pub const fn new(most: usize, within: Duration) -> Self {
        Self {
            most,
            within,
            passed: VecDeque::new(),
            closed: None,
            quiet: None,
        }
    }

    /// Whether one more may happen.
    pub fn admit(&mut self, now: Instant) -> Verdict {
        if let Some(last) = self.closed {
            if now.saturating_duration_since(last) < self.within {
                self.close(now);
                return Verdict::Drop;
            }
            self.closed = None;
            self.passed.clear();
        }
        let within = self.within;
        let old = |at: &Instant| now.saturating_duration_since(*at) >= within;
        while self.passed.front().is_some_and(old) {
            self.passed.pop_front();
        }
        if self.passed.len() >= self.most {
            self.close(now);
            return Verdict::Closed;
        }
        self.passed.push_back(now);
        Verdict::Pass
    }

    /// Whether too much happened, and it was not told yet that it is quiet again.
    #[must_use]
    pub const fn is_flooded(&self) -> bool {
        self.quiet.is_some()
    }

    /// When [`Self::handle_timeout`] has something to tell, and what.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.quiet.map(|at| (at, "it is quiet again"))
    }

    /// Whether it is quiet again; told once after each flood.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let is_quiet = self.quiet.is_some_and(|at| now >= at);
        if is_quiet {
            self.quiet = None;
        }
        is_quiet
    }

    fn close(&mut self, now: Instant) {
        self.closed = Some(now);
        self.quiet = Some(now + self.within);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_closes_the_gate_until_it_is_quiet() {
        let mut gate = Gate::new(3, Duration::from_secs(1));
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let verdicts: Vec<Verdict> = (0..6).map(|n| gate.admit(at(n * 10))).collect();
        use Verdict::{Closed, Drop, Pass};
        assert_eq!(verdicts, [Pass, Pass, Pass, Closed, Drop, Drop]);
        assert_eq!(gate.admit(at(1000)), Drop);
        assert_eq!(gate.admit(at(2000)), Pass);
        // Slowly and for ever is no flood.
        for n in 0..100 {
            assert_eq!(gate.admit(at(3000 + n * 400)), Pass);
        }
        assert!(gate.passed.len() <= 3);
    }

    #[test]
    fn quiet_is_told_once() {
        let mut gate = Gate::new(1, Duration::from_secs(1));
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        gate.admit(at(0));
        assert_eq!((gate.poll_timeout(), gate.is_flooded()), (None, false));
        gate.admit(at(100));
        gate.admit(at(600));
        assert_eq!(gate.poll_timeout().unwrap().0, at(1600));
        assert!(!gate.handle_timeout(at(1500)) && gate.is_flooded());
        assert!(gate.handle_timeout(at(1600)) && !gate.is_flooded());
        assert!(!gate.handle_timeout(at(9000)));
        assert_eq!(gate.poll_timeout(), None);
        // What comes before it could be told passes, and it is told all the same.
        gate.admit(at(1700));
        assert_eq!(gate.admit(at(1800)), Verdict::Closed);
        assert_eq!(gate.admit(at(5000)), Verdict::Pass);
        assert!(gate.handle_timeout(at(5000)));
    }
}
