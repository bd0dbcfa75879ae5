// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Two engines on one machine, and the session's part played by the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    dead_code
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{
    LocalSource, MediaCommand, MediaEvent, PeerId, PeerState, SdpKind, SenderId, StreamBinding,
};
use roomd_media::{
    CameraSource, DisplayOutput, Engine, EngineCommand, EngineEvent, Loudspeaker, MicrophoneSource,
    Settings,
};
use roomd_media_core::scene::{HEIGHT, Picture, Rect, Scene, Tile, TileSource, WIDTH};
use roomd_media_core::timecode::{self, TimeCode};
use roomd_model::{FaultCode, Pii, StreamId, StreamKind};
use roomd_peer::{MediaKind, Offer, PeerCommand, PeerConfig, PeerEvent};
use tokio::sync::mpsc;

pub const LIMIT: Duration = Duration::from_secs(40);
pub const SOUND: StreamId = StreamId(1);
pub const PICTURE: StreamId = StreamId(2);

pub fn loopback() -> PeerConfig {
    PeerConfig {
        addresses: vec!["127.0.0.1".parse().unwrap()],
        include_loopback: true,
        ports: None,
        ice_servers: Vec::new(),
        ca_file: None,
    }
}

pub struct Room {
    pub engine: Engine,
    pub events: mpsc::Receiver<EngineEvent>,
}

impl Room {
    pub fn start(source: u8, tone: f64) -> Self {
        Self::with(Self::settings(source, tone))
    }

    pub fn settings(source: u8, tone: f64) -> Settings {
        Settings {
            camera: CameraSource::TestPicture,
            microphone: MicrophoneSource::TestSound,
            loudspeaker: Loudspeaker::None,
            display: DisplayOutput::Headless,
            // Whatever else the machine does, the same is sent.
            governed: false,
            peer: loopback(),
            test_source: source,
            test_tone: tone,
            ..Settings::default()
        }
    }

    pub fn with(settings: Settings) -> Self {
        let (engine, events) = roomd_media::start(settings).unwrap();
        Self { engine, events }
    }

    pub async fn session(&self, command: MediaCommand) {
        self.engine.command(EngineCommand::Session(command)).await;
    }

    pub async fn sending(&self, microphone: bool, camera: bool) {
        self.engine
            .command(EngineCommand::Sending { microphone, camera })
            .await;
    }

    /// Fills the display with a colour: red, green, blue.
    pub async fn paint(&self, colour: [u8; 3]) {
        let command = EngineCommand::Scene(Self::painted(colour));
        self.engine.command(command).await;
    }

    /// A scene of one colour.
    pub fn painted([red, green, blue]: [u8; 3]) -> Arc<Scene> {
        let background = Picture {
            width: 1920,
            height: 1080,
            rgba: [red, green, blue, 255].repeat(1920 * 1080),
        };
        Arc::new(Scene {
            background: Some(Arc::new(background)),
            ..Scene::default()
        })
    }

    /// Waits until the display is lost, or is back.
    pub async fn display_missing(&mut self, on: bool) {
        self.wait("a fault", |event| match event {
            EngineEvent::Fault {
                code: FaultCode::DisplayMissing,
                active,
            } => (active == on).then_some(()),
            _ => None,
        })
        .await;
    }

    pub async fn show(&self, source: TileSource) {
        let command = EngineCommand::Scene(Self::whole(source));
        self.engine.command(command).await;
    }

    /// A scene of one tile.
    pub fn whole(source: TileSource) -> Arc<Scene> {
        let rect = Rect {
            x: 0,
            y: 0,
            width: WIDTH,
            height: HEIGHT,
        };
        Arc::new(Scene {
            tiles: vec![Tile { source, rect }],
            ..Scene::default()
        })
    }

    /// Answers an offer on a new connection, with sound on the first m-line and picture on the
    /// second.
    pub async fn answer(
        &mut self,
        peer: PeerId,
        offer: Pii<String>,
        streams: [StreamId; 2],
    ) -> Pii<String> {
        self.session(MediaCommand::OpenPeer {
            peer,
            ice_servers: Vec::new(),
        })
        .await;
        let mids = mids(offer.expose());
        self.bind(peer, &mids, streams).await;
        self.session(MediaCommand::RemoteDescription {
            peer,
            kind: SdpKind::Offer,
            sdp: offer,
        })
        .await;
        self.local_description().await
    }

    pub async fn bind(&self, peer: PeerId, mids: &[String], [sound, picture]: [StreamId; 2]) {
        let streams = vec![
            StreamBinding {
                stream: sound,
                mid: mids[0].clone(),
                kind: StreamKind::Audio,
                sender: SenderId(0),
            },
            StreamBinding {
                stream: picture,
                mid: mids[1].clone(),
                kind: StreamKind::Camera,
                sender: SenderId(0),
            },
        ];
        self.session(MediaCommand::Bind { peer, streams }).await;
        for (mid, source) in mids
            .iter()
            .zip([LocalSource::Microphone, LocalSource::Camera])
        {
            self.session(MediaCommand::Publish {
                peer,
                mid: mid.clone(),
                source,
            })
            .await;
        }
    }

    /// Offers a new connection; what is published goes out on its m-lines, in their order.
    pub async fn offer(
        &mut self,
        peer: PeerId,
        offer: Offer,
        published: &[LocalSource],
    ) -> (Pii<String>, Vec<String>) {
        let ice_servers = Vec::new();
        self.session(MediaCommand::OpenPeer { peer, ice_servers })
            .await;
        self.session(MediaCommand::Offer { peer, offer }).await;
        let sdp = self.local_description().await;
        let mids = mids(sdp.expose());
        for (mid, source) in mids.iter().cloned().zip(published.iter().copied()) {
            self.session(MediaCommand::Publish { peer, mid, source })
                .await;
        }
        (sdp, mids)
    }

    pub async fn local_description(&mut self) -> Pii<String> {
        self.wait("a description", |event| match event {
            EngineEvent::Session(MediaEvent::LocalDescription { sdp, .. }) => Some(sdp),
            _ => None,
        })
        .await
    }

    pub async fn state(&mut self, wanted: PeerState) {
        self.wait("a state", |event| match event {
            EngineEvent::Session(MediaEvent::Peer { state, .. }) => (state == wanted).then_some(()),
            _ => None,
        })
        .await;
    }

    pub async fn live(&mut self, wanted: StreamId, on: bool) {
        self.wait("a stream", |event| match event {
            EngineEvent::Session(MediaEvent::Stream { stream, live }) => {
                (stream == wanted && live == on).then_some(())
            }
            _ => None,
        })
        .await;
    }

    pub async fn wait<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(EngineEvent) -> Option<T>,
    ) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("the engine runs");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(LIMIT, found)
            .await
            .unwrap_or_else(|_| panic!("{what} did not come"))
    }

    /// The time code on the display.
    pub async fn code(&self) -> Option<TimeCode> {
        timecode::read(self.engine.picture().await.unwrap().plane(0))
    }

    /// Waits until the display shows a time code of this source.
    pub async fn sees(&self, source: u8) -> TimeCode {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(code) = self.code().await.filter(|code| code.source == source) {
                return code;
            }
            assert!(
                Instant::now() < end,
                "the display never shows source {source}"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until the display shows a time code of this source that is newer than this one.
    pub async fn sees_later(&self, source: u8, than: TimeCode) -> TimeCode {
        let end = Instant::now() + LIMIT;
        loop {
            let code = self.sees(source).await;
            if code.millis > than.millis {
                return code;
            }
            assert!(Instant::now() < end, "the picture stands still");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until the loudspeaker plays a tone.
    pub async fn hears(&self, hertz: f64) {
        let end = Instant::now() + LIMIT;
        while self.steady(hertz).await < 0.005 {
            assert!(
                Instant::now() < end,
                "the loudspeaker never plays {hertz} Hz"
            );
        }
    }

    /// How loud a tone is at the least: a voice passes every frequency now and then.
    pub async fn steady(&self, hertz: f64) -> f64 {
        let mut least = f64::MAX;
        for _ in 0..8 {
            least = least.min(self.engine.tone(hertz).await.unwrap());
        }
        least
    }
}

/// The m-lines' tags, in order.
pub fn mids(sdp: &str) -> Vec<String> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a=mid:"))
        .map(str::to_owned)
        .collect()
}

/// A connection without an engine: the test sees and sends frames itself.
pub struct Wire {
    pub commands: mpsc::Sender<PeerCommand>,
    pub events: mpsc::Receiver<(PeerId, PeerEvent)>,
    pub mids: Vec<String>,
}

impl Wire {
    /// Connects to a room; `tamper` sees the room's answer before it is applied.
    pub async fn connect(
        room: &mut Room,
        peer: PeerId,
        streams: [StreamId; 2],
        tamper: impl FnOnce(String) -> String,
    ) -> Self {
        let (sender, mut events) = mpsc::channel(512);
        let commands = roomd_peer::spawn(peer, loopback(), sender);
        let offer = PeerCommand::Offer(Offer::of(&[MediaKind::Audio, MediaKind::Video]));
        commands.send(offer).await.unwrap();
        let sdp = loop {
            if let Some((_, PeerEvent::LocalDescription { sdp, .. })) = events.recv().await {
                break sdp;
            }
        };
        let mids = mids(sdp.expose());
        let answer = room.answer(peer, sdp, streams).await;
        let sdp = Pii::new(tamper(answer.into_inner()));
        let kind = SdpKind::Answer;
        commands
            .send(PeerCommand::RemoteDescription { kind, sdp })
            .await
            .unwrap();
        Self {
            commands,
            events,
            mids,
        }
    }

    /// Answers what a room offers.
    pub async fn answering(
        room: &mut Room,
        peer: PeerId,
        offer: Offer,
        published: &[LocalSource],
    ) -> Self {
        Self::answering_as(room, peer, offer, published, |sdp| sdp).await
    }

    /// The same; `tamper` sees the answer before the room does.
    pub async fn answering_as(
        room: &mut Room,
        peer: PeerId,
        offer: Offer,
        published: &[LocalSource],
        tamper: impl FnOnce(String) -> String,
    ) -> Self {
        let (sdp, mids) = room.offer(peer, offer, published).await;
        let (sender, mut events) = mpsc::channel(512);
        let commands = roomd_peer::spawn(peer, loopback(), sender);
        let kind = SdpKind::Offer;
        let offered = PeerCommand::RemoteDescription { kind, sdp };
        commands.send(offered).await.unwrap();
        let sdp = loop {
            if let Some((_, PeerEvent::LocalDescription { sdp, .. })) = events.recv().await {
                break sdp;
            }
        };
        let kind = SdpKind::Answer;
        let sdp = Pii::new(tamper(sdp.into_inner()));
        room.session(MediaCommand::RemoteDescription { peer, kind, sdp })
            .await;
        Self {
            commands,
            events,
            mids,
        }
    }

    pub async fn next(&mut self) -> PeerEvent {
        let event = tokio::time::timeout(LIMIT, self.events.recv()).await;
        event
            .expect("an event in time")
            .expect("the connection runs")
            .1
    }

    /// Carries its frames to another connection until it ends.
    pub async fn carry_to(mut self, to: Self) {
        while let Some((_, event)) = self.events.recv().await {
            if let PeerEvent::Frame { mid, frame } = event {
                let line = self.mids.iter().position(|known| *known == mid).unwrap();
                let mid = to.mids[line].clone();
                let _ = to.commands.send(PeerCommand::Write { mid, frame }).await;
            }
        }
    }

    pub async fn verified(&mut self) {
        while !matches!(self.next().await, PeerEvent::State(PeerState::Verified)) {}
    }

    /// Frames that arrive on an m-line within a time.
    pub async fn frames(&mut self, line: usize, time: Duration) -> usize {
        let end = tokio::time::Instant::now() + time;
        let mut count = 0;
        while let Ok(Some((_, event))) = tokio::time::timeout_at(end, self.events.recv()).await {
            count += usize::from(
                matches!(event, PeerEvent::Frame { mid, .. } if mid == self.mids[line]),
            );
        }
        count
    }

    /// Waits until so many frames have arrived on an m-line from now on.
    pub async fn flows(&mut self, line: usize, wanted: usize) {
        let arriving = async {
            let mut count = 0;
            while count < wanted {
                let (_, event) = self.events.recv().await.expect("the connection ended");
                count += usize::from(
                    matches!(event, PeerEvent::Frame { mid, .. } if mid == self.mids[line]),
                );
            }
        };
        tokio::time::timeout(LIMIT, arriving)
            .await
            .unwrap_or_else(|_| panic!("{wanted} frames did not come"));
    }
}

/// Connects two rooms without anything between; each receives the other's sound and picture. Returns
/// the tags of the two m-lines.
pub async fn link(
    left: &mut Room,
    right: &mut Room,
    peer: PeerId,
    streams: [StreamId; 2],
) -> Vec<String> {
    let lines = Offer::of(&[MediaKind::Audio, MediaKind::Video]);
    let sources = [LocalSource::Microphone, LocalSource::Camera];
    let (offer, mids) = left.offer(peer, lines, &sources).await;
    left.bind(peer, &mids, streams).await;
    let sdp = right.answer(peer, offer, streams).await;
    let kind = SdpKind::Answer;
    left.session(MediaCommand::RemoteDescription { peer, kind, sdp })
        .await;
    mids
}
