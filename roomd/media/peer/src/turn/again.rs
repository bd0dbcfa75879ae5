// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! When servers that failed are asked again, without clock or task.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Before the first time, doubled for each further one.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// A server that relayed for so long is asked soon again; one that comes and goes is not.
const CALM: Duration = Duration::from_secs(30);

/// A server by its number, and whether it is about its second family.
pub(super) type Which = (usize, bool);

#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    /// The last pause; none before the first failure.
    pause: Duration,
    due: Option<Instant>,
    /// Since when it relays.
    stands: Option<Instant>,
    /// It relayed, and does not any more.
    lost: bool,
}

/// What is known of the servers.
#[derive(Debug, Default)]
pub(super) struct Again {
    waits: BTreeMap<Which, Wait>,
}

impl Again {
    /// A server failed, and is to be asked again; false when that is what was to be expected, as it
    /// failed before and did not relay since.
    pub(super) fn failed(&mut self, now: Instant, which: Which) -> bool {
        let wait = self.waits.entry(which).or_default();
        let stood = wait.stands.take();
        let first = wait.pause.is_zero();
        let calm = stood.is_some_and(|since| now.saturating_duration_since(since) >= CALM);
        wait.pause = if first || calm {
            FIRST
        } else {
            (wait.pause * 2).min(LONGEST)
        };
        wait.due = Some(now + wait.pause);
        wait.lost |= stood.is_some();
        first || stood.is_some()
    }

    /// A server relays; true when it did before and was lost.
    pub(super) fn stands(&mut self, now: Instant, which: Which) -> bool {
        let wait = self.waits.entry(which).or_default();
        wait.due = None;
        wait.stands = Some(now);
        std::mem::take(&mut wait.lost)
    }

    /// When the next one is to be asked.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waits.values().filter_map(|wait| wait.due).min()
    }

    /// Those that are to be asked by now, each once.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Which> {
        let mut taken = Vec::new();
        for (which, wait) in &mut self.waits {
            if wait.due.is_some_and(|due| due <= now) {
                wait.due = None;
                taken.push(*which);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The pauses, in seconds, of a server that fails as soon as it is asked.
    fn pauses(again: &mut Again, now: &mut Instant, count: usize) -> Vec<u64> {
        let mut pauses = Vec::new();
        for _ in 0..count {
            again.failed(*now, (0, false));
            let due = again.due().unwrap();
            pauses.push((due - *now).as_secs());
            *now = due;
            assert_eq!(again.take_due(*now), [(0, false)]);
            assert_eq!(again.due(), None);
        }
        pauses
    }

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        let (mut again, mut now) = (Again::default(), Instant::now());
        let expected = [1, 2, 4, 8, 16, 30, 30];
        assert_eq!(pauses(&mut again, &mut now, 7), expected);
        assert!(!again.stands(now, (0, false)) && again.due().is_none());
        // It comes and goes,
        now += SECOND;
        assert_eq!(pauses(&mut again, &mut now, 1), [30]);
        assert!(again.stands(now, (0, false)));
        // and then stays for long enough.
        now += CALM;
        assert_eq!(pauses(&mut again, &mut now, 3), [1, 2, 4]);
    }

    #[test]
    fn a_failure_is_news_once() {
        let (mut again, now) = (Again::default(), Instant::now());
        assert!(again.failed(now, (1, false)));
        assert!(!again.failed(now, (1, false)));
        assert!(again.failed(now, (1, true)), "another one");
        assert!(!again.stands(now, (1, false)), "it never stood before");
        assert!(again.failed(now, (1, false)));
        assert!(!again.failed(now, (1, false)));
        assert!(again.stands(now, (1, false)));
        assert!(!again.stands(now, (1, false)));
    }

    #[test]
    fn each_server_has_a_time_of_its_own() {
        let (mut again, now) = (Again::default(), Instant::now());
        again.failed(now, (0, false));
        again.failed(now + SECOND / 2, (1, false));
        assert_eq!(again.due(), Some(now + SECOND));
        assert!(again.take_due(now).is_empty());
        assert_eq!(again.take_due(now + SECOND), [(0, false)]);
        assert_eq!(again.due(), Some(now + SECOND * 3 / 2));
    }
}
