// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What displays do differently from the standard, by their maker and name.

use serde::Deserialize;
use toml::Spanned;

use super::edid::Edid;
use crate::table::TableError;

const BUILT_IN: &str = include_str!("quirks.toml");
const ENTRIES: usize = 256;

/// How a display is woken over CEC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wake {
    /// As the standard says.
    #[default]
    ImageViewOn,
    /// By the other message for it.
    TextViewOn,
    /// By the remote control's key that turns on.
    PowerOnKey,
    /// By the key that changes over; only pressed when the display says that it sleeps.
    PowerKey,
}

/// Which way is tried first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum First {
    /// HDMI-CEC.
    #[default]
    Cec,
    /// DDC/CI.
    Ddc,
}

/// How to deal with a display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Whether it is spoken to over CEC.
    pub cec: bool,
    /// Whether it is spoken to over DDC/CI.
    pub ddc: bool,
    /// Which way comes first.
    pub first: First,
    /// How it is woken.
    pub wake: Wake,
    /// Whether what it says about its power is true.
    pub status: bool,
    /// Whether it goes to sleep when told.
    pub standby: bool,
    /// Seconds until it says that it is awake, or asleep.
    pub seconds: u8,
    /// Its own number for the input that the room is on, to be shown once it is awake over DDC/CI; never 0.
    pub input: Option<u8>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            cec: true,
            ddc: true,
            first: First::Cec,
            wake: Wake::ImageViewOn,
            status: true,
            standby: true,
            seconds: 4,
            input: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    display: Vec<Spanned<Line>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    maker: String,
    name: Option<String>,
    cec: Option<bool>,
    ddc: Option<bool>,
    first: Option<First>,
    wake: Option<Wake>,
    status: Option<bool>,
    standby: Option<bool>,
    seconds: Option<u8>,
    input: Option<u8>,
}

/// All that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuirkTable {
    lines: Vec<Line>,
}

impl Default for QuirkTable {
    /// What roomd brings. A test reads it, so nothing of it is lost here.
    fn default() -> Self {
        Self {
            lines: parse(BUILT_IN, "quirks.toml").unwrap_or_default(),
        }
    }
}

impl QuirkTable {
    /// Adds a table that somebody wrote, whose lines go before the others.
    ///
    /// # Errors
    ///
    /// What is wrong, with file and line; the table stays as it was.
    pub fn add(&mut self, text: &str, file: &str) -> Result<(), TableError> {
        let mut lines = parse(text, file)?;
        lines.append(&mut self.lines);
        self.lines = lines;
        Ok(())
    }

    /// How to deal with a display: the first line that fits, otherwise as the standard says.
    #[must_use]
    pub fn find(&self, edid: &Edid) -> Quirks {
        let name = edid.name.to_lowercase();
        let fits = |line: &&Line| {
            let part = line.name.as_ref().map(|part| part.to_lowercase());
            line.maker.eq_ignore_ascii_case(&edid.maker)
                && part.is_none_or(|part| name.contains(&part))
        };
        let usual = Quirks::default();
        self.lines.iter().find(fits).map_or(usual, |line| Quirks {
            cec: line.cec.unwrap_or(usual.cec),
            ddc: line.ddc.unwrap_or(usual.ddc),
            first: line.first.unwrap_or(usual.first),
            wake: line.wake.unwrap_or(usual.wake),
            status: line.status.unwrap_or(usual.status),
            standby: line.standby.unwrap_or(usual.standby),
            seconds: line.seconds.unwrap_or(usual.seconds),
            input: line.input,
        })
    }
}

fn parse(text: &str, file: &str) -> Result<Vec<Line>, TableError> {
    let wrong = |span, cause: &str| TableError::at(file, text, span, cause.to_owned());
    let parsed: File =
        toml::from_str(text).map_err(|error| wrong(error.span(), error.message()))?;
    if parsed.display.len() > ENTRIES {
        return Err(wrong(
            None,
            "more than 256 displays; keep those of this room",
        ));
    }
    let check = |line: Spanned<Line>| {
        let span = Some(line.span());
        let line = line.into_inner();
        let letters = line.maker.chars().all(|c| c.is_ascii_alphabetic());
        if line.maker.len() != 3 || !letters {
            let cause = "`maker` has three letters, such as \"SAM\"";
            return Err(wrong(span, cause));
        }
        if !line
            .seconds
            .is_none_or(|seconds| (1..=30).contains(&seconds))
        {
            return Err(wrong(span, "`seconds` lies between 1 and 30"));
        }
        if line.input == Some(0) {
            return Err(wrong(span, "`input` lies between 1 and 255"));
        }
        Ok(line)
    };
    parsed.display.into_iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edid(maker: &str, name: &str) -> Edid {
        Edid {
            maker: maker.to_owned(),
            name: name.to_owned(),
            ..Edid::default()
        }
    }

    #[test]
    fn the_table_that_roomd_brings_is_right() {
        assert!(!parse(BUILT_IN, "quirks.toml").unwrap().is_empty());
        let table = QuirkTable::default();
        assert_eq!(table.find(&edid("DEL", "DELL U2720Q")).first, First::Ddc);
        assert_eq!(table.find(&edid("SAM", "")), Quirks::default());
    }

    #[test]
    fn users_add_and_errors_say_where() {
        let mut table = QuirkTable::default();
        let text = "[[display]]\nmaker = \"sam\"\nname = \"qm\"\nwake = \"power-on-key\"\nstatus = false\n";
        table.add(text, "own.toml").unwrap();
        let quirks = table.find(&edid("SAM", "QM55R"));
        assert_eq!((quirks.wake, quirks.status), (Wake::PowerOnKey, false));
        assert_eq!(table.find(&edid("SAM", "OTHER")), Quirks::default());
        let check = |text: &str, line: usize, part: &str| {
            let error = QuirkTable::default().add(text, "own.toml").unwrap_err();
            assert_eq!(error.line(), line, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        };
        check("\n[[display]]\nmaker = \"Samsung\"", 2, "three letters");
        check(
            "[[display]]\nmaker = \"SAM\"\nseconds = 90",
            1,
            "between 1 and 30",
        );
        check("[[display]]\nmaker = \"SAM\"\nwake = \"shout\"", 3, "shout");
        let input = "[[display]]\nmaker = \"SAM\"\ninput = ";
        check(&format!("{input}0"), 1, "between 1 and 255");
        check(&format!("{input}256"), 3, "256");
        table.add(&format!("{input}17"), "own.toml").unwrap();
        assert_eq!(table.find(&edid("SAM", "OTHER")).input, Some(17));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\[\\[display\\]\\]|maker|[ =\"\n:a-z0-9äß])*") {
            let _ = QuirkTable::default().add(&text, "own.toml");
        }
    }
}
