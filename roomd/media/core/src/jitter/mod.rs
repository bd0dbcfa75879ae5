// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! When a received frame is played: an adaptive buffer of whole frames.
//!
//! The buffer draws a line from media time to arrival time, as low as the fastest frames of the last
//! seconds, and plays each frame at its place on the line plus a target delay. The target follows the
//! lateness of nearly all recent frames: it grows at once and shrinks slowly. Pictures have none
//! while their lateness is too small to be seen: each is played as it comes. As the line follows the
//! fastest frames, a sender's clock that runs fast or slow is followed too.
//!
//! Invariants: frames come out in the order of their media time and never twice; nothing waits longer
//! than the greatest delay plus what lip-sync asks for; the number of frames held is bounded.

mod delay;
mod extra;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use delay::Delay;
use extra::Extra;

/// Media time that runs on by so much more or less than the arrival is another timeline.
const JUMP: Duration = Duration::from_secs(3);
/// Most concealed frames at a stretch; behind it the gap is silence (DTX), not loss.
const MAX_CONCEALED: u32 = 5;

/// What a buffer keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Least delay.
    pub min: Duration,
    /// Greatest delay, lip-sync apart.
    pub max: Duration,
    /// Most frames held.
    pub capacity: usize,
    /// Of the recent frames so many in a thousand may be later than the delay covers.
    pub outside_per_mille: usize,
    /// While the others are late by less than this, none is held back to be even.
    pub uneven: Duration,
    /// Media time of a frame when all have the same; missing ones then come out as lost.
    pub samples: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min: Duration::from_millis(20),
            max: Duration::from_millis(500),
            capacity: 256,
            outside_per_mille: 3,
            uneven: Duration::ZERO,
            samples: None,
        }
    }
}

impl Config {
    /// Pictures. One that is late is shown when it comes, which nobody notices; so the delay need not
    /// cover the few that come latest, as it has to for sound, and nothing at all below half of the
    /// time that a display shows each picture.
    pub fn pictures() -> Self {
        Self {
            min: Duration::ZERO,
            outside_per_mille: 50,
            uneven: Duration::from_millis(15),
            ..Self::default()
        }
    }

    /// Sound in frames of a fixed number of samples.
    pub fn sound(samples: u32) -> Self {
        Self {
            samples: Some(samples),
            ..Self::default()
        }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playout<T> {
    /// A frame.
    Frame {
        /// The frame.
        frame: T,
        /// Its media time.
        rtp_time: u64,
        /// When it was due.
        due: Instant,
        /// The buffer dropped what came before it, which it may refer to.
        after_drop: bool,
    },
    /// A frame that did not arrive in time, to be concealed.
    Lost {
        /// Its media time.
        rtp_time: u64,
        /// How long it would have lasted.
        samples: u32,
    },
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that arrived after their time or that of a later one.
    pub late: u64,
    /// Frames that had arrived already.
    pub doubled: u64,
    /// Frames that did not arrive in time.
    pub lost: u64,
    /// Frames dropped as too many were held.
    pub overflowed: u64,
    /// New timelines.
    pub resets: u64,
}

/// An adaptive buffer of whole frames.
#[derive(Debug)]
pub struct JitterBuffer<T> {
    config: Config,
    frames: BTreeMap<u64, T>,
    delay: Delay,
    extra: Extra,
    /// Media time that comes next: of the last frame, plus its length where it is fixed.
    next: Option<u64>,
    /// The last frame was not followed by one that follows it without a gap.
    concealed: u32,
    /// Media time of the last frame that was dropped and whose place was not reached yet.
    dropped: Option<u64>,
    counters: Counters,
}

impl<T> JitterBuffer<T> {
    /// Makes a buffer for media of this clock rate; 0 counts as 1.
    pub fn new(clock_rate: u32, config: Config) -> Self {
        let rate = clock_rate.max(1);
        Self {
            config,
            frames: BTreeMap::new(),
            delay: Delay::new(rate, config),
            extra: Extra::new(rate),
            next: None,
            concealed: 0,
            dropped: None,
            counters: Counters::default(),
        }
    }

    /// Counts on from what happened in the buffer whose place it takes.
    #[must_use]
    pub fn counting_on(mut self, counters: Counters) -> Self {
        self.counters = counters;
        self
    }

    /// Takes a frame. `contiguous` says that no packet was lost before it: for sound without a fixed
    /// frame length, and as a hint that a gap in media time is silence.
    pub fn push(&mut self, rtp_time: u64, arrived: Instant, frame: T, contiguous: bool) {
        if self.delay.jumps(rtp_time, arrived, JUMP) {
            self.reset();
        }
        self.delay.observe(rtp_time, arrived);
        if self.next.is_some_and(|next| rtp_time < next) {
            self.counters.late += 1;
            self.drop_at(rtp_time);
            return;
        }
        if self.frames.contains_key(&rtp_time) {
            self.counters.doubled += 1;
            return;
        }
        if contiguous && self.frames.is_empty() && self.config.samples.is_some() {
            // The sender was silent: there is nothing to conceal before this frame.
            self.next = self.next.map(|_| rtp_time);
        }
        self.frames.insert(rtp_time, frame);
        while self.frames.len() > self.config.capacity.max(1) {
            if let Some((rtp_time, _)) = self.frames.pop_first() {
                self.drop_at(rtp_time);
            }
            self.counters.overflowed += 1;
        }
    }

    /// What is due now; to be called until it gives nothing.
    pub fn poll(&mut self, now: Instant) -> Option<Playout<T>> {
        if let Some(lost) = self.poll_lost(now) {
            return Some(lost);
        }
        let (&rtp_time, _) = self.frames.first_key_value()?;
        let due = self.due(rtp_time)?;
        if due > now {
            return None;
        }
        let (rtp_time, frame) = self.frames.pop_first()?;
        self.concealed = 0;
        let after_drop = self.dropped.is_some();
        self.dropped = self.dropped.filter(|&dropped| rtp_time < dropped);
        self.next = Some(rtp_time.saturating_add(u64::from(self.config.samples.unwrap_or(1))));
        Some(Playout::Frame {
            frame,
            rtp_time,
            due,
            after_drop,
        })
    }

    /// When `poll` has something next.
    pub fn next_due(&self) -> Option<Instant> {
        let frame = self
            .frames
            .keys()
            .next()
            .and_then(|&rtp_time| self.due(rtp_time));
        let lost = self.missing().and_then(|(rtp_time, _)| self.due(rtp_time));
        [frame, lost].into_iter().flatten().min()
    }

    /// Delays this stream by so much more, for lip-sync: pictures at once, sound by and by, so that
    /// it is stretched and nothing is missing.
    pub fn extra_delay(&mut self, extra: Duration) {
        let next = self.config.samples.and(self.next);
        self.extra.change(extra.min(self.config.max), next);
    }

    /// The delay of a frame that was not held up, lip-sync included.
    pub fn target_delay(&self) -> Duration {
        self.delay.target() + self.extra.wanted()
    }

    /// Interarrival jitter (RFC 3550, section 6.4.1).
    pub fn jitter(&self) -> Duration {
        self.delay.jitter()
    }

    /// When media of this time is or was played; none before the first frame.
    pub fn due(&self, rtp_time: u64) -> Option<Instant> {
        let due = self.delay.due(rtp_time)?;
        Some(due + self.extra.at(rtp_time))
    }

    /// What happened so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Frames held.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Notes that a frame of this time is not played.
    fn drop_at(&mut self, rtp_time: u64) {
        self.dropped = self.dropped.max(Some(rtp_time));
    }

    fn reset(&mut self) {
        // The first frame of the new timeline comes after all that is dropped of the old one.
        let drops = self.dropped.is_some() || !self.frames.is_empty();
        self.dropped = drops.then_some(0);
        self.frames.clear();
        self.delay.reset();
        self.extra.settle();
        self.next = None;
        self.concealed = 0;
        self.counters.resets += 1;
    }

    /// The missing frame before the first one held, with a fixed frame length only. Without any
    /// frame behind it, one that is missing cannot be told from silence.
    fn missing(&self) -> Option<(u64, u32)> {
        let samples = self.config.samples.filter(|&samples| samples > 0)?;
        let next = self.next?;
        let (&first, _) = self.frames.first_key_value()?;
        let gap = first.checked_sub(next)? / u64::from(samples);
        let possible = (1..=u64::from(MAX_CONCEALED)).contains(&(gap + u64::from(self.concealed)));
        (gap > 0 && possible).then_some((next, samples))
    }

    fn poll_lost(&mut self, now: Instant) -> Option<Playout<T>> {
        let (rtp_time, samples) = self.missing()?;
        if self.due(rtp_time)? > now {
            return None;
        }
        self.next = Some(rtp_time.saturating_add(u64::from(samples)));
        self.concealed += 1;
        self.counters.lost += 1;
        Some(Playout::Lost { rtp_time, samples })
    }
}

#[cfg(test)]
mod tests;
