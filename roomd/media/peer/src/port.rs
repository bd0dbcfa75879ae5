// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The narrow port: what any transport backend takes and gives.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use roomd_conference::{
    DataChannel, DataChannelId, Direction, IceServer, MediaKind, Offer, PeerState, SdpKind,
};
use roomd_model::Pii;

use crate::parameters::{LocalParameters, Parameters};
use crate::turn::RelayFailure;

/// How a connection reaches the network.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// Local addresses to gather on; empty means every address of the machine that is up, the
    /// loopback ones only when there is no other or `include_loopback` is set. Only then are they
    /// followed when they change.
    pub addresses: Vec<IpAddr>,
    /// Gathers on loopback too, as demo and tests need.
    pub include_loopback: bool,
    /// Inclusive UDP port range; none lets the system choose.
    pub ports: Option<(u16, u16)>,
    /// STUN and TURN servers. Silent ones delay the first description by at most one and two
    /// seconds; a relay that stands later is used too, and is in later descriptions. A TURN server
    /// that is lost, or does not answer, is asked again, at last every 30 s.
    pub ice_servers: Vec<IceServer>,
    /// A PEM file with a certificate authority that may vouch for TURN servers, besides the
    /// system's.
    pub ca_file: Option<PathBuf>,
}

/// What the engine wants of a connection.
#[derive(Debug)]
pub enum PeerCommand {
    /// Applies a remote description; an offer is answered with [`PeerEvent::LocalDescription`].
    RemoteDescription {
        /// Offer or answer.
        kind: SdpKind,
        /// The description.
        sdp: Pii<String>,
    },
    /// Says what a description would, without one; answered with [`PeerEvent::LocalParameters`], or
    /// with [`PeerEvent::DescriptionRefused`]. A connection lives by descriptions or by parameters.
    /// Later ones replace the m-lines and add candidates; payload types, extensions and what is known
    /// of the peer stay as they were. ICE is restarted by descriptions only: other credentials of the
    /// peer are refused.
    Parameters(Box<Parameters>),
    /// Makes an offer; answered with [`PeerEvent::LocalDescription`], or with
    /// [`PeerEvent::DescriptionRefused`] when it changes nothing.
    Offer(Offer),
    /// Adds a remote candidate (`candidate:` line).
    RemoteCandidate(Pii<String>),
    /// Sends an encoded frame; dropped unless the peer is verified.
    Write {
        /// The m-line.
        mid: String,
        /// The frame.
        frame: Frame,
    },
    /// Looks for so much bandwidth towards the peer while something is sent, in bit/s; none is that of
    /// a 720p picture, as before it is said.
    Reach(Option<u64>),
    /// Lets no media out until a frame is written again, not even what was written and waits to leave.
    Silence,
    /// Asks the remote side for a keyframe on this m-line, with a PLI (RFC 4585) or, where that is
    /// not negotiated, a FIR (RFC 5104); rate-limited inside.
    RequestKeyframe {
        /// The m-line.
        mid: String,
        /// The layer, where the m-line has several.
        rid: Option<String>,
    },
    /// Opens a data channel; [`PeerEvent::ChannelOpen`] follows when both sides have it. The first
    /// one of a connection waits for an offer, of either side, or for parameters that have data
    /// channels.
    OpenChannel(DataChannel),
    /// Sends a message; dropped when the channel is not open, or too much waits to be sent already.
    SendMessage {
        /// The channel.
        channel: DataChannelId,
        /// Bytes; text otherwise.
        binary: bool,
        /// The message.
        data: Vec<u8>,
    },
    /// Closes a data channel.
    CloseChannel {
        /// The channel.
        channel: DataChannelId,
    },
    /// Closes the connection; the task ends.
    Close,
}

/// A codec that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// RFC 7587, two channels in descriptions.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628, profile 0. Received only.
    Vp9,
    /// RFC 6184, constrained baseline up to level 3.1, packetization mode 1; frames are Annex B byte
    /// streams.
    H264,
}

impl Codec {
    /// Of RTP timestamps, in Hz.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Vp8 | Self::Vp9 | Self::H264 => 90_000,
        }
    }

    /// Whether it carries sound.
    pub const fn is_sound(self) -> bool {
        match self {
            Self::Opus => true,
            Self::Vp8 | Self::Vp9 | Self::H264 => false,
        }
    }
}

/// An encoded frame: one picture or one packet of sound.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The encoded bytes; may be encrypted.
    pub payload: std::sync::Arc<[u8]>,
    /// How they are encoded.
    pub codec: Codec,
    /// The layer, where an m-line has several.
    pub rid: Option<String>,
    /// Media time in units of `1 / clock_rate` seconds; the RTP timestamp, unwrapped.
    pub rtp_time: u64,
    /// When it was captured (sent frames), or when its last packet arrived (received ones).
    pub at: Instant,
    /// A keyframe; always true for sound.
    pub keyframe: bool,
    /// Received frames: no packet was lost between the previous frame and this one.
    pub contiguous: bool,
    /// VP8: the temporal layer, when the encoder makes several.
    pub temporal: Option<Temporal>,
    /// Sound: how loud it is (RFC 6464).
    pub level: Option<Level>,
}

impl Frame {
    /// The clock rate of its codec, in Hz.
    pub const fn clock_rate(&self) -> u32 {
        self.codec.clock_rate()
    }

    /// Whether no other frame needs it.
    pub const fn is_discardable(&self) -> bool {
        match self.temporal {
            Some(temporal) => temporal.discardable,
            None => false,
        }
    }

    /// A packet of sound to send.
    pub const fn sound(payload: std::sync::Arc<[u8]>, rtp_time: u64, at: Instant) -> Self {
        Self {
            payload,
            codec: Codec::Opus,
            rid: None,
            rtp_time,
            at,
            keyframe: true,
            contiguous: true,
            temporal: None,
            level: None,
        }
    }

    /// A VP8 picture to send.
    pub const fn picture(
        payload: std::sync::Arc<[u8]>,
        rtp_time: u64,
        at: Instant,
        keyframe: bool,
    ) -> Self {
        Self {
            payload,
            codec: Codec::Vp8,
            rid: None,
            rtp_time,
            at,
            keyframe,
            contiguous: true,
            temporal: None,
            level: None,
        }
    }
}

/// The place of a VP8 picture in its temporal layers (RFC 7741, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Temporal {
    /// The layer, 0 to 3.
    pub layer: u8,
    /// It depends on nothing but the last picture of layer 0: a receiver can begin with its layer here.
    pub sync: bool,
    /// No other picture depends on it.
    pub discardable: bool,
}

/// How loud a packet of sound is (RFC 6464).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Below overload, in dB: 0 is the loudest, 127 is silence.
    pub below_overload: u8,
    /// Somebody speaks.
    pub voice: bool,
}

/// An m-line as it is negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineState {
    /// The m-line.
    pub mid: String,
    /// Sound or picture.
    pub kind: MediaKind,
    /// The direction, seen from here.
    pub direction: Direction,
    /// What the peer takes of what may be sent, VP8 before H.264; empty when it takes nothing of it.
    /// Each frame is sent as its own codec says, so that the codec may change with a keyframe.
    pub codecs: Vec<Codec>,
    /// The layers that the peer takes; empty when it takes one picture without a name.
    pub layers: Vec<String>,
}

/// Ties RTP time to the sender's wall clock (RFC 3550, sender report).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport {
    /// The sender's wall clock.
    pub wall: SystemTime,
    /// RTP time at that moment, unwrapped like [`Frame::rtp_time`].
    pub rtp_time: u64,
}

/// What a connection tells the engine.
#[derive(Debug)]
pub enum PeerEvent {
    /// Our description, all candidates inside.
    LocalDescription {
        /// Offer or answer.
        kind: SdpKind,
        /// The description.
        sdp: Pii<String>,
    },
    /// Our side of the parameters.
    LocalParameters(Box<LocalParameters>),
    /// An m-line was negotiated, or changed. One that later parameters lack is told a last time, as
    /// inactive.
    Line(LineState),
    /// The remote description could not be used; nothing changed, with one exception: an unanswered
    /// offer of ours may be taken back by an offer, or by an answer to it, whose text can be read but
    /// contradicts itself or the m-lines so far. The text here is free of personal data and of the
    /// description's content.
    DescriptionRefused(String),
    /// The state changed. Nothing but `Verified` lets media through.
    State(PeerState),
    /// An encoded frame arrived.
    Frame {
        /// The m-line.
        mid: String,
        /// The frame.
        frame: Frame,
    },
    /// A sender report arrived.
    SenderReport {
        /// The m-line.
        mid: String,
        /// The report.
        report: SenderReport,
    },
    /// The remote side asks for a keyframe (PLI or FIR).
    KeyframeWanted {
        /// The m-line.
        mid: String,
        /// The layer; none means all of them.
        rid: Option<String>,
    },
    /// A data channel can be used.
    ChannelOpen {
        /// The channel.
        channel: DataChannelId,
        /// Its name; empty when it is longer than 255 bytes.
        label: String,
    },
    /// A message arrived.
    Message {
        /// The channel.
        channel: DataChannelId,
        /// Bytes; text, not checked to be UTF-8, otherwise.
        binary: bool,
        /// The message.
        data: Vec<u8>,
    },
    /// A data channel ended.
    ChannelClosed {
        /// The channel.
        channel: DataChannelId,
    },
    /// The machine's addresses changed, or a TURN server that was lost relays again; later
    /// descriptions hold the addresses there are now. ICE has to be restarted: whoever makes the
    /// offers here sends [`Offer::restart`], and where the peer makes them, it has to be asked for
    /// one, as no answer restarts ICE (RFC 8445, section 9). Until then the old path is used for as
    /// long as it works.
    AddressesChanged,
    /// The bandwidth estimate towards the peer, in bit/s. It falls as soon as packets begin to wait,
    /// within 200 ms, and rises with the mean of some seconds; what is sent has to follow at once.
    Bandwidth(u64),
    /// Figures, about once a second.
    Report(PeerReport),
    /// The task ended; the last event.
    Closed,
}

/// Figures of the last second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PeerReport {
    /// Round trip.
    pub rtt: Option<Duration>,
    /// Lost of what the peer sent, 0 to 1.
    pub loss: Option<f64>,
    /// Lost of what we sent, by the peer's account, 0 to 1.
    pub sent_loss: Option<f64>,
    /// Received, in bit/s.
    pub received_bps: f64,
    /// Sent, in bit/s.
    pub sent_bps: f64,
    /// What became of the TURN servers.
    pub relays: RelayReport,
}

/// What became of a connection's TURN servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayReport {
    /// Addresses that relay now; a server may give one of each family.
    pub standing: u32,
    /// How often a server turned out to be of no use, or was lost after it had relayed. All are asked
    /// again when the machine's addresses change, and those that may come back before that; what
    /// such a one fails again until it relays does not count.
    pub failed: u32,
    /// Why, the last time.
    pub failure: Option<RelayFailure>,
}
