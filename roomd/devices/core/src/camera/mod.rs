// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Cameras: what they offer, which of it is taken and why, and what can be set and adjusted.

pub mod adjust;
pub mod choice;
pub mod controls;
pub mod formats;
pub mod pick;
pub mod presets;
