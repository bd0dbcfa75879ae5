// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{fmt, ops::Range};

/// Why a configuration was refused. Prints the place, the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    line: usize,
    column: usize,
    source: String,
    width: usize,
    cause: String,
    help: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(text: &str, file: &str, span: Range<usize>, cause: String) -> Self {
        let start = floor(text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let source = text.get(line_start..).unwrap_or_default();
        let source = source.lines().next().unwrap_or_default();
        let offset = (start - line_start).min(source.len());
        let end = floor(source, span.end.saturating_sub(line_start)).max(offset);
        let width = source.get(offset..end).unwrap_or_default().chars().count();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: source.get(..offset).unwrap_or_default().chars().count() + 1,
            source: shown(source),
            width: width.max(1),
            cause,
            help: None,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// File, line and column; free of the file's contents.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// The line, counted from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "error: {}", self.cause)?;
        writeln!(f, "{margin}--> {}", self.place())?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.source)?;
        let space = " ".repeat(self.column - 1);
        write!(f, "{margin} | {space}{}", "^".repeat(self.width))?;
        if let Some(help) = &self.help {
            write!(f, "\n{margin} = help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// A line as it can be printed: without tabs, which would move the caret, and without secrets. Also
/// a secret under a key that does not exist is one: somebody meant it.
fn shown(line: &str) -> String {
    let (from, until) = hidden(line);
    line.char_indices()
        .map(|(at, character)| match character {
            _ if (from..until).contains(&at) && !character.is_whitespace() => '*',
            _ if character.is_control() => ' ',
            _ => character,
        })
        .collect()
}

/// The bytes that hold a secret: the value of such a key, or the account in a URL.
fn hidden(line: &str) -> (usize, usize) {
    let (key, value) = line.split_once('=').unwrap_or(("", line));
    let key = key.trim().trim_matches(['"', '\'']);
    let is_secret = ["password", "passphrase", "token", "secret", "recovery_key"]
        .into_iter()
        .any(|word| key.contains(word));
    let start = line.len() - value.len();
    if is_secret && !key.ends_with("_file") && key != "panel_token" {
        return (start, line.len());
    }
    let account = value.find("://").and_then(|scheme| {
        let rest = &value[scheme + 3..];
        let host = rest.split(['/', '?', '#', '"']).next()?;
        Some((start + scheme + 3, start + scheme + 3 + host.rfind('@')?))
    });
    account.unwrap_or((0, 0))
}

fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
