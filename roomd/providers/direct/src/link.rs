// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use url::Url;

use crate::Random;

const MIN_ID: usize = 12;
const MAX_ID: usize = 64;

/// A fresh meeting id: 16 characters in groups of four, 79 bits.
pub fn fresh_id(random: &mut Random) -> String {
    let groups: Vec<_> = (0..4).map(|_| random.characters(4)).collect();
    groups.join("-")
}

/// The meeting id in `https://HOST/meet/ID`, whatever the host.
#[must_use]
pub fn meeting_id(url: &Url) -> Option<String> {
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let id = url.path().strip_prefix("/meet/")?;
    let id = id.strip_suffix('/').unwrap_or(id);
    let known = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let fits = (MIN_ID..=MAX_ID).contains(&id.len()) && id.bytes().all(known);
    fits.then(|| id.to_owned())
}

/// One of the room's own addresses.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    base: Url,
    port: Option<u16>,
}

impl Host {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let base = Url::parse(&format!("https://{text}/")).ok()?;
        let bare = base.path() == "/" && base.query().is_none() && base.fragment().is_none();
        if !bare || !base.username().is_empty() {
            return None;
        }
        // `Url` drops the scheme's own port, but whoever writes it means it.
        let port = base.port().or(text.ends_with(":443").then_some(443));
        Some(Self { base, port })
    }

    pub(crate) fn matches(&self, url: &Url) -> bool {
        let port = self.port.is_none() || self.port == url.port_or_known_default();
        self.base.host() == url.host() && port
    }

    pub(crate) fn meeting(&self, id: &str) -> Option<Url> {
        self.base.join(&format!("meet/{id}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use roomd_conference::Provider;

    use super::*;
    use crate::{Direct, DirectConfig};

    fn recognised(url: &str) -> Option<String> {
        let direct = Direct::new(DirectConfig {
            hosts: vec!["room.example:8443".into(), "[fd00::1]".into()],
            ..DirectConfig::default()
        });
        let link = direct.recognise(&Url::parse(url).unwrap())?;
        Some(link.url.expose().to_string())
    }

    #[test]
    fn recognises_this_rooms_meetings_only() {
        let id = "abcd-efgh-2345";
        for (url, expected) in [
            ("https://room.example:8443/meet/abcd-efgh-2345", true),
            ("https://ROOM.example:8443/meet/abcd-efgh-2345/?x#y", true),
            ("https://[fd00::1]:1234/meet/abcd-efgh-2345", true),
            ("https://room.example/meet/abcd-efgh-2345", false),
            ("https://other.example:8443/meet/abcd-efgh-2345", false),
            ("http://room.example:8443/meet/abcd-efgh-2345", false),
            ("https://a:b@room.example:8443/meet/abcd-efgh-2345", false),
            ("https://room.example:8443/meet/short", false),
            ("https://room.example:8443/meet/ABCD-efgh-2345", false),
            ("https://room.example:8443/x/meet/abcd-efgh-2345", false),
        ] {
            let found = recognised(url);
            assert_eq!(found.is_some(), expected, "{url}");
            assert!(found.is_none_or(|url| url.ends_with(&format!("/meet/{id}"))));
        }
    }

    #[test]
    fn fresh_meetings_are_recognised_and_vary() {
        let direct = Direct::new(DirectConfig {
            hosts: vec!["room.example:8443".into()],
            ..DirectConfig::default()
        });
        let urls: Vec<_> = (0..50)
            .map(|seed| direct.fresh_meeting([seed; 32]).unwrap())
            .collect();
        for (index, url) in urls.iter().enumerate() {
            let id = direct.meeting_id(url).unwrap();
            assert_eq!(id.expose().len(), 19);
            assert!(!urls[..index].contains(url));
        }
    }
}
