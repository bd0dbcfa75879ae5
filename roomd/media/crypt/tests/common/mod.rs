// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the tests share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part, and may fail loudly"
)]

use roomd_crypt::{Codec, FrameKey, IvStart, Opener, Scheme, Sealer, Settings};

pub const START: IvStart = IvStart {
    ssrc: 0x0a0b_0c0d,
    random: [1, 2, 3, 4, 5, 6, 7, 8],
};

pub fn key(seed: u8) -> FrameKey {
    FrameKey::from_bytes(Scheme::LiveKit, &[seed; 32]).unwrap()
}

/// Both ends of a stream with one key at index 0.
pub fn pair(settings: &Settings, key: &FrameKey) -> (Sealer, Opener) {
    let mut sealer = Sealer::new(settings.clone(), START);
    let mut opener = Opener::new(settings.clone());
    sealer.set_key(0, key.clone());
    opener.set_key(0, key.clone());
    (sealer, opener)
}

/// Every pairing of scheme and codec.
pub fn all_settings() -> Vec<(Codec, Settings)> {
    let mut all: Vec<_> = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264]
        .into_iter()
        .flat_map(|codec| {
            let marked = Settings::livekit(codec).with_server_mark(b"mark");
            [(codec, marked), (codec, Settings::element_call(codec))]
        })
        .collect();
    for codec in [Codec::Opus, Codec::Vp8] {
        all.push((codec, Settings::jitsi(codec).unwrap()));
        all.push((codec, Settings::talk(codec).unwrap()));
    }
    all
}

/// AES-128-GCM without any of the crate's derivations.
pub fn decrypt_with_raw_key(raw: &[u8], sealed: &[u8], clear: usize) -> Vec<u8> {
    use aes_gcm::aead::{Aead, Payload};
    use aes_gcm::{Aes128Gcm, KeyInit, Nonce};

    let (head, trailer) = sealed.split_at(sealed.len() - 14);
    let iv: [u8; 12] = trailer[..12].try_into().unwrap();
    let (aad, msg) = head.split_at(clear);
    let cipher = Aes128Gcm::new_from_slice(raw).unwrap();
    cipher
        .decrypt(&Nonce::from(iv), Payload { msg, aad })
        .unwrap()
}
