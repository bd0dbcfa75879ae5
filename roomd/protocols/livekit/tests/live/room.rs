// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A room without an engine: real channels and real WebRTC connections around a connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, LocalSource, PeerId};
use roomd_conference::{MediaCommand, MediaEvent, PeerState};
use roomd_livekit::{Connection, Ended, Event, Ids, Options, Output, Publish, Source};
use roomd_model::{Now, Pii, Secret, StreamId};
use roomd_peer::{Frame, PeerCommand, PeerConfig, PeerEvent};
use tokio::sync::mpsc;
use url::Url;

use crate::channel;
use crate::peer::Peer;
use crate::server::Server;

pub const LIMIT: Duration = Duration::from_secs(30);

pub struct Room {
    pub connection: Connection,
    pub name: String,
    pub events: Vec<Event>,
    pub frames: BTreeMap<StreamId, Vec<Frame>>,
    pub media: Vec<MediaCommand>,
    pub peers: BTreeMap<PeerId, Peer>,
    /// What the room sends, if anything.
    pub sends: Vec<LocalSource>,
    channels: BTreeMap<ChannelId, mpsc::UnboundedSender<ChannelCommand>>,
    news: mpsc::UnboundedReceiver<(ChannelId, ChannelEvent)>,
    tell: mpsc::UnboundedSender<(ChannelId, ChannelEvent)>,
    peer_news: mpsc::Receiver<(PeerId, PeerEvent)>,
    tell_peer: mpsc::Sender<(PeerId, PeerEvent)>,
    begun: Instant,
    ticks: u64,
}

pub fn now() -> Now {
    Now {
        mono: Instant::now(),
        utc: chrono::DateTime::from(std::time::SystemTime::now()),
    }
}

pub fn options(server: &Server, token: &str, sources: &[LocalSource]) -> Options {
    let url = Url::parse(&server.url()).unwrap();
    let mut options = Options::new(Pii::new(url), Secret::new(token));
    let publish = |&source| Publish {
        source,
        muted: false,
    };
    options.publish = sources.iter().map(publish).collect();
    options
}

impl Room {
    pub fn start(name: &str, options: Options) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        let (tell_peer, peer_news) = mpsc::channel(1024);
        let ids = Ids::new(Arc::new(AtomicU32::new(1)));
        let sends = options.publish.iter().map(|publish| publish.source);
        let mut room = Self {
            sends: sends.collect(),
            connection: Connection::new(options, ids, now()),
            name: name.to_owned(),
            events: Vec::new(),
            frames: BTreeMap::new(),
            media: Vec::new(),
            channels: BTreeMap::new(),
            news,
            tell,
            peers: BTreeMap::new(),
            peer_news,
            tell_peer,
            begun: Instant::now(),
            ticks: 0,
        };
        room.drain();
        room
    }

    pub async fn join(server: &Server, meeting: &str, name: &str, sources: &[LocalSource]) -> Self {
        let token = server.token(meeting, name);
        let mut room = Self::start(name, options(server, &token, sources));
        let joined = |room: &mut Self| room.has(|event| matches!(event, Event::Joined(_)));
        room.until("joining", joined).await;
        room
    }

    pub fn wish<T>(&mut self, wish: impl FnOnce(&mut Connection, Now) -> T) -> T {
        let answer = wish(&mut self.connection, now());
        self.drain();
        answer
    }

    pub fn has(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }

    pub fn ended(&self) -> Option<Ended> {
        self.events.iter().find_map(|event| match event {
            Event::Ended(ended) => Some(*ended),
            _ => None,
        })
    }

    /// How often the server let it in.
    pub fn joins(&self) -> usize {
        let joins = self.events.iter();
        joins
            .filter(|event| matches!(event, Event::Joined(_)))
            .count()
    }

    /// The stream that somebody sends.
    pub fn stream(&self, from: &str, source: Source) -> Option<StreamId> {
        let mut tracks = self.connection.tracks();
        let found = tracks.find(|t| t.identity.expose() == from && t.source == source);
        found.map(|track| track.stream)
    }

    /// What has arrived of it.
    pub fn received(&self, from: &str, source: Source) -> &[Frame] {
        let stream = self.stream(from, source);
        let frames = stream.and_then(|stream| self.frames.get(&stream));
        frames.map_or(&[], Vec::as_slice)
    }

    pub async fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + LIMIT;
        while !done(self) {
            assert!(
                Instant::now() < end,
                "{}: {what} takes too long; {:#?}",
                self.name,
                self.events
            );
            self.step().await;
        }
    }

    pub async fn step(&mut self) {
        let due = self.connection.poll_timeout().map(|(at, _)| at);
        let tick = Instant::now() + Duration::from_millis(10);
        let wake = due.unwrap_or(tick).min(tick);
        tokio::select! {
            Some((channel, event)) = self.news.recv() => {
                self.connection.handle_channel(channel, &event, now());
            }
            Some((peer, event)) = self.peer_news.recv() => self.peer_event(peer, event),
            () = tokio::time::sleep_until(wake.into()) => {}
        }
        if due.is_some_and(|due| due <= Instant::now()) {
            self.connection.handle_timeout(now());
        }
        self.drain();
        self.send();
    }

    /// The network takes a channel away.
    pub fn cut(&mut self) {
        self.channels.clear();
    }

    fn drain(&mut self) {
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Channel(channel, ChannelCommand::Open(endpoint)) => {
                    let (sender, commands) = mpsc::unbounded_channel();
                    self.channels.insert(channel, sender);
                    let tell = self.tell.clone();
                    tokio::spawn(channel::run(channel, endpoint, commands, tell));
                }
                Output::Channel(channel, command) => {
                    if let Some(sender) = self.channels.get(&channel) {
                        let _ = sender.send(command);
                    }
                }
                Output::Media(command) => {
                    self.obey(&command);
                    self.media.push(command);
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    fn obey(&mut self, command: &MediaCommand) {
        match command.clone() {
            MediaCommand::OpenPeer { peer, .. } => {
                let config = PeerConfig {
                    addresses: vec!["127.0.0.1".parse().unwrap()],
                    include_loopback: true,
                    ports: None,
                    ice_servers: Vec::new(),
                    ca_file: None,
                };
                let commands = roomd_peer::spawn(peer, config, self.tell_peer.clone());
                let known = self.peers.insert(peer, Peer::new(commands));
                assert!(known.is_none(), "a connection is opened twice");
            }
            MediaCommand::ClosePeer { peer } => {
                self.peers.remove(&peer).unwrap().close();
            }
            MediaCommand::RemoteDescription { peer, kind, sdp } => {
                self.peer(peer)
                    .tell(PeerCommand::RemoteDescription { kind, sdp });
            }
            MediaCommand::RemoteCandidate { peer, candidate } => {
                self.peer(peer)
                    .tell(PeerCommand::RemoteCandidate(candidate));
            }
            MediaCommand::Offer { peer, offer } => self.peer(peer).tell(PeerCommand::Offer(offer)),
            MediaCommand::Bind { peer, streams } => {
                let bound = streams.into_iter().map(|b| (b.mid, b.stream));
                self.peer(peer).bound = bound.collect();
            }
            MediaCommand::Publish { peer, mid, source } => {
                self.peer(peer).published.insert(mid, source);
            }
            MediaCommand::Hold { peer, mid, held } => {
                self.peer(peer).held.insert(mid, held);
            }
            MediaCommand::Want { peer, mid, sizes } => {
                self.peer(peer).wanted.insert(mid, sizes);
            }
            MediaCommand::OpenChannel { peer, channel } => {
                self.peer(peer).tell(PeerCommand::OpenChannel(channel));
            }
            MediaCommand::SendData {
                peer,
                channel,
                binary,
                data,
            } => self.peer(peer).tell(PeerCommand::SendMessage {
                channel,
                binary,
                data: data.into_inner(),
            }),
            MediaCommand::TakeData { .. }
            | MediaCommand::Encrypt { .. }
            | MediaCommand::SendingKey { .. }
            | MediaCommand::StreamKey { .. }
            | MediaCommand::ForgetStreamKey { .. } => {}
        }
    }

    fn peer(&mut self, peer: PeerId) -> &mut Peer {
        self.peers.get_mut(&peer).unwrap()
    }

    fn peer_event(&mut self, peer: PeerId, event: PeerEvent) {
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        let event = match event {
            PeerEvent::LocalDescription { kind, sdp } => {
                MediaEvent::LocalDescription { peer, kind, sdp }
            }
            PeerEvent::State(state) => {
                known.state = state;
                MediaEvent::Peer { peer, state }
            }
            PeerEvent::DescriptionRefused(reason) => panic!("{}: {reason}", self.name),
            PeerEvent::AddressesChanged => MediaEvent::AddressesChanged { peer },
            PeerEvent::ChannelOpen { channel, label } => MediaEvent::ChannelOpen {
                peer,
                channel,
                label,
            },
            PeerEvent::Message {
                channel,
                binary,
                data,
            } => MediaEvent::Data {
                peer,
                channel,
                binary,
                data: Pii::new(data),
            },
            PeerEvent::Frame { mid, frame } => {
                if let Some(&stream) = known.bound.get(&mid) {
                    self.frames.entry(stream).or_default().push(frame);
                }
                return;
            }
            PeerEvent::Line(line) => {
                known.lines.insert(line.mid.clone(), line);
                return;
            }
            _ => return,
        };
        self.connection.handle_media(&event, now());
    }

    /// Sends sound fifty times a second, and pictures of every wanted size twenty-five times.
    fn send(&mut self) {
        let due = self.begun.elapsed().as_millis() as u64 / 20;
        while self.ticks < due {
            self.ticks += 1;
            let verified = self.peers.values();
            for peer in verified.filter(|peer| peer.state == PeerState::Verified) {
                peer.write(self.ticks, &self.sends);
            }
        }
    }
}
