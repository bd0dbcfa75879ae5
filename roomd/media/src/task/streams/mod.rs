// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The received streams: gate, decoder, and where their pictures and sound go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{MediaEvent, PeerId, SenderId};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::jitter::{Config, JitterBuffer, Playout};
use roomd_media_core::openings::Openings;
use roomd_media_core::scene::TileSource;
use roomd_media_core::speaker::Speakers;
use roomd_media_core::sync::{LipSync, Track};
use roomd_model::{FaultCode, StreamId, StreamKind, StreamTrouble};
use roomd_peer::{Frame, SenderReport};
use tokio::sync::mpsc;

use super::Task;
use crate::branch::BranchError;
use crate::decode::{
    AudioDecoder, Decoded, Pictures, QUIET, VideoDecoder, opus_samples, video_codec,
};
use crate::display::Picture;
use crate::displays::Displays;
use crate::progress::Progress;
use crate::sound::{Sound, SoundNews, TEST};
use crate::types::{EngineEvent, StreamReport};

/// The least delay of sound in the jitter buffer. The decoder holds each packet back until the next
/// one has come, so that what it repeats of a lost one is of use; that is delay enough.
const SOUND_DELAY: Duration = Duration::ZERO;
/// Decoders that fail one after the other until the stream counts as undecodable.
const FAILURES: u32 = 3;

/// Whose sound and picture are kept in step.
type Sender = (PeerId, SenderId);

/// All received streams.
pub(super) struct Streams {
    displays: Displays,
    sound: Sound,
    output: mpsc::Sender<Decoded>,
    streams: BTreeMap<StreamId, Stream>,
    lips: BTreeMap<Sender, LipSync>,
    pub speakers: Speakers,
    /// When levels were last told.
    told: Option<Instant>,
    /// Of all streams, those that are gone included, since they were last taken.
    freezes: u32,
}

struct Stream {
    decoder: Option<Decoder>,
    pictures: Pictures,
    live: bool,
    progress: Arc<Progress>,
    openings: Openings,
    /// It needs one more and gets none yet.
    waits: bool,
    /// Decoders that failed since something was decoded.
    failures: u32,
    undecodable: bool,
    /// Since the last report.
    bytes: usize,
    gaps: u64,
    freezes: u32,
    sender: Sender,
    kind: StreamKind,
    jitter: JitterBuffer<Frame>,
    /// The length of a sound packet, in samples.
    packet: u32,
}

impl Stream {
    /// What lip-sync takes the stream for; shared content has no lips.
    const fn track(&self) -> Option<Track> {
        match self.kind {
            StreamKind::Audio => Some(Track::Sound),
            StreamKind::Camera => Some(Track::Picture),
            StreamKind::Screen => None,
        }
    }
}

enum Decoder {
    Video(VideoDecoder),
    Audio(AudioDecoder),
}

impl Streams {
    pub(super) fn new(displays: Displays, sound: Sound, output: mpsc::Sender<Decoded>) -> Self {
        Self {
            displays,
            sound,
            output,
            streams: BTreeMap::new(),
            lips: BTreeMap::new(),
            speakers: Speakers::default(),
            told: None,
            freezes: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        for stream in self.streams.keys().copied().collect::<Vec<_>>() {
            self.remove(stream);
        }
    }

    pub(super) fn remove(&mut self, stream: StreamId) -> bool {
        self.speakers.remove(stream);
        self.sound.remove(stream);
        self.displays.feed(TileSource::Stream(stream), None);
        let removed = self.streams.remove(&stream);
        if let Some(stream) = &removed {
            self.freezes += stream.progress.take_freezes();
        }
        let streams = &self.streams;
        self.lips
            .retain(|sender, _| streams.values().any(|stream| stream.sender == *sender));
        removed.is_some_and(|stream| stream.live)
    }

    pub(super) fn sender_report(&mut self, id: StreamId, report: SenderReport) {
        let Some(stream) = self.streams.get(&id) else {
            return;
        };
        if let (Some(track), Some(lips)) = (stream.track(), self.lips.get_mut(&stream.sender)) {
            lips.report(track, report.wall, report.rtp_time);
        }
    }

    /// Takes a frame; it comes out of [`Streams::play`] when it is due.
    fn push(&mut self, sender: Sender, id: StreamId, kind: StreamKind, frame: Frame) {
        if frame.codec.is_sound() != (kind == StreamKind::Audio) {
            return;
        }
        if !self.streams.contains_key(&id) {
            self.add(sender, id, kind);
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if kind == StreamKind::Audio {
            let packet = u32::try_from(opus_samples(&frame.payload)).unwrap_or_default();
            if packet != stream.packet {
                stream.packet = packet;
                let config = Config {
                    min: SOUND_DELAY,
                    ..Config::sound(packet)
                };
                // What a sender has lost it has lost, whatever the length of its packets.
                let counters = stream.jitter.counters();
                stream.jitter = JitterBuffer::new(frame.clock_rate(), config).counting_on(counters);
            }
        }
        stream.bytes = stream.bytes.saturating_add(frame.payload.len());
        stream.gaps += u64::from(!frame.contiguous);
        let (rtp_time, arrived, contiguous) = (frame.rtp_time, frame.at, frame.contiguous);
        stream.jitter.push(rtp_time, arrived, frame, contiguous);
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let due = self.streams.values().map(|stream| stream.jitter.next_due());
        due.flatten().min()
    }

    /// Decodes what is due; returns the streams whose sender should be asked for a keyframe.
    fn play(&mut self, now: Instant) -> Vec<StreamId> {
        let mut ask = Vec::new();
        let (sound, output) = (&self.sound, &self.output);
        for (id, stream) in &mut self.streams {
            while let Some(playout) = stream.jitter.poll(now) {
                let codec = match &playout {
                    Playout::Frame { frame, .. } => video_codec(frame.codec),
                    Playout::Lost { .. } => None,
                };
                stream.ensure_decoder(*id, codec, sound, output, now);
                match (playout, &mut stream.decoder) {
                    (
                        Playout::Frame {
                            mut frame,
                            after_drop,
                            ..
                        },
                        Some(decoder),
                    ) => {
                        // What the buffer dropped is as lost as what never came.
                        stream.gaps += u64::from(frame.contiguous && after_drop);
                        frame.contiguous &= !after_drop;
                        if decoder.push(&frame, now) {
                            ask.push(*id);
                        }
                    }
                    (Playout::Lost { rtp_time, samples }, Some(Decoder::Audio(decoder))) => {
                        decoder.lost(rtp_time, samples);
                    }
                    (Playout::Lost { .. }, Some(Decoder::Video(_))) | (_, None) => {}
                }
            }
        }
        ask
    }

    /// Notes what was heard, or seen, at a moment.
    pub(super) fn presented(&mut self, media: &[(StreamId, u64)], at: Instant) {
        for (id, time) in media {
            let Some(stream) = self.streams.get(id) else {
                continue;
            };
            if let (Some(track), Some(lips)) = (stream.track(), self.lips.get_mut(&stream.sender)) {
                lips.played(track, *time, at);
            }
        }
    }

    /// Once a second: brings sound and picture of each sender together.
    pub(super) fn adjust(&mut self) {
        for (sender, lips) in &mut self.lips {
            let extra = lips.adjust();
            let streams = self.streams.values_mut();
            for stream in streams.filter(|stream| stream.sender == *sender) {
                match stream.track() {
                    Some(Track::Sound) => stream.jitter.extra_delay(extra.sound),
                    Some(Track::Picture) => stream.jitter.extra_delay(extra.picture),
                    None => {}
                }
            }
        }
    }

    /// How late a picture is against its sound, in milliseconds, where both are measured; of several
    /// senders the one that is furthest off.
    pub(super) fn av_offset(&self) -> Option<f64> {
        let offsets = self.lips.values().filter_map(LipSync::av_offset_ms);
        offsets.max_by(|one, other| one.abs().total_cmp(&other.abs()))
    }

    fn add(&mut self, sender: Sender, id: StreamId, kind: StreamKind) {
        let pictures = Pictures::new(None);
        let clock_rate = match kind {
            StreamKind::Audio => {
                self.sound.add(id);
                48_000
            }
            StreamKind::Camera | StreamKind::Screen => {
                let feed = Some(pictures.subscribe());
                self.displays.feed(TileSource::Stream(id), feed);
                90_000
            }
        };
        self.lips
            .entry(sender)
            .or_insert_with(|| LipSync::new(48_000, 90_000));
        let stream = Stream {
            decoder: None,
            pictures,
            live: false,
            progress: Arc::default(),
            openings: Openings::default(),
            waits: false,
            failures: 0,
            undecodable: false,
            bytes: 0,
            gaps: 0,
            freezes: 0,
            sender,
            kind,
            jitter: JitterBuffer::new(clock_rate, Config::pictures()),
            packet: 0,
        };
        self.streams.insert(id, stream);
    }

    /// A call begins: its first picture is wanted, whatever came before.
    pub(super) fn begin(&mut self) {
        self.freezes = 0;
        for stream in self.streams.values() {
            stream.progress.take_freezes();
            stream.progress.owe();
        }
    }

    /// What every stream did in the seconds since the last call.
    pub(super) fn reports(&mut self, seconds: f64) -> Vec<StreamReport> {
        let mut reports = Vec::with_capacity(self.streams.len());
        for (id, stream) in &mut self.streams {
            let freezes = stream.progress.take_freezes();
            stream.freezes += freezes;
            self.freezes += freezes;
            let lips = stream.track().and_then(|_| self.lips.get(&stream.sender));
            let av_offset_ms = lips.and_then(LipSync::av_offset_ms);
            reports.push(stream.report(*id, av_offset_ms, seconds));
        }
        reports
    }

    /// How often a picture stood still, as far as it was reported, since the last call.
    pub(super) const fn take_freezes(&mut self) -> u32 {
        std::mem::replace(&mut self.freezes, 0)
    }

    /// Whether it was told that a stream cannot be decoded.
    pub(super) fn is_undecodable(&self, stream: StreamId) -> bool {
        let stream = self.streams.get(&stream);
        stream.is_some_and(|stream| stream.undecodable)
    }

    /// Decoders that stand still.
    pub(super) fn stuck(&mut self, now: Instant) -> Vec<StreamId> {
        let stuck = |stream: &mut Stream| match &mut stream.decoder {
            Some(Decoder::Video(decoder)) => decoder.is_stuck(now),
            Some(Decoder::Audio(decoder)) => decoder.is_stuck(now),
            None => false,
        };
        let streams = self.streams.iter_mut();
        streams
            .filter_map(|(id, stream)| stuck(stream).then_some(*id))
            .collect()
    }

    /// Streams that have fallen silent.
    pub(super) fn quiet(&mut self, now: Instant) -> Vec<StreamId> {
        let silent = |last| now.saturating_duration_since(last) >= QUIET;
        self.streams
            .iter_mut()
            .filter(|(_, stream)| stream.live && stream.progress.last().is_some_and(silent))
            .map(|(id, stream)| {
                stream.live = false;
                stream.progress.quiet();
                *id
            })
            .collect()
    }
}

impl Stream {
    fn is_undecodable(&self) -> bool {
        let refuses = match &self.decoder {
            Some(Decoder::Video(decoder)) => decoder.refuses(),
            Some(Decoder::Audio(_)) | None => false,
        };
        refuses || self.waits || self.failures >= FAILURES
    }

    fn report(
        &mut self,
        stream: StreamId,
        av_offset_ms: Option<f64>,
        seconds: f64,
    ) -> StreamReport {
        let counters = self.jitter.counters();
        let pictures = self.pictures.borrow();
        let size = |picture: &Picture| (picture.frame.width(), picture.frame.height());
        StreamReport {
            stream,
            kind: self.kind,
            frames_per_second: f64::from(self.progress.take_outputs()) / seconds,
            bits_per_second: std::mem::take(&mut self.bytes) as f64 * 8.0 / seconds,
            size: pictures.as_ref().map(size),
            jitter: self.jitter.jitter(),
            delay: self.jitter.target_delay(),
            av_offset_ms,
            lost: match self.kind {
                StreamKind::Audio => counters.lost + counters.late,
                StreamKind::Camera | StreamKind::Screen => self.gaps,
            },
            freezes: self.freezes,
        }
    }

    /// Opens a decoder where there is none, or one for another codec: the sender may change it.
    fn ensure_decoder(
        &mut self,
        id: StreamId,
        codec: Option<VideoCodec>,
        sound: &Sound,
        output: &mpsc::Sender<Decoded>,
        now: Instant,
    ) {
        if let (Some(Decoder::Video(decoder)), Some(codec)) = (&self.decoder, codec)
            && decoder.codec() != codec
        {
            self.decoder = None;
        }
        if self.decoder.is_some() {
            return;
        }
        self.waits = !self.openings.may(now);
        if self.waits {
            return;
        }
        // What a new decoder gives first shows that the stream can be decoded.
        self.progress.owe();
        self.decoder = Decoder::open(id, codec, (&self.pictures, &self.progress), sound, output)
            .inspect_err(|error| tracing::warn!(%error, "a decoder does not open"))
            .ok();
    }
}

impl Decoder {
    /// Takes a frame; true when its sender should be asked for a keyframe.
    fn push(&mut self, frame: &Frame, now: Instant) -> bool {
        match self {
            Self::Video(decoder) => decoder.push(frame, now),
            Self::Audio(decoder) => {
                decoder.push(frame);
                false
            }
        }
    }

    fn open(
        id: StreamId,
        codec: Option<VideoCodec>,
        (pictures, progress): (&Pictures, &Arc<Progress>),
        sound: &Sound,
        output: &mpsc::Sender<Decoded>,
    ) -> Result<Self, BranchError> {
        match codec {
            None => {
                let sound = sound.clone();
                let heard = move |samples, media| sound.push(id, samples, media);
                AudioDecoder::open(id, heard, progress.clone(), output).map(Self::Audio)
            }
            Some(codec) => {
                VideoDecoder::open(id, codec, pictures.clone(), progress.clone(), output)
                    .map(Self::Video)
            }
        }
    }
}

impl Task {
    pub(super) fn received(&mut self, peer: PeerId, mid: &str, frame: Frame) {
        // The connection already holds back what is not verified; a second look costs nothing.
        if !self.peers.is_verified(peer) {
            return;
        }
        let Some(binding) = self.peers.binding(peer, mid) else {
            return;
        };
        let (stream, kind, sender) = (binding.stream, binding.kind, (peer, binding.sender));
        let encryption = self.peers.encryption(peer).cloned();
        if let Some(frame) = self.decrypted(stream, encryption, frame) {
            self.streams.push(sender, stream, kind, frame);
            self.play(Instant::now());
        }
    }

    /// Decodes what is due.
    pub(super) fn play(&mut self, now: Instant) {
        for stream in self.streams.play(now) {
            if let Some((peer, mid)) = self.peers.origin(stream) {
                self.peers.request_keyframe(peer, &mid);
            }
        }
        self.judge();
    }

    pub(super) fn decoded(&mut self, decoded: Decoded) {
        match decoded {
            Decoded::Output { stream, at } => self.output(stream, at),
            Decoded::Bad(id) => {
                let stream = self.streams.streams.get_mut(&id);
                if let Some(Decoder::Video(decoder)) = stream.and_then(|s| s.decoder.as_mut())
                    && decoder.distrust(Instant::now())
                    && let Some((peer, mid)) = self.peers.origin(id)
                {
                    self.peers.request_keyframe(peer, &mid);
                }
            }
            Decoded::Failed(id) => {
                let Some(stream) = self.streams.streams.get_mut(&id) else {
                    return;
                };
                tracing::info!(stream = id.0, "a decoder stopped");
                stream.decoder = None;
                stream.failures += 1;
                if stream.openings.is_full() {
                    self.call_fault(FaultCode::GuestDropped);
                }
                if let Some((peer, mid)) = self.peers.origin(id) {
                    self.peers.request_keyframe(peer, &mid);
                }
                self.judge();
            }
        }
    }

    fn output(&mut self, id: StreamId, at: Instant) {
        let Some(stream) = self.streams.streams.get_mut(&id) else {
            return;
        };
        if stream.kind != StreamKind::Audio {
            self.figures.picture_decoded(at);
        }
        stream.failures = 0;
        if !stream.live {
            stream.live = true;
            self.tell_session(MediaEvent::Stream {
                stream: id,
                live: true,
            });
        }
    }

    pub(super) fn remove_streams(&mut self, streams: Vec<StreamId>) {
        for stream in streams {
            self.keys.forget(stream, None);
            if self.streams.is_undecodable(stream) {
                self.trouble(stream, StreamTrouble::Undecodable, false);
            }
            if self.openers.remove(stream) {
                self.trouble(stream, StreamTrouble::Undecryptable, false);
            }
            if self.streams.remove(stream) {
                self.tell_session(MediaEvent::Stream {
                    stream,
                    live: false,
                });
            }
        }
    }

    pub(super) fn trouble(&mut self, stream: StreamId, trouble: StreamTrouble, active: bool) {
        self.tell_session(MediaEvent::Trouble {
            stream,
            trouble,
            active,
        });
    }

    /// Tells when a stream can no longer be decoded, or can be again.
    fn judge(&mut self) {
        let mut changes = Vec::new();
        for (id, stream) in &mut self.streams.streams {
            let undecodable = stream.is_undecodable();
            if undecodable != stream.undecodable {
                stream.undecodable = undecodable;
                changes.push((*id, undecodable));
            }
        }
        for (stream, active) in changes {
            self.trouble(stream, StreamTrouble::Undecodable, active);
        }
    }

    pub(super) fn sound_news(&mut self, news: SoundNews) {
        match news {
            SoundNews::Heard {
                levels,
                media,
                fitted,
                at,
            } => {
                self.streams.presented(&media, at);
                self.figures.sound_fitted(&fitted);
                self.heard(&levels, Instant::now());
            }
            SoundNews::Loudspeaker {
                name,
                missing,
                in_use,
            } => {
                self.fault(FaultCode::LoudspeakerMissing, missing);
                self.devices.loudspeaker = name;
                let code = FaultCode::LoudspeakerMissing;
                self.devices.set_in_use(code, in_use);
                self.choose_voice();
                self.tell(EngineEvent::Devices(self.devices.clone()));
            }
        }
    }

    fn heard(&mut self, levels: &[(StreamId, u8)], now: Instant) {
        for &(stream, level) in levels.iter().filter(|(stream, _)| *stream != TEST) {
            if let Some(change) = self.streams.speakers.level(stream, level, now) {
                self.tell_session(MediaEvent::Speaking {
                    stream: change.stream,
                    speaking: change.speaking,
                });
            }
        }
        self.tell_levels(now);
    }

    /// Tells how loud it is, ten times a second while there is anything to tell.
    pub(super) fn tell_levels(&mut self, now: Instant) {
        let recent = |told: Instant| now.saturating_duration_since(told).as_millis() < 95;
        if self.streams.told.is_some_and(recent) {
            return;
        }
        self.streams.told = Some(now);
        let microphone = std::mem::take(&mut self.capture.level);
        let speakers = &mut self.streams.speakers;
        let shown = speakers.active(now);
        let mut speaking: Vec<_> = speakers.speaking().into_iter().collect();
        speaking.sort_by_key(|stream| Some(*stream) != shown);
        self.tell(EngineEvent::Levels {
            microphone,
            speaking,
        });
    }
}

#[cfg(test)]
mod tests;
