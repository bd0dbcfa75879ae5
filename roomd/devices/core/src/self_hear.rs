// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Hearing oneself as the far side would: somebody speaks for five seconds into a delay line, then hears
//! it once.
//!
//! Speaking and listening take turns: what is played never gets into the delay line again, so nothing
//! howls, however loud the room is. Blocks from the microphone pace both. The delay line is memory alone,
//! bounded, and dropped as soon as it is over, however it ends.

use std::time::{Duration, Instant};

use crate::self_test::RATE;

/// How long somebody speaks, and hears what was said.
pub const TURN: Duration = Duration::from_secs(5);
/// Silence after that, until the loudspeaker has played what waits before it.
pub const REST: Duration = Duration::from_millis(500);
/// It takes no longer, however slowly the microphone delivers.
pub const LONGEST: Duration = Duration::from_secs(20);

/// Samples of a turn, which is all that is kept.
const KEPT: usize = RATE * 5;
/// Samples that are played, silence included.
const PLAYED: usize = KEPT + RATE / 2;
/// A microphone opens within this time.
const OPENS: Duration = Duration::from_secs(5);
/// One that is silent for so long after that is gone.
const GONE: Duration = Duration::from_secs(2);

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing came from the microphone yet.
    Starting,
    /// What somebody says is kept.
    Speaking,
    /// What was kept is played, and the microphone is ignored.
    Listening,
    /// It is over, and nothing is kept.
    Over,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Sound of the microphone as the far side would get it: 48 kHz, one channel. May be empty, while a
    /// canceller waits for more.
    Heard(&'a [i16]),
    /// The loudspeaker failed or was unplugged.
    LoudspeakerGone,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Play these samples after what was played before.
    Play(Vec<i16>),
    /// It is over.
    Done,
}

/// The delay line between a person's mouth and their ears.
#[derive(Debug)]
pub struct DelayLine {
    phase: Phase,
    kept: Vec<i16>,
    /// Samples that were played, silence included.
    played: usize,
    begun: Instant,
    /// When the microphone was heard last.
    last: Instant,
}

impl DelayLine {
    /// Begins.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Starting,
            kept: Vec::new(),
            played: 0,
            begun: now,
            last: now,
        }
    }

    /// What happens now.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes what happened. After [`Effect::Done`] nothing happens any more.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> Option<Effect> {
        match (input, self.phase) {
            (_, Phase::Over) => None,
            (Input::LoudspeakerGone, _) => Some(self.end()),
            (Input::Heard(samples), Phase::Starting | Phase::Speaking) => {
                self.last = now;
                self.keep(samples);
                None
            }
            (Input::Heard(samples), Phase::Listening) => {
                self.last = now;
                self.play(samples.len())
            }
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why; none once it is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.phase == Phase::Over {
            return None;
        }
        let patience = if self.phase == Phase::Starting {
            OPENS
        } else {
            GONE
        };
        let silent = self.last.checked_add(patience)?;
        let longest = self.begun.checked_add(LONGEST)?;
        Some(if silent < longest {
            (silent, "the microphone is overdue")
        } else {
            (longest, "it has lasted long enough")
        })
    }

    /// Ends it when the microphone says nothing, or all of it has lasted too long.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Effect> {
        let (until, _) = self.poll_timeout()?;
        (now >= until).then(|| self.end())
    }

    fn keep(&mut self, samples: &[i16]) {
        if samples.is_empty() {
            return;
        }
        let room = KEPT.saturating_sub(self.kept.len());
        self.kept.extend(samples.iter().take(room));
        self.phase = if self.kept.len() < KEPT {
            Phase::Speaking
        } else {
            Phase::Listening
        };
    }

    /// Plays as many samples as the microphone took meanwhile.
    fn play(&mut self, count: usize) -> Option<Effect> {
        if self.played >= PLAYED {
            return Some(self.end());
        }
        if count == 0 {
            return None;
        }
        let left = self.kept.get(self.played..).unwrap_or_default();
        let silence = std::iter::repeat(0);
        let samples = left.iter().copied().chain(silence).take(count).collect();
        self.played = self.played.saturating_add(count);
        Some(Effect::Play(samples))
    }

    fn end(&mut self) -> Effect {
        self.phase = Phase::Over;
        self.kept = Vec::new();
        Effect::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: usize = 480;
    const PERIOD: Duration = Duration::from_millis(10);

    struct Bench {
        line: DelayLine,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let now = Instant::now();
            Self {
                line: DelayLine::new(now),
                now,
            }
        }

        fn hears(&mut self, samples: &[i16]) -> Option<Effect> {
            self.now += PERIOD;
            self.line.handle(Input::Heard(samples), self.now)
        }

        /// Somebody speaks for a whole turn; each block has a value of its own.
        fn speaks(&mut self) {
            for n in 0..500 {
                assert_eq!(self.hears(&[n; BLOCK]), None);
            }
        }
    }

    #[test]
    fn what_was_said_is_heard_once_and_forgotten() {
        let mut bench = Bench::new();
        assert_eq!(bench.line.phase(), Phase::Starting);
        // A canceller begins with less than it takes.
        assert_eq!(bench.hears(&[]), None);
        assert_eq!(bench.line.phase(), Phase::Starting);
        assert_eq!(bench.hears(&[0; BLOCK]), None);
        assert_eq!(bench.line.phase(), Phase::Speaking);
        for n in 1..500 {
            assert_eq!(bench.hears(&[n; BLOCK]), None);
        }
        assert_eq!(bench.line.phase(), Phase::Listening);
        for n in 0..500 {
            // What the microphone hears of it is not played again.
            assert_eq!(
                bench.hears(&[9999; BLOCK]),
                Some(Effect::Play(vec![n; BLOCK]))
            );
        }
        let silence = Some(Effect::Play(vec![0; BLOCK]));
        for _ in 0..50 {
            assert_eq!(bench.hears(&[9999; BLOCK]), silence);
        }
        assert_eq!(bench.hears(&[9999; BLOCK]), Some(Effect::Done));
        assert_eq!(bench.line.phase(), Phase::Over);
        assert_eq!(bench.line.kept.capacity(), 0);
        assert_eq!(bench.hears(&[9999; BLOCK]), None);
        assert_eq!(bench.line.poll_timeout(), None);
        assert_eq!(bench.line.handle_timeout(bench.now + LONGEST), None);
    }

    #[test]
    fn a_flood_is_kept_no_longer_than_a_turn() {
        let mut bench = Bench::new();
        assert_eq!(bench.hears(&vec![1; 3 * KEPT]), None);
        assert_eq!(bench.line.kept.len(), KEPT);
        assert_eq!(bench.line.phase(), Phase::Listening);
        // Blocks of any size are played as they come.
        let Some(Effect::Play(samples)) = bench.hears(&vec![2; 2 * KEPT]) else {
            panic!("nothing is played");
        };
        assert_eq!(samples.len(), 2 * KEPT);
        assert!(samples[..KEPT].iter().all(|sample| *sample == 1));
        assert!(samples[KEPT..].iter().all(|sample| *sample == 0));
        assert_eq!(bench.hears(&[2; BLOCK]), Some(Effect::Done));
    }

    #[test]
    fn a_loudspeaker_that_goes_ends_it() {
        for turns in [0, 1] {
            let mut bench = Bench::new();
            for _ in 0..turns {
                bench.speaks();
            }
            let gone = bench.line.handle(Input::LoudspeakerGone, bench.now);
            assert_eq!(gone, Some(Effect::Done));
            assert_eq!(bench.line.kept.capacity(), 0);
            assert_eq!(bench.hears(&[1; BLOCK]), None);
        }
    }

    #[test]
    fn a_microphone_that_goes_ends_it() {
        let mut bench = Bench::new();
        bench.speaks();
        let (until, _) = bench.line.poll_timeout().unwrap();
        assert_eq!(until, bench.now + GONE);
        assert_eq!(bench.line.handle_timeout(until - PERIOD), None);
        assert_eq!(bench.line.handle_timeout(until), Some(Effect::Done));
        assert_eq!(bench.line.kept.capacity(), 0);
    }

    #[test]
    fn a_microphone_has_time_to_open() {
        let mut bench = Bench::new();
        assert_eq!(bench.line.handle_timeout(bench.now + 2 * GONE), None);
        assert_eq!(
            bench.line.handle_timeout(bench.now + OPENS),
            Some(Effect::Done)
        );
    }

    #[test]
    fn it_ends_however_slow_the_microphone_is() {
        let mut bench = Bench::new();
        let begun = bench.now;
        let done = loop {
            bench.now += Duration::from_secs(1);
            if let Some(effect) = bench.line.handle_timeout(bench.now) {
                break effect;
            }
            bench.hears(&[1; BLOCK]);
        };
        assert_eq!(done, Effect::Done);
        assert!(bench.now - begun < LONGEST + Duration::from_secs(2));
    }
}
