// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's figures as OpenMetrics text (openmetrics.io, version 1.0), for operators who watch
//! hundreds of rooms.
//!
//! Invariants: no name, title, link or address; connections are summed up, and received streams have
//! the number of their place, so that no series follows a person: whoever leaves, the others move up.
//! Every fault has its series all the time, 0 while all is well, so that an
//! alert can tell a good room from one that says nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};
use roomd_api::{Call, Health, PeerStats, SentStats, State, StreamStats};
use roomd_model::{E2ee, FaultCode, QualityLimit, Severity, StreamKind};

use crate::words;

/// Devices that have a series at most.
const DEVICES: usize = 128;
/// Characters of a device's name at most.
const DEVICE_NAME: usize = 128;
/// Places that have a series at most, for each kind of stream.
const SLOTS: usize = 64;

/// The media type of what [`render`] writes.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes the state's figures; what was not measured has no series.
///
/// # Errors
/// When the text cannot be written, which a string in memory does not let happen.
pub(crate) fn render(state: Arc<State>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("roomd");
    registry.register_collector(Box::new(Figures(state)));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Figures(Arc<State>);

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        room(&mut page, &self.0)?;
        faults(&mut page, &self.0)?;
        health(&mut page, &self.0.health)?;
        call(&mut page, self.0.call.as_deref())?;
        media(&mut page, &self.0)?;
        streams(&mut page, &self.0)?;
        places(&mut page, &self.0.statistics.streams)?;
        sent(&mut page, &self.0.statistics.sent)?;
        connections(&mut page, &self.0.statistics.peers)?;
        process(&mut page, &self.0)
    }
}

fn room(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let now = words::phase(&state.room.phase);
    page.family(
        "phase",
        "What the room does; one of them is 1",
        PHASES,
        |phase| ([("phase", *phase)], f64::from(u8::from(*phase == now))),
    )?;
    let version = [state.room.version.as_str()];
    page.family(
        "build",
        "The running version; always 1",
        &version,
        |version| ([("version", *version)], 1.0),
    )?;
    page.flag(
        "calendar_stale",
        "The calendar does not answer; the last schedule stands",
        state.agenda.stale,
    )?;
    let read = state.agenda.read_at.map(|at| at.timestamp() as f64);
    page.gauge(
        "calendar_read_timestamp",
        "When the calendar was last read",
        Some(&Unit::Seconds),
        read,
    )
}

const PHASES: &[&str] = &[
    "idle",
    "offered",
    "joining",
    "lobby",
    "in-call",
    "reconnecting",
    "leaving",
    "fault",
];

fn faults(page: &mut Page<'_>, state: &State) -> fmt::Result {
    page.family("fault", "1 while it lasts", &FaultCode::ALL, |code| {
        let active = state.faults.iter().any(|fault| fault.code == *code);
        let labels = [
            ("code", words::code(*code)),
            ("severity", severity(code.severity()).to_owned()),
        ];
        (labels, f64::from(u8::from(active)))
    })
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The score, and a series for each device: its code names the trouble, or that there is none.
fn health(page: &mut Page<'_>, health: &Health) -> fmt::Result {
    page.gauge(
        "health_score",
        "How the devices are: 100 when all is well, 0 when the room is of no use",
        None,
        Some(f64::from(health.score)),
    )?;
    // A series must not come twice, whatever the devices are called.
    let devices: BTreeMap<_, _> = health
        .items
        .iter()
        .take(DEVICES)
        .map(|item| {
            let device: String = item.device.chars().take(DEVICE_NAME).collect();
            ((device, item.code.as_str()), item.severity)
        })
        .collect();
    let devices: Vec<_> = devices.into_iter().collect();
    page.family(
        "device_trouble",
        "1 while a device is in trouble, 0 while it is well",
        &devices,
        |((device, code), trouble)| {
            let labels = [
                ("device", device.clone()),
                ("code", (*code).to_owned()),
                ("severity", trouble.map_or("none", severity).to_owned()),
            ];
            (labels, f64::from(u8::from(trouble.is_some())))
        },
    )
}

fn call(page: &mut Page<'_>, call: Option<&Call>) -> fmt::Result {
    let Some(call) = call else { return Ok(()) };
    let sources = [
        ("microphone", call.microphone),
        ("camera", call.camera),
        ("content", call.content),
    ];
    page.family(
        "sending",
        "1 while it is on the wire",
        &sources,
        |(source, on)| ([("source", *source)], f64::from(u8::from(*on))),
    )?;
    page.flag(
        "e2ee_verified",
        "End-to-end encryption, as negotiated",
        call.e2ee == E2ee::Verified,
    )?;
    let people = [
        ("in", call.participants.len()),
        ("waiting", call.waiting.len()),
    ];
    page.family(
        "participants",
        "The others in the meeting",
        &people,
        |(place, count)| ([("place", *place)], *count as f64),
    )
}

fn media(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let figures = &state.statistics;
    let seconds = Some(&Unit::Seconds);
    let from_ms = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
    page.gauge(
        "join",
        "Touch of the join button until media flowed both ways",
        seconds,
        from_ms(figures.join_ms),
    )?;
    page.gauge(
        "first_remote_frame",
        "Touch of the join button until the first remote picture was decoded",
        seconds,
        from_ms(figures.first_remote_frame_ms),
    )?;
    page.gauge(
        "av_offset",
        "Picture minus sound at playout; positive is picture late",
        seconds,
        from_ms(figures.av_offset_ms),
    )?;
    let rates = [
        ("sent", figures.fps_sent),
        ("received", figures.fps_received),
    ];
    let measured: Vec<_> = rates
        .iter()
        .filter_map(|(direction, rate)| Some((*direction, (*rate)?)))
        .collect();
    page.family(
        "frames_per_second",
        "Pictures sent, and received of the best stream",
        &measured,
        |(direction, rate)| ([("direction", *direction)], *rate),
    )
}

/// What was done to received sound.
fn sound(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let sound = &state.statistics.sound;
    let measures = [
        ("stretched", sound.stretched_ms),
        ("compressed", sound.compressed_ms),
        ("skipped", sound.skipped_ms),
        ("missing", sound.missing_ms),
    ];
    page.family(
        "sound_fitted_seconds",
        "Received sound put in, taken out, left out at once, or come too late, in this call",
        &measures,
        |(measure, ms)| ([("measure", *measure)], ms / 1000.0),
    )
}

/// The worst stream speaks for all.
fn streams(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let figures = &state.statistics;
    let seconds = Some(&Unit::Seconds);
    let worst = |figure: fn(&StreamStats) -> f64| {
        let values = figures.streams.iter().map(figure);
        values.max_by(f64::total_cmp).map(|ms| ms / 1000.0)
    };
    page.gauge(
        "streams",
        "Received streams",
        None,
        Some(figures.streams.len() as f64),
    )?;
    page.gauge(
        "jitter",
        "Interarrival jitter of the worst stream",
        seconds,
        worst(|stream| stream.jitter_ms),
    )?;
    page.gauge(
        "playout_delay",
        "How long the slowest stream waits to be played",
        seconds,
        worst(|stream| stream.delay_ms),
    )?;
    page.gauge(
        "freezes",
        "Times that a picture stood still for more than half a second, in this call",
        None,
        Some(f64::from(figures.freezes)),
    )?;
    sound(page, state)?;
    page.family(
        "quality_limit",
        "1 while the processor is too slow for more",
        &QualityLimit::ALL,
        |limit| {
            let on = figures.quality_limit == Some(*limit);
            ([("code", words::limit(*limit))], f64::from(u8::from(on)))
        },
    )?;
    let voice = figures.voice.as_ref();
    page.gauge(
        "echo_return_loss_enhancement",
        "Of the room's echo canceller, in decibels",
        Some(&Unit::Other("decibels".to_owned())),
        voice.map(|voice| voice.erle_db),
    )?;
    page.gauge(
        "clock_drift",
        "How much faster the loudspeaker's clock runs than the microphone's",
        Some(&Unit::Ratios),
        voice.map(|voice| voice.drift_ppm / 1e6),
    )
}

const fn kind(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Audio => "audio",
        StreamKind::Camera => "camera",
        StreamKind::Screen => "content",
    }
}

/// A received stream and its place among those of its kind.
struct Slot<'a> {
    kind: &'static str,
    number: usize,
    stats: &'a StreamStats,
}

/// Each stream has the first place of its kind that those which came before it leave.
fn slots(streams: &[StreamStats]) -> Vec<Slot<'_>> {
    let mut streams: Vec<_> = streams.iter().collect();
    streams.sort_by_key(|stats| stats.stream);
    let mut taken = BTreeMap::<&str, usize>::new();
    let slots = streams.into_iter().map(|stats| {
        let kind = kind(stats.kind);
        let number = taken.entry(kind).or_default();
        *number += 1;
        Slot {
            kind,
            number: *number,
            stats,
        }
    });
    slots.filter(|slot| slot.number <= SLOTS).collect()
}

/// Each received stream, by its place.
fn places(page: &mut Page<'_>, streams: &[StreamStats]) -> fmt::Result {
    type Figure = fn(&StreamStats) -> Option<f64>;
    let figures: [(&str, &str, Figure); 6] = [
        (
            "stream_bits_per_second",
            "Encoded media of a received stream, without headers",
            |it| Some(it.kbps * 1000.0),
        ),
        (
            "stream_frames_per_second",
            "Decoded pictures of a received stream",
            |it| of_pictures(it, it.fps),
        ),
        (
            "stream_lost",
            "Packets of sound that were missing when they were due, or gaps in pictures",
            |it| Some(it.lost as f64),
        ),
        (
            "stream_freezes",
            "Times that its picture stood still for more than half a second",
            |it| of_pictures(it, f64::from(it.freezes)),
        ),
        (
            "stream_jitter_seconds",
            "Interarrival jitter of a received stream",
            |it| Some(it.jitter_ms / 1000.0),
        ),
        (
            "stream_av_offset_seconds",
            "Picture minus sound at playout; positive is picture late",
            |it| Some(it.av_offset_ms? / 1000.0),
        ),
    ];
    let slots = slots(streams);
    for (name, help, figure) in figures {
        let measured: Vec<_> = slots
            .iter()
            .filter_map(|slot| Some((slot.kind, slot.number, figure(slot.stats)?)))
            .collect();
        page.family(name, help, &measured, |(kind, number, value)| {
            let labels = [("kind", (*kind).to_owned()), ("slot", number.to_string())];
            (labels, *value)
        })?;
    }
    Ok(())
}

fn of_pictures(stream: &StreamStats, figure: f64) -> Option<f64> {
    (stream.kind != StreamKind::Audio).then_some(figure)
}

/// Each size of the room's picture. Where two codecs have the same, their bits are added up, and the
/// slower one speaks for both.
fn sent(page: &mut Page<'_>, sent: &[SentStats]) -> fmt::Result {
    let mut sizes = BTreeMap::<(&str, u32), (f64, f64)>::new();
    for one in sent {
        let Some(height) = one.height else { continue };
        let size = sizes.entry((kind(one.kind), height));
        let (bits, rate) = size.or_insert((0.0, f64::INFINITY));
        *bits += one.kbps * 1000.0;
        *rate = f64::min(*rate, one.fps);
    }
    let sizes: Vec<_> = sizes.into_iter().collect();
    let labels = |source: &str, height: u32| {
        [
            ("source", source.to_owned()),
            ("height", height.to_string()),
        ]
    };
    page.family(
        "sent_picture_bits_per_second",
        "What each size of the room's picture takes, once encoded",
        &sizes,
        |((source, height), (bits, _))| (labels(source, *height), *bits),
    )?;
    page.family(
        "sent_picture_frames_per_second",
        "Pictures of each size of the room's picture",
        &sizes,
        |((source, height), (_, rate))| (labels(source, *height), *rate),
    )
}

/// The worst connection speaks for all; bits are added up.
fn connections(page: &mut Page<'_>, peers: &[PeerStats]) -> fmt::Result {
    let worst = |figure: fn(&PeerStats) -> Option<f64>| {
        peers.iter().filter_map(figure).max_by(f64::total_cmp)
    };
    let sum = |figure: fn(&PeerStats) -> Option<f64>| {
        let bits: f64 = peers.iter().filter_map(figure).sum();
        bits * 1000.0
    };
    page.gauge(
        "connections",
        "Open connections",
        None,
        Some(peers.len() as f64),
    )?;
    page.gauge(
        "round_trip",
        "Round trip of the slowest connection",
        Some(&Unit::Seconds),
        worst(|peer| peer.rtt_ms).map(|ms| ms / 1000.0),
    )?;
    page.gauge(
        "loss",
        "Lost of what was sent to the room, on the worst connection",
        Some(&Unit::Ratios),
        worst(|peer| peer.loss_percent).map(|percent| percent / 100.0),
    )?;
    let count = |figure: fn(&PeerStats) -> u32| {
        let counts = peers.iter().map(figure).map(f64::from);
        (!peers.is_empty()).then(|| counts.sum())
    };
    page.gauge(
        "relays",
        "Addresses at TURN servers that relay, of all connections",
        None,
        count(|peer| peer.relays),
    )?;
    page.gauge(
        "relay_failures",
        "How often a TURN server was of no use to an open connection",
        None,
        count(|peer| peer.relay_failures),
    )?;
    let rates = [
        ("received", sum(|peer| peer.received_kbps)),
        ("sent", sum(|peer| peer.sent_kbps)),
    ];
    page.family(
        "bits_per_second",
        "Of all connections",
        &rates,
        |(direction, bits)| ([("direction", *direction)], *bits),
    )
}

fn process(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let figures = &state.statistics;
    page.gauge(
        "cpu",
        "roomd's use of one core",
        Some(&Unit::Ratios),
        figures.cpu_percent.map(|percent| percent / 100.0),
    )?;
    page.gauge(
        "resident_memory",
        "roomd's resident memory",
        Some(&Unit::Bytes),
        figures.rss_mb.map(|mb| mb * 1e6),
    )?;
    page.gauge(
        "threads",
        "roomd's threads",
        None,
        figures.threads.map(f64::from),
    )?;
    page.gauge(
        "open_descriptors",
        "roomd's open file descriptors",
        None,
        figures.descriptors.map(f64::from),
    )?;
    page.counter(
        "bad_messages",
        "Signalling messages that did not parse",
        figures.bad_messages,
    )
}

/// What is written, one family at a time.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: Option<f64>,
    ) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        let encoder = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    fn flag(&mut self, name: &str, help: &str, on: bool) -> fmt::Result {
        self.gauge(name, help, None, Some(f64::from(u8::from(on))))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = ConstCounter::new(value);
        let encoder = self
            .0
            .encode_descriptor(name, help, None, ConstCounter::<u64>::TYPE)?;
        counter.encode(encoder)
    }

    /// One gauge for each item; nothing when there are none.
    fn family<Item, Label: AsRef<str>, const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        items: &[Item],
        read: impl Fn(&Item) -> ([(&'static str, Label); LABELS], f64),
    ) -> fmt::Result {
        if items.is_empty() {
            return Ok(());
        }
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for item in items {
            let (labels, value) = read(item);
            let labels: Vec<(&str, &str)> = labels
                .iter()
                .map(|(name, value)| (*name, value.as_ref()))
                .collect();
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
