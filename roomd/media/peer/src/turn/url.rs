// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `turn:` and `turns:` URLs (RFC 7065).

/// Default port (RFC 8656, section 3).
const PORT: u16 = 3478;
/// Default port with TLS.
const TLS_PORT: u16 = 5349;
/// Longest URL, in bytes.
const MAX_URL: usize = 512;

/// What carries the way to the server, the best for media first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Carrier {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// An encrypted stream, the server known by its certificate.
    Tls,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// A name or an address, IPv6 without brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// How it is reached.
    pub(super) carrier: Carrier,
}

/// Whether a URL names a TURN server.
pub(crate) fn is_turn(url: &str) -> bool {
    ["turn:", "turns:"]
        .iter()
        .any(|scheme| starts_with(url, scheme))
}

/// Reads a URL; none when it is malformed or asks for DTLS, which is not supported.
pub(super) fn place(url: &str) -> Option<Place> {
    let (scheme, rest) = url.split_once(':').filter(|_| url.len() <= MAX_URL)?;
    let tls = scheme.eq_ignore_ascii_case("turns");
    if !tls && !scheme.eq_ignore_ascii_case("turn") {
        return None;
    }
    let (authority, query) = rest
        .split_once('?')
        .map_or((rest, None), |(authority, query)| (authority, Some(query)));
    let carrier = match (tls, query) {
        (false, None | Some("transport=udp")) => Carrier::Udp,
        (false, Some("transport=tcp")) => Carrier::Tcp,
        (true, None | Some("transport=tcp")) => Carrier::Tls,
        (_, Some(_)) => return None,
    };
    let (host, port) = split(authority)?;
    let default = if tls { TLS_PORT } else { PORT };
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    (port != 0).then(|| Place {
        host: host.to_owned(),
        port,
        carrier,
    })
}

fn starts_with(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match port {
            "" => Some((host, None)),
            port => Some((host, Some(port.strip_prefix(':')?))),
        };
    }
    let (host, port) = authority
        .split_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port)));
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    (!host.is_empty() && host.chars().all(plain)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_urls() {
        let check = |url: &str, expected: Option<(&str, u16, Carrier)>| {
            let expected = expected.map(|(host, port, carrier)| Place {
                host: host.to_owned(),
                port,
                carrier,
            });
            assert_eq!(place(url), expected, "{url}");
        };
        check("turn:a.example", Some(("a.example", 3478, Carrier::Udp)));
        check(
            "turn:192.0.2.1:80?transport=udp",
            Some(("192.0.2.1", 80, Carrier::Udp)),
        );
        check(
            "TURN:a.example:3479?transport=tcp",
            Some(("a.example", 3479, Carrier::Tcp)),
        );
        check("turns:a.example", Some(("a.example", 5349, Carrier::Tls)));
        check(
            "turns:[2001:db8::1]:443?transport=tcp",
            Some(("2001:db8::1", 443, Carrier::Tls)),
        );
        check(
            "turn:[2001:db8::1]",
            Some(("2001:db8::1", 3478, Carrier::Udp)),
        );
        for url in [
            "turns:a.example?transport=udp",
            "turn:a.example?transport=sctp",
            "turn:a.example:0",
            "turn:a.example:65536",
            "turn:2001:db8::1",
            "turn:[a.example]:3478",
            "turn:[::1]3478",
            "turn:",
            "turn:user@a.example",
            "stun:a.example",
            "",
        ] {
            check(url, None);
        }
        check(&format!("turn:{}", "a".repeat(MAX_URL)), None);
        assert!(is_turn("turns:a") && is_turn("TURN:a"));
        assert!(!is_turn("stun:a") && !is_turn("turné"));
    }
}
