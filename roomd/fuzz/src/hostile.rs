// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A peer that has the keys and says what it likes.
//!
//! It is the transport with a cryptography that, when told so, replaces what it is about to encrypt:
//! the body of the next RTCP datagram, or the chunks of the next SCTP packet.

use std::cell::RefCell;
use std::time::Instant;

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, CryptoProvider,
    SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
    from_feature_flags,
};

thread_local! {
    static RTCP: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    static SCTP: RefCell<Option<Chunks>> = const { RefCell::new(None) };
}

/// What the next SCTP packet carries.
#[derive(Clone, Debug)]
pub(crate) enum Chunks {
    /// These chunks in place of its own.
    Instead(Vec<u8>),
    /// Its own, with these bytes from this place on.
    Over(usize, Vec<u8>),
}

/// What the next RTCP datagram of just this length carries behind its first eight bytes.
pub(crate) fn next_rtcp(body: Vec<u8>) {
    RTCP.set(Some(body));
}

/// The content of the next SCTP packet.
pub(crate) fn next_sctp(chunks: Chunks) {
    SCTP.set(Some(chunks));
}

/// Forgets what was not sent.
pub(crate) fn forget() {
    RTCP.set(None);
    SCTP.set(None);
}

/// The cryptography of the hostile peer.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        srtp_provider: &Srtp,
        dtls_provider: &Dtls,
        ..from_feature_flags()
    }
}

/// What is encrypted in place of the input.
fn replaced(input: &[u8]) -> Vec<u8> {
    let fits = RTCP.with_borrow(|body| body.as_ref().is_some_and(|body| body.len() == input.len()));
    let body = if fits { RTCP.take() } else { None };
    body.unwrap_or_else(|| input.to_vec())
}

#[derive(Debug)]
struct Srtp;

impl SrtpProvider for Srtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Srtp
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Srtp
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Srtp
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        from_feature_flags()
            .srtp_provider
            .srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        from_feature_flags()
            .srtp_provider
            .srtp_aes_256_ecb_round(key, input, output);
    }
}

#[derive(Debug)]
struct Cipher<T>(T);

impl SupportedAes128CmSha1_80 for Srtp {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        let real = from_feature_flags().srtp_provider.aes_128_cm_sha1_80();
        Box::new(Cipher(real.create_cipher(key, encrypt)))
    }
}

impl Aes128CmSha1_80Cipher for Cipher<Box<dyn Aes128CmSha1_80Cipher>> {
    fn encrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.encrypt(iv, &replaced(input), output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.decrypt(iv, input, output)
    }
}

macro_rules! gcm {
    ($factory:ident, $cipher:ident, $real:ident, $key:literal) => {
        impl $factory for Srtp {
            fn create_cipher(&self, key: [u8; $key], encrypt: bool) -> Box<dyn $cipher> {
                let real = from_feature_flags().srtp_provider.$real();
                Box::new(Cipher(real.create_cipher(key, encrypt)))
            }
        }

        impl $cipher for Cipher<Box<dyn $cipher>> {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.0.encrypt(iv, aad, &replaced(input), output)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                self.0.decrypt(iv, aads, input, output)
            }
        }
    };
}

gcm!(
    SupportedAeadAes128Gcm,
    AeadAes128GcmCipher,
    aead_aes_128_gcm,
    16
);
gcm!(
    SupportedAeadAes256Gcm,
    AeadAes256GcmCipher,
    aead_aes_256_gcm,
    32
);

#[derive(Debug)]
struct Dtls;

impl DtlsProvider for Dtls {
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
        let real = from_feature_flags().dtls_provider;
        let real = real.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(Instance(real)))
    }
}

#[derive(Debug)]
struct Instance(Box<dyn DtlsInstance>);

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        let Some(chunks) = SCTP.take() else {
            return self.0.send_application_data(data);
        };
        let sent = self.0.send_application_data(&packet(data, &chunks))?;
        Ok(if sent == 0 { 0 } else { data.len() })
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

/// Ports, verification tag and checksum (RFC 9260, section 3.1).
const HEADER: usize = 12;

fn packet(own: &[u8], chunks: &Chunks) -> Vec<u8> {
    let mut packet = own.to_vec();
    match chunks {
        Chunks::Instead(chunks) => {
            packet.truncate(HEADER);
            packet.extend_from_slice(chunks);
        }
        Chunks::Over(at, bytes) => {
            let at = HEADER + at % packet.len().saturating_sub(HEADER).max(1);
            for (place, byte) in packet.iter_mut().skip(at).zip(bytes) {
                *place = *byte;
            }
        }
    }
    if packet.len() >= HEADER {
        packet[8..HEADER].fill(0);
        let sum = crc32c(&packet).to_le_bytes();
        packet[8..HEADER].copy_from_slice(&sum);
    }
    packet
}

/// RFC 9260, appendix A.
fn crc32c(data: &[u8]) -> u32 {
    let shifted = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    let sum = data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| shifted(crc))
    });
    !sum
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(super::crc32c(b"123456789"), 0xe306_9283);
    }
}
