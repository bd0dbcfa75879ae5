// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's figures as OpenMetrics text (openmetrics.io, version 1.0), for operators who watch
//! hundreds of rooms.
//!
//! Invariants: no name, title, link or address; connections are summed up, so that no series
//! follows a person. Every fault has its series all the time, 0 while all is well, so that an
//! alert can tell a good room from one that says nothing.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};
use roomd_api::{Call, PeerStats, State, StreamStats};
use roomd_model::{E2ee, FaultCode, Severity, StreamKind};

use crate::words;

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
        call(&mut page, self.0.call.as_deref())?;
        media(&mut page, &self.0)?;
        streams(&mut page, &self.0)?;
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
            ("severity", severity(*code).to_owned()),
        ];
        (labels, f64::from(u8::from(active)))
    })
}

const fn severity(code: FaultCode) -> &'static str {
    match code.severity() {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn call(page: &mut Page<'_>, call: Option<&Call>) -> fmt::Result {
    let Some(call) = call else { return Ok(()) };
    let sources = [("microphone", call.microphone), ("camera", call.camera)];
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
    let heights: Vec<_> = figures
        .sent
        .iter()
        .filter_map(|sent| Some((sent.kind, sent.height?.to_string(), sent.kbps * 1000.0)))
        .collect();
    page.family(
        "sent_picture_bits_per_second",
        "What each size of the room's picture takes, once encoded",
        &heights,
        |(kind, height, bits)| {
            let kind = match kind {
                StreamKind::Screen => "content",
                StreamKind::Camera | StreamKind::Audio => "camera",
            };
            (
                [("source", kind.to_owned()), ("height", height.clone())],
                *bits,
            )
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
mod tests {
    use std::collections::BTreeSet;

    use roomd_api::{Agenda, Devices, Room, SentStats, Statistics, VoiceStats};
    use roomd_model::{Fault, Language, Phase};

    use super::*;

    fn state() -> State {
        State {
            room: Room {
                name: "Raum Elbe".to_owned(),
                phase: Phase::Idle,
                language: Language::De,
                time_zone: "Europe/Berlin".to_owned(),
                hosts_meetings: true,
                joins_sending: false,
                version: "1.2.3".to_owned(),
                support: Some("Telefon 4711".to_owned()),
            },
            agenda: Agenda::default(),
            call: None,
            devices: Devices::default(),
            pairing: None,
            faults: vec![Fault::new(FaultCode::CameraMissing)],
            statistics: Statistics {
                rss_mb: Some(120.5),
                bad_messages: 7,
                freezes: 3,
                streams: vec![StreamStats {
                    stream: roomd_model::StreamId(1),
                    kind: roomd_model::StreamKind::Camera,
                    fps: 29.5,
                    kbps: 800.0,
                    width: Some(1280),
                    height: Some(720),
                    jitter_ms: 12.5,
                    delay_ms: 60.0,
                    lost: 4,
                    freezes: 3,
                }],
                sent: vec![SentStats {
                    kind: StreamKind::Camera,
                    fps: 30.0,
                    kbps: 150.0,
                    target_kbps: Some(200.0),
                    width: Some(320),
                    height: Some(180),
                }],
                voice: Some(VoiceStats {
                    delay_ms: 80.0,
                    erle_db: 31.5,
                    drift_ppm: -20.0,
                }),
                peers: vec![
                    PeerStats {
                        rtt_ms: Some(40.0),
                        loss_percent: Some(1.0),
                        received_kbps: Some(300.0),
                        relays: 2,
                        relay_failures: 1,
                        ..PeerStats::default()
                    },
                    PeerStats {
                        rtt_ms: Some(15.0),
                        loss_percent: Some(2.5),
                        received_kbps: Some(200.0),
                        relays: 1,
                        ..PeerStats::default()
                    },
                ],
                ..Statistics::default()
            },
        }
    }

    #[test]
    fn figures_have_their_units_and_the_worst_connection_speaks() {
        let text = render(Arc::new(state())).unwrap();
        for line in [
            "# TYPE roomd_phase gauge",
            "roomd_phase{phase=\"idle\"} 1.0",
            "roomd_phase{phase=\"in-call\"} 0.0",
            "roomd_build{version=\"1.2.3\"} 1.0",
            "roomd_fault{code=\"camera-missing\",severity=\"warning\"} 1.0",
            "roomd_fault{code=\"microphone-missing\",severity=\"warning\"} 0.0",
            "# UNIT roomd_round_trip_seconds seconds",
            "roomd_round_trip_seconds 0.04",
            "roomd_loss_ratios 0.025",
            "roomd_bits_per_second{direction=\"received\"} 500000.0",
            "roomd_connections 2.0",
            "roomd_relays 3.0",
            "roomd_relay_failures 1.0",
            "roomd_streams 1.0",
            "roomd_jitter_seconds 0.0125",
            "roomd_playout_delay_seconds 0.06",
            "roomd_freezes 3.0",
            "roomd_sent_picture_bits_per_second{source=\"camera\",height=\"180\"} 150000.0",
            "roomd_echo_return_loss_enhancement_decibels 31.5",
            "roomd_resident_memory_bytes 120500000.0",
            "roomd_bad_messages_total 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
        assert!(
            !text.contains("roomd_join"),
            "what was not measured: {text}"
        );
        assert!(!text.contains("Elbe") && !text.contains("4711"), "{text}");
    }

    #[test]
    fn no_series_and_no_family_comes_twice() {
        let text = render(Arc::new(state())).unwrap();
        let mut seen = BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with("# HELP")) {
            let key = line.rsplit_once(' ').map_or(line, |(key, _)| key);
            assert!(seen.insert(key.to_owned()), "twice: {line}");
        }
    }

    #[test]
    fn every_phase_is_listed() {
        assert!(PHASES.contains(&words::phase(&Phase::Idle)));
        assert!(PHASES.contains(&words::phase(&Phase::InCall)));
        assert!(PHASES.contains(&words::phase(&Phase::Leaving)));
    }
}
