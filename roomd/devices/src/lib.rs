// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's devices: what the kernel says about them, and what it is told.
//!
//! One task owns one device; what it decides is in `roomd-devices-core`. A task whose device is gone
//! ends, and closes what it sends on. Nothing here needs a device to be there, and a room without
//! one costs nothing.
#![deny(missing_docs)]

pub mod camera;
pub mod cards;
pub mod content;
pub mod display;
mod kernel;
pub mod keys;
pub mod mixer;
pub mod monitor;
pub mod mute;
pub mod sysfs;
mod telephony;
pub mod visca;
pub mod work;

pub use roomd_devices_core as core;
