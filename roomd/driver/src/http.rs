// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HTTP as the room speaks it: certificates are verified, nothing travels in the clear but to this
//! machine, and no redirect leads to another host.

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, redirect};
use url::{Host, Url};

const MAX_REDIRECTS: usize = 5;

/// Whom the room contacts, and for how long it tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach<'a> {
    /// Servers on this machine, which no proxy knows, or all others.
    pub local: bool,
    /// A certificate authority besides the system's, PEM.
    pub ca_file: Option<&'a Path>,
    /// How long a connection may take.
    pub connect: Duration,
    /// How long a request may take, with its answer; without it the caller sees to that.
    pub total: Option<Duration>,
}

/// The certificate authority's file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate authority's file cannot be read")]
pub(crate) struct NoAuthority;

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A redirect leads to another host.
    OtherHost,
    /// The server's certificate does not verify, or its TLS makes no sense.
    Tls,
    /// Nobody answers, or not in time.
    Unreachable,
    /// The connection broke.
    Broke,
    /// The answer makes no sense.
    Nonsense,
}

#[derive(Debug, thiserror::Error)]
enum Redirect {
    #[error("a redirect leads to another host")]
    OtherHost,
    #[error("too many redirects")]
    TooMany,
}

pub(crate) async fn client(reach: Reach<'_>) -> Result<Client, NoAuthority> {
    // Installed once per process; a second time changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .http1_only()
        .connect_timeout(reach.connect)
        .user_agent(concat!("roomd/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::custom(same_host));
    if let Some(total) = reach.total {
        builder = builder.timeout(total);
    }
    if reach.local {
        builder = builder.no_proxy();
    }
    if let Some(path) = reach.ca_file {
        let pem = tokio::fs::read(path).await.map_err(|_| NoAuthority)?;
        let roots = Certificate::from_pem_bundle(&pem).map_err(|_| NoAuthority)?;
        builder = builder.tls_certs_merge(roots);
    }
    builder.build().map_err(|_| NoAuthority)
}

pub(crate) fn failure(error: &reqwest::Error) -> Failure {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let mut broke = false;
    while let Some(cause) = next {
        match cause.downcast_ref() {
            Some(Redirect::OtherHost) => return Failure::OtherHost,
            Some(Redirect::TooMany) => return Failure::Nonsense,
            None => {}
        }
        if let Some(cause) = cause.downcast_ref() {
            if is_tls(cause) {
                return Failure::Tls;
            }
            broke = true;
        }
        next = cause.source();
    }
    if error.is_connect() || error.is_timeout() {
        Failure::Unreachable
    } else if broke {
        Failure::Broke
    } else {
        Failure::Nonsense
    }
}

/// An I/O error does not count what it wraps among its sources.
fn is_tls(error: &std::io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| inner.is::<rustls::Error>())
        || inner
            .and_then(|inner| inner.downcast_ref())
            .is_some_and(is_tls)
}

fn same_host(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let first = attempt.previous().first();
    if !first.is_some_and(|first| same_origin(first, attempt.url())) {
        attempt.error(Redirect::OtherHost)
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(Redirect::TooMany)
    } else {
        attempt.follow()
    }
}

/// HTTPS, or HTTP on this machine.
pub(crate) fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_local(url)
}

/// On this machine.
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (url, secure) in [
            ("https://calendar.example.org/", true),
            ("http://127.0.0.1:5232/", true),
            ("http://[::1]/", true),
            ("http://localhost:8080/", true),
            ("http://calendar.example.org/", false),
            ("http://127.0.0.1.example.org/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(is_secure(&Url::parse(url).unwrap()), secure, "{url}");
        }
    }
}
