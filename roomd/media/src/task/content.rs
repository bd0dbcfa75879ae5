// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What somebody in the room shows: captured and encoded only while it is shown.

use std::time::{Duration, Instant};

use roomd_media_core::layers::Encoding;
use tokio::sync::mpsc;

use super::Task;
use crate::branch::Notice;
use crate::camera::{Camera, Shot};
use crate::encode::{Encoded, VideoEncoder};
use crate::time::Timeline;

/// A source that has stopped, or a screen on which nothing moves, is sent again this often: whoever
/// joins later gets it, and what was lost is mended.
const REPEAT: Duration = Duration::from_millis(200);

/// The source of content and its encoder.
pub(super) struct Content {
    source: Camera,
    timeline: Timeline,
    output: mpsc::Sender<Encoded>,
    sending: bool,
    encoding: Option<Encoding>,
    encoder: Option<VideoEncoder>,
    last: Option<Shot>,
    keyframe_wanted: bool,
}

impl Content {
    pub(super) const fn new(
        source: Camera,
        timeline: Timeline,
        output: mpsc::Sender<Encoded>,
    ) -> Self {
        Self {
            source,
            timeline,
            output,
            sending: false,
            encoding: None,
            encoder: None,
            last: None,
            keyframe_wanted: false,
        }
    }

    pub(super) const fn is_sending(&self) -> bool {
        self.sending
    }

    /// There is something to send.
    pub(super) const fn has_picture(&self) -> bool {
        self.sending && self.last.is_some()
    }

    pub(super) const fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    fn send(&mut self, sending: bool) {
        self.sending = sending;
        if !sending {
            self.close();
        }
        self.follow();
    }

    /// How it is encoded; not at all while nobody takes it.
    pub(super) fn encode(&mut self, encoding: Option<Encoding>) {
        self.encoding = encoding;
        match (&mut self.encoder, encoding) {
            (Some(encoder), Some(encoding)) => encoder.set_encoding(encoding),
            (_, None) => self.encoder = None,
            (None, Some(_)) => {}
        }
    }

    pub(super) const fn encoder(&self) -> Option<&VideoEncoder> {
        self.encoder.as_ref()
    }

    pub(super) fn failed(&mut self) {
        self.encoder = None;
    }

    pub(super) fn close(&mut self) {
        self.source.close();
        self.encoder = None;
        self.last = None;
    }

    /// Opens the source where it is wanted; a lost one may be back.
    fn follow(&mut self) {
        if self.sending {
            self.source.open();
        }
    }

    fn supervise(&mut self, now: Instant) {
        if self.source.check(now) {
            self.follow();
        }
        if self
            .encoder
            .as_mut()
            .is_some_and(|encoder| encoder.is_stuck(now))
        {
            tracing::warn!("the encoder of content stands still and is started again");
            self.encoder = None;
        }
    }

    fn captured(&mut self, shot: Shot) {
        if !self.sending {
            return;
        }
        self.push(&shot);
        self.last = Some(shot);
    }

    pub(super) fn tick(&mut self, now: Instant) {
        let due = |shot: &Shot| now.saturating_duration_since(shot.at) >= REPEAT;
        if let Some(shot) = self.last.as_mut().filter(|shot| due(shot)) {
            shot.at = now;
            let shot = shot.clone();
            self.push(&shot);
        }
        if let Some(encoder) = &mut self.encoder
            && self.keyframe_wanted
            && encoder.keyframe(now)
        {
            self.keyframe_wanted = false;
        }
    }

    fn push(&mut self, shot: &Shot) {
        let Some(encoding) = self.encoding else {
            return;
        };
        let size = (shot.frame.width(), shot.frame.height());
        // A source may change its size: another laptop, another mode.
        if self
            .encoder
            .as_ref()
            .is_none_or(|encoder| encoder.size() != size)
        {
            let opened = VideoEncoder::content(size, encoding, self.timeline, &self.output);
            self.encoder = opened
                .inspect_err(|error| tracing::warn!(%error, "the encoder of content does not open"))
                .ok();
        }
        if let Some(encoder) = &mut self.encoder {
            encoder.push(&shot.frame, shot.at);
        }
    }
}

impl Task {
    pub(super) fn show_content(&mut self, on: bool, now: Instant) {
        self.content.send(on);
        self.fall_silent();
        self.allocate(now);
    }

    pub(super) fn captured_content(&mut self, shot: Option<Shot>) {
        if let Some(shot) = shot {
            let first = !self.content.has_picture();
            self.content.captured(shot);
            if first {
                self.allocate(Instant::now());
            }
        }
    }

    pub(super) fn content_notice(&mut self, notice: Notice) {
        self.content.source.notice(notice);
    }

    pub(super) fn supervise_content(&mut self, now: Instant) {
        self.content.supervise(now);
    }
}
