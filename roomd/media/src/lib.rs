// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The media engine: devices, codecs, playout, display and connections, behind one handle.
//!
//! One task owns everything that decides; see `task`. GStreamer runs in many short pipelines, one
//! for each device, codec and sink, so that whatever fails is rebuilt alone. Composition and mixing
//! are pure code of `roomd-media-core` on a thread each.
//!
//! Invariants: nothing reaches a peer that is not verified, and nothing of it is decoded; a source
//! that is not sent is not captured; nothing records.

mod branch;
mod camera;
mod cards;
mod decode;
mod device;
mod display;
mod displays;
mod effort;
mod encode;
mod engine;
mod feed;
mod file;
mod flow;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod idle;
mod kms;
#[cfg(test)]
mod loop_tests;
mod mapped;
mod memory;
mod microphone;
mod outputs;
mod pool;
mod progress;
mod prove;
mod ring;
mod sink;
mod sound;
#[cfg(test)]
mod sound_tests;
mod task;
mod ticks;
mod time;
mod types;
mod voice;
mod wayland;
mod window;
mod x11;

pub use branch::BranchError;
pub use engine::{Engine, Gone, StartError, start};
pub use roomd_media_core::hardware::HardwareReport;
pub use roomd_media_core::mix::{Fitted, RATE as SOUND_RATE};
pub use roomd_media_core::plan::{
    BitrateSetting, CANDIDATES as HARDWARE_ENCODERS, CameraFormat, CameraMode, HardwareEncoder,
};
pub use roomd_voice::{Mode as VoiceMode, Report as VoiceReport};
pub use types::{
    CameraSource, ContentDisplay, ContentInput, ContentPicture, ContentRun, DeviceReport,
    DisplayOutput, EchoCancellation, EchoPolicy, EngineCommand, EngineEvent, EngineStatistics,
    Heard, Loudspeaker, MicrophoneSource, SentReport, Settings, StreamReport,
};
