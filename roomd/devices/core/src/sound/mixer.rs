// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which control of a card's mixer is the microphone's switch and which ones lie before the loudspeaker.

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

/// The elements that what is played goes through: those whose names say so, otherwise the only one there is.
/// A microphone's own way to the loudspeaker, as headsets have one, is none of them.
pub fn loudspeaker(elements: &[Element]) -> impl Iterator<Item = &Element> {
    let plays = |element: &&Element| element.playback_volume || element.playback_switch;
    let named = |element: &&Element| rank(&element.name, LOUDSPEAKER).is_some();
    let mut playing = elements.iter().filter(plays);
    let only = playing.next().filter(|_| playing.next().is_none());
    let is_named = elements.iter().filter(plays).any(|element| named(&element));
    let chosen = move |element: &&Element| named(element) || !is_named && only == Some(element);
    elements.iter().filter(plays).filter(chosen)
}

/// The level at which an element neither raises nor lowers, in hundredths of a decibel; the nearest that
/// it can, where its range leaves that out.
#[must_use]
pub fn unity(min: i64, max: i64) -> i64 {
    0.clamp(min.min(max), max)
}

fn best<'a>(elements: impl Iterator<Item = &'a Element>, names: &[&str]) -> Option<&'a Element> {
    elements.min_by_key(|element| rank(&element.name, names).unwrap_or(2 * names.len()))
}

/// How telling a name is, the least the most; none when it says nothing.
fn rank(name: &str, names: &[&str]) -> Option<usize> {
    let own = name.to_lowercase();
    let exact = names.iter().position(|name| own == *name);
    let part = || {
        let at = names.iter().position(|name| own.contains(name));
        at.map(|at| at + names.len())
    };
    exact.or_else(part)
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
    }

    #[test]
    fn what_lies_before_the_loudspeaker_is_taken_and_no_sidetone() {
        let names = |elements: &[Element]| -> Vec<String> {
            loudspeaker(elements).map(|e| e.name.clone()).collect()
        };
        let built_in = [
            element("Master", false, true),
            element("Speaker", false, true),
            element("PCM", false, true),
            element("Mic", true, true),
            element("Internal Mic Boost", false, false),
        ];
        assert_eq!(names(&built_in), ["Master", "Speaker", "PCM"]);
        let unnamed = [element("Jabra", false, true), element("Mic", true, false)];
        assert_eq!(names(&unnamed), ["Jabra"]);
        let unclear = [element("One", false, true), element("Two", false, true)];
        assert_eq!(names(&unclear), [""; 0]);
        let switch = Element {
            playback_switch: true,
            ..element("PCM", false, false)
        };
        assert_eq!(names(&[switch]), ["PCM"]);
        assert_eq!(names(&[]), [""; 0]);
    }

    #[test]
    fn a_level_stays_in_range() {
        assert_eq!(unity(-6350, 0), 0);
        assert_eq!(unity(-4500, 1500), 0);
        assert_eq!(unity(-4500, -300), -300);
        assert_eq!(unity(300, 600), 300);
        assert_eq!(unity(5, 1), 1);
        assert_eq!(unity(i64::MIN, i64::MAX), 0);
    }
}
