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

/// Whether a card is one of `devices`: USB ids, and parts of names, of those that cancel their own
/// echo.
#[must_use]
pub fn cancels_echo(card: &SoundCard, devices: &[String]) -> bool {
    let name = card.name.to_lowercase();
    let usb = card.usb.as_deref().map(str::to_lowercase);
    devices
        .iter()
        .map(|text| text.to_lowercase())
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
        let check = |card: &SoundCard, devices: &[&str], known| {
            let devices: Vec<String> = devices.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(cancels_echo(card, &devices), known, "{card:?}");
        };
        check(&card("Jabra SPEAK 510 USB", None), &["jabra speak"], true);
        check(&card("USB Audio", Some("046D:0882")), &["046d:0882"], true);
        check(&card("USB Audio", Some("1234:5678")), &["046d:0882"], false);
        check(&card("HDA Intel PCH", None), &[], false);
        check(&card("Town Hall Array", None), &["Hall Array"], true);
        check(&card("Town Hall Array", None), &[""], false);
    }
}
