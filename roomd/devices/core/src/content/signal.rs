// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the signal of one input amounts to, from what the device says and from its pictures.

use std::time::{Duration, Instant};

use super::timings::Answer;

/// An open device that sends nothing for so long sends nothing.
pub const SILENT: Duration = Duration::from_secs(5);
/// A picture of one colour for so long is probably none: protected, or asleep.
pub const DARK: Duration = Duration::from_secs(4);

/// What the open device sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Picture {
    /// Nothing, or no device is open.
    #[default]
    None,
    /// A picture of this size in pixels.
    Some {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
        /// It has one colour all over.
        plain: bool,
    },
}

/// How an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The device is not there.
    Missing,
    /// Nothing is connected, or it is off.
    NoSignal,
    /// Something is there, and the device finds no hold yet.
    Unstable,
    /// A picture that the device cannot take.
    OutOfRange,
    /// A picture that its source protects.
    Protected,
    /// Nobody looks; of this size, where the device says it.
    Ready(Option<(u32, u32)>),
    /// Pictures of this size come.
    Live((u32, u32)),
    /// Pictures should come and do not.
    NoPicture,
    /// Pictures of one colour come, and nothing else for a while.
    Dark((u32, u32)),
}

impl Signal {
    /// Whether there is something to show, or may be.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        match self {
            Self::Ready(_) | Self::Live(_) | Self::Dark(_) => true,
            Self::Missing
            | Self::NoSignal
            | Self::Unstable
            | Self::OutOfRange
            | Self::Protected
            | Self::NoPicture => false,
        }
    }
}

/// Watches one input.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    answer: Answer,
    /// Since when it is open.
    open: Option<Instant>,
    picture: Picture,
    /// Since when its picture has one colour.
    plain: Option<Instant>,
}

impl Default for Watch {
    fn default() -> Self {
        Self::NEW
    }
}

impl Watch {
    /// Of an input about which nothing is known.
    pub const NEW: Self = Self {
        answer: Answer::Silent,
        open: None,
        picture: Picture::None,
        plain: None,
    };

    /// What the device said last.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// The device was asked.
    pub const fn answered(&mut self, answer: Answer) {
        self.answer = answer;
    }

    /// The device is open for pictures from now on, or not any more.
    pub const fn opened(&mut self, open: bool, now: Instant) {
        match (self.open, open) {
            (None, true) => self.open = Some(now),
            (_, false) => {
                self.open = None;
                self.picture = Picture::None;
                self.plain = None;
            }
            (Some(_), true) => {}
        }
    }

    /// What the open device sends.
    pub fn sent(&mut self, picture: Picture, now: Instant) {
        if self.open.is_none() {
            return;
        }
        self.plain = match picture {
            Picture::Some { plain: true, .. } => Some(self.plain.unwrap_or(now)),
            Picture::Some { plain: false, .. } | Picture::None => None,
        };
        if self.picture != Picture::None && picture == Picture::None {
            // It may open again.
            self.open = Some(now);
        }
        self.picture = picture;
    }

    /// Whether a picture is there.
    #[must_use]
    pub const fn has_picture(&self) -> bool {
        matches!(self.picture, Picture::Some { .. })
    }

    /// How the input is.
    #[must_use]
    pub fn signal(&self, now: Instant) -> Signal {
        let size = match self.answer {
            Answer::NoSignal => return Signal::NoSignal,
            Answer::Unstable => return Signal::Unstable,
            Answer::OutOfRange => return Signal::OutOfRange,
            Answer::Protected => return Signal::Protected,
            Answer::Silent => None,
            Answer::Signal(timings, _) => Some((timings.width(), timings.height())),
        };
        match (self.open, self.picture) {
            (Some(_), Picture::Some { width, height, .. }) => {
                let dark = self.plain.is_some_and(|since| now >= since + DARK);
                if dark {
                    Signal::Dark((width, height))
                } else {
                    Signal::Live((width, height))
                }
            }
            (Some(since), Picture::None) if now >= since + SILENT => Signal::NoPicture,
            (_, Picture::None) | (None, Picture::Some { .. }) => Signal::Ready(size),
        }
    }

    /// When the signal changes by time alone.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let silent = match (self.open, self.picture) {
            (Some(since), Picture::None) => Some(since + SILENT),
            (_, _) => None,
        };
        let dark = self.plain.map(|since| since + DARK);
        let all = silent.into_iter().chain(dark);
        all.filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::timings::Timings;

    const HD: (u32, u32) = (1920, 1080);

    fn picture(plain: bool) -> Picture {
        Picture::Some {
            width: 1920,
            height: 1080,
            plain,
        }
    }

    #[test]
    fn what_the_device_says_comes_before_its_pictures() {
        let now = Instant::now();
        let mut watch = Watch::default();
        watch.opened(true, now);
        watch.sent(picture(false), now);
        for (answer, signal) in [
            (Answer::NoSignal, Signal::NoSignal),
            (Answer::Unstable, Signal::Unstable),
            (Answer::OutOfRange, Signal::OutOfRange),
            (Answer::Protected, Signal::Protected),
            (Answer::Silent, Signal::Live(HD)),
            (
                Answer::Signal(Timings::of(1920, 1080), true),
                Signal::Live(HD),
            ),
        ] {
            watch.answered(answer);
            assert_eq!(watch.signal(now), signal);
        }
    }

    #[test]
    fn a_picture_of_one_colour_is_suspect_after_a_while() {
        let begun = Instant::now();
        let mut watch = Watch::default();
        watch.opened(true, begun);
        watch.sent(picture(true), begun);
        watch.sent(picture(true), begun + DARK / 2);
        assert_eq!(watch.signal(begun + DARK / 2), Signal::Live(HD));
        assert_eq!(watch.poll_timeout(begun), Some(begun + DARK));
        assert_eq!(watch.signal(begun + DARK), Signal::Dark(HD));
        watch.sent(picture(false), begun + DARK);
        assert_eq!(watch.signal(begun + DARK), Signal::Live(HD));
        assert_eq!(watch.poll_timeout(begun + DARK), None);
    }

    #[test]
    fn an_open_device_that_sends_nothing_is_told_of() {
        let begun = Instant::now();
        let mut watch = Watch::default();
        assert_eq!(watch.signal(begun), Signal::Ready(None));
        watch.opened(true, begun);
        assert_eq!(watch.signal(begun), Signal::Ready(None));
        assert_eq!(watch.poll_timeout(begun), Some(begun + SILENT));
        assert_eq!(watch.signal(begun + SILENT), Signal::NoPicture);
        watch.sent(picture(false), begun + SILENT);
        watch.sent(Picture::None, begun + SILENT);
        assert_eq!(watch.signal(begun + SILENT), Signal::Ready(None));
        assert_eq!(watch.signal(begun + SILENT * 2), Signal::NoPicture);
        watch.opened(false, begun);
        assert_eq!(watch.signal(begun + SILENT * 2), Signal::Ready(None));
    }
}
