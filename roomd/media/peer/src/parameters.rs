// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The port's words for sessions without descriptions.

use roomd_model::{Pii, Secret};

use crate::port::Codec;
use crate::{Direction, MediaKind};

/// A session where no SDP is exchanged, as in Jingle.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// What the peer says of itself; none while it has not answered.
    pub remote: Option<RemoteTransport>,
    /// We decide on the path (RFC 8445, section 6.1.1): true for who began the session.
    pub controlling: bool,
    /// Payload types, the preferred first of each kind; both sides use the same.
    pub payloads: Vec<Payload>,
    /// Header extensions by their number, 1 to 14.
    pub extensions: Vec<(u8, HeaderExtension)>,
    /// What is sent and received.
    pub lines: Vec<LineParameters>,
    /// Both sides have data channels, with SCTP on port 5000 (RFC 8841); once they have, it stays so.
    pub data: bool,
}

/// How the peer is reached and known.
#[derive(Clone, Debug)]
pub struct RemoteTransport {
    /// ICE user name fragment.
    pub ufrag: Secret,
    /// ICE password.
    pub password: Secret,
    /// Candidates, as `candidate:` lines.
    pub candidates: Vec<Pii<String>>,
    /// Fingerprints, as `sha-256 AB:CD:…`; the strongest counts.
    pub fingerprints: Vec<String>,
    /// We begin the DTLS handshake: the peer is `passive`, or `actpass` and we choose so.
    pub active: bool,
}

/// A payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What it carries.
    pub codec: Codec,
    /// The number, 0 to 127 without 64 to 95 (RFC 5761).
    pub pt: u8,
    /// The number of its retransmissions (RFC 4588).
    pub rtx: Option<u8>,
}

/// An RTP header extension (RFC 8285).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderExtension {
    /// RFC 6464.
    AudioLevel,
    /// `abs-send-time`.
    AbsoluteSendTime,
    /// Transport-wide congestion control.
    TransportSequence,
    /// RFC 9143.
    Mid,
    /// RFC 8852.
    Rid,
    /// RFC 8852, of retransmissions.
    RepairedRid,
}

/// One source of sound or picture each way, under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineParameters {
    /// The name: letters and digits, at most 16.
    pub mid: String,
    /// Sound or picture; it stays as it was.
    pub kind: MediaKind,
    /// The direction, seen from here. Streams of the other directions may be named all the same: they
    /// rest until it changes. What was written before a change still leaves.
    pub direction: Direction,
    /// What is sent: none, one without a name, or one for each layer's name.
    pub send: Vec<Option<String>>,
    /// What the peer sends.
    pub receive: Vec<Encoding>,
}

/// An RTP stream and its retransmissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The SSRC.
    pub ssrc: u32,
    /// The SSRC of retransmissions.
    pub rtx: Option<u32>,
    /// The layer.
    pub rid: Option<String>,
}

/// What we say of ourselves where no SDP is exchanged.
#[derive(Clone, Debug)]
pub struct LocalParameters {
    /// ICE user name fragment.
    pub ufrag: Secret,
    /// ICE password.
    pub password: Secret,
    /// Candidates, as `candidate:` lines.
    pub candidates: Vec<Pii<String>>,
    /// The fingerprint, by sha-256.
    pub fingerprint: String,
    /// What is sent, by m-line.
    pub lines: Vec<(String, Vec<Encoding>)>,
}
