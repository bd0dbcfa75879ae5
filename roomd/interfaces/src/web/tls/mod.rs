// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who the room is towards browsers: a certificate of the device's own authority, or the
//! administration's.
mod device;
mod given;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum Certificate {
    /// From an authority of the device's own, made at the first start and kept in `tls/` of the
    /// state directory.
    Device {
        /// The name that the administration gave the device in DNS, if any.
        host: Option<String>,
    },
    /// From the administration.
    Given {
        /// PEM: the server's certificate, then those between it and the authority.
        chain: PathBuf,
        /// PEM: the private key.
        key: PathBuf,
    },
}

/// Why there is no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no certificate in PEM.
    #[error("{path} holds no certificate (expected `-----BEGIN CERTIFICATE-----`)")]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// The file holds no private key in PEM.
    #[error("{path} holds no private key in PEM, or one that is protected by a password")]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// The certificate cannot be understood.
    #[error("the certificate in {path} is damaged")]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The key is of a kind that is not supported.
    #[error("the private key in {path} is of a kind that TLS cannot use here")]
    KeyKind {
        /// Which.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("the private key in {key} does not belong to the certificate in {chain}")]
    KeyMismatch {
        /// The certificate's file.
        chain: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate's time is over.
    #[error("the certificate in {path} expired on {on}")]
    Expired {
        /// Which.
        path: PathBuf,
        /// When.
        on: DateTime<Utc>,
    },
    /// The certificate's time has not come.
    #[error("the certificate in {path} is valid only from {from} on; check the device's clock")]
    NotYetValid {
        /// Which.
        path: PathBuf,
        /// When.
        from: DateTime<Utc>,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// TLS refuses the certificate.
    #[error("TLS refuses the certificate")]
    Tls(#[from] rustls::Error),
}

/// A certificate, its key, and what others need to know about them.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    spki_sha256: [u8; 32],
    expires: DateTime<Utc>,
    authority: Option<Authority>,
}

/// The device's own certificate authority.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    /// Its certificate in PEM, for download.
    pub(crate) pem: String,
    /// SHA-256 of its certificate.
    pub(crate) sha256: [u8; 32],
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("spki_sha256", &self.spki_sha256_base64())
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the certificate, or makes one; renews the device's own when it is due or when the
    /// device's names changed.
    ///
    /// # Errors
    /// When files are missing, damaged, expired or do not belong together.
    pub fn load(certificate: &Certificate, state_dir: &Path) -> Result<Self, TlsError> {
        let now = Utc::now();
        match certificate {
            Certificate::Device { host } => {
                device::load(&state_dir.join("tls"), &device::names(host.as_deref()), now)
            }
            Certificate::Given { chain, key } => given::load(chain, key, now),
        }
    }

    /// SHA-256 of the server's public key (SPKI) in base64, as browsers and tests pin it.
    #[must_use]
    pub fn spki_sha256_base64(&self) -> String {
        STANDARD.encode(self.spki_sha256)
    }

    /// When the server's certificate expires.
    #[must_use]
    pub const fn expires(&self) -> DateTime<Utc> {
        self.expires
    }

    /// SHA-256 of the device's own authority as people compare it (`AB:CD:...`); none with the
    /// administration's certificate.
    #[must_use]
    pub fn authority_fingerprint(&self) -> Option<String> {
        let authority = self.authority.as_ref()?;
        let pairs: Vec<String> = authority
            .sha256
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        Some(pairs.join(":"))
    }

    /// The device's own authority in PEM; none with the administration's certificate.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority
            .as_ref()
            .map(|authority| authority.pem.as_str())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authority: Option<Authority>,
        files: (&Path, &Path),
    ) -> Result<Self, TlsError> {
        let (chain_path, key_path) = files;
        let facts = Facts::of(&chain, chain_path)?;
        let provider = Arc::new(ring::default_provider());
        let signer = provider
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(|_| TlsError::KeyKind {
                path: key_path.to_owned(),
            })?;
        match CertifiedKey::new(chain.clone(), signer).keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => {
                return Err(TlsError::KeyMismatch {
                    chain: chain_path.to_owned(),
                    key: key_path.to_owned(),
                });
            }
        }
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            spki_sha256: facts.spki_sha256,
            expires: facts.not_after,
            authority,
        })
    }
}

/// What a certificate says about itself.
struct Facts {
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    spki_sha256: [u8; 32],
    names: Vec<String>,
}

impl Facts {
    /// Of the first certificate of a chain.
    fn of(chain: &[CertificateDer<'_>], path: &Path) -> Result<Self, TlsError> {
        let damaged = || TlsError::Damaged {
            path: path.to_owned(),
        };
        let first = chain.first().ok_or_else(|| TlsError::NoCertificate {
            path: path.to_owned(),
        })?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| damaged())?;
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or_else(damaged);
        Ok(Self {
            not_before: time(parsed.validity().not_before.timestamp())?,
            not_after: time(parsed.validity().not_after.timestamp())?,
            spki_sha256: Sha256::digest(parsed.public_key().raw).into(),
            names: device::names_of(&parsed),
        })
    }
}
