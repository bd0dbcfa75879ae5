// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The camera: a device, a file or the test picture, opened only while someone looks or it is sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer_video::{VideoFrameExt as _, VideoFrameRef, VideoInfo};
use roomd_media_core::frame::{self, I420};
use roomd_media_core::pace::Pace;
use roomd_media_core::plan::{CameraInput, CameraMode};
use roomd_media_core::supply::Supply;
use roomd_media_core::testpicture::{self, TestPicture};
use tokio::sync::{mpsc, watch};

use crate::branch::{Cause, Notice};
use crate::device::{Claim, Device, Stop};
use crate::file::Player;
use crate::flow::Flow;
use crate::time::wall_millis;
use crate::types::CameraSource;

/// A picture and the moment it was taken.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub frame: Arc<I420>,
    pub at: Instant,
}

/// Without a picture for this long an open camera counts as lost.
const SILENT: Duration = Duration::from_secs(2);

/// The camera, open or not.
#[derive(Debug)]
pub(crate) struct Camera {
    source: CameraSource,
    size: (u32, u32),
    /// Pictures of a device that was asked for this size have it.
    most: (u32, u32),
    /// Pictures of a device keep their own size, up to that one.
    own_size: bool,
    picture: Arc<TestPicture>,
    utc_offset: i32,
    shots: watch::Sender<Option<Shot>>,
    notices: mpsc::Sender<Notice>,
    worker: Worker,
    opened: Instant,
    /// Counts failures, to try the next device and the next format.
    attempt: usize,
    had_device: bool,
    pace: Pace,
    /// It delivers clearly less than was agreed.
    slow: bool,
    claim: Claim,
}

#[derive(Debug)]
enum Worker {
    Closed,
    Device {
        path: PathBuf,
        device: Device,
        flow: Arc<Flow>,
        /// Pictures in 1000 seconds, where they were agreed.
        agreed: Option<u32>,
    },
    File(#[expect(dead_code, reason = "stops the thread when dropped")] Stop),
    Test(#[expect(dead_code, reason = "stops the thread when dropped")] Stop),
}

/// What a device is asked for first.
#[derive(Clone, Copy, Debug)]
enum Format {
    Mjpeg,
    Raw,
    Mode(CameraMode),
}

/// What the room sees of its camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CameraReport {
    pub name: Option<String>,
    pub test_picture: bool,
    pub slow: bool,
    /// Another program has it.
    pub in_use: bool,
}

impl Camera {
    pub(crate) fn new(
        source: CameraSource,
        size: (u32, u32),
        picture: TestPicture,
        utc_offset: i32,
        notices: mpsc::Sender<Notice>,
    ) -> Self {
        Self {
            source,
            size,
            most: size,
            own_size: false,
            picture: Arc::new(picture),
            utc_offset,
            shots: watch::Sender::new(None),
            notices,
            worker: Worker::Closed,
            opened: Instant::now(),
            attempt: 0,
            had_device: false,
            pace: Pace::camera(),
            slow: false,
            claim: Claim::default(),
        }
    }

    /// Leaves pictures of a device in their own size, where that is not larger.
    pub(crate) const fn in_own_size(mut self) -> Self {
        self.own_size = true;
        self
    }

    /// Leaves pictures of a device that was chosen in this size, larger than the usual one, as they are.
    pub(crate) const fn at_most(mut self, most: (u32, u32)) -> Self {
        self.most = most;
        self
    }

    /// The latest picture.
    pub(crate) fn shots(&self) -> watch::Receiver<Option<Shot>> {
        self.shots.subscribe()
    }

    /// The picture that stands in for a lost camera.
    pub(crate) fn still(&self) -> Arc<I420> {
        Arc::new(self.picture.still())
    }

    pub(crate) const fn is_open(&self) -> bool {
        !matches!(self.worker, Worker::Closed)
    }

    /// Opens what the settings and the machine offer; false when there is nothing. Whether it works
    /// is seen by its pictures.
    pub(crate) fn open(&mut self) -> bool {
        if self.is_open() {
            return true;
        }
        self.opened = Instant::now();
        let source = self.source.clone();
        self.worker = match source {
            CameraSource::None => Worker::Closed,
            CameraSource::TestPicture => self.test(),
            CameraSource::File(path) => self.file(&path),
            CameraSource::Device(path) => self.device(&path, Format::Mjpeg),
            CameraSource::Receiver(path) => self.device(&path, Format::Raw),
            CameraSource::Chosen(path, mode) => self.device(&path, Format::Mode(mode)),
            CameraSource::Auto => match nth_device(self.attempt / 2) {
                Some(path) => self.device(&path, Format::Mjpeg),
                None if self.had_device => Worker::Closed,
                None => self.test(),
            },
        };
        if !self.is_open() {
            self.claim.settle();
        }
        self.is_open()
    }

    /// Takes another source; what is open is released.
    pub(crate) fn set_source(&mut self, source: CameraSource) {
        if self.source != source {
            self.source = source;
            self.attempt = 0;
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
        self.shots.send_replace(None);
        self.pace = Pace::camera();
        self.slow = false;
    }

    /// Takes a notice of the running pipeline; false when the camera is lost.
    pub(crate) fn notice(&mut self, notice: Notice) -> bool {
        match (notice, &self.worker) {
            (Notice::Warning, _) | (_, Worker::Closed | Worker::Test(_)) => {}
            (Notice::End | Notice::Error(_), _) => {
                self.claim.failed(notice.cause());
                // What has worked is tried again first: it was pulled out. So is what another program has,
                // unless there may be another camera: in another format it is no freer.
                let taken = self.claim.is_in_use() && self.source != CameraSource::Auto;
                if self.shots.borrow().is_none() && !taken {
                    self.attempt += 1;
                }
                self.release();
                return false;
            }
        }
        true
    }

    /// Checks once a second that pictures come; false when the camera is lost.
    pub(crate) fn check(&mut self, now: Instant) -> bool {
        let last = self.shots.borrow().as_ref().map(|shot| shot.at);
        let since = last.unwrap_or(self.opened).max(self.opened);
        let unplugged = matches!(&self.worker, Worker::Device { path, .. } if !path.exists());
        let silent = now.saturating_duration_since(since) > SILENT;
        if matches!(&self.worker, Worker::Device { device, .. } if device.is_opening()) {
            // A second attempt would only wait beside the first.
            return !silent;
        }
        if self.is_open() && (unplugged || silent) {
            return self.notice(Notice::Error(Cause::Other));
        }
        self.had_device |= last.is_some() && matches!(self.worker, Worker::Device { .. });
        if let Worker::Device {
            flow,
            agreed: Some(agreed),
            ..
        } = &self.worker
        {
            self.slow = self.pace.is_slow(flow.delivered(), *agreed, now);
        }
        true
    }

    pub(crate) fn report(&self, lost: bool) -> CameraReport {
        if lost {
            return CameraReport {
                name: None,
                test_picture: false,
                slow: false,
                in_use: self.claim.is_in_use(),
            };
        }
        let (name, test_picture) = match (&self.worker, &self.source) {
            (Worker::Device { path, .. }, _) => (Some(path.display().to_string()), false),
            (Worker::File(_), _) | (Worker::Closed, CameraSource::File(_)) => {
                (Some("file".to_owned()), false)
            }
            (Worker::Test(_), _) | (Worker::Closed, CameraSource::TestPicture) => {
                (Some("test picture".to_owned()), true)
            }
            (Worker::Closed, CameraSource::None) => (None, false),
            (
                Worker::Closed,
                CameraSource::Device(path)
                | CameraSource::Receiver(path)
                | CameraSource::Chosen(path, _),
            ) => (path.exists().then(|| path.display().to_string()), false),
            (Worker::Closed, CameraSource::Auto) => match nth_device(0) {
                Some(path) => (Some(path.display().to_string()), false),
                None if self.had_device => (None, false),
                None => (Some("test picture".to_owned()), true),
            },
        };
        CameraReport {
            name,
            test_picture,
            slow: self.slow,
            in_use: false,
        }
    }

    fn test(&self) -> Worker {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, picture, shots) = (stop.clone(), self.picture.clone(), self.shots.clone());
        let offset = self.utc_offset;
        let run = move || {
            let mut next = Instant::now();
            let mut supply = Supply::default();
            while !stopped.load(Ordering::Relaxed) {
                let at = Instant::now();
                let draw = |frame: &mut I420| picture.draw_over(frame, wall_millis(), offset);
                let (frame, ()) = supply.draw(testpicture::SIZE, draw);
                shots.send_replace(Some(Shot { frame, at }));
                next = (next + Duration::from_nanos(33_333_333)).max(at);
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        };
        match std::thread::Builder::new()
            .name("test-picture".to_owned())
            .spawn(run)
        {
            Ok(_) => Worker::Test(Stop(stop)),
            Err(_) => Worker::Closed,
        }
    }

    fn file(&self, path: &Path) -> Worker {
        let (shots, notices) = (self.shots.clone(), self.notices.clone());
        let mut supply = Supply::default();
        let player = Player {
            plan: CameraInput::File(path).plan(self.size),
            period: Duration::from_nanos(33_333_333),
            split: Box::new(move |sample| picture(sample, &mut supply).into_iter().collect()),
            play: Box::new(move |frame| show(&shots, frame)),
            failed: Box::new(move || {
                // A full queue already holds a notice of the same trouble.
                let _ = notices.try_send(Notice::Error(Cause::Other));
            }),
        };
        player.start().map_or(Worker::Closed, Worker::File)
    }

    fn device(&mut self, path: &Path, first: Format) -> Worker {
        if !path.exists() {
            return Worker::Closed;
        }
        // Every second attempt takes another format: some cameras offer no MJPEG, and some do not
        // keep what they offer.
        let input = match (first, self.attempt.is_multiple_of(2)) {
            (Format::Mode(mode), true) => CameraInput::Mode(path, mode),
            (Format::Mjpeg, true) | (Format::Raw, false) => CameraInput::Mjpeg(path),
            (Format::Raw, true) | (Format::Mjpeg | Format::Mode(_), false) => {
                CameraInput::Raw(path)
            }
        };
        let plan = if self.own_size {
            input.plan_within(self.size)
        } else {
            input.plan(self.size_of(&input))
        };
        let agreed = match input {
            CameraInput::Mode(_, mode) => mode.rate,
            CameraInput::Mjpeg(_) | CameraInput::Raw(_) | CameraInput::File(_) => None,
        };
        let (shots, notices) = (self.shots.clone(), self.notices.clone());
        let flow = Arc::new(Flow::default());
        let [arriving, done] = [flow.clone(), flow.clone()];
        let watch = move |pad: &gst::Pad| arriving.watch(pad);
        let mut supply = Supply::default();
        let sample = move |sample: &gst::Sample| {
            done.is_done();
            if let Some(frame) = picture(sample, &mut supply) {
                show(&shots, frame);
            }
        };
        let notice = move |notice| {
            // A full queue already holds a notice of the same trouble.
            let _ = notices.try_send(notice);
        };
        let (path, hold) = (path.to_owned(), self.claim.begin());
        Device::open(plan, hold, watch, sample, notice).map_or(Worker::Closed, |device| {
            Worker::Device {
                path,
                device,
                flow,
                agreed,
            }
        })
    }

    /// The size of the pictures that are made of what a device gives.
    fn size_of(&self, input: &CameraInput<'_>) -> (u32, u32) {
        match input {
            CameraInput::Mode(_, mode) if (mode.width, mode.height) == self.most => self.most,
            CameraInput::Mode(..)
            | CameraInput::Mjpeg(_)
            | CameraInput::Raw(_)
            | CameraInput::File(_) => self.size,
        }
    }
}

fn show(shots: &watch::Sender<Option<Shot>>, frame: Arc<I420>) {
    let at = Instant::now();
    shots.send_replace(Some(Shot { frame, at }));
}

/// The picture inside a decoded sample; none when it is too large or of another kind.
fn picture(sample: &gst::Sample, supply: &mut Supply) -> Option<Arc<I420>> {
    let info = VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    let (width, height) = (frame.width(), frame.height());
    if frame.n_planes() != 3 || !frame::fits(width, height) {
        return None;
    }
    let strides = frame.plane_stride();
    let plane = |index: u32| {
        let stride = usize::try_from(strides[index as usize]).ok()?;
        Some((frame.plane_data(index).ok()?, stride))
    };
    let planes = [plane(0)?, plane(1)?, plane(2)?];
    let (picture, whole) = supply.draw((width, height), |picture| picture.copy_planes(planes));
    whole.then_some(picture)
}

/// The capture devices; a device's further nodes carry metadata, not pictures.
fn nth_device(n: usize) -> Option<PathBuf> {
    let mut names: Vec<String> = std::fs::read_dir("/sys/class/video4linux")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let index = std::fs::read_to_string(entry.path().join("index"));
            index.is_ok_and(|index| index.trim() == "0")
        })
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("video"))
        .collect();
    names.sort();
    let count = names.len().max(1);
    names
        .get(n % count)
        .map(|name| Path::new("/dev").join(name))
}
