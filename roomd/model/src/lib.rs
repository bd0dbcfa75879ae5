// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The words of the domain.
//!
//! Invariants: this crate knows no clock, socket, thread or GStreamer. Whatever names a person, a
//! meeting or an address travels inside [`Pii`] or [`Secret`], which do not print.
#![deny(missing_docs)]

mod booking;
mod call;
mod crop;
mod fault;
mod link;
mod now;
mod pii;
mod quality;
mod size;
mod skip;

pub use booking::{Attendance, Booking, BookingId, BookingLink, LinkRefusal, LinkWarning};
pub use call::{
    ChatMessage, Connection, E2ee, Language, Layout, MeetingId, Participant, ParticipantId, Phase,
    StreamId, StreamKind, StreamTrouble,
};
pub use crop::Crop;
pub use fault::{Fault, FaultCode, Severity};
pub use link::{MeetingLink, ProviderId};
pub use now::Now;
pub use pii::{Pii, Secret};
pub use quality::QualityLimit;
pub use size::{PictureSize, PictureSizes};
pub use skip::SkipCause;
