// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::names::{Code, named, similar};

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Microphone off, or on.
    Mute,
    /// Leaves the meeting.
    HangUp,
    /// Joins the meeting that is offered.
    Join,
    /// Louder.
    VolumeUp,
    /// Less loud.
    VolumeDown,
    /// Recalls the camera's preset of this number, counted from 1.
    Preset(u8),
    /// Somebody is in the room, for as long as the key or switch is on.
    Presence,
}

const WORDS: [&str; 6] = [
    "mute",
    "hang-up",
    "join",
    "volume-up",
    "volume-down",
    "presence",
];

impl Action {
    /// Whether it happens again while the key is held.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(self, Self::VolumeUp | Self::VolumeDown)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mute => "mute",
            Self::HangUp => "hang-up",
            Self::Join => "join",
            Self::VolumeUp => "volume-up",
            Self::VolumeDown => "volume-down",
            Self::Preset(number) => return write!(f, "preset-{number}"),
            Self::Presence => "presence",
        })
    }
}

impl FromStr for Action {
    type Err = KeyMapError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || KeyMapError::Action {
            name: text.chars().take(40).collect(),
            suggestion: similar(text, WORDS.into_iter().chain(["preset-1"])).map(str::to_owned),
        };
        Ok(match text {
            "mute" => Self::Mute,
            "hang-up" => Self::HangUp,
            "join" => Self::Join,
            "volume-up" => Self::VolumeUp,
            "volume-down" => Self::VolumeDown,
            "presence" => Self::Presence,
            _ => {
                let number = text.strip_prefix("preset-").ok_or_else(unknown)?;
                let number: u8 = number.parse().map_err(|_| unknown())?;
                if !(1..=32).contains(&number) {
                    return Err(unknown());
                }
                Self::Preset(number)
            }
        })
    }
}

/// Why a key map is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// There is no key of this name.
    #[error("no key is called `{name}`{}", did_you_mean(suggestion))]
    Key {
        /// As written.
        name: String,
        /// The most similar.
        suggestion: Option<String>,
    },
    /// A key cannot do this.
    #[error(
        "no key can `{name}`{}; use mute, hang-up, join, volume-up, volume-down, preset-1 to \
         preset-32, or presence",
        did_you_mean(suggestion)
    )]
    Action {
        /// As written.
        name: String,
        /// The most similar.
        suggestion: Option<String>,
    },
    /// A switch is a state, and this happens once.
    #[error("`{0}` is a switch, which can only be `presence`; `{1}` needs a key")]
    Switch(Code, Action),
    /// Two names of one key.
    #[error("`{0}` is there twice")]
    Twice(Code),
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    let text = suggestion.as_ref();
    text.map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// Which key does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMap {
    actions: BTreeMap<Code, Action>,
}

impl Default for KeyMap {
    /// Keys whose names say it.
    fn default() -> Self {
        let actions = [
            (113, Action::Mute),       // KEY_MUTE
            (248, Action::Mute),       // KEY_MICMUTE
            (114, Action::VolumeDown), // KEY_VOLUMEDOWN
            (115, Action::VolumeUp),   // KEY_VOLUMEUP
            (0x1bd, Action::Join),     // KEY_PICKUP_PHONE
            (0x1be, Action::HangUp),   // KEY_HANGUP_PHONE
        ];
        Self {
            actions: actions.map(|(key, action)| (Code::Key(key), action)).into(),
        }
    }
}

impl KeyMap {
    /// A map without keys.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            actions: BTreeMap::new(),
        }
    }

    /// Adds a line of the configuration, such as `KEY_F1` and `preset-1`.
    ///
    /// # Errors
    ///
    /// A name that does not exist, with the one that may have been meant.
    pub fn add(&mut self, key: &str, action: &str) -> Result<(), KeyMapError> {
        let code = named(key).map_err(|suggestion| KeyMapError::Key {
            name: key.chars().take(40).collect(),
            suggestion: suggestion.map(str::to_owned),
        })?;
        let action: Action = action.parse()?;
        if matches!(code, Code::Switch(_)) && action != Action::Presence {
            return Err(KeyMapError::Switch(code, action));
        }
        if self.actions.contains_key(&code) {
            return Err(KeyMapError::Twice(code));
        }
        self.actions.insert(code, action);
        Ok(())
    }

    /// What a key does.
    #[must_use]
    pub fn action(&self, code: Code) -> Option<Action> {
        self.actions.get(&code).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_written_in_names() {
        let mut map = KeyMap::empty();
        map.add("KEY_F1", "preset-1").unwrap();
        map.add("SW_FRONT_PROXIMITY", "presence").unwrap();
        map.add("btn_0", "hang-up").unwrap();
        assert_eq!(map.action(Code::Key(59)), Some(Action::Preset(1)));
        assert_eq!(map.action(Code::Key(0x100)), Some(Action::HangUp));
        assert_eq!(map.action(Code::Key(60)), None);
        let default = KeyMap::default();
        assert_eq!(
            default.action(named("KEY_MICMUTE").unwrap()),
            Some(Action::Mute)
        );
        assert_eq!(
            default.action(named("KEY_HANGUP_PHONE").unwrap()),
            Some(Action::HangUp)
        );
    }

    #[test]
    fn errors_name_what_was_meant() {
        let check = |key: &str, action: &str, text: &str| {
            let mut map = KeyMap::empty();
            map.add("KEY_A", "mute").unwrap();
            let error = map.add(key, action).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        check(
            "KEY_MUTTE",
            "mute",
            "no key is called `KEY_MUTTE`; did you mean `KEY_MUTE`?",
        );
        check("KEY_B", "mutee", "did you mean `mute`?");
        check("KEY_B", "preset-0", "preset-1 to");
        check("KEY_B", "preset-99", "preset-1 to");
        check("SW_LID", "mute", "only be `presence`");
        check("key_a", "join", "`KEY_A` is there twice");
    }

    #[test]
    fn actions_have_one_spelling() {
        for word in WORDS.into_iter().chain(["preset-7"]) {
            assert_eq!(word.parse::<Action>().unwrap().to_string(), word);
        }
    }
}
