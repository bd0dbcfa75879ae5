// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;

use roomd_api::{SkippedEntry, State, Statistics};
use roomd_model::Severity;
use serde::Serialize;

use crate::words;

/// What an operator looks at first; free of names, titles, ids and links, so that it can be sent on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Diagnosis<'a> {
    version: &'a str,
    phase: &'static str,
    /// Nothing worse than a notice.
    healthy: bool,
    faults: Vec<Complaint<'a>>,
    devices: &'a roomd_api::Devices,
    health: &'a roomd_api::Health,
    /// The last result; none before the first test.
    sound_test: Option<&'a roomd_api::SoundTestResult>,
    /// Names only: those of the saved positions are free text, and their pictures show the room.
    cameras: Vec<&'a str>,
    content: &'a [roomd_api::ContentInput],
    calendar: Calendar,
    call: Option<CallFacts<'a>>,
    statistics: &'a Statistics,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Complaint<'a> {
    code: String,
    severity: Severity,
    detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Calendar {
    configured: bool,
    stale: bool,
    read_at: Option<chrono::DateTime<chrono::Utc>>,
    entries: usize,
    /// How many entries were left out for which cause. Their UIDs are free text, in which many
    /// calendars put addresses.
    skipped: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallFacts<'a> {
    provider: &'a str,
    since: chrono::DateTime<chrono::Utc>,
    sending: bool,
    microphone: bool,
    camera: bool,
    e2ee: roomd_model::E2ee,
    participants: usize,
    waiting: usize,
}

impl<'a> Diagnosis<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        Self {
            version: &state.room.version,
            phase: words::phase(&state.room.phase),
            healthy: state
                .faults
                .iter()
                .all(|fault| fault.code.severity() == Severity::Notice),
            faults: state
                .faults
                .iter()
                .map(|fault| Complaint {
                    code: words::code(fault.code),
                    severity: fault.code.severity(),
                    detail: fault.detail.as_deref(),
                })
                .collect(),
            devices: &state.devices,
            health: &state.health,
            sound_test: state.sound_test.result.as_ref(),
            content: &state.content,
            cameras: state.cameras.iter().map(|c| c.name.as_str()).collect(),
            calendar: Calendar {
                configured: state.agenda.configured,
                stale: state.agenda.stale,
                read_at: state.agenda.read_at,
                entries: state.agenda.entries.len(),
                skipped: causes(&state.agenda.skipped),
            },
            call: state.call.as_deref().map(|call| CallFacts {
                provider: &call.provider,
                since: call.since,
                sending: call.sending,
                microphone: call.microphone,
                camera: call.camera,
                e2ee: call.e2ee,
                participants: call.participants.len(),
                waiting: call.waiting.len(),
            }),
            statistics: &state.statistics,
        }
    }
}

fn causes(skipped: &[SkippedEntry]) -> BTreeMap<String, usize> {
    let mut causes = BTreeMap::new();
    for entry in skipped {
        *causes.entry(entry.cause.to_string()).or_default() += 1;
    }
    causes
}
