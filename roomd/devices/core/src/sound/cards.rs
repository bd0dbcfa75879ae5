// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which card is the room's microphone and which its loudspeaker, and who cancels the echo.

use std::fmt::Write as _;

use roomd_model::Language;

use super::table::{Shape, Table};
use crate::identity::{DeviceId, UsbId};

/// ALSA's names of devices that are one card's.
const OF_A_CARD: [&str; 6] = ["hw", "plughw", "sysdefault", "front", "dmix", "dsnoop"];

/// A sound card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Who it is, where the inventory knows it.
    pub id: Option<DeviceId>,
    /// How ALSA opens it: `hw:1`.
    pub device: String,
    /// What it calls itself.
    pub name: String,
    /// Its model, where it is on the USB.
    pub usb: Option<UsbId>,
    /// Channels that it records; 0 for none.
    pub captures: u32,
    /// Channels that it plays; 0 for none.
    pub plays: u32,
}

/// What a user asks for: a card's identity, `hw:1`, a USB id or part of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The microphone.
    pub microphone: Option<String>,
    /// The loudspeaker.
    pub loudspeaker: Option<String>,
}

/// Why a card was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The configuration names it.
    Asked,
    /// The other direction uses it too.
    SameDevice,
    /// The best shape for its purpose that there is.
    Shape(Shape),
    /// Nothing better is there.
    OnlyOne,
    /// What the room should use is not there; this one stands in.
    StandsIn,
}

/// Who removes the loudspeaker's sound from the microphone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The room.
    Room,
    /// The device itself; a second canceller would only damage the voice.
    Device,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The microphone's card, as an index into the cards, and why.
    pub microphone: Option<(usize, Reason)>,
    /// The loudspeaker's.
    pub loudspeaker: Option<(usize, Reason)>,
    /// Who cancels the echo.
    pub echo: Echo,
}

/// Chooses among the cards.
#[must_use]
pub fn select(cards: &[Card], table: &Table, asked: &Asked) -> Selection {
    let shapes: Vec<Shape> = cards.iter().map(|card| shape(card, table)).collect();
    let named = |text: &Option<String>, able: &dyn Fn(&Card) -> bool| {
        let text = text.as_deref()?;
        let first = |fits: fn(&Card, &str) -> bool| {
            let mut cards = cards.iter();
            cards.position(|card| able(card) && fits(card, text))
        };
        first(is_named).or_else(|| first(answers))
    };
    let records = |card: &Card| card.captures > 0;
    let plays = |card: &Card| card.plays > 0;

    let microphone = named(&asked.microphone, &records)
        .map(|at| (at, Reason::Asked))
        .or_else(|| {
            let best = best(cards, &shapes, &records, microphone_rank);
            best.map(|(at, reason)| (at, stands_in(asked.microphone.is_some(), reason)))
        });
    let loudspeaker = named(&asked.loudspeaker, &plays)
        .map(|at| (at, Reason::Asked))
        .or_else(|| {
            // The loudspeaker of the microphone's own device is the one that it cancels.
            let same = microphone
                .filter(|(at, _)| plays(&cards[*at]) && shapes[*at] == Shape::Speakerphone);
            let same = same.map(|(at, _)| (at, Reason::SameDevice));
            let best = same.or_else(|| best(cards, &shapes, &plays, loudspeaker_rank));
            best.map(|(at, reason)| (at, stands_in(asked.loudspeaker.is_some(), reason)))
        });

    let one = microphone.map(|(at, _)| at).filter(|at| {
        let other = loudspeaker.map(|(at, _)| at);
        // A bar that plays nothing hears only the loudspeaker of another device.
        other == Some(*at)
            && table
                .find(&cards[*at])
                .is_some_and(|known| known.cancels_echo)
    });
    Selection {
        microphone,
        loudspeaker,
        echo: if one.is_some() {
            Echo::Device
        } else {
            Echo::Room
        },
    }
}

impl Reason {
    /// Why this card was taken after another one. What is built into the machine only stands in for a
    /// device on the USB: nobody replaces a microphone by the machine's own input on purpose.
    #[must_use]
    pub const fn after(self, before: Option<&Card>, card: &Card) -> Self {
        match (self, before) {
            (Self::Asked, _) | (_, None) => self,
            (_, Some(before)) if before.usb.is_some() && card.usb.is_none() => Self::StandsIn,
            (_, Some(_)) => self,
        }
    }
}

/// What a card is: by the table, otherwise by what it has.
fn shape(card: &Card, table: &Table) -> Shape {
    let known = table.find(card).and_then(|known| known.shape);
    known.unwrap_or(match (card.captures, card.plays) {
        (0, _) => Shape::Loudspeaker,
        (3.., 0) => Shape::Array,
        (_, 0) => Shape::Microphone,
        (_, _) if card.usb.is_some() => Shape::Speakerphone,
        (_, _) => Shape::Microphone,
    })
}

fn best(
    cards: &[Card],
    shapes: &[Shape],
    able: &dyn Fn(&Card) -> bool,
    rank: fn(Shape, &Card) -> u32,
) -> Option<(usize, Reason)> {
    let able: Vec<usize> = (0..cards.len()).filter(|at| able(&cards[*at])).collect();
    let best = able
        .iter()
        .min_by_key(|at| (rank(shapes[**at], &cards[**at]), **at))?;
    let reason = match able.len() {
        1 => Reason::OnlyOne,
        _ => Reason::Shape(shapes[*best]),
    };
    Some((*best, reason))
}

const fn stands_in(asked: bool, reason: Reason) -> Reason {
    if asked { Reason::StandsIn } else { reason }
}

const fn microphone_rank(shape: Shape, card: &Card) -> u32 {
    // What is built into the machine records its fan.
    let built_in = card.usb.is_none() as u32 * 10;
    built_in
        + match shape {
            Shape::Speakerphone => 0,
            Shape::Array => 1,
            Shape::Microphone => 2,
            Shape::Loudspeaker => 3,
        }
}

const fn loudspeaker_rank(shape: Shape, card: &Card) -> u32 {
    let built_in = card.usb.is_none() as u32 * 10;
    built_in
        + match shape {
            Shape::Speakerphone => 0,
            Shape::Loudspeaker => 1,
            Shape::Array | Shape::Microphone => 2,
        }
}

/// The card that a name of ALSA's means, such as `1` in `hw:1,0` and `Bar` in `plughw:CARD=Bar,DEV=0`; none
/// where the name is not a card's own, such as `default`.
#[must_use]
pub fn named_by_alsa(name: &str) -> Option<&str> {
    let (plugin, arguments) = name.split_once(':')?;
    if !OF_A_CARD.contains(&plugin) {
        return None;
    }
    let mut arguments = arguments.split(',');
    let named = arguments.clone().find_map(|it| it.strip_prefix("CARD="));
    let card = named.or_else(|| arguments.next())?;
    (!card.is_empty() && !card.contains('=')).then_some(card)
}

/// Whether it is named as it is and where it is, and not another one that answers too.
fn is_named(card: &Card, text: &str) -> bool {
    let id = card.id.as_ref();
    let asked = text.parse::<DeviceId>().ok();
    asked.is_some() && asked.as_ref() == id || text == card.device
}

fn answers(card: &Card, text: &str) -> bool {
    let id = card.id.as_ref();
    let same = id.is_some_and(|id| {
        let asked = text.parse::<DeviceId>();
        asked.is_ok_and(|asked| asked.likeness(id) >= crate::identity::Likeness::Moved)
    });
    let model = card.usb.is_some() && text.parse::<UsbId>().ok() == card.usb;
    let device = text == card.device || text.strip_prefix("plug") == Some(&card.device);
    let name = text.chars().count() >= 4 && card.name.to_lowercase().contains(&text.to_lowercase());
    same || model || device || name
}

impl Selection {
    /// What was chosen and why, for people.
    #[must_use]
    pub fn text(&self, cards: &[Card], language: Language) -> String {
        let german = language == Language::De;
        let mut text = String::new();
        let lines = [
            (
                self.microphone,
                if german { "Mikrofon" } else { "Microphone" },
            ),
            (
                self.loudspeaker,
                if german {
                    "Lautsprecher"
                } else {
                    "Loudspeaker"
                },
            ),
        ];
        for (chosen, what) in lines {
            let card = chosen.and_then(|(at, reason)| Some((cards.get(at)?, reason)));
            // Writing to a string does not fail.
            let _ = match card {
                Some((card, reason)) => {
                    write!(text, "{what}: {} ({}). ", card.name, reason.text(language))
                }
                None if german => write!(text, "{what}: keiner gefunden. "),
                None => write!(text, "{what}: none found. "),
            };
        }
        text.push_str(match (self.echo, language) {
            (Echo::Device, Language::De) => "Das Gerät entfernt sein Echo selbst.",
            (Echo::Device, Language::En) => "The device cancels its own echo.",
            (Echo::Room, Language::De) => "Der Raum entfernt das Echo.",
            (Echo::Room, Language::En) => "The room cancels the echo.",
        });
        text
    }
}

impl Reason {
    const fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Asked, Language::De) => "so eingestellt",
            (Self::Asked, Language::En) => "as configured",
            (Self::SameDevice, Language::De) => "dasselbe Gerät",
            (Self::SameDevice, Language::En) => "the same device",
            (Self::Shape(_), Language::De) => "am besten geeignet",
            (Self::Shape(_), Language::En) => "fits best",
            (Self::OnlyOne, Language::De) => "das einzige",
            (Self::OnlyOne, Language::En) => "the only one",
            (Self::StandsIn, Language::De) => "das vorgesehene Gerät fehlt",
            (Self::StandsIn, Language::En) => "the intended device is missing",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(device: &str, name: &str, usb: Option<&str>, captures: u32, plays: u32) -> Card {
        Card {
            id: None,
            device: device.to_owned(),
            name: name.to_owned(),
            usb: usb.map(|usb| usb.parse().unwrap()),
            captures,
            plays,
        }
    }

    fn room() -> Vec<Card> {
        vec![
            card("hw:0", "HDA Intel PCH", None, 2, 2),
            card("hw:1", "ACME Array", Some("1111:0001"), 4, 0),
            card("hw:2", "Jabra SPEAK 510", Some("0b0e:0420"), 1, 2),
            card("hw:3", "HDMI", None, 0, 8),
        ]
    }

    fn chosen(cards: &[Card], microphone: Option<&str>) -> (Option<usize>, Option<usize>, Echo) {
        let asked = Asked {
            microphone: microphone.map(str::to_owned),
            loudspeaker: None,
        };
        let selection = select(cards, &Table::default(), &asked);
        let at = |chosen: Option<(usize, Reason)>| chosen.map(|(at, _)| at);
        (
            at(selection.microphone),
            at(selection.loudspeaker),
            selection.echo,
        )
    }

    #[test]
    fn the_speakerphone_wins_and_cancels_its_own_echo() {
        let cards = room();
        assert_eq!(chosen(&cards, None), (Some(2), Some(2), Echo::Device));
        // Another loudspeaker than its own: it does not know what that plays.
        assert_eq!(
            chosen(&cards, Some("acme arr")),
            (Some(1), Some(2), Echo::Room)
        );
        assert_eq!(
            chosen(&cards, Some("0b0e:0420")),
            (Some(2), Some(2), Echo::Device)
        );
        assert_eq!(chosen(&cards, Some("hw:0")), (Some(0), Some(2), Echo::Room));
    }

    #[test]
    fn of_two_with_one_serial_number_the_one_in_its_port_is_taken() {
        let bar = |port: &str, device: &str| {
            let id = format!("usb:0b0e:0420/A@{port}:1.0");
            Card {
                id: Some(id.parse().unwrap()),
                ..card(device, "Bar", Some("0b0e:0420"), 1, 2)
            }
        };
        let cards = [bar("1-2", "hw:1"), bar("1-3", "hw:2")];
        for (port, at) in [("1-2", 0), ("1-3", 1), ("1-4", 0)] {
            let asked = format!("usb:0b0e:0420/A@{port}:1.0");
            assert_eq!(chosen(&cards, Some(&asked)).0, Some(at), "{port}");
        }
        // One whose name has the number of another one in it.
        let cards = [
            card("hw:1", "Bar hw:2", None, 1, 0),
            card("hw:2", "Bar", None, 1, 0),
        ];
        assert_eq!(chosen(&cards, Some("hw:2")).0, Some(1));
    }

    #[test]
    fn names_of_alsa_say_the_card_where_they_are_of_one() {
        for (name, card) in [
            ("hw:1,0", Some("1")),
            ("plughw:2", Some("2")),
            ("hw:Bar", Some("Bar")),
            ("plughw:CARD=Bar,DEV=0", Some("Bar")),
            ("sysdefault:DEV=0,CARD=Bar", Some("Bar")),
            ("hw:DEV=0", None),
            ("hw:", None),
            ("default", None),
            ("pulse:1", None),
            ("046d:0857", None),
        ] {
            assert_eq!(named_by_alsa(name), card, "{name}");
        }
    }

    #[test]
    fn what_is_missing_is_stood_in_for() {
        let cards = room();
        let asked = Asked {
            microphone: Some("usb:0b0e:0999@1-1:1.0".to_owned()),
            loudspeaker: None,
        };
        let selection = select(&cards, &Table::default(), &asked);
        assert_eq!(selection.microphone, Some((2, Reason::StandsIn)));
        let text = selection.text(&cards, Language::En);
        assert!(text.contains("the intended device is missing"), "{text}");
        assert_eq!(chosen(&[], None), (None, None, Echo::Room));
        let text = select(&[], &Table::default(), &asked).text(&[], Language::De);
        assert!(text.starts_with("Mikrofon: keiner gefunden."), "{text}");
    }

    #[test]
    fn the_machine_s_own_input_stands_in_for_a_device_that_was_there() {
        let cards = room();
        let (own, usb) = (&cards[0], &cards[2]);
        assert_eq!(Reason::OnlyOne.after(Some(usb), own), Reason::StandsIn);
        assert_eq!(Reason::OnlyOne.after(None, own), Reason::OnlyOne);
        assert_eq!(Reason::OnlyOne.after(Some(own), own), Reason::OnlyOne);
        assert_eq!(Reason::Asked.after(Some(usb), own), Reason::Asked);
        // Another device on the USB was plugged in by somebody.
        let array = Reason::Shape(Shape::Array);
        assert_eq!(array.after(Some(usb), &cards[1]), array);
    }

    #[test]
    fn without_a_speakerphone_the_array_listens_and_the_display_speaks() {
        let cards = [
            card("hw:0", "HDA Intel PCH", None, 2, 0),
            card("hw:1", "ACME Array", Some("1111:0001"), 4, 0),
            card("hw:3", "HDMI", None, 0, 8),
        ];
        assert_eq!(chosen(&cards, None), (Some(1), Some(2), Echo::Room));
    }
}
