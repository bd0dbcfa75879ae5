// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room shows, published when it changed.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use roomd_api::{
    PeerStats, SentStats, SkippedEntry, SoundStats, Statistics, StreamStats, VoiceStats,
};
use roomd_bookings::Today;
use roomd_config::CalendarSource;
use roomd_devices::mute::RoomSound;
use roomd_media::{Fitted, SOUND_RATE, SentReport, StreamReport};
use roomd_model::{Attendance, Fault, Phase};

use super::{Daemon, now};
use crate::hardware::{ContentFacts, RoomFacts, SoundNames};
use crate::projection::{self, Calendar, Parts};

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn stream_stats(report: &StreamReport) -> StreamStats {
    StreamStats {
        stream: report.stream,
        kind: report.kind,
        fps: report.frames_per_second,
        kbps: report.bits_per_second / 1000.0,
        width: report.size.map(|(width, _)| width),
        height: report.size.map(|(_, height)| height),
        jitter_ms: millis(report.jitter),
        delay_ms: millis(report.delay),
        av_offset_ms: report.av_offset_ms,
        lost: report.lost,
        freezes: report.freezes,
    }
}

fn sound_stats(fitted: Fitted) -> SoundStats {
    let ms = |samples: u64| samples as f64 * 1000.0 / f64::from(SOUND_RATE);
    SoundStats {
        stretched_ms: ms(fitted.stretched),
        compressed_ms: ms(fitted.compressed),
        skipped_ms: ms(fitted.skipped),
        missing_ms: ms(fitted.missing),
    }
}

fn sent_stats(report: &SentReport) -> SentStats {
    SentStats {
        kind: report.kind,
        fps: report.frames_per_second,
        kbps: report.bits_per_second / 1000.0,
        target_kbps: report.target.map(|target| f64::from(target) / 1000.0),
        width: report.size.map(|(width, _)| width),
        height: report.size.map(|(_, height)| height),
    }
}

/// When the next meeting of the agenda begins that the room has not declined; the offered one may
/// have begun.
fn next_meeting(state: &roomd_api::State) -> Option<DateTime<Utc>> {
    let agenda = state.agenda.entries.iter();
    let starts = agenda
        .filter(|entry| !entry.all_day && entry.attendance != Attendance::Declined)
        .map(|entry| entry.start);
    starts.filter(|start| *start >= now().utc).min()
}

impl Daemon {
    /// Publishes the state if it is another one than before.
    pub(super) fn publish(&mut self) {
        let state = self.state();
        self.tell_hardware(&state);
        if state != *self.published {
            self.published = Arc::new(state);
            self.owner.state.send_replace(Arc::clone(&self.published));
        }
    }

    fn state(&self) -> roomd_api::State {
        let view = self.room.view();
        let (calendar, mut faults) = self.calendar_part();
        faults.extend(self.faults.values().cloned());
        projection::state(Parts {
            view: &view,
            name: &self.settings.room.name,
            time_zone: self.settings.room.time_zone.name(),
            support: self.settings.room.support.as_deref(),
            calendar,
            today: Today::new(now(), self.settings.room.time_zone),
            devices: &roomd_api::Devices {
                display_asks: self.hardware_state.display_asks,
                ..self.devices.clone()
            },
            cameras: &self.hardware_state.cameras,
            content: &self.hardware_state.content,
            health: &self.hardware_state.health,
            sound_test: &self.hardware_state.sound_test,
            pairing: self.desk.shown().borrow().clone(),
            faults: &faults,
            statistics: self.statistics(),
        })
    }

    /// What the room does, for mute key, lamps and the displays' power.
    fn tell_hardware(&self, state: &roomd_api::State) {
        let call = state.call.as_deref();
        let idle = matches!(state.room.phase, Phase::Idle | Phase::Offered { .. });
        let facts = RoomFacts {
            sound: RoomSound {
                muted: call.is_some_and(|call| !call.microphone),
                in_call: call.is_some(),
                offered: matches!(state.room.phase, Phase::Offered { .. }),
            },
            busy: !idle || state.pairing.is_some(),
            next: next_meeting(state),
            lost: self.lost.clone(),
            sound_names: SoundNames {
                microphone: self.devices.microphone.clone(),
                loudspeaker: self.devices.loudspeaker.clone(),
            },
            camera_slow: self.report.camera_slow,
            microphone_slow: self.report.microphone_slow,
            in_use: self.report.in_use.clone(),
            encoder: self.report.encoder.clone(),
            content_display: self.devices.content_display.clone(),
            content: ContentFacts {
                call: self.sharing_call(state),
                picture: self.content,
            },
        };
        self.hardware.room.send_if_modified(|known| {
            let differs = *known != facts;
            *known = facts;
            differs
        });
    }

    /// The call in which something can be shared, on the way back to it too.
    fn sharing_call(&self, state: &roomd_api::State) -> Option<u32> {
        let inside = matches!(state.room.phase, Phase::InCall | Phase::Reconnecting { .. });
        let carries = state.call.as_ref().is_some_and(|call| call.can_share);
        let session = self.session.as_ref().map(|active| active.id.0);
        session.filter(|_| inside && carries)
    }

    fn calendar_part(&self) -> (Calendar, Vec<Fault>) {
        let state = self.calendar_state.borrow();
        let skipped = state.skipped.iter().map(|entry| SkippedEntry {
            uid: entry.uid.clone().unwrap_or_default(),
            cause: entry.cause,
        });
        let calendar = Calendar {
            configured: self.settings.calendar.source != CalendarSource::None,
            read_at: state.read_at,
            stale: state.stale,
            skipped: skipped.collect(),
        };
        (calendar, state.faults())
    }

    fn statistics(&self) -> Statistics {
        let figures = &self.figures;
        let under_way = self
            .session
            .as_ref()
            .map_or(0, |active| active.handle.bad_messages());
        Statistics {
            join_ms: figures.media_both_ways.map(millis),
            first_remote_frame_ms: figures.first_remote_frame.map(millis),
            fps_sent: figures.fps_sent,
            fps_received: figures.fps_received,
            av_offset_ms: figures.av_offset_ms,
            cpu_percent: self.usage.cpu_percent,
            rss_mb: self.usage.rss_mb,
            threads: self.usage.threads,
            descriptors: self.usage.descriptors,
            bad_messages: self.bad_messages + under_way,
            freezes: figures.freezes,
            sound: sound_stats(figures.sound),
            streams: figures.streams.iter().map(stream_stats).collect(),
            sent: figures.sent.iter().map(sent_stats).collect(),
            quality_limit: figures.limit,
            voice: figures.voice.as_ref().map(|voice| VoiceStats {
                delay_ms: millis(voice.delay),
                erle_db: voice.erle,
                drift_ppm: voice.drift,
            }),
            peers: figures
                .peers
                .iter()
                .map(|(_, report)| PeerStats {
                    participant: None,
                    rtt_ms: report.rtt.map(millis),
                    loss_percent: report.loss.map(|loss| loss * 100.0),
                    received_kbps: Some(report.received_bps / 1000.0),
                    sent_kbps: Some(report.sent_bps / 1000.0),
                    relays: report.relays.standing,
                    relay_failures: report.relays.failed,
                    relay_failure: report.relays.failure.map(|why| why.to_string()),
                })
                .collect(),
        }
    }
}
