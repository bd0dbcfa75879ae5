// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What somebody in the room shows: captured while somebody looks or it is shown, and encoded only
//! while it is shown.

use std::time::{Duration, Instant};

use roomd_media_core::frame::I420;
use roomd_media_core::governor::Work;
use roomd_media_core::layers::Encoding;
use roomd_media_core::scene::TileSource;
use roomd_media_core::supply::Supply;
use roomd_model::Crop;
use tokio::sync::{mpsc, watch};

use super::Task;
use super::capture::small;
use crate::branch::Notice;
use crate::camera::{Camera, Shot};
use crate::display::Picture;
use crate::encode::{Encoded, VideoEncoder};
use crate::time::Timeline;
use crate::types::{CameraSource, ContentInput, ContentPicture, ContentRun, EngineEvent};

/// A source that has stopped, or a screen on which nothing moves, is sent again this often: whoever
/// joins later gets it, and what was lost is mended.
const REPEAT: Duration = Duration::from_millis(200);
/// How often it is looked whether a picture has one colour.
const LOOK: Duration = Duration::from_millis(500);
/// The width that a thumbnail has at most, in pixels.
const THUMBNAIL: u32 = 640;

/// The source of content and its encoder.
pub(super) struct Content {
    source: Camera,
    /// Where the last picture came from.
    origin: CameraSource,
    run: ContentRun,
    frozen: bool,
    crop: Crop,
    /// The size of the picture that the part was chosen of.
    cut_of: Option<(u32, u32)>,
    timeline: Timeline,
    output: mpsc::Sender<Encoded>,
    sending: bool,
    encoding: Option<Encoding>,
    encoder: Option<VideoEncoder>,
    /// The last picture as it came.
    whole: Option<Shot>,
    /// Parts of pictures.
    parts: Supply,
    /// What is sent of it.
    last: Option<Shot>,
    keyframe_wanted: bool,
    /// What is sent, for the room's own display.
    own: watch::Sender<Option<Picture>>,
    /// Whether the picture had one colour, and when that was seen.
    plain: Option<(bool, Instant)>,
    told: ContentPicture,
}

impl Content {
    pub(super) fn new(source: Camera, timeline: Timeline, output: mpsc::Sender<Encoded>) -> Self {
        Self {
            source,
            origin: CameraSource::None,
            run: ContentRun::default(),
            frozen: false,
            crop: Crop::FULL,
            cut_of: None,
            timeline,
            output,
            sending: false,
            encoding: None,
            encoder: None,
            whole: None,
            parts: Supply::default(),
            last: None,
            keyframe_wanted: false,
            own: watch::Sender::new(None),
            plain: None,
            told: ContentPicture::None,
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
            self.encoder = None;
            self.last = None;
            self.own.send_replace(None);
        }
        self.follow();
        if sending {
            self.cut();
        }
    }

    fn take(&mut self, input: ContentInput) {
        self.run = input.run;
        self.frozen = input.frozen;
        let there = input.source != CameraSource::None;
        // A frozen picture outlives its source, which may be back elsewhere.
        if there && !input.frozen && self.origin != input.source {
            // Nothing of one input is taken for another's.
            self.origin = input.source.clone();
            self.whole = None;
            self.last = None;
            self.plain = None;
            self.own.send_replace(None);
        }
        // Closed where it is another one.
        self.source.set_source(input.source);
        self.follow();
        if self.crop != input.crop {
            self.crop = input.crop;
            self.cut_of = None;
            // Without a source the last picture is on its way out, cut as it was.
            if there || self.run == ContentRun::Held {
                self.cut();
            }
        }
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

    /// What its encoder did since the last call.
    pub(super) fn work(&mut self, now: Instant) -> Option<Work> {
        Some(self.encoder.as_mut()?.work(now))
    }

    pub(super) fn failed(&mut self) {
        self.encoder = None;
    }

    pub(super) fn close(&mut self) {
        self.source.close();
        self.encoder = None;
        self.whole = None;
        self.parts = Supply::default();
        self.last = None;
        self.plain = None;
        self.own.send_replace(None);
    }

    /// What the source gives now, all of it and small; none while it is closed.
    pub(super) fn thumbnail(&self) -> Option<I420> {
        let picture = &self.whole.as_ref()?.frame;
        Some(small(I420::clone(picture), THUMBNAIL))
    }

    /// Opens the source where it is wanted, and closes it where it is not; a lost one may be back.
    fn follow(&mut self) {
        match self.run {
            ContentRun::Open => {}
            ContentRun::WhileSent if self.sending => {}
            ContentRun::Held if self.sending => return self.source.close(),
            // What nobody looks at any more does not stay in memory.
            ContentRun::WhileSent | ContentRun::Held => return self.close(),
        }
        self.source.open();
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
        // What is still on its way from a source that is closed shows nothing any more.
        if !self.source.is_open() || (self.frozen && self.whole.is_some()) {
            return;
        }
        let due = |(_, at): (bool, Instant)| shot.at.saturating_duration_since(at) >= LOOK;
        if self.plain.is_none_or(due) {
            self.plain = Some((shot.frame.is_plain(), shot.at));
        }
        self.whole = Some(shot);
        self.cut();
    }

    /// Makes what is sent of the last picture, and sends it.
    fn cut(&mut self) {
        let Some(whole) = self.whole.as_ref().filter(|_| self.sending) else {
            self.last = None;
            return;
        };
        let size = (whole.frame.width(), whole.frame.height());
        if self.crop != Crop::FULL && *self.cut_of.get_or_insert(size) != size {
            // Of a picture of another size nobody chose a part; the last one goes on.
            return;
        }
        let frame = if self.crop == Crop::FULL && is_even(&whole.frame) {
            whole.frame.clone()
        } else {
            let (frame, crop) = (&whole.frame, self.crop);
            let draw = |part: &mut I420| frame.copy_part(crop, part);
            let (part, drawn) = self.parts.draw(frame.part_size(crop), draw);
            if drawn { part } else { frame.clone() }
        };
        self.own.send_replace(Some(Picture {
            frame: frame.clone(),
            media: None,
            at: whole.at,
        }));
        let at = self.last.as_ref().map_or(whole.at, |last| last.at);
        let shot = Shot {
            frame,
            at: at.max(whole.at),
        };
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
        // A source may change its size: another laptop, another mode, another part of it.
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

    /// What the source gives; none where it is closed or has given nothing yet.
    fn picture(&self) -> ContentPicture {
        let shots = self.source.shots();
        let shot = shots.borrow();
        match (shot.as_ref(), self.plain) {
            (Some(shot), Some((plain, _))) => ContentPicture::Some {
                width: shot.frame.width(),
                height: shot.frame.height(),
                plain,
            },
            (_, _) => ContentPicture::None,
        }
    }
}

/// The encoders take pictures with even sides.
fn is_even(frame: &I420) -> bool {
    frame.width().is_multiple_of(2) && frame.height().is_multiple_of(2)
}

impl Task {
    pub(super) fn show_content(&mut self, on: bool, now: Instant) {
        self.content.send(on);
        let feed = on.then(|| self.content.own.subscribe());
        self.displays.feed(TileSource::OwnContent, feed);
        self.fall_silent();
        self.content_changed(now);
    }

    pub(super) fn take_content(&mut self, input: ContentInput, now: Instant) {
        self.content.take(input);
        self.content_changed(now);
    }

    fn content_changed(&mut self, now: Instant) {
        self.allocate(now);
        self.report_content();
    }

    fn report_content(&mut self) {
        let picture = self.content.picture();
        if picture != self.content.told {
            self.content.told = picture;
            self.tell(EngineEvent::Content(picture));
        }
    }

    pub(super) fn captured_content(&mut self, shot: Option<Shot>) {
        if let Some(shot) = shot {
            let first = !self.content.has_picture();
            self.content.captured(shot);
            if first {
                self.allocate(Instant::now());
            }
        }
        self.report_content();
    }

    pub(super) fn content_notice(&mut self, notice: Notice) {
        self.content.source.notice(notice);
        self.report_content();
    }

    pub(super) fn supervise_content(&mut self, now: Instant) {
        self.content.supervise(now);
        self.report_content();
    }
}
