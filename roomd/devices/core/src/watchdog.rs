// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whether an open device delivers what it should, and what happens when it does not.
//!
//! Silence means a restart of this device alone: at once, then after 1, 2, 4, 8, 16 and 30 seconds.
//! From the third restart in a row on it is a fault, and the restarts go on. A device that is slow is
//! restarted once; when that changes nothing, it is slow, as a camera is in the dark.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Without a buffer for this long a device is silent.
const SILENT: Duration = Duration::from_secs(2);
/// Until its first buffer a device has this long.
const OPENING: Duration = Duration::from_secs(4);
/// Rates are measured over this time.
const WINDOW: Duration = Duration::from_secs(3);
/// After this time without trouble the restarts are forgotten.
const STEADY: Duration = Duration::from_secs(30);
const SAMPLES: usize = 16;
const FAULT: u32 = 3;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The device was opened, and should deliver so many buffers in 1000 seconds; 0 for an unknown
    /// number.
    Opened(u32),
    /// The device was closed, because nobody needs it or it was unplugged.
    Closed,
    /// So many buffers came since it was opened. Once a second is enough.
    Buffers(u64),
    /// The device reported that it failed.
    Failed,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Close and open this device.
    Restart,
    /// It is out of order.
    Fault,
    /// It delivers fewer buffers than it should, both in 1000 seconds.
    Slow {
        /// So many came.
        seen: u32,
        /// So many should have.
        expected: u32,
    },
    /// It delivers again as it should.
    Recovered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening(Instant),
    Running,
    /// Waits for a restart.
    Waiting(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Slow,
    Fault,
}

/// The watch over one device.
#[derive(Debug)]
pub struct Watchdog {
    state: State,
    expected: u32,
    samples: VecDeque<(Instant, u64)>,
    last: Option<Instant>,
    restarts: u32,
    /// Whether the last restart was for slowness.
    tried_slow: bool,
    steady_since: Option<Instant>,
    trouble: Trouble,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            state: State::Closed,
            expected: 0,
            samples: VecDeque::new(),
            last: None,
            restarts: 0,
            tried_slow: false,
            steady_since: None,
            trouble: Trouble::None,
        }
    }
}

impl Watchdog {
    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        match input {
            Input::Opened(expected) => {
                self.state = State::Opening(now);
                self.expected = expected;
                self.samples.clear();
                self.last = None;
                self.steady_since = None;
                Vec::new()
            }
            Input::Closed => {
                let cleared = self.trouble != Trouble::None;
                *self = Self::default();
                cleared.then_some(Effect::Recovered).into_iter().collect()
            }
            Input::Buffers(total) => self.buffers(total, now),
            Input::Failed => match self.state {
                State::Opening(_) | State::Running => self.restart(now),
                State::Closed | State::Waiting(_) => Vec::new(),
            },
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self.state {
            State::Closed => None,
            State::Opening(since) => Some((since + OPENING, "the device should have begun")),
            State::Running => Some((self.last? + SILENT, "the device may be silent")),
            State::Waiting(until) => Some((until, "the device may be restarted")),
        }
    }

    /// Finds silence, and restarts.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Effect> {
        match (self.poll_timeout(), self.state) {
            (Some((at, _)), State::Waiting(_)) if now >= at => {
                // The caller says when it is open; until then this is its beginning.
                self.state = State::Opening(now);
                vec![Effect::Restart]
            }
            (Some((at, _)), State::Opening(_) | State::Running) if now >= at => self.restart(now),
            (Some(_) | None, _) => Vec::new(),
        }
    }

    fn buffers(&mut self, total: u64, now: Instant) -> Vec<Effect> {
        if matches!(self.state, State::Closed | State::Waiting(_)) {
            return Vec::new();
        }
        let before = self.samples.back().map_or(0, |(_, total)| *total);
        if total > before {
            self.last = Some(now);
            self.state = State::Running;
        }
        self.samples.push_back((now, total));
        while self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
        let old = |(at, _): &(Instant, u64)| now.saturating_duration_since(*at) > WINDOW;
        while self.samples.get(1).is_some_and(old) {
            self.samples.pop_front();
        }
        match self.state {
            State::Running => self.judge(now),
            State::Opening(_) | State::Closed | State::Waiting(_) => Vec::new(),
        }
    }

    fn judge(&mut self, now: Instant) -> Vec<Effect> {
        // Silence is found by its own timeout.
        let Some(seen) = self.rate(now).filter(|seen| *seen > 0) else {
            return Vec::new();
        };
        let slow = u64::from(seen) * 2 < u64::from(self.expected);
        match (slow, self.trouble) {
            (true, Trouble::None) if !self.tried_slow => {
                self.tried_slow = true;
                self.restart(now)
            }
            (true, Trouble::Slow) => Vec::new(),
            (true, Trouble::None | Trouble::Fault) => {
                self.trouble = Trouble::Slow;
                let expected = self.expected;
                vec![Effect::Slow { seen, expected }]
            }
            (false, trouble) => {
                let since = *self.steady_since.get_or_insert(now);
                if now.saturating_duration_since(since) >= STEADY {
                    self.restarts = 0;
                    self.tried_slow = false;
                }
                self.trouble = Trouble::None;
                let cleared = trouble != Trouble::None;
                cleared.then_some(Effect::Recovered).into_iter().collect()
            }
        }
    }

    /// Buffers in 1000 seconds over the window; none before it is full.
    fn rate(&self, now: Instant) -> Option<u32> {
        let (first, start) = self.samples.front()?;
        let (_, end) = self.samples.back()?;
        let time = now.saturating_duration_since(*first);
        if time < WINDOW {
            return None;
        }
        let count = u128::from(end.saturating_sub(*start)) * 1_000_000;
        u32::try_from(count.checked_div(time.as_millis())?).ok()
    }

    fn restart(&mut self, now: Instant) -> Vec<Effect> {
        let delay = match self.restarts {
            0 => 0,
            n => 1 << (n - 1).min(5),
        };
        self.restarts = self.restarts.saturating_add(1);
        self.steady_since = None;
        self.samples.clear();
        let mut effects = Vec::new();
        if self.restarts >= FAULT && self.trouble != Trouble::Fault {
            self.trouble = Trouble::Fault;
            effects.push(Effect::Fault);
        }
        if delay == 0 {
            self.state = State::Opening(now);
            effects.push(Effect::Restart);
        } else {
            self.state = State::Waiting(now + Duration::from_secs(delay.min(30)));
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Bench {
        dog: Watchdog,
        now: Instant,
        total: u64,
    }

    impl Bench {
        fn open() -> Self {
            let mut bench = Self {
                dog: Watchdog::default(),
                now: Instant::now(),
                total: 0,
            };
            bench.reopen();
            bench
        }

        fn reopen(&mut self) {
            self.total = 0;
            assert_eq!(self.dog.handle(Input::Opened(30_000), self.now), []);
        }

        /// A second with so many buffers.
        fn second(&mut self, buffers: u64) -> Vec<Effect> {
            self.now += Duration::from_secs(1);
            self.total += buffers;
            let mut effects = self.dog.handle(Input::Buffers(self.total), self.now);
            effects.extend(self.dog.handle_timeout(self.now));
            effects
        }

        fn seconds(&mut self, n: u32, buffers: u64) -> Vec<Effect> {
            (0..n).flat_map(|_| self.second(buffers)).collect()
        }
    }

    #[test]
    fn a_steady_device_is_left_alone() {
        let mut bench = Bench::open();
        assert_eq!(bench.seconds(600, 30), []);
        assert!(bench.dog.samples.len() <= SAMPLES);
        assert_eq!(bench.dog.handle(Input::Closed, bench.now), []);
        assert_eq!(bench.dog.poll_timeout(), None);
    }

    #[test]
    fn silence_is_a_restart_at_once() {
        let mut bench = Bench::open();
        bench.seconds(10, 30);
        assert_eq!(bench.seconds(2, 0), [Effect::Restart]);
        bench.reopen();
        assert_eq!(bench.seconds(10, 30), []);
    }

    #[test]
    fn restarts_that_do_not_help_become_a_fault_and_go_on() {
        let mut bench = Bench::open();
        let mut at = Vec::new();
        let (mut fault, start) = (None, bench.now);
        for _ in 0..200 {
            for effect in bench.second(0) {
                let elapsed = bench.now.duration_since(start).as_secs();
                match effect {
                    Effect::Restart => {
                        at.push(elapsed);
                        bench.reopen();
                    }
                    Effect::Fault => fault = Some(elapsed),
                    Effect::Slow { .. } | Effect::Recovered => panic!("{effect:?}"),
                }
            }
        }
        // 4 s for opening, and between them the growing pause.
        assert_eq!(at[..6], [4, 9, 15, 23, 35, 55]);
        assert_eq!(fault, Some(13));
        assert!(
            at[6..].windows(2).all(|pair| pair[1] - pair[0] == 34),
            "{at:?}"
        );
        bench.reopen();
        assert_eq!(bench.seconds(5, 30), [Effect::Recovered]);
    }

    #[test]
    fn a_slow_device_is_restarted_once_and_then_slow() {
        let mut bench = Bench::open();
        assert_eq!(bench.seconds(5, 10).first(), Some(&Effect::Restart));
        bench.reopen();
        let slow = Effect::Slow {
            seen: 10_000,
            expected: 30_000,
        };
        assert_eq!(bench.seconds(60, 10), [slow]);
        assert_eq!(bench.seconds(5, 30), [Effect::Recovered]);
    }

    #[test]
    fn a_device_that_fails_by_itself_is_restarted() {
        let mut bench = Bench::open();
        assert_eq!(
            bench.dog.handle(Input::Failed, bench.now),
            [Effect::Restart]
        );
        bench.reopen();
        assert_eq!(bench.dog.handle(Input::Failed, bench.now), []);
        assert_eq!(bench.dog.handle(Input::Failed, bench.now), []);
        assert_eq!(bench.seconds(1, 0), [Effect::Restart]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_restarts_have_a_pace(
            steps in proptest::collection::vec((0..5_u8, any::<u64>(), 0..5000_u64), 0..300),
        ) {
            let mut dog = Watchdog::default();
            let (start, mut restarts) = (Instant::now(), 0_u64);
            let mut now = start;
            for (kind, number, wait) in steps {
                now += Duration::from_millis(wait);
                let input = match kind {
                    0 => Input::Opened(number as u32),
                    1 | 2 => Input::Buffers(number),
                    3 => Input::Failed,
                    _ => { restarts += u64::from(dog.handle_timeout(now).contains(&Effect::Restart)); continue }
                };
                restarts += u64::from(dog.handle(input, now).contains(&Effect::Restart));
                prop_assert!(dog.samples.len() <= SAMPLES);
            }
            let seconds = now.duration_since(start).as_secs();
            prop_assert!(restarts <= 2 + seconds, "{} in {} s", restarts, seconds);
        }
    }
}
