// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room says, without what it hears: echo cancellation first, then noise suppression, then
//! gain control. Noise suppression before the canceller would make the echo path change all the
//! time, and gain control before it would change the echo's level.
//!
//! ```text
//! loudspeaker ──▶ Reference ── read at the microphone's pace ──┐
//!                                                              ▼
//! microphone ──▶ blocks of 10 ms ──▶ high-pass ──▶ canceller ──▶ noise ──▶ gain ──▶ out
//! ```
//!
//! The canceller is AEC3 in the crate `aec3`, a port of WebRTC's to Rust without C or C++: it builds
//! on every Debian from the package registry alone, and its settings can be reached. Other ways to
//! AEC3 were weighed: Debian 12 has no C++ library with it, and the one that the C++ binding bundles
//! downloads a further library while it builds; the port `sonora` performs alike with default
//! settings, but does not let them be changed. In a simulated room with 200 ms of reverberation and
//! an echo as loud as the person in the room, both reach 47 dB of echo return loss enhancement at
//! 2 % of a core; default settings take 19 to 30 dB off that person while the far end speaks, these
//! settings 1 dB.
//!
//! Invariants: no clock, no thread; whatever is handed in, what comes out is as long as what went in,
//! but for the rest of a block.

mod canceller;
mod clock;
mod devices;
mod processor;
mod reference;

pub use devices::{SoundCard, cancels_echo};
pub use processor::{Mode, Report, VoiceProcessor};
