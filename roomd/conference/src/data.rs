// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data channels of a connection (RFC 8831).

/// Names one data channel within its connection; the engine numbers them as they open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataChannelId(pub u32);

/// How a data channel is opened (RFC 8831, RFC 8832).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataChannel {
    /// Its name, at most 255 bytes.
    pub label: String,
    /// The protocol inside, at most 255 bytes; mostly empty.
    pub protocol: String,
    /// Messages arrive in order.
    pub ordered: bool,
    /// What is done for a message that was lost.
    pub reliability: Reliability,
    /// The SCTP stream, 0 to 1022, when both sides agreed on it beforehand; told to the peer on the
    /// channel otherwise.
    pub negotiated: Option<u16>,
}

impl DataChannel {
    /// Reliable, ordered and announced on the channel.
    pub fn named(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            protocol: String::new(),
            ordered: true,
            reliability: Reliability::Reliable,
            negotiated: None,
        }
    }
}

/// What is done for a message that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliability {
    /// It is sent until it arrives.
    Reliable,
    /// It is sent so many times more.
    Retransmits(u16),
    /// It is sent again for so many milliseconds.
    Lifetime(u16),
}
