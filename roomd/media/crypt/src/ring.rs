// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A sender's keys, by index.

use std::collections::BTreeMap;

use crate::key::FrameKey;

/// Failures in a row after which a key counts as invalid.
pub(crate) const TOLERANCE: u32 = 10;
/// An invalid key is searched forward only at every such failure.
const SEARCH_EVERY: u32 = 64;
/// Frames of the new key after which the key it replaced is forgotten.
const LATE_FRAMES: u32 = 512;

/// Why no key opened a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    NoKey,
    WrongKey,
}

#[derive(Debug)]
struct Slot {
    key: FrameKey,
    late: Option<FrameKey>,
    opened: u32,
    failures: u32,
}

impl Slot {
    fn new(key: FrameKey) -> Self {
        Self {
            key,
            late: None,
            opened: 0,
            failures: 0,
        }
    }

    fn replace(&mut self, key: FrameKey) {
        let mut slot = Self::new(key);
        std::mem::swap(self, &mut slot);
        self.late = Some(slot.key);
    }

    fn note_opened(&mut self) {
        self.failures = 0;
        self.opened = self.opened.saturating_add(1);
        if self.opened >= LATE_FRAMES {
            self.late = None;
        }
    }

    fn may_search(&self) -> bool {
        self.failures < TOLERANCE || self.failures.is_multiple_of(SEARCH_EVERY)
    }
}

/// The ring of one stream; keys stay until replaced or forgotten, so late frames still open.
#[derive(Debug)]
pub(crate) struct KeyRing {
    slots: BTreeMap<u8, Slot>,
    window: u8,
}

impl KeyRing {
    pub(crate) fn new(window: u8) -> Self {
        Self {
            slots: BTreeMap::new(),
            window,
        }
    }

    pub(crate) fn set(&mut self, index: u8, key: FrameKey) {
        match self.slots.get_mut(&index) {
            Some(slot) => slot.replace(key),
            None => {
                self.slots.insert(index, Slot::new(key));
            }
        }
    }

    pub(crate) fn forget(&mut self, index: u8) {
        self.slots.remove(&index);
    }

    /// Tries the key at the index, then the one it replaced, then those that follow it. The ring
    /// moves on only with a key that opened the frame.
    pub(crate) fn open<F>(&mut self, index: u8, attempt: F) -> Result<Vec<u8>, Closed>
    where
        F: Fn(&FrameKey) -> Option<Vec<u8>>,
    {
        let slot = self.slots.get_mut(&index).ok_or(Closed::NoKey)?;
        if let Some(frame) = attempt(&slot.key) {
            slot.note_opened();
            return Ok(frame);
        }
        if let Some(frame) = slot.late.as_ref().and_then(&attempt) {
            slot.failures = 0;
            return Ok(frame);
        }
        if let Some((key, frame)) = search(slot, self.window, &attempt) {
            slot.replace(key);
            return Ok(frame);
        }
        slot.failures = slot.failures.saturating_add(1);
        Err(Closed::WrongKey)
    }
}

fn search<F>(slot: &Slot, window: u8, attempt: &F) -> Option<(FrameKey, Vec<u8>)>
where
    F: Fn(&FrameKey) -> Option<Vec<u8>>,
{
    if !slot.may_search() || !slot.key.ratchets_quickly() {
        return None;
    }
    let following = std::iter::successors(Some(slot.key.ratchet()), |key| Some(key.ratchet()));
    following
        .take(usize::from(window))
        .find_map(|key| attempt(&key).map(|frame| (key, frame)))
}
