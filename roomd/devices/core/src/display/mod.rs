// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Displays: what they are, and how they are woken and sent to sleep.

pub mod cec;
pub mod ddc;
pub mod edid;
pub mod lines;
pub mod log;
pub mod power;
pub mod quirks;
pub mod schedule;
