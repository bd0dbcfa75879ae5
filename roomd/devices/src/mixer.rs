// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The mixer of a sound card, over ALSA.

use std::io;
use std::os::fd::OwnedFd;

use alsa::Round;
use alsa::mixer::{MilliBel, Mixer, Selem, SelemChannelId, SelemId};
use roomd_devices_core::sound::mixer::{Element, capture_switch, loudspeaker, unity};
use tokio::io::unix::AsyncFd;
use tracing::warn;

use crate::kernel::{duplicate, readable};
use crate::work::Work;

/// Elements that are looked at.
const ELEMENTS: usize = 128;

/// An open mixer. What asks the device or tells it something is done on a thread: one that does not answer
/// takes a second for each question.
pub(crate) struct CardMixer {
    readable: AsyncFd<OwnedFd>,
    has_switch: bool,
    /// None while the thread has it.
    open: Option<Open>,
    work: Work<(Open, io::Result<Option<bool>>)>,
    /// How the switch is to be set then.
    wanted: Option<bool>,
}

impl std::fmt::Debug for CardMixer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardMixer").finish_non_exhaustive()
    }
}

impl CardMixer {
    /// Opens the mixer of a card such as `hw:1`, which may take its time.
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
            has_switch: microphone.is_some(),
            open: Some(Open { mixer, microphone }),
            work: Work::default(),
            wanted: None,
        })
    }

    pub(crate) const fn has_switch(&self) -> bool {
        self.has_switch
    }

    /// Whether the device is being asked or told something.
    pub(crate) const fn is_working(&self) -> bool {
        self.work.is_running()
    }

    /// Lets the microphone record or not. Of what is wanted while the device takes its time, the last is
    /// done.
    pub(crate) fn record(&mut self, on: bool) {
        self.wanted = Some(on);
        self.tell();
    }

    /// Waits until something at the mixer changed or was set; an error when the card is gone. Says whether
    /// the microphone records, where it has a switch.
    pub(crate) async fn looked(&mut self) -> io::Result<Option<bool>> {
        loop {
            if !self.work.is_running() {
                self.readable.readable().await?.clear_ready();
                self.start(Open::look);
            }
            let done = self.work.done().await;
            let (open, looked) = done.ok_or(io::ErrorKind::Interrupted)?;
            self.open = Some(open);
            // How it stood does not matter once it is told otherwise.
            if looked.is_err() || !self.tell() {
                return looked;
            }
        }
    }

    /// Sets the switch as it is wanted, once the device has time; returns whether it is being set.
    fn tell(&mut self) -> bool {
        if self.open.is_none() {
            return false;
        }
        let Some(on) = self.wanted.take() else {
            return false;
        };
        self.start(move |open| Ok(open.set(on)));
        true
    }

    fn start(&mut self, work: impl FnOnce(&Open) -> io::Result<Option<bool>> + Send + 'static) {
        if let Some(open) = self.open.take() {
            self.work.start(move || {
                let done = work(&open);
                (open, done)
            });
        }
    }
}

/// What the thread works with.
struct Open {
    mixer: Mixer,
    microphone: Option<SelemId>,
}

impl Open {
    /// Whether the microphone records; none when it has no switch, or the card is gone.
    fn records(&self) -> Option<bool> {
        let element = self.mixer.find_selem(self.microphone.as_ref()?)?;
        let value = element.get_capture_switch(SelemChannelId::mono()).ok()?;
        Some(value != 0)
    }

    /// The same, with what the kernel says has changed.
    fn look(&self) -> io::Result<Option<bool>> {
        self.mixer.handle_events().map_err(other)?;
        Ok(self.records())
    }

    /// Sets the switch; none when that fails.
    fn set(&self, on: bool) -> Option<bool> {
        if let Err(error) = self.record(on) {
            warn!(%error, "cannot set the microphone's switch");
            return None;
        }
        // The kernel tells nothing of a switch that stood there already.
        self.records()
    }

    fn record(&self, on: bool) -> io::Result<()> {
        let id = self.microphone.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let element = self.mixer.find_selem(id).ok_or(io::ErrorKind::NotFound)?;
        element.set_capture_switch_all(i32::from(on)).map_err(other)
    }
}

/// Opens the way to a card's loudspeaker: what lies before it is switched on and neither raises nor lowers.
/// The room's own volume works on the samples, where the echo canceller sees it; and what a card is left at
/// by whoever had it before, or by Debian's defaults (-20 dB), is not what a room wants. Says what was set.
/// A device that does not answer takes a second for each question, so not on the runtime's own threads.
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
