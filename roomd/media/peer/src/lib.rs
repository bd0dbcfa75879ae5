// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One WebRTC connection to one peer.
#![deny(missing_docs)]

mod port;

pub use port::{Frame, PeerCommand, PeerConfig, PeerEvent, PeerReport, SenderReport};
