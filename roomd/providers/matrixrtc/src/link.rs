// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Links of Element Call (its `docs/url_params.md`), of matrix.to, and `matrix:` URIs (Matrix
//! specification, appendices "matrix.to navigation" and "Matrix URI scheme").
//!
//! `https://call.example.org/room/#/name?roomId=!id&password=secret&viaServers=example.org`: the
//! parameters stand in the fragment, which browsers do not send to the server.

use percent_encoding::percent_decode_str;
use roomd_model::{Pii, Secret};
use url::{Url, form_urlencoded};

/// The host of links that name a Matrix room and no application.
pub(crate) const MATRIX_TO: &str = "matrix.to";

/// The longest name of a room, in bytes (Matrix specification, appendix "Identifier grammar").
const MAX_ROOM: usize = 255;
/// The longest password that is taken, in bytes.
const MAX_PASSWORD: usize = 1024;
/// The most servers that a link names.
const MAX_VIA: usize = 16;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// `!id`, or `#alias:server`.
    pub(crate) room: Pii<String>,
    /// Servers that know the room.
    pub(crate) via: Vec<Pii<String>>,
}

pub(crate) fn is_matrix_to(url: &Url) -> bool {
    url.host_str() == Some(MATRIX_TO)
}

pub(crate) fn is_matrix_uri(url: &Url) -> bool {
    url.scheme() == "matrix"
}

/// The matrix.to link of a `matrix:` URI; none when it names no room.
///
/// `matrix:r/name:example.org` is the room `#name:example.org`, `matrix:roomid/id:example.org` the room
/// `!id:example.org`; an event may follow, and parameters.
pub(crate) fn from_uri(uri: &Url) -> Option<Url> {
    let mut segments = uri.path().split('/');
    let sigil = match segments.next()? {
        "r" => "%23",
        "roomid" => "!",
        _ => return None,
    };
    let name = segments.next().filter(|name| !name.is_empty())?;
    let query = uri.query().map(|query| format!("?{query}"));
    let query = query.unwrap_or_default();
    Url::parse(&format!("https://{MATRIX_TO}/#/{sigil}{name}{query}")).ok()
}

/// Whether it is more than the address of the application itself.
pub(crate) fn names_something(url: &Url) -> bool {
    let fragment = url.fragment().unwrap_or_default().trim_matches('/');
    let path = url.path().trim_matches('/');
    !fragment.is_empty() || !path.is_empty()
}

/// What the link leads to; none when it names no room.
pub(crate) fn target(url: &Url, default_server: &str) -> Option<Target> {
    let (path, parameters) = parts(url);
    let room = match parameters.iter().find(|(key, _)| key == "roomId") {
        Some((_, id)) => room_id(id)?,
        None => room(&path, default_server)?,
    };
    let servers = parameters
        .iter()
        .filter(|(key, _)| matches!(&key[..], "viaServers" | "via"));
    let via = servers.map(|(_, server)| printable(server));
    let via = via.filter(|server| !server.is_empty()).take(MAX_VIA);
    Some(Target {
        room: Pii::new(room),
        via: via.map(Pii::new).collect(),
    })
}

/// The link without its password, and the password.
pub(crate) fn without_password(url: &Url) -> (Url, Option<Secret>) {
    let (_, parameters) = parts(url);
    let given = parameters.iter().find(|(key, _)| key == "password");
    let password = given.map(|(_, value)| printable(value));
    let password = password.filter(|it| (1..=MAX_PASSWORD).contains(&it.len()));
    let mut clean = url.clone();
    if let Some((path, query)) = url.fragment().and_then(|it| it.split_once('?')) {
        let query = strip(query);
        let mark = if query.is_empty() { "" } else { "?" };
        clean.set_fragment(Some(&format!("{path}{mark}{query}")));
    }
    if let Some(query) = url.query().map(strip) {
        clean.set_query((!query.is_empty()).then_some(&query));
    }
    (clean, password.map(Secret::new))
}

/// Parameters without the password, as they were written.
fn strip(query: &str) -> String {
    let is_password = |pair: &&str| pair.split('=').next() == Some("password");
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_password(pair)).collect();
    kept.join("&")
}

/// The path that names the room, and the parameters: those of the fragment come first.
fn parts(url: &Url) -> (String, Vec<(String, String)>) {
    let fragment = url.fragment().unwrap_or_default();
    let (path, query) = fragment.split_once('?').unwrap_or((fragment, ""));
    let inner = form_urlencoded::parse(query.as_bytes());
    let parameters = inner.chain(url.query_pairs());
    let path = match path.trim_matches('/') {
        "" => url.path().trim_matches('/'),
        inner => inner,
    };
    let path = path.strip_prefix("room/").unwrap_or(path);
    // On matrix.to, an event may follow the room.
    let path = path.split('/').next().unwrap_or_default();
    let owned = parameters.map(|(key, value)| (key.into_owned(), value.into_owned()));
    (
        percent_decode_str(path).decode_utf8_lossy().into_owned(),
        owned.collect(),
    )
}

fn room(path: &str, default_server: &str) -> Option<String> {
    let path = printable(path);
    if path.starts_with('!') {
        return room_id(&path);
    }
    let name = path.strip_prefix('#').unwrap_or(&path);
    // `@user` and `+group` are no rooms.
    if name.is_empty() || name == "room" || name.starts_with(['@', '+', '$']) {
        return None;
    }
    let alias = if name.contains(':') {
        format!("#{name}")
    } else {
        format!("#{name}:{default_server}")
    };
    (alias.len() <= MAX_ROOM).then_some(alias)
}

fn room_id(id: &str) -> Option<String> {
    let id = printable(id);
    let fits = id.starts_with('!') && (2..=MAX_ROOM).contains(&id.len());
    fits.then_some(id)
}

/// Without what cannot be seen: mail programs put such characters in.
fn printable(text: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || letter.is_whitespace()
            || matches!(
                letter,
                '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'
            )
    };
    text.chars().filter(|letter| !hidden(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, room: Option<&str>, via: &[&str], password: Option<&str>, clean: &str) {
        let url = Url::parse(url).unwrap();
        let (without, found) = without_password(&url);
        assert_eq!(found.as_ref().map(Secret::expose), password, "{url}");
        assert_eq!(without.as_str(), clean, "{url}");
        for url in [url, without] {
            let target = target(&url, "example.org");
            assert_eq!(target.as_ref().map(|it| it.room.expose().as_str()), room);
            let named = target
                .iter()
                .flat_map(|it| it.via.iter().map(|it| it.expose().as_str()));
            assert_eq!(named.collect::<Vec<_>>(), via);
        }
    }

    #[test]
    fn links_of_element_call_lead_to_rooms() {
        check(
            "https://call.example.org/room/#/weekly?roomId=!abc:example.org&password=s3cret-_&viaServers=a.org&viaServers=b.org",
            Some("!abc:example.org"),
            &["a.org", "b.org"],
            Some("s3cret-_"),
            "https://call.example.org/room/#/weekly?roomId=!abc:example.org&viaServers=a.org&viaServers=b.org",
        );
        check(
            "https://call.example.org/#/weekly?password=x",
            Some("#weekly:example.org"),
            &[],
            Some("x"),
            "https://call.example.org/#/weekly",
        );
        check(
            "https://call.example.org/weekly?password=x",
            Some("#weekly:example.org"),
            &[],
            Some("x"),
            "https://call.example.org/weekly",
        );
        check(
            "https://call.example.org/room/#?roomId=%21dzwQg9reg",
            Some("!dzwQg9reg"),
            &[],
            None,
            "https://call.example.org/room/#?roomId=%21dzwQg9reg",
        );
        check(
            "https://call.example.org/room/#/%23weekly:other.org?",
            Some("#weekly:other.org"),
            &[],
            None,
            "https://call.example.org/room/#/%23weekly:other.org",
        );
    }

    #[test]
    fn links_of_matrix_to_lead_to_rooms() {
        check(
            "https://matrix.to/#/!abc:example.org/$event?via=a.org",
            Some("!abc:example.org"),
            &["a.org"],
            None,
            "https://matrix.to/#/!abc:example.org/$event?via=a.org",
        );
        check(
            "https://matrix.to/#/%23weekly:example.org",
            Some("#weekly:example.org"),
            &[],
            None,
            "https://matrix.to/#/%23weekly:example.org",
        );
        check(
            "https://matrix.to/#/@user:example.org",
            None,
            &[],
            None,
            "https://matrix.to/#/@user:example.org",
        );
    }

    #[test]
    fn matrix_uris_are_links_of_matrix_to() {
        let check = |uri: &str, link: Option<&str>| {
            let found = from_uri(&Url::parse(uri).unwrap());
            assert_eq!(found.as_ref().map(Url::as_str), link, "{uri}");
        };
        check(
            "matrix:r/weekly:example.org",
            Some("https://matrix.to/#/%23weekly:example.org"),
        );
        check(
            "matrix:roomid/abc:example.org/e/event?via=a.org&via=b.org&action=join",
            Some("https://matrix.to/#/!abc:example.org?via=a.org&via=b.org&action=join"),
        );
        check(
            "matrix:roomid/dzwQg9reg",
            Some("https://matrix.to/#/!dzwQg9reg"),
        );
        for none in [
            "matrix:u/user:example.org",
            "matrix:r/",
            "matrix:r",
            "matrix:",
            "matrix://example.org/r/weekly:example.org",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn broken_links_lead_nowhere() {
        for url in [
            "https://call.example.org/room/#/?roomId=abc",
            "https://call.example.org/room/#/?roomId=",
            "https://call.example.org/room/#/?password=x",
            "https://call.example.org/room/#/%00",
        ] {
            assert_eq!(
                target(&Url::parse(url).unwrap(), "example.org"),
                None,
                "{url}"
            );
        }
        assert!(!names_something(
            &Url::parse("https://call.example.org/").unwrap()
        ));
        assert!(names_something(
            &Url::parse("https://call.example.org/room/#/x").unwrap()
        ));
    }
}
