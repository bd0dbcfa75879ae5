// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One running GStreamer pipeline, built from a plan.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use roomd_media_core::plan::{ENCODER, Plan, SINK, SOURCE};
use roomd_media_core::pulse::{Counters, Pulse};

/// A pipeline could not be built or started.
#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    /// An element is missing or refuses a setting.
    #[error("building a pipeline")]
    Build(#[from] gst::glib::Error),
    /// The plan lacks an element that the engine needs.
    #[error("the pipeline has no element {0}")]
    Element(&'static str),
    /// A device does not open.
    #[error("starting a pipeline")]
    Start(#[from] gst::StateChangeError),
    /// Another program has its device.
    #[error("another program has the device")]
    InUse,
    /// No thread for it.
    #[error("starting a thread")]
    Thread(#[from] std::io::Error),
}

impl BranchError {
    /// What it means for whoever wanted the pipeline.
    pub(crate) const fn cause(&self) -> Cause {
        match self {
            Self::InUse => Cause::InUse,
            Self::Build(_) | Self::Element(_) | Self::Start(_) | Self::Thread(_) => Cause::Other,
        }
    }
}

/// Why a pipeline has stopped working, or does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its device is busy.
    InUse,
    /// Whatever else.
    Other,
}

impl Cause {
    /// ALSA's elements say so of a device that is open elsewhere, and V4L2's of one that takes no format
    /// because another program streams from it.
    fn of(error: &gst::glib::Error) -> Self {
        if error.matches(gst::ResourceError::Busy) {
            Self::InUse
        } else {
            Self::Other
        }
    }
}

/// What a running pipeline reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// An element complains and goes on.
    Warning,
    /// It has stopped working.
    Error(Cause),
    /// A file is at its end.
    End,
}

impl Notice {
    /// Why it works no longer, where it does not.
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Error(cause) => cause,
            Self::Warning | Self::End => Cause::Other,
        }
    }
}

/// How long is waited for a pipeline to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running pipeline; stops when dropped.
#[derive(Debug)]
pub(crate) struct Branch {
    pipeline: gst::Pipeline,
    source: Option<AppSrc>,
    taken: AtomicU64,
    given: Arc<AtomicU64>,
    /// Nobody has it any more.
    closed: Arc<AtomicBool>,
    /// An element found its device busy.
    in_use: Arc<AtomicBool>,
    /// Kept until it has stopped.
    hold: Option<Arc<()>>,
    pulse: Pulse,
}

impl Branch {
    /// Starts a pipeline. Both functions run on its threads and must not wait.
    pub(crate) fn open(
        plan: &Plan,
        sample: impl FnMut(&gst::Sample) + Send + 'static,
        notice: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Self, BranchError> {
        Self::open_watched(plan, |_| {}, sample, notice)
    }

    /// The same, with a look at where the source gives what it takes, before it does.
    pub(crate) fn open_watched(
        plan: &Plan,
        watch: impl FnOnce(&gst::Pad),
        sample: impl FnMut(&gst::Sample) + Send + 'static,
        notice: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Self, BranchError> {
        let branch = Self::build(plan, watch, sample, notice)?;
        let started = branch.pipeline.set_state(gst::State::Playing);
        started.map_err(|error| branch.refusal(error))?;
        Ok(branch)
    }

    /// The same for what may take long to start, or for ever: it starts on a thread of its own, and what
    /// is pushed before is lost. Where it does not start, an error is told.
    pub(crate) fn open_apart(
        plan: &Plan,
        sample: impl FnMut(&gst::Sample) + Send + 'static,
        notice: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Self, BranchError> {
        let notice = Arc::new(notice);
        let told = notice.clone();
        let branch = Self::build(plan, |_| {}, sample, move |it| told(it))?;
        let (pipeline, closed) = (branch.pipeline.clone(), branch.closed.clone());
        let start = move || {
            if pipeline.set_state(gst::State::Playing).is_err() {
                notice(Notice::Error(Cause::Other));
            }
            if closed.load(Ordering::Acquire) {
                // Whoever stopped it may have come before. Stopping twice does no harm.
                let _ = pipeline.set_state(gst::State::Null);
            }
        };
        let starter = std::thread::Builder::new().name("start".to_owned());
        starter.spawn(start)?;
        Ok(branch)
    }

    fn build(
        plan: &Plan,
        watch: impl FnOnce(&gst::Pad),
        mut sample: impl FnMut(&gst::Sample) + Send + 'static,
        notice: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Self, BranchError> {
        let pipeline = gst::parse::launch(&plan.to_string())?
            .downcast::<gst::Pipeline>()
            .map_err(|_| BranchError::Element("pipeline"))?;
        let in_use = Arc::new(AtomicBool::new(false));
        if let Some(bus) = pipeline.bus() {
            let busy = in_use.clone();
            bus.set_sync_handler(move |_, message| {
                use gst::MessageView::{Eos, Error, Warning};
                #[expect(clippy::wildcard_enum_match_arm, reason = "GStreamer's messages are many and may grow")]
                match message.view() {
                    Error(error) => {
                        tracing::debug!(domain = ?error.error().kind::<gst::CoreError>(), "pipeline error");
                        let cause = Cause::of(&error.error());
                        if cause == Cause::InUse {
                            busy.store(true, Ordering::Relaxed);
                        }
                        notice(Notice::Error(cause));
                    }
                    Warning(_) => notice(Notice::Warning),
                    Eos(_) => notice(Notice::End),
                    _ => {}
                }
                gst::BusSyncReply::Drop
            });
        }
        let find = |name| pipeline.by_name(name);
        let source = find(SOURCE).and_then(|element| element.downcast::<AppSrc>().ok());
        let given = Arc::new(AtomicU64::new(0));
        if let Some(sink) = find(SINK).and_then(|element| element.downcast::<AppSink>().ok()) {
            let arrived = given.clone();
            let callbacks = AppSinkCallbacks::builder().new_sample(move |sink| {
                arrived.fetch_add(1, Ordering::Relaxed);
                sample(&sink.pull_sample().map_err(|_| gst::FlowError::Eos)?);
                Ok(gst::FlowSuccess::Ok)
            });
            sink.set_callbacks(callbacks.build());
        } else {
            count_arrivals(&pipeline, &given);
        }
        let taking = pipeline.iterate_sources().next().ok().flatten();
        if let Some(pad) = taking.and_then(|source| source.static_pad("src")) {
            watch(&pad);
        }
        Ok(Self {
            pipeline,
            source,
            taken: AtomicU64::new(0),
            given,
            closed: Arc::default(),
            in_use,
            hold: None,
            pulse: Pulse::default(),
        })
    }

    /// Why it did not start: an element that finds its device busy says so before it refuses.
    fn refusal(&self, error: gst::StateChangeError) -> BranchError {
        if self.in_use.load(Ordering::Relaxed) {
            BranchError::InUse
        } else {
            BranchError::Start(error)
        }
    }

    /// Lets go of this only once it has stopped.
    pub(crate) fn hold(&mut self, hold: Arc<()>) {
        self.hold = Some(hold);
    }

    /// Pushes bytes with their time; a full queue loses its oldest.
    pub(crate) fn push(
        &self,
        bytes: impl AsRef<[u8]> + Send + 'static,
        at: gst::ClockTime,
        lasts: Option<gst::ClockTime>,
    ) {
        self.push_buffer(gst::Buffer::from_slice(bytes), at, lasts);
    }

    /// The same with a buffer that nobody else holds.
    pub(crate) fn push_buffer(
        &self,
        mut buffer: gst::Buffer,
        at: gst::ClockTime,
        lasts: Option<gst::ClockTime>,
    ) {
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(at);
            buffer.set_duration(lasts);
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        if let Some(source) = &self.source {
            // An error means that the pipeline stops; its notice says so.
            let _ = source.push_buffer(buffer);
        }
    }

    /// How much of what was pushed waits for the pipeline's first element.
    pub(crate) fn queued(&self) -> u64 {
        let source = self.source.as_ref();
        source.map_or(0, AppSrc::current_level_buffers)
    }

    /// Tells a decoder that something is missing here.
    pub(crate) fn push_gap(&self, at: gst::ClockTime, lasts: gst::ClockTime) {
        if let Some(source) = &self.source {
            source.send_event(gst::event::Gap::builder(at).duration(lasts).build());
        }
    }

    /// Says that nothing more comes; what was pushed is still worked on.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn end(&self) {
        if let Some(source) = &self.source {
            // An error means that the pipeline has stopped already; its notice says so.
            let _ = source.end_of_stream();
        }
    }

    /// Whether it takes and gives nothing any more; asked about once a second.
    pub(crate) fn is_stuck(&mut self, now: Instant) -> bool {
        let counters = self.counters();
        self.pulse.is_stuck(counters, now)
    }

    /// What it has taken and given.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            taken: self.taken.load(Ordering::Relaxed),
            given: self.given.load(Ordering::Relaxed),
        }
    }

    /// How long it has been running.
    pub(crate) fn running_time(&self) -> gst::ClockTime {
        self.pipeline.current_running_time().unwrap_or_default()
    }

    /// How long after its time something leaves the pipeline's end.
    pub(crate) fn latency(&self) -> Duration {
        let mut query = gst::query::Latency::new();
        if self.pipeline.query(&mut query) {
            return query.result().1.into();
        }
        Duration::ZERO
    }

    /// Stops, and lets go of what it runs on only then. Waits for it, but not without end.
    pub(crate) fn close(self, runs_on: impl Send + 'static) {
        let pipeline = self.pipeline.clone();
        let (done, stopped) = std::sync::mpsc::channel();
        let stop = move || {
            // Stopping cannot fail in a way that anything could be done about.
            let _ = pipeline.set_state(gst::State::Null);
            drop(runs_on);
            // Whoever waited may have gone on.
            let _ = done.send(());
        };
        let stopper = std::thread::Builder::new().name("close".to_owned());
        match stopper.spawn(stop) {
            Ok(_) if stopped.recv_timeout(PATIENCE).is_ok() => {}
            Ok(_) => tracing::warn!("a pipeline takes long to stop"),
            Err(error) => tracing::error!(%error, "a pipeline is left running"),
        }
    }

    /// The encoder, in a pipeline that has one.
    pub(crate) fn encoder(&self) -> Option<gst::Element> {
        self.pipeline.by_name(ENCODER)
    }
}

/// Counts what reaches the end of a pipeline to a device.
fn count_arrivals(pipeline: &gst::Pipeline, given: &Arc<AtomicU64>) {
    let sink = pipeline.iterate_sinks().next().ok().flatten();
    let Some(pad) = sink.and_then(|sink| sink.static_pad("sink")) else {
        return;
    };
    let given = given.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        given.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
}

impl Drop for Branch {
    fn drop(&mut self) {
        let (pipeline, hold) = (self.pipeline.clone(), self.hold.take());
        let stop = move || {
            // Stopping cannot fail in a way that anything could be done about.
            let _ = pipeline.set_state(gst::State::Null);
            drop(hold);
        };
        self.closed.store(true, Ordering::Release);
        // A device may take long to close, and a streaming thread must never wait for itself.
        let stopper = std::thread::Builder::new().name("stop".to_owned());
        if let Err(error) = stopper.spawn(stop) {
            tracing::error!(%error, "a pipeline is left running");
        }
    }
}

#[cfg(test)]
mod tests {
    use gstreamer::glib::Error;

    use super::*;

    #[test]
    fn a_busy_device_is_told_from_one_that_is_gone() {
        let of = |error: gst::ResourceError| Cause::of(&Error::new(error, "a device"));
        assert_eq!(of(gst::ResourceError::Busy), Cause::InUse);
        for other in [
            gst::ResourceError::NotFound,
            gst::ResourceError::OpenRead,
            gst::ResourceError::Settings,
        ] {
            assert_eq!(of(other), Cause::Other);
        }
        // The number means something else in another domain.
        let other = Error::new(gst::StreamError::TypeNotFound, "a file");
        assert_eq!(Cause::of(&other), Cause::Other);
    }

    #[test]
    fn what_it_runs_on_is_let_go_once_it_has_stopped() {
        gst::init().unwrap();
        let plan = roomd_media_core::plan::AudioEncode { bitrate: 32_000 }.plan();
        let mut branch = Branch::open(&plan, |_| {}, |_| {}).unwrap();
        let hold = Arc::new(());
        branch.hold(hold.clone());
        assert_eq!(Arc::strong_count(&hold), 2);
        drop(branch);
        let end = Instant::now() + Duration::from_secs(10);
        while Arc::strong_count(&hold) > 1 {
            assert!(Instant::now() < end, "it is held for ever");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
