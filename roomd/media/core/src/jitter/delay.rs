// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The line from media time to arrival time, and the target delay above it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Config;

/// The line keeps to the fastest frame of so long.
const WINDOW: Duration = Duration::from_secs(10);
/// The window is kept in slots of this length.
const SLOT: Duration = Duration::from_millis(500);
/// How fast the line may rise to the fastest frame of the window, in parts of the time gone by:
/// twice what a bad clock needs.
const RISE: f64 = 400e-6;
/// How fast the target shrinks, in parts of the time gone by. Together with what lip-sync changes it
/// is less than sound can be compressed unheard.
const SHRINK: f64 = 0.02;
/// Lateness of the recent frames that the target covers.
const RECENT: usize = 400;
/// Room above the lateness, for the step of the caller's clock.
const ROOM: f64 = 0.005;
/// Frames that are held back to be even are played at once again below this part of the lateness
/// that is let be: at its border the delay would come and go.
const CALMER: f64 = 2.0 / 3.0;

/// The line and the target, in seconds since the first arrival.
#[derive(Debug)]
pub(super) struct Delay {
    rate: f64,
    min: f64,
    max: f64,
    outside_per_mille: usize,
    /// Lateness that is let be.
    uneven: f64,
    /// No more than that is late.
    calm: bool,
    origin: Option<(u64, Instant)>,
    /// Arrival minus media time on the line.
    offset: f64,
    /// Slots of the window: start, and the least arrival minus media time in it.
    slots: VecDeque<(f64, f64)>,
    recent: VecDeque<f64>,
    /// Room to order them in.
    ordered: Vec<f64>,
    target: f64,
    last: Option<(f64, f64)>,
    jitter: f64,
}

impl Delay {
    pub(super) fn new(rate: u32, config: Config) -> Self {
        let (min, max) = (config.min, config.max.max(config.min));
        Self {
            rate: f64::from(rate),
            min: min.as_secs_f64(),
            max: max.as_secs_f64(),
            outside_per_mille: config.outside_per_mille,
            uneven: config.uneven.as_secs_f64(),
            calm: true,
            origin: None,
            offset: 0.0,
            slots: VecDeque::new(),
            recent: VecDeque::with_capacity(RECENT + 1),
            ordered: Vec::with_capacity(RECENT),
            target: min.as_secs_f64(),
            last: None,
            jitter: 0.0,
        }
    }

    /// Begins another timeline; the target stays, as the network is the same.
    pub(super) fn reset(&mut self) {
        self.origin = None;
        self.offset = 0.0;
        self.slots.clear();
        self.recent.clear();
        self.last = None;
    }

    /// Whether this frame lies so far off the line that it is of another timeline.
    pub(super) fn jumps(&self, rtp_time: u64, arrived: Instant, limit: Duration) -> bool {
        let Some((media, arrival)) = self.times(rtp_time, arrived) else {
            return false;
        };
        (arrival - media - self.offset).abs() > limit.as_secs_f64()
    }

    pub(super) fn observe(&mut self, rtp_time: u64, arrived: Instant) {
        self.origin.get_or_insert((rtp_time, arrived));
        let Some((media, arrival)) = self.times(rtp_time, arrived) else {
            return;
        };
        let transit = arrival - media;
        let passed = self.last.map_or(0.0, |(last, _)| (arrival - last).max(0.0));
        if let Some((_, last)) = self.last {
            self.jitter += ((transit - last).abs() - self.jitter) / 16.0;
        } else {
            self.offset = transit;
        }
        self.last = Some((arrival, transit));
        self.follow(arrival, transit, passed);
        let lateness = transit - self.offset;
        self.recent.push_back(lateness);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        let wanted = self.wanted();
        self.target = if wanted > self.target {
            wanted
        } else {
            (self.target - passed.min(1.0) * SHRINK).max(wanted)
        };
    }

    pub(super) fn due(&self, rtp_time: u64) -> Option<Instant> {
        let (first, begun) = self.origin?;
        let at = self.media(first, rtp_time) + self.offset + self.target;
        if at >= 0.0 {
            begun.checked_add(Duration::try_from_secs_f64(at).ok()?)
        } else {
            begun.checked_sub(Duration::try_from_secs_f64(-at).ok()?)
        }
    }

    pub(super) fn target(&self) -> Duration {
        Duration::from_secs_f64(self.target)
    }

    pub(super) fn jitter(&self) -> Duration {
        Duration::from_secs_f64(self.jitter.clamp(0.0, 60.0))
    }

    /// Moves the line: down to a faster frame at once, up slowly when all became slower.
    fn follow(&mut self, arrival: f64, transit: f64, passed: f64) {
        match self.slots.back_mut() {
            Some((start, least)) if arrival - *start < SLOT.as_secs_f64() => {
                *least = least.min(transit);
            }
            Some(_) | None => self.slots.push_back((arrival, transit)),
        }
        while self
            .slots
            .front()
            .is_some_and(|(start, _)| arrival - start > WINDOW.as_secs_f64())
        {
            self.slots.pop_front();
        }
        let least = self
            .slots
            .iter()
            .map(|(_, least)| *least)
            .fold(f64::INFINITY, f64::min);
        if least < self.offset {
            self.offset = least;
        } else {
            self.offset = (self.offset + passed * RISE).min(least);
        }
    }

    /// What the target is to be, from the lateness of the recent frames.
    fn wanted(&mut self) -> f64 {
        let late = self.percentile();
        let part = if self.calm { 1.0 } else { CALMER };
        self.calm = late < self.uneven * part;
        if self.calm {
            return self.min;
        }
        (late + ROOM).clamp(self.min, self.max)
    }

    fn percentile(&mut self) -> f64 {
        self.ordered.clear();
        self.ordered.extend(&self.recent);
        let outside = self.ordered.len() * self.outside_per_mille / 1000;
        let at = self.ordered.len().saturating_sub(1 + outside);
        if at >= self.ordered.len() {
            return 0.0;
        }
        let (_, lateness, _) = self.ordered.select_nth_unstable_by(at, f64::total_cmp);
        *lateness
    }

    fn times(&self, rtp_time: u64, arrived: Instant) -> Option<(f64, f64)> {
        let (first, begun) = self.origin?;
        let arrival = match arrived.checked_duration_since(begun) {
            Some(after) => after.as_secs_f64(),
            None => -begun.saturating_duration_since(arrived).as_secs_f64(),
        };
        Some((self.media(first, rtp_time), arrival))
    }

    fn media(&self, first: u64, rtp_time: u64) -> f64 {
        if rtp_time >= first {
            (rtp_time - first) as f64 / self.rate
        } else {
            -((first - rtp_time) as f64 / self.rate)
        }
    }
}
