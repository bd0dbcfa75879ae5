// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HID telephony: the mute key, the hook and the lamps of speakerphones and conference bars.
//!
//! Source: USB HID 1.11, chapter 6.2.2, and the HID usage tables, pages Telephony (0x0B) and LED
//! (0x08). The parser is our own: those at hand panic on descriptors that miss an item, or make a
//! list as long as the descriptor claims. This one keeps only what telephony needs, and of that a few.

mod descriptor;
mod telephony;

pub use telephony::{Lamps, Signal, Telephony};
