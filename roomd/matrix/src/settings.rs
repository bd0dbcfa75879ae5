// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the account is told, and the files that it reads its secrets from.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use roomd_matrix_port::Why;
use roomd_model::{Pii, Secret};
use url::{Host, Url};

/// The most bytes of a file that holds one secret.
const MAX_SECRET_BYTES: u64 = 4096;

/// Which account, and where it keeps what it needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The homeserver: `https:`, or `http:` on this machine.
    pub homeserver: Pii<Url>,
    /// The account: `@name:server`, or its name alone.
    pub user: Pii<String>,
    /// How it logs in.
    pub login: Login,
    /// A directory for this account alone.
    pub store: PathBuf,
    /// What others see as the name of this device: the room's.
    pub device_name: String,
    /// An authority besides the system's that may sign the homeserver's certificate.
    pub ca_file: Option<PathBuf>,
    /// A file with the recovery key of the account's identity, if it has one already.
    pub recovery_key_file: Option<PathBuf>,
}

/// How the account logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// With the password in this file: once, and again when the login was revoked.
    Password(PathBuf),
    /// With the access token in this file, which somebody else has obtained.
    AccessToken(PathBuf),
}

/// The first line of a file that holds a secret.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, Why> {
    let fits = std::fs::metadata(path).is_ok_and(|data| data.len() <= MAX_SECRET_BYTES);
    let text = if fits {
        std::fs::read_to_string(path).map(Secret::new)
    } else {
        return Err(Why::Configuration);
    };
    let text = text.map_err(|_| Why::Configuration)?;
    let line = text.expose().lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err(Why::Configuration);
    }
    Ok(Secret::new(line))
}

/// Passwords and tokens travel encrypted, or not further than this machine.
pub(crate) fn is_secure(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (url, expected) in [
            ("https://matrix.example.org", true),
            ("http://127.0.0.1:8008", true),
            ("http://[::1]:8008", true),
            ("http://localhost", true),
            ("http://matrix.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("ftp://127.0.0.1", false),
        ] {
            assert_eq!(is_secure(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn a_secret_is_the_first_line_of_a_small_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        assert_eq!(read_secret(&path), Err(Why::Configuration));
        for (text, expected) in [
            ("hunter2\n", Some("hunter2")),
            ("hunter2\r\nnote", Some("hunter2")),
            ("\n", None),
            ("", None),
        ] {
            std::fs::write(&path, text).unwrap();
            let secret = read_secret(&path).ok();
            assert_eq!(secret.as_ref().map(Secret::expose), expected, "{text:?}");
        }
        std::fs::write(&path, "x".repeat(5000)).unwrap();
        assert_eq!(read_secret(&path), Err(Why::Configuration));
    }
}
