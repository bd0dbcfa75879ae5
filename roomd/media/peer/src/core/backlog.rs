// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pictures that wait for a packet that does not come.
//!
//! The transport asks for a missing packet five times, a round trip apart, and holds back everything
//! behind it for three round trips more. On a path that lost much at once these are seconds, and
//! only then would it be seen that a keyframe is needed. So it is asked for while they pass; and
//! when that was in vain too, no more packets are asked for, which ends the waiting sooner.

use std::time::{Duration, Instant};

use str0m::media::{Mid, Rid};

use super::Core;
use super::media::Layer;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(50);
/// A keyframe is asked for when pictures of this length wait.
const ASK: Duration = Duration::from_millis(400);
/// Missing packets are not asked for any more when pictures of this length wait,
const GIVE_UP: Duration = Duration::from_millis(700);
/// and more than so many round trips passed: what is sent again may still be under way.
const ROUND_TRIPS: u32 = 3;

impl Core {
    /// Looks for pictures that wait.
    pub(super) fn look_for_backlogs(&mut self, now: Instant) {
        if now < self.backlogs_due {
            return;
        }
        self.backlogs_due = now + INTERVAL;
        let round_trips = self.figures.rtt.unwrap_or_default() * ROUND_TRIPS;
        let patience = GIVE_UP.max(round_trips);
        for (layer, shown) in self.pictures() {
            let Some(waiting) = self.backlog(&layer, shown) else {
                continue;
            };
            self.ask_for_missing(&layer, waiting < patience);
            if waiting >= ASK {
                self.request_keyframe(now, &layer.0.to_string(), layer.1.as_deref());
            }
        }
    }

    /// The received layers of pictures, with the time of the last one that was passed on.
    fn pictures(&self) -> Vec<(Layer, u32)> {
        let is_video = |mid: Mid| {
            self.rtc
                .media(mid)
                .is_some_and(|media| media.kind().is_video())
        };
        let known = self.lines.iter();
        known
            .filter(|((mid, _), _)| is_video(*mid))
            .filter_map(|(layer, line)| Some((layer.clone(), line.last_rtp_time()? as u32)))
            .collect()
    }

    /// How far what arrived is ahead of what was passed on.
    fn backlog(&mut self, (mid, rid): &Layer, shown: u32) -> Option<Duration> {
        let rid = rid.as_deref().map(Rid::from);
        let mut api = self.rtc.direct_api();
        let arrived = api.stream_rx_by_mid(*mid, rid)?.last_time()?;
        let ahead = (arrived.numer() as u32).wrapping_sub(shown);
        // What is not ahead by less than half of the numbers is behind.
        let ahead = if ahead < 1 << 31 { ahead } else { 0 };
        Some(Duration::from_micros(u64::from(ahead) * 1000 / 90))
    }

    fn ask_for_missing(&mut self, layer: &Layer, asks: bool) {
        let Some(line) = self.lines.get_mut(layer) else {
            return;
        };
        if line.gave_up != asks {
            return;
        }
        line.gave_up = !asks;
        let rid = layer.1.as_deref().map(Rid::from);
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(layer.0, rid) {
            stream.suppress_nack(!asks);
        }
    }
}
