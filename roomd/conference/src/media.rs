// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a session asks of the media engine, and what the engine tells it.

use roomd_model::{Pii, Secret, StreamId, StreamKind};

/// Names one WebRTC connection; chosen by the session, unique within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

/// A STUN or TURN server (RFC 8489, RFC 8656).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URL.
    pub url: String,
    /// TURN user.
    pub username: Option<Pii<String>>,
    /// TURN password.
    pub credential: Option<Secret>,
}

/// Whether a description offers or answers (RFC 3264).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpKind {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
}

/// What the room sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalSource {
    /// The room's microphone.
    Microphone,
    /// The room's camera.
    Camera,
}

/// Ties an m-line of a connection to a stream that display and mixer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamBinding {
    /// The stream, chosen by the session.
    pub stream: StreamId,
    /// The m-line's identification tag (RFC 5888).
    pub mid: String,
    /// What it carries.
    pub kind: StreamKind,
}

/// What a session asks of the media engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// Creates a connection. Nothing is sent before its peer's certificate is verified.
    OpenPeer {
        /// The connection.
        peer: PeerId,
        /// Servers to gather with; none means host addresses only.
        ice_servers: Vec<IceServer>,
    },
    /// Applies the remote side's description; an offer is answered with
    /// [`MediaEvent::LocalDescription`].
    RemoteDescription {
        /// The connection.
        peer: PeerId,
        /// Offer or answer.
        kind: SdpKind,
        /// The description.
        sdp: Pii<String>,
    },
    /// Adds one of the remote side's addresses.
    RemoteCandidate {
        /// The connection.
        peer: PeerId,
        /// The `candidate:` line (RFC 8839).
        candidate: Pii<String>,
    },
    /// Says what the connection's m-lines carry in our direction of reception.
    Bind {
        /// The connection.
        peer: PeerId,
        /// All its streams; replaces what was bound before.
        streams: Vec<StreamBinding>,
    },
    /// Sends a local source on an m-line, whenever the room sends at all.
    Publish {
        /// The connection.
        peer: PeerId,
        /// The m-line's identification tag.
        mid: String,
        /// The source.
        source: LocalSource,
    },
    /// Ends a connection and its streams.
    ClosePeer {
        /// The connection.
        peer: PeerId,
    },
}

/// State of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Finding a path, or shaking hands.
    Connecting,
    /// A path exists and the peer's certificate matches its fingerprint.
    Verified,
    /// No path at the moment; it may come back.
    Interrupted,
    /// The peer's certificate does not match; nothing was sent or decoded.
    Unverified,
    /// It will not come back.
    Failed,
}

/// What the engine tells a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// Our description, all candidates gathered so far inside.
    LocalDescription {
        /// The connection.
        peer: PeerId,
        /// Offer or answer.
        kind: SdpKind,
        /// The description.
        sdp: Pii<String>,
    },
    /// A further address of ours.
    LocalCandidate {
        /// The connection.
        peer: PeerId,
        /// The `candidate:` line.
        candidate: Pii<String>,
    },
    /// The remote description could not be used; the connection stays as it was.
    DescriptionRefused {
        /// The connection.
        peer: PeerId,
    },
    /// The connection's state changed.
    Peer {
        /// The connection.
        peer: PeerId,
        /// Its state.
        state: PeerState,
    },
    /// A stream began to deliver, or stopped.
    Stream {
        /// The stream.
        stream: StreamId,
        /// Pictures or sound arrive and are decoded.
        live: bool,
    },
    /// Someone began or stopped speaking, by their sound.
    Speaking {
        /// The audio stream.
        stream: StreamId,
        /// Speaking now.
        speaking: bool,
    },
    /// Loss or delay that people notice began or ended on this connection.
    Quality {
        /// The connection.
        peer: PeerId,
        /// Poor now.
        poor: bool,
    },
}
