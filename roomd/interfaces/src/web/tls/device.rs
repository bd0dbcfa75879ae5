// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The device's own certificate authority, for rooms that no administration gave a certificate.
//!
//! The authority carries no name constraints. It is made once and tablets trust it for years, while
//! the device's addresses and names change with the network: constrained to those of its first day
//! it could not sign for the next, and every tablet would have to trust a new one. Its reach is
//! bounded otherwise: its key is readable by roomd alone, it is each device's own, and it cannot
//! make further authorities. `HTTPS.md` beside this crate says
//! whom to trust with it.
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Duration, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use super::{Authority, Facts, Identity, TlsError, given};
use crate::storage;

/// Browsers refuse server certificates that live longer than 398 days.
const SERVER_DAYS: i64 = 397;
const RENEW_DAYS: i64 = 30;
const AUTHORITY_YEARS: i32 = 10;
const NAMES: usize = 64;

/// Every name under which people reach the device.
pub(super) fn names(host: Option<&str>) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["localhost".to_owned()]);
    names.extend(host.and_then(host_name));
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if let Some(machine) = host_name(machine.trim()) {
        if !machine.contains('.') {
            names.insert(format!("{machine}.local"));
        }
        names.insert(machine);
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    names.extend(
        interfaces
            .iter()
            .map(if_addrs::Interface::ip)
            .filter(|address| is_reachable(*address))
            .map(|address| address.to_string()),
    );
    names.into_iter().take(NAMES).collect()
}

/// A browser's address line has no place for the zone that a link-local IPv6 address needs.
fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    }
}

/// The name in lower case, if it can stand in a certificate.
fn host_name(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let fits = name.parse::<IpAddr>().is_ok()
        || (1..=253).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    fits.then_some(name)
}

/// The names that a certificate carries.
pub(super) fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| {
            if let GeneralName::DNSName(name) = name {
                return Some((*name).to_owned());
            }
            let GeneralName::IPAddress(bytes) = name else {
                return None;
            };
            if let Ok(v4) = <[u8; 4]>::try_from(*bytes) {
                return Some(IpAddr::from(v4).to_string());
            }
            let v6 = <[u8; 16]>::try_from(*bytes).ok()?;
            Some(IpAddr::from(v6).to_string())
        })
        .collect()
}

/// Reads authority and certificate; makes what is missing and renews what is due.
pub(super) fn load(
    folder: &Path,
    names: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<Identity, TlsError> {
    let files = Files::of(folder);
    let (authority_pem, authority_key) = files.authority(now)?;
    let authority_der = CertificateDer::from_pem_slice(authority_pem.as_bytes()).map_err(|_| {
        TlsError::Damaged {
            path: files.authority.clone(),
        }
    })?;
    let server_key = key(&files.server_key)?;
    let issuer = Issuer::from_ca_cert_pem(&authority_pem, &authority_key)?;
    let chain = match files.server_certificate(&server_key, &authority_key, names, now) {
        Some(chain) => chain,
        None => {
            let fresh = server_params(names, now)?.signed_by(&server_key, &issuer)?;
            write(&files.server, fresh.pem().as_bytes(), 0o644)?;
            vec![fresh.into()]
        }
    };
    let private =
        PrivateKeyDer::from_pem_slice(server_key.serialize_pem().as_bytes()).map_err(|_| {
            TlsError::NoKey {
                path: files.server_key.clone(),
            }
        })?;
    let authority = Authority {
        sha256: Sha256::digest(&authority_der).into(),
        pem: authority_pem,
    };
    Identity::new(
        chain,
        private,
        Some(authority),
        (&files.server, &files.server_key),
    )
}

struct Files {
    authority: PathBuf,
    authority_key: PathBuf,
    server: PathBuf,
    server_key: PathBuf,
}

impl Files {
    fn of(folder: &Path) -> Self {
        Self {
            authority: folder.join("ca.pem"),
            authority_key: folder.join("ca.key"),
            server: folder.join("server.pem"),
            server_key: folder.join("server.key"),
        }
    }

    /// The authority. Tablets trust it, so it is never replaced silently: only a file that does
    /// not exist is made, and a damaged one is an error.
    fn authority(&self, now: DateTime<Utc>) -> Result<(String, KeyPair), TlsError> {
        let key = key(&self.authority_key)?;
        let pem = match read(&self.authority)? {
            Some(pem) => pem,
            None => {
                let pem = authority_params(&key, now)?.self_signed(&key)?.pem();
                write(&self.authority, pem.as_bytes(), 0o644)?;
                pem
            }
        };
        Ok((pem, key))
    }

    /// The server's certificate, if it still serves; whatever is wrong with it, a new one is made.
    fn server_certificate(
        &self,
        key: &KeyPair,
        authority_key: &KeyPair,
        names: &BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> Option<Vec<CertificateDer<'static>>> {
        let chain = given::certificates(&self.server).ok()?;
        let facts = Facts::of(&chain, &self.server).ok()?;
        let (_, parsed) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
        let same_key = parsed.public_key().subject_public_key.data == key.public_key_raw();
        let same_names = facts.names.into_iter().collect::<BTreeSet<_>>() == *names;
        let authority = authority_id(authority_key);
        let same_authority = parsed
            .issuer()
            .iter_common_name()
            .any(|name| name.as_str().is_ok_and(|name| name == authority));
        let in_time = facts.not_before <= now && facts.not_after > now + Duration::days(RENEW_DAYS);
        (same_key && same_names && same_authority && in_time).then_some(chain)
    }
}

fn authority_params(key: &KeyPair, now: DateTime<Utc>) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, authority_id(key));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A device without a clock battery may make its authority in 1970; tablets trust it for good,
    // so its time does not depend on that clock alone.
    let year = now.year().max(2026);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(year + AUTHORITY_YEARS, 1, 1);
    Ok(params)
}

/// Names the authority apart from those of other devices.
fn authority_id(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.public_key_raw());
    let short: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("roomd device authority {short}")
}

fn server_params(
    names: &BTreeSet<String>,
    now: DateTime<Utc>,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "meeting room");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // A day of grace for tablets whose clock is behind.
    let from = now - Duration::days(1);
    let until = now + Duration::days(SERVER_DAYS - 1);
    params.not_before = date_time_ymd(from.year(), month(from), day(from));
    params.not_after = date_time_ymd(until.year(), month(until), day(until));
    Ok(params)
}

fn month(time: DateTime<Utc>) -> u8 {
    u8::try_from(time.month()).unwrap_or(1)
}

fn day(time: DateTime<Utc>) -> u8 {
    u8::try_from(time.day()).unwrap_or(1)
}

/// The key in this file; a new one if there is none.
fn key(path: &Path) -> Result<KeyPair, TlsError> {
    match read(path)? {
        Some(pem) => KeyPair::from_pem(&pem).map_err(|_| TlsError::NoKey {
            path: path.to_owned(),
        }),
        None => {
            let key = KeyPair::generate()?;
            write(path, key.serialize_pem().as_bytes(), 0o600)?;
            Ok(key)
        }
    }
}

fn read(path: &Path) -> Result<Option<String>, TlsError> {
    storage::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), TlsError> {
    storage::replace(path, content, mode).map_err(|source| TlsError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_authority_and_the_key_stay_while_the_certificate_is_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let now = Utc::now();
        let home = names(&["localhost", "room.example", "192.0.2.7", "2001:db8::7"]);
        let first = load(folder.path(), &home, now).unwrap();
        let server = fs::read(folder.path().join("server.pem")).unwrap();
        assert!((first.expires() - now).num_days() <= SERVER_DAYS);

        let again = load(folder.path(), &home, now).unwrap();
        assert_eq!(again.spki_sha256_base64(), first.spki_sha256_base64());
        assert_eq!(fs::read(folder.path().join("server.pem")).unwrap(), server);

        let late = now + Duration::days(SERVER_DAYS - RENEW_DAYS);
        let renewed = load(folder.path(), &home, late).unwrap();
        assert!(renewed.expires() > first.expires());
        let moved = load(folder.path(), &names(&["elsewhere.example"]), late).unwrap();
        assert_ne!(fs::read(folder.path().join("server.pem")).unwrap(), server);
        assert_eq!(moved.spki_sha256_base64(), first.spki_sha256_base64());
        assert_eq!(moved.authority_fingerprint(), first.authority_fingerprint());
    }

    #[test]
    fn a_damaged_authority_is_an_error_and_a_damaged_certificate_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let now = Utc::now();
        let home = names(&["localhost"]);
        load(folder.path(), &home, now).unwrap();
        fs::write(folder.path().join("server.pem"), "damaged").unwrap();
        load(folder.path(), &home, now).unwrap();
        fs::write(folder.path().join("ca.key"), "damaged").unwrap();
        let message = load(folder.path(), &home, now).unwrap_err().to_string();
        assert!(message.contains("ca.key"), "{message}");
    }

    #[test]
    fn odd_host_names_stay_out_of_certificates() {
        assert_eq!(
            host_name("Room-1.Example").as_deref(),
            Some("room-1.example")
        );
        assert_eq!(host_name("raum_äöü"), None);
        assert_eq!(host_name(""), None);
        assert_eq!(host_name("room:443"), None);
        assert_eq!(host_name("2001:DB8::1").as_deref(), Some("2001:db8::1"));
        assert!(super::names(Some("room.example")).contains("room.example"));
    }
}
