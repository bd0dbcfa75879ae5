// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The mixer of a sound card, over ALSA.

use std::io;
use std::os::fd::OwnedFd;

use alsa::mixer::{Mixer, Selem, SelemChannelId, SelemId};
use roomd_devices_core::sound::mixer::{Element, capture_switch, playback_volume, volume};
use tokio::io::unix::AsyncFd;

use crate::kernel::{duplicate, readable};

/// Elements that are looked at.
const ELEMENTS: usize = 128;

/// An open mixer.
pub(crate) struct CardMixer {
    readable: AsyncFd<OwnedFd>,
    mixer: Mixer,
    microphone: Option<SelemId>,
    loudspeaker: Option<SelemId>,
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
        let loudspeaker = id(playback_volume(&described));
        let readable = readable(duplicate(&mixer)?)?;
        Ok(Self {
            readable,
            mixer,
            microphone,
            loudspeaker,
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

    /// Sets the loudspeaker's volume in thousandths, where it has one.
    pub(crate) fn set_volume(&self, thousandths: u32) -> io::Result<()> {
        let Some(element) = self
            .loudspeaker
            .as_ref()
            .and_then(|id| self.mixer.find_selem(id))
        else {
            return Ok(());
        };
        let (min, max) = element.get_playback_volume_range();
        let value = volume(thousandths, min, max);
        element.set_playback_volume_all(value).map_err(other)
    }

    /// Waits until something at the mixer changed; an error when the card is gone.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        let mut ready = self.readable.readable().await?;
        self.mixer.handle_events().map_err(other)?;
        ready.clear_ready();
        Ok(())
    }
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
    }
}
