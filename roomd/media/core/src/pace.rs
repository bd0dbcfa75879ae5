// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Notices a camera that delivers clearly less than was agreed with it: behind a hub that is full, or in a
//! dim room, where exposure takes longer than a picture may.
//!
//! A machine that is late itself judges nobody: when it was not on time to look, or works at the pictures
//! for most of the time, what it saw says nothing about the camera.

use std::time::{Duration, Instant};

/// What a camera has delivered since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Pictures, also those that the machine was too late for, as far as the driver counts them.
    pub pictures: u64,
    /// For how long the machine worked at them.
    pub busy: Duration,
}

/// For so long a camera is watched before it is judged.
const WINDOW: Duration = Duration::from_secs(10);
/// It is looked at once a second; a machine that is later has no time.
const LATE: Duration = Duration::from_millis(1500);
/// Less than this part of what was agreed is slow; what was slow is well from the other part on, so that
/// nothing is told back and forth.
const SLOW: (u128, u128) = (2, 3);
const WELL: (u128, u128) = (3, 4);

/// Watches one camera while it is open.
#[derive(Debug, Default)]
pub struct Pace {
    /// When the present window began, and what had been delivered then.
    window: Option<(Instant, Delivered)>,
    looked: Option<Instant>,
    slow: bool,
}

impl Pace {
    /// Takes what has been delivered up to this moment, once a second, with the agreed rate in pictures in
    /// 1000 seconds; true while the camera is slow.
    pub fn is_slow(&mut self, delivered: Delivered, agreed: u32, now: Instant) -> bool {
        let looked = self.looked.replace(now);
        let late = looked.is_some_and(|at| now.saturating_duration_since(at) > LATE);
        let Some((begun, before)) = self.window.filter(|_| !late) else {
            // A camera needs a moment for its first picture.
            self.window = (delivered.pictures > 0).then_some((now, delivered));
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
        let pictures = u128::from(delivered.pictures.saturating_sub(before.pictures));
        let (part, of) = if self.slow { WELL } else { SLOW };
        // Both sides in pictures in 1000 seconds.
        self.slow = pictures * 1_000_000 * of < u128::from(agreed) * elapsed.as_millis() * part;
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
        let begin = Instant::now();
        let mut pace = Pace::default();
        let mut slow = false;
        let changed = |second: &u64| {
            let delivered = Delivered {
                pictures: pictures(*second),
                busy: busy * u32::try_from(*second).unwrap(),
            };
            let before = slow;
            slow = pace.is_slow(delivered, AGREED, begin + Duration::from_secs(*second));
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
    fn a_machine_without_time_judges_nobody() {
        let busy = Duration::from_millis(600);
        assert!(changes(|second| second * 5, busy).is_empty());
        let begin = Instant::now();
        let mut pace = Pace::default();
        for look in 0..60_u64 {
            let delivered = Delivered {
                pictures: look * 5 + 1,
                busy: Duration::ZERO,
            };
            // It wanted to look every second.
            let now = begin + Duration::from_secs(look * 2);
            assert!(!pace.is_slow(delivered, AGREED, now));
        }
    }
}
