// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The narrow port: what any transport backend takes and gives.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use roomd_conference::{IceServer, PeerState, SdpKind};
use roomd_model::Pii;

/// How a connection reaches the network.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// Local addresses to gather on; empty means every address of the machine that is up, the
    /// loopback ones only when there is no other or `include_loopback` is set.
    pub addresses: Vec<IpAddr>,
    /// Gathers on loopback too, as demo and tests need.
    pub include_loopback: bool,
    /// Inclusive UDP port range; none lets the system choose.
    pub ports: Option<(u16, u16)>,
    /// STUN and TURN servers. Silent ones delay the first description by at most one and two
    /// seconds; a relay that stands later is used too, and is in later descriptions.
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
    /// Makes an offer with one m-line for each kind given; answered with
    /// [`PeerEvent::LocalDescription`]. On a running connection it restarts ICE.
    Offer {
        /// True for sound, false for picture, in m-line order; ignored on a running connection.
        audio: Vec<bool>,
    },
    /// Adds a remote candidate (`candidate:` line).
    RemoteCandidate(Pii<String>),
    /// Sends an encoded frame; dropped unless the peer is verified.
    Write {
        /// The m-line.
        mid: String,
        /// The frame.
        frame: Frame,
    },
    /// Asks the remote side for a keyframe on this m-line (RFC 4585 PLI); rate-limited inside.
    RequestKeyframe {
        /// The m-line.
        mid: String,
    },
    /// Closes the connection; the task ends.
    Close,
}

/// An encoded frame: one VP8 picture (RFC 7741) or one Opus packet (RFC 7587).
#[derive(Clone, Debug)]
pub struct Frame {
    /// The encoded bytes.
    pub payload: std::sync::Arc<[u8]>,
    /// Media time in units of `1 / clock_rate` seconds; the RTP timestamp, unwrapped.
    pub rtp_time: u64,
    /// 90000 for picture, 48000 for sound.
    pub clock_rate: u32,
    /// When it was captured (sent frames), or when its last packet arrived (received ones).
    pub at: Instant,
    /// A keyframe; always true for sound.
    pub keyframe: bool,
    /// Received frames: no packet was lost between the previous frame and this one.
    pub contiguous: bool,
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
    /// The remote description could not be used; nothing changed. The text is free of personal
    /// data and of the description's content.
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
    },
    /// The bandwidth estimate towards the peer, in bit/s.
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
}
