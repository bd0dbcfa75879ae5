// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::HashMap;

use roomd_api::{ContentInput, ContentShare, State};
use roomd_model::Phase;
use zbus::Variant;

use crate::words;

/// The state as D-Bus properties; the names of the interface are those of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Projection {
    pub(super) phase: &'static str,
    pub(super) room_name: String,
    pub(super) version: String,
    pub(super) in_call: bool,
    pub(super) sending: bool,
    pub(super) microphone: bool,
    pub(super) camera: bool,
    pub(super) content: bool,
    pub(super) shared_content: String,
    pub(super) volume: u8,
    pub(super) layout: &'static str,
    pub(super) e2ee: &'static str,
    pub(super) participants: u32,
    pub(super) waiting: u32,
    pub(super) faults: Vec<String>,
    pub(super) headless: bool,
    pub(super) calendar_stale: bool,
    pub(super) health_score: u8,
    pub(super) active_camera: String,
}

impl Projection {
    pub(super) fn of(state: &State) -> Self {
        let call = state.call.as_deref();
        let on = |read: fn(&roomd_api::Call) -> bool| call.is_some_and(read);
        let count = |read: fn(&roomd_api::Call) -> usize| {
            u32::try_from(call.map_or(0, read)).unwrap_or(u32::MAX)
        };
        Self {
            phase: words::phase(&state.room.phase),
            room_name: state.room.name.clone(),
            version: state.room.version.clone(),
            in_call: matches!(state.room.phase, Phase::InCall | Phase::Reconnecting { .. }),
            sending: on(|call| call.sending),
            microphone: on(|call| call.microphone),
            camera: on(|call| call.camera),
            content: on(|call| call.content),
            shared_content: shared(&state.content),
            volume: call.map_or(0, |call| call.volume),
            layout: call.map_or("", |call| words::layout(call.layout)),
            e2ee: call.map_or("", |call| words::e2ee(call.e2ee)),
            participants: count(|call| call.participants.len()),
            waiting: count(|call| call.waiting.len()),
            faults: state
                .faults
                .iter()
                .map(|fault| words::code(fault.code))
                .collect(),
            headless: state.devices.display.is_none(),
            calendar_stale: state.agenda.stale,
            health_score: state.health.score,
            active_camera: state
                .cameras
                .iter()
                .find(|camera| camera.active)
                .map_or_else(String::new, |camera| camera.name.clone()),
        }
    }

    /// The properties that `next` has otherwise.
    pub(super) fn changes(&self, next: &Self) -> HashMap<&'static str, Variant<'static>> {
        let mut changes = HashMap::new();
        let mut put = |name, differs: bool, value: Variant<'static>| {
            if differs {
                changes.insert(name, value);
            }
        };
        put("Phase", self.phase != next.phase, next.phase.into());
        let (name, version) = (next.room_name.clone(), next.version.clone());
        put("RoomName", self.room_name != next.room_name, name.into());
        put("Version", self.version != next.version, version.into());
        put("InCall", self.in_call != next.in_call, next.in_call.into());
        put("Sending", self.sending != next.sending, next.sending.into());
        put(
            "Microphone",
            self.microphone != next.microphone,
            next.microphone.into(),
        );
        put("Camera", self.camera != next.camera, next.camera.into());
        put("Content", self.content != next.content, next.content.into());
        let shared = next.shared_content.clone();
        put(
            "SharedContent",
            self.shared_content != next.shared_content,
            shared.into(),
        );
        put("Volume", self.volume != next.volume, next.volume.into());
        put("Layout", self.layout != next.layout, next.layout.into());
        put("E2ee", self.e2ee != next.e2ee, next.e2ee.into());
        put(
            "Participants",
            self.participants != next.participants,
            next.participants.into(),
        );
        put("Waiting", self.waiting != next.waiting, next.waiting.into());
        let faults = next.faults.clone();
        put("Faults", self.faults != next.faults, faults.into());
        put(
            "Headless",
            self.headless != next.headless,
            next.headless.into(),
        );
        put(
            "CalendarStale",
            self.calendar_stale != next.calendar_stale,
            next.calendar_stale.into(),
        );
        put(
            "HealthScore",
            self.health_score != next.health_score,
            next.health_score.into(),
        );
        let camera = next.active_camera.clone();
        put(
            "ActiveCamera",
            self.active_camera != next.active_camera,
            camera.into(),
        );
        changes
    }
}

fn shared(inputs: &[ContentInput]) -> String {
    let is_shared = |input: &&ContentInput| match input.share {
        ContentShare::Starting | ContentShare::On | ContentShare::Held | ContentShare::Paused => {
            true
        }
        ContentShare::Off | ContentShare::Ended => false,
    };
    let shared = inputs.iter().find(is_shared);
    shared.map_or_else(String::new, |input| input.name.clone())
}
