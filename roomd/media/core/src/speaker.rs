// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who speaks, and whom the speaker layout shows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use roomd_model::StreamId;

/// At and above this level someone begins to speak.
const BEGIN: u8 = 45;
/// Below this level someone stops.
const END: u8 = 38;
/// A voice is so much above the noise around it when it begins, and while it lasts.
const ABOVE_NOISE: f64 = 10.0;
const STILL_ABOVE_NOISE: f64 = 5.0;
/// How fast the level that counts as noise rises, in a second. Speech falls back to the noise between words;
/// what never does, a fan or music, is noise after some seconds.
const NOISE_RISES: f64 = 4.0;
/// How long a level must stay up before someone counts as speaking.
const ATTACK: Duration = Duration::from_millis(60);
/// How long a level must stay down before someone counts as silent.
const RELEASE: Duration = Duration::from_millis(700);
/// How long someone is shown before the next may take over.
const HOLD: Duration = Duration::from_millis(2000);

/// Whether sound that is so many dB below overload is as loud as someone who begins to speak.
#[must_use]
pub const fn is_voice(below_overload: u8) -> bool {
    // Levels count 60 dB up to 100.
    below_overload <= 60 - (BEGIN as u16 * 60 / 100) as u8
}

/// Watches levels and says who speaks.
#[derive(Debug, Default)]
pub struct Speakers {
    sources: BTreeMap<StreamId, Source>,
    active: Option<(StreamId, Instant)>,
}

#[derive(Debug, Default)]
struct Source {
    speaking: bool,
    /// Since when the level has been on the other side.
    crossed: Option<Instant>,
    level: u8,
    noise: f64,
    /// When the level was last taken.
    heard: Option<Instant>,
}

impl Source {
    fn take(&mut self, level: u8, now: Instant) {
        let before = self.heard.replace(now);
        let passed = before.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let risen = self.noise + passed.as_secs_f64().min(1.0) * NOISE_RISES;
        self.noise = risen.min(f64::from(level));
        self.level = level;
    }

    /// Whether the level is on the other side than what the source counts as.
    fn crosses(&self) -> bool {
        let level = f64::from(self.level);
        if self.speaking {
            level < f64::from(END).max(self.noise + STILL_ABOVE_NOISE)
        } else {
            level >= f64::from(BEGIN).max(self.noise + ABOVE_NOISE)
        }
    }
}

/// Someone began or stopped speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub stream: StreamId,
    /// Speaking now.
    pub speaking: bool,
}

impl Speakers {
    /// Takes one source's level, 0 to 100.
    pub fn level(&mut self, stream: StreamId, level: u8, now: Instant) -> Option<Change> {
        let source = self.sources.entry(stream).or_default();
        source.take(level, now);
        if !source.crosses() {
            source.crossed = None;
            return None;
        }
        let since = *source.crossed.get_or_insert(now);
        let needed = if source.speaking { RELEASE } else { ATTACK };
        if now.saturating_duration_since(since) < needed {
            return None;
        }
        source.speaking = !source.speaking;
        source.crossed = None;
        Some(Change {
            stream,
            speaking: source.speaking,
        })
    }

    /// Forgets a source.
    pub fn remove(&mut self, stream: StreamId) {
        self.sources.remove(&stream);
        if self.active.is_some_and(|(active, _)| active == stream) {
            self.active = None;
        }
    }

    /// Everyone who speaks.
    #[must_use]
    pub fn speaking(&self) -> BTreeSet<StreamId> {
        self.sources
            .iter()
            .filter(|(_, source)| source.speaking)
            .map(|(stream, _)| *stream)
            .collect()
    }

    /// Whom the speaker layout shows. Stays with the last speaker through a silence, and with the
    /// present one until the hold time is over.
    pub fn active(&mut self, now: Instant) -> Option<StreamId> {
        let loudest = self
            .sources
            .iter()
            .filter(|(_, source)| source.speaking)
            .max_by_key(|(_, source)| source.level)
            .map(|(stream, _)| *stream);
        let held = self
            .active
            .is_some_and(|(_, since)| now.saturating_duration_since(since) < HOLD);
        let present_speaks = self
            .active
            .and_then(|(stream, _)| self.sources.get(&stream))
            .is_some_and(|source| source.speaking);
        if let Some(loudest) = loudest
            && !held
            && !present_speaks
        {
            self.active = Some((loudest, now));
        }
        self.active.map(|(stream, _)| stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: StreamId = StreamId(1);
    const B: StreamId = StreamId(2);

    struct Bench {
        speakers: Speakers,
        now: Instant,
        changes: Vec<(StreamId, bool)>,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                speakers: Speakers::default(),
                now: Instant::now(),
                changes: Vec::new(),
            }
        }

        fn run(&mut self, millis: u64, levels: &[(StreamId, u8)]) -> Option<StreamId> {
            for _ in 0..millis / 10 {
                self.now += Duration::from_millis(10);
                for &(stream, level) in levels {
                    let change = self.speakers.level(stream, level, self.now);
                    self.changes.extend(change.map(|c| (c.stream, c.speaking)));
                }
            }
            self.speakers.active(self.now)
        }
    }

    #[test]
    fn a_voice_is_as_loud_as_one_that_begins() {
        for below_overload in 0..=127 {
            let amplitude = 32768.0 / 10_f64.powf(f64::from(below_overload) / 20.0);
            let level = crate::mix::level(&[amplitude as i16; 480]);
            // Near the border both scales round.
            if !(32..=34).contains(&below_overload) {
                assert_eq!(is_voice(below_overload), level >= BEGIN, "{below_overload}");
            }
        }
    }

    #[test]
    fn a_click_is_not_speech_and_a_pause_is_not_silence() {
        let mut bench = Bench::new();
        bench.run(50, &[(A, 90)]);
        bench.run(500, &[(A, 0)]);
        assert_eq!(bench.changes, []);
        bench.run(500, &[(A, 60)]);
        bench.run(400, &[(A, 10)]);
        bench.run(500, &[(A, 60)]);
        assert_eq!(bench.changes, [(A, true)]);
        bench.run(1000, &[(A, 41)]);
        assert_eq!(
            bench.changes,
            [(A, true)],
            "between the thresholds nothing changes"
        );
        bench.run(1000, &[(A, 10)]);
        assert_eq!(bench.changes, [(A, true), (A, false)]);
    }

    #[test]
    fn a_fan_does_not_speak_for_long_and_keeps_nobody_away() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(300, &[(A, 60), (B, 0)]), Some(A));
        bench.run(20_000, &[(A, 60), (B, 0)]);
        assert_eq!(bench.changes, [(A, true), (A, false)]);
        assert_eq!(bench.run(500, &[(A, 60), (B, 55)]), Some(B));
        // Somebody speaks beside the fan.
        bench.run(500, &[(A, 80), (B, 0)]);
        assert!(bench.changes.ends_with(&[(A, true)]), "{:?}", bench.changes);
    }

    #[test]
    fn a_long_speech_is_none() {
        let mut bench = Bench::new();
        for _ in 0..60 {
            bench.run(800, &[(A, 60)]);
            bench.run(200, &[(A, 20)]);
        }
        assert_eq!(bench.changes, [(A, true)]);
    }

    #[test]
    fn the_shown_speaker_stays_through_silence_and_interjections() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(300, &[(A, 0), (B, 0)]), None);
        assert_eq!(bench.run(300, &[(A, 60), (B, 0)]), Some(A));
        assert_eq!(
            bench.run(1000, &[(A, 60), (B, 80)]),
            Some(A),
            "A goes on speaking"
        );
        assert_eq!(bench.run(3000, &[(A, 60), (B, 0)]), Some(A));
        assert_eq!(bench.run(3000, &[(A, 0), (B, 0)]), Some(A), "silence");
        assert_eq!(bench.run(500, &[(A, 0), (B, 60)]), Some(B));
        bench.speakers.remove(B);
        assert_eq!(bench.run(10, &[(A, 0)]), None);
    }
}
