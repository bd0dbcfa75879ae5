// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Asks for a try of more bandwidth while less is known than is of use.
//!
//! The transport tries by itself when nothing has changed for 15 s, and its estimate creeps upwards all the
//! while. Each time more is wanted than before it tries at once, with a few packets at up to twice the
//! estimate, and goes on while that succeeds; so the want is taken back for a moment and said again.

use std::time::{Duration, Instant};

use str0m::Input;
use str0m::bwe::Bitrate;

use super::Core;

/// From one try to the next, at first; as long as in libwebrtc (`probe_controller.cc`).
const FIRST: Duration = Duration::from_secs(5);
/// The longest, on a way that stays narrow: a try delays what follows it there.
const LONGEST: Duration = Duration::from_secs(15);
/// A try has found more when the estimate is so much of what it was.
const FOUND: f64 = 1.25;

/// When the next try is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Climb {
    due: Option<Instant>,
    wait: Duration,
    /// The estimate at the last try, in bit/s.
    from: u64,
}

impl Default for Climb {
    fn default() -> Self {
        Self {
            due: None,
            wait: FIRST,
            from: 0,
        }
    }
}

impl Climb {
    /// Whether to try now, with this estimate and so much of use, in bit/s; none while nothing is sent.
    fn tries(&mut self, now: Instant, estimate: Option<u64>, reach: u64) -> bool {
        let Some(estimate) = estimate.filter(|&estimate| estimate < reach) else {
            *self = Self::default();
            return false;
        };
        let due = *self.due.get_or_insert(now + self.wait);
        if now < due {
            return false;
        }
        self.wait = if estimate as f64 >= self.from as f64 * FOUND {
            FIRST
        } else {
            (self.wait + FIRST).min(LONGEST)
        };
        self.from = estimate;
        self.due = Some(now + self.wait);
        true
    }

    /// When to look again.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Core {
    /// Time has passed.
    pub(super) fn climb(&mut self, now: Instant) {
        let estimate = self.bandwidth.now.filter(|_| self.silence.probing());
        if !self.climb.tries(now, estimate, self.reach.as_u64()) {
            return;
        }
        for wanted in [Bitrate::ZERO, self.reach] {
            self.rtc.bwe().set_bitrate(Bitrate::ZERO, wanted);
            if self.rtc.handle_input(Input::Timeout(now)).is_err() {
                tracing::debug!("the transport refused a timeout");
            }
            self.drain(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The seconds at which it tries, of so many.
    fn tries(seconds: u32, estimate: impl Fn(u32) -> Option<u64>) -> Vec<u32> {
        let (start, mut climb) = (Instant::now(), Climb::default());
        let at = |second| start + SECOND * second;
        (0..seconds)
            .filter(|&second| climb.tries(at(second), estimate(second), 2_000_000))
            .collect()
    }

    #[test]
    fn it_tries_less_often_where_nothing_is_found() {
        assert_eq!(tries(40, |_| Some(300_000)), [5, 10, 20, 35]);
    }

    #[test]
    fn it_tries_soon_again_where_more_is_found() {
        let estimate = |second| Some(if second < 21 { 300_000 } else { 600_000 });
        assert_eq!(tries(45, estimate), [5, 10, 20, 35, 40]);
    }

    #[test]
    fn it_rests_while_there_is_enough_or_nothing_is_sent() {
        assert!(tries(40, |_| Some(2_000_000)).is_empty());
        assert!(tries(40, |_| None).is_empty());
        let paused = |second| (second != 4).then_some(300_000);
        assert_eq!(tries(12, paused), [10]);
    }
}
