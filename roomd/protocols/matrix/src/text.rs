// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages as text.

use roomd_model::Pii;
use serde::{Deserialize, Serialize};

use crate::{Done, Failure, News, Request};

/// The most bytes of a message in either direction.
pub const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// What the account sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The answer to a request.
    Answer {
        /// The request's number.
        id: u64,
        /// What came of it.
        result: Result<Done, Failure>,
    },
    /// Something happened.
    News(News),
}

/// A text that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message between a session and the account")]
pub struct BadText;

impl Request {
    /// The message as text.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn to_text(&self) -> Result<Pii<String>, BadText> {
        write(self)
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// When the text is none, or too large.
    pub fn from_text(text: &str) -> Result<Self, BadText> {
        read(text)
    }
}

impl Reply {
    /// The message as text.
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn to_text(&self) -> Result<Pii<String>, BadText> {
        write(self)
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// When the text is none, or too large.
    pub fn from_text(text: &str) -> Result<Self, BadText> {
        read(text)
    }
}

fn write<T: Serialize>(message: &T) -> Result<Pii<String>, BadText> {
    let text = serde_json::to_string(message).map_err(|_| BadText)?;
    (text.len() <= MAX_TEXT_BYTES)
        .then(|| Pii::new(text))
        .ok_or(BadText)
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BadText> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(BadText);
    }
    serde_json::from_str(text).map_err(|_| BadText)
}
