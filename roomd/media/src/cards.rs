// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The machine's sound cards as the kernel lists them, and which one an ALSA name means.

use std::path::Path;

use roomd_voice::SoundCard;

/// Which way sound goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Capture,
    Playback,
}

/// All cards, and the list of their devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cards {
    cards: Vec<SoundCard>,
    devices: String,
}

impl Cards {
    /// The cards at this moment.
    pub(crate) fn read() -> Self {
        let folder = Path::new("/proc/asound");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let mut cards = parse(&read("cards"));
        for card in &mut cards {
            let usb = read(&format!("card{}/usbid", card.number));
            card.usb = Some(usb.trim().to_owned()).filter(|usb| !usb.is_empty());
        }
        Self {
            cards,
            devices: read("pcm"),
        }
    }

    /// The cards of the kernel's list, without their devices.
    #[cfg(test)]
    pub(crate) fn from_list(list: &str) -> Self {
        Self {
            cards: parse(list),
            devices: String::new(),
        }
    }

    /// The card that an ALSA device is on; none where that cannot be told. A name without a card,
    /// such as `default`, is the only card that has the direction.
    pub(crate) fn find(&self, device: &str, direction: Direction) -> Option<&SoundCard> {
        let Some((_, arguments)) = device.split_once(':') else {
            let mut able = self
                .cards
                .iter()
                .filter(|card| self.has(card.number, direction));
            return able.next().filter(|_| able.next().is_none());
        };
        let mut arguments = arguments.split(',');
        let named = arguments
            .clone()
            .find_map(|argument| argument.strip_prefix("CARD="));
        let wanted = named.or_else(|| arguments.next())?;
        let number = wanted.parse().ok();
        self.cards
            .iter()
            .find(|card| card.id == wanted || Some(card.number) == number)
    }

    fn has(&self, card: u32, direction: Direction) -> bool {
        let word = match direction {
            Direction::Capture => "capture",
            Direction::Playback => "playback",
        };
        let number = |line: &str| line.split('-').next().and_then(|n| n.parse::<u32>().ok());
        self.devices
            .lines()
            .any(|line| number(line) == Some(card) && line.contains(word))
    }
}

/// Reads the kernel's list: a line with number, short name and product, and one with the maker too.
fn parse(list: &str) -> Vec<SoundCard> {
    let mut cards: Vec<SoundCard> = Vec::new();
    for line in list.lines() {
        let Some((head, product)) = line.split_once("]:") else {
            if let Some(card) = cards.last_mut() {
                card.name = format!("{} / {}", card.name, line.trim());
            }
            continue;
        };
        let Some((number, id)) = head.split_once('[') else {
            continue;
        };
        if let Ok(number) = number.trim().parse() {
            cards.push(SoundCard {
                number,
                id: id.trim().to_owned(),
                name: product.trim().to_owned(),
                usb: None,
            });
        }
    }
    cards
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARDS: &str = "\
 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xd1044000 irq 126
 2 [USB            ]: USB-Audio - Jabra SPEAK 510 USB
                      0b0e Jabra SPEAK 510 USB at usb-0000:00:14.0-8, full speed
";
    const DEVICES: &str = "\
00-00: ALC221 Analog : ALC221 Analog : playback 1
02-00: USB Audio : USB Audio : playback 1 : capture 1
";

    fn cards() -> Cards {
        Cards {
            cards: parse(CARDS),
            devices: DEVICES.to_owned(),
        }
    }

    #[test]
    fn the_kernel_names_cards() {
        let cards = cards().cards;
        assert_eq!(cards.len(), 2);
        assert_eq!((cards[1].number, cards[1].id.as_str()), (2, "USB"));
        assert!(cards[1].name.contains("Jabra SPEAK 510"), "{cards:?}");
        assert_eq!(parse("--- no soundcards ---\n"), []);
    }

    #[test]
    fn a_device_is_on_a_card() {
        let cards = cards();
        let check = |device, direction, wanted| {
            let found = cards.find(device, direction).map(|card| card.number);
            assert_eq!(found, wanted, "{device}");
        };
        check("hw:2,0", Direction::Capture, Some(2));
        check("plughw:USB", Direction::Capture, Some(2));
        check("sysdefault:CARD=PCH", Direction::Playback, Some(0));
        check("front:DEV=0,CARD=USB", Direction::Playback, Some(2));
        check("hw:7", Direction::Capture, None);
        check("default", Direction::Capture, Some(2));
        check("default", Direction::Playback, None);
        check("", Direction::Playback, None);
        check(":", Direction::Playback, None);
    }
}
