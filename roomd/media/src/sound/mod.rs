// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The mixer's thread: received sound in, the loudspeaker's sound out, every 10 ms.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use roomd_media_core::mix::{BLOCK, Fitted, Mixer, RATE};
use roomd_media_core::plan::AudioOut;
use roomd_media_core::tone;
use roomd_model::StreamId;
use tokio::sync::{mpsc, oneshot};

use crate::branch::{Branch, Cause, Notice};
use crate::device::Claim;
use crate::microphone::{Samples, has_alsa};
use crate::types::Loudspeaker;
use crate::voice::Voice;

/// What the mixer tells the engine.
#[derive(Debug)]
pub(crate) enum SoundNews {
    /// Every 50 ms while there are sources.
    Heard {
        /// How loud each source is.
        levels: Vec<(StreamId, u8)>,
        /// The media time of what leaves the loudspeaker at a moment.
        media: Vec<(StreamId, u64)>,
        /// What was done to the sound of each source so that it fits.
        fitted: Vec<(StreamId, Fitted)>,
        /// That moment.
        at: Instant,
    },
    /// The loudspeaker was lost or came back.
    Loudspeaker {
        name: Option<String>,
        missing: bool,
        /// Another program has it.
        in_use: bool,
    },
}

/// What the mixer is asked.
#[derive(Debug)]
enum Request {
    Add(StreamId),
    Remove(StreamId),
    Push(StreamId, Samples, Option<u64>),
    Volume(u8),
    Loudspeaker(Loudspeaker),
    Tone {
        hertz: f64,
        reply: oneshot::Sender<f64>,
    },
    Stop,
}

/// A handle of the mixer's thread.
#[derive(Clone, Debug)]
pub(crate) struct Sound(SyncSender<Request>);

/// What a sound test plays, or somebody hears of themself; sessions count from below.
pub(crate) const TEST: StreamId = StreamId(u32::MAX);

/// How often a lost loudspeaker is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How often is looked after one that opens, or that waits for another of the room's own to close.
const SOON: Duration = Duration::from_millis(100);
/// For how long that is waited for; then it counts as lost.
const CLOSING: Duration = Duration::from_secs(3);
/// Blocks that a tone is measured over: 200 ms.
const MEASURED: usize = 20;

impl Sound {
    pub(crate) fn start(
        loudspeaker: Loudspeaker,
        voice: Voice,
        news: mpsc::Sender<SoundNews>,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(512);
        let worker = Worker::new(loudspeaker, voice, news);
        std::thread::Builder::new()
            .name("mixer".to_owned())
            .spawn(move || worker.run(&receiver))?;
        Ok(Self(sender))
    }

    pub(crate) fn add(&self, stream: StreamId) {
        self.ask(Request::Add(stream));
    }

    pub(crate) fn remove(&self, stream: StreamId) {
        self.ask(Request::Remove(stream));
    }

    /// Never waits: what does not fit is lost, and the mixer has queues of its own.
    pub(crate) fn push(&self, stream: StreamId, samples: Samples, media: Option<u64>) {
        let _ = self.0.try_send(Request::Push(stream, samples, media));
    }

    pub(crate) fn volume(&self, percent: u8) {
        self.ask(Request::Volume(percent));
    }

    /// Plays on another loudspeaker from here on.
    pub(crate) fn loudspeaker(&self, loudspeaker: Loudspeaker) {
        self.ask(Request::Loudspeaker(loudspeaker));
    }

    /// How loud a frequency is in what the loudspeaker plays.
    pub(crate) fn tone(&self, hertz: f64) -> oneshot::Receiver<f64> {
        let (reply, receiver) = oneshot::channel();
        self.ask(Request::Tone { hertz, reply });
        receiver
    }

    pub(crate) fn stop(&self) {
        self.ask(Request::Stop);
    }

    /// The mixer empties its queue every 10 ms, so this waits for that long at most.
    fn ask(&self, request: Request) {
        // The thread is gone only at the end.
        let _ = self.0.send(request);
    }
}

struct Measurement {
    hertz: f64,
    samples: Samples,
    reply: oneshot::Sender<f64>,
}

struct Worker {
    mixer: Mixer,
    loudspeaker: Loudspeaker,
    voice: Voice,
    news: mpsc::Sender<SoundNews>,
    output: Option<Branch>,
    opening: Option<Receiver<Result<(Branch, String), Cause>>>,
    claim: Claim,
    tried: Option<Instant>,
    /// Since when the one before it is waited for.
    waits: Option<Instant>,
    failed: (SyncSender<()>, Receiver<()>),
    tones: Vec<Measurement>,
    blocks: u64,
    /// A moment, and what the loudspeaker's own time was then.
    began: Option<(Instant, gstreamer::ClockTime)>,
    /// How long a block is on its way through the loudspeaker.
    latency: Duration,
}

impl Worker {
    fn new(loudspeaker: Loudspeaker, voice: Voice, news: mpsc::Sender<SoundNews>) -> Self {
        Self {
            mixer: Mixer::default(),
            loudspeaker,
            voice,
            news,
            output: None,
            opening: None,
            claim: Claim::default(),
            tried: None,
            waits: None,
            failed: sync_channel(1),
            tones: Vec::new(),
            blocks: 0,
            began: None,
            latency: Duration::ZERO,
        }
    }

    fn run(mut self, requests: &Receiver<Request>) {
        let period = Duration::from_millis(10);
        let mut next = Instant::now();
        loop {
            let is_idle = self.is_idle();
            let wait = if is_idle {
                // A room without a call needs no clock of 10 ms.
                if self.opening.is_some() || self.is_waiting(Instant::now()) {
                    SOON
                } else {
                    Duration::from_secs(1)
                }
            } else {
                next.saturating_duration_since(Instant::now())
            };
            match requests.recv_timeout(wait) {
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(request) => self.handle(request),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            self.keep_output(now);
            if is_idle {
                // What begins after a pause begins now, not where the clock stood still.
                next = now;
            }
            if now >= next {
                self.block(next);
                next = if now > next + 10 * period {
                    now + period
                } else {
                    next + period
                };
            }
        }
    }

    fn handle(&mut self, request: Request) {
        match request {
            Request::Add(stream) => self.mixer.add(stream),
            Request::Remove(stream) => self.mixer.remove(stream),
            Request::Push(stream, samples, Some(media)) => {
                self.mixer.push_at(stream, &samples, media);
            }
            Request::Push(stream, samples, None) => self.mixer.push(stream, &samples),
            Request::Volume(percent) => self.mixer.set_volume(percent),
            Request::Loudspeaker(loudspeaker) => self.change(loudspeaker),
            Request::Tone { hertz, reply } => self.tones.push(Measurement {
                hertz,
                samples: Samples::with_capacity(MEASURED * BLOCK),
                reply,
            }),
            Request::Stop => {}
        }
    }

    fn change(&mut self, loudspeaker: Loudspeaker) {
        if self.loudspeaker != loudspeaker {
            self.loudspeaker = loudspeaker;
            // One that is still opening belongs to the old choice.
            (self.output, self.opening, self.tried) = (None, None, None);
            self.waits = None;
            self.claim.settle();
        }
    }

    /// Nobody is to be heard.
    fn is_idle(&self) -> bool {
        self.mixer.is_empty() && self.tones.is_empty()
    }

    fn block(&mut self, at: Instant) {
        if self.is_idle() {
            return;
        }
        let mut block = [0; BLOCK];
        let report = self.blocks.is_multiple_of(5);
        let media: Vec<_> = if report {
            self.mixer.playing().collect()
        } else {
            Vec::new()
        };
        self.mixer.mix(&mut block);
        let mut heard = at;
        if let Some(output) = &self.output {
            let bytes: Vec<u8> = block
                .iter()
                .flat_map(|sample| sample.to_le_bytes())
                .collect();
            let lasts = gstreamer::ClockTime::from_mseconds(10);
            // A loudspeaker that was opened later counts its own time, and a block may be late.
            let now = || (Instant::now(), output.running_time());
            let began = *self.began.get_or_insert_with(now);
            output.push(bytes, stamp(at, began), Some(lasts));
            self.voice.played(&block, at);
            if self.blocks.is_multiple_of(100) {
                self.latency = output.latency();
            }
            heard += self.latency;
        }
        self.measure(&block);
        self.blocks += 1;
        if report {
            let news = SoundNews::Heard {
                levels: self.mixer.levels().collect(),
                media,
                fitted: self.mixer.fitted().collect(),
                at: heard,
            };
            // A full queue means that the engine is behind; the next levels are fresher.
            let _ = self.news.try_send(news);
        }
    }

    fn measure(&mut self, block: &[i16]) {
        for tone in &mut self.tones {
            tone.samples.extend_from_slice(block);
        }
        let full = |tone: &mut Measurement| tone.samples.len() >= MEASURED * BLOCK;
        for done in self.tones.extract_if(.., full) {
            // Whoever asked may have gone.
            let _ = done
                .reply
                .send(tone::level(&done.samples, RATE, done.hertz));
        }
    }

    /// Opens the loudspeaker, and again after it was lost.
    fn keep_output(&mut self, now: Instant) {
        self.take_output(now);
        let failed = self.failed.1.try_recv().is_ok();
        // A device that takes nothing more says nothing.
        let stuck = |output: &mut Branch| output.is_stuck(now);
        if (failed || self.output.as_mut().is_some_and(stuck)) && self.output.take().is_some() {
            self.tell(None, true);
        }
        let pause = if self.is_waiting(now) { SOON } else { RETRY };
        let due = |tried| now.saturating_duration_since(tried) >= pause;
        if self.output.is_some() || self.opening.is_some() || !self.tried.is_none_or(due) {
            return;
        }
        // To find one reads a file, so not at every block.
        let first = self.tried.replace(now).is_none();
        let Some(device) = self.device() else {
            if first {
                self.tell(None, false);
            }
            return;
        };
        // What one that was let go still has to say is not about this one.
        self.failed = sync_channel(1);
        let failed = self.failed.0.clone();
        let notice = move |notice| {
            if matches!(notice, Notice::Error(_)) {
                // One word is enough.
                let _ = failed.try_send(());
            }
        };
        let (sender, receiver) = sync_channel(1);
        let hold = self.claim.begin();
        let open = move || {
            let opened = Branch::open(&AudioOut::Alsa(&device).plan(), |_| {}, notice)
                .inspect_err(|error| tracing::info!(%error, "the loudspeaker does not open"));
            let opened = opened.map_err(|error| error.cause()).map(|mut branch| {
                branch.hold(hold);
                (branch, device)
            });
            // An error means that the mixer has stopped.
            let _ = sender.send(opened);
        };
        // A device may take seconds, and the mixer has blocks to make.
        let opener = std::thread::Builder::new().name("loudspeaker".to_owned());
        match opener.spawn(open) {
            Ok(_) => self.opening = Some(receiver),
            Err(_) => self.tell(None, true),
        }
    }

    /// Takes a loudspeaker that has opened meanwhile.
    fn take_output(&mut self, now: Instant) {
        let Some(opening) = &self.opening else {
            return;
        };
        let opened = match opening.try_recv() {
            Err(TryRecvError::Empty) => return,
            Err(TryRecvError::Disconnected) => Err(Cause::Other),
            Ok(opened) => opened,
        };
        self.opening = None;
        self.began = None;
        match &opened {
            Err(Cause::InUse) if self.claim.was_early() => {
                // The loudspeaker before it, which may be the same by another name, takes its time to close.
                self.waits.get_or_insert(now);
                if self.is_waiting(now) {
                    return;
                }
                self.claim.failed(Cause::InUse);
            }
            Ok(_) => {
                self.waits = None;
                self.claim.settle();
            }
            Err(cause) => {
                self.waits = None;
                self.claim.failed(*cause);
            }
        }
        let (output, name) = opened.ok().unzip();
        let missing = output.is_none();
        self.output = output;
        self.tell(name, missing);
    }

    /// Whether the one before it may still close.
    fn is_waiting(&self, now: Instant) -> bool {
        let waits = |since| now.saturating_duration_since(since) < CLOSING;
        self.waits.is_some_and(waits)
    }

    fn device(&self) -> Option<String> {
        match &self.loudspeaker {
            Loudspeaker::None => None,
            Loudspeaker::Device(device) => Some(device.clone()),
            Loudspeaker::Auto => has_alsa("playback").then(|| "default".to_owned()),
        }
    }

    fn tell(&self, name: Option<String>, missing: bool) {
        let news = SoundNews::Loudspeaker {
            name,
            missing,
            in_use: missing && self.claim.is_in_use(),
        };
        // A full queue means that the engine is behind; the next attempt tells again.
        let _ = self.news.try_send(news);
    }
}

/// The loudspeaker's time of a moment, given a moment and what its time was then.
fn stamp(at: Instant, (began, offset): (Instant, gstreamer::ClockTime)) -> gstreamer::ClockTime {
    let before = clock_time(began.saturating_duration_since(at));
    offset.saturating_sub(before) + clock_time(at.saturating_duration_since(began))
}

fn clock_time(duration: Duration) -> gstreamer::ClockTime {
    // Hundreds of years.
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2);
    gstreamer::ClockTime::from_nseconds(nanos)
}

#[cfg(test)]
mod tests;
