// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A few pictures in turn: one is drawn while others are on their way through a sink.

use std::sync::Arc;

use roomd_media_core::compose::Canvas;

/// Pictures that are kept at most.
const KEPT: usize = 4;

/// The pictures of a display, which remember what they show and the scene of it.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    pictures: Vec<Arc<Canvas>>,
    current: Option<Arc<Canvas>>,
}

impl Ring {
    /// Draws on a picture that nobody looks at; it shows what it showed, or nothing.
    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Canvas)) -> Arc<Canvas> {
        self.current = None;
        let free = |kept: &mut Arc<Canvas>| Arc::strong_count(kept) == 1;
        let free: Vec<_> = self.pictures.extract_if(.., free).collect();
        let mut free = free.into_iter();
        let mut picture = free.next().unwrap_or_default();
        // One more is enough: a display has about as many under way at any time. It was drawn longest ago and
        // is the next one's, so that none shows an old scene for long.
        if let Some(next) = free.next() {
            self.pictures.insert(0, next);
        }
        if let Some(target) = Arc::get_mut(&mut picture) {
            draw(target);
        }
        if self.pictures.len() < KEPT {
            self.pictures.push(picture.clone());
        }
        self.current = Some(picture.clone());
        picture
    }

    /// What was drawn last.
    pub(crate) const fn current(&self) -> Option<&Arc<Canvas>> {
        self.current.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_drawn_in_turn() {
        let mut ring = Ring::default();
        let mut shown = ring.draw(|_| {});
        for _ in 0..10 {
            let next = ring.draw(|_| {});
            assert!(!Arc::ptr_eq(&next, &shown), "it is still shown");
            assert!(ring.current().is_some_and(|it| Arc::ptr_eq(it, &next)));
            shown = next;
            assert_eq!(ring.pictures.len(), 2);
        }
    }

    #[test]
    fn each_picture_gets_its_turn() {
        let mut ring = Ring::default();
        let held: Vec<_> = (0..2).map(|_| ring.draw(|_| {})).collect();
        let mut shown = ring.draw(|_| {});
        drop(held);
        assert_eq!(ring.pictures.len(), 3);
        let mut drawn = Vec::new();
        for _ in 0..4 {
            let next = ring.draw(|_| {});
            drawn.push(Arc::as_ptr(&next));
            shown = next;
        }
        let turns = &drawn[1..];
        assert!(
            turns
                .iter()
                .all(|it| turns.iter().filter(|other| *other == it).count() == 1)
        );
        drop(shown);
        for _ in 0..2 {
            drawn.push(Arc::as_ptr(&ring.draw(|_| {})));
        }
        assert_ne!(drawn[4], drawn[5], "nobody holds any");
        let had_turn = |picture: &Arc<Canvas>| drawn.contains(&Arc::as_ptr(picture));
        assert_eq!(ring.pictures.len(), 2);
        assert!(ring.pictures.iter().all(had_turn));
    }

    #[test]
    fn what_was_needed_once_is_let_go() {
        let mut ring = Ring::default();
        let shown: Vec<_> = (0..6).map(|_| ring.draw(|_| {})).collect();
        assert_eq!(ring.pictures.len(), KEPT);
        drop(shown);
        ring.draw(|_| {});
        assert_eq!(ring.pictures.len(), 2);
    }
}
