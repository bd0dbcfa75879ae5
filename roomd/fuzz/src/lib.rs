// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What bad input gets: one function for each kind of input that a remote party chooses.
//!
//! A target takes any bytes and panics when something does not hold: no panic in what it calls, what
//! is held and answered stays bounded, and what is not the offending stream goes on. The corpora in
//! `corpus/TARGET/` are replayed by the tests of this crate; `./x fuzz TARGET` looks for more.
#![deny(missing_docs)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a target that fails panics"
)]

mod call;
mod decoders;
mod descriptions;
mod devices;
mod element_call;
mod frames;
mod hostile;
mod input;
mod livekit;
mod relay;
mod wire;

use input::Input;

/// A kind of input.
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    run: fn(Input<'_>),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Target {
    /// Gives it bytes; panics when they do harm.
    pub fn run(&self, data: &[u8]) {
        (self.run)(Input::new(data));
    }

    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

const fn target(name: &'static str, run: fn(Input<'_>)) -> Target {
    Target { name, run }
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("candidate", descriptions::candidate),
    target("codec_header", frames::codec_header),
    target("crypt_open", frames::crypt_open),
    target("datagram", wire::datagram),
    target("decode_h264", decoders::h264),
    target("decode_opus", decoders::opus),
    target("decode_vp8", decoders::vp8),
    target("decode_vp9", decoders::vp9),
    target("device_cec", devices::cec),
    target("device_ddc", devices::ddc),
    target("device_edid", devices::edid),
    target("device_hid", devices::hid),
    target("device_table", devices::table),
    target("device_udev", devices::udev),
    target("device_v4l2", devices::v4l2),
    target("device_visca", devices::visca),
    target("element_call", element_call::meeting),
    target("element_call_link", element_call::link),
    target("handshake", wire::handshake),
    target("jitter", frames::jitter),
    target("livekit", livekit::livekit),
    target("parameters", descriptions::parameters),
    target("rtcp", wire::rtcp),
    target("rtp", wire::rtp),
    target("sctp", wire::sctp),
    target("sdp_answer", descriptions::answer),
    target("sdp_offer", descriptions::offer),
    target("stun_answer", relay::stun_answer),
    target("turn_frames", relay::turn_frames),
    target("turn_server", relay::turn_server),
    target("turn_url", relay::turn_url),
];
