// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room sends: devices open when needed, encoders run when sent.

use std::time::{Duration, Instant};

use roomd_media_core::mix;
use roomd_model::FaultCode;
use roomd_voice::Mode as VoiceMode;
use tokio::sync::{mpsc, watch};

use super::Task;
use crate::branch::Notice;
use crate::camera::{Camera, Shot};
use crate::cards::Cards;
use crate::display::Picture;
use crate::encode::{AudioEncoder, Encoded, VideoEncoder};
use crate::microphone::Microphone;
use crate::time::Timeline;
use crate::voice;

use roomd_conference::LocalSource;

/// The picture encoder's first target, in bit/s.
pub(super) const BEGIN_BITRATE: u32 = 1_200_000;
/// The least and the most that pictures may take, in bit/s.
pub(super) const BITRATES: std::ops::RangeInclusive<u32> = 300_000..=2_500_000;
/// How often the still picture is sent while the camera is lost.
const STILL_EVERY: Duration = Duration::from_millis(200);

/// Devices and encoders.
pub(super) struct Capture {
    pub camera: Camera,
    pub microphone: Microphone,
    /// The camera's latest picture, for the room's own display.
    pub own: watch::Sender<Option<Picture>>,
    timeline: Timeline,
    output: mpsc::Sender<Encoded>,
    video: Option<VideoEncoder>,
    audio: Option<AudioEncoder>,
    sending_camera: bool,
    sending_microphone: bool,
    preview: bool,
    keyframe_wanted: bool,
    noise_free: bool,
    loss: f64,
    pub bitrate: u32,
    still_at: Option<Instant>,
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
            video: None,
            audio: None,
            sending_camera: false,
            sending_microphone: false,
            preview: false,
            keyframe_wanted: false,
            noise_free: false,
            loss: 0.0,
            bitrate: BEGIN_BITRATE,
            still_at: None,
            camera_lost: false,
            microphone_lost: false,
            level: 0,
        }
    }

    pub(super) const fn sends(&self, source: LocalSource) -> bool {
        match source {
            LocalSource::Camera => self.sending_camera,
            LocalSource::Microphone => self.sending_microphone,
        }
    }

    pub(super) const fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    pub(super) fn set_bitrate(&mut self, bitrate: u32) {
        self.bitrate = bitrate.clamp(*BITRATES.start(), *BITRATES.end());
        if let Some(video) = &mut self.video {
            video.set_bitrate(self.bitrate);
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
        if let Some(video) = &mut self.video
            && self.keyframe_wanted
            && video.keyframe(now)
        {
            self.keyframe_wanted = false;
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

    pub(super) fn close(&mut self) {
        self.camera.close();
        self.microphone.close();
        self.video = None;
        self.audio = None;
        self.own.send_replace(None);
    }

    fn picture(&mut self, shot: &Shot) {
        self.own.send_replace(Some(Picture {
            frame: shot.frame.clone(),
            media: None,
        }));
        if let Some(video) = &mut self.video {
            video.push(shot);
        }
    }

    /// Opens or closes what should be open; true while a device that is wanted is missing.
    fn follow_camera(&mut self) -> bool {
        if !self.sending_camera {
            self.video = None;
        } else if self.video.is_none() {
            self.video = VideoEncoder::open(self.bitrate, self.timeline, &self.output).ok();
            self.keyframe_wanted = true;
        }
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
        self.microphone.close();
        self.level = 0;
        false
    }
}

impl Task {
    pub(super) fn sending(&mut self, microphone: bool, camera: bool) {
        self.capture.sending_microphone = microphone;
        self.capture.sending_camera = camera;
        self.follow();
    }

    pub(super) fn preview(&mut self, open: bool) {
        self.capture.preview = open;
        self.follow();
    }

    /// Brings devices and encoders in line with what is wanted.
    fn follow(&mut self) {
        let camera_lost = self.capture.follow_camera();
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
        if !self.capture.sending_microphone {
            return;
        }
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
        let alive = self.capture.camera.check(now);
        if alive {
            self.follow();
        } else {
            self.lost(true, self.capture.microphone_lost);
            self.report_devices();
        }
    }

    pub(super) fn encoded(&mut self, encoded: Encoded) {
        match encoded {
            Encoded::Frame(source, frame) => {
                if !self.capture.sends(source) {
                    return;
                }
                let sent = self.peers.send(source, &frame);
                if source == LocalSource::Camera && sent {
                    self.figures.picture_sent(Instant::now());
                }
            }
            Encoded::Failed(source) => {
                tracing::warn!(?source, "an encoder stopped and is started again");
                match source {
                    LocalSource::Camera => self.capture.video = None,
                    LocalSource::Microphone => self.capture.audio = None,
                }
                self.follow();
            }
        }
    }
}
