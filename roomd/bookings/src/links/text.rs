// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Links in plain text and in HTML.

use url::Url;

const MAX_TEXT: usize = 256 * 1024;
const MAX_URL: usize = 8 * 1024;

/// Schemes of links that lead to meetings, those that end others' names behind them.
const SCHEMES: [&str; 3] = ["https", "http", "matrix"];

/// Every `http`, `https` and `matrix` link of a text, in order.
pub(super) fn links(text: &str) -> Vec<Url> {
    let text = head(text, MAX_TEXT);
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut from = 0;
    for (colon, _) in lower.match_indices(':') {
        let Some(before) = lower.get(from..colon) else {
            // Within the link before.
            continue;
        };
        let Some(scheme) = SCHEMES.iter().find(|scheme| before.ends_with(**scheme)) else {
            continue;
        };
        let start = colon - scheme.len();
        let link = trim(until_space(head(&text[start..], MAX_URL)));
        let rest = link.get(scheme.len() + 1..).unwrap_or_default();
        // A parser would take less for a link.
        let whole = match *scheme {
            "matrix" => rest.contains('/'),
            _ => rest.starts_with("//"),
        };
        if let Some(url) = whole.then(|| Url::parse(link).ok()).flatten() {
            from = start + link.len();
            found.push(url);
            if found.len() >= super::MAX_LINKS {
                break;
            }
        }
    }
    found
}

/// A link without its scheme, as people write it into the place of a meeting.
pub(super) fn bare(text: &str) -> Option<Url> {
    let text = trim(text.trim());
    let (host, path) = text.split_once('/')?;
    let plausible = host.contains('.')
        && !path.is_empty()
        && text.len() <= MAX_URL
        && !text.contains(char::is_whitespace)
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
    plausible
        .then(|| Url::parse(&format!("https://{text}")).ok())
        .flatten()
}

/// HTML with its entities decoded; tags stay, because links stand in them.
pub(super) fn entities(html: &str) -> String {
    let mut rest = head(html, MAX_TEXT);
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest
            .char_indices()
            .take(12)
            .find(|(_, c)| *c == ';')
            .map(|(end, _)| end);
        match end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            Some((end, decoded)) => {
                out.push(decoded);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The words of an HTML text.
pub(super) fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut tag = false;
    for c in head(html, MAX_TEXT).chars() {
        match (tag, c) {
            (false, '<') => {
                tag = true;
                out.push(' ');
            }
            (false, c) => out.push(c),
            (true, '>') => tag = false,
            (true, _) => {}
        }
    }
    entities(&out)
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "sol" => Some('/'),
        "colon" => Some(':'),
        "equals" => Some('='),
        "quest" => Some('?'),
        _ => None,
    }
}

fn until_space(text: &str) -> &str {
    let end = text.find(|c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '<' | '>' | '"' | '\'' | '`' | '\\' | '^' | '|' | '“' | '”' | '„'
            )
    });
    &text[..end.unwrap_or(text.len())]
}

/// Cuts punctuation that belongs to the sentence; a closing bracket stays when it was opened.
fn trim(mut link: &str) -> &str {
    while let Some(last) = link.chars().last() {
        let opening = match last {
            ')' => Some('('),
            ']' => Some('['),
            '}' => Some('{'),
            _ => None,
        };
        let cut = match opening {
            Some(opening) => link.matches(last).count() > link.matches(opening).count(),
            None => matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '*' | '_' | '…'),
        };
        if !cut {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link
}

fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = links(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        check(
            "Join (https://a.example/x(1)), then",
            &["https://a.example/x(1)"],
        );
        check(
            "<HTTPS://a.example/x>; http://b.example/y.",
            &["https://a.example/x", "http://b.example/y"],
        );
        check("„https://a.example/raum“", &["https://a.example/raum"]);
        check("nohttps:// http:/x https://", &[]);
        check(
            "(matrix:r/weekly:example.org), Matrix: https://a.example/x",
            &["matrix:r/weekly:example.org", "https://a.example/x"],
        );
        check("ahttps://a.example/", &["https://a.example/"]);
    }

    #[test]
    fn html_is_decoded_once() {
        assert_eq!(
            entities("a&amp;b&#38;c&#x26;d&amp;amp;&bogus;&"),
            "a&b&c&d&amp;&bogus;&"
        );
        assert_eq!(plain("<p>PIN:<b>12&nbsp;34</b>"), " PIN: 12\u{a0}34 ");
    }

    #[test]
    fn a_place_may_be_a_link_without_scheme() {
        assert_eq!(
            bare(" meet.example.org/room ").unwrap().as_str(),
            "https://meet.example.org/room"
        );
        assert!(bare("Haus 2, Raum 3/4").is_none());
        assert!(bare("3.OG/Ost west").is_none());
    }
}
