// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sound test at installation: does the microphone hear the loudspeaker, how late, how loud, and
//! how well does the room cancel the echo.
//!
//! For each block from the microphone a block is played, so the microphone paces the test, which
//! takes 12.5 seconds. What is played stands in `signal.rs` and is known to the sample; at the end of it
//! the core finds the two marks by cross-correlation, and everything else follows from their places:
//!
//! - **Delay**: the place of the first mark, to a fraction of a sample. Looked for from 0 to 3 s. A mark
//!   counts when its peak is 8 times the usual correlation and at least a tenth of what is heard there
//!   (20 dB below the noise).
//! - **Drift**: how much further apart the marks are heard than played, over 7.5 s; half a sample is
//!   1.4 ppm. More than 1000 ppm are lost samples.
//! - **Levels**: power while the noise sequence is heard, less the power of the room before. The first
//!   2.5 s of it are the canceller's to converge.
//!
//! The limits of what is good and their sources stand at the figures in [`Outcome`]'s file. The last
//! block costs six Fourier transforms of 2^18 values: a task that must not wait gives it to a thread.

use std::time::{Duration, Instant};

mod correlation;
mod measure;
mod outcome;
mod signal;
mod texts;

pub use outcome::{Figure, Line, Outcome, Problem, Verdict};
pub use signal::{BLOCK, RATE};

/// A microphone that is silent for so long is gone.
const GONE: Duration = Duration::from_secs(2);

/// 10 ms of sound: 48 kHz, one channel.
pub type Block = [i16; BLOCK];

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A block came from the microphone.
    Heard {
        /// As the device delivers it.
        microphone: &'a Block,
        /// The same after echo cancellation, where there is one. Counts when it is there in every
        /// block.
        cancelled: Option<&'a Block>,
    },
    /// The microphone failed or was unplugged.
    MicrophoneGone,
    /// The loudspeaker failed or was unplugged.
    LoudspeakerGone,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Play this block after what was played before.
    Play(Box<Block>),
    /// The test is over.
    Done(Box<Outcome>),
}

/// A test that runs. Nothing is played before the first block is heard.
#[derive(Debug)]
pub struct SelfTest {
    script: Vec<i16>,
    microphone: Vec<i16>,
    /// None when a block came without.
    cancelled: Option<Vec<i16>>,
    last: Instant,
    over: bool,
    /// What waits before the loudspeaker, in samples.
    ahead: usize,
}

impl SelfTest {
    /// Begins.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            script: signal::script(),
            microphone: Vec::with_capacity(signal::END),
            cancelled: Some(Vec::new()),
            last: now,
            over: false,
            ahead: 0,
        }
    }

    /// Says how much sound waits before each block that is to be played, so that a microphone that
    /// delivers unevenly tears no holes. It does not count as delay.
    #[must_use]
    pub const fn ahead(mut self, samples: usize) -> Self {
        self.ahead = samples;
        self
    }

    /// Takes what happened. After [`Effect::Done`] nothing happens any more.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> Option<Effect> {
        if self.over {
            return None;
        }
        match input {
            Input::Heard {
                microphone,
                cancelled,
            } => {
                self.last = now;
                Some(self.heard(microphone, cancelled))
            }
            Input::MicrophoneGone => Some(self.end(Outcome::of(Problem::MicrophoneGone))),
            Input::LoudspeakerGone => Some(self.end(Outcome::of(Problem::LoudspeakerGone))),
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let until = self.last.checked_add(GONE)?;
        (!self.over).then_some((until, "the microphone is overdue"))
    }

    /// Ends a test whose microphone says nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Effect> {
        let (until, _) = self.poll_timeout()?;
        (now >= until).then(|| self.end(Outcome::of(Problem::MicrophoneGone)))
    }

    /// How much of the test is done, in hundredths.
    #[must_use]
    pub fn progress(&self) -> u8 {
        if self.over {
            return 100;
        }
        u8::try_from(self.microphone.len() * 100 / signal::END).unwrap_or(100)
    }

    fn heard(&mut self, microphone: &Block, cancelled: Option<&Block>) -> Effect {
        let at = self.microphone.len();
        self.microphone.extend_from_slice(microphone);
        self.cancelled = match (self.cancelled.take(), cancelled) {
            (Some(mut all), Some(block)) => {
                all.extend_from_slice(block);
                Some(all)
            }
            (_, _) => None,
        };
        if self.microphone.len() >= signal::END {
            let outcome = measure::judge(&self.microphone, self.cancelled.as_deref(), self.ahead);
            return self.end(outcome);
        }
        let mut block = Box::new([0; BLOCK]);
        let script = self.script.get(at..).unwrap_or_default();
        for (sample, played) in block.iter_mut().zip(script) {
            *sample = *played;
        }
        Effect::Play(block)
    }

    fn end(&mut self, outcome: Outcome) -> Effect {
        self.over = true;
        self.script = Vec::new();
        self.microphone = Vec::new();
        self.cancelled = None;
        Effect::Done(Box::new(outcome))
    }
}

#[cfg(test)]
mod tests;
