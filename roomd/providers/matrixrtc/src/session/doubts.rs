// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Members whose pictures and sound do not open, and when all are asked for their keys because of it.
//!
//! Whoever asks becomes a member that just began, which makes everybody change their keys: it is done
//! seldom, whatever anybody sends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use roomd_matrix_port::Recipient;

/// How long a member does not open until all are asked.
///
/// It is longer than clients hold on to a young key (`keyRotationGracePeriodMs` of matrix-js-sdk, 10 s):
/// then they make another, and use the one that they tell. A client that was alone for a moment tells one
/// that it does not use (`rolloutOutboundKey` there).
const PATIENCE: Duration = Duration::from_secs(12);
/// So often because of the same member.
const ATTEMPTS: u32 = 3;
/// Until all are asked again, twice as long each time; at most [`DOUBLED`] times.
const REST: Duration = Duration::from_secs(20);
const DOUBLED: u32 = 5;
/// What opened for so long is not counted any more.
const FORGET: Duration = Duration::from_secs(300);
/// After what could not be asked.
const AGAIN: Duration = Duration::from_secs(1);

/// Who does not open.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    members: BTreeMap<Recipient, Doubt>,
    /// Nobody is asked before.
    rests: Option<Instant>,
    /// How often all were asked, one time soon after the other.
    times: u32,
}

#[derive(Debug)]
struct Doubt {
    fails: bool,
    /// Since when it fails, or opens.
    since: Instant,
    asked: u32,
}

impl Doubts {
    /// These members do not open now.
    pub(super) fn look(&mut self, fail: &BTreeSet<Recipient>, now: Instant) {
        self.members
            .retain(|_, doubt| doubt.fails || now.saturating_duration_since(doubt.since) < FORGET);
        for (member, doubt) in &mut self.members {
            let fails = fail.contains(member);
            if doubt.fails != fails {
                doubt.fails = fails;
                doubt.since = now;
            }
        }
        for member in fail {
            self.members.entry(member.clone()).or_insert(Doubt {
                fails: true,
                since: now,
                asked: 0,
            });
        }
        if self.rests.is_none_or(|rests| rests + FORGET <= now) {
            self.times = 0;
        }
    }

    /// When all are to be asked.
    pub(super) fn due(&self) -> Option<Instant> {
        let waits = |doubt: &&Doubt| doubt.fails && doubt.asked < ATTEMPTS;
        let doubts = self.members.values().filter(waits);
        let first = doubts.map(|doubt| doubt.since).min()? + PATIENCE;
        Some(self.rests.map_or(first, |rests| rests.max(first)))
    }

    /// All are being told by a membership that just began.
    pub(super) fn rest(&mut self, now: Instant) {
        self.rests = self.rests.max(Some(now + PATIENCE));
    }

    /// All were asked, or could not be.
    pub(super) fn asked(&mut self, done: bool, now: Instant) {
        if !done {
            self.rests = Some(now + AGAIN);
            return;
        }
        let long = |doubt: &&mut Doubt| doubt.fails && doubt.since + PATIENCE <= now;
        for doubt in self.members.values_mut().filter(long) {
            doubt.asked += 1;
        }
        self.rests = Some(now + REST * (1 << self.times.min(DOUBLED)));
        self.times = self.times.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use roomd_matrix_port::{DeviceId, UserId};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn member(name: &str) -> Recipient {
        Recipient {
            user: UserId::new(name),
            device: DeviceId::new("D"),
        }
    }

    /// Seconds at which all are asked, where these fail as it is said, second by second.
    fn asked(seconds: u64, fail: impl Fn(u64) -> Vec<&'static str>) -> Vec<u64> {
        let start = Instant::now();
        let mut doubts = Doubts::default();
        let mut asked = Vec::new();
        for second in 0..seconds {
            let now = start + SECOND * u32::try_from(second).unwrap();
            let fail = fail(second).into_iter().map(member).collect();
            doubts.look(&fail, now);
            if doubts.due().is_some_and(|at| at <= now) {
                doubts.asked(true, now);
                asked.push(second);
            }
        }
        asked
    }

    #[test]
    fn a_member_that_never_opens_is_given_up() {
        assert_eq!(asked(7200, |_| vec!["a"]), [12, 32, 72]);
    }

    #[test]
    fn a_new_key_that_opens_nothing_begins_no_new_count() {
        // Each new key clears the mark for a moment.
        let fail = |second| if second % 15 == 14 { vec![] } else { vec!["a"] };
        assert_eq!(asked(7200, fail), [12, 42, 87]);
    }

    #[test]
    fn what_fails_for_a_moment_is_no_reason() {
        let fail = |second| if second % 11 == 10 { vec![] } else { vec!["a"] };
        assert!(asked(600, fail).is_empty());
        let turns = |second| {
            if second % 20 < 10 {
                vec!["a"]
            } else {
                vec!["b"]
            }
        };
        assert!(asked(600, turns).is_empty());
    }

    #[test]
    fn one_member_does_not_use_up_the_attempts_of_another() {
        let fail = |second| {
            if second < 3600 {
                vec!["a"]
            } else {
                vec!["a", "b"]
            }
        };
        let asked = asked(7200, fail);
        assert_eq!(asked[..3], [12, 32, 72]);
        assert_eq!(asked[3..], [3612, 3632, 3672]);
    }

    #[test]
    fn however_many_fail_all_are_asked_seldom() {
        const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let fail = |second| {
            let turn = usize::try_from(second / 30).unwrap();
            if second % 30 < 15 {
                vec![NAMES[turn % 8]]
            } else {
                vec![]
            }
        };
        let asked = asked(7200, fail);
        assert!(asked.len() <= 24, "three times for each: {asked:?}");
        let least = |pair: &[u64]| pair[1] - pair[0] >= 20;
        assert!(asked.windows(2).all(least), "{asked:?}");
    }

    #[test]
    fn who_failed_long_ago_is_asked_for_soon() {
        let fail = |second| {
            if (40..1000).contains(&second) {
                vec![]
            } else {
                vec!["a"]
            }
        };
        let asked = asked(1100, fail);
        assert_eq!(asked, [12, 32, 1012, 1032, 1072]);
    }

    #[test]
    fn who_is_being_told_anyway_is_not_asked() {
        let now = Instant::now();
        let mut doubts = Doubts::default();
        doubts.look(&[member("a")].into(), now);
        let begins = now + 15 * SECOND;
        doubts.rest(begins);
        assert_eq!(doubts.due(), Some(begins + PATIENCE));
    }

    #[test]
    fn what_could_not_be_asked_is_asked_soon_and_not_counted() {
        let now = Instant::now();
        let mut doubts = Doubts::default();
        doubts.look(&[member("a")].into(), now);
        let at = now + PATIENCE;
        assert_eq!(doubts.due(), Some(at));
        doubts.asked(false, at);
        assert_eq!(doubts.due(), Some(at + AGAIN));
        doubts.asked(true, at + AGAIN);
        assert_eq!(doubts.due(), Some(at + AGAIN + REST));
    }
}
