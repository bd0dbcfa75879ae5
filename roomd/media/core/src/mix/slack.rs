// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How much sound a queue had left when more of it came: what it could do without.
//!
//! The least of the last seconds counts, so that sound which comes unevenly has by itself as long a
//! queue as it needs.

/// Blocks that one figure is kept for.
const SLOT: u64 = 25;
/// Figures that are kept: two seconds.
const SLOTS: usize = 8;
/// Blocks until it is known what comes late, one second.
const SETTLED: u64 = 100;

/// What was left in the last seconds, in samples.
#[derive(Debug, Default)]
pub(super) struct Slack {
    /// The least of each slot, the newest first.
    slots: [Option<i64>; SLOTS],
    blocks: u64,
}

impl Slack {
    /// A block was played.
    pub(super) fn tick(&mut self) {
        self.blocks += 1;
        if self.blocks.is_multiple_of(SLOT) {
            self.slots.rotate_right(1);
            self.slots[0] = None;
        }
    }

    /// Notes what was left as more came.
    pub(super) fn note(&mut self, left: usize) {
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        self.slots[0] = Some(self.slots[0].map_or(left, |least| least.min(left)));
    }

    /// The queue became longer, or shorter, by so much: what was noted would have been so too.
    pub(super) fn shift(&mut self, by: i64) {
        for slot in self.slots.iter_mut().flatten() {
            *slot = slot.saturating_add(by);
        }
    }

    /// The least that was left; none before anything was noted.
    pub(super) fn least(&self) -> Option<i64> {
        self.slots.iter().flatten().min().copied()
    }

    /// Whether it knows for long enough what comes late.
    pub(super) const fn is_settled(&self) -> bool {
        self.blocks >= SETTLED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_counts_until_it_is_old() {
        let mut slack = Slack::default();
        assert_eq!(slack.least(), None);
        slack.note(0);
        for _ in 0..SLOT * (SLOTS as u64 - 1) {
            slack.tick();
            slack.note(900);
        }
        assert_eq!(slack.least(), Some(0));
        slack.shift(480);
        assert_eq!(slack.least(), Some(480));
        for _ in 0..SLOT {
            slack.tick();
            slack.note(900);
        }
        assert_eq!(slack.least(), Some(900));
        assert!(slack.is_settled());
    }
}
