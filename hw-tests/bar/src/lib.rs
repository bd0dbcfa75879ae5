// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A USB conference bar that exists only in software: a UVC camera, a four-channel microphone array, a
//! loudspeaker, and telephony keys with their lamps, in one composite device over USB/IP.
//!
//! A [`Bar`] is the device, as a state machine: requests of the USB host and moments in go in, replies
//! come out. It holds no clock and no socket; moments are durations since an origin of the caller's
//! choice. [`serve`] is the shell around several of them.
//!
//! What it sends can be recognised: every picture carries its number ([`picture`]), every microphone
//! its own tone ([`sound`]). What it hears and is shown can be asked: levels of the loudspeaker, lamps,
//! whether the camera is open. It can also misbehave ([`Faults`]). Nothing that a host sends makes it
//! panic or grow without bound.
#![deny(missing_docs)]

mod audio;
mod camera;
mod command;
mod control;
mod descriptors;
mod device;
mod faults;
mod lane;
pub mod picture;
pub mod serve;
pub mod sound;
mod telephony;
pub mod wire;

pub use audio::Levels;
pub use command::{Command, Order};
pub use device::{Bar, Report};
pub use faults::{CameraFault, Faults, SoundFault};
pub use telephony::{Key, Lamps};
