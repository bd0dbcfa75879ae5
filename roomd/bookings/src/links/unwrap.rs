// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Unwraps links that a mail gateway has wrapped.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use url::Url;

const MAX_NESTING: usize = 5;

/// The innermost link; the link itself when it is not wrapped.
pub(super) fn unwrap(mut url: Url) -> Url {
    for _ in 0..MAX_NESTING {
        match inner(&url) {
            Some(next) => url = next,
            None => break,
        }
    }
    url
}

fn inner(url: &Url) -> Option<Url> {
    let host = url.host_str()?.to_ascii_lowercase();
    let target = if below(&host, "safelinks.protection.outlook.com")
        || below(&host, "safelinks.protection.office365.us")
    {
        query(url, "url")?
    } else if below(&host, "urldefense.proofpoint.com") || below(&host, "urldefense.com") {
        proofpoint(url)?
    } else if (host == "www.google.com" || host == "google.com") && url.path() == "/url" {
        query(url, "q").or_else(|| query(url, "url"))?
    } else {
        return None;
    };
    let target = Url::parse(target.trim()).ok()?;
    matches!(target.scheme(), "http" | "https").then_some(target)
}

fn below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn proofpoint(url: &Url) -> Option<String> {
    let path = url.path();
    if path.starts_with("/v1/") {
        return query(url, "u");
    }
    if path.starts_with("/v2/") {
        let encoded = query(url, "u")?.replace('-', "%").replace('_', "/");
        let pair = format!("u={encoded}");
        let decoded = url::form_urlencoded::parse(pair.as_bytes())
            .next()?
            .1
            .into_owned();
        return Some(decoded);
    }
    proofpoint_v3(url)
}

/// `/v3/__LINK__;BASE64!…`: each `*` stands for one character of the decoded text, each `**X` for
/// as many as `X` counts.
fn proofpoint_v3(url: &Url) -> Option<String> {
    let whole = url.as_str();
    let (_, rest) = whole.split_once("/v3/__")?;
    let (link, rest) = rest.rsplit_once("__;")?;
    let (encoded, _) = rest.split_once('!')?;
    let mut encoded = encoded.to_owned();
    while !encoded.len().is_multiple_of(4) {
        encoded.push('=');
    }
    let replaced = String::from_utf8(URL_SAFE.decode(encoded).ok()?).ok()?;
    let mut replaced = replaced.chars();
    let mut out = String::new();
    let mut chars = link.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '*' {
            out.push(c);
            continue;
        }
        let count = if chars.next_if_eq(&'*').is_some() {
            run_length(chars.next()?)?
        } else {
            1
        };
        out.extend(replaced.by_ref().take(count));
    }
    // A path keeps one of the two slashes of the scheme.
    match out.split_once(":/") {
        Some((scheme, rest)) if !rest.starts_with('/') => Some(format!("{scheme}://{rest}")),
        Some(_) | None => Some(out),
    }
}

fn run_length(code: char) -> Option<usize> {
    const CODES: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    CODES.find(code).map(|index| index + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wrapped: &str, expected: &str) {
        assert_eq!(unwrap(Url::parse(wrapped).unwrap()).as_str(), expected);
    }

    #[test]
    fn wrapped_links_are_unwrapped() {
        check(
            "https://eur03.safelinks.protection.outlook.com/?url=https%3A%2F%2Fmeet.example.org%2Fabc%3Fx%3D1%26y%3D2&data=05%7C&reserved=0",
            "https://meet.example.org/abc?x=1&y=2",
        );
        check(
            "https://urldefense.proofpoint.com/v1/url?u=https://meet.example.org/abc&k=x",
            "https://meet.example.org/abc",
        );
        check(
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__meet.example.org_abc-3Fx-3D1&d=DwMFaQ&c=x",
            "https://meet.example.org/abc?x=1",
        );
        check(
            "https://urldefense.com/v3/__https://meet.example.org/a*b__;Iw!!abc!def$",
            "https://meet.example.org/a#b",
        );
        check(
            "https://urldefense.com/v3/__https:/meet.example.org/a**Ab__;Iyo!!abc!def$",
            "https://meet.example.org/a#*b",
        );
    }

    #[test]
    fn nesting_is_unwrapped_and_bounded() {
        let mut link = "https://meet.example.org/abc".to_owned();
        for _ in 0..2 {
            let encoded: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
            link = format!("https://x.safelinks.protection.outlook.com/?url={encoded}");
        }
        check(&link, "https://meet.example.org/abc");
        for _ in 0..6 {
            let encoded: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
            link = format!("https://x.safelinks.protection.outlook.com/?url={encoded}");
        }
        let left = unwrap(Url::parse(&link).unwrap());
        assert_eq!(left.host_str(), Some("x.safelinks.protection.outlook.com"));
    }

    #[test]
    fn what_is_not_wrapped_or_wraps_no_link_stays() {
        check(
            "https://meet.example.org/?url=https://evil.example",
            "https://meet.example.org/?url=https://evil.example",
        );
        check(
            "https://evilsafelinks.protection.outlook.com/?url=https://a.example",
            "https://evilsafelinks.protection.outlook.com/?url=https://a.example",
        );
        check(
            "https://x.safelinks.protection.outlook.com/?url=javascript:alert(1)",
            "https://x.safelinks.protection.outlook.com/?url=javascript:alert(1)",
        );
    }
}
