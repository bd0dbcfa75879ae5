// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Passwords that travel in the same invitation as the link.

use roomd_model::Secret;
use url::Url;

const WORDS: [&str; 11] = [
    "kennwort",
    "passwort",
    "kenncode",
    "zugangscode",
    "zugangskennwort",
    "password",
    "passcode",
    "pass code",
    "access code",
    "einwahl-pin",
    "pin",
];
const QUERY: [&str; 6] = ["pwd", "password", "passwort", "passcode", "pass", "pin"];
/// What people write where a password would stand.
const PLACEHOLDERS: [&str; 16] = [
    "folgt",
    "separat",
    "kommt",
    "wird",
    "per",
    "kein",
    "keines",
    "keins",
    "ohne",
    "siehe",
    "follows",
    "none",
    "sent",
    "separately",
    "will",
    "see",
];

/// A password in the link itself.
pub(super) fn in_url(url: &Url) -> Option<Secret> {
    url.query_pairs()
        .find(|(key, value)| {
            !value.is_empty() && QUERY.iter().any(|name| key.eq_ignore_ascii_case(name))
        })
        .map(|(_, value)| Secret::new(value.into_owned()))
}

/// The link without a password, for the disk.
pub(crate) fn strip(url: &Url) -> Url {
    if in_url(url).is_none() {
        return url.clone();
    }
    let mut stripped = url.clone();
    let kept = url
        .query_pairs()
        .filter(|(key, _)| !QUERY.iter().any(|name| key.eq_ignore_ascii_case(name)));
    stripped.query_pairs_mut().clear().extend_pairs(kept);
    if stripped.query() == Some("") {
        stripped.set_query(None);
    }
    stripped
}

/// A password in a text: a word for it, a colon or an equivalent, and something that is one.
pub(super) fn in_text(text: &str) -> Option<Secret> {
    let lower = text.to_ascii_lowercase();
    for word in WORDS {
        let mut from = 0;
        while let Some(at) = lower.get(from..).and_then(|rest| rest.find(word)) {
            let start = from + at;
            from = start + word.len();
            let before = lower[..start].chars().next_back();
            if before.is_some_and(char::is_alphanumeric) {
                continue;
            }
            if let Some(found) = value(&text[from..], word.ends_with("pin")) {
                return Some(Secret::new(found));
            }
        }
    }
    None
}

fn value(after: &str, digits_only: bool) -> Option<&str> {
    let after = after.trim_start_matches([' ', '\u{a0}', '*', '_']);
    // "Passwort (nur für Gäste): …"
    let after = match after.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?.1.trim_start_matches([' ', '\u{a0}']),
        None => after,
    };
    let (after, certain) = match after.strip_prefix([':', '=']) {
        Some(rest) => (rest, true),
        None => (strip_verb(after)?, false),
    };
    let token = after
        .trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '*' | '"' | '„' | '“' | '\'')
        })
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '“' | '”' | '<' | ','))
        .next()?
        .trim_end_matches(['.', ';', '*', '\'']);
    let digits = token.trim_end_matches('#');
    let numeric = digits.len() >= 3 && digits.chars().all(|c| c.is_ascii_digit());
    let placeholder = PLACEHOLDERS
        .iter()
        .any(|word| token.eq_ignore_ascii_case(word));
    let plausible = token.chars().count() >= 3
        && !placeholder
        && !token.starts_with("http")
        && (certain || token.chars().any(|c| c.is_ascii_digit()));
    match (digits_only, numeric) {
        (true, true) => Some(digits),
        (true, false) => None,
        (false, _) => plausible.then_some(token),
    }
}

fn strip_verb(after: &str) -> Option<&str> {
    ["lautet", "ist", "is"].into_iter().find_map(|verb| {
        let rest = after
            .get(..verb.len())?
            .eq_ignore_ascii_case(verb)
            .then(|| &after[verb.len()..])?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        rest.starts_with(char::is_whitespace).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            in_text(text).as_ref().map(Secret::expose),
            expected,
            "{text}"
        );
    }

    #[test]
    fn passwords_in_running_text_are_found() {
        check("Kennwort: abc123", Some("abc123"));
        check("Das Passwort lautet Sommer2026.", Some("Sommer2026"));
        check("Kenncode:\n  f7Gh!k", Some("f7Gh!k"));
        check("Zugangscode (Gäste): 884422", Some("884422"));
        check("Meeting password: hunter2", Some("hunter2"));
        check("Passcode: 99 1", None);
        check("PIN: 12345#", Some("12345"));
        check("The password is correct-horse-1", Some("correct-horse-1"));
    }

    #[test]
    fn talk_about_passwords_is_no_password() {
        check("Das Passwort folgt separat.", None);
        check("Passwort: folgt per SMS", None);
        check("Password: none", None);
        check("Bitte Kennwort ist geheim halten", None);
        check("Pinnwand: 12345", None);
        check("shopping: 12345", None);
        check("Topic: spin: 12345", None);
    }

    #[test]
    fn passwords_in_links_are_found() {
        let url = Url::parse("https://meet.example.org/abc?pwd=x1").unwrap();
        assert_eq!(in_url(&url).unwrap().expose(), "x1");
        let url = Url::parse("https://meet.example.org/abc?pwd=&id=3").unwrap();
        assert!(in_url(&url).is_none());
        let url = Url::parse("https://meet.example.org/abc?x=1&PWD=x1#y").unwrap();
        assert_eq!(strip(&url).as_str(), "https://meet.example.org/abc?x=1#y");
    }
}
