// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Lines of iCalendar as they stand in the text, so that an edit leaves the others alone.

use std::ops::Range;

/// An unfolded line, and where it stands with its ending.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub range: Range<usize>,
    pub text: String,
}

impl Line {
    pub fn is(&self, property: &str) -> bool {
        let name = self.text.split([';', ':']).next().unwrap_or_default();
        name.eq_ignore_ascii_case(property)
    }

    /// How the line ends in the text.
    pub fn ending(&self, text: &str) -> &'static str {
        if text[self.range.clone()].ends_with("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }
}

/// The lines of a text, unfolded.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut offset = 0;
    for physical in text.split_inclusive('\n') {
        let range = offset..offset + physical.len();
        offset = range.end;
        let content = physical.trim_end_matches(['\r', '\n']);
        match (content.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(folded), Some(last)) => {
                last.text.push_str(folded);
                last.range.end = range.end;
            }
            (Some(_) | None, _) => lines.push(Line {
                range,
                text: content.to_owned(),
            }),
        }
    }
    lines
}

/// The value of a parameter.
pub(super) fn parameter<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    parameters(head).into_iter().find_map(|range| {
        let (key, value) = head[range].split_once('=')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim_matches('"'))
    })
}

/// Where the parameters of a line stand, without their semicolons.
pub(super) fn parameters(head: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut quoted = false;
    let mut start = None;
    for (at, c) in head.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => {
                found.extend(start.map(|start| start..at));
                start = Some(at + 1);
            }
            _ => {}
        }
    }
    found.extend(start.map(|start| start..head.len()));
    found
}

/// Where the value begins: behind the first colon outside quotes.
pub(super) fn value_start(line: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ':' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Folds at 75 octets, never within a character.
pub(super) fn fold(line: &str, ending: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > 75 {
            out.push_str(ending);
            out.push(' ');
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str(ending);
    out
}
