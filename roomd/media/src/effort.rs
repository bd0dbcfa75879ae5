// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How hard an encoder works.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;
use roomd_media_core::governor::Work;
use roomd_media_core::pulse::Counters;

/// Measures one encoder between two looks.
#[derive(Debug)]
pub(crate) struct Effort {
    /// Nanoseconds in which it worked; its thread writes.
    worked: Arc<AtomicU64>,
    /// What it had done at the last look.
    known: (Counters, u64),
    looked: Instant,
}

impl Effort {
    /// Counts from here on how long the encoder, if there is one, has each picture.
    pub(crate) fn of(encoder: Option<&gst::Element>) -> Self {
        let worked = Arc::default();
        if let Some(encoder) = encoder {
            watch(encoder, &worked);
        }
        Self {
            worked,
            known: (Counters::default(), 0),
            looked: Instant::now(),
        }
    }

    /// What it did since the last look.
    pub(crate) fn look(&mut self, counters: Counters, now: Instant) -> Work {
        let worked = self.worked.load(Relaxed);
        let passed = now.saturating_duration_since(self.looked).as_nanos();
        self.looked = now;
        let (before, worked_before) = std::mem::replace(&mut self.known, (counters, worked));
        let busy = worked.saturating_sub(worked_before);
        let count = |now: u64, before| u32::try_from(now.saturating_sub(before));
        Work {
            taken: count(counters.taken, before.taken).unwrap_or(u32::MAX),
            given: count(counters.given, before.given).unwrap_or(u32::MAX),
            busy: busy as f64 / passed.max(1) as f64,
        }
    }
}

/// A picture is encoded between its way in and its way out, on the thread that brings it.
fn watch(encoder: &gst::Element, worked: &Arc<AtomicU64>) {
    let (Some(sink), Some(source)) = (encoder.static_pad("sink"), encoder.static_pad("src")) else {
        return;
    };
    let begin = Instant::now();
    let since = move || u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let began = Arc::new(AtomicU64::new(0));
    let entered = began.clone();
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        entered.store(since(), Relaxed);
        gst::PadProbeReturn::Ok
    });
    let worked = worked.clone();
    source.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let now = since();
        // One that gives two pictures for one did both since it got it.
        let before = began.swap(now, Relaxed);
        worked.fetch_add(now.saturating_sub(before), Relaxed);
        gst::PadProbeReturn::Ok
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_look_tells_what_came_since_the_last() {
        let mut effort = Effort::of(None);
        let begin = effort.looked;
        let mut look = |seconds: u64, worked, (taken, given)| {
            effort.worked.store(worked, Relaxed);
            let counters = Counters { taken, given };
            effort.look(counters, begin + Duration::from_secs(seconds))
        };
        let first = look(1, 250_000_000, (30, 28));
        let work = |taken, given, busy| Work { taken, given, busy };
        assert_eq!(first, work(30, 28, 0.25));
        assert_eq!(look(3, 1_250_000_000, (90, 90)), work(60, 62, 0.5));
        assert_eq!(look(4, 1_250_000_000, (90, 90)), work(0, 0, 0.0));
    }
}
