// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The microphone array and the loudspeaker (USB Audio 1.0).

use std::time::Duration;

use serde::Serialize;

use crate::control::{Answer, Dial, Setup, request};
use crate::faults::SoundFault;
use crate::sound;

/// Selectors of a feature unit.
const MUTE: u8 = 0x01;
const VOLUME: u8 = 0x02;
/// A host that sends no sound for longer begins a new measurement.
const LATEST: Duration = Duration::from_millis(500);

/// Mute and volume (in 1/256 dB) of one direction, for all channels.
#[derive(Debug)]
pub struct Feature {
    mute: Dial,
    volume: Dial,
}

impl Default for Feature {
    fn default() -> Self {
        Self {
            mute: Dial::new(1, 0, 1, 1, 0),
            volume: Dial::new(2, -60 * 256, 0, 256, 0),
        }
    }
}

impl Feature {
    /// Whether the host muted it.
    pub const fn muted(&self) -> bool {
        self.mute.value != 0
    }

    /// The volume in dB.
    pub const fn decibels(&self) -> i32 {
        self.volume.value / 256
    }

    /// A request to the unit; channel 0 is all of them.
    pub fn request(&mut self, setup: Setup, data: &[u8]) -> Answer {
        let [channel, _] = setup.value.to_le_bytes();
        let dial = match (channel, setup.selector()) {
            (0, MUTE) => &mut self.mute,
            (0, VOLUME) => &mut self.volume,
            _ => return Answer::Stall,
        };
        if setup.inwards() {
            return dial.get(setup.request).map_or(Answer::Stall, Answer::Data);
        }
        let taken = setup.request == request::SET_CUR && dial.set(data);
        if taken { Answer::Taken } else { Answer::Stall }
    }
}

/// What the microphones send next.
#[derive(Debug, Default)]
pub struct Microphones {
    index: usize,
}

impl Microphones {
    /// One millisecond of all four, or nothing when they are stalled.
    pub fn fill(&mut self, fault: SoundFault, muted: bool, packet: &mut Vec<u8>) {
        if fault == SoundFault::Stall {
            return;
        }
        for _ in 0..sound::RATE / 1000 {
            let silent = muted || fault == SoundFault::Silent;
            let frame = if silent {
                [0; 4]
            } else {
                sound::microphones(self.index)
            };
            frame
                .iter()
                .for_each(|sample| packet.extend(sample.to_le_bytes()));
            self.index = (self.index + 1) % sound::PERIOD;
        }
    }
}

/// What the loudspeaker was given, as figures; samples are not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Levels {
    /// Frames since the host began, or began anew.
    pub frames: u64,
    /// The greatest sample of each channel, from 0 to 1.
    pub peak: [f64; 2],
    /// The root of the mean square of each channel, from 0 to 1.
    pub rms: [f64; 2],
    /// The pitch of the first channel, in Hz, from its passages through zero.
    pub pitch: f64,
}

/// Measures what the host plays.
#[derive(Debug, Default)]
pub struct Loudspeaker {
    frames: u64,
    peak: [i32; 2],
    squares: [f64; 2],
    crossings: u64,
    last: i16,
    heard: Duration,
}

impl Loudspeaker {
    /// Takes frames of two 16-bit samples.
    pub fn play(&mut self, bytes: &[u8], now: Duration) {
        if now.saturating_sub(self.heard) > LATEST {
            *self = Self::default();
        }
        self.heard = now;
        for frame in bytes.chunks_exact(4) {
            let samples = [[frame[0], frame[1]], [frame[2], frame[3]]].map(i16::from_le_bytes);
            for (channel, sample) in samples.into_iter().enumerate() {
                self.peak[channel] = self.peak[channel].max(i32::from(sample).abs());
                self.squares[channel] += f64::from(sample).powi(2);
            }
            self.crossings += u64::from(self.last < 0 && samples[0] >= 0);
            self.last = samples[0];
            self.frames += 1;
        }
    }

    /// The figures so far.
    pub fn levels(&self) -> Levels {
        if self.frames == 0 {
            return Levels::default();
        }
        let frames = self.frames as f64;
        let full = 32768.0;
        Levels {
            frames: self.frames,
            peak: self.peak.map(|peak| f64::from(peak) / full),
            rms: self.squares.map(|squares| (squares / frames).sqrt() / full),
            pitch: self.crossings as f64 * sound::RATE as f64 / frames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_millisecond_is_48_frames() {
        let mut microphones = Microphones::default();
        let mut packet = Vec::new();
        microphones.fill(SoundFault::None, false, &mut packet);
        microphones.fill(SoundFault::None, false, &mut packet);
        assert_eq!(packet.len(), 2 * 48 * 8);
        assert_eq!(sound::channel(&packet, 4, 2)[95], sound::microphones(95)[2]);
    }

    #[test]
    fn mute_and_faults_are_heard() {
        let mut packet = Vec::new();
        Microphones::default().fill(SoundFault::None, true, &mut packet);
        assert!(packet.len() == 384 && packet.iter().all(|byte| *byte == 0));
        packet.clear();
        Microphones::default().fill(SoundFault::Stall, false, &mut packet);
        assert!(packet.is_empty());
    }

    #[test]
    fn levels_and_pitch_of_what_is_played() {
        let mut loudspeaker = Loudspeaker::default();
        for index in 0..4800 {
            let sample = sound::microphones(index)[1].to_le_bytes();
            loudspeaker.play(&[sample[0], sample[1], 0, 0], Duration::ZERO);
        }
        let levels = loudspeaker.levels();
        assert!((levels.pitch - 1000.0).abs() < 20.0, "{levels:?}");
        assert!(
            (levels.peak[0] - 0.25).abs() < 0.01 && levels.peak[1] == 0.0,
            "{levels:?}"
        );
        loudspeaker.play(&[0; 4], Duration::from_secs(9));
        assert_eq!(loudspeaker.levels().frames, 1);
    }

    #[test]
    fn the_mixer_is_kept_in_bounds() {
        let mut feature = Feature::default();
        let set = |selector: u8| Setup {
            kind: 0x21,
            request: request::SET_CUR,
            value: u16::from_be_bytes([selector, 0]),
            index: 0,
            length: 2,
        };
        assert_eq!(feature.request(set(MUTE), &[1]), Answer::Taken);
        assert_eq!(
            feature.request(set(VOLUME), &(-5120_i16).to_le_bytes()),
            Answer::Taken
        );
        assert_eq!(
            feature.request(set(VOLUME), &i16::MAX.to_le_bytes()),
            Answer::Stall
        );
        assert_eq!(feature.request(set(9), &[1]), Answer::Stall);
        assert_eq!((feature.muted(), feature.decibels()), (true, -20));
    }
}
