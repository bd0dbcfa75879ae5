// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The media engine's decisions, as pure code.
//!
//! Invariants: no clock, thread, socket or GStreamer here; time and samples go in, pictures, samples
//! and plans come out.

pub mod cadence;
pub mod codec;
pub mod compose;
pub mod frame;
pub mod gate;
pub mod governor;
pub mod hardware;
pub mod jitter;
pub mod layers;
pub mod loudness;
pub mod mix;
pub mod openings;
pub mod outputs;
pub mod pace;
pub mod plan;
pub mod pulse;
pub mod scene;
pub mod speaker;
pub mod supply;
pub mod sync;
pub mod testpicture;
pub mod testsound;
pub mod timecode;
pub mod tone;
