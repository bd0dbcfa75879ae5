// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which control of a card's mixer is the microphone's switch and which the loudspeaker's volume.

/// A simple mixer element, as ALSA groups them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, such as `Headset`.
    pub name: String,
    /// Whether it switches recording.
    pub capture_switch: bool,
    /// Whether it switches playing.
    pub playback_switch: bool,
    /// Whether it has a volume for playing.
    pub playback_volume: bool,
    /// Whether it has a volume for recording.
    pub capture_volume: bool,
}

/// Names that mean the microphone, the most telling first.
const MICROPHONE: &[&str] = &["headset", "mic", "capture", "front mic", "digital"];
/// Names that mean the loudspeaker.
const LOUDSPEAKER: &[&str] = &["headset", "pcm", "speaker", "master", "front", "headphone"];

/// The element that mutes the microphone.
#[must_use]
pub fn capture_switch(elements: &[Element]) -> Option<&Element> {
    best(elements.iter().filter(|e| e.capture_switch), MICROPHONE)
}

/// The element that sets the loudspeaker's volume.
#[must_use]
pub fn playback_volume(elements: &[Element]) -> Option<&Element> {
    best(elements.iter().filter(|e| e.playback_volume), LOUDSPEAKER)
}

fn best<'a>(elements: impl Iterator<Item = &'a Element>, names: &[&str]) -> Option<&'a Element> {
    elements.min_by_key(|element| {
        let own = element.name.to_lowercase();
        let exact = names.iter().position(|name| own == *name);
        let part = || {
            let at = names.iter().position(|name| own.contains(name));
            at.map(|at| at + names.len())
        };
        exact.or_else(part).unwrap_or(2 * names.len())
    })
}

/// A volume in the steps of the device for one in thousandths, within the device's range.
#[must_use]
pub fn volume(thousandths: u32, min: i64, max: i64) -> i64 {
    let range = i128::from(max.max(min)) - i128::from(min);
    let value = i128::from(min) + range * i128::from(thousandths.min(1000)) / 1000;
    i64::try_from(value).unwrap_or(min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(name: &str, capture_switch: bool, playback_volume: bool) -> Element {
        Element {
            name: name.to_owned(),
            capture_switch,
            playback_volume,
            ..Element::default()
        }
    }

    #[test]
    fn the_telling_element_is_taken() {
        let elements = [
            element("Auto Gain Control", true, false),
            element("Mic", true, true),
            element("PCM", false, true),
            element("Headset", true, true),
        ];
        assert_eq!(capture_switch(&elements).unwrap().name, "Headset");
        assert_eq!(capture_switch(&elements[..3]).unwrap().name, "Mic");
        assert_eq!(
            capture_switch(&elements[..1]).unwrap().name,
            "Auto Gain Control"
        );
        assert_eq!(capture_switch(&elements[2..3]), None);
        assert_eq!(playback_volume(&elements[..3]).unwrap().name, "PCM");
    }

    #[test]
    fn volumes_stay_in_range() {
        assert_eq!(volume(500, 0, 100), 50);
        assert_eq!(volume(5000, -10, 10), 10);
        assert_eq!(volume(0, i64::MIN, i64::MAX), i64::MIN);
        assert_eq!(volume(1000, i64::MIN, i64::MAX), i64::MAX);
        assert_eq!(volume(1000, 5, 1), 5);
    }
}
