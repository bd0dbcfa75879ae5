// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What is known about one device that is, or may be, a content input.

use std::time::{Duration, Instant};

use roomd_model::Crop;

use super::signal::Watch;
use super::timings::Answer;
use crate::camera::pick::There;

/// How often a receiver is asked for its signal: while it is in use, and otherwise.
pub(super) const ASK_IN_USE: Duration = Duration::from_millis(500);
pub(super) const ASK: Duration = Duration::from_secs(3);
/// When a device is asked again that could not be asked at all: udev may be ahead of its driver.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What is known about a device that is, or may be, an input.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) there: There,
    pub(super) role: Option<String>,
    pub(super) receiver: bool,
    pub(super) watch: Watch,
    pub(super) asked: Option<Instant>,
    pub(super) asking: bool,
    /// It could not be asked.
    pub(super) failed: bool,
    /// Its EDID was seen to.
    pub(super) edid: bool,
    /// It has none, and took none the last time.
    pub(super) without_edid: bool,
    pub(super) crop: Crop,
    pub(super) size: Option<(u32, u32)>,
}

impl Known {
    pub(super) const fn new(there: There, role: Option<String>) -> Self {
        Self {
            there,
            role,
            receiver: false,
            watch: Watch::NEW,
            asked: None,
            asking: false,
            failed: false,
            edid: false,
            without_edid: false,
            crop: Crop::FULL,
            size: None,
        }
    }

    /// Whether it can be opened for pictures.
    pub(super) const fn opens(&self) -> bool {
        match self.watch.answer() {
            Answer::Silent | Answer::Signal(_, true) => true,
            Answer::NoSignal
            | Answer::Unstable
            | Answer::OutOfRange
            | Answer::Protected
            | Answer::Signal(_, false) => false,
        }
    }

    /// When it is asked next; never again what is no receiver.
    pub(super) fn due(&self, in_use: bool) -> Option<Due> {
        if self.asking {
            return None;
        }
        match self.asked {
            None => Some(Due::Now),
            // One that speaks of a signal may come to have one.
            Some(asked) if !self.receiver && self.watch.answer() == Answer::Silent => {
                self.failed.then_some(Due::At(asked + ASK_AGAIN))
            }
            Some(asked) if in_use => Some(Due::At(asked + ASK_IN_USE)),
            Some(asked) => Some(Due::At(asked + ASK)),
        }
    }
}

/// When a device is asked.
pub(super) enum Due {
    Now,
    At(Instant),
}
