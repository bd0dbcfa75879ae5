// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room decides about its devices, as pure code.
//!
//! Invariants: no clock, thread, socket or device here; properties, bytes and time go in, effects and
//! texts come out. Nothing that a device says ends in a panic or in memory that grows with it.
#![deny(missing_docs)]

pub mod call;
pub mod camera;
pub mod content;
pub mod device;
pub mod display;
pub mod flood;
pub mod health;
pub mod hid;
pub mod identity;
pub mod inventory;
pub mod keys;
pub mod panel;
pub mod self_hear;
pub mod self_test;
pub mod sound;
pub mod table;
pub mod visca;
