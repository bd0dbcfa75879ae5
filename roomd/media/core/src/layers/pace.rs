// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Leaves out pictures, evenly.

use std::time::{Duration, Instant};

/// Takes so many pictures a second of a source that gives more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    due: Option<Instant>,
}

/// A picture this much before its time is taken: sources are not even.
const EARLY: Duration = Duration::from_millis(8);

impl Pace {
    /// Whether the picture of this moment is one of them.
    pub fn take(&mut self, at: Instant, pictures_per_second: u32) -> bool {
        let period = Duration::from_secs(1) / pictures_per_second.max(1);
        let due = match self.due {
            Some(due) if at + EARLY < due => return false,
            // After a pause time counts anew.
            Some(due) if at < due + period => due,
            Some(_) | None => at,
        };
        self.due = Some(due + period);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of ten seconds at 30 pictures a second, every third one 5 ms late.
    fn taken(pictures_per_second: u32) -> Vec<u64> {
        let begin = Instant::now();
        let mut pace = Pace::default();
        let times = (0..300_u64).map(|n| n * 1000 / 30 + n % 3 * 5 / 2);
        times
            .filter(|ms| pace.take(begin + Duration::from_millis(*ms), pictures_per_second))
            .collect()
    }

    #[test]
    fn as_many_as_asked_for_and_evenly() {
        for (asked, longest) in [(30, 45), (20, 80), (15, 80), (5, 240)] {
            let times = taken(asked);
            let wanted = usize::try_from(asked).unwrap() * 10;
            assert!(
                times.len().abs_diff(wanted) <= 1,
                "{} at {asked}",
                times.len()
            );
            let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(gaps.max().unwrap() <= longest, "{asked}");
        }
    }

    #[test]
    fn after_a_pause_nothing_is_caught_up() {
        let mut pace = Pace::default();
        let begin = Instant::now();
        assert!(pace.take(begin, 10));
        let later = begin + Duration::from_secs(60);
        assert!(pace.take(later, 10));
        assert!(!pace.take(later + Duration::from_millis(33), 10));
    }
}
