// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The configuration: TOML to validated settings.
//!
//! Invariants: [`parse`] is a function of the text alone and touches no file; what it returns is
//! complete and within its limits; an unknown key is an error, and every error names line,
//! column and cause. `REFERENCE.md` describes each key.
#![deny(missing_docs)]

mod check;
mod error;
mod hosts;
mod raw;
mod servers;
mod settings;
mod translate;

pub use check::parse;
pub use error::ConfigError;
pub use hosts::HostPattern;
pub use settings::{
    Bus, Calendar, CalendarSource, Camera, ContentDisplay, Direct, EchoCancellation, Join,
    LogLevel, Loudspeaker, Media, Microphone, Output, Remote, Room, Settings, Titles, Tls, Turn,
    Web,
};

#[cfg(test)]
mod tests;
