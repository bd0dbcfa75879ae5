// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use thiserror::Error;
use url::{Host, Url};

/// The destinations that the room may contact: hosts, and `*.suffix` for every host below one.
///
/// `host:port` allows that port only; without a port, every port is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

/// An entry of the allow-list that is no host.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("entry {index} of the allow-list is neither a host nor *.suffix")]
pub struct AllowListError {
    /// Its place in the list, from 0.
    pub index: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: Host<String>,
    port: Option<u16>,
    below: bool,
}

impl AllowList {
    /// Reads the entries.
    ///
    /// # Errors
    ///
    /// When an entry is no host.
    pub fn parse<S: AsRef<str>>(
        entries: impl IntoIterator<Item = S>,
    ) -> Result<Self, AllowListError> {
        let entries = entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| Entry::parse(entry.as_ref()).ok_or(AllowListError { index }));
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Whether the room may contact the host of this URL. Only HTTPS is ever allowed.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        url.scheme() == "https" && self.0.iter().any(|entry| entry.allows(url))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (below, host) = match text.strip_prefix("*.") {
            Some(suffix) => (true, suffix),
            None => (false, text),
        };
        let url = Url::parse(&format!("https://{host}/")).ok()?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let named = !below || url.domain().is_some();
        if !bare || !named || host.contains(['*', '@', '/', '\\']) {
            return None;
        }
        Some(Self {
            host: url.host()?.to_owned(),
            // `Url` drops the scheme's own port, but whoever writes it means it.
            port: url.port().or(host.ends_with(":443").then_some(443)),
            below,
        })
    }

    fn allows(&self, url: &Url) -> bool {
        if self.port.is_some() && self.port != url.port_or_known_default() {
            return false;
        }
        let Some(host) = url.host() else {
            return false;
        };
        if !self.below {
            return host.to_owned() == self.host;
        }
        match (&self.host, host) {
            (Host::Domain(suffix), Host::Domain(name)) => name
                .strip_suffix(suffix.as_str())
                .is_some_and(|front| front.len() > 1 && front.ends_with('.')),
            (Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_what_is_listed_and_nothing_else() {
        let list = AllowList::parse(["meet.example", "*.city.example", "10.0.0.1:8443"]).unwrap();
        for (url, expected) in [
            ("https://meet.example/x", true),
            ("https://MEET.example:8443/x", true),
            ("https://a.b.city.example/", true),
            ("https://10.0.0.1:8443/", true),
            ("https://10.0.0.1/", false),
            ("http://meet.example/x", false),
            ("https://city.example/", false),
            ("https://evilcity.example/", false),
            ("https://meet.example.evil.example/", false),
            ("https://meet.example@evil.example/", false),
        ] {
            assert_eq!(list.allows(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn entries_that_are_no_hosts_are_named() {
        for bad in [
            "",
            "*",
            "*.",
            "a/b",
            "*.10.0.0.1",
            "a.*.b",
            "a@b",
            "https://a",
        ] {
            let error = AllowList::parse(["good.example", bad]).unwrap_err();
            assert_eq!(error.index, 1, "{bad}");
        }
    }
}
