// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! When a display may draw: a picture as soon as it comes, and one in a period at the most.
//!
//! The moments keep an even distance, so that none of several senders' pictures stays longer than the
//! others. They follow one of them, the leader: one late picture moves them, and what the leader's
//! pictures wait for since then is made up for in small steps.

use std::time::{Duration, Instant};

use crate::scene::{Scene, Tile, TileSource};

/// A picture may come so much too early and is drawn at once: senders' clocks sway.
const SLACK: Duration = Duration::from_millis(5);
/// So long the leader's pictures may wait.
const BEARABLE: Duration = Duration::from_millis(1);
/// The part of the rest that is made up for at a time.
const STEP: u32 = 4;

/// The moments of one display.
#[derive(Clone, Copy, Debug)]
pub struct Cadence {
    next: Instant,
}

impl Cadence {
    /// Begins; the first moment is at once.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { next: now }
    }

    /// The earliest moment for the next picture.
    #[must_use]
    pub const fn next(&self) -> Instant {
        self.next
    }

    /// A picture is drawn at this moment, and the next one a period later. `waited` says how long the
    /// leader's picture has been there, if it is a new one.
    pub fn drawn(&mut self, now: Instant, waited: Option<Duration>, period: Duration) {
        let step = waited.unwrap_or_default().saturating_sub(BEARABLE) / STEP;
        let even = self.next + period.saturating_sub(step);
        self.next = even.max(now + period.saturating_sub(SLACK));
    }
}

/// Whose pictures lead: those of the largest received stream, or the largest of what else there is.
#[must_use]
pub fn leader(scene: &Scene) -> Option<TileSource> {
    let rank = |tile: &&Tile| {
        let is_received = matches!(tile.source, TileSource::Stream(_));
        (
            is_received,
            u64::from(tile.rect.width) * u64::from(tile.rect.height),
        )
    };
    // Of equal ones the first.
    let tiles = scene.tiles.iter().rev();
    tiles.max_by_key(rank).map(|tile| tile.source)
}

#[cfg(test)]
mod tests {
    use roomd_model::StreamId;

    use super::*;
    use crate::scene::Rect;

    const PERIOD: Duration = Duration::from_micros(33_333);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// How long each picture waits, if the leader's come at these times after the beginning.
    fn waits(arrivals: impl IntoIterator<Item = Duration>) -> Vec<Duration> {
        let begin = Instant::now();
        let mut cadence = Cadence::new(begin);
        let wait = |after| {
            let arrival = begin + after;
            let now = cadence.next().max(arrival);
            cadence.drawn(now, Some(now - arrival), PERIOD);
            now - arrival
        };
        arrivals.into_iter().map(wait).collect()
    }

    #[test]
    fn a_picture_is_drawn_when_it_comes() {
        let even = waits((0..90).map(|index| PERIOD * index));
        assert_eq!(even, [Duration::ZERO; 90]);
        let sways = |index: u32| PERIOD * index + ms(u64::from(index % 3) * 2);
        assert!(
            waits((0..90).map(sways))
                .into_iter()
                .all(|wait| wait <= BEARABLE)
        );
    }

    #[test]
    fn a_late_picture_delays_the_following_ones_for_a_moment_only() {
        let late = |index: u32| PERIOD * index + if index == 10 { ms(25) } else { ms(0) };
        let waits = waits((0..60).map(late));
        assert!(waits[11] > ms(15), "{:?}", waits[11]);
        assert!(waits[25..].iter().all(|wait| *wait < ms(2)), "{waits:?}");
    }

    #[test]
    fn more_than_one_in_a_period_is_not_drawn() {
        // A sender with twice as many pictures: there is always one that waits.
        let begin = Instant::now();
        let mut cadence = Cadence::new(begin);
        let mut drawn = 0;
        let mut now = begin;
        while now < begin + ms(10_000) {
            now = cadence.next();
            let newest = (now - begin).as_micros() % 16_667;
            let waited = Duration::from_micros(u64::try_from(newest).unwrap());
            cadence.drawn(now, Some(waited), PERIOD);
            drawn += 1;
        }
        assert!((290..=310).contains(&drawn), "{drawn}");
    }

    #[test]
    fn others_do_not_move_the_moments() {
        let begin = Instant::now();
        let mut cadence = Cadence::new(begin);
        for index in 1..100 {
            cadence.drawn(cadence.next(), None, PERIOD);
            assert_eq!(cadence.next(), begin + PERIOD * index);
        }
    }

    #[test]
    fn the_largest_received_stream_leads() {
        let tile = |source, width| Tile {
            source,
            rect: Rect {
                x: 0,
                y: 0,
                width,
                height: 360,
            },
        };
        let stream = |id| TileSource::Stream(StreamId(id));
        let led = |tiles| {
            leader(&Scene {
                tiles,
                ..Scene::default()
            })
        };
        assert_eq!(led(vec![]), None);
        let own = tile(TileSource::SelfView, 1920);
        assert_eq!(led(vec![own]), Some(TileSource::SelfView));
        let equal = vec![own, tile(stream(1), 640), tile(stream(2), 640)];
        assert_eq!(led(equal), Some(stream(1)));
        let larger = vec![tile(stream(1), 640), tile(stream(2), 1280)];
        assert_eq!(led(larger), Some(stream(2)));
    }
}
