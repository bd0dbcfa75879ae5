// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The microphone: a device, a file or the test sound, captured only while it is sent.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gstreamer as gst;
use roomd_media_core::mix::{BLOCK, RATE};
use roomd_media_core::pace::{Delivered, Pace};
use roomd_media_core::plan::MicrophoneInput;
use roomd_media_core::testsound::TestSound;
use tokio::sync::mpsc;

use crate::branch::{Cause, Notice};
use crate::device::{Claim, Device, Stop};
use crate::file::Player;
use crate::types::MicrophoneSource;
use crate::voice::Voice;

/// Samples, 48 kHz, one channel.
pub(crate) type Samples = Vec<i16>;

/// The microphone, open or not.
#[derive(Debug)]
pub(crate) struct Microphone {
    source: MicrophoneSource,
    tone: f64,
    voice: Voice,
    notices: mpsc::Sender<Notice>,
    worker: Worker,
    had_device: bool,
    /// When it was opened, or when sound last came.
    alive: Instant,
    /// It was still opening at the last look.
    opens: bool,
    pace: Pace,
    /// It gives clearly less sound than time passes.
    slow: bool,
    claim: Claim,
}

/// The microphone, as it is reported.
#[derive(Debug, Default)]
pub(crate) struct MicrophoneReport {
    /// None for a device that does not open.
    pub name: Option<String>,
    pub slow: bool,
    /// Another program has it.
    pub in_use: bool,
}

/// Without sound for this long an open microphone counts as lost.
const SILENT: Duration = Duration::from_secs(2);

#[derive(Debug)]
enum Worker {
    Closed,
    Device {
        device: Device,
        /// Samples that came; its thread writes.
        samples: Arc<AtomicU64>,
    },
    File(#[expect(dead_code, reason = "stops the thread when dropped")] Stop),
    Test(#[expect(dead_code, reason = "stops the thread when dropped")] Stop),
}

impl Microphone {
    pub(crate) fn new(
        source: MicrophoneSource,
        tone: f64,
        voice: Voice,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        Self {
            source,
            tone,
            voice,
            notices,
            worker: Worker::Closed,
            had_device: false,
            alive: Instant::now(),
            opens: false,
            pace: Pace::microphone(),
            slow: false,
            claim: Claim::default(),
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        !matches!(self.worker, Worker::Closed)
    }

    /// Opens what the settings and the machine offer; false when there is nothing. Whether it works
    /// is seen by its sound.
    pub(crate) fn open(&mut self) -> bool {
        if self.is_open() {
            return true;
        }
        let source = self.source.clone();
        self.worker = match &source {
            MicrophoneSource::TestSound => self.test(),
            MicrophoneSource::Device(device) => self.device(device),
            MicrophoneSource::File(path) => self.file(path),
            MicrophoneSource::Auto if has_alsa("capture") => self.device("default"),
            // Pulled out: the test sound is for machines that never had one.
            MicrophoneSource::Auto if self.had_device => Worker::Closed,
            MicrophoneSource::Auto => self.test(),
        };
        self.alive = Instant::now();
        if !self.is_open() {
            self.claim.settle();
        }
        self.is_open()
    }

    /// Takes another source; what is open is released.
    pub(crate) fn set_source(&mut self, source: MicrophoneSource) {
        if self.source != source {
            self.source = source;
            self.close();
        }
    }

    /// Releases the device.
    pub(crate) fn close(&mut self) {
        self.release();
        self.claim.settle();
    }

    fn release(&mut self) {
        self.worker = Worker::Closed;
        self.opens = false;
        self.pace = Pace::microphone();
        self.slow = false;
    }

    /// Takes a notice of the running pipeline; false when the microphone is lost.
    pub(crate) fn notice(&mut self, notice: Notice) -> bool {
        match (notice, &self.worker) {
            (Notice::Warning, _) | (_, Worker::Closed | Worker::Test(_)) => {}
            (Notice::End | Notice::Error(_), _) => {
                self.claim.failed(notice.cause());
                self.release();
                return false;
            }
        }
        true
    }

    /// Notes that sound came.
    pub(crate) const fn is_heard(&mut self, now: Instant) {
        self.alive = now;
        self.claim.settle();
        self.had_device |= matches!(self.worker, Worker::Device { .. });
    }

    /// Checks once a second that sound comes; false when the microphone is lost.
    pub(crate) fn check(&mut self, now: Instant) -> bool {
        if let Worker::Device { device, samples } = &self.worker {
            if device.is_opening() {
                // A second attempt would only wait beside the first.
                self.opens = true;
                return now.saturating_duration_since(self.alive) <= SILENT;
            }
            if std::mem::take(&mut self.opens) {
                // From here on it may take its time to begin.
                self.alive = now;
            }
            let delivered = Delivered {
                count: samples.load(Ordering::Relaxed),
                busy: Duration::ZERO,
            };
            self.slow = self.pace.is_slow(delivered, RATE * 1000, now);
        }
        let silent = now.saturating_duration_since(self.alive) > SILENT;
        !self.is_open() || !silent || self.notice(Notice::Error(Cause::Other))
    }

    pub(crate) fn report(&self, lost: bool) -> MicrophoneReport {
        if lost {
            return MicrophoneReport {
                in_use: self.claim.is_in_use(),
                ..MicrophoneReport::default()
            };
        }
        MicrophoneReport {
            name: self.name(),
            slow: self.slow,
            in_use: false,
        }
    }

    fn name(&self) -> Option<String> {
        let name = match &self.source {
            MicrophoneSource::TestSound => "test sound",
            MicrophoneSource::Device(device) => device,
            MicrophoneSource::File(_) => "file",
            MicrophoneSource::Auto if has_alsa("capture") => "default",
            MicrophoneSource::Auto if self.had_device => return None,
            MicrophoneSource::Auto => "test sound",
        };
        Some(name.to_owned())
    }

    /// The device that it captures from; none for what is no device.
    pub(crate) fn device_name(&self) -> Option<&str> {
        match &self.source {
            MicrophoneSource::Device(device) => Some(device),
            MicrophoneSource::Auto if has_alsa("capture") => Some("default"),
            MicrophoneSource::Auto | MicrophoneSource::TestSound | MicrophoneSource::File(_) => {
                None
            }
        }
    }

    fn test(&self) -> Worker {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, voice) = (stop.clone(), self.voice.clone());
        let mut sound = TestSound::new(self.tone);
        let run = move || {
            let mut next = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                let mut block = vec![0; BLOCK];
                sound.fill(&mut block);
                voice.taken(block, Instant::now());
                next += Duration::from_millis(10);
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        };
        match std::thread::Builder::new()
            .name("test-sound".to_owned())
            .spawn(run)
        {
            Ok(_) => Worker::Test(Stop(stop)),
            Err(_) => Worker::Closed,
        }
    }

    fn file(&self, path: &Path) -> Worker {
        let (voice, notices) = (self.voice.clone(), self.notices.clone());
        let mut rest = Samples::new();
        let split = move |sample: &gst::Sample| {
            rest.extend(samples(sample));
            let whole = rest.len() / BLOCK * BLOCK;
            let left = rest.split_off(whole);
            let blocks = std::mem::replace(&mut rest, left);
            blocks.chunks(BLOCK).map(<[i16]>::to_vec).collect()
        };
        let player = Player {
            plan: MicrophoneInput::File(path).plan(),
            period: Duration::from_millis(10),
            split: Box::new(split),
            play: Box::new(move |block| voice.taken(block, Instant::now())),
            failed: Box::new(move || {
                // A full queue already holds a notice of the same trouble.
                let _ = notices.try_send(Notice::Error(Cause::Other));
            }),
        };
        player.start().map_or(Worker::Closed, Worker::File)
    }

    fn device(&mut self, device: &str) -> Worker {
        let (voice, notices) = (self.voice.clone(), self.notices.clone());
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let sample = move |sample: &gst::Sample| {
            let samples = samples(sample);
            counted.fetch_add(samples.len() as u64, Ordering::Relaxed);
            voice.taken(samples, Instant::now());
        };
        let notice = move |notice| {
            // A full queue already holds a notice of the same trouble.
            let _ = notices.try_send(notice);
        };
        let (plan, hold) = (MicrophoneInput::Alsa(device).plan(), self.claim.begin());
        Device::open(plan, hold, |_| {}, sample, notice).map_or(Worker::Closed, |device| {
            Worker::Device {
                device,
                samples: count,
            }
        })
    }
}

/// The sound inside a sample.
pub(crate) fn samples(sample: &gst::Sample) -> Samples {
    let Some(map) = sample
        .buffer()
        .and_then(|buffer| buffer.map_readable().ok())
    else {
        return Samples::new();
    };
    map.as_slice()
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// Whether the machine has an ALSA device for `capture` or `playback`.
pub(crate) fn has_alsa(direction: &str) -> bool {
    std::fs::read_to_string("/proc/asound/pcm").is_ok_and(|list| list.contains(direction))
}
