// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frame encryption between encoder and connection: without a key nothing leaves.

use std::collections::BTreeMap;

use roomd_conference::{FrameEncryption, FrameScheme};
use roomd_crypt::{Codec as SealedCodec, FrameKey, IvStart, Sealer, Settings};
use roomd_peer::{Codec, Frame};

use crate::encode::Track;

/// What a connection's frames are sealed with.
#[derive(Debug)]
pub(super) struct Sealing {
    pub encryption: FrameEncryption,
    key: Option<(u32, FrameKey)>,
    sealers: BTreeMap<(String, Track), Sealer>,
}

impl Sealing {
    pub(super) const fn new(encryption: FrameEncryption) -> Self {
        Self {
            encryption,
            key: None,
            sealers: BTreeMap::new(),
        }
    }

    pub(super) const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Seals with this key from now on.
    pub(super) fn set_key(&mut self, index: u32, key: FrameKey) {
        for sealer in self.sealers.values_mut() {
            sealer.set_key(index, key.clone());
        }
        self.key = Some((index, key));
    }

    /// The frame as it leaves; none while there is no key.
    pub(super) fn seal(&mut self, mid: &str, track: Track, frame: &Frame) -> Option<Frame> {
        let (index, key) = self.key.as_ref()?;
        let settings = settings(&self.encryption, frame.codec)?;
        let place = (mid.to_owned(), track);
        let sealer = self.sealers.entry(place).or_insert_with(|| {
            // The connection draws the SSRC; four more random bytes stand for it.
            let start = IvStart {
                ssrc: rand::random(),
                random: rand::random(),
            };
            let mut sealer = Sealer::new(settings, start);
            sealer.set_key(*index, key.clone());
            sealer
        });
        let payload = sealer
            .seal(&frame.payload)
            .inspect_err(|error| tracing::debug!(%error, "a frame is not sealed"))
            .ok()?;
        Some(Frame {
            payload: payload.into(),
            ..frame.clone()
        })
    }
}

/// How a stream of this codec is sealed; none where the platform cannot.
pub(super) fn settings(encryption: &FrameEncryption, codec: Codec) -> Option<Settings> {
    let codec = match codec {
        Codec::Opus => SealedCodec::Opus,
        Codec::Vp8 => SealedCodec::Vp8,
        Codec::Vp9 => SealedCodec::Vp9,
        Codec::H264 => SealedCodec::H264,
    };
    let settings = match encryption.scheme {
        FrameScheme::LiveKit => Settings::livekit(codec),
        FrameScheme::LiveKitShared => Settings::livekit_shared(codec),
        FrameScheme::ElementCall => Settings::element_call(codec),
        FrameScheme::Jitsi => Settings::jitsi(codec).ok()?,
        FrameScheme::Talk => Settings::talk(codec).ok()?,
    };
    Some(settings.with_server_mark(&encryption.server_mark))
}
