// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::fmt;

/// Lines of name and number.
const NAMES: &str = include_str!("names.txt");

/// A key or switch of the kernel's interface for input devices (`linux/input-event-codes.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A key or button, `EV_KEY`.
    Key(u16),
    /// A switch, `EV_SW`.
    Switch(u16),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match names().find(|(_, code)| code == self) {
            Some((name, _)) => f.write_str(name),
            None => match self {
                Self::Key(number) => write!(f, "key {number}"),
                Self::Switch(number) => write!(f, "switch {number}"),
            },
        }
    }
}

/// The key of this name, such as `KEY_MICMUTE`.
///
/// # Errors
///
/// There is none; the most similar name, where one is similar.
pub fn named(name: &str) -> Result<Code, Option<&'static str>> {
    let wanted = name.trim().to_uppercase();
    let exact = names().find(|(name, _)| *name == wanted);
    exact
        .map(|(_, code)| code)
        .ok_or_else(|| similar(&wanted, names().map(|(name, _)| name)))
}

/// The candidate that is most like a word, if one is like it at all.
pub(super) fn similar<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes time with the square of the length.
    let word: String = word.chars().take(40).collect();
    let likeness = |other: &&str| strsim::jaro_winkler(&word, other);
    let best = words.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) > 0.8).then_some(best)
}

fn names() -> impl Iterator<Item = (&'static str, Code)> {
    NAMES.lines().filter_map(|line| {
        let (name, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        let code = match name.split_once('_')? {
            ("KEY" | "BTN", _) => Code::Key(number),
            ("SW", _) => Code::Switch(number),
            _ => return None,
        };
        Some((name, code))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_numbers_and_back() {
        assert_eq!(named("KEY_MICMUTE"), Ok(Code::Key(248)));
        assert_eq!(named(" key_mute "), Ok(Code::Key(113)));
        assert_eq!(named("SW_LID"), Ok(Code::Switch(0)));
        assert_eq!(Code::Key(113).to_string(), "KEY_MUTE");
        assert_eq!(Code::Key(767).to_string(), "key 767");
        assert!(names().count() > 500);
    }

    #[test]
    fn a_wrong_name_has_a_suggestion() {
        assert_eq!(named("KEY_MICMUTTE"), Err(Some("KEY_MICMUTE")));
        assert_eq!(named("KEY_VOLUMUP"), Err(Some("KEY_VOLUMEUP")));
        assert_eq!(named("###"), Err(None));
        assert_eq!(named(&"x".repeat(100_000)), Err(None));
    }
}
