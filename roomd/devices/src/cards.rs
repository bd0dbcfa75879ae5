// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The machine's sound cards, with what the kernel says about their channels.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use roomd_devices_core::device::Kind;
use roomd_devices_core::inventory::Entry;
use roomd_devices_core::sound::cards::{Card, named_by_alsa};
use roomd_devices_core::sound::listing::channels;

/// More than the kernel writes about one card.
const LENGTH: u64 = 64 * 1024;

/// The folder, which tests put elsewhere.
#[derive(Clone, Debug)]
pub struct SoundProc(PathBuf);

impl Default for SoundProc {
    fn default() -> Self {
        Self(PathBuf::from("/proc/asound"))
    }
}

impl SoundProc {
    /// Another folder than `/proc/asound`.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The sound cards among the devices.
    pub fn cards<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Vec<Card> {
        let pcm = self.read("pcm").unwrap_or_default();
        let sound = entries.filter(|entry| entry.usable && entry.device.kind == Kind::Sound);
        sound.filter_map(|entry| self.card(entry, &pcm)).collect()
    }

    fn card(&self, entry: &Entry, pcm: &str) -> Option<Card> {
        let number: u32 = entry.device.node.strip_prefix("hw:")?.parse().ok()?;
        let stream = self.read(&format!("card{number}/stream0"));
        let channels = channels(number, pcm, stream.as_deref());
        Some(Card {
            id: Some(entry.device.id.clone()),
            device: entry.device.node.clone(),
            name: entry.device.label.clone(),
            usb: entry.device.id.model(),
            captures: channels.captures,
            plays: channels.plays,
        })
    }

    /// The card that a name of ALSA's means; none for one that is no card's own, or of a card that is not
    /// there.
    #[must_use]
    pub fn named<'a>(&self, cards: &'a [Card], name: &str) -> Option<&'a Card> {
        let wanted = named_by_alsa(name)?;
        let by_number = || cards.iter().find(|card| number(card) == wanted);
        let by_name = || {
            let mut cards = cards.iter();
            cards.find(|card| self.id(card).as_deref() == Some(wanted))
        };
        by_number().or_else(by_name)
    }

    /// How ALSA opens a card and converts what it has: by its name, which another card that takes
    /// over its number does not have.
    #[must_use]
    pub fn converted(&self, card: &Card) -> String {
        let plain = |id: &String| {
            !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match self.id(card).filter(plain) {
            Some(id) => format!("plughw:CARD={id},DEV=0"),
            None => format!("plug{}", card.device),
        }
    }

    /// ALSA's name of a card.
    fn id(&self, card: &Card) -> Option<String> {
        let id = self.read(&format!("card{}/id", number(card)))?;
        Some(id.trim().to_owned())
    }

    fn read(&self, name: &str) -> Option<String> {
        let mut text = String::new();
        let file = File::open(self.0.join(name)).ok()?;
        file.take(LENGTH).read_to_string(&mut text).ok()?;
        Some(text)
    }
}

/// The number of a card, as its device has it.
fn number(card: &Card) -> &str {
    card.device.trim_start_matches("hw:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_by_what_alsa_calls_it() {
        let folder = tempfile::tempdir().unwrap();
        let card = |number: u32| Card {
            device: format!("hw:{number}"),
            ..Card::default()
        };
        let (sound, cards) = (SoundProc::at(folder.path()), [card(0), card(12)]);
        std::fs::create_dir(folder.path().join("card12")).unwrap();
        std::fs::write(folder.path().join("card12/id"), "Bar_1\n").unwrap();
        for (name, at) in [
            ("hw:12,0", Some(1)),
            ("plughw:0", Some(0)),
            ("hw:CARD=Bar_1,DEV=0", Some(1)),
            ("hw:1,0", None),
            ("hw:Bar", None),
            ("default", None),
        ] {
            let wanted = at.map(|at: usize| &cards[at]);
            assert_eq!(sound.named(&cards, name), wanted, "{name}");
        }
    }

    #[test]
    fn a_card_is_opened_by_its_name_where_it_has_one() {
        let folder = tempfile::tempdir().unwrap();
        let card = Card {
            device: "hw:2".to_owned(),
            ..Card::default()
        };
        let sound = SoundProc::at(folder.path());
        assert_eq!(sound.converted(&card), "plughw:2");
        std::fs::create_dir(folder.path().join("card2")).unwrap();
        std::fs::write(folder.path().join("card2/id"), "Bar_1\n").unwrap();
        assert_eq!(sound.converted(&card), "plughw:CARD=Bar_1,DEV=0");
        std::fs::write(folder.path().join("card2/id"), "Bar,DEV=7\n").unwrap();
        assert_eq!(sound.converted(&card), "plughw:2");
    }
}
