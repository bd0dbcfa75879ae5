// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Mixes received sound: 48 kHz, one channel, blocks of 10 ms.

#[cfg(test)]
mod playout_tests;
mod slack;
mod source;
mod stamps;
mod stretch;

use std::collections::BTreeMap;

use roomd_model::StreamId;

pub use source::Fitted;
use source::Source;

/// Samples per second.
pub const RATE: u32 = 48_000;
/// Samples in a block.
pub const BLOCK: usize = 480;

/// What a source queues before it plays, so that one late packet is not heard.
const PREFILL: usize = 2 * BLOCK;
/// Where the limiter begins to bend.
const KNEE: f32 = 0.7;

/// Adds sources up, each through a queue of its own.
#[derive(Debug)]
pub struct Mixer {
    sources: BTreeMap<StreamId, Source>,
    volume: f32,
}

impl Default for Mixer {
    fn default() -> Self {
        Self {
            sources: BTreeMap::new(),
            volume: 1.0,
        }
    }
}

impl Mixer {
    /// Sets the volume, 0 to 100.
    pub fn set_volume(&mut self, percent: u8) {
        let linear = f32::from(percent.min(100)) / 100.0;
        // Loudness is felt about as the square of the amplitude.
        self.volume = linear * linear;
    }

    /// Adds a source; samples of a source that was not added are dropped.
    pub fn add(&mut self, stream: StreamId) {
        self.sources.entry(stream).or_default();
    }

    /// Removes a source.
    pub fn remove(&mut self, stream: StreamId) {
        self.sources.remove(&stream);
    }

    /// Whether there is anything to mix.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Queues samples of a source.
    pub fn push(&mut self, stream: StreamId, samples: &[i16]) {
        if let Some(source) = self.sources.get_mut(&stream) {
            source.push(samples, None);
        }
    }

    /// Queues samples of a source, the first of which is of this media time.
    pub fn push_at(&mut self, stream: StreamId, samples: &[i16], media: u64) {
        if let Some(source) = self.sources.get_mut(&stream) {
            source.push(samples, Some(media));
        }
    }

    /// The media time of each source's next sample to be mixed; sources that are silent have none.
    pub fn playing(&self) -> impl Iterator<Item = (StreamId, u64)> + '_ {
        let playing = |(stream, source): (&StreamId, &Source)| Some((*stream, source.playing()?));
        self.sources.iter().filter_map(playing)
    }

    /// What a source has queued, in samples.
    #[must_use]
    pub fn queued(&self, stream: StreamId) -> usize {
        self.sources.get(&stream).map_or(0, Source::queued)
    }

    /// Mixes the next block.
    pub fn mix(&mut self, block: &mut [i16; BLOCK]) {
        let mut sum = [0.0_f32; BLOCK];
        for source in self.sources.values_mut() {
            source.add_to(&mut sum);
        }
        for (out, sample) in block.iter_mut().zip(sum) {
            *out = limit(sample * self.volume);
        }
    }

    /// How loud each source was in the last block, 0 to 100; volume does not count.
    pub fn levels(&self) -> impl Iterator<Item = (StreamId, u8)> + '_ {
        self.sources
            .iter()
            .map(|(stream, source)| (*stream, source.level()))
    }

    /// What was done to the sound of each source so that it fits.
    pub fn fitted(&self) -> impl Iterator<Item = (StreamId, Fitted)> + '_ {
        self.sources
            .iter()
            .map(|(stream, source)| (*stream, source.fitted()))
    }
}

/// Loudness of samples, 0 (-60 dBFS and below) to 100 (full scale).
#[must_use]
pub fn level(samples: &[i16]) -> u8 {
    loudness(rms(samples))
}

/// The root of the samples' mean power.
fn rms(samples: &[i16]) -> f32 {
    let power: i64 = samples
        .iter()
        .map(|&sample| i64::from(i32::from(sample) * i32::from(sample)))
        .sum();
    (power as f64 / samples.len().max(1) as f64).sqrt() as f32
}

fn loudness(rms: f32) -> u8 {
    let decibels = 20.0 * (rms / 32768.0).max(1e-6).log10();
    ((decibels + 60.0) / 60.0 * 100.0).clamp(0.0, 100.0) as u8
}

fn limit(sample: f32) -> i16 {
    let size = sample.abs();
    let bent = if size <= KNEE {
        size
    } else {
        let over = (size - KNEE) / (1.0 - KNEE);
        KNEE + (1.0 - KNEE) * (over / (1.0 + over))
    };
    (bent.copysign(sample) * 32767.0) as i16
}

#[cfg(test)]
mod tests {
    use super::source::{CAPACITY, KEPT, LIMIT};
    use super::stretch::LONGEST;
    use super::*;

    const A: StreamId = StreamId(1);
    const B: StreamId = StreamId(2);

    fn mixed(mixer: &mut Mixer) -> [i16; BLOCK] {
        let mut block = [0; BLOCK];
        mixer.mix(&mut block);
        block
    }

    #[test]
    fn sources_add_up() {
        let mut mixer = Mixer::default();
        for (stream, value) in [(A, 1000), (B, 2000)] {
            mixer.add(stream);
            mixer.push(stream, &[value; 2 * BLOCK]);
        }
        assert!(mixed(&mut mixer).iter().all(|s| (2998..=3000).contains(s)));
    }

    #[test]
    fn loud_sums_bend_and_never_wrap() {
        let mut mixer = Mixer::default();
        for n in 0..9 {
            mixer.add(StreamId(n));
            mixer.push(StreamId(n), &[30_000; 2 * BLOCK]);
        }
        assert!(mixed(&mut mixer).iter().all(|&s| s > 30_000));
    }

    #[test]
    fn a_flood_stays_bounded_and_keeps_the_newest() {
        let mut mixer = Mixer::default();
        mixer.add(A);
        for n in 0..1000 {
            mixer.push(A, &[n; BLOCK]);
        }
        assert!(mixer.queued(A) <= CAPACITY);
        mixer.push(A, &vec![999; CAPACITY + BLOCK]);
        assert!(mixed(&mut mixer).iter().all(|&s| s.abs_diff(999) <= 1));
        assert_eq!(mixer.queued(A), KEPT - BLOCK);
    }

    #[test]
    fn a_run_out_fades_and_waits_for_a_new_start() {
        let mut mixer = Mixer::default();
        mixer.add(A);
        mixer.push(A, &[8000; 2 * BLOCK]);
        mixed(&mut mixer);
        mixed(&mut mixer);
        let tail: Vec<i16> = (0..6).flat_map(|_| mixed(&mut mixer)).collect();
        assert!(tail[0] > 7900 && tail[6 * BLOCK - 1].abs() < 5, "{tail:?}");
        assert!(tail.is_sorted_by(|a, b| a >= b && a - b < 10));
        mixer.push(A, &[8000; BLOCK]);
        assert_eq!(mixed(&mut mixer), [0; BLOCK]);
        mixer.push(A, &[8000; BLOCK]);
        let back = mixed(&mut mixer);
        assert!(back[0] < 10 && back[BLOCK - 1] > 7900);
        assert!(back.is_sorted_by(|a, b| b >= a && b - a < 100));
    }

    #[test]
    fn says_which_moment_is_heard() {
        let mut mixer = Mixer::default();
        mixer.add(A);
        mixer.push_at(A, &[1; BLOCK], 9600);
        assert_eq!(mixer.playing().next(), None, "it waits for more");
        mixer.push_at(A, &[1; 2 * BLOCK], 9600 + BLOCK as u64);
        assert_eq!(mixer.playing().next(), Some((A, 9600)));
        mixed(&mut mixer);
        assert_eq!(mixer.playing().next(), Some((A, 9600 + BLOCK as u64)));
        // What a flood pushes out is skipped, once what is heard has faded over.
        mixer.push_at(A, &[1; LIMIT], 96_000);
        mixed(&mut mixer);
        let next = mixer.playing().next().unwrap().1;
        let expected = 96_000 + (LIMIT - mixer.queued(A)) as u64;
        assert_eq!(next, expected);
        assert!(mixer.queued(A) <= KEPT + LONGEST);
    }

    #[test]
    fn volume_changes_what_is_heard_but_not_who_speaks() {
        let mut mixer = Mixer::default();
        mixer.add(A);
        mixer.set_volume(0);
        mixer.push(A, &[8000; 4 * BLOCK]);
        assert_eq!(mixed(&mut mixer), [0; BLOCK]);
        assert!(
            mixer
                .levels()
                .any(|(stream, level)| stream == A && level > 50)
        );
    }

    #[test]
    fn levels_follow_decibels() {
        assert_eq!(level(&[0; BLOCK]), 0);
        assert_eq!(level(&[]), 0);
        assert!(level(&[i16::MAX; BLOCK]) >= 99);
        assert!((49..=51).contains(&level(&[1036; BLOCK])));
    }
}
