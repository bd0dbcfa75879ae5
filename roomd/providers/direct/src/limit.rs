// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::Instant;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) const fn new(burst: f64, per_second: f64, now: Instant) -> Self {
        Self {
            tokens: burst,
            burst,
            per_second,
            at: now,
        }
    }

    /// Takes tokens; false when there are not enough.
    pub(crate) fn take(&mut self, cost: f64, now: Instant) -> bool {
        let enough = self.has(cost, now);
        if enough {
            self.tokens -= cost;
        }
        enough
    }

    /// Whether there are enough tokens; takes none.
    pub(crate) fn has(&mut self, cost: f64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.tokens >= cost
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let start = Instant::now();
        let mut bucket = Bucket::new(120.0, 40.0, start);
        assert!((0..120).all(|_| bucket.take(1.0, start)));
        assert!(!bucket.take(1.0, start));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..200).filter(|_| bucket.take(1.0, later)).count(), 40);
    }
}
