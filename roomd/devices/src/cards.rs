// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The machine's sound cards, with what the kernel says about their channels.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use roomd_devices_core::device::Kind;
use roomd_devices_core::inventory::Entry;
use roomd_devices_core::sound::cards::Card;
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

    /// How ALSA opens a card and converts what it has: by its name, which another card that takes
    /// over its number does not have.
    #[must_use]
    pub fn converted(&self, card: &Card) -> String {
        let number = card.device.trim_start_matches("hw:");
        let id = self.read(&format!("card{number}/id"));
        let plain = |id: &String| {
            !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match id.map(|id| id.trim().to_owned()).filter(plain) {
            Some(id) => format!("plughw:CARD={id},DEV=0"),
            None => format!("plug{}", card.device),
        }
    }

    fn read(&self, name: &str) -> Option<String> {
        let mut text = String::new();
        let file = File::open(self.0.join(name)).ok()?;
        file.take(LENGTH).read_to_string(&mut text).ok()?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
