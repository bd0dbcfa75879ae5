// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where keys come from and how they move on.

use std::fmt;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit, Nonce, Tag};
use hkdf::Hkdf;
use roomd_model::Secret;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of the number used once.
pub(crate) const IV_LEN: usize = 12;
/// Bytes of the authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Bytes of an AES-128 key.
const KEY_LEN: usize = 16;
/// Bytes of ratcheted material.
const RATCHETED_LEN: usize = 32;
/// Fewer random bytes than this are no key.
const MIN_BYTES: usize = 16;
/// More bytes than this are a mistake.
const MAX_BYTES: usize = 256;
/// Rounds of PBKDF2 that LiveKit's clients use.
const ROUNDS: u32 = 100_000;
/// The label of LiveKit's derivations, for frame keys and for the ratchet.
const LIVEKIT: &[u8] = b"LKFrameEncryptionKey";
/// LiveKit's HKDF info: not empty, but this many zeros.
const LIVEKIT_INFO: [u8; 128] = [0; 128];

/// How a platform derives keys and forms frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The frame cryptor of LiveKit's clients; Element Call and `OpenTalk` use it too.
    LiveKit,
    /// `JFrame` with Jitsi's labels.
    Jitsi,
    /// `JFrame` with the labels of Nextcloud Talk.
    Talk,
}

/// Labels and info of one scheme's HKDF.
struct Labels {
    key: &'static [u8],
    ratchet: &'static [u8],
    info: &'static [u8],
}

impl Scheme {
    const fn labels(self) -> Labels {
        match self {
            Self::LiveKit => Labels {
                key: LIVEKIT,
                ratchet: LIVEKIT,
                info: &LIVEKIT_INFO,
            },
            Self::Jitsi => Labels {
                key: b"JFrameEncryptionKey",
                ratchet: b"JFrameRatchetKey",
                info: &[],
            },
            Self::Talk => Labels {
                key: b"TalkFrameEncryptionKey",
                ratchet: b"TalkFrameRatchetKey",
                info: &[],
            },
        }
    }
}

/// Why bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyRefusal {
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// Fewer than 16 bytes or more than 256.
    #[error("a key of {0} bytes")]
    Length(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Derivation {
    Bytes(Scheme),
    Passphrase,
}

impl Derivation {
    fn key(self, material: &[u8], out: &mut [u8]) {
        match self {
            Self::Bytes(scheme) => expand(scheme.labels().key, material, &scheme.labels(), out),
            Self::Passphrase => stretch(material, out),
        }
    }

    fn ratchet(self, material: &[u8], out: &mut [u8]) {
        match self {
            Self::Bytes(scheme) => expand(scheme.labels().ratchet, material, &scheme.labels(), out),
            Self::Passphrase => stretch(material, out),
        }
    }
}

fn expand(salt: &[u8], material: &[u8], labels: &Labels, out: &mut [u8]) {
    let expanded = Hkdf::<Sha256>::new(Some(salt), material).expand(labels.info, out);
    assert!(expanded.is_ok(), "HKDF gives up to 8160 bytes");
}

fn stretch(material: &[u8], out: &mut [u8]) {
    pbkdf2::pbkdf2_hmac::<Sha256>(material, LIVEKIT, ROUNDS, out);
}

/// A derived key: what seals and opens frames, and what the next key is made of.
///
/// Deriving is the expensive part, so derive once and clone for each stream.
#[derive(Clone)]
pub struct FrameKey {
    derivation: Derivation,
    material: Zeroizing<Vec<u8>>,
    cipher: Aes128Gcm,
}

impl FrameKey {
    /// Derives a key from random bytes with HKDF-SHA256.
    ///
    /// # Errors
    /// Fewer than 16 or more than 256 bytes.
    pub fn from_bytes(scheme: Scheme, bytes: &[u8]) -> Result<Self, KeyRefusal> {
        if !(MIN_BYTES..=MAX_BYTES).contains(&bytes.len()) {
            return Err(KeyRefusal::Length(bytes.len()));
        }
        let material = Zeroizing::new(bytes.to_vec());
        Ok(Self::derive(Derivation::Bytes(scheme), material))
    }

    /// Derives a key from a passphrase with PBKDF2-SHA256, as LiveKit's clients do. Takes tens of
    /// milliseconds.
    ///
    /// # Errors
    /// An empty passphrase.
    pub fn from_passphrase(passphrase: &Secret) -> Result<Self, KeyRefusal> {
        if passphrase.expose().is_empty() {
            return Err(KeyRefusal::EmptyPassphrase);
        }
        let material = Zeroizing::new(passphrase.expose().as_bytes().to_vec());
        Ok(Self::derive(Derivation::Passphrase, material))
    }

    fn derive(derivation: Derivation, material: Zeroizing<Vec<u8>>) -> Self {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        derivation.key(&material, key.as_mut_slice());
        let cipher = Aes128Gcm::new((&*key).into());
        Self {
            derivation,
            material,
            cipher,
        }
    }

    /// The key that follows this one. Of a passphrase's key it takes as long as deriving.
    #[must_use]
    pub fn ratchet(&self) -> Self {
        let mut next = Zeroizing::new(vec![0; RATCHETED_LEN]);
        self.derivation.ratchet(&self.material, &mut next);
        Self::derive(self.derivation, next)
    }

    /// The bytes the key was made of, for whoever shares them with a participant.
    #[must_use]
    pub fn expose_material(&self) -> &[u8] {
        &self.material
    }

    /// Whether a receiver can afford to try the following keys on a frame that does not open.
    pub(crate) fn ratchets_quickly(&self) -> bool {
        self.derivation != Derivation::Passphrase
    }

    /// Encrypts in place and gives the tag; none for more bytes than AES-GCM takes.
    pub(crate) fn encrypt(
        &self,
        iv: [u8; IV_LEN],
        clear: &[u8],
        text: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        self.cipher
            .encrypt_inout_detached(&Nonce::from(iv), clear, text.into())
            .ok()
            .map(Into::into)
    }

    /// Decrypts `text` into `out` of the same length; false leaves nothing of the plaintext there.
    pub(crate) fn decrypt(
        &self,
        iv: [u8; IV_LEN],
        clear: &[u8],
        text: &[u8],
        tag: [u8; TAG_LEN],
        out: &mut [u8],
    ) -> bool {
        InOutBuf::new(text, out).is_ok_and(|buffer| {
            let (iv, tag) = (Nonce::from(iv), Tag::from(tag));
            self.cipher
                .decrypt_inout_detached(&iv, clear, buffer, &tag)
                .is_ok()
        })
    }
}

impl fmt::Debug for FrameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused() {
        for length in [0, 1, 15, 257] {
            assert_eq!(
                FrameKey::from_bytes(Scheme::Jitsi, &vec![7; length]).unwrap_err(),
                KeyRefusal::Length(length)
            );
        }
        assert_eq!(
            FrameKey::from_passphrase(&Secret::default()).unwrap_err(),
            KeyRefusal::EmptyPassphrase
        );
    }

    #[test]
    fn whatever_holds_key_bytes_wipes_them() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let key = FrameKey::from_bytes(Scheme::Talk, &[7; 32]).unwrap();
        wiped(&key.material);
        wiped(&key.cipher);
    }
}
