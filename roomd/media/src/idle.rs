// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How much of the machine's processors has nothing to do.

use std::time::Instant;

/// Ticks a second of /proc/stat; 100 on every architecture that Debian ships.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures the machine between two looks.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    last: Option<(Instant, f64)>,
}

impl Idle {
    /// Processors that had nothing to do since the last look; none where nobody knows.
    pub(crate) fn look(&mut self, now: Instant) -> Option<f64> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        self.read(&stat, now)
    }

    fn read(&mut self, stat: &str, now: Instant) -> Option<f64> {
        let ticks = ticks(stat)?;
        let (then, before) = self.last.replace((now, ticks))?;
        let passed = now.saturating_duration_since(then).as_secs_f64();
        // The kernel's figure may run back (proc_stat(5)).
        (passed > 0.0 && ticks >= before).then(|| (ticks - before) / TICKS_PER_SECOND / passed)
    }
}

/// Of all processors, waiting for a disk included.
fn ticks(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let mut fields = line.split_whitespace().skip(3);
    let idle: f64 = fields.next()?.parse().ok()?;
    let waiting: f64 = fields.next()?.parse().ok()?;
    Some(idle + waiting)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn idle_processors_are_counted_together() {
        let begin = Instant::now();
        let mut idle = Idle::default();
        let mut look = |second, stat: &str| idle.read(stat, begin + Duration::from_secs(second));
        assert_eq!(look(0, "cpu  50 0 20 1000 100 0 0\ncpu0 1 2 3 4 5\n"), None);
        assert_eq!(look(1, "cpu  90 0 20 1140 110 0 0\n"), Some(1.5));
        assert_eq!(look(3, "cpu  90 0 20 1140 110 0 0\n"), Some(0.0));
        assert_eq!(look(4, "cpu  90 0 20 1100 110 0 0\n"), None, "it ran back");
        assert_eq!(
            look(4, "cpu  90 0 20 1200 110 0 0\n"),
            None,
            "no time passed"
        );
        assert_eq!(look(5, "intr 1 2 3\n"), None);
    }

    #[test]
    fn this_machine_tells() {
        let stat = std::fs::read_to_string("/proc/stat").unwrap();
        assert!(ticks(&stat).is_some_and(|ticks| ticks > 0.0), "{stat}");
    }
}
