// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::path::Path;

use chrono::{DateTime, Utc};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{Facts, Identity, TlsError};

/// Reads the administration's certificate and key.
pub(super) fn load(
    chain_path: &Path,
    key_path: &Path,
    now: DateTime<Utc>,
) -> Result<Identity, TlsError> {
    let chain = certificates(chain_path)?;
    let facts = Facts::of(&chain, chain_path)?;
    if facts.not_after <= now {
        return Err(TlsError::Expired {
            path: chain_path.to_owned(),
            on: facts.not_after,
        });
    }
    if facts.not_before > now {
        return Err(TlsError::NotYetValid {
            path: chain_path.to_owned(),
            from: facts.not_before,
        });
    }
    let key = private_key(key_path)?;
    Identity::new(chain, key, None, (chain_path, key_path))
}

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, pem::Error>>()
        .map_err(|_| TlsError::Damaged {
            path: path.to_owned(),
        })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(chain)
}

pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsError::NoKey {
        path: path.to_owned(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new(years: (i32, i32)) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["room.example".to_owned()]).unwrap();
            params.not_before = date_time_ymd(years.0, 1, 1);
            params.not_after = date_time_ymd(years.1, 1, 1);
            let certificate = params.self_signed(&key).unwrap();
            fs::write(folder.path().join("chain.pem"), certificate.pem()).unwrap();
            fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
            Self { folder }
        }

        fn load(&self) -> Result<Identity, TlsError> {
            load(
                &self.folder.path().join("chain.pem"),
                &self.folder.path().join("key.pem"),
                Utc::now(),
            )
        }

        fn write(&self, name: &str, content: &str) -> &Self {
            fs::write(self.folder.path().join(name), content).unwrap();
            self
        }

        fn fails(&self, expected: &str) {
            let message = self.load().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_good_pair_is_served() {
        let identity = Files::new((2020, 2120)).load().unwrap();
        assert_eq!(identity.authority_pem(), None);
        assert_eq!(identity.spki_sha256_base64().len(), 44);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let other_key = KeyPair::generate().unwrap().serialize_pem();
        let valid = || Files::new((2020, 2120));
        Files::new((2019, 2020)).fails("expired on 2020-01-01");
        Files::new((2119, 2120)).fails("check the device's clock");
        valid()
            .write("key.pem", &other_key)
            .fails("does not belong");
        valid().write("key.pem", "no key").fails("no private key");
        valid().write("chain.pem", "").fails("no certificate");
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        valid().write("chain.pem", damaged).fails("damaged");
        let files = valid();
        fs::remove_file(files.folder.path().join("key.pem")).unwrap();
        files.fails("cannot read");
    }
}
