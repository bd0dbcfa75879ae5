// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room sends: devices open when needed, encoders run when sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_media_core::frame::I420;
use roomd_media_core::governor::Work;
use roomd_media_core::layers::{Encoding, SentCodec, Size, Variant};
use roomd_media_core::mix;
use roomd_media_core::plan::HardwareEncoder;
use roomd_media_core::supply::Supply;
use roomd_model::FaultCode;
use roomd_voice::Mode as VoiceMode;
use tokio::sync::{mpsc, watch};

use super::Task;
use crate::branch::Notice;
use crate::camera::{Camera, Shot};
use crate::cards::Cards;
use crate::display::Picture;
use crate::encode::{AudioEncoder, Encoded, Track, VideoEncoder};
use crate::microphone::Microphone;
use crate::sound::TEST;
use crate::time::Timeline;
use crate::types::{CameraSource, Heard, MicrophoneSource};
use crate::voice;

use roomd_conference::LocalSource;

/// How often the still picture is sent while the camera is lost.
const STILL_EVERY: Duration = Duration::from_millis(200);

/// The width that a thumbnail has at most, in pixels.
const THUMBNAIL: u32 = 160;

/// Samples of silence at a time: 20 ms.
const SILENCE: usize = 960;

/// Who listens to the microphone beside a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    /// A sound test.
    Test,
    /// Somebody who hears themself.
    SelfHear,
}

/// Devices and encoders.
pub(super) struct Capture {
    pub camera: Camera,
    pub microphone: Microphone,
    /// The camera's latest picture, for the room's own display.
    pub own: watch::Sender<Option<Picture>>,
    timeline: Timeline,
    output: mpsc::Sender<Encoded>,
    /// The camera's pictures in the sizes that are encoded.
    supplies: BTreeMap<Size, Supply>,
    /// The largest size that the last picture is large enough for.
    largest: Size,
    encodings: BTreeMap<Variant, Encoding>,
    video: BTreeMap<Variant, VideoEncoder>,
    /// What encodes H.264; nothing does without.
    hardware: Option<HardwareEncoder>,
    /// It did not open.
    pub refused: bool,
    audio: Option<AudioEncoder>,
    sending_camera: bool,
    sending_microphone: bool,
    preview: bool,
    listening: Option<Listening>,
    listener: Option<mpsc::Sender<Heard>>,
    keyframes_wanted: BTreeSet<Variant>,
    noise_free: bool,
    loss: f64,
    still_at: Option<Instant>,
    silent_until: Option<Instant>,
    pub camera_lost: bool,
    pub microphone_lost: bool,
    /// The loudest since the last report.
    pub level: u8,
}

impl Capture {
    pub(super) fn new(
        camera: Camera,
        microphone: Microphone,
        timeline: Timeline,
        output: mpsc::Sender<Encoded>,
    ) -> Self {
        Self {
            camera,
            microphone,
            own: watch::Sender::new(None),
            timeline,
            output,
            supplies: BTreeMap::new(),
            largest: Size::High,
            encodings: BTreeMap::new(),
            video: BTreeMap::new(),
            hardware: None,
            refused: false,
            audio: None,
            sending_camera: false,
            sending_microphone: false,
            preview: false,
            listening: None,
            listener: None,
            keyframes_wanted: BTreeSet::new(),
            noise_free: false,
            loss: 0.0,
            still_at: None,
            silent_until: None,
            camera_lost: false,
            microphone_lost: false,
            level: 0,
        }
    }

    pub(super) const fn sends(&self, source: LocalSource) -> bool {
        match source {
            LocalSource::Camera => self.sending_camera,
            LocalSource::Microphone => self.sending_microphone,
            LocalSource::Content => false,
        }
    }

    pub(super) fn want_keyframes(&mut self, variants: impl IntoIterator<Item = Variant>) {
        self.keyframes_wanted.extend(variants);
    }

    /// What the sizes of the picture are encoded with; a size that is not among them is not.
    /// Those to be kept go on as they are.
    pub(super) fn encode(
        &mut self,
        encodings: BTreeMap<Variant, Encoding>,
        kept: &BTreeSet<Variant>,
    ) {
        self.encodings.retain(|variant, _| kept.contains(variant));
        self.encodings.extend(encodings);
        self.follow_encodings();
    }

    /// The encoder of a size in a codec, while it is encoded.
    pub(super) fn encoder(&self, variant: Variant) -> Option<&VideoEncoder> {
        self.video.get(&variant)
    }

    /// What encodes H.264 from here on.
    pub(super) fn set_hardware(&mut self, hardware: Option<HardwareEncoder>) {
        if self.hardware != hardware {
            self.hardware = hardware;
            self.video
                .retain(|variant, _| variant.codec == SentCodec::Vp8);
        }
    }

    /// The largest size that can be made of the camera's pictures.
    pub(super) const fn largest(&self) -> Size {
        self.largest
    }

    /// What the encoders of the picture did since the last call.
    pub(super) fn work(&mut self, now: Instant) -> BTreeMap<Size, Work> {
        let mut sizes = BTreeMap::<Size, Work>::new();
        for (variant, encoder) in &mut self.video {
            let (work, known) = (encoder.work(now), sizes.entry(variant.size).or_default());
            *known = Work {
                taken: known.taken + work.taken,
                given: known.given + work.given,
                // Only one of them is the processor's.
                busy: known.busy.max(work.busy),
            };
        }
        sizes
    }

    /// Encoders that stand still.
    fn stuck(&mut self, now: Instant) -> Vec<Track> {
        let video = self.video.iter_mut();
        let mut tracks: Vec<_> = video
            .filter_map(|(it, encoder)| encoder.is_stuck(now).then_some(Track::Camera(*it)))
            .collect();
        if self.audio.as_mut().is_some_and(|audio| audio.is_stuck(now)) {
            tracks.push(Track::Microphone);
        }
        tracks
    }

    fn follow_encodings(&mut self) {
        if !self.sending_camera {
            self.video.clear();
            self.supplies.clear();
            return;
        }
        self.video
            .retain(|variant, _| self.encodings.contains_key(variant));
        for (variant, encoding) in self.encodings.clone() {
            if let Some(encoder) = self.video.get_mut(&variant) {
                encoder.set_encoding(encoding);
                continue;
            }
            let hardware = match (variant.codec, self.hardware) {
                (SentCodec::Vp8, _) => None,
                (SentCodec::H264, Some(hardware)) => Some(hardware),
                // It is on its way out.
                (SentCodec::H264, None) => continue,
            };
            self.open_encoder(variant, hardware, encoding);
        }
    }

    fn open_encoder(
        &mut self,
        variant: Variant,
        hardware: Option<HardwareEncoder>,
        encoding: Encoding,
    ) {
        let (size, timeline) = (variant.size, self.timeline);
        match VideoEncoder::camera(size, hardware, encoding, timeline, &self.output) {
            Ok(encoder) => {
                self.video.insert(variant, encoder);
            }
            Err(error) => {
                tracing::warn!(%error, ?variant, "an encoder does not open");
                self.refused |= hardware.is_some();
            }
        }
    }

    /// Says whether what is taken is free of noise.
    pub(super) fn set_noise_free(&mut self, noise_free: bool) {
        self.noise_free = noise_free;
        if let Some(audio) = &self.audio {
            audio.set_dtx(noise_free);
        }
    }

    /// How much of the sound gets lost on its way to the peers, 0 to 1.
    pub(super) fn set_loss(&mut self, loss: f64) {
        self.loss = loss;
        if let Some(audio) = &mut self.audio {
            audio.set_loss(loss);
        }
    }

    pub(super) fn tick(&mut self, now: Instant) {
        let video = &mut self.video;
        self.keyframes_wanted.retain(|variant| {
            let encoder = video.get_mut(variant);
            encoder.is_some_and(|encoder| !encoder.keyframe(now))
        });
        if self.microphone_lost && self.sending_microphone {
            self.silence(now);
        }
        let due = |at| now.saturating_duration_since(at) >= STILL_EVERY;
        if self.camera_lost
            && self.still_at.is_none_or(due)
            && (self.preview || self.sending_camera)
        {
            self.still_at = Some(now);
            let frame = self.camera.still();
            self.picture(&Shot { frame, at: now });
        }
    }

    /// Stands in for a lost microphone, so that the others hear silence and not a broken connection.
    fn silence(&mut self, now: Instant) {
        let block = [0; SILENCE];
        let lasts = Duration::from_millis(20);
        let mut next = self.silent_until.map_or(now, |until| until + lasts);
        if now.saturating_duration_since(next) > lasts * 10 {
            next = now;
        }
        while let Some(audio) = &mut self.audio
            && next <= now
        {
            audio.push(&block, next);
            self.silent_until = Some(next);
            next += lasts;
        }
    }

    /// What the camera shows now, small; none while it is closed.
    pub(super) fn thumbnail(&self) -> Option<I420> {
        let shots = self.camera.shots();
        let frame = shots.borrow().as_ref()?.frame.clone();
        // Halves of the usual size are as wide as a thumbnail.
        Some(small(
            fitted(frame, Size::High, &mut Supply::default()).halved(),
            THUMBNAIL,
        ))
    }

    pub(super) fn close(&mut self) {
        self.camera.close();
        self.microphone.close();
        self.video.clear();
        self.audio = None;
        self.own.send_replace(None);
    }

    fn picture(&mut self, shot: &Shot) {
        self.own.send_replace(Some(Picture {
            frame: shot.frame.clone(),
            media: None,
            at: shot.at,
        }));
        let mut frame = shot.frame.clone();
        self.largest = largest(&frame);
        for size in Size::ALL.into_iter().rev() {
            if size > self.largest {
                continue;
            }
            if self.video.keys().all(|encoded| encoded.size > size) {
                return;
            }
            frame = fitted(frame, size, self.supplies.entry(size).or_default());
            let encoders = self.video.iter_mut().filter(|(it, _)| it.size == size);
            encoders.for_each(|(_, encoder)| encoder.push(&frame, shot.at));
        }
    }

    /// Opens or closes what should be open; true while a device that is wanted is missing.
    fn follow_camera(&mut self) -> bool {
        self.follow_encodings();
        if self.preview || self.sending_camera {
            return !self.camera.open() || self.camera_lost;
        }
        self.camera.close();
        self.own.send_replace(None);
        false
    }

    fn follow_microphone(&mut self) -> bool {
        if self.sending_microphone {
            if self.audio.is_none() {
                self.audio = AudioEncoder::open(self.timeline, &self.output).ok();
                self.set_noise_free(self.noise_free);
                self.set_loss(self.loss);
            }
            return !self.microphone.open() || self.microphone_lost;
        }
        self.audio = None;
        self.level = 0;
        if self.listening.is_some() {
            return !self.microphone.open() || self.microphone_lost;
        }
        self.microphone.close();
        false
    }
}

impl Task {
    pub(super) fn sending(&mut self, microphone: bool, camera: bool) {
        self.capture.sending_microphone = microphone;
        self.capture.sending_camera = camera;
        self.follow();
        self.fall_silent();
    }

    /// Silences the connections when the room sends nothing any more.
    pub(super) fn fall_silent(&mut self) {
        let room = [LocalSource::Microphone, LocalSource::Camera];
        if !self.content.is_sending() && !room.into_iter().any(|it| self.capture.sends(it)) {
            self.peers.silence();
        }
    }

    pub(super) fn preview(&mut self, open: bool) {
        self.capture.preview = open;
        self.follow();
    }

    /// Lets one of them listen to the microphone and play on the loudspeaker instead of the other, or
    /// not any more. What comes late must neither open the microphone in a call nor end the other.
    pub(super) fn listen(&mut self, who: Listening, listener: Option<mpsc::Sender<Heard>>) {
        let listener = listener.filter(|_| !self.in_call);
        if listener.is_some() || self.capture.listening == Some(who) {
            self.overhear(listener.map(|listener| (who, listener)));
        }
    }

    /// Lets nobody listen any more.
    pub(super) fn stop_listening(&mut self) {
        if self.capture.listening.is_some() {
            self.overhear(None);
        }
    }

    fn overhear(&mut self, listener: Option<(Listening, mpsc::Sender<Heard>)>) {
        let (listening, listener) = listener.unzip();
        self.capture.listening = listening;
        self.capture.listener.clone_from(&listener);
        self.sound.remove(TEST);
        if listening.is_some() {
            self.sound.add(TEST);
        }
        self.voice.overhear(listener);
        self.follow();
        self.choose_voice();
    }

    pub(super) fn change_camera(&mut self, source: CameraSource) {
        self.capture.camera.set_source(source);
        self.follow();
    }

    pub(super) fn change_microphone(&mut self, source: MicrophoneSource) {
        self.capture.microphone.set_source(source);
        self.follow();
    }

    /// Brings devices and encoders in line with what is wanted.
    fn follow(&mut self) {
        let camera_lost = self.capture.follow_camera();
        self.follow_with(camera_lost);
    }

    /// The same, once the camera is.
    fn follow_with(&mut self, camera_lost: bool) {
        let was_open = self.capture.microphone.is_open();
        let microphone_lost = self.capture.follow_microphone();
        if self.capture.microphone.is_open() && !was_open {
            self.choose_voice();
        }
        // The display may show whatever the camera takes, sent or not.
        self.preview_feed(self.capture.preview || self.capture.sending_camera);
        self.lost(camera_lost, microphone_lost);
        self.report_devices();
    }

    /// Another microphone or loudspeaker may cancel its own echo.
    pub(super) fn choose_voice(&mut self) {
        let microphone = self.capture.microphone.device_name();
        let loudspeaker = self.devices.loudspeaker.as_deref();
        let mode = voice::mode(&self.echo, microphone, loudspeaker, &Cards::read());
        let mode = match mode {
            // The echo is measured, and noise suppression would hide what is left of it.
            VoiceMode::Full if self.capture.listening == Some(Listening::Test) => {
                VoiceMode::EchoOnly
            }
            VoiceMode::Full | VoiceMode::EchoOnly | VoiceMode::Off => mode,
        };
        self.voice.set_mode(mode);
        self.capture.set_noise_free(mode == VoiceMode::Full);
    }

    fn lost(&mut self, camera: bool, microphone: bool) {
        if self.capture.camera_lost != camera {
            self.capture.camera_lost = camera;
            self.fault(FaultCode::CameraMissing, camera);
        }
        if self.capture.microphone_lost != microphone {
            self.capture.microphone_lost = microphone;
            self.fault(FaultCode::MicrophoneMissing, microphone);
        }
    }

    pub(super) fn captured_picture(&mut self, shot: Option<Shot>) {
        let Some(shot) = shot else {
            return;
        };
        self.capture.picture(&shot);
        if self.capture.camera_lost {
            self.lost(false, self.capture.microphone_lost);
            self.report_devices();
        }
    }

    pub(super) fn captured_sound(&mut self, samples: &[i16]) {
        // What is still on its way from a device that is lost is not heard any more.
        let wanted = self.capture.sending_microphone || self.capture.listening.is_some();
        if !wanted || !self.capture.microphone.is_open() {
            return;
        }
        self.capture.microphone.is_heard(Instant::now());
        self.capture.level = self.capture.level.max(mix::level(samples));
        if let Some(audio) = &mut self.capture.audio {
            audio.push(samples, Instant::now());
        }
        if self.capture.microphone_lost {
            self.lost(self.capture.camera_lost, false);
            self.report_devices();
        }
    }

    pub(super) fn camera_notice(&mut self, notice: Notice) {
        if !self.capture.camera.notice(notice) {
            self.lost(true, self.capture.microphone_lost);
            self.report_devices();
        }
    }

    pub(super) fn microphone_notice(&mut self, notice: Notice) {
        if !self.capture.microphone.notice(notice) {
            self.lost(self.capture.camera_lost, true);
            self.report_devices();
        }
    }

    /// Once a second: a lost device may be back, a silent one may be lost.
    pub(super) fn supervise_capture(&mut self, now: Instant) {
        let listener = self.capture.listener.as_ref();
        if listener.is_some_and(mpsc::Sender::is_closed) {
            // Whoever listened is gone without a word; the microphone must not stay open for nobody.
            self.stop_listening();
        }
        for track in self.capture.stuck(now) {
            self.encoder_failed(track);
        }
        if !self.capture.microphone.check(now) {
            self.lost(self.capture.camera_lost, true);
        }
        // A camera that opens for ever must not keep the microphone away.
        let camera_lost = !self.capture.camera.check(now) || self.capture.follow_camera();
        self.follow_with(camera_lost);
    }

    pub(super) fn encoder_failed(&mut self, track: Track) {
        if let Track::Camera(variant) = track
            && variant.codec == SentCodec::H264
        {
            // What comes late, of one that is closed, says nothing about the others.
            if self.capture.video.contains_key(&variant) {
                self.hardware_failed();
            }
            return;
        }
        tracing::warn!(?track, "an encoder stopped and is started again");
        match track {
            Track::Camera(variant) => {
                self.capture.video.remove(&variant);
            }
            Track::Microphone => self.capture.audio = None,
            Track::Content => self.content.failed(),
        }
        self.follow();
    }
}

/// The picture, at most this wide.
pub(super) fn small(mut picture: I420, most: u32) -> I420 {
    while picture.width() > most {
        picture = picture.halved();
    }
    picture
}

/// Nothing is made larger but what does not even fill the usual size.
fn largest(frame: &I420) -> Size {
    let (width, height) = Size::Full.pixels();
    if frame.width() >= width && frame.height() >= height {
        Size::Full
    } else {
        Size::High
    }
}

/// The picture in this size, given one of the same or a larger size.
fn fitted(frame: Arc<I420>, size: Size, supply: &mut Supply) -> Arc<I420> {
    if (frame.width(), frame.height()) == size.pixels() {
        return frame;
    }
    let (scaled, ()) = supply.draw(size.pixels(), |scaled| frame.scale_to(scaled));
    scaled
}
