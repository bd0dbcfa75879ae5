// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room's display shows, as a projection of the state.
//!
//! Invariants: the same state at the same time gives the same scene; a drawing that did not
//! change keeps its picture, so that the composer does not convert it again; tiles are never
//! scaled; text from outside passes one escape and one limit. Fonts are read once, when the
//! display is made; nothing else touches a file.
#![deny(missing_docs)]

mod board;
mod call;
mod content;
mod display;
mod fonts;
mod icons;
pub mod layout;
mod local;
mod render;
mod shown;
mod sketch;
mod svg;
mod texts;
mod tokens;

pub use display::Display;
pub use fonts::Fonts;
pub use shown::shown;

#[cfg(test)]
#[path = "../tests/states/mod.rs"]
mod states;
#[cfg(test)]
mod tests;
