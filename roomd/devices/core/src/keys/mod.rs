// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Buttons and sensors: which key does what, and how often.

mod map;
mod names;
mod press;

pub use map::{Action, KeyMap, KeyMapError};
pub use names::{Code, named};
pub use press::{Press, Presses, Standing};
