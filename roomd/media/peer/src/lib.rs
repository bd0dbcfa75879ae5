// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One WebRTC connection to one peer.
#![deny(missing_docs)]

mod core;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gather;
mod moves;
mod parameters;
mod peer;
mod port;
mod socket;
mod task;
mod turn;

pub use core::{Core, Dropped, Transmit};
pub use parameters::{
    Encoding, HeaderExtension, LineParameters, LocalParameters, Parameters, Payload,
    RemoteTransport,
};
pub use peer::Peer;
pub use port::{
    Codec, Frame, Level, LineState, PeerCommand, PeerConfig, PeerEvent, PeerReport, RelayReport,
    SenderReport, Temporal,
};
pub use roomd_conference::{
    DataChannel, DataChannelId, Direction, Layers, MediaKind, NewLine, Offer, Reliability,
};
pub use task::spawn;
pub use turn::RelayFailure;
