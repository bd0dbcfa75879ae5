// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The contract of panel, D-Bus and admin view.
//!
//! A client connects, receives [`Event::State`] once, and then one event for each part that
//! changed; [`State::apply`] is all the state keeping there is. What a person wants goes the other
//! way as a [`Request`] and is answered by a [`Reply`]. TypeScript types are generated from here.
#![deny(missing_docs)]

mod content;
mod event;
mod hardware;
mod request;
mod state;
mod typescript;

pub use content::{ContentInput, ContentShare, ContentSignal};
pub use event::{ClientMessage, Event, Levels, ServerMessage};
pub use hardware::{
    Camera, CameraAdjustment, CameraAdjusts, CameraPreset, CameraRange, CameraSetting, Health,
    HealthItem, SelfHear, SelfHearPhase, SoundTest, SoundTestLine, SoundTestResult, Words,
};
pub use request::{Refusal, Reply, Request};
pub use state::{
    Agenda, AgendaEntry, AgendaLink, Call, Countdown, Devices, Pairing, PeerStats, Preview, Room,
    SentStats, SkippedEntry, SoundStats, State, Statistics, StreamStats, VoiceStats,
};
pub use typescript::typescript;
