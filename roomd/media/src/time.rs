// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The engine's time: one monotonic clock for everything, and the wall clock beside it.

use std::time::{Duration, Instant, SystemTime};

use gstreamer::ClockTime;

/// Where the engine's time begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    epoch: Instant,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            epoch: Instant::now(),
        }
    }

    /// A moment as the pipelines count it.
    pub(crate) fn stamp(&self, at: Instant) -> ClockTime {
        let since = at.saturating_duration_since(self.epoch);
        ClockTime::from_nseconds(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX / 2))
    }

    /// The moment of a pipeline's time.
    pub(crate) fn instant(&self, stamp: ClockTime) -> Instant {
        self.epoch + Duration::from_nanos(stamp.nseconds())
    }
}

/// A pipeline's time in units of an RTP clock.
pub(crate) fn rtp_time(stamp: ClockTime, rate: u32) -> u64 {
    let ticks = u128::from(stamp.nseconds()) * u128::from(rate) + 500_000_000;
    u64::try_from(ticks / 1_000_000_000).unwrap_or(u64::MAX)
}

/// An RTP time as the pipelines count it.
pub(crate) fn from_rtp(time: u64, rate: u32) -> ClockTime {
    let nanos = u128::from(time) * 1_000_000_000 / u128::from(rate.max(1));
    ClockTime::from_nseconds(
        u64::try_from(nanos)
            .unwrap_or(u64::MAX / 2)
            .min(u64::MAX / 2),
    )
}

/// Milliseconds since the Unix epoch.
pub(crate) fn wall_millis() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
