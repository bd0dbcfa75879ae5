// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The words by which operators' interfaces name states.
use roomd_model::{E2ee, FaultCode, Layout, Phase, QualityLimit};
use serde::Serialize;

/// The phase's name as in the api.
pub(crate) const fn phase(phase: &Phase) -> &'static str {
    match phase {
        Phase::Idle => "idle",
        Phase::Offered { .. } => "offered",
        Phase::Joining => "joining",
        Phase::Lobby => "lobby",
        Phase::InCall => "in-call",
        Phase::Reconnecting { .. } => "reconnecting",
        Phase::Leaving => "leaving",
        Phase::Fault { .. } => "fault",
    }
}

/// A fault's code as in the api.
pub(crate) fn code(code: FaultCode) -> String {
    word(&code)
}

/// A limit's code as in the api.
pub(crate) fn limit(limit: QualityLimit) -> String {
    word(&limit)
}

/// A layout's word as in the api.
pub(crate) const fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::Grid => "grid",
        Layout::Speaker => "speaker",
        Layout::Share => "share",
    }
}

/// The encryption's word as in the api.
pub(crate) const fn e2ee(e2ee: E2ee) -> &'static str {
    match e2ee {
        E2ee::Pending => "pending",
        E2ee::Verified => "verified",
        E2ee::Off => "off",
    }
}

/// An enum's word in JSON.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}
