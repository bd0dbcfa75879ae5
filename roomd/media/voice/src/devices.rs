// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Speakerphones and bars that cancel the echo of their own loudspeaker.
//!
//! A second canceller behind such a device hears neither the echo nor what the first one did to it,
//! and only damages the room's voice.

/// A sound card as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundCard {
    /// Its number.
    pub number: u32,
    /// Its short name, as in `CARD=name`.
    pub id: String,
    /// Maker and product, as the device itself gives them.
    pub name: String,
    /// Vendor and product of a USB device, four hexadecimal digits each: `046d:0857`.
    pub usb: Option<String>,
}

/// USB ids of devices whose name does not say what they are.
const USB_IDS: &[&str] = &[
    "046d:0838", // Logitech BCC950
    "046d:0846", // Logitech CC3000e
    "046d:084c", // Logitech ConferenceCam Connect
    "046d:0857", // Logitech Group
    "046d:0882", // Logitech Group
    "047f:ca01", // Plantronics Calisto 800
    "0b0e:0410", // Jabra Speak 410
    "0b0e:0420", // Jabra Speak 510
    "0b0e:0422", // Jabra Speak 510
    "0b0e:2456", // Jabra Speak 810
];

/// Parts of the names of product lines that are made for the purpose, in small letters.
const NAMES: &[&str] = &[
    "anker powerconf",
    "conferencecam",
    "emeet",
    "epos expand",
    "jabra panacast 50",
    "jabra speak",
    "konftel",
    "logi group",
    "logitech group",
    "logi rally",
    "logitech rally",
    "meetup",
    "poly studio",
    "poly sync",
    "polycom trio",
    "speakerphone",
    "yamaha yvc",
];

/// Whether a card cancels its own echo: by the tables above, or by `more`, the USB ids and parts of
/// names that the configuration adds.
#[must_use]
pub fn cancels_echo(card: &SoundCard, more: &[String]) -> bool {
    let name = card.name.to_lowercase();
    let usb = card.usb.as_deref().map(str::to_lowercase);
    let added = more.iter().map(|text| text.to_lowercase());
    let known = NAMES.iter().chain(USB_IDS).map(|text| (*text).to_owned());
    known
        .chain(added)
        .filter(|text| !text.is_empty())
        .any(|text| usb.as_ref() == Some(&text) || name.contains(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, usb: Option<&str>) -> SoundCard {
        SoundCard {
            name: name.to_owned(),
            usb: usb.map(str::to_owned),
            ..SoundCard::default()
        }
    }

    #[test]
    fn speakerphones_are_known_by_name_or_id() {
        let check = |card: &SoundCard, more: &[&str], known| {
            let more: Vec<String> = more.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(cancels_echo(card, &more), known, "{card:?}");
        };
        check(&card("Jabra SPEAK 510 USB", None), &[], true);
        check(&card("Yamaha YVC-200", None), &[], true);
        check(&card("USB Audio", Some("046D:0882")), &[], true);
        check(&card("HDA Intel PCH", None), &[], false);
        check(&card("USB Audio", Some("1234:5678")), &[], false);
        check(&card("USB Audio", Some("1234:5678")), &["1234:5678"], true);
        check(&card("Town Hall Array", None), &["hall array"], true);
        check(&card("Town Hall Array", None), &[""], false);
    }
}
