// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Lip-sync: sound and picture of one participant, played out at one distance from their capture.
//!
//! The sender's reports tie the media time of both streams to the sender's one wall clock; what is
//! played out ties them to ours. The difference of both distances is the error. The faster stream is
//! delayed until it is gone: never the slower one, and never more than a bound.

use std::time::{Duration, Instant, SystemTime};

/// Most that a stream is delayed for the other.
const MAX_EXTRA: f64 = 0.4;
/// An error below this is not seen.
const DEADBAND: f64 = 0.010;
/// Most that the delay changes in one adjustment.
const STEP: f64 = 0.040;
/// Two playouts further apart than this are not compared: one of the streams has stopped.
const STALE: Duration = Duration::from_secs(2);
/// Weight of a new measurement in the smoothed error.
const WEIGHT: f64 = 0.1;
/// A report that says something else by more than this is of another clock.
const JUMP: f64 = 1.0;

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// The sound.
    Sound,
    /// The picture.
    Picture,
}

/// How much longer each stream is to wait; one of them is always zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// The sound.
    pub sound: Duration,
    /// The picture.
    pub picture: Duration,
}

/// Keeps sound and picture of one participant together.
#[derive(Clone, Debug)]
pub struct LipSync {
    sound: Stream,
    picture: Stream,
    wall_origin: Option<SystemTime>,
    instant_origin: Option<Instant>,
    /// What is still to be mended, as far as known; what was just changed is taken off at once.
    error: Option<f64>,
    /// What was measured, and nothing else.
    offset: Option<f64>,
    /// What the sound waits longer than the picture, in seconds.
    lead: f64,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    rate: f64,
    /// Wall clock, in seconds from the first report, and media time.
    report: Option<(f64, u64)>,
    /// When, and how long after its capture the last media was played out, in seconds.
    played: Option<(Instant, f64)>,
}

impl Stream {
    fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate.max(1)),
            report: None,
            played: None,
        }
    }

    fn captured(&self, rtp_time: u64) -> Option<f64> {
        let (wall, reference) = self.report?;
        let ticks = if rtp_time >= reference {
            (rtp_time - reference) as f64
        } else {
            -((reference - rtp_time) as f64)
        };
        Some(wall + ticks / self.rate)
    }
}

impl LipSync {
    /// Makes one for streams of these clock rates.
    pub fn new(sound_rate: u32, picture_rate: u32) -> Self {
        Self {
            sound: Stream::new(sound_rate),
            picture: Stream::new(picture_rate),
            wall_origin: None,
            instant_origin: None,
            error: None,
            offset: None,
            lead: 0.0,
        }
    }

    /// Takes a sender report.
    pub fn report(&mut self, track: Track, wall: SystemTime, rtp_time: u64) {
        let origin = *self.wall_origin.get_or_insert(wall);
        let wall = match wall.duration_since(origin) {
            Ok(after) => after.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        };
        let stream = self.stream(track);
        let expected = stream.captured(rtp_time);
        stream.report = Some((wall, rtp_time));
        if expected.is_some_and(|expected| (expected - wall).abs() > JUMP) {
            stream.played = None;
            self.error = None;
            self.offset = None;
        }
    }

    /// Notes that media of this time leaves the loudspeaker, or appears on the display, now.
    pub fn played(&mut self, track: Track, rtp_time: u64, now: Instant) {
        let origin = *self.instant_origin.get_or_insert(now);
        let at = now.saturating_duration_since(origin).as_secs_f64();
        let stream = self.stream(track);
        stream.played = stream
            .captured(rtp_time)
            .map(|captured| (now, at - captured));
        let measured = self.measure();
        self.error = smooth(self.error, measured);
        self.offset = smooth(self.offset, measured);
    }

    /// How late the picture is against the sound, of what is played out now, in milliseconds:
    /// positive when the picture was captured before the sound that is heard with it. None while
    /// reports or one of the streams are missing.
    pub fn av_offset_ms(&self) -> Option<f64> {
        self.offset.map(|offset| offset * 1000.0)
    }

    /// Draws the delays from the present error; to be called about once a second, with the result
    /// given to the jitter buffers.
    pub fn adjust(&mut self) -> Extra {
        if let Some(error) = self.error.filter(|error| error.abs() > DEADBAND) {
            let step = error.clamp(-STEP, STEP);
            let lead = (self.lead + step).clamp(-MAX_EXTRA, MAX_EXTRA);
            // What was measured so far holds no longer by as much as changes now.
            self.error = Some(error - (lead - self.lead));
            self.lead = lead;
        } else if self.error.is_none() && self.lead > 0.0 {
            // There is no picture any more that the sound would wait for.
            self.lead = (self.lead - STEP).max(0.0);
        }
        self.extra()
    }

    /// The delays as last drawn.
    pub fn extra(&self) -> Extra {
        Extra {
            sound: Duration::from_secs_f64(self.lead.max(0.0)),
            picture: Duration::from_secs_f64((-self.lead).max(0.0)),
        }
    }

    fn measure(&self) -> Option<f64> {
        let (sound_at, sound) = self.sound.played?;
        let (picture_at, picture) = self.picture.played?;
        let apart = sound_at
            .saturating_duration_since(picture_at)
            .max(picture_at.saturating_duration_since(sound_at));
        (apart <= STALE).then_some(picture - sound)
    }

    fn stream(&mut self, track: Track) -> &mut Stream {
        match track {
            Track::Sound => &mut self.sound,
            Track::Picture => &mut self.picture,
        }
    }
}

fn smooth(before: Option<f64>, measured: Option<f64>) -> Option<f64> {
    match (measured, before) {
        (Some(measured), Some(before)) => Some(before + (measured - before) * WEIGHT),
        (measured, _) => measured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: u64 = 5_000_000;
    const PICTURE: u64 = 1 << 40;

    /// Plays ten seconds; sound and picture come so much after their capture, plus the delays.
    fn play(sound_ms: u64, picture_ms: u64, report_skew_ms: u64) -> (LipSync, Extra) {
        let (start, wall) = (
            Instant::now(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(9),
        );
        let mut sync = LipSync::new(48_000, 90_000);
        let mut extra = Extra::default();
        for tick in 0..1000u64 {
            let now = start + Duration::from_secs(1) + Duration::from_millis(tick * 10);
            if tick % 100 == 5 {
                let second = Duration::from_millis(tick * 10);
                sync.report(Track::Sound, wall + second, SOUND + tick * 480);
                let skewed = second + Duration::from_millis(report_skew_ms);
                let ticks = tick * 900 + report_skew_ms * 90;
                sync.report(Track::Picture, wall + skewed, PICTURE + ticks);
            }
            let ago = |latency: u64, extra: Duration| {
                1000 + tick * 10 - latency - extra.as_millis() as u64
            };
            sync.played(Track::Sound, SOUND + ago(sound_ms, extra.sound) * 48, now);
            sync.played(
                Track::Picture,
                PICTURE + ago(picture_ms, extra.picture) * 90,
                now,
            );
            if tick % 50 == 49 {
                extra = sync.adjust();
            }
        }
        (sync, extra)
    }

    #[test]
    fn delays_the_faster_stream() {
        let (sync, extra) = play(50, 200, 0);
        assert!(
            sync.av_offset_ms().unwrap().abs() < 12.0,
            "{:?}",
            sync.av_offset_ms()
        );
        assert!((138..=162).contains(&extra.sound.as_millis()), "{extra:?}");
        assert_eq!(extra.picture, Duration::ZERO);

        let (sync, extra) = play(180, 60, 300);
        assert!(sync.av_offset_ms().unwrap().abs() < 12.0);
        assert!(
            (108..=132).contains(&extra.picture.as_millis()),
            "{extra:?}"
        );
        assert_eq!(extra.sound, Duration::ZERO);
    }

    #[test]
    fn sound_waits_no_longer_than_there_is_a_picture() {
        let (mut sync, extra) = play(50, 200, 0);
        let before = extra.sound.as_secs_f64();
        assert!(before > 0.1, "{extra:?}");
        let now = Instant::now() + Duration::from_secs(60);
        sync.played(Track::Sound, SOUND + 60 * 48_000, now);
        let next = sync.adjust().sound.as_secs_f64();
        assert!((before - next - STEP).abs() < 0.001, "{next}");
        for _ in 0..4 {
            sync.adjust();
        }
        assert_eq!(sync.extra(), Extra::default());
    }

    #[test]
    fn tells_what_is_measured_and_not_what_is_hoped() {
        let wall = SystemTime::UNIX_EPOCH;
        let mut sync = LipSync::new(48_000, 90_000);
        sync.report(Track::Sound, wall, SOUND);
        sync.report(Track::Picture, wall, PICTURE);
        let now = Instant::now();
        // The picture appears 30 ms after the sound that was captured with it.
        sync.played(Track::Sound, SOUND + 4800, now);
        let later = now + Duration::from_millis(30);
        sync.played(Track::Picture, PICTURE + 9000, later);
        let told = sync.av_offset_ms().unwrap();
        assert!((29.9..30.1).contains(&told), "{told}");
        // The sound will wait, but what was heard and seen was not together.
        let sound = sync.adjust().sound.as_secs_f64();
        assert!((0.029..0.031).contains(&sound), "{sound}");
        assert_eq!(sync.av_offset_ms(), Some(told));
    }

    #[test]
    fn leaves_what_is_together_alone() {
        assert_eq!(play(100, 105, 700).1, Extra::default());
    }

    #[test]
    fn bounds_the_delay_and_says_what_remains() {
        let (sync, extra) = play(20, 800, 0);
        assert_eq!(extra.sound, Duration::from_millis(400));
        let offset = sync.av_offset_ms().unwrap();
        assert!((370.0..390.0).contains(&offset), "{offset}");
    }

    #[test]
    fn says_nothing_without_reports_of_both() {
        let mut sync = LipSync::new(48_000, 90_000);
        let now = Instant::now();
        sync.report(Track::Sound, SystemTime::UNIX_EPOCH, SOUND);
        sync.played(Track::Sound, SOUND, now);
        sync.played(Track::Picture, PICTURE, now);
        assert_eq!(sync.av_offset_ms(), None);
        assert_eq!(sync.adjust(), Extra::default());
        sync.report(Track::Picture, SystemTime::UNIX_EPOCH, PICTURE);
        sync.played(Track::Picture, PICTURE, now);
        assert_eq!(sync.av_offset_ms(), Some(0.0));
        // The picture stops: nothing to compare any more.
        sync.played(
            Track::Sound,
            SOUND + 48_000 * 5,
            now + Duration::from_secs(5),
        );
        assert_eq!(sync.av_offset_ms(), None);
    }
}
