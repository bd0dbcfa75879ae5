// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The peer's certificate and its fingerprint, with every hash that servers signal (RFC 8122).
//!
//! The transport compares sha-256 and sha-1 digests only, and stops the handshake when they differ.
//! This check stays on for every hash: for the others, the transport is shown the certificate's
//! digest in place of the certificate, and is told to expect the sha-256 digest of that digest.
//! The certificate itself is kept, so that the core compares it a second time.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aws_lc_rs::digest;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

/// Longest digest, in bytes.
const MAX_DIGEST: usize = 64;

/// A hash of a fingerprint, the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    Sha1,
    Sha224,
    #[default]
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash of that name (RFC 8122, section 5); none for what is unknown or broken.
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sha-1" => Some(Self::Sha1),
            "sha-224" => Some(Self::Sha224),
            "sha-256" => Some(Self::Sha256),
            "sha-384" => Some(Self::Sha384),
            "sha-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn of(self, data: &[u8]) -> Vec<u8> {
        digest::digest(self.algorithm(), data).as_ref().to_vec()
    }
}

/// What a description says about the peer's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) hash: Hash,
    digest: Vec<u8>,
}

/// Why the value of a fingerprint attribute cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    Malformed,
    UnknownHash,
}

impl Fingerprint {
    /// Reads the value of `a=fingerprint:`.
    pub(super) fn parse(value: &str) -> Result<Self, Unusable> {
        let mut words = value.split_whitespace();
        let name = words.next().ok_or(Unusable::Malformed)?;
        let hash = Hash::named(name).ok_or(Unusable::UnknownHash)?;
        let digest = words
            .next()
            .and_then(|text| bytes(text, hash.algorithm().output_len()))
            .ok_or(Unusable::Malformed)?;
        if words.next().is_some() {
            return Err(Unusable::Malformed);
        }
        Ok(Self { hash, digest })
    }

    /// What the transport compares.
    pub(super) fn for_transport(&self) -> str0m::config::Fingerprint {
        let bytes = match self.hash {
            Hash::Sha256 => self.digest.clone(),
            Hash::Sha1 | Hash::Sha224 | Hash::Sha384 | Hash::Sha512 => {
                Hash::Sha256.of(&self.digest)
            }
        };
        str0m::config::Fingerprint {
            hash_func: "sha-256".into(),
            bytes,
        }
    }

    /// Whether the certificate has this fingerprint.
    fn is_of(&self, certificate: &[u8]) -> bool {
        self.hash.of(certificate) == self.digest
    }
}

fn bytes(text: &str, len: usize) -> Option<Vec<u8>> {
    let pair = |pair: &str| {
        let hex = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
    };
    // One pair more than allowed shows that there are too many.
    let bytes: Vec<u8> = text
        .split(':')
        .take(len + 1)
        .map(pair)
        .collect::<Option<_>>()?;
    (bytes.len() == len).then_some(bytes)
}

/// The certificate that the peer showed.
///
/// Shared behind a lock because the DTLS is inside the transport, which gives no way to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Certificate(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    hash: Hash,
    certificate: Option<Vec<u8>>,
    own: Vec<u8>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl Certificate {
    /// Says with which hash the transport compares. Has to come before the handshake.
    pub(super) fn expect(&self, hash: Hash) {
        self.shown().hash = hash;
    }

    /// The certificate was shown and has this fingerprint.
    pub(super) fn is(&self, fingerprint: &Fingerprint) -> bool {
        let shown = self.shown();
        let certificate = shown.certificate.as_deref();
        certificate.is_some_and(|certificate| fingerprint.is_of(certificate))
    }

    /// The fingerprint of our own certificate, as the value of `a=fingerprint:`; none for a hash
    /// that is unknown.
    pub(super) fn own(&self, hash: &str) -> Option<String> {
        let digest = Hash::named(hash)?.of(&self.shown().own);
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        Some(format!("{} {}", hash.to_ascii_lowercase(), pairs.join(":")))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the certificate; gives what the transport compares, none for the certificate itself.
    fn show(&self, certificate: &[u8]) -> Option<Vec<u8>> {
        let mut shown = self.shown();
        shown.certificate = Some(certificate.to_vec());
        match shown.hash {
            Hash::Sha256 => None,
            hash @ (Hash::Sha1 | Hash::Sha224 | Hash::Sha384 | Hash::Sha512) => {
                Some(hash.of(certificate))
            }
        }
    }
}

thread_local! {
    /// From [`watched`] to the DTLS made within it: the transport's factory is one for all
    /// connections and carries nothing.
    static WATCHER: RefCell<Option<Certificate>> = const { RefCell::new(None) };
}

/// Runs what builds one transport with the cryptography given; the certificate that its peer will
/// show can then be asked for.
pub(super) fn watched<T>(build: impl FnOnce(CryptoProvider) -> T) -> (T, Certificate) {
    static FACTORY: Factory = Factory;
    let certificate = Certificate::default();
    let mut provider = from_feature_flags();
    provider.dtls_provider = &FACTORY;
    WATCHER.set(Some(certificate.clone()));
    let built = build(provider);
    WATCHER.take();
    (built, certificate)
}

#[derive(Debug)]
struct Factory;

impl DtlsProvider for Factory {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let provider = from_feature_flags().dtls_provider;
        // Without a watcher nobody ever sees the certificate, and nothing is verified.
        let watcher = WATCHER.take().unwrap_or_default();
        watcher.shown().own.clone_from(&certificate.certificate);
        Ok(Box::new(Watched {
            inner: provider.new_dtls(certificate, now, version, mtu)?,
            certificate: watcher,
        }))
    }
}

#[derive(Debug)]
struct Watched {
    inner: Box<dyn DtlsInstance>,
    certificate: Certificate,
}

impl DtlsInstance for Watched {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let middle = buf.len().saturating_sub(MAX_DIGEST);
        let (buf, rest) = buf.split_at_mut(middle);
        let output = self.inner.poll_output(buf);
        let DtlsOutput::PeerCert(certificate) = output else {
            return output;
        };
        match self.certificate.show(certificate) {
            None => DtlsOutput::PeerCert(certificate),
            Some(digest) => {
                let len = digest.len().min(rest.len());
                let (place, _) = rest.split_at_mut(len);
                place.copy_from_slice(&digest[..len]);
                DtlsOutput::PeerCert(place)
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, certificate: &[u8]) {
        let fingerprint = Fingerprint::parse(value).unwrap();
        assert!(fingerprint.is_of(certificate), "{value}");
        assert!(!fingerprint.is_of(b"abd"), "{value}");
    }

    /// The digests of "abc" of FIPS 180-4's examples.
    #[test]
    fn knows_every_hash() {
        check(
            "SHA-1 A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
            b"abc",
        );
        check(
            "sha-224 23:09:7d:22:34:05:d8:22:86:42:a4:77:bd:a2:55:b3:2a:ad:bc:e4:bd:a0:b3:f7:e3:\
             6c:9d:a7",
            b"abc",
        );
        check(
            "sha-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:\
             10:FF:61:F2:00:15:AD",
            b"abc",
        );
        check(
            "sha-384 CB:00:75:3F:45:A3:5E:8B:B5:A0:3D:69:9A:C6:50:07:27:2C:32:AB:0E:DE:D1:63:1A:\
             8B:60:5A:43:FF:5B:ED:80:86:07:2B:A1:E7:CC:23:58:BA:EC:A1:34:C8:25:A7",
            b"abc",
        );
        check(
            "sha-512 DD:AF:35:A1:93:61:7A:BA:CC:41:73:49:AE:20:41:31:12:E6:FA:4E:89:A9:7E:A2:0A:\
             9E:EE:E6:4B:55:D3:9A:21:92:99:2A:27:4F:C1:A8:36:BA:3C:23:A3:FE:EB:BD:45:4D:44:23:64:\
             3C:E8:0E:2A:9A:C9:4F:A5:4C:A4:9F",
            b"abc",
        );
    }

    #[test]
    fn refuses_what_is_no_fingerprint() {
        use Unusable::{Malformed, UnknownHash};
        let many = format!("sha-1 {}", ["ab"; 9000].join(":"));
        let cases = [
            ("", Malformed),
            ("sha-256", Malformed),
            ("sha-256 AB:CD", Malformed),
            (
                "sha-1 +A:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
                Malformed,
            ),
            (
                "sha-1 A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D 1",
                Malformed,
            ),
            (many.as_str(), Malformed),
            ("md5 AB:CD", UnknownHash),
            ("sha-3 AB", UnknownHash),
        ];
        for (value, expected) in cases {
            assert_eq!(Fingerprint::parse(value), Err(expected), "{value:.80}");
        }
    }
}
