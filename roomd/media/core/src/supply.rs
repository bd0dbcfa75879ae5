// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pictures of which a few are drawn again and again.
//!
//! The memory of a fresh picture comes from the system, which clears it page by page and takes it back
//! afterwards. With a picture of a megabyte that costs more than to draw it.

use std::sync::Arc;

use crate::frame::I420;

/// Pictures that are kept at most: what waits for an encoder and a display.
const MOST: usize = 8;

/// A source's pictures, which come back once nobody looks at them any more.
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
        let fits = |picture: &I420| (picture.width(), picture.height()) == (width, height);
        self.kept
            .retain(|kept| fits(kept) || Arc::strong_count(kept) > 1);
        let free = |kept: &&mut Arc<I420>| fits(kept) && Arc::strong_count(kept) == 1;
        if let Some(kept) = self.kept.iter_mut().find(free)
            && let Some(picture) = Arc::get_mut(kept)
        {
            let drawn = draw(picture);
            return (kept.clone(), drawn);
        }
        let mut picture = I420::black(width, height);
        let drawn = draw(&mut picture);
        let picture = Arc::new(picture);
        if self.kept.len() < MOST {
            self.kept.push(picture.clone());
        }
        (picture, drawn)
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
    fn no_more_are_kept_than_are_in_use_of_one_size() {
        let mut supply = Supply::default();
        let shown: Vec<_> = (0..20).map(|n| luma(&mut supply, (4, 2), n)).collect();
        assert!(shown.iter().zip(0..).all(|(it, n)| it.data()[0] == n));
        assert_eq!(supply.kept.len(), MOST);
        drop(shown);
        let small = luma(&mut supply, (2, 2), 7);
        assert_eq!((small.width(), supply.kept.len()), (2, 1));
    }
}
