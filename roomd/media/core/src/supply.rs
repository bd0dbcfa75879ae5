// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pictures of which a few are drawn again and again.
//!
//! The memory of a fresh picture comes from the system, which clears it page by page and takes it back
//! afterwards. With a picture of a megabyte that costs more than to draw it.

use std::sync::Arc;

use crate::frame::I420;

/// Pictures that are kept at most: what waits for encoders and displays.
const MOST: usize = 8;

/// A source's pictures, which come back once nobody looks at them any more. Who knows one by a weak
/// reference, as a display does of what it has drawn, is not to find another picture there.
#[derive(Debug, Default)]
pub struct Supply {
    kept: Vec<Arc<I420>>,
}

impl Supply {
    /// Draws a picture of this size, within the limits of [`I420::black`]. What is drawn over is an
    /// earlier picture, or black.
    pub fn draw<T>(
        &mut self,
        (width, height): (u32, u32),
        draw: impl FnOnce(&mut I420) -> T,
    ) -> (Arc<I420>, T) {
        let mut free = self.take_free((width, height));
        let mut picture = free.pop();
        // One more is enough: a source has about as many under way at any time.
        self.kept.extend(free.pop());
        let picture = picture.get_or_insert_with(|| Arc::new(I420::black(width, height)));
        let drawn = draw(Arc::make_mut(picture));
        if self.kept.len() < MOST {
            self.kept.push(picture.clone());
        }
        (picture.clone(), drawn)
    }

    /// The pictures of this size that nobody knows; others that nobody looks at are let go.
    fn take_free(&mut self, size: (u32, u32)) -> Vec<Arc<I420>> {
        let fits = |picture: &I420| (picture.width(), picture.height()) == size;
        let free = |kept: &mut Arc<I420>| fits(kept) && Arc::get_mut(kept).is_some();
        let free = self.kept.extract_if(.., free).collect();
        let full = self.kept.len() >= MOST;
        let looked_at = |kept: &Arc<I420>| Arc::strong_count(kept) > 1;
        self.kept
            .retain(|kept| looked_at(kept) || fits(kept) && !full);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luma(supply: &mut Supply, size: (u32, u32), value: u8) -> Arc<I420> {
        let fill = |picture: &mut I420| picture.plane_mut(0).fill(value);
        supply.draw(size, fill).0
    }

    #[test]
    fn a_picture_is_drawn_over_once_nobody_looks_at_it() {
        let mut supply = Supply::default();
        let first = luma(&mut supply, (4, 2), 1);
        let place = Arc::as_ptr(&first);
        let second = luma(&mut supply, (4, 2), 2);
        assert_eq!((first.data()[0], second.data()[0]), (1, 2));
        drop(first);
        let third = luma(&mut supply, (4, 2), 3);
        assert_eq!(Arc::as_ptr(&third), place);
        assert_eq!((second.data()[0], third.data()[0]), (2, 3));
    }

    #[test]
    fn what_is_known_by_a_weak_reference_is_not_drawn_over() {
        let mut supply = Supply::default();
        let shown = luma(&mut supply, (4, 2), 1);
        let other = luma(&mut supply, (4, 2), 2);
        let (known, place) = (Arc::downgrade(&shown), Arc::as_ptr(&other));
        drop((shown, other));
        let next = luma(&mut supply, (4, 2), 3);
        assert_eq!(Arc::as_ptr(&next), place);
        assert_eq!(known.upgrade().unwrap().data()[0], 1);
        // However many are known, new ones are kept.
        let mut known = vec![known];
        for n in 0..20 {
            known.push(Arc::downgrade(&luma(&mut supply, (4, 2), n)));
        }
        drop(known);
        drop(next);
        let place = Arc::as_ptr(&luma(&mut supply, (4, 2), 0));
        assert_eq!(Arc::as_ptr(&luma(&mut supply, (4, 2), 0)), place);
    }

    #[test]
    fn no_more_are_kept_than_are_in_use_of_one_size() {
        let mut supply = Supply::default();
        let shown: Vec<_> = (0..20).map(|n| luma(&mut supply, (4, 2), n)).collect();
        assert!(shown.iter().zip(0..).all(|(it, n)| it.data()[0] == n));
        assert_eq!(supply.kept.len(), MOST);
        drop(shown);
        drop(luma(&mut supply, (4, 2), 1));
        assert_eq!(supply.kept.len(), 2);
        let small = luma(&mut supply, (2, 2), 7);
        assert_eq!((small.width(), supply.kept.len()), (2, 1));
    }
}
