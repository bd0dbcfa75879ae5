// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The configuration: TOML to validated settings.
//!
//! Invariants: [`parse`] is a function of the text alone and touches no file; what it returns is
//! complete and within its limits; an unknown key is an error, and every error names line,
//! column and cause. A line of the key map is no error for the others: it comes along as refused.
//! `REFERENCE.md` describes each key.
#![deny(missing_docs)]

mod buttons;
mod check;
mod devices;
mod displays;
mod error;
mod hosts;
mod matrix;
mod raw;
mod servers;
mod settings;
mod translate;

pub use check::parse;
pub use error::ConfigError;
pub use hosts::HostPattern;
pub use settings::{
    Bus, Buttons, Calendar, CalendarSource, Camera, CameraSize, ContentDisplay, Direct, Display,
    DisplayPower, EchoCancellation, HardwareEncoder, Join, LogLevel, Loudspeaker, LoudspeakerLevel,
    Matrix, MatrixEncryption, MatrixLogin, Media, Microphone, NamedCamera, NamedInput, NamedVisca,
    Output, RefusedKey, Remote, Room, Settings, TEST_INPUT, Titles, Tls, Turn, Web,
};

#[cfg(test)]
mod tests;
