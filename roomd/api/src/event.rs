// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::{Fault, ParticipantId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    Agenda, Call, Camera, ContentInput, Devices, Health, Pairing, Reply, Request, Room, SoundTest,
    State, Statistics,
};

/// One change; each replaces one part of the [`State`] as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case", tag = "event", content = "value")]
pub enum Event {
    /// Everything; the first event of every connection.
    State(Box<State>),
    /// The room itself.
    Room(Room),
    /// Today's meetings.
    Agenda(Agenda),
    /// The call, or none.
    Call(Option<Box<Call>>),
    /// What is attached.
    Devices(Devices),
    /// The cameras to choose from.
    Cameras(Vec<Camera>),
    /// The inputs for content.
    Content(Vec<ContentInput>),
    /// How the devices are.
    Health(Health),
    /// The sound test.
    SoundTest(SoundTest),
    /// The pairing code that the display shows, or none.
    Pairing(Option<Pairing>),
    /// What is wrong.
    Faults(Vec<Fault>),
    /// What was measured; about once a second during a call.
    Statistics(Box<Statistics>),
    /// Sound levels; about ten a second, not part of the state.
    Levels(Levels),
}

/// Sound levels for meters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Levels {
    /// The room's microphone, 0 (silence) to 100 (full scale), also while nothing is sent.
    pub microphone: u8,
    /// Who speaks, loudest first.
    pub speaking: Vec<ParticipantId>,
}

/// A message from a client (WebSocket text, JSON).
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ClientMessage {
    /// Chosen by the client; the reply repeats it.
    pub id: u32,
    /// What is wanted.
    pub request: Request,
}

/// A message to a client (WebSocket text, JSON).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case", tag = "message")]
pub enum ServerMessage {
    /// Something changed.
    Event {
        /// What.
        event: Event,
    },
    /// The answer to a request.
    Reply {
        /// The request's id.
        id: u32,
        /// The answer.
        reply: Reply,
    },
}
