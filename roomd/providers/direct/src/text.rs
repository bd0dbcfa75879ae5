// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What guests write, made safe to show.

const MAX_NAME: usize = 80;
const MAX_CHAT: usize = 2000;

/// A name of 1 to 80 visible characters on one line.
pub(crate) fn name(text: &str) -> Option<String> {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_unsafe(*c))
        .take(MAX_NAME * 4)
        .collect();
    let words: Vec<_> = visible.split(' ').filter(|word| !word.is_empty()).collect();
    let name: String = words.join(" ").chars().take(MAX_NAME).collect();
    let name = name.trim_end().to_owned();
    (!name.is_empty()).then_some(name)
}

/// A chat line of 1 to 2000 characters; line breaks stay.
pub(crate) fn chat(text: &str) -> Option<String> {
    let safe: String = text
        .chars()
        .filter(|c| *c == '\n' || !is_unsafe(*c))
        .collect();
    let safe = safe.trim();
    let fits = !safe.is_empty() && safe.chars().count() <= MAX_CHAT;
    fits.then(|| safe.to_owned())
}

/// Control characters, and those that turn the writing direction of what follows or hide in it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible_and_short() {
        for (given, expected) in [
            ("  Erika \t Mustermann\n", Some("Erika Mustermann")),
            ("\u{202e}nimdA\u{0}", Some("nimdA")),
            ("\u{200b}\u{3164} ", None),
            ("", None),
            ("Søren 🙂", Some("Søren 🙂")),
        ] {
            assert_eq!(name(given).as_deref(), expected, "{given:?}");
        }
        assert_eq!(name(&"ä".repeat(500)).unwrap().chars().count(), 80);
    }

    #[test]
    fn chat_keeps_lines_and_refuses_novels() {
        assert_eq!(chat(" a\nb\u{7}\u{202e} ").as_deref(), Some("a\nb"));
        assert_eq!(chat(&"x".repeat(2001)), None);
        assert_eq!(chat("\u{200b}"), None);
    }
}
