// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One WebRTC connection to one peer.
#![deny(missing_docs)]

mod core;
mod gather;
mod port;
mod task;
mod turn;

pub use core::{Core, Dropped, Transmit};
pub use port::{
    ChannelConfig, ChannelId, Codec, Direction, Encoding, Frame, HeaderExtension, Layers, Level,
    LineParameters, LocalParameters, MediaKind, NewLine, Offer, Parameters, Payload, PeerCommand,
    PeerConfig, PeerEvent, PeerReport, Reliability, RemoteTransport, SenderReport, Temporal,
};
pub use task::spawn;
