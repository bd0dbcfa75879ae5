// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Puts what was played and what was taken side by side, block by block, whatever the two devices'
//! clocks do.

use std::time::{Duration, Instant};

use roomd_media_core::mix::{self, BLOCK, RATE};

use crate::canceller::Canceller;
use crate::clock::Clock;
use crate::reference::Reference;

/// What is done with the microphone's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: it passes as it came, at once.
    #[default]
    Off,
    /// The echo is cancelled.
    EchoOnly,
    /// The echo is cancelled, noise is suppressed and the level is evened out, in this order.
    Full,
}

/// What was measured lately.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// What is done.
    pub mode: Mode,
    /// From a sound's way out of the mixer until the microphone's block that holds its echo.
    pub delay: Duration,
    /// Echo return loss enhancement of the adaptive filter, in decibels.
    pub erle: f64,
    /// How much faster the loudspeaker's samples run than the microphone's, in parts of a million.
    pub drift: f64,
    /// Loudness of the microphone's last block, as [`mix::level`] has it.
    pub taken: u8,
    /// Loudness of what became of it.
    pub cleaned: u8,
    /// Loudness of the reference that belongs to it.
    pub reference: u8,
}

/// Sound that stops for longer than this begins anew.
const GAP: f64 = 0.3;
/// The reference is read this long after it was handed over: a block, and what a thread that is
/// late may take. Whatever the loudspeaker's own delay exceeds it by is found by the canceller.
const BEHIND: Duration = Duration::from_millis(20);
/// A reading position that is further off than this, in samples, jumps; one that is not is brought
/// in line slowly, as every movement is one of the echo path.
const JUMP: f64 = 96.0;
/// How fast it is brought in line, at most, in samples for each sample, and within which time.
const SLEW: f64 = 200e-6;
const SETTLE: f64 = 2.0;
/// Until the clocks are known, the reading position follows them at once, in blocks.
const LEARNING: u32 = 100;

/// The room's voice, cleaned.
#[derive(Debug, Default)]
pub struct VoiceProcessor {
    mode: Mode,
    canceller: Option<Canceller>,
    reference: Reference,
    played: Option<Clock>,
    taken: Option<Clock>,
    /// Where the next block's reference begins, in samples played.
    position: Option<f64>,
    blocks: u32,
    /// Samples that do not fill a block yet.
    rest: Vec<f32>,
    report: Report,
}

impl VoiceProcessor {
    /// Makes one that does this.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        let mut processor = Self::default();
        processor.set_mode(mode);
        processor
    }

    /// Does something else from the next block on.
    pub fn set_mode(&mut self, mode: Mode) {
        if self.mode == mode {
            return;
        }
        self.canceller = match mode {
            Mode::Off => None,
            Mode::EchoOnly => Canceller::new(false),
            Mode::Full => Canceller::new(true),
        };
        self.mode = mode;
        self.restart();
        self.report = Report {
            mode,
            ..Report::default()
        };
    }

    /// Takes what the loudspeaker plays, the first sample of which was handed over at this time.
    pub fn render(&mut self, samples: &[i16], at: Instant) {
        if self.mode == Mode::Off {
            return;
        }
        let late = self.played.as_ref().map(|clock| clock.lateness(at));
        let clock = match (&mut self.played, late) {
            (Some(clock), Some(late)) if late.abs() < GAP => {
                // What was not played is silence in its place.
                let missing = (late * f64::from(RATE)) as usize;
                if missing >= BLOCK / 2 {
                    self.reference.push(std::iter::repeat_n(0.0, missing));
                    clock.advance(missing);
                }
                clock
            }
            (played, _) => {
                self.reference.clear();
                self.position = None;
                played.insert(Clock::new(at))
            }
        };
        clock.observe(samples.len(), at);
        let samples = samples.iter().map(|sample| f32::from(*sample) / 32768.0);
        self.reference.push(samples);
    }

    /// Takes what the microphone took, handed over at this time, and appends what is cleaned: all of
    /// it but what does not fill a block yet.
    pub fn capture(&mut self, samples: &[i16], at: Instant, cleaned: &mut Vec<i16>) {
        if self.mode == Mode::Off || self.canceller.is_none() {
            cleaned.extend_from_slice(samples);
            return;
        }
        let ends = at
            .checked_sub(Duration::from_secs_f64(
                samples.len() as f64 / f64::from(RATE),
            ))
            .unwrap_or(at);
        if self
            .taken
            .as_ref()
            .is_some_and(|clock| clock.lateness(ends).abs() > GAP)
        {
            self.restart();
        }
        let clock = self.taken.get_or_insert_with(|| Clock::new(ends));
        clock.observe(samples.len(), ends);
        let (next, lasts) = (clock.next(), 1.0 + clock.deviation());
        let mut sound = std::mem::take(&mut self.rest);
        sound.extend(samples.iter().map(|sample| f32::from(*sample) / 32768.0));
        let (blocks, rest) = sound.as_chunks::<BLOCK>();
        for (index, block) in blocks.iter().enumerate() {
            // The blocks of one delivery came one after the other.
            let after = (sound.len() - (index + 1) * BLOCK) as f64 / f64::from(RATE) * lasts;
            let ended = next
                .checked_sub(Duration::from_secs_f64(after))
                .unwrap_or(next);
            let mut block = *block;
            self.block(&mut block, ended);
            cleaned.extend(block.map(whole));
        }
        self.rest = rest.to_vec();
    }

    /// What was measured lately.
    #[must_use]
    pub const fn report(&self) -> Report {
        self.report
    }

    /// After a gap nothing is known of the microphone's clock, and no sound of before comes out.
    fn restart(&mut self) {
        self.taken = None;
        self.position = None;
        self.blocks = 0;
        self.rest.clear();
        if let Some(canceller) = &mut self.canceller {
            for _ in 0..2 {
                canceller.run(&[0.0; BLOCK], &mut [0.0; BLOCK]);
            }
        }
    }

    fn block(&mut self, block: &mut [f32; BLOCK], ended: Instant) {
        let mut reference = [0.0; BLOCK];
        self.follow(ended, &mut reference);
        self.report.taken = loudness(block);
        self.report.reference = loudness(&reference);
        if let Some(canceller) = &mut self.canceller {
            canceller.run(&reference, block);
            let figures = canceller.figures();
            self.report.erle = figures.erle;
            self.report.delay = figures.delay + BEHIND;
        }
        self.report.cleaned = loudness(block);
    }

    /// Reads the reference of the block that ended at this time.
    fn follow(&mut self, ended: Instant, reference: &mut [f32; BLOCK]) {
        let (Some(played), Some(taken)) = (&self.played, &self.taken) else {
            return;
        };
        let pace = (1.0 + taken.deviation()) / (1.0 + played.deviation());
        let begun = Duration::from_secs_f64(BLOCK as f64 / f64::from(RATE));
        let read = ended.checked_sub(begun + BEHIND).unwrap_or(ended);
        let wanted = played.sample_at(read);
        let from = self.position.unwrap_or(wanted);
        let off = wanted - from;
        let learning = self.blocks < LEARNING;
        let (from, step) = if off.abs() > JUMP || learning {
            (wanted, pace)
        } else {
            let slew = off / (SETTLE * f64::from(RATE));
            (from, pace + slew.clamp(-SLEW, SLEW))
        };
        self.reference.read(from, step, reference);
        self.position = Some(from + step * BLOCK as f64);
        self.blocks = self.blocks.saturating_add(1);
        self.report.drift = (pace - 1.0) * 1e6;
    }
}

fn loudness(block: &[f32; BLOCK]) -> u8 {
    mix::level(&block.map(whole))
}

fn whole(sample: f32) -> i16 {
    (sample * 32768.0).clamp(-32768.0, 32767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(10);

    fn hum(from: usize, length: usize) -> Vec<i16> {
        (from..from + length)
            .map(|n| ((n as f64 * 0.05).sin() * 8000.0) as i16)
            .collect()
    }

    #[test]
    fn switched_off_it_changes_nothing_and_holds_nothing_back() {
        let (mut voice, now) = (VoiceProcessor::default(), Instant::now());
        let mut cleaned = Vec::new();
        voice.render(&hum(0, BLOCK), now);
        voice.capture(&hum(0, 333), now, &mut cleaned);
        assert_eq!(cleaned, hum(0, 333));
        assert_eq!(voice.report(), Report::default());
    }

    #[test]
    fn whatever_length_goes_in_comes_out() {
        let (mut voice, start) = (VoiceProcessor::new(Mode::Full), Instant::now());
        let (mut given, mut cleaned) = (0, Vec::new());
        for length in [1, 479, 480, 481, 1440, 7, 4800, 0, 952] {
            given += length;
            let at = start + Duration::from_secs_f64(given as f64 / 48_000.0);
            voice.capture(&hum(given, length), at, &mut cleaned);
            assert_eq!(cleaned.len(), given / BLOCK * BLOCK, "after {length}");
        }
        assert_eq!(given % BLOCK, 0);
    }

    #[test]
    fn times_that_make_no_sense_do_no_harm() {
        let (mut voice, start) = (VoiceProcessor::new(Mode::EchoOnly), Instant::now());
        let hour = Duration::from_secs(3600);
        let mut cleaned = Vec::new();
        for (played, taken) in [(0, 0), (5, 1), (1, 9), (9, 9), (0, 1)] {
            let later = start + hour;
            voice.render(&hum(0, BLOCK), later + hour * played);
            voice.render(&hum(0, BLOCK), later - hour);
            voice.capture(&hum(0, BLOCK), later + hour * taken, &mut cleaned);
            voice.capture(&hum(0, BLOCK), later - hour, &mut cleaned);
        }
        assert_eq!(cleaned.len(), 10 * BLOCK);
        assert!(voice.reference.len() <= RATE as usize);
    }

    #[test]
    fn nothing_of_before_a_gap_comes_out_behind_it() {
        let (mut voice, start) = (VoiceProcessor::new(Mode::EchoOnly), Instant::now());
        let mut cleaned = Vec::new();
        for block in 1..=50 {
            voice.capture(
                &hum(block * BLOCK, BLOCK),
                start + PERIOD * block as u32,
                &mut cleaned,
            );
        }
        voice.capture(&hum(0, 100), start + PERIOD * 51, &mut cleaned);
        assert!(cleaned.iter().any(|sample| sample.abs() > 1000));
        cleaned.clear();
        let later = start + Duration::from_secs(60);
        for block in 1..=5 {
            voice.capture(&[0; BLOCK], later + PERIOD * block, &mut cleaned);
        }
        assert!(
            cleaned.iter().all(|sample| sample.abs() < 100),
            "{cleaned:?}"
        );
    }

    #[test]
    fn a_pause_in_what_is_played_is_silence_in_its_place() {
        let (mut voice, start) = (VoiceProcessor::new(Mode::EchoOnly), Instant::now());
        for block in 0..20_u32 {
            // Five blocks are left out.
            if !(10..15).contains(&block) {
                voice.render(&[8000; BLOCK], start + PERIOD * block);
            }
        }
        assert_eq!(voice.reference.len(), 20 * BLOCK);
        let mut read = [1.0; BLOCK];
        voice.reference.read((12 * BLOCK) as f64, 1.0, &mut read);
        assert!(read.iter().all(|sample| sample.abs() < 0.001));
        voice.reference.read((16 * BLOCK) as f64, 1.0, &mut read);
        assert!(read.iter().all(|sample| (sample - 0.244).abs() < 0.01));
    }
}
