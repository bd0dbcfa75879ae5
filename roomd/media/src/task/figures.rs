// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The call's figures.

use std::time::{Duration, Instant};

use roomd_conference::MediaEvent;
use roomd_model::StreamKind;
use roomd_voice::Mode as VoiceMode;
use tokio::sync::watch;

use super::Task;
use crate::decode::Decoded;
use crate::types::{EngineStatistics, StreamReport};

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
            second: Instant::now(),
        }
    }

    pub(super) fn begin(&mut self, at: Instant) {
        self.begun = Some(at);
        self.received = None;
        self.sent = None;
        self.freezes = 0;
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

    pub(super) fn picture_decoded(&mut self, at: Instant) {
        if self.received.is_none() {
            self.received = Some(at);
            self.milestones();
        }
    }

    pub(super) const fn freeze(&mut self) {
        self.freezes += 1;
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
        self.allocate(now);
    }

    pub(super) fn renew_figures(&mut self, now: Instant) {
        let passed = now
            .saturating_duration_since(self.figures.second)
            .as_secs_f64();
        self.figures.second = now;
        let sent = std::mem::take(&mut self.figures.pictures_sent);
        let streams = self.streams.reports(passed);
        if self.figures.begun.is_none() {
            return;
        }
        let rate = |count: u32| f64::from(count) / passed;
        let sending = self.capture.sends(roomd_conference::LocalSource::Camera);
        let (peers, freezes) = (self.peers.reports(), self.figures.freezes);
        let video_bitrate = self.capture.bitrate();
        let av_offset_ms = self.streams.av_offset();
        let voice = self.voice.report();
        self.figures.statistics.send_modify(|statistics| {
            statistics.fps_sent = sending.then(|| rate(sent));
            statistics.fps_received = best_rate(&streams);
            statistics.streams = streams;
            statistics.peers = peers;
            statistics.freezes = freezes;
            statistics.video_bitrate = video_bitrate;
            statistics.av_offset_ms = av_offset_ms;
            statistics.voice = (voice.mode != VoiceMode::Off).then_some(voice);
        });
    }
}

/// Pictures a second of the best stream; none without a picture stream.
fn best_rate(streams: &[StreamReport]) -> Option<f64> {
    let pictures = streams.iter().filter(|one| one.kind != StreamKind::Audio);
    pictures
        .map(|one| one.frames_per_second)
        .max_by(f64::total_cmp)
}
