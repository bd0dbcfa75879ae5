// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What of the encoded pictures goes out on one m-line.
//!
//! Invariant: a receiver never gets a picture that refers to one that it did not get. A size begins
//! with a keyframe, and after a picture that was lost on the way to the peer, unless nothing refers
//! to it.

use std::collections::BTreeMap;

use super::{Size, Sizes};

/// One m-line.
#[derive(Debug, Default)]
pub struct Outlet {
    /// The sizes go out side by side, each as a stream of its own.
    together: bool,
    allotted: Sizes,
    /// The sizes whose pictures go out now.
    flowing: Sizes,
    /// The RTP time of the last picture of each stream; a single stream counts for all sizes.
    last: BTreeMap<Option<Size>, u64>,
}

impl Outlet {
    /// Says what may go out from now on. A single stream goes on in the old size until the new one has
    /// a keyframe.
    pub fn allot(&mut self, sizes: Sizes, together: bool) {
        if self.together != together {
            *self = Self::default();
            self.together = together;
        }
        self.allotted = sizes;
        if together || sizes.is_empty() {
            self.flowing = self.flowing.and(sizes);
        }
    }

    /// The sizes that have to be encoded for it.
    #[must_use]
    pub const fn needs(&self) -> Sizes {
        self.allotted.or(self.flowing)
    }

    /// The sizes that can only go on with a keyframe.
    #[must_use]
    pub fn waits_for(&self) -> Sizes {
        let waits = |size: &Size| !self.flowing.contains(*size);
        self.allotted.iter().filter(waits).collect()
    }

    /// The RTP time with which this picture goes out; none when it does not. It never stands still or
    /// runs back within a stream: sizes of one picture have one time, and the first of the next size
    /// may follow the last of the one before at once.
    pub fn admit(&mut self, size: Size, keyframe: bool, rtp_time: u64) -> Option<u64> {
        let stream = self.together.then_some(size);
        if !self.flowing.contains(size) {
            if !keyframe || !self.allotted.contains(size) {
                return None;
            }
            if !self.together {
                self.flowing = Sizes::default();
            }
            self.flowing.insert(size);
        }
        let next = self.last.get(&stream).map_or(0, |last| last + 1);
        let time = rtp_time.max(next);
        self.last.insert(stream, time);
        Some(time)
    }

    /// A picture of this size was lost before it reached the peer.
    pub const fn lost(&mut self, size: Size) {
        self.flowing.remove(size);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(sizes: &[Size]) -> Sizes {
        sizes.iter().copied().collect()
    }

    #[test]
    fn a_single_stream_changes_its_size_at_a_keyframe() {
        let mut outlet = Outlet::default();
        outlet.allot(sizes(&[Size::High]), false);
        assert_eq!(outlet.admit(Size::High, false, 10), None, "no keyframe yet");
        assert_eq!(outlet.admit(Size::High, true, 20), Some(20));
        assert_eq!(outlet.admit(Size::High, false, 30), Some(30));

        outlet.allot(sizes(&[Size::Low]), false);
        assert_eq!(outlet.needs(), sizes(&[Size::Low, Size::High]));
        assert_eq!(outlet.waits_for(), sizes(&[Size::Low]));
        assert_eq!(
            outlet.admit(Size::High, false, 40),
            Some(40),
            "the old one goes on"
        );
        // Both are made of the same picture, and the small one is done first or last.
        assert_eq!(outlet.admit(Size::Low, true, 40), Some(41));
        assert_eq!(outlet.admit(Size::Low, false, 50), Some(50));
        assert_eq!(
            outlet.admit(Size::High, true, 60),
            None,
            "is not allotted any more"
        );
        assert_eq!(outlet.needs(), sizes(&[Size::Low]));
    }

    #[test]
    fn simulcast_streams_begin_each_with_its_own_keyframe() {
        let mut outlet = Outlet::default();
        outlet.allot(sizes(&[Size::Low, Size::High]), true);
        assert_eq!(outlet.admit(Size::Low, true, 10), Some(10));
        assert_eq!(outlet.admit(Size::High, false, 10), None);
        assert_eq!(outlet.admit(Size::High, true, 10), Some(10));
        assert_eq!(outlet.admit(Size::Medium, true, 10), None, "not allotted");
        outlet.allot(sizes(&[Size::Low]), true);
        assert_eq!(outlet.admit(Size::High, true, 20), None);
        outlet.allot(sizes(&[Size::Low, Size::High]), true);
        assert_eq!(outlet.waits_for(), sizes(&[Size::High]));
        assert_eq!(outlet.admit(Size::High, false, 30), None);
        assert_eq!(outlet.admit(Size::Low, false, 30), Some(30));
    }

    #[test]
    fn a_lost_picture_stops_its_size_until_a_keyframe() {
        let mut outlet = Outlet::default();
        outlet.allot(sizes(&[Size::High]), false);
        assert_eq!(outlet.admit(Size::High, true, 10), Some(10));
        outlet.lost(Size::High);
        assert_eq!(outlet.waits_for(), sizes(&[Size::High]));
        assert_eq!(outlet.admit(Size::High, false, 20), None);
        assert_eq!(outlet.admit(Size::High, true, 30), Some(30));
    }

    proptest! {
        /// Whatever happens, each stream that goes out is decodable: it begins with a keyframe of its
        /// size, holds every picture of that size from then on, and its time runs.
        #[test]
        fn what_goes_out_is_decodable(
            together: bool,
            steps in proptest::collection::vec((0_u8..16, any::<bool>(), 0_u8..12), 1..200),
        ) {
            let mut outlet = Outlet::default();
            let mut decodable: BTreeMap<Option<Size>, (Size, u64)> = BTreeMap::new();
            let mut unbroken = Sizes::default();
            for (time, (allot, keyframe, what)) in steps.into_iter().enumerate() {
                if what == 0 {
                    outlet.allot(if together { some(allot) } else { some(allot).iter().take(1).collect() }, together);
                }
                for size in Size::ALL {
                    if what == 1 && allot & 1 << size as u8 != 0 {
                        outlet.lost(size);
                        unbroken.remove(size);
                    }
                    let stream = together.then_some(size);
                    // Several pictures of one time, and now and then one that is older.
                    let Some(sent) = outlet.admit(size, keyframe, (time / 2) as u64) else {
                        unbroken.remove(size);
                        continue;
                    };
                    let before = decodable.insert(stream, (size, sent));
                    let same = before.is_some_and(|(before, _)| before == size);
                    prop_assert!(keyframe || (same && unbroken.contains(size)));
                    prop_assert!(before.is_none_or(|(_, before)| before < sent));
                    unbroken.insert(size);
                }
            }
        }
    }

    fn some(bits: u8) -> Sizes {
        let chosen = |size: &Size| bits & 1 << *size as u8 != 0;
        Size::ALL.into_iter().filter(chosen).collect()
    }
}
