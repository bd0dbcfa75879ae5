// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a camera delivers, counted where it gives its pictures; the engine reads it once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use roomd_media_core::pace::Delivered;

/// GStreamer's number for none.
const NONE: u64 = u64::MAX;

/// Counters that the pipeline's thread writes. Each stands for itself, so that none waits for another.
#[derive(Debug)]
pub(crate) struct Flow {
    begun: Instant,
    pictures: AtomicU64,
    /// The driver's number of the first picture and of the last; it also counts those that nobody fetched
    /// in time.
    first: AtomicU64,
    last: AtomicU64,
    /// When the last arrived, and for how long pictures were worked at, in microseconds.
    arrived: AtomicU64,
    busy: AtomicU64,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            pictures: AtomicU64::new(0),
            first: AtomicU64::new(NONE),
            last: AtomicU64::new(NONE),
            arrived: AtomicU64::new(0),
            busy: AtomicU64::new(0),
        }
    }
}

impl Flow {
    /// Counts what comes through here.
    pub(crate) fn watch(self: Arc<Self>, pad: &gst::Pad) {
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            self.arrives(info.buffer().map_or(NONE, |it| it.offset()));
            gst::PadProbeReturn::Ok
        });
    }

    /// A picture with this number of the driver's arrives.
    fn arrives(&self, number: u64) {
        self.arrived.store(self.micros(), Ordering::Relaxed);
        if self.pictures.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first.store(number, Ordering::Relaxed);
        }
        self.last.store(number, Ordering::Relaxed);
    }

    /// The picture that arrived last is ready for use.
    pub(crate) fn is_done(&self) {
        let worked = self
            .micros()
            .saturating_sub(self.arrived.load(Ordering::Relaxed));
        self.busy.fetch_add(worked, Ordering::Relaxed);
    }

    /// Up to this moment.
    pub(crate) fn delivered(&self) -> Delivered {
        let [pictures, first, last, busy] = [&self.pictures, &self.first, &self.last, &self.busy]
            .map(|it| it.load(Ordering::Relaxed));
        let numbered = if [first, last].contains(&NONE) {
            0
        } else {
            last.saturating_sub(first).saturating_add(1)
        };
        Delivered {
            count: pictures.max(numbered),
            busy: Duration::from_micros(busy),
        }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_nobody_fetched_count_and_numbers_that_stand_still_do_not() {
        let flow = Flow::default();
        assert_eq!(flow.delivered(), Delivered::default());
        flow.arrives(7);
        std::thread::sleep(Duration::from_millis(2));
        flow.is_done();
        flow.arrives(10);
        let delivered = flow.delivered();
        assert_eq!(delivered.count, 4);
        assert!(delivered.busy >= Duration::from_millis(2));
        let unnumbered = Flow::default();
        for number in [0, 0, NONE] {
            unnumbered.arrives(number);
        }
        assert_eq!(unnumbered.delivered().count, 3);
    }
}
