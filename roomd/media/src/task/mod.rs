// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The task that owns connections, streams, codecs and devices.
//!
//! It waits for nothing but its inputs: what it tells queues up here, what a connection does not
//! take at once queues up with the connection, and devices and sinks run on threads of their own.

mod capture;
mod content;
mod data;
mod figures;
mod govern;
mod hardware;
mod keys;
mod open;
mod outlets;
mod peers;
mod seal;
mod streams;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use roomd_conference::{FrameKeyMaterial, MediaCommand, MediaEvent, PeerId};
use roomd_media_core::hardware::{Finding, Hardware};
use roomd_media_core::layers::{Allocator, Size};
use roomd_media_core::plan::HardwareEncoder;
use roomd_media_core::scene::TileSource;
use roomd_media_core::testpicture::TestPicture;
use roomd_model::FaultCode;
use roomd_peer::PeerEvent;
use tokio::sync::{mpsc, oneshot, watch};

use crate::branch::Notice;
use crate::camera::{Camera, Shot};
use crate::decode::Decoded;
use crate::display::{DisplayNews, Screen};
use crate::displays::Displays;
use crate::encode::{Encoded, Track};
use crate::engine::Message;
use crate::microphone::{Microphone, Samples};
use crate::sound::{Sound, SoundNews};
use crate::time::Timeline;
use crate::types::{
    DeviceReport, EchoPolicy, EngineCommand, EngineEvent, EngineStatistics, Settings,
};
use crate::voice::Voice;

use capture::{Capture, Listening};
use content::Content;
use figures::Figures;
use govern::Govern;
use keys::{Derived, Job, Keys, Purpose};
use open::Openers;
use peers::Peers;
use streams::Streams;

/// What comes in from outside the task.
pub(crate) struct Inputs {
    pub messages: mpsc::Receiver<Message>,
    pub display: mpsc::Receiver<DisplayNews>,
    pub sound: mpsc::Receiver<SoundNews>,
    /// The microphone's sound, cleaned.
    pub samples: mpsc::Receiver<Samples>,
}

/// The threads that the task asks.
pub(crate) struct Threads {
    pub displays: Displays,
    pub sound: Sound,
    pub voice: Voice,
}

/// What comes in from what the task started itself.
struct Loopback {
    peers: mpsc::Receiver<(PeerId, PeerEvent)>,
    encoded: mpsc::Receiver<Encoded>,
    decoded: mpsc::Receiver<Decoded>,
    camera: mpsc::Receiver<Notice>,
    microphone: mpsc::Receiver<Notice>,
    shots: watch::Receiver<Option<Shot>>,
    content: mpsc::Receiver<Notice>,
    content_shots: watch::Receiver<Option<Shot>>,
    keys: mpsc::Receiver<Derived>,
    hardware: mpsc::Receiver<Vec<Finding>>,
}

/// Pictures of content, in pixels.
const CONTENT_SIZE: (u32, u32) = (1920, 1080);
/// Events that wait for their receiver; more than this and levels are dropped.
const OUTBOX: usize = 256;

/// The task's state.
struct Task {
    displays: Displays,
    sound: Sound,
    voice: Voice,
    echo: EchoPolicy,
    capture: Capture,
    content: Content,
    /// The last frame of each track: which encoder's, and its place there.
    order: BTreeMap<Track, (u64, u64)>,
    allocator: Allocator<(PeerId, String)>,
    govern: Govern,
    /// What may encode besides the processor, and what does.
    candidates: Vec<HardwareEncoder>,
    hardware: Hardware,
    findings: mpsc::Sender<Vec<Finding>>,
    openers: Openers,
    keys: Keys,
    peers: Peers,
    streams: Streams,
    figures: Figures,
    devices: DeviceReport,
    displays_missing: BTreeSet<Screen>,
    outbox: VecDeque<EngineEvent>,
    /// Faults that end with the call.
    call_faults: BTreeSet<FaultCode>,
    in_call: bool,
}

pub(crate) async fn run(
    settings: Settings,
    timeline: Timeline,
    mut inputs: Inputs,
    events: mpsc::Sender<EngineEvent>,
    statistics: watch::Sender<EngineStatistics>,
    threads: Threads,
) {
    let (mut task, mut loopback) = Task::new(settings, timeline, statistics, threads);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    task.find_hardware();
    task.report_devices();
    let done = loop {
        let hour = Duration::from_secs(3600);
        let due = task
            .streams
            .next_due()
            .unwrap_or_else(|| Instant::now() + hour)
            .into();
        tokio::select! {
            message = inputs.messages.recv() => match message {
                Some(Message::Command(command)) => task.command(command),
                Some(Message::Thumbnail(reply)) => {
                    // Whoever asked may have gone.
                    let _ = reply.send(task.capture.thumbnail());
                }
                Some(Message::ContentThumbnail(reply)) => {
                    // Whoever asked may have gone.
                    let _ = reply.send(task.content.thumbnail());
                }
                Some(Message::Shutdown(done)) => break Some(done),
                None => break None,
            },
            Some((peer, event)) = loopback.peers.recv() => task.peer_event(peer, event),
            Some(encoded) = loopback.encoded.recv() => task.encoded(encoded),
            Some(decoded) = loopback.decoded.recv() => task.decoded(decoded),
            Some(samples) = inputs.samples.recv() => task.captured_sound(&samples),
            Some(notice) = loopback.camera.recv() => task.camera_notice(notice),
            Some(notice) = loopback.microphone.recv() => task.microphone_notice(notice),
            Ok(()) = loopback.shots.changed() => {
                let shot = loopback.shots.borrow_and_update().clone();
                task.captured_picture(shot);
            }
            Some(notice) = loopback.content.recv() => task.content_notice(notice),
            Ok(()) = loopback.content_shots.changed() => {
                let shot = loopback.content_shots.borrow_and_update().clone();
                task.captured_content(shot);
            }
            Some(derived) = loopback.keys.recv() => task.key_derived(derived),
            Some(findings) = loopback.hardware.recv() => task.hardware_found(findings),
            Some(news) = inputs.display.recv() => task.display_news(news),
            Some(news) = inputs.sound.recv() => task.sound_news(news),
            () = tokio::time::sleep_until(due) => task.play(Instant::now()),
            _ = tick.tick() => task.tick(Instant::now()),
            permit = events.reserve(), if !task.outbox.is_empty() => {
                if let (Ok(permit), Some(event)) = (permit, task.outbox.pop_front()) {
                    permit.send(event);
                } else {
                    // Nobody listens any more.
                    task.outbox.clear();
                }
            }
        }
    };
    task.shutdown(done);
}

impl Task {
    fn new(
        settings: Settings,
        timeline: Timeline,
        statistics: watch::Sender<EngineStatistics>,
        threads: Threads,
    ) -> (Self, Loopback) {
        let Threads {
            displays,
            sound,
            voice,
        } = threads;
        let (peer_events, peers) = mpsc::channel(512);
        let (encoded_sender, encoded) = mpsc::channel(64);
        let (decoded_sender, decoded) = mpsc::channel(256);
        let (camera_notices, camera_receiver) = mpsc::channel(8);
        let (microphone_notices, microphone) = mpsc::channel(8);
        let (content_notices, content_receiver) = mpsc::channel(8);
        let (keys_sender, keys) = mpsc::channel(8);
        let (findings, hardware) = mpsc::channel(1);
        let content = Camera::new(
            settings.content,
            CONTENT_SIZE,
            TestPicture::new(settings.test_source.wrapping_add(100)),
            settings.utc_offset_seconds,
            content_notices,
        )
        .in_own_size();
        let camera = Camera::new(
            settings.camera,
            Size::High.pixels(),
            TestPicture::new(settings.test_source),
            settings.utc_offset_seconds,
            camera_notices,
        )
        .at_most(settings.camera_size.pixels());
        let loopback = Loopback {
            peers,
            encoded,
            decoded,
            camera: camera_receiver,
            microphone,
            shots: camera.shots(),
            content: content_receiver,
            content_shots: content.shots(),
            keys,
            hardware,
        };
        let microphone = Microphone::new(
            settings.microphone,
            settings.test_tone,
            voice.clone(),
            microphone_notices,
        );
        let task = Self {
            capture: Capture::new(camera, microphone, timeline, encoded_sender.clone()),
            content: Content::new(content, timeline, encoded_sender),
            order: BTreeMap::new(),
            allocator: Allocator::default(),
            govern: Govern::new(settings.governed),
            hardware: Hardware::new(!settings.hardware_encoders.is_empty()),
            candidates: settings.hardware_encoders,
            findings,
            openers: Openers::default(),
            keys: Keys::new(keys_sender),
            peers: Peers::new(settings.peer, peer_events),
            streams: Streams::new(displays.clone(), sound.clone(), decoded_sender),
            figures: Figures::new(statistics),
            devices: DeviceReport::default(),
            displays_missing: BTreeSet::new(),
            outbox: VecDeque::new(),
            call_faults: BTreeSet::new(),
            in_call: false,
            displays,
            sound,
            voice,
            echo: settings.echo,
        };
        (task, loopback)
    }

    fn command(&mut self, command: EngineCommand) {
        match command {
            EngineCommand::Session(command) => self.session(command),
            EngineCommand::Sending { microphone, camera } => self.sending(microphone, camera),
            EngineCommand::Content(on) => self.show_content(on, Instant::now()),
            EngineCommand::ContentInput(input) => self.take_content(input, Instant::now()),
            EngineCommand::Volume(percent) => self.sound.volume(percent),
            EngineCommand::Scene(scene) => self.displays.people.scene(scene),
            EngineCommand::ContentScene(scene) => self.displays.content_scene(scene),
            EngineCommand::Preview(open) => self.preview(open),
            EngineCommand::SoundTest(listener) => self.listen(Listening::Test, listener),
            EngineCommand::SelfHear(listener) => self.listen(Listening::SelfHear, listener),
            EngineCommand::Camera(source) => self.change_camera(source),
            EngineCommand::Microphone(source) => self.change_microphone(source),
            EngineCommand::Loudspeaker(loudspeaker) => self.sound.loudspeaker(loudspeaker),
            EngineCommand::DisplayPlugged => self.displays.plugged(),
            EngineCommand::ContentDisplaySleeps(sleeps) => self.displays.content_sleeps(sleeps),
            EngineCommand::Echo(policy) => {
                self.echo = policy;
                self.choose_voice();
            }
            EngineCommand::CallStarted { at } => {
                self.stop_listening();
                self.in_call = true;
                self.ungovern();
                self.figures.begin(at);
                self.streams.begin();
            }
            EngineCommand::CallEnded => {
                self.in_call = false;
                self.ungovern();
                self.peers.close_all();
                self.streams.clear();
                self.openers.clear();
                self.keys.clear();
                self.sending(false, false);
                self.show_content(false, Instant::now());
                self.figures.end();
                self.try_hardware_again();
                for code in std::mem::take(&mut self.call_faults) {
                    self.fault(code, false);
                }
            }
        }
    }

    fn session(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::OpenPeer { peer, ice_servers } => self.peers.open(peer, ice_servers),
            MediaCommand::RemoteDescription { peer, kind, sdp } => {
                self.peers.remote_description(peer, kind, sdp);
            }
            MediaCommand::RemoteCandidate { peer, candidate } => {
                self.peers.remote_candidate(peer, candidate);
            }
            MediaCommand::Bind { peer, streams } => {
                let gone = self.peers.bind(peer, streams);
                self.remove_streams(gone);
            }
            MediaCommand::Publish { peer, mid, source } => {
                self.peers.publish(peer, mid, source);
                self.allocate(Instant::now());
            }
            MediaCommand::Want { peer, mid, sizes } => {
                self.peers.want(peer, &mid, sizes);
                self.allocate(Instant::now());
            }
            MediaCommand::Hold { peer, mid, held } => {
                self.peers.hold(peer, &mid, held);
                self.allocate(Instant::now());
            }
            MediaCommand::Offer { peer, offer } => self.peers.offer(peer, offer),
            MediaCommand::Encrypt { peer, encryption } => {
                self.peers.encrypt(peer, encryption);
                // What came readable before is not decoded any more.
                let streams = self.peers.streams(peer);
                self.remove_streams(streams);
                // Nor does hardware encode for it.
                self.allocate(Instant::now());
            }
            MediaCommand::SendingKey { peer, index, key } => {
                self.derive(Purpose::Sending(peer), peer, index, key);
            }
            MediaCommand::StreamKey {
                peer,
                stream,
                index,
                key,
            } => self.derive(Purpose::Stream(stream), peer, index, key),
            MediaCommand::ForgetStreamKey { stream, index } => {
                self.keys.forget(stream, Some(index));
                self.openers.forget_key(stream, index);
            }
            MediaCommand::OpenChannel { peer, channel } => self.peers.open_channel(peer, channel),
            MediaCommand::TakeData { peer } => self.peers.take_data(peer),
            MediaCommand::SendData {
                peer,
                channel,
                binary,
                data,
            } => self.peers.send_data(peer, channel, binary, data),
            MediaCommand::ClosePeer { peer } => {
                self.keys.forget_peer(peer);
                let gone = self.peers.close(peer);
                self.remove_streams(gone);
                self.allocate(Instant::now());
            }
        }
    }

    fn derive(&mut self, purpose: Purpose, peer: PeerId, index: u32, material: FrameKeyMaterial) {
        let Some(encryption) = self.peers.encryption(peer) else {
            tracing::warn!(peer = peer.0, "a key for a connection without encryption");
            return;
        };
        let scheme = encryption.scheme;
        self.keys.derive(Job {
            purpose,
            peer,
            scheme,
            index,
            material,
        });
    }

    fn tell(&mut self, event: EngineEvent) {
        if self.outbox.len() >= OUTBOX && matches!(event, EngineEvent::Levels { .. }) {
            return;
        }
        self.outbox.push_back(event);
    }

    fn tell_session(&mut self, event: MediaEvent) {
        self.tell(EngineEvent::Session(event));
    }

    /// A fault that is over when the call is.
    fn call_fault(&mut self, code: FaultCode) {
        if self.call_faults.insert(code) {
            self.fault(code, true);
        }
    }

    fn fault(&mut self, code: FaultCode, active: bool) {
        self.tell(EngineEvent::Fault { code, active });
    }

    fn tick(&mut self, now: Instant) {
        self.peers.flush();
        self.make_keyframes(now);
        if self.figures.second_is_over(now) {
            self.supervise(now);
            self.renew_figures(now);
        }
    }

    fn report_devices(&mut self) {
        let camera = self.capture.camera.report(self.capture.camera_lost);
        let microphone = self.capture.microphone.report(self.capture.microphone_lost);
        let mut report = DeviceReport {
            camera: camera.name,
            microphone: microphone.name,
            test_picture: camera.test_picture,
            camera_slow: camera.slow,
            microphone_slow: microphone.slow,
            encoder: self.hardware.report(),
            ..self.devices.clone()
        };
        report.set_in_use(FaultCode::CameraMissing, camera.in_use);
        report.set_in_use(FaultCode::MicrophoneMissing, microphone.in_use);
        if report != self.devices {
            self.devices = report.clone();
            self.tell(EngineEvent::Devices(report));
        }
    }

    fn display_news(&mut self, news: DisplayNews) {
        match news {
            DisplayNews::Sink {
                screen,
                name,
                missing,
            } => {
                if missing {
                    self.displays_missing.insert(screen);
                } else {
                    self.displays_missing.remove(&screen);
                }
                let missing = !self.displays_missing.is_empty();
                self.fault(FaultCode::DisplayMissing, missing);
                match screen {
                    Screen::People => self.devices.display = name,
                    Screen::Content => self.devices.content_display = name,
                }
                self.tell(EngineEvent::Devices(self.devices.clone()));
            }
            DisplayNews::Shown { media, at } => self.streams.presented(&media, at),
        }
    }

    /// The composer's own feed of the room's camera.
    fn preview_feed(&self, open: bool) {
        let feed = open.then(|| self.capture.own.subscribe());
        self.displays.feed(TileSource::SelfView, feed);
    }

    fn shutdown(mut self, done: Option<oneshot::Sender<()>>) {
        self.peers.close_all();
        self.streams.clear();
        self.capture.close();
        self.content.close();
        self.displays.stop();
        self.sound.stop();
        drop(self);
        if let Some(done) = done {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
    }
}

#[cfg(test)]
mod tests;
