// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Notices a camera or microphone that delivers clearly less than was agreed with it: behind a hub that is
//! full, or in a dim room, where exposure takes longer than a picture may.
//!
//! A machine that is late itself judges nobody: when it was not on time to look, or works at what comes
//! for most of the time, what it saw says nothing about the device.

use std::time::{Duration, Instant};

/// What a device has delivered since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Pictures, also those that the machine was too late for, as far as the driver counts them; or samples of
    /// each channel.
    pub count: u64,
    /// For how long the machine worked at them.
    pub busy: Duration,
}

/// For so long a device is watched before it is judged.
const WINDOW: Duration = Duration::from_secs(10);
/// It is looked at once a second; a machine that is later has no time.
const LATE: Duration = Duration::from_millis(1500);

/// Which part of what was agreed is too little.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Less than this part, in per cent, is slow.
    slow: u128,
    /// What was slow is well from this part on, in per cent, so that nothing is told back and forth.
    well: u128,
}

/// Watches one device while it is open.
#[derive(Debug)]
pub struct Pace {
    bounds: Bounds,
    /// When the present window began, and what had been delivered then.
    window: Option<(Instant, Delivered)>,
    looked: Option<Instant>,
    slow: bool,
}

impl Pace {
    /// A camera's: some pictures may be missing without anybody's notice.
    #[must_use]
    pub const fn camera() -> Self {
        Self::new(Bounds { slow: 66, well: 75 })
    }

    /// A microphone's: gaps in speech are heard soon. A clock's drift is far smaller.
    #[must_use]
    pub const fn microphone() -> Self {
        Self::new(Bounds { slow: 90, well: 97 })
    }

    const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            window: None,
            looked: None,
            slow: false,
        }
    }

    /// Takes what has been delivered up to this moment, once a second, with the agreed rate in 1000 seconds;
    /// true while the device is slow.
    pub fn is_slow(&mut self, delivered: Delivered, agreed: u32, now: Instant) -> bool {
        let looked = self.looked.replace(now);
        let late = looked.is_some_and(|at| now.saturating_duration_since(at) > LATE);
        let Some((begun, before)) = self.window.filter(|_| !late) else {
            // A device needs a moment to begin.
            self.window = (delivered.count > 0).then_some((now, delivered));
            return self.slow;
        };
        let elapsed = now.saturating_duration_since(begun);
        if elapsed < WINDOW {
            return self.slow;
        }
        self.window = Some((now, delivered));
        if delivered.busy.saturating_sub(before.busy) * 2 > elapsed {
            return self.slow;
        }
        let count = u128::from(delivered.count.saturating_sub(before.count));
        let Bounds { slow, well } = self.bounds;
        let least = if self.slow { well } else { slow };
        // Both sides in hundredths of what comes in 1000 seconds, by the milliseconds.
        self.slow = count * 1_000_000 * 100 < u128::from(agreed) * elapsed.as_millis() * least;
        self.slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGREED: u32 = 30_000;

    /// Looked at once a second at a camera that has delivered so many pictures up to a second, while the
    /// machine is busy for a part of each second: the seconds in which the verdict changed.
    fn changes(pictures: impl Fn(u64) -> u64, busy: Duration) -> Vec<u64> {
        watched(Pace::camera(), AGREED, pictures, busy)
    }

    fn watched(
        mut pace: Pace,
        agreed: u32,
        count: impl Fn(u64) -> u64,
        busy: Duration,
    ) -> Vec<u64> {
        let begin = Instant::now();
        let mut slow = false;
        let changed = |second: &u64| {
            let delivered = Delivered {
                count: count(*second),
                busy: busy * u32::try_from(*second).unwrap(),
            };
            let before = slow;
            slow = pace.is_slow(delivered, agreed, begin + Duration::from_secs(*second));
            slow != before
        };
        (0..60).filter(changed).collect()
    }

    #[test]
    fn a_camera_that_keeps_its_word_is_well() {
        assert!(changes(|second| second * 30, Duration::ZERO).is_empty());
        assert!(changes(|second| second * 20, Duration::ZERO).is_empty());
        assert!(changes(|_| 0, Duration::ZERO).is_empty(), "it is opening");
        let late = |second: u64| second.saturating_sub(5) * 30;
        assert!(changes(late, Duration::ZERO).is_empty());
    }

    #[test]
    fn one_that_does_not_is_slow_until_it_does() {
        assert_eq!(changes(|second| second * 15, Duration::ZERO), [11]);
        let light = |second: u64| second.min(30) * 15 + second.saturating_sub(30) * 30;
        assert_eq!(changes(light, Duration::ZERO), [11, 41]);
        // At the border nothing is told back and forth.
        let border = |second: u64| second.min(20) * 19 + second.saturating_sub(20) * 21;
        assert_eq!(changes(border, Duration::ZERO), [11]);
    }

    #[test]
    fn a_microphone_may_miss_less() {
        let rate = 48_000_000;
        let changes =
            |samples: fn(u64) -> u64| watched(Pace::microphone(), rate, samples, Duration::ZERO);
        assert!(changes(|second| second * 47_900).is_empty(), "it drifts");
        assert!(changes(|second| second * 45_000).is_empty());
        let hub = |second: u64| second.min(30) * 40_000 + second.saturating_sub(30) * 48_000;
        assert_eq!(changes(hub), [11, 41]);
    }

    #[test]
    fn a_machine_without_time_judges_nobody() {
        let busy = Duration::from_millis(600);
        assert!(changes(|second| second * 5, busy).is_empty());
        let begin = Instant::now();
        let mut pace = Pace::camera();
        for look in 0..60_u64 {
            let delivered = Delivered {
                count: look * 5 + 1,
                busy: Duration::ZERO,
            };
            // It wanted to look every second.
            let now = begin + Duration::from_secs(look * 2);
            assert!(!pace.is_slow(delivered, AGREED, now));
        }
    }
}
