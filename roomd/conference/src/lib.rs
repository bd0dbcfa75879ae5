// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The port between the room and a conference platform.
//!
//! A [`Provider`] recognises the links of one platform and starts a [`Session`]. A session is a
//! state machine without clock, socket, thread or pipeline: the driver feeds it [`Input`] with the
//! time, and drains [`Output`] after every input until there is none.
//!
//! Invariants: the room never branches on a provider's name; a session never sees a socket; media
//! never sees signalling. Whatever a remote party sends is an input that may be refused, never a
//! panic.
#![deny(missing_docs)]

mod channel;
#[cfg(feature = "conformance")]
pub mod conformance;
mod data;
mod media;
mod offer;
mod session;

pub use channel::{
    ChannelCommand, ChannelEvent, ChannelId, Endpoint, HttpRequest, Method, Refusal,
};
pub use data::{DataChannel, DataChannelId, Reliability};
pub use media::{
    FrameEncryption, FrameKeyMaterial, FrameScheme, IceServer, LocalSource, MediaCommand,
    MediaEvent, PeerId, PeerState, SdpKind, SenderId, StreamBinding,
};
pub use offer::{Direction, Layers, MediaKind, NewLine, Offer};
pub use session::{
    Capabilities, Command, Ended, Event, Input, JoinRequest, Output, Provider, Session,
};
