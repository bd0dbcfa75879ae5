// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The display's thread: composes the scene and hands it to a sink, or to nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_media_core::cadence::{Cadence, leader};
use roomd_media_core::compose::{Composer, Sources};
use roomd_media_core::frame::I420;
use roomd_media_core::plan::VideoOut;
use roomd_media_core::scene::{Scene, TileSource};
use roomd_model::StreamId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{mpsc, oneshot};

use crate::feed::arrival;
pub(crate) use crate::feed::{Feed, Picture};
use crate::kms::{Kms, KmsError};
use crate::outputs::choose;
use crate::ring::Ring;
use crate::sink::{Sink, SinkError};
use crate::ticks::Ticks;
use crate::time::Timeline;
use crate::types::DisplayOutput;
use crate::wayland::Lifeline;

/// Which display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Screen {
    People,
    Content,
}

/// Where a display is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub screen: Screen,
    pub output: DisplayOutput,
    /// The X server, or the Wayland compositor's socket, where the environment does not say.
    pub server: Option<String>,
    /// The room lacks something without it.
    pub required: bool,
}

/// What a display tells the engine.
#[derive(Debug)]
pub(crate) enum DisplayNews {
    /// A display was lost or came back.
    Sink {
        screen: Screen,
        name: Option<String>,
        missing: bool,
    },
    /// Streams' pictures of these media times appeared.
    Shown {
        media: Vec<(StreamId, u64)>,
        at: Instant,
    },
}

/// What the thread waits for.
enum Woken {
    Request(Option<Request>),
    Arrival,
    Time,
}

/// What the display is asked.
enum Request {
    Scene(Arc<Scene>),
    Feed(TileSource, Option<Feed>),
    Snapshot(oneshot::Sender<I420>),
    /// The sink of this number is lost.
    Failed(u64),
    Plugged,
    Sleep(bool),
    /// The least time between two compositions.
    Period(Duration),
    Stop,
}

/// A handle of the display's thread.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    requests: UnboundedSender<Request>,
    ticks: Ticks,
}

/// 30 pictures a second.
const PERIOD: Duration = Duration::from_nanos(33_333_333);
/// An unchanged picture is shown again, so that a display that woke up has one.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// The longest time between two attempts to open a display.
const MAX_RETRY: Duration = Duration::from_secs(30);
/// How soon a display is tried again that the room's other one is about to let go of.
const LET_GO: Duration = Duration::from_millis(100);
/// For how long that is waited for; then it counts as lost.
const CLOSING: Duration = Duration::from_secs(3);
/// A display that was open for so long is tried again soon.
const STEADY: Duration = Duration::from_secs(10);

impl Display {
    pub(crate) fn start(
        place: Place,
        kms: Kms,
        timeline: Timeline,
        news: mpsc::Sender<DisplayNews>,
    ) -> std::io::Result<Self> {
        let screen = place.screen;
        let (sender, receiver) = mpsc::unbounded_channel();
        let ticks = Ticks::default();
        let worker = Worker {
            place,
            kms,
            timeline,
            news,
            requests: sender.clone(),
            composer: Composer::default(),
            scene: Arc::new(Scene::default()),
            feeds: BTreeMap::new(),
            sources: Sources::new(),
            fresh: BTreeMap::new(),
            pictures: Ring::default(),
            sink: None,
            asleep: false,
            number: 0,
            lifeline: None,
            opened: None,
            retry: Retry::default(),
            stale: true,
            arrived: false,
            shown: None,
            period: PERIOD,
            ticks: ticks.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        std::thread::Builder::new()
            .name(
                match screen {
                    Screen::People => "display",
                    Screen::Content => "content",
                }
                .to_owned(),
            )
            .spawn(move || runtime.block_on(worker.run(receiver)))?;
        Ok(Self {
            requests: sender,
            ticks,
        })
    }

    /// Composes so often at the most.
    pub(crate) fn pace(&self, pictures_per_second: u32) {
        let period = Duration::from_secs(1) / pictures_per_second.max(1);
        self.ask(Request::Period(period));
    }

    /// Compositions that were missed since the last call.
    pub(crate) fn take_missed(&self) -> u32 {
        self.ticks.take()
    }

    /// Something was plugged into a graphics card, or pulled out.
    pub(crate) fn plugged(&self) {
        self.ask(Request::Plugged);
    }

    /// One on a graphics card gets no signal, or one again.
    pub(crate) fn sleep(&self, sleeps: bool) {
        self.ask(Request::Sleep(sleeps));
    }

    pub(crate) fn scene(&self, scene: Arc<Scene>) {
        self.ask(Request::Scene(scene));
    }

    /// Connects a source, or disconnects it.
    pub(crate) fn feed(&self, source: TileSource, feed: Option<Feed>) {
        self.ask(Request::Feed(source, feed));
    }

    /// What the display shows.
    pub(crate) fn snapshot(&self) -> oneshot::Receiver<I420> {
        let (reply, receiver) = oneshot::channel();
        self.ask(Request::Snapshot(reply));
        receiver
    }

    pub(crate) fn stop(&self) {
        self.ask(Request::Stop);
    }

    fn ask(&self, request: Request) {
        // The thread is gone only at the end.
        let _ = self.requests.send(request);
    }
}

struct Retry {
    at: Option<Instant>,
    wait: Duration,
    /// Since when the display was not let go of.
    busy: Option<Instant>,
}

impl Retry {
    /// Whether it is still waited for.
    fn waits(&mut self, now: Instant) -> bool {
        let since = *self.busy.get_or_insert(now);
        now.saturating_duration_since(since) < CLOSING
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            at: None,
            wait: Duration::from_secs(1),
            busy: None,
        }
    }
}

struct Worker {
    place: Place,
    kms: Kms,
    timeline: Timeline,
    news: mpsc::Sender<DisplayNews>,
    requests: UnboundedSender<Request>,
    composer: Composer,
    scene: Arc<Scene>,
    feeds: BTreeMap<TileSource, Feed>,
    sources: Sources,
    /// Received pictures that appear with the next composed one.
    fresh: BTreeMap<StreamId, u64>,
    pictures: Ring,
    sink: Option<Sink>,
    asleep: bool,
    /// Of the sink that was opened last.
    number: u64,
    /// Held while the sink is a Wayland compositor.
    lifeline: Option<Lifeline>,
    opened: Option<Instant>,
    retry: Retry,
    /// The picture no longer shows what it should.
    stale: bool,
    /// A source on the display has a new picture.
    arrived: bool,
    shown: Option<Instant>,
    period: Duration,
    ticks: Ticks,
}

impl Worker {
    async fn run(mut self, mut requests: UnboundedReceiver<Request>) {
        self.open_sink(Instant::now());
        let mut cadence = Cadence::new(Instant::now());
        loop {
            let now = Instant::now();
            self.keep_sink(now);
            let ready = now >= cadence.next();
            if ready && self.is_due(now) {
                let waited = self.show(now);
                self.ticks.late(now.elapsed(), self.period);
                cadence.drawn(now, waited, self.period);
                continue;
            }
            let until = if ready {
                now + KEEP_ALIVE
            } else {
                cadence.next()
            };
            let until = self.retry.at.map_or(until, |at| until.min(at));
            match self.wait(&mut requests, until, ready).await {
                Woken::Request(None | Some(Request::Stop)) => return,
                Woken::Request(Some(request)) => self.handle(request),
                Woken::Arrival => self.arrived = true,
                Woken::Time => {
                    let late = Instant::now().saturating_duration_since(until);
                    self.ticks.late(late, self.period);
                }
            }
        }
    }

    /// A new picture is drawn at once, but once in a period at the most.
    async fn wait(
        &mut self,
        requests: &mut UnboundedReceiver<Request>,
        until: Instant,
        ready: bool,
    ) -> Woken {
        tokio::select! {
            biased;
            request = requests.recv() => Woken::Request(request),
            () = arrival(&mut self.feeds, &self.scene), if ready => Woken::Arrival,
            () = tokio::time::sleep_until(until.into()) => Woken::Time,
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.arrived || (self.stale && self.sink.is_some()) || self.is_old(now)
    }

    fn is_old(&self, now: Instant) -> bool {
        let old = |shown| now.saturating_duration_since(shown) >= KEEP_ALIVE;
        self.shown.is_none_or(old)
    }

    fn handle(&mut self, request: Request) {
        match request {
            Request::Scene(scene) => {
                // What is equal stays the same, so that it is not drawn again.
                if *scene != *self.scene {
                    self.stale = true;
                    self.scene = scene;
                }
            }
            Request::Feed(source, Some(feed)) => {
                self.feeds.insert(source, feed);
            }
            Request::Feed(source, None) => {
                self.feeds.remove(&source);
                self.stale |= self.sources.remove(&source).is_some();
            }
            Request::Snapshot(reply) => {
                self.collect();
                // The sink is still to get what is drawn here.
                let owed = self.stale && self.sink.is_some();
                self.compose();
                self.stale |= owed;
                if let Some(picture) = self.pictures.current() {
                    // Whoever asked may have gone.
                    let _ = reply.send(picture.picture().clone());
                }
            }
            // One that was closed since may have complained in its last moment.
            Request::Failed(number) if number == self.number => self.failed(),
            Request::Failed(_) => {}
            Request::Plugged => self.plugged(),
            Request::Sleep(sleeps) => self.sleep(sleeps),
            Request::Period(period) => self.period = period,
            Request::Stop => {}
        }
    }

    fn failed(&mut self) {
        self.lifeline = None;
        if self.sink.take().is_some() {
            self.later();
        }
    }

    /// A pipeline on a graphics card notices nothing; windows follow their server.
    fn plugged(&mut self) {
        match self.sink.take() {
            Some(Sink::Kms(on)) if on.lit().is_some_and(|lit| self.kms.keeps(lit)) => {
                self.sink = Some(Sink::Kms(on));
                return;
            }
            // From here on a display that is pulled out is missing.
            Some(Sink::Kms(_)) => self.place.output = DisplayOutput::Kms,
            None if self.place.output != DisplayOutput::Headless => {}
            other => {
                self.sink = other;
                return;
            }
        }
        self.retry = Retry::default();
        self.open_sink(Instant::now());
    }

    fn sleep(&mut self, sleeps: bool) {
        if self.place.output != DisplayOutput::Kms || self.asleep == sleeps {
            return;
        }
        self.asleep = sleeps;
        self.retry = Retry::default();
        if let Some(Sink::Kms(on)) = &mut self.sink {
            on.darken();
        }
        self.sink = None;
        self.open_sink(Instant::now());
    }

    /// Takes new pictures of the sources that are on the display; tells when the leader's came.
    fn collect(&mut self) -> Option<Instant> {
        let leader = leader(&self.scene);
        let mut led = None;
        for (source, feed) in &mut self.feeds {
            if !feed.has_changed().unwrap_or(false) {
                continue;
            }
            let picture = feed.borrow_and_update().clone();
            let visible = self.scene.tiles.iter().any(|tile| tile.source == *source);
            self.stale |= visible;
            let Some(picture) = picture else {
                self.sources.remove(source);
                continue;
            };
            if leader == Some(*source) {
                led = Some(picture.at);
            }
            self.sources.insert(*source, picture.frame);
            if let (true, TileSource::Stream(stream), Some(media)) =
                (visible, *source, picture.media)
            {
                self.fresh.insert(stream, media);
            }
        }
        led
    }

    fn compose(&mut self) {
        self.collect();
        if !self.stale && self.pictures.current().is_some() {
            return;
        }
        self.stale = false;
        let (composer, scene, sources) = (&mut self.composer, &self.scene, &self.sources);
        self.pictures
            .draw(|canvas| composer.update(scene, sources, canvas));
    }

    /// Shows what is new; tells how long the leader's picture has been there, if it is a new one.
    fn show(&mut self, now: Instant) -> Option<Duration> {
        self.arrived = false;
        let led = self.collect();
        if self.stale || self.is_old(now) {
            self.draw(now);
        }
        if !self.fresh.is_empty() && self.news.capacity() > self.news.max_capacity() / 2 {
            let media = std::mem::take(&mut self.fresh).into_iter().collect();
            let at = Instant::now();
            // A full queue means that the engine is behind; the next picture says the same.
            let _ = self.news.try_send(DisplayNews::Shown { media, at });
        }
        self.fresh.clear();
        led.map(|came| now.saturating_duration_since(came))
    }

    fn draw(&mut self, now: Instant) {
        self.shown = Some(now);
        let Some(sink) = &self.sink else {
            // Without a display nothing is drawn until someone asks.
            return;
        };
        let at = self.timeline.stamp(now);
        self.stale = false;
        let (composer, scene, sources) = (&mut self.composer, &self.scene, &self.sources);
        let picture = self
            .pictures
            .draw(|canvas| composer.update(scene, sources, canvas));
        sink.push(picture, at);
    }

    fn keep_sink(&mut self, now: Instant) {
        if self.lifeline.as_mut().is_some_and(Lifeline::is_cut) {
            self.failed();
        }
        // One that takes nothing more says nothing.
        if self.sink.as_mut().is_some_and(|sink| sink.is_stuck(now)) {
            self.failed();
        }
        if matches!(self.sink, Some(Sink::Kms(_))) && self.kms.yields(self.place.screen) {
            self.sink = None;
            self.retry.at = Some(now + self.retry.wait);
            self.tell(None, false);
        }
        if self.sink.is_none() && self.retry.at.is_some_and(|at| now >= at) {
            self.open_sink(now);
        }
    }

    fn open_sink(&mut self, now: Instant) {
        self.retry.at = None;
        self.number += 1;
        if self.asleep {
            self.tell(None, false);
            return;
        }
        let Some((output, name)) = choose(self.place.output, self.place.server.as_deref()) else {
            self.tell(None, false);
            return;
        };
        let lifeline = match output {
            VideoOut::Wayland { socket } => Lifeline::open(socket).map(Some),
            VideoOut::Kms { .. } | VideoOut::X11 { .. } | VideoOut::Headless => Ok(None),
        };
        let opened = lifeline
            .map_err(SinkError::from)
            .and_then(|lifeline| Ok((lifeline, self.sink(output)?)));
        match opened {
            Ok((lifeline, sink)) => {
                let name = sink.connector().unwrap_or(name).to_owned();
                self.retry.busy = None;
                self.lifeline = lifeline;
                self.sink = Some(sink);
                self.opened = Some(now);
                self.stale = true;
                self.shown = Some(now);
                self.tell(Some(name), false);
            }
            Err(SinkError::Kms(KmsError::Busy(_))) if self.retry.waits(now) => {
                self.retry.at = Some(now + LET_GO);
            }
            Err(SinkError::Kms(KmsError::Unplugged)) if !self.place.required => {
                self.tell(None, false);
            }
            Err(SinkError::Kms(error @ (KmsError::Full(_) | KmsError::Busy(_))))
                if !self.place.required =>
            {
                tracing::info!(%error, "a further display stays dark");
                self.retry.at = Some(now + MAX_RETRY);
                self.tell(None, false);
            }
            Err(error) => {
                tracing::warn!(%error, display = name, "the display does not open");
                self.later();
            }
        }
    }

    fn sink(&self, output: VideoOut<'_>) -> Result<Sink, SinkError> {
        let (requests, number) = (self.requests.clone(), self.number);
        let failed = move || {
            // The thread is gone only at the end.
            let _ = requests.send(Request::Failed(number));
        };
        let kms = (&self.kms, self.place.screen);
        Sink::open(output, self.place.server.as_deref(), kms, failed)
    }

    fn later(&mut self) {
        let lasted = |opened: Instant| opened.elapsed() > STEADY;
        if self.opened.take().is_some_and(lasted) {
            self.retry = Retry::default();
        }
        self.retry.at = Some(Instant::now() + self.retry.wait);
        self.retry.wait = (self.retry.wait * 2).min(MAX_RETRY);
        self.tell(None, true);
    }

    fn tell(&self, name: Option<String>, missing: bool) {
        // A full queue means that the engine is behind; the next attempt tells again.
        let screen = self.place.screen;
        let _ = self.news.try_send(DisplayNews::Sink {
            screen,
            name,
            missing,
        });
    }
}
