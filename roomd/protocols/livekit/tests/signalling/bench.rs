// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A connection in virtual time, with an engine and a server that answer by themselves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use chrono::DateTime;
use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_request::Message as Request;
use proto::signal_response::Message as Response;
use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Endpoint, LocalSource, MediaCommand, MediaEvent,
    MediaKind, PeerId, PeerState, SdpKind,
};
use roomd_livekit::{Connection, Event, Ids, Options, Output, Publish};
use roomd_model::{Now, Pii, Secret};
use url::Url;

/// A connection, and the world around it.
pub struct Bench {
    pub connection: Connection,
    pub now: Now,
    pub start: Instant,
    /// The last channel that was opened, and what to.
    pub channel: ChannelId,
    pub endpoint: Option<Endpoint>,
    /// Everything that came out, as one line each.
    pub log: Vec<String>,
    pub events: Vec<Event>,
    pub said: Vec<Request>,
    pub media: Vec<MediaCommand>,
    /// The engine answers and connects by itself.
    pub engine: bool,
    /// The server answers by itself.
    pub server: bool,
    peers: BTreeMap<PeerId, u32>,
    pending: VecDeque<Reaction>,
    tracks: u32,
    offers: u32,
}

enum Reaction {
    Media(MediaEvent),
    Server(Box<Response>),
}

pub fn options(sources: &[LocalSource]) -> Options {
    let url = Url::parse("wss://sfu.example/livekit").unwrap();
    let mut options = Options::new(Pii::new(url), Secret::new("token"));
    let publish = |&source| Publish {
        source,
        muted: true,
    };
    options.publish = sources.iter().map(publish).collect();
    options
}

pub fn start() -> Now {
    Now {
        mono: Instant::now(),
        utc: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    }
}

impl Bench {
    pub fn new(options: Options) -> Self {
        let ids = Ids::new(Arc::new(AtomicU32::new(1)));
        Self::with(options, ids)
    }

    pub fn with(options: Options, ids: Ids) -> Self {
        let now = start();
        let mut bench = Self {
            connection: Connection::new(options, ids, now),
            now,
            start: now.mono,
            channel: ChannelId(0),
            endpoint: None,
            log: Vec::new(),
            events: Vec::new(),
            said: Vec::new(),
            media: Vec::new(),
            engine: true,
            server: true,
            peers: BTreeMap::new(),
            pending: VecDeque::new(),
            tracks: 0,
            offers: 0,
        };
        bench.drain();
        bench
    }

    /// In the room, with nobody else.
    pub fn joined(sources: &[LocalSource]) -> Self {
        Self::joined_with(options(sources))
    }

    pub fn joined_with(options: Options) -> Self {
        let mut bench = Self::new(options);
        bench.open();
        bench.hear(Response::Join(join()));
        bench.offer(&[]);
        bench
    }

    pub fn open(&mut self) {
        self.channel(ChannelEvent::Opened);
    }

    pub fn channel(&mut self, event: ChannelEvent) {
        self.connection
            .handle_channel(self.channel, &event, self.now);
        self.drain();
    }

    /// The server says something.
    pub fn hear(&mut self, message: Response) {
        let message = Some(message);
        let bytes = proto::SignalResponse { message }.encode_to_vec();
        self.channel(ChannelEvent::Binary(Pii::new(bytes)));
    }

    /// The server offers tracks: m-line, participant and track.
    pub fn offer(&mut self, lines: &[(&str, &str, &str)]) {
        self.offers += 1;
        let mut sdp =
            "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n".to_owned();
        for (mid, participant, track) in lines {
            sdp += &format!(
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na=msid:{participant}|x {track}\r\n\
                 a=sendonly\r\n"
            );
        }
        self.hear(Response::Offer(proto::SessionDescription {
            r#type: "offer".into(),
            sdp,
            id: self.offers,
            ..Default::default()
        }));
    }

    pub fn update(&mut self, participants: Vec<proto::ParticipantInfo>) {
        self.hear(Response::Update(proto::ParticipantUpdate { participants }));
    }

    pub fn media_event(&mut self, event: MediaEvent) {
        self.connection.handle_media(&event, self.now);
        self.drain();
    }

    /// A connection changes its state.
    pub fn peer(&mut self, peer: PeerId, state: PeerState) {
        self.media_event(MediaEvent::Peer { peer, state });
    }

    /// The owner wants something.
    pub fn wish<T>(&mut self, wish: impl FnOnce(&mut Connection, Now) -> T) -> T {
        let answer = wish(&mut self.connection, self.now);
        self.drain();
        answer
    }

    /// Lets time pass; time-outs are handled when they are due.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while let Some((at, what)) = self
            .connection
            .poll_timeout()
            .filter(|(at, _)| *at <= until)
        {
            assert!(!what.is_empty());
            self.now = self.now.after(at.saturating_duration_since(self.now.mono));
            self.connection.handle_timeout(self.now);
            self.drain();
            let next = self.connection.poll_timeout();
            assert!(
                next.is_none_or(|(next, _)| next > at),
                "{what} is named again"
            );
        }
        self.now = self
            .now
            .after(until.saturating_duration_since(self.now.mono));
    }

    /// What came out since this was last asked.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    pub fn drain(&mut self) {
        loop {
            while let Some(output) = self.connection.poll_output() {
                assert!(
                    !self.events.iter().any(|e| matches!(e, Event::Ended(_))),
                    "an output follows the end"
                );
                self.log.extend(crate::lines::line(&output));
                self.take(output);
            }
            match self.pending.pop_front() {
                None => return,
                Some(Reaction::Media(event)) => {
                    self.connection.handle_media(&event, self.now);
                }
                Some(Reaction::Server(message)) => {
                    let message = Some(*message);
                    let bytes = proto::SignalResponse { message }.encode_to_vec();
                    let event = ChannelEvent::Binary(Pii::new(bytes));
                    self.connection
                        .handle_channel(self.channel, &event, self.now);
                }
            }
        }
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Channel(channel, ChannelCommand::Open(endpoint)) => {
                assert!(channel > self.channel, "a channel is opened twice");
                self.channel = channel;
                self.endpoint = Some(endpoint);
            }
            Output::Channel(channel, ChannelCommand::Binary(bytes)) => {
                assert_eq!(channel, self.channel, "a message on an old channel");
                let request = proto::SignalRequest::decode(bytes.expose().as_slice()).unwrap();
                let request = request.message.unwrap();
                if self.server {
                    self.answer(&request);
                }
                self.said.push(request);
            }
            Output::Channel(_, ChannelCommand::Close) => {}
            Output::Channel(_, ChannelCommand::Text(_)) => panic!("text"),
            Output::Media(command) => {
                if self.engine {
                    self.obey(&command);
                }
                self.media.push(command);
            }
            Output::Event(event) => self.events.push(event),
        }
    }

    /// What a server says to that.
    fn answer(&mut self, request: &Request) {
        let reply = match request {
            Request::AddTrack(add) => {
                self.tracks += 1;
                Response::TrackPublished(proto::TrackPublishedResponse {
                    cid: add.cid.clone(),
                    track: Some(proto::TrackInfo {
                        sid: format!("TR_own{}", self.tracks),
                        muted: add.muted,
                        ..Default::default()
                    }),
                })
            }
            Request::Offer(offer) => Response::Answer(proto::SessionDescription {
                r#type: "answer".into(),
                sdp: "v=0\r\n".into(),
                id: offer.id,
                ..Default::default()
            }),
            Request::PingReq(ping) => Response::PongResp(proto::Pong {
                last_ping_timestamp: ping.timestamp,
                timestamp: 0,
            }),
            _ => return,
        };
        self.pending.push_back(Reaction::Server(Box::new(reply)));
    }

    /// What the engine does.
    fn obey(&mut self, command: &MediaCommand) {
        let event = match command {
            MediaCommand::Offer { peer, offer } => {
                let lines = self.peers.entry(*peer).or_default();
                let mut sdp = "v=0\r\n".to_owned();
                for line in &offer.add {
                    *lines += 1;
                    let kind = match line.kind {
                        MediaKind::Audio => "audio",
                        MediaKind::Video => "video",
                    };
                    sdp += &format!(
                        "m={kind} 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:m{lines}\r\n\
                         a=msid:room cid{}-{lines}\r\n",
                        peer.0
                    );
                }
                let (peer, kind) = (*peer, SdpKind::Offer);
                let sdp = Pii::new(sdp);
                MediaEvent::LocalDescription { peer, kind, sdp }
            }
            MediaCommand::RemoteDescription { peer, kind, .. } => {
                let peer = *peer;
                if *kind == SdpKind::Offer {
                    let event = MediaEvent::LocalDescription {
                        peer,
                        kind: SdpKind::Answer,
                        sdp: Pii::new("v=0\r\n".into()),
                    };
                    self.pending.push_back(Reaction::Media(event));
                }
                let state = PeerState::Verified;
                MediaEvent::Peer { peer, state }
            }
            _ => return,
        };
        self.pending.push_back(Reaction::Media(event));
    }
}

pub fn join() -> proto::JoinResponse {
    proto::JoinResponse {
        room: Some(proto::Room {
            sid: "RM_1".into(),
            ..Default::default()
        }),
        participant: Some(proto::ParticipantInfo {
            sid: "PA_own".into(),
            identity: "room".into(),
            permission: Some(permission()),
            ..Default::default()
        }),
        subscriber_primary: true,
        ping_interval: 5,
        ping_timeout: 15,
        ..Default::default()
    }
}

pub fn permission() -> proto::ParticipantPermission {
    proto::ParticipantPermission {
        can_subscribe: true,
        can_publish: true,
        can_publish_data: true,
        can_update_metadata: true,
        ..Default::default()
    }
}

/// Somebody who sends these tracks.
pub fn somebody(name: &str, tracks: Vec<proto::TrackInfo>) -> proto::ParticipantInfo {
    proto::ParticipantInfo {
        sid: format!("PA_{name}"),
        identity: name.into(),
        name: name.to_uppercase(),
        state: proto::participant_info::State::Active as i32,
        tracks,
        ..Default::default()
    }
}

pub fn gone(name: &str) -> proto::ParticipantInfo {
    proto::ParticipantInfo {
        state: proto::participant_info::State::Disconnected as i32,
        ..somebody(name, Vec::new())
    }
}

pub fn camera(sid: &str) -> proto::TrackInfo {
    proto::TrackInfo {
        sid: sid.into(),
        r#type: proto::TrackType::Video as i32,
        source: proto::TrackSource::Camera as i32,
        ..Default::default()
    }
}

pub fn microphone(sid: &str) -> proto::TrackInfo {
    proto::TrackInfo {
        r#type: proto::TrackType::Audio as i32,
        source: proto::TrackSource::Microphone as i32,
        ..camera(sid)
    }
}

pub fn screen(sid: &str) -> proto::TrackInfo {
    proto::TrackInfo {
        source: proto::TrackSource::ScreenShare as i32,
        ..camera(sid)
    }
}

pub fn sealed(track: proto::TrackInfo) -> proto::TrackInfo {
    proto::TrackInfo {
        encryption: proto::encryption::Type::Gcm as i32,
        ..track
    }
}

pub fn leave(reason: proto::DisconnectReason, action: proto::leave_request::Action) -> Response {
    Response::Leave(proto::LeaveRequest {
        reason: reason as i32,
        action: action as i32,
        ..Default::default()
    })
}
