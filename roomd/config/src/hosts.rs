// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::fmt;

/// A host, or all hosts below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This host alone.
    Host(String),
    /// Every host below this domain, not the domain itself; written `*.example.org`.
    Below(String),
}

impl HostPattern {
    /// Whether a link's host is meant.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match self {
            Self::Host(known) => host == *known,
            Self::Below(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        match lower.strip_prefix("*.") {
            // A whole top-level domain is no allow-list.
            Some(domain) if is_host(domain) && domain.contains('.') => {
                Some(Self::Below(domain.to_owned()))
            }
            Some(_) => None,
            None => is_host(&lower).then_some(Self::Host(lower)),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

/// A host name or an IP address, without scheme, port or path.
pub fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.chars().all(plain)
        && matches!(
            url::Host::parse(text),
            Ok(url::Host::Domain(domain)) if domain == text && text.len() <= 253
        )
        || text.parse::<std::net::IpAddr>().is_ok()
}
