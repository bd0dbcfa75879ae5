// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Tables in TOML that users extend: what is wrong in one, and where.

use std::ops::Range;

/// A table is wrong. Shows file, line and cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {cause}")]
pub struct TableError {
    file: String,
    line: usize,
    cause: String,
}

impl TableError {
    /// The line, counted from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    pub(crate) fn at(file: &str, text: &str, span: Option<Range<usize>>, cause: String) -> Self {
        let start = span.map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        Self {
            file: file.to_owned(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            cause,
        }
    }
}
