// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a second of work says about the processor.

use std::collections::BTreeMap;

use super::{Allowance, QualityLimit};
use crate::layers::Size;

/// What was done in a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// The largest size of the camera's picture that somebody wants and that there is.
    pub wanted: Option<Size>,
    /// By the encoders of the camera's picture.
    pub camera: BTreeMap<Size, Work>,
    /// By the encoder of content.
    pub content: Option<Work>,
    /// Compositions of the displays that were missed.
    pub missed: u32,
    /// Processors that had nothing to do, 1 is one; none where nobody knows.
    pub idle: Option<f64>,
}

/// What an encoder did in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Pictures that it was given.
    pub taken: u32,
    /// Pictures that came out.
    pub given: u32,
    /// The share of the time that it worked, 0 to 1: it has one thread.
    pub busy: f64,
}

/// Pictures that are inside an encoder at the end of a second, or wait before it, are not lost.
const INSIDE: u32 = 4;
/// Compositions missed in a second that are somebody else's fault.
const MISSED: u32 = 5;
/// An encoder that works for more than this share of the time is at its end.
const FULL: f64 = 0.9;
/// What is to be left afterwards where more is done: of the encoder's time, and of a processor.
const LEFT: f64 = 0.25;

impl Load {
    fn encoders(&self) -> impl Iterator<Item = &Work> {
        self.camera.values().chain(&self.content)
    }

    /// It was more than the processor could do.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        let taken: u32 = self.encoders().map(|work| work.taken).sum();
        let lost = |work: &Work| work.taken.saturating_sub(work.given);
        let lost: u32 = self.encoders().map(lost).sum();
        let full = |work: &Work| work.busy > FULL;
        lost > INSIDE + taken / 10 || self.missed > MISSED || self.encoders().any(full)
    }

    /// Whether a limit leaves out something of what is done.
    pub(super) fn is_relieved_by(&self, limit: QualityLimit) -> bool {
        let has = |found: fn(Size) -> bool| self.camera.keys().any(|size| found(*size));
        match limit {
            QualityLimit::Without1080 => has(|size| size > Size::High),
            QualityLimit::Without720 => has(|size| size > Size::Medium),
            QualityLimit::Without360 => has(|size| size > Size::Low),
            QualityLimit::FewerPictures => self.encoders().next().is_some(),
            QualityLimit::SlowerDisplay => true,
        }
    }

    /// Whether a limit leaves out something that somebody wants.
    pub(super) fn is_missed_by(&self, limit: QualityLimit) -> bool {
        let wants = |size| self.wanted >= Some(size);
        match limit {
            QualityLimit::Without1080 => wants(Size::Full),
            QualityLimit::Without720 => wants(Size::High),
            QualityLimit::Without360 => wants(Size::Medium),
            QualityLimit::FewerPictures | QualityLimit::SlowerDisplay => true,
        }
    }

    /// Whether the processor can do what this limit leaves out as well. Encoding grows with the pixels.
    pub(super) fn has_room(&self, limit: QualityLimit) -> bool {
        let busy = || self.encoders().map(|work| work.busy);
        // What the encoder concerned will be busy for, and what is added to all that is done.
        let (thread, more) = match limit {
            QualityLimit::Without1080 => self.begun(Size::Full),
            QualityLimit::Without720 => self.begun(Size::High),
            QualityLimit::Without360 => self.begun(Size::Medium),
            QualityLimit::FewerPictures => {
                let slow = f64::from(Allowance::from(Some(limit)).camera);
                let faster = f64::from(Allowance::default().camera) / slow;
                let busiest = busy().fold(0.0, f64::max);
                (busiest * faster, busy().sum::<f64>() * (faster - 1.0))
            }
            QualityLimit::SlowerDisplay => (0.0, 0.0),
        };
        thread <= 1.0 - LEFT && self.idle.is_none_or(|idle| idle >= more + LEFT)
    }

    /// An encoder of this size begins.
    fn begun(&self, size: Size) -> (f64, f64) {
        let smaller = self.camera.range(..size).next_back();
        let pixels = |(width, height): (u32, u32)| f64::from(width * height);
        let busy = smaller.map_or(0.0, |(known, work)| {
            work.busy * pixels(size.pixels()) / pixels(known.pixels())
        });
        (busy, busy)
    }
}
