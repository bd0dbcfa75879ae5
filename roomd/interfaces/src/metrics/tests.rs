// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeSet;

use roomd_api::{Agenda, Devices, HealthItem, Room, SoundStats, Statistics, VoiceStats, Words};
use roomd_model::{Fault, Language, Phase, QualityLimit};

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
        cameras: Vec::new(),
        content: Vec::new(),
        health: Health {
            score: 70,
            items: vec![
                item("camera-missing", Some(Severity::Error), "front"),
                item("microphone-ok", None, "usb:0b0e:2420/\"1\"@1-1.4:1.0"),
            ],
        },
        sound_test: roomd_api::SoundTest::default(),
        pairing: None,
        faults: vec![Fault::new(FaultCode::CameraMissing)],
        statistics: Statistics {
            rss_mb: Some(120.5),
            bad_messages: 7,
            freezes: 3,
            sound: SoundStats {
                stretched_ms: 120.0,
                compressed_ms: 250.0,
                skipped_ms: 0.0,
                missing_ms: 40.0,
            },
            streams: vec![StreamStats {
                stream: roomd_model::StreamId(1),
                kind: roomd_model::StreamKind::Camera,
                fps: 29.5,
                kbps: 800.0,
                width: Some(1280),
                height: Some(720),
                jitter_ms: 12.5,
                delay_ms: 60.0,
                av_offset_ms: Some(-20.0),
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
            quality_limit: Some(QualityLimit::Without720),
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

fn item(code: &str, severity: Option<Severity>, device: &str) -> HealthItem {
    let words = |text: &str| Words {
        de: text.to_owned(),
        en: text.to_owned(),
    };
    HealthItem {
        code: code.to_owned(),
        severity,
        device: device.to_owned(),
        text: words("Gerät im Raum Elbe"),
        remedy: severity.map(|_| words("Telefon 4711")),
        detail: None,
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
        "roomd_health_score 70.0",
        "roomd_device_trouble{device=\"front\",code=\"camera-missing\",severity=\"error\"} 1.0",
        "roomd_device_trouble{device=\"usb:0b0e:2420/\\\"1\\\"@1-1.4:1.0\",code=\"microphone-ok\",severity=\"none\"} 0.0",
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
        "roomd_sound_fitted_seconds{measure=\"compressed\"} 0.25",
        "roomd_sound_fitted_seconds{measure=\"missing\"} 0.04",
        "roomd_sent_picture_bits_per_second{source=\"camera\",height=\"180\"} 150000.0",
        "roomd_sent_picture_frames_per_second{source=\"camera\",height=\"180\"} 30.0",
        "roomd_stream_bits_per_second{kind=\"camera\",slot=\"1\"} 800000.0",
        "roomd_stream_frames_per_second{kind=\"camera\",slot=\"1\"} 29.5",
        "roomd_stream_lost{kind=\"camera\",slot=\"1\"} 4.0",
        "roomd_stream_freezes{kind=\"camera\",slot=\"1\"} 3.0",
        "roomd_stream_jitter_seconds{kind=\"camera\",slot=\"1\"} 0.0125",
        "roomd_stream_av_offset_seconds{kind=\"camera\",slot=\"1\"} -0.02",
        "roomd_quality_limit{code=\"cpu-without-720p\"} 1.0",
        "roomd_quality_limit{code=\"cpu-fewer-pictures\"} 0.0",
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

/// The series whose name and labels begin so.
fn series<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    let lines = text.lines();
    lines.filter(|line| line.starts_with(begin)).collect()
}

#[test]
fn a_place_is_the_next_ones_when_a_stream_goes() {
    let mut state = state();
    let like = state.statistics.streams[0].clone();
    let stream = |id, kind, kbps| StreamStats {
        stream: roomd_model::StreamId(id),
        kind,
        kbps,
        ..like.clone()
    };
    state.statistics.streams = vec![
        stream(9, StreamKind::Camera, 9.0),
        stream(7, StreamKind::Screen, 7.0),
        stream(5, StreamKind::Audio, 5.0),
        stream(4, StreamKind::Camera, 4.0),
    ];
    let text = render(Arc::new(state.clone())).unwrap();
    let bits = "roomd_stream_bits_per_second{";
    assert_eq!(
        series(&text, bits),
        [
            "roomd_stream_bits_per_second{kind=\"camera\",slot=\"1\"} 4000.0",
            "roomd_stream_bits_per_second{kind=\"audio\",slot=\"1\"} 5000.0",
            "roomd_stream_bits_per_second{kind=\"content\",slot=\"1\"} 7000.0",
            "roomd_stream_bits_per_second{kind=\"camera\",slot=\"2\"} 9000.0",
        ]
    );
    // Sound has no pictures.
    for name in ["frames_per_second", "freezes"] {
        let begin = format!("roomd_stream_{name}{{kind=\"audio\"");
        assert_eq!(series(&text, &begin), [""; 0], "{text}");
    }
    state.statistics.streams.pop();
    let text = render(Arc::new(state)).unwrap();
    let first = "roomd_stream_bits_per_second{kind=\"camera\",slot=\"1\"} 9000.0";
    assert!(series(&text, bits).contains(&first), "{text}");
}

#[test]
fn places_are_bounded() {
    let mut state = state();
    let like = state.statistics.streams[0].clone();
    let stream = |id| StreamStats {
        stream: roomd_model::StreamId(id),
        ..like.clone()
    };
    state.statistics.streams = (0..1000).map(stream).collect();
    let text = render(Arc::new(state)).unwrap();
    assert_eq!(series(&text, "roomd_stream_lost{").len(), SLOTS);
}

#[test]
fn two_codecs_of_one_size_are_one_series() {
    let mut state = state();
    let mut other = state.statistics.sent[0].clone();
    (other.kbps, other.fps) = (50.0, 20.0);
    state.statistics.sent.push(other);
    let text = render(Arc::new(state)).unwrap();
    assert_eq!(
        series(&text, "roomd_sent_picture_"),
        [
            "roomd_sent_picture_bits_per_second{source=\"camera\",height=\"180\"} 200000.0",
            "roomd_sent_picture_frames_per_second{source=\"camera\",height=\"180\"} 20.0",
        ]
    );
}

#[test]
fn devices_are_bounded_and_each_has_one_series() {
    let mut state = state();
    let long = "x".repeat(1000);
    state.health.items = (0..1000)
        .map(|number| item("keys-flood", Some(Severity::Warning), &format!("{number}")))
        .collect();
    state.health.items[0].device = long.clone();
    state.health.items[1].device = long;
    let text = render(Arc::new(state)).unwrap();
    let series: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("roomd_device_trouble{"))
        .collect();
    assert_eq!(series.len(), DEVICES - 1);
    assert!(series.iter().all(|line| line.len() < 250), "{series:?}");
}

#[test]
fn every_phase_is_listed() {
    assert!(PHASES.contains(&words::phase(&Phase::Idle)));
    assert!(PHASES.contains(&words::phase(&Phase::InCall)));
    assert!(PHASES.contains(&words::phase(&Phase::Leaving)));
}
