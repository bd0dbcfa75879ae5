// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a LiveKit server says, and what else happens to a connection meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, DataChannelId, FrameScheme, LocalSource, MediaCommand,
    MediaEvent, MediaKind, PeerId, PeerState, Refusal, SdpKind,
};
use roomd_livekit::{Connection, Event, Ids, Options, Output, Publish};
use roomd_model::{Now, Pii, Secret, StreamId};

use crate::input::Input;

/// Steps of one input.
const MAX_STEPS: usize = 200;
/// Outputs of one step: a meeting of the largest size that appears at once.
const MAX_OUTPUTS: usize = 20_000;
/// What an engine takes on one connection.
const MAX_STREAMS: usize = 63;

const SOURCES: [LocalSource; 3] = [
    LocalSource::Microphone,
    LocalSource::Camera,
    LocalSource::Content,
];
const STATES: [PeerState; 5] = [
    PeerState::Connecting,
    PeerState::Verified,
    PeerState::Interrupted,
    PeerState::Failed,
    PeerState::Unverified,
];

/// A server's messages, raw, between other things that happen.
pub(crate) fn livekit(mut input: Input<'_>) {
    let mut world = World::new(input.byte());
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
    }
    world.connection.leave();
    world.drain();
    assert!(world.connection.is_ended(), "leaving ends it");
    assert!(world.connection.poll_timeout().is_none());
}

struct World {
    connection: Connection,
    now: Now,
    channel: ChannelId,
    /// The engine does what it is asked to.
    engine: bool,
    lines: u32,
    open: BTreeSet<PeerId>,
    streams: BTreeSet<StreamId>,
    events: Vec<MediaEvent>,
}

impl World {
    fn new(kind: u8) -> Self {
        let url = "wss://sfu.example/livekit".parse().expect("an address");
        let mut options = Options::new(Pii::new(url), Secret::new("token"));
        options.encryption = (kind & 1 == 1).then_some(FrameScheme::ElementCall);
        options.data = kind & 2 == 2;
        if kind & 4 == 4 {
            let publish = SOURCES.map(|source| Publish {
                source,
                muted: false,
            });
            options.publish = publish.to_vec();
        }
        let now = Now {
            mono: Instant::now(),
            utc: Default::default(),
        };
        let ids = Ids::new(Arc::new(AtomicU32::new(1)));
        let mut world = Self {
            connection: Connection::new(options, ids, now),
            now,
            channel: ChannelId(0),
            engine: kind & 8 == 0,
            lines: 0,
            open: BTreeSet::new(),
            streams: BTreeSet::new(),
            events: Vec::new(),
        };
        world.drain();
        world
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 12 {
            0 => self.channel(ChannelEvent::Opened),
            1 => self.channel(ChannelEvent::Closed),
            2 => self.channel(ChannelEvent::Refused(Refusal::Status(input.word()))),
            3 => {
                let status = input.word();
                let body = Pii::new(input.text());
                self.channel(ChannelEvent::Response { status, body });
            }
            4 => self.pass(Duration::from_millis(u64::from(input.word()))),
            5 => {
                let peer = PeerId(u32::from(input.byte() % 6));
                let state = input.one_of(&STATES);
                self.media(&MediaEvent::Peer { peer, state });
            }
            6 => {
                let peer = PeerId(u32::from(input.byte() % 6));
                let kind = input.one_of(&[SdpKind::Offer, SdpKind::Answer]);
                let sdp = Pii::new(input.text());
                self.media(&MediaEvent::LocalDescription { peer, kind, sdp });
            }
            7 => {
                let peer = PeerId(u32::from(input.byte() % 6));
                let channel = DataChannelId(u32::from(input.byte() % 3));
                let label = ["_reliable", "_lossy", ""][channel.0 as usize].to_owned();
                self.media(&MediaEvent::ChannelOpen {
                    peer,
                    channel,
                    label,
                });
                let data = Pii::new(input.bytes().to_vec());
                self.media(&MediaEvent::Data {
                    peer,
                    channel,
                    binary: true,
                    data,
                });
            }
            8 => {
                let source = input.one_of(&SOURCES);
                let muted = input.byte();
                if muted == 2 {
                    self.connection.unpublish(source, self.now);
                } else {
                    let muted = muted == 1;
                    self.connection.publish(Publish { source, muted }, self.now);
                }
                self.drain();
            }
            9 => {
                let stream = StreamId(u32::from(input.byte()));
                self.connection.want(stream, u32::from(input.word()));
                self.drain();
            }
            // What the server says has the best chance.
            _ => self.channel(ChannelEvent::Binary(Pii::new(input.bytes().to_vec()))),
        }
    }

    fn channel(&mut self, event: ChannelEvent) {
        self.connection
            .handle_channel(self.channel, &event, self.now);
        self.drain();
    }

    fn media(&mut self, event: &MediaEvent) {
        self.connection.handle_media(event, self.now);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while let Some((at, _)) = self
            .connection
            .poll_timeout()
            .filter(|(at, _)| *at <= until)
        {
            self.now = self.now.after(at.saturating_duration_since(self.now.mono));
            self.connection.handle_timeout(self.now);
            self.drain();
            let next = self.connection.poll_timeout();
            assert!(next.is_none_or(|(next, _)| next > at), "time stands still");
        }
        self.now = self
            .now
            .after(until.saturating_duration_since(self.now.mono));
    }

    fn drain(&mut self) {
        let mut outputs = 0;
        loop {
            while let Some(output) = self.connection.poll_output() {
                outputs += 1;
                assert!(outputs < MAX_OUTPUTS, "it does not stop talking");
                self.output(output);
            }
            let Some(event) = self.events.pop() else {
                break;
            };
            self.connection.handle_media(&event, self.now);
        }
        assert!(self.streams.len() <= MAX_STREAMS, "more streams than fit");
        assert!(self.open.len() <= 2, "more connections than two");
        assert!(self.connection.participants().count() <= 500);
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Channel(channel, ChannelCommand::Open(_)) => {
                assert!(channel > self.channel, "a channel is opened twice");
                self.channel = channel;
            }
            Output::Channel(_, _) => {}
            Output::Media(command) => self.obey(&command),
            Output::Event(Event::TrackAdded(track)) => {
                assert!(self.streams.insert(track.stream), "a stream comes twice");
            }
            Output::Event(Event::TrackRemoved { stream }) => {
                assert!(self.streams.remove(&stream), "a stream goes twice");
            }
            Output::Event(Event::Ended(_)) => {
                assert!(self.streams.is_empty() && self.open.is_empty());
            }
            Output::Event(_) => {}
        }
    }

    fn obey(&mut self, command: &MediaCommand) {
        match command {
            MediaCommand::OpenPeer { peer, .. } => assert!(self.open.insert(*peer)),
            MediaCommand::ClosePeer { peer } => assert!(self.open.remove(peer)),
            MediaCommand::Bind { streams, .. } => assert!(streams.len() <= MAX_STREAMS),
            MediaCommand::Offer { peer, offer } if self.engine => {
                let mut sdp = "v=0\r\n".to_owned();
                for line in &offer.add {
                    self.lines += 1;
                    let kind = match line.kind {
                        MediaKind::Audio => "audio",
                        MediaKind::Video => "video",
                    };
                    let number = self.lines;
                    sdp += &format!("m={kind} 9 x\r\na=mid:m{number}\r\na=msid:r c{number}\r\n");
                }
                let (peer, kind, sdp) = (*peer, SdpKind::Offer, Pii::new(sdp));
                let event = MediaEvent::LocalDescription { peer, kind, sdp };
                self.events.push(event);
            }
            MediaCommand::RemoteDescription { peer, kind, .. } if self.engine => {
                let (peer, state) = (*peer, PeerState::Verified);
                self.events.push(MediaEvent::Peer { peer, state });
                if *kind == SdpKind::Offer {
                    let (kind, sdp) = (SdpKind::Answer, Pii::new("v=0\r\n".to_owned()));
                    let event = MediaEvent::LocalDescription { peer, kind, sdp };
                    self.events.push(event);
                }
            }
            MediaCommand::Offer { .. }
            | MediaCommand::RemoteDescription { .. }
            | MediaCommand::RemoteCandidate { .. }
            | MediaCommand::Publish { .. }
            | MediaCommand::Want { .. }
            | MediaCommand::Hold { .. }
            | MediaCommand::Encrypt { .. }
            | MediaCommand::SendingKey { .. }
            | MediaCommand::StreamKey { .. }
            | MediaCommand::ForgetStreamKey { .. }
            | MediaCommand::OpenChannel { .. }
            | MediaCommand::TakeData { .. }
            | MediaCommand::SendData { .. } => {}
        }
    }
}
