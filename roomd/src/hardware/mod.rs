// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The hardware task: it owns what the room knows about its devices, and tells the engine which to
//! use. What devices are asked goes on beside it; nothing here waits for one.

#[cfg(test)]
mod bench;
mod cameras;
mod content;
mod handle;
mod health;
mod held;
mod keys;
mod orders;
mod panels;
mod places;
mod power;
mod presets;
mod ptz;
mod self_hear;
mod setup;
mod sound;
mod sound_test;
mod survey;

use std::path::Path;
use std::time::Duration;

use roomd_api::Reply;
use roomd_config::{Camera as ConfiguredCamera, Settings};
use roomd_devices::core::display::schedule::Use;
use roomd_devices::core::health::Subject;
use roomd_devices::core::inventory::{Effect, Entry};
use roomd_devices::core::keys::Action;
use roomd_devices::core::panel::{Connected, Panels};
use roomd_devices::monitor::{self, Monitor};
use roomd_devices::mute::{Held, RoomSound, Wish};
use roomd_interfaces::PreviewRequest;
use roomd_media::{CameraSource, Engine, EngineCommand};
use roomd_model::{FaultCode, PictureSize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use self::cameras::{Cameras, News};
use self::content::{Answered, Content};
use self::health::Marks;
use self::held::{Heard, heard};
use self::keys::Keys;
use self::places::PlaceStore;
use self::power::DisplayControl;
use self::presets::PresetStore;
use self::self_hear::SelfHear;
use self::setup::{content_display, displays, quirks, refused_keys, roles, visca};
use self::sound::{Done, Sound};
use self::sound_test::SoundTest;
use self::survey::Opening;
use crate::daemon::now;

pub use self::content::{ContentFacts, ContentOrder};
pub use self::handle::{Hardware, HardwareState, Order, Outlets, RoomFacts, Touch};
pub use self::panels::PanelNews;
pub use self::setup::SoundDevices;
pub use self::sound::{SoundNames, policy as echo_policy};

/// Orders that wait for the task; people do not give more.
const ORDERS: usize = 32;
/// Touches that wait for the room task. More are no person's.
const TOUCHES: usize = 32;
const NEWS: usize = 32;
/// How often a device that is there and does not open is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// Previews that wait for the task; there are not that many panels.
const LOOKS: usize = 32;

/// The largest size of the camera's picture on this machine.
pub fn largest_picture(settings: &Settings) -> PictureSize {
    let processors = std::thread::available_parallelism();
    survey::largest(
        settings.media.camera_size,
        processors.map_or(1, std::num::NonZero::get),
    )
}

/// Starts the task. A machine on which devices cannot be listed goes on with what the engine finds.
pub fn start(
    settings: &Settings,
    sound_devices: SoundDevices,
    panels: PanelNews,
    state_dir: &Path,
    engine: Engine,
) -> (Hardware, Outlets) {
    let (orders, order_receiver) = mpsc::channel(ORDERS);
    let (touch_sender, touches) = mpsc::channel(TOUCHES);
    let (touched, touched_receiver) = mpsc::channel(1);
    let (news, news_receiver) = mpsc::channel(NEWS);
    let (looks, look_receiver) = mpsc::channel(LOOKS);
    let (answers, answer_receiver) = mpsc::channel(NEWS);
    let room = watch::Sender::new(RoomFacts::default());
    let publish = watch::Sender::new(HardwareState::default());
    let outlets = Outlets {
        state: publish.subscribe(),
        touches,
    };
    let (roles, named, inputs) = roles(settings);
    let place_store = PlaceStore::load(state_dir);
    let places = place_store.kept();
    let mut marks = Marks {
        refused_keys: refused_keys(&settings.buttons),
        ..Marks::default()
    };
    let SoundDevices { table, rejected } = sound_devices;
    marks
        .tables
        .extend(rejected.map(|cause| (Subject::Microphone, cause)));
    let quirks = quirks(settings, &mut marks);
    let chooses = matches!(
        settings.media.camera,
        ConfiguredCamera::Auto | ConfiguredCamera::Device(_)
    );
    let store = PresetStore::load(state_dir);
    let visca = visca(settings, &store);
    let opening = Opening {
        mains: settings.media.mains,
        largest: largest_picture(settings),
    };
    let cameras = chooses.then(|| Cameras::new(named, opening, visca, store, news));
    let display = DisplayControl::new(
        settings.display.clone(),
        displays(settings),
        content_display(settings),
        &settings.room.name,
        quirks,
        now(),
    );
    let task = Task {
        cameras,
        sound: Sound::new(&settings.media, table),
        sound_test: SoundTest::load(state_dir),
        self_hear: SelfHear::new(),
        content: Content::new(inputs, answers),
        keys: Keys::new(&settings.buttons),
        places: place_store,
        display,
        panels: panels.panels(),
        name: settings.room.name.clone(),
        content_sleeps: false,
        mute: watch::Sender::new(RoomSound::default()),
        held: None,
        marks,
        entries: Vec::new(),
        present: false,
        engine,
        publish,
        touches: touch_sender,
    };
    match monitor::spawn(roles, places) {
        Ok(monitor) => {
            let inlets = Inlets {
                monitor,
                orders: order_receiver,
                touched: touched_receiver,
                room: room.subscribe(),
                news: news_receiver,
                looks: look_receiver,
                answers: answer_receiver,
                panels,
            };
            tokio::spawn(task.run(inlets));
        }
        Err(error) => {
            let error = anyhow::Error::new(error);
            tracing::warn!(
                code = "devices-unlisted",
                "no devices are listed: {error:#}"
            );
        }
    }
    let hardware = Hardware {
        orders,
        room,
        touched,
        looks,
    };
    (hardware, outlets)
}

/// What reaches the task.
struct Inlets {
    monitor: Monitor,
    orders: mpsc::Receiver<(Order, oneshot::Sender<Reply>)>,
    touched: mpsc::Receiver<()>,
    room: watch::Receiver<RoomFacts>,
    news: mpsc::Receiver<News>,
    looks: mpsc::Receiver<PreviewRequest>,
    answers: mpsc::Receiver<Answered>,
    panels: PanelNews,
}

struct Task {
    cameras: Option<Cameras>,
    sound: Option<Sound>,
    sound_test: SoundTest,
    self_hear: SelfHear,
    content: Content,
    keys: Keys,
    places: PlaceStore,
    display: DisplayControl,
    panels: Panels,
    /// The room's.
    name: String,
    /// What the engine was told of the display for content.
    content_sleeps: bool,
    mute: watch::Sender<RoomSound>,
    /// The mute key and lamp in use.
    held: Option<Held>,
    marks: Marks,
    entries: Vec<Entry>,
    /// A sensor sees somebody.
    present: bool,
    engine: Engine,
    publish: watch::Sender<HardwareState>,
    touches: mpsc::Sender<Touch>,
}

impl Task {
    async fn run(mut self, mut inlets: Inlets) {
        self.refresh(&inlets.monitor).await;
        self.follow_room(&inlets.room.borrow().clone());
        self.follow_panels(inlets.panels.connected());
        let mut retry = tokio::time::interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.content.settle(&self.engine).await;
            self.wake_content_display().await;
            self.tell(&inlets.room.borrow().clone());
            let due = self.display.poll_timeout(now());
            let content_due = self.content.poll_timeout();
            let panel_due = self.panels.poll_timeout().map(|(at, _)| at.into());
            tokio::select! {
                effect = inlets.monitor.news.recv() => {
                    let Some(effect) = effect else { return };
                    self.plugged(effect, &mut inlets.monitor).await;
                }
                order = inlets.orders.recv() => {
                    let Some((order, reply)) = order else { return };
                    let room = inlets.room.borrow().clone();
                    self.order(order, &room, reply).await;
                }
                changed = inlets.room.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let room = inlets.room.borrow_and_update().clone();
                    self.follow_room(&room);
                }
                Some(()) = inlets.touched.recv() => self.display.touched(now()),
                Some(news) = inlets.news.recv() => self.news(news).await,
                Some(request) = inlets.looks.recv() => self.look(request).await,
                Some(answer) = inlets.answers.recv() => self.content.answered(&answer),
                () = inlets.panels.changed() => self.follow_panels(inlets.panels.connected()),
                heard = heard(&mut self.held) => self.heard(heard),
                Some(done) = done(&mut self.sound) => self.done(done),
                Some(heard) = self.keys.heard() => match heard {
                    keys::Heard::Press(action) => self.pressed(action),
                    keys::Heard::Standing => {
                        self.stand();
                        self.use_display(&inlets.room.borrow().clone());
                    }
                },
                _ = retry.tick(), if self.is_failing() => self.retry().await,
                () = self.sound_test.changed() => {}
                () = self.self_hear.changed() => {}
                () = self.display.changed() => {
                    self.display.repeat();
                    self.marks.absent_displays = self.display.absent();
                    if self.display.is_replugged() {
                        self.engine.command(EngineCommand::DisplayPlugged).await;
                    }
                }
                () = sleep_until(due) => self.display.handle_timeout(now()),
                () = sleep_until(content_due) => {}
                () = sleep_until(panel_due) => self.panels.handle_timeout(now().mono),
            }
        }
    }

    /// The second display sleeps as one without a signal does, and wakes with it: it may have no CEC adapter
    /// and no bus of its own.
    async fn wake_content_display(&mut self) {
        let sleeps = self.display.sleeps();
        if self.content_sleeps != sleeps {
            self.content_sleeps = sleeps;
            let command = EngineCommand::ContentDisplaySleeps(sleeps);
            self.engine.command(command).await;
        }
    }

    /// Takes what was plugged, with whatever else was meanwhile.
    async fn plugged(&mut self, effect: Effect, monitor: &mut Monitor) {
        self.mark(effect);
        while let Ok(effect) = monitor.news.try_recv() {
            self.mark(effect);
        }
        self.refresh(monitor).await;
    }

    fn mark(&mut self, effect: Effect) {
        match effect {
            Effect::SetAside(id, _) => {
                self.marks.unsteady.insert(id);
            }
            Effect::Returned(id, ..) => {
                self.marks.unsteady.remove(&id);
            }
            Effect::Appeared(..)
            | Effect::Moved { .. }
            | Effect::Changed(..)
            | Effect::Gone(..)
            | Effect::Refused(_) => {}
        }
    }

    /// Brings everything to what is plugged in.
    async fn refresh(&mut self, monitor: &Monitor) {
        self.entries = monitor.devices.borrow().clone();
        self.marks.moved = health::moved(&self.entries);
        self.places.keep(&monitor.places.borrow());
        let camera = self.cameras.as_mut();
        let camera = camera.and_then(|cameras| cameras.refresh(&self.entries));
        self.use_camera(camera).await;
        if let Some(sound) = &mut self.sound {
            for command in sound.refresh(&self.entries) {
                if matches!(command, EngineCommand::Microphone(_)) {
                    // Another one may be muted by its own key.
                    self.self_hear.stop();
                }
                self.engine.command(command).await;
            }
        }
        self.attach();
        self.content.refresh(&self.entries);
        self.panels.refresh(&self.entries, now().mono);
        self.keys.refresh(&self.entries, &mut self.marks.keys);
        self.display.refresh(&self.entries);
        self.marks.absent_adapter = self.display.absent_adapter();
    }

    /// Has the loudspeaker's mixer set, and the mute key and lamp opened that the room has now.
    fn attach(&mut self) {
        let Some(sound) = &mut self.sound else { return };
        sound.open_up(&self.entries);
        if !sound.attach(&self.entries) {
            self.hold(None);
        }
    }

    /// Takes what was done at a sound device, and hold of its mute key and lamp.
    fn done(&mut self, done: Done) {
        let Some(sound) = &mut self.sound else { return };
        let held = sound.take(done, &self.entries, &self.mute.subscribe());
        if held.is_some() {
            self.hold(held);
        }
    }

    fn hold(&mut self, held: Option<Held>) {
        self.marks.telephony = None;
        self.held = held;
    }

    /// Whether a device is there that does not open: udev may be ahead of its permissions, or another
    /// program have it for a while.
    fn is_failing(&self) -> bool {
        let (cameras, sound) = (self.cameras.as_ref(), self.sound.as_ref());
        self.keys.is_failing()
            || cameras.is_some_and(Cameras::is_failing)
            || sound.is_some_and(Sound::is_failing)
    }

    async fn retry(&mut self) {
        let camera = self.cameras.as_mut();
        let camera = camera.and_then(|cameras| cameras.refresh(&self.entries));
        self.use_camera(camera).await;
        self.keys.refresh(&self.entries, &mut self.marks.keys);
        self.attach();
    }

    async fn use_camera(&self, source: Option<CameraSource>) {
        if let Some(source) = source {
            tracing::info!(?source, "camera");
            self.engine.command(EngineCommand::Camera(source)).await;
        }
    }

    fn follow_room(&mut self, room: &RoomFacts) {
        if room.sound.in_call {
            self.sound_test.stop();
            self.self_hear.stop();
        }
        let lost = room.lost.contains(&FaultCode::LoudspeakerMissing);
        self.sound_test.loudspeaker(lost);
        self.self_hear.loudspeaker(lost);
        if let Some(sound) = &mut self.sound {
            sound.names = room.sound_names.clone();
        }
        self.mute.send_if_modified(|sound| {
            let differs = *sound != room.sound;
            *sound = room.sound;
            differs
        });
        self.display.draws_content(room.content_display.as_deref());
        self.use_display(room);
        self.content.follow(room.content);
    }

    fn follow_panels(&mut self, connected: Connected) {
        self.panels.handle(connected, now().mono);
    }

    fn use_display(&mut self, room: &RoomFacts) {
        let used = Use {
            busy: room.busy || self.present,
            next: room.next,
        };
        self.display.room(used, now());
    }

    /// Shows somebody what a content input gives.
    async fn look(&mut self, request: PreviewRequest) {
        self.display.touched(now());
        let looked = self.content.look(&request.input);
        self.content.settle(&self.engine).await;
        match looked {
            Ok(()) => content::preview(self.engine.clone(), request),
            Err(error) => {
                // Whoever asked may be gone.
                let _ = request.reply.send(Err(error));
            }
        }
    }

    async fn news(&mut self, news: News) {
        let Some(cameras) = &mut self.cameras else {
            return;
        };
        match news {
            News::Surveyed(id, arrivals, survey) => {
                let camera = cameras.surveyed(id, arrivals, survey);
                self.use_camera(camera).await;
            }
            News::Adjusted(adjusted) => cameras.adjusted(*adjusted),
            // What it says is told with everything else.
            News::Says => {}
            News::Position {
                key,
                preset,
                values,
                thumbnail,
                reply,
            } => cameras.keep(&key, &preset, values, thumbnail.as_deref(), reply),
        }
    }

    fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Wish(wish) => {
                if wish == Wish::Mute(true) {
                    self.self_hear.stop();
                }
                self.touch(Touch::Wish(wish));
                self.display.touched(now());
            }
            Heard::Trouble(trouble) => self.marks.telephony = trouble,
            // It is taken hold of again when it is back.
            Heard::Gone => self.held = None,
        }
    }

    fn pressed(&mut self, action: Action) {
        self.display.touched(now());
        if action == Action::Mute {
            self.self_hear.stop();
        }
        if let Action::Preset(number) = action {
            self.recall(number);
        } else {
            self.touch(Touch::Press(action));
        }
    }

    /// Takes how the boxes stand: what their sensors see, and which of them sends without end.
    fn stand(&mut self) {
        self.keys.refresh(&self.entries, &mut self.marks.keys);
        let present = self.keys.is_present();
        if self.present != present {
            self.present = present;
            self.display.touched(now());
        }
    }

    /// Recalls a position of the camera in use, as a button asked for it.
    fn recall(&self, number: u8) {
        let Some(cameras) = &self.cameras else { return };
        let Some(name) = cameras.active() else { return };
        // A button has nowhere to show a refusal; the journal has it.
        let (reply, answer) = oneshot::channel();
        cameras.recall(name, &number.to_string(), reply);
        tokio::spawn(async move {
            if let Ok(Reply::Refused { refusal }) = answer.await {
                tracing::info!(?refusal, number, "a button's position is refused");
            }
        });
    }

    fn touch(&self, touch: Touch) {
        // When the room is behind by so many, a further one would surprise whoever did it.
        let _ = self.touches.try_send(touch);
    }

    fn tell(&self, room: &RoomFacts) {
        let display = self.display.state();
        let content_display = self.display.content_state();
        let content = self.content.all();
        let health = health::health(&health::Parts {
            content: &content,
            cameras: self.cameras.as_ref(),
            sound: self.sound.as_ref(),
            display: &display,
            content_display: content_display.as_ref(),
            panels: &self.panels,
            name: &self.name,
            lost: &room.lost,
            camera_slow: room.camera_slow,
            microphone_slow: room.microphone_slow,
            in_use: &room.in_use,
            encoder: &room.encoder,
            marks: &self.marks,
        });
        let cameras = self.cameras.as_ref();
        let state = HardwareState {
            cameras: cameras.map_or_else(Vec::new, Cameras::shown),
            content: self.content.shown(),
            shares: self.content.shared_in(),
            content_lost: self.content.is_lost(),
            health,
            sound_test: roomd_api::SoundTest {
                self_hear: self.self_hear.shown(),
                self_hear_failed: self.self_hear.failed(),
                ..self.sound_test.shown()
            },
            display_asks: self.display.asks(),
        };
        self.publish.send_if_modified(|known| {
            let differs = *known != state;
            *known = state;
            differs
        });
    }
}

/// What was done next at a sound device; nothing is where there is none.
async fn done(sound: &mut Option<Sound>) -> Option<Done> {
    match sound {
        Some(sound) => sound.done().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
