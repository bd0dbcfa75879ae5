// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What comes out of a stream's decoders, counted where it does: a message for each picture and each
//! packet would wake the engine hundreds of times a second.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A picture that stands still for longer than this is a freeze.
const FREEZE: Duration = Duration::from_millis(500);

/// The counters of one stream; a decoder writes, the engine reads.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    /// Since they were last taken.
    outputs: AtomicU32,
    /// Since they were last taken.
    freezes: AtomicU32,
    /// When something last came out, in ns since it began; 0 is never.
    last: AtomicU64,
    /// Something came out since the stream was quiet.
    live: AtomicBool,
    /// The engine is to be told of what comes out next.
    owed: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            outputs: AtomicU32::new(0),
            freezes: AtomicU32::new(0),
            last: AtomicU64::new(0),
            live: AtomicBool::new(false),
            owed: AtomicBool::new(true),
        }
    }
}

impl Progress {
    /// Counts a picture; true when the engine is to be told of it.
    pub(crate) fn picture(&self, at: Instant) -> bool {
        let stood = self.last().map(|last| at.saturating_duration_since(last));
        // What was quiet begins anew.
        if self.live.load(Relaxed) && stood.is_some_and(|stood| stood > FREEZE) {
            self.freezes.fetch_add(1, Relaxed);
        }
        self.sound(at)
    }

    /// Counts a packet of sound; true when the engine is to be told of it.
    pub(crate) fn sound(&self, at: Instant) -> bool {
        let since = at.saturating_duration_since(self.began).as_nanos();
        let since = u64::try_from(since).unwrap_or(u64::MAX).max(1);
        self.last.store(since, Relaxed);
        self.outputs.fetch_add(1, Relaxed);
        self.live.store(true, Relaxed);
        self.owed.swap(false, Relaxed)
    }

    /// Has the engine told of what comes out next.
    pub(crate) fn owe(&self) {
        self.owed.store(true, Relaxed);
    }

    /// The stream counts as quiet until something comes out.
    pub(crate) fn quiet(&self) {
        self.live.store(false, Relaxed);
        self.owe();
    }

    /// When something last came out.
    pub(crate) fn last(&self) -> Option<Instant> {
        let since = self.last.load(Relaxed);
        (since > 0).then(|| self.began + Duration::from_nanos(since))
    }

    /// What came out since the last call.
    pub(crate) fn take_outputs(&self) -> u32 {
        self.outputs.swap(0, Relaxed)
    }

    /// How often the picture stood still since the last call.
    pub(crate) fn take_freezes(&self) -> u32 {
        self.freezes.swap(0, Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_told_of_the_first_and_of_what_it_asks_for() {
        let progress = Progress::default();
        let now = Instant::now();
        assert_eq!(progress.last(), None);
        assert!(progress.picture(now));
        assert!(!progress.picture(now + FREEZE));
        assert_eq!(progress.last(), Some(now + FREEZE));
        for ask in [Progress::owe, Progress::quiet] {
            ask(&progress);
            assert!(progress.sound(now));
            assert!(!progress.sound(now));
        }
        assert_eq!(progress.take_outputs(), 6);
        assert_eq!(progress.take_outputs(), 0);
    }

    #[test]
    fn a_picture_that_stands_still_is_a_freeze_and_one_that_was_away_is_not() {
        let progress = Progress::default();
        let mut now = Instant::now();
        let mut after = |milliseconds| {
            now += Duration::from_millis(milliseconds);
            progress.picture(now);
            progress.take_freezes()
        };
        assert_eq!(after(2000), 0, "it begins");
        assert_eq!(after(500), 0);
        assert_eq!(after(501), 1);
        // A decoder that is started again is no excuse.
        progress.owe();
        assert_eq!(after(600), 1);
        progress.quiet();
        assert_eq!(after(3000), 0);
        assert_eq!(after(33), 0);
        assert_eq!(after(501), 1);
    }
}
