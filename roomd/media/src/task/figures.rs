// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The call's figures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use roomd_conference::MediaEvent;
use roomd_media_core::mix::Fitted;
use roomd_model::{StreamId, StreamKind};
use roomd_voice::Mode as VoiceMode;
use tokio::sync::watch;

use super::Task;
use crate::decode::Decoded;
use crate::encode::{Track, VideoEncoder};
use crate::sound::TEST;
use crate::types::{EngineStatistics, SentReport, StreamReport};

/// Collects figures and publishes them.
pub(super) struct Figures {
    statistics: watch::Sender<EngineStatistics>,
    begun: Option<Instant>,
    received: Option<Instant>,
    sent: Option<Instant>,
    pictures_sent: u32,
    /// The RTP time of the last one; several sizes of one picture count once.
    last_sent: u64,
    freezes: u32,
    /// What was done to received sound.
    fitted: Fitted,
    /// What is known of each stream's.
    fitted_of: BTreeMap<StreamId, Fitted>,
    /// Frames and bytes that left each encoder since the last report.
    tracks: BTreeMap<Track, (u32, usize)>,
    second: Instant,
}

impl Figures {
    pub(super) fn new(statistics: watch::Sender<EngineStatistics>) -> Self {
        Self {
            statistics,
            begun: None,
            received: None,
            sent: None,
            pictures_sent: 0,
            last_sent: 0,
            freezes: 0,
            fitted: Fitted::default(),
            fitted_of: BTreeMap::new(),
            tracks: BTreeMap::new(),
            second: Instant::now(),
        }
    }

    pub(super) fn begin(&mut self, at: Instant) {
        self.begun = Some(at);
        self.received = None;
        self.sent = None;
        self.freezes = 0;
        self.fitted = Fitted::default();
        self.statistics.send_replace(EngineStatistics::default());
    }

    pub(super) fn end(&mut self) {
        self.begun = None;
    }

    pub(super) fn picture_sent(&mut self, rtp_time: u64, at: Instant) {
        self.pictures_sent += u32::from(rtp_time > self.last_sent);
        self.last_sent = self.last_sent.max(rtp_time);
        if self.sent.is_none() {
            self.sent = Some(at);
            self.milestones();
        }
    }

    /// A frame was handed to at least one connection.
    pub(super) fn frame_sent(&mut self, track: Track, bytes: usize) {
        let (frames, sum) = self.tracks.entry(track).or_default();
        *frames += 1;
        *sum += bytes;
    }

    /// What was done to the sound of each stream since the stream began.
    pub(super) fn sound_fitted(&mut self, totals: &[(StreamId, Fitted)]) {
        let streams = totals.iter().filter(|(stream, _)| *stream != TEST);
        let before = std::mem::take(&mut self.fitted_of);
        for &(stream, total) in streams {
            let known = before.get(&stream).copied().unwrap_or_default();
            self.fitted = self.fitted.plus(total.since(known));
            self.fitted_of.insert(stream, total);
        }
    }

    pub(super) fn picture_decoded(&mut self, at: Instant) {
        if self.received.is_none() {
            self.received = Some(at);
            self.milestones();
        }
    }

    pub(super) fn second_is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.second) >= Duration::from_secs(1)
    }

    fn milestones(&self) {
        let Some(begun) = self.begun else {
            return;
        };
        let since = |at: Instant| at.saturating_duration_since(begun);
        self.statistics.send_modify(|statistics| {
            statistics.first_remote_frame = self.received.map(since);
            statistics.media_both_ways = self.received.zip(self.sent).map(|(a, b)| since(a.max(b)));
        });
    }
}

impl Task {
    /// Once a second.
    pub(super) fn supervise(&mut self, now: Instant) {
        self.supervise_capture(now);
        for stream in self.streams.quiet(now) {
            self.tell_session(MediaEvent::Stream {
                stream,
                live: false,
            });
        }
        for stream in self.streams.stuck(now) {
            self.decoded(Decoded::Failed(stream));
        }
        self.streams.adjust();
        self.capture.set_loss(self.peers.sent_loss());
        self.supervise_content(now);
        self.supervise_load(now);
        self.allocate(now);
    }

    pub(super) fn renew_figures(&mut self, now: Instant) {
        let passed = now
            .saturating_duration_since(self.figures.second)
            .as_secs_f64();
        self.figures.second = now;
        let sent = std::mem::take(&mut self.figures.pictures_sent);
        let streams = self.streams.reports(passed);
        self.figures.freezes += self.streams.take_freezes();
        if self.figures.begun.is_none() {
            return;
        }
        let rate = |count: u32| f64::from(count) / passed;
        let sending = self.capture.sends(roomd_conference::LocalSource::Camera);
        let (peers, freezes) = (self.peers.reports(), self.figures.freezes);
        let fitted = self.figures.fitted;
        let sent_tracks = self.sent_reports(passed);
        let av_offset_ms = self.streams.av_offset();
        let voice = self.voice.report();
        let limit = self.govern.governor.limit();
        self.figures.statistics.send_modify(|statistics| {
            statistics.fps_sent = sending.then(|| rate(sent));
            statistics.fps_received = best_rate(&streams);
            statistics.streams = streams;
            statistics.peers = peers;
            statistics.freezes = freezes;
            statistics.sound = fitted;
            statistics.sent = sent_tracks;
            statistics.limit = limit;
            statistics.av_offset_ms = av_offset_ms;
            statistics.voice = (voice.mode != VoiceMode::Off).then_some(voice);
        });
    }
}

impl Task {
    /// What every encoder did in the seconds since the last call.
    fn sent_reports(&mut self, seconds: f64) -> Vec<SentReport> {
        let tracks = std::mem::take(&mut self.figures.tracks);
        let report = |(track, (frames, bytes)): (Track, (u32, usize))| {
            let (kind, encoder) = match track {
                Track::Microphone => (StreamKind::Audio, None),
                Track::Camera(variant) => (StreamKind::Camera, self.capture.encoder(variant)),
                Track::Content => (StreamKind::Screen, self.content.encoder()),
            };
            SentReport {
                kind,
                size: encoder.map(VideoEncoder::size),
                frames_per_second: f64::from(frames) / seconds,
                bits_per_second: bytes as f64 * 8.0 / seconds,
                target: encoder.map(VideoEncoder::bitrate),
            }
        };
        tracks.into_iter().map(report).collect()
    }
}

/// Pictures a second of the best stream; none without a picture stream.
fn best_rate(streams: &[StreamReport]) -> Option<f64> {
    let pictures = streams.iter().filter(|one| one.kind != StreamKind::Audio);
    pictures
        .map(|one| one.frames_per_second)
        .max_by(f64::total_cmp)
}
