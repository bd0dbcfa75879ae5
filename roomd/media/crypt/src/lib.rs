// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! End-to-end encryption of encoded frames: between encoder and packetiser, and between
//! depacketiser and decoder. README.md names the formats and where they are written down.
//!
//! Invariants: no clock, thread, socket or dice; the caller passes randomness in. Without a key
//! nothing goes through, in either direction. No number used once is used twice under a key. What a
//! remote party sends is opened or dropped; it never panics. Keys do not print, and are wiped from
//! memory when dropped.
#![deny(missing_docs)]

mod codec;
mod frame;
mod injected;
mod iv;
mod key;
mod nal;
mod opener;
mod ring;
mod sealer;
mod settings;

pub use codec::Codec;
pub use iv::IvStart;
pub use key::{FrameKey, KeyRefusal, Scheme};
pub use opener::{Cause, Opened, Opener, Origin, Remedy, Unopened};
pub use sealer::{Sealer, Unsealed};
pub use settings::{Settings, UnsupportedCodec};

/// The largest frame that is sealed or opened, in bytes.
pub const MAX_FRAME: usize = 4 << 20;
