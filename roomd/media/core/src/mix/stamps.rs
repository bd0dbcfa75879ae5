// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which sample of a queue is of which media time.

use std::collections::VecDeque;

/// Most places that are kept; a sender whose times jump with every packet loses the oldest.
const MOST: usize = 64;

/// Places in a queue, and the media time there; up to the next place it runs on evenly.
#[derive(Debug, Default)]
pub(super) struct Stamps(VecDeque<(usize, u64)>);

impl Stamps {
    /// The media time of a sample.
    pub(super) fn at(&self, place: usize) -> Option<u64> {
        let (known, media) = self.0.iter().rfind(|(known, _)| *known <= place)?;
        Some(media.saturating_add((place - known) as u64))
    }

    /// Notes the media time of what is queued next, at this place.
    pub(super) fn note(&mut self, place: usize, media: u64) {
        if self.at(place) != Some(media) {
            self.put(self.0.len(), (place, media));
        }
    }

    /// At a place, `removed` samples give way to `added` ones. From `turn` on, a place after the
    /// change, it is what follows, or is repeated, that is heard.
    pub(super) fn splice(&mut self, at: usize, removed: usize, added: usize, turn: usize) {
        let before = (turn + removed).saturating_sub(added);
        let turned = self.at(before);
        let next = self.at(at + removed).filter(|_| at + added > turn);
        let gone = before.max(at + removed);
        self.0.retain(|(place, _)| *place <= at || *place > gone);
        for (place, _) in self.0.iter_mut().filter(|(place, _)| *place > at) {
            *place = *place + added - removed;
        }
        for (place, media) in [(at + added, next), (turn, turned)] {
            let index = self.0.partition_point(|(place, _)| *place <= at);
            if let Some(media) = media {
                self.put(index, (place, media));
            }
        }
    }

    /// The first samples of the queue are gone.
    pub(super) fn forget(&mut self, count: usize) {
        while self.0.get(1).is_some_and(|(place, _)| *place <= count) {
            self.0.pop_front();
        }
        for (place, media) in &mut self.0 {
            *media = media.saturating_add(count.saturating_sub(*place) as u64);
            *place = place.saturating_sub(count);
        }
    }

    fn put(&mut self, index: usize, stamp: (usize, u64)) {
        self.0.insert(index, stamp);
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps() -> Stamps {
        let mut stamps = Stamps::default();
        stamps.note(100, 10_100);
        stamps.note(1000, 11_000);
        stamps.note(2000, 20_000);
        stamps
    }

    #[track_caller]
    fn check(stamps: &Stamps, expected: &[(usize, u64)]) {
        for (place, media) in expected {
            assert_eq!(stamps.at(*place), Some(*media), "at {place}: {stamps:?}");
        }
    }

    #[test]
    fn time_runs_on_until_it_jumps() {
        let stamps = stamps();
        assert_eq!(stamps.at(99), None);
        check(&stamps, &[(100, 10_100), (1999, 11_999), (2000, 20_000)]);
        assert_eq!(stamps.0.len(), 2, "what runs on needs no place");
    }

    #[test]
    fn what_is_cut_is_left_out() {
        let mut stamps = stamps();
        stamps.splice(500, 300, 0, 650);
        check(
            &stamps,
            &[(649, 10_649), (650, 10_950), (1699, 11_999), (1700, 20_000)],
        );
        // A cut across a jump.
        stamps.splice(1600, 300, 0, 1750);
        check(&stamps, &[(1599, 11_899), (1750, 20_350)]);
    }

    #[test]
    fn what_is_repeated_is_of_its_own_time() {
        let mut stamps = stamps();
        stamps.splice(500, 0, 300, 650);
        check(
            &stamps,
            &[(649, 10_649), (650, 10_350), (800, 10_500), (2300, 20_000)],
        );
        // Nothing of it belongs to the other side of a jump.
        stamps.splice(2350, 0, 300, 2500);
        check(&stamps, &[(2499, 20_199), (2650, 20_050)]);
    }

    #[test]
    fn what_is_made_up_has_no_time_of_its_own() {
        let mut stamps = stamps();
        stamps.splice(2000, 0, 480, 2480);
        check(&stamps, &[(2480, 20_000), (2481, 20_001)]);
    }

    #[test]
    fn what_is_forgotten_changes_nothing() {
        let mut stamps = stamps();
        stamps.forget(1500);
        check(&stamps, &[(0, 11_500), (499, 11_999), (500, 20_000)]);
        stamps.forget(600);
        check(&stamps, &[(0, 20_100)]);
        assert_eq!(stamps.0.len(), 1);
    }

    #[test]
    fn the_number_of_places_is_bounded() {
        let mut stamps = Stamps::default();
        for place in 0..1000 {
            stamps.note(place, (place * 7919 % 1000) as u64);
        }
        assert!(stamps.0.len() <= MOST);
        stamps.splice(500, 400, 0, 500);
        Stamps::default().splice(500, 0, 400, 500);
    }
}
