// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The mixer of a sound card, over ALSA.

use std::io;
use std::os::fd::OwnedFd;

use alsa::Round;
use alsa::mixer::{MilliBel, Mixer, Selem, SelemChannelId, SelemId};
use roomd_devices_core::sound::mixer::{Element, capture_switch, loudspeaker, unity};
use tokio::io::unix::AsyncFd;

use crate::kernel::{duplicate, readable};

/// Elements that are looked at.
const ELEMENTS: usize = 128;

/// An open mixer.
pub(crate) struct CardMixer {
    readable: AsyncFd<OwnedFd>,
    mixer: Mixer,
    microphone: Option<SelemId>,
}

impl std::fmt::Debug for CardMixer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardMixer").finish_non_exhaustive()
    }
}

impl CardMixer {
    /// Opens the mixer of a card such as `hw:1`.
    pub(crate) fn open(card: &str) -> io::Result<Self> {
        let mixer = Mixer::new(card, true).map_err(other)?;
        let elements = || mixer.iter().take(ELEMENTS).filter_map(Selem::new);
        let described: Vec<Element> = elements().map(|element| describe(&element)).collect();
        let id = |chosen: Option<&Element>| {
            let mut described = described.iter();
            let at = described.position(|element| Some(element) == chosen)?;
            elements().nth(at).map(|element| element.get_id())
        };
        let microphone = id(capture_switch(&described));
        let readable = readable(duplicate(&mixer)?)?;
        Ok(Self {
            readable,
            mixer,
            microphone,
        })
    }

    pub(crate) const fn has_switch(&self) -> bool {
        self.microphone.is_some()
    }

    /// Whether the microphone records; none when it has no switch, or the card is gone.
    pub(crate) fn records(&self) -> Option<bool> {
        let element = self.mixer.find_selem(self.microphone.as_ref()?)?;
        let value = element.get_capture_switch(SelemChannelId::mono()).ok()?;
        Some(value != 0)
    }

    /// Lets the microphone record or not.
    pub(crate) fn record(&self, on: bool) -> io::Result<()> {
        let id = self.microphone.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let element = self.mixer.find_selem(id).ok_or(io::ErrorKind::NotFound)?;
        element.set_capture_switch_all(i32::from(on)).map_err(other)
    }

    /// Waits until something at the mixer changed; an error when the card is gone.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        let mut ready = self.readable.readable().await?;
        self.mixer.handle_events().map_err(other)?;
        ready.clear_ready();
        Ok(())
    }
}

/// Opens the way to a card's loudspeaker: what lies before it is switched on and neither raises nor lowers.
/// The room's own volume works on the samples, where the echo canceller sees it; and what a card is left at
/// by whoever had it before, or by Debian's defaults (-20 dB), is not what a room wants. Says what was set.
///
/// # Errors
/// The card has no mixer, or is gone.
pub fn open_up(card: &str) -> io::Result<Vec<String>> {
    let mixer = Mixer::new(card, true).map_err(other)?;
    let elements: Vec<Selem<'_>> = mixer.iter().take(ELEMENTS).filter_map(Selem::new).collect();
    let described: Vec<Element> = elements.iter().map(describe).collect();
    let chosen: Vec<&Element> = loudspeaker(&described).collect();
    let mut set = Vec::new();
    for (element, described) in elements.iter().zip(&described) {
        if chosen.iter().any(|chosen| std::ptr::eq(*chosen, described)) {
            level(element, described).map_err(other)?;
            set.push(described.name.clone());
        }
    }
    Ok(set)
}

fn level(element: &Selem<'_>, described: &Element) -> alsa::Result<()> {
    if described.playback_switch {
        element.set_playback_switch_all(1)?;
    }
    if !described.playback_volume {
        return Ok(());
    }
    let (MilliBel(min), MilliBel(max)) = element.get_playback_db_range();
    if max > min {
        return element.set_playback_db_all(MilliBel(unity(min, max)), Round::Floor);
    }
    // A device that knows no decibels can only be asked for all it has.
    element.set_playback_volume_all(element.get_playback_volume_range().1)
}

fn describe(element: &Selem<'_>) -> Element {
    Element {
        name: element.get_id().get_name().unwrap_or_default().to_owned(),
        capture_switch: element.has_capture_switch(),
        playback_switch: element.has_playback_switch(),
        playback_volume: element.has_playback_volume(),
        capture_volume: element.has_capture_volume(),
    }
}

fn other(error: alsa::Error) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_card_that_is_not_there_is_an_error() {
        assert!(CardMixer::open("hw:31").is_err());
        assert!(CardMixer::open("").is_err());
        assert!(open_up("hw:31").is_err());
    }
}
