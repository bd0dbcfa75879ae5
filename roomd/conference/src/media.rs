// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a session asks of the media engine, and what the engine tells it.

use roomd_model::{PictureSizes, Pii, Secret, StreamId, StreamKind, StreamTrouble};

use crate::{DataChannel, DataChannelId, Offer};

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
    /// What somebody in the room shows: a laptop on the room's cable.
    Content,
}

/// How a platform encrypts frames from end to end, inside of what secures the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameEncryption {
    /// How frames are formed and keys derived.
    pub scheme: FrameScheme,
    /// LiveKit: what its server's own blank frames end with; empty where the server puts none in.
    pub server_mark: Vec<u8>,
}

/// How frames are formed and keys derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameScheme {
    /// `LiveKit`, a key for each participant.
    LiveKit,
    /// `LiveKit`, one passphrase for all.
    LiveKitShared,
    /// `LiveKit` as Element Call sets it up.
    ElementCall,
    /// Jitsi Meet.
    Jitsi,
    /// Nextcloud Talk.
    Talk,
}

/// What a frame key is made of.
#[derive(Clone, PartialEq, Eq)]
pub enum FrameKeyMaterial {
    /// 16 to 256 random bytes.
    Bytes(Vec<u8>),
    /// What people tell each other; `LiveKit` only.
    Passphrase(Secret),
}

impl std::fmt::Debug for FrameKeyMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Whose sound and picture belong together, unique within a connection; chosen by the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(pub u32);

/// Ties an m-line of a connection to a stream that display and mixer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamBinding {
    /// The stream, chosen by the session.
    pub stream: StreamId,
    /// The m-line's identification tag (RFC 5888).
    pub mid: String,
    /// What it carries.
    pub kind: StreamKind,
    /// Who sends it. Sound and picture of one sender are kept in step; those of two have
    /// clocks of their own.
    pub sender: SenderId,
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
    /// Says in which sizes somebody wants the picture on an m-line; all of them until this is said.
    Want {
        /// The connection.
        peer: PeerId,
        /// The m-line's identification tag.
        mid: String,
        /// The sizes. None pauses the picture. Where the m-line takes one picture, it gets the
        /// largest of them that its path carries.
        sizes: PictureSizes,
    },
    /// Holds back what is published on an m-line, whatever the room sends, or lets it go again.
    Hold {
        /// The connection.
        peer: PeerId,
        /// The m-line's identification tag.
        mid: String,
        /// Held back from now on.
        held: bool,
    },
    /// Makes an offer, told by [`MediaEvent::LocalDescription`].
    Offer {
        /// The connection.
        peer: PeerId,
        /// What it changes.
        offer: Offer,
    },
    /// Encrypts every frame of a connection from end to end. From now on no frame leaves or is decoded
    /// without a key. Cannot be taken back.
    Encrypt {
        /// The connection.
        peer: PeerId,
        /// How.
        encryption: FrameEncryption,
    },
    /// What the room's frames are encrypted with from now on.
    SendingKey {
        /// The connection.
        peer: PeerId,
        /// The key's index, as the platform counts.
        index: u32,
        /// The key.
        key: FrameKeyMaterial,
    },
    /// What opens a stream's frames, besides the keys of other indices. The newest at an index wins.
    StreamKey {
        /// The connection that carries it.
        peer: PeerId,
        /// The stream.
        stream: StreamId,
        /// The key's index, as the platform counts.
        index: u32,
        /// The key.
        key: FrameKeyMaterial,
    },
    /// Opens nothing of a stream with an old key any more.
    ForgetStreamKey {
        /// The stream.
        stream: StreamId,
        /// The key's index.
        index: u32,
    },
    /// Opens a data channel, told by [`MediaEvent::ChannelOpen`] when both sides have it. The first
    /// one of a connection waits for an offer, of either side.
    OpenChannel {
        /// The connection.
        peer: PeerId,
        /// How it is opened.
        channel: DataChannel,
    },
    /// Tells of a connection's data channels and of what arrives on them from now on. Without this
    /// it is dropped.
    TakeData {
        /// The connection.
        peer: PeerId,
    },
    /// Sends a message on a data channel; lost when it is not open, or too much waits to be sent.
    SendData {
        /// The connection.
        peer: PeerId,
        /// The channel.
        channel: DataChannelId,
        /// Bytes; text otherwise.
        binary: bool,
        /// The message, at most 64 KiB.
        data: Pii<Vec<u8>>,
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
    /// The room's addresses changed. Its later descriptions hold the new ones, and ICE has to be
    /// restarted by whoever makes the offers: the room with [`Offer::restart`], or the other side,
    /// which has to be asked for it. Media goes on over the old path while it works.
    AddressesChanged {
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
    /// A key opened a frame of a stream's sender, for the first time. That a stream delivers says less:
    /// a server's own blank frames need no key.
    Opened {
        /// The stream.
        stream: StreamId,
    },
    /// What a stream sends cannot be decoded, or can be again; the same for decrypting, where it lasts
    /// longer than a change of keys takes.
    Trouble {
        /// The stream.
        stream: StreamId,
        /// What is the matter with it.
        trouble: StreamTrouble,
        /// Now.
        active: bool,
    },
    /// Someone began or stopped speaking, by their sound.
    Speaking {
        /// The audio stream.
        stream: StreamId,
        /// Speaking now.
        speaking: bool,
    },
    /// A data channel can be used.
    ChannelOpen {
        /// The connection.
        peer: PeerId,
        /// The channel.
        channel: DataChannelId,
        /// Its name; empty when it is longer than 255 bytes.
        label: String,
    },
    /// A message arrived on a data channel, at most 64 KiB. Messages that come faster than the session
    /// takes them are lost, whatever the channel promises.
    Data {
        /// The connection.
        peer: PeerId,
        /// The channel.
        channel: DataChannelId,
        /// Bytes; text, not checked to be UTF-8, otherwise.
        binary: bool,
        /// The message.
        data: Pii<Vec<u8>>,
    },
    /// A data channel ended.
    ChannelClosed {
        /// The connection.
        peer: PeerId,
        /// The channel.
        channel: DataChannelId,
    },
    /// Loss or delay that people notice began or ended on this connection.
    Quality {
        /// The connection.
        peer: PeerId,
        /// Poor now.
        poor: bool,
    },
}
