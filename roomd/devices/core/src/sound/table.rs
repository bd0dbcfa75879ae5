// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What is known about sound devices by their USB id or name: the table that roomd brings, and tables
//! that users write.

use serde::Deserialize;
use toml::Spanned;

use super::cards::Card;
use crate::identity::UsbId;
use crate::table::TableError;

const BUILT_IN: &str = include_str!("devices.toml");
/// Entries that a user's table may have.
const ENTRIES: usize = 512;

/// What a sound device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Several microphones that listen in a direction.
    Array,
    /// One microphone.
    Microphone,
    /// A loudspeaker.
    Loudspeaker,
    /// Microphone and loudspeaker in one.
    Speakerphone,
}

/// How a device's own mute key reaches the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MuteKey {
    /// As a HID telephony key. So is any device's that has one.
    #[default]
    Hid,
    /// As the capture switch of its mixer.
    Mixer,
    /// Not at all.
    None,
}

/// What is known about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    matches: Match,
    /// What it is, where known.
    pub shape: Option<Shape>,
    /// Whether it cancels the echo of its own loudspeaker.
    pub cancels_echo: bool,
    /// How its mute key reaches the room.
    pub mute_key: MuteKey,
    /// Whether its lamp must be left alone, because it follows by itself or wrongly.
    pub own_lamp: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Match {
    Usb(UsbId),
    /// Part of the name, in small letters.
    Name(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    device: Vec<Spanned<Line>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Line {
    usb: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    shape: Option<Shape>,
    #[serde(default)]
    cancels_echo: bool,
    #[serde(default)]
    mute_key: MuteKey,
    #[serde(default)]
    own_lamp: bool,
}

/// Everything that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    entries: Vec<Known>,
}

impl Default for Table {
    /// What roomd brings. A test reads it, so nothing of it is lost here.
    fn default() -> Self {
        Self {
            entries: parse(BUILT_IN, "devices.toml").unwrap_or_default(),
        }
    }
}

impl Table {
    /// Adds a table that somebody wrote, whose entries go before the others.
    ///
    /// # Errors
    ///
    /// What is wrong, with file and line; the table stays as it was.
    pub fn add(&mut self, text: &str, file: &str) -> Result<(), TableError> {
        let mut entries = parse(text, file)?;
        entries.append(&mut self.entries);
        self.entries = entries;
        Ok(())
    }

    /// USB ids and parts of names of the devices that cancel their own echo.
    #[must_use]
    pub fn cancelling(&self) -> Vec<String> {
        let known = self.entries.iter().filter(|known| known.cancels_echo);
        let text = |known: &Known| match &known.matches {
            Match::Usb(id) => id.to_string(),
            Match::Name(part) => part.clone(),
        };
        known.map(text).collect()
    }

    /// What is known about a card: by its USB id before its name, and the longest name.
    #[must_use]
    pub fn find(&self, card: &Card) -> Option<&Known> {
        let usb = self
            .entries
            .iter()
            .find(|known| matches!(known.matches, Match::Usb(id) if card.usb == Some(id)));
        let name = card.name.to_lowercase();
        let length = |known: &&Known| match &known.matches {
            Match::Name(part) if name.contains(part.as_str()) => part.len(),
            Match::Name(_) | Match::Usb(_) => 0,
        };
        // The last of equals wins in `max_by_key`; the first is meant.
        let named = || self.entries.iter().rev().filter(|k| length(k) > 0);
        usb.or_else(|| named().max_by_key(length))
    }
}

fn parse(text: &str, file: &str) -> Result<Vec<Known>, TableError> {
    let wrong = |span, cause: &str| TableError::at(file, text, span, cause.to_owned());
    let parsed: File =
        toml::from_str(text).map_err(|error| wrong(error.span(), error.message()))?;
    if parsed.device.len() > ENTRIES {
        return Err(wrong(
            None,
            "more than 512 devices; keep those of this room",
        ));
    }
    let mut entries = Vec::new();
    for line in parsed.device {
        let span = Some(line.span());
        let line = line.into_inner();
        let matches = match (line.usb, line.name) {
            (Some(usb), None) => {
                let span = Some(usb.span());
                let id = usb.get_ref().parse::<UsbId>();
                Match::Usb(id.map_err(|error| wrong(span, &error.to_string()))?)
            }
            (None, Some(name)) => {
                let part = name.get_ref().trim().to_lowercase();
                if part.chars().count() < 4 {
                    let cause = "`name` has less than 4 letters and would fit anything";
                    return Err(wrong(Some(name.span()), cause));
                }
                Match::Name(part)
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(wrong(span, "a device needs either `usb` or `name`"));
            }
        };
        entries.push(Known {
            matches,
            shape: line.shape,
            cancels_echo: line.cancels_echo,
            mute_key: line.mute_key,
            own_lamp: line.own_lamp,
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(usb: Option<&str>, name: &str) -> Card {
        Card {
            usb: usb.map(|usb| usb.parse().unwrap()),
            name: name.to_owned(),
            ..Card::default()
        }
    }

    #[test]
    fn the_table_that_roomd_brings_is_right() {
        let entries = parse(BUILT_IN, "devices.toml").unwrap();
        assert!(entries.len() > 20);
        let table = Table::default();
        let known = table.find(&card(Some("0b0e:0420"), "USB Audio")).unwrap();
        assert!(known.cancels_echo);
        assert_eq!(known.shape, Some(Shape::Speakerphone));
        assert!(
            table
                .find(&card(None, "Yamaha YVC-200"))
                .unwrap()
                .cancels_echo
        );
        assert_eq!(table.find(&card(None, "HDA Intel PCH")), None);
        let cancelling = table.cancelling();
        assert!(cancelling.iter().any(|text| text == "0b0e:0420"));
        assert!(cancelling.iter().any(|text| text == "yamaha yvc"));
    }

    #[test]
    fn users_add_and_override() {
        let mut table = Table::default();
        let text = "[[device]]\nusb = \"0b0e:0420\"\nmute-key = \"mixer\"\n\n[[device]]\n\
                    name = \"Town Hall Array\"\nshape = \"array\"\n";
        table.add(text, "own.toml").unwrap();
        let known = table.find(&card(Some("0b0e:0420"), "")).unwrap();
        assert!(!known.cancels_echo);
        assert_eq!(known.mute_key, MuteKey::Mixer);
        let array = table.find(&card(None, "ACME town hall array 2")).unwrap();
        assert_eq!(array.shape, Some(Shape::Array));
    }

    #[test]
    fn errors_say_where_and_change_nothing() {
        let mut table = Table::default();
        let before = table.clone();
        let mut check = |text: &str, line: usize, part: &str| {
            let error = table.add(text, "own.toml").unwrap_err();
            assert_eq!(error.line(), line, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        };
        check("[[device]]\nusb = \"46d:1\"", 2, "four hexadecimal digits");
        check(
            "\n[[device]]\nshape = \"array\"",
            2,
            "either `usb` or `name`",
        );
        check("[[device]]\nname = \"ab\"", 2, "less than 4 letters");
        check("[[device]]\nname = \"Array\"\nshape = \"disc\"", 3, "disc");
        check("[[device]]\nname = \"Array\"\n\nechoes = true", 4, "echoes");
        check("[[device]]\nname = ", 2, "");
        assert_eq!(table, before);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\[\\[device\\]\\]|usb|name|[ =\"\n:a-z0-9äß])*") {
            let _ = Table::default().add(&text, "own.toml");
        }
    }
}
