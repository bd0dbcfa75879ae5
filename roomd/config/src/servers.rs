// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! URLs of STUN and TURN servers (RFC 7064, RFC 7065).

use url::Url;

/// Most TURN servers.
const MOST: usize = 4;
/// Longest user name, in bytes (RFC 8489, section 14.3).
const MAX_USERNAME: usize = 508;

/// Whether a URL names a STUN server.
pub fn is_stun(url: &str) -> bool {
    url.strip_prefix("stun:").is_some_and(is_place)
}

/// Whether a URL names a TURN server over UDP, TCP or TLS.
pub fn is_turn(url: &str) -> bool {
    let (place, transport) = url.split_once("?transport=").unwrap_or((url, "tcp"));
    match place.split_once(':') {
        Some(("turn", place)) => is_place(place) && matches!(transport, "udp" | "tcp"),
        Some(("turns", place)) => is_place(place) && transport == "tcp",
        Some(_) | None => false,
    }
}

/// What is out of bounds in an account with TURN servers.
pub fn fault(servers: usize, username: &str) -> Option<String> {
    if !(1..=MOST).contains(&servers) {
        Some(format!("`urls` holds one to {MOST} servers"))
    } else if !(1..=MAX_USERNAME).contains(&username.len()) {
        Some(format!("`username` has one to {MAX_USERNAME} bytes"))
    } else {
        None
    }
}

/// A host and perhaps a port, and nothing else.
fn is_place(text: &str) -> bool {
    Url::parse(&format!("https://{text}")).is_ok_and(|url| {
        let alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        alone && url.username().is_empty() && url.password().is_none()
    })
}
