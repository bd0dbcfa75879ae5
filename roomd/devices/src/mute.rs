// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One mute for the room and its sound device: mixer, HID key and lamp.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use roomd_devices_core::hid::{Lamps, Signal};
use roomd_devices_core::sound::mute::{Abilities, Effect, Input, Mute};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::mixer::CardMixer;
use crate::sysfs::Sysfs;
use crate::telephony::Phone;

/// After this time the room's state answers a wish, whether it changed or not.
const ANSWER: Duration = Duration::from_millis(500);
const WISHES: usize = 32;

/// The parts of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundDevice {
    /// Its sound card, such as `hw:1`.
    pub card: Option<String>,
    /// Its HID node, such as `/dev/hidraw0`.
    pub hid: Option<PathBuf>,
    /// Whether its mute key shows as the mixer's switch.
    pub switch_is_key: bool,
    /// Whether its lamp is left alone.
    pub own_lamp: bool,
}

/// What the device shows of the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomSound {
    /// The room sends no sound.
    pub muted: bool,
    /// The room is in a meeting.
    pub in_call: bool,
    /// A meeting can be joined.
    pub offered: bool,
    /// The loudspeaker's volume in thousandths; none leaves the device's own as it is.
    pub volume: Option<u32>,
}

/// What somebody wants who touched the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The room muted or not.
    Mute(bool),
    /// The hook key was pressed: join, or hang up in a meeting.
    Hook,
    /// The handset was lifted (join) or put down (hang up).
    OffHook(bool),
    /// The mute key sends without end and is ignored; the room is muted.
    Flood,
    /// The mixer's switch does not stay as it is set.
    Disobeys,
}

/// Keeps a device in step with the room. The channel closes when the device is gone, or has neither
/// key, lamp nor switch. Dropping the receiver lets go of it.
#[must_use]
pub fn spawn(
    device: &SoundDevice,
    sysfs: &Sysfs,
    room: watch::Receiver<RoomSound>,
) -> mpsc::Receiver<Wish> {
    let (wishes, receiver) = mpsc::channel(WISHES);
    let mixer = device.card.as_deref().and_then(|card| {
        let opened = CardMixer::open(card);
        let opened = opened.inspect_err(|error| warn!(card, %error, "no mixer"));
        opened.ok()
    });
    let phone = device.hid.as_deref().and_then(|node| {
        let opened = Phone::open(sysfs, node);
        let opened = opened.inspect_err(|error| warn!(?node, %error, "no mute key"));
        opened.ok().flatten()
    });
    let muted = room.borrow().muted;
    let task = Task {
        switch_is_key: device.switch_is_key,
        own_lamp: device.own_lamp,
        mute: Mute::new(muted),
        mixer,
        phone,
        room,
        wishes,
        lamp: false,
        volume: None,
        answer: None,
    };
    tokio::spawn(task.run());
    receiver
}

struct Task {
    switch_is_key: bool,
    own_lamp: bool,
    mute: Mute,
    mixer: Option<CardMixer>,
    phone: Option<Phone>,
    room: watch::Receiver<RoomSound>,
    wishes: mpsc::Sender<Wish>,
    lamp: bool,
    volume: Option<u32>,
    /// When the room's state answers a wish.
    answer: Option<Instant>,
}

impl Task {
    async fn run(mut self) {
        self.attach();
        self.follow();
        while self.mixer.is_some() || self.phone.is_some() {
            let wake = self.mute.poll_timeout().map(|(at, _)| at);
            let wake = wake.into_iter().chain(self.answer).min();
            let due = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let signals = async {
                match &mut self.phone {
                    Some(phone) => phone.signals().await,
                    None => std::future::pending().await,
                }
            };
            let mixer = async {
                match &mut self.mixer {
                    Some(mixer) => mixer.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                signals = signals => match signals {
                    Ok(signals) => signals.into_iter().for_each(|signal| self.signal(signal)),
                    Err(error) => {
                        info!(%error, "the mute key is gone");
                        self.phone = None;
                        self.attach();
                    }
                },
                changed = mixer => match changed {
                    Ok(()) => self.switched(),
                    Err(error) => {
                        info!(%error, "the mixer is gone");
                        self.mixer = None;
                        self.attach();
                    }
                },
                changed = self.room.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                () = due => self.due(),
                () = self.wishes.closed() => return,
            }
        }
    }

    fn attach(&mut self) {
        let lamp = self.phone.as_ref().is_some_and(Phone::has_mute_lamp);
        let abilities = Abilities {
            lamp: lamp && !self.own_lamp,
            switch: self.mixer.as_ref().is_some_and(CardMixer::has_switch),
            switch_is_key: self.switch_is_key,
        };
        self.handle(Input::Attached(abilities));
    }

    /// Brings the device to the room's state.
    fn follow(&mut self) {
        self.answer = None;
        let room = *self.room.borrow_and_update();
        self.handle(Input::Room(room.muted));
        self.show(room);
        if let (Some(mixer), Some(volume)) = (&self.mixer, room.volume)
            && self.volume != Some(volume)
        {
            self.volume = Some(volume);
            if let Err(error) = mixer.set_volume(volume) {
                warn!(%error, "cannot set the volume");
            }
        }
    }

    fn due(&mut self) {
        let now = Instant::now();
        if self.answer.is_some_and(|at| now >= at) {
            self.follow();
        }
        let effects = self.mute.handle_timeout(now);
        self.act(effects);
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Mute => self.handle(Input::Pressed),
            Signal::Muted(muted) => self.handle(Input::Key(muted)),
            Signal::Hook => self.wish(Wish::Hook),
            Signal::OffHook(lifted) => self.wish(Wish::OffHook(lifted)),
        }
    }

    fn switched(&mut self) {
        if let Some(records) = self.mixer.as_ref().and_then(CardMixer::records) {
            self.handle(Input::Switch(records));
        }
    }

    fn handle(&mut self, input: Input) {
        let effects = self.mute.handle(input, Instant::now());
        self.act(effects);
    }

    fn act(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::SetRoom(muted) => {
                    self.answer = Some(Instant::now() + ANSWER);
                    self.wish(Wish::Mute(muted));
                }
                Effect::SetLamp(on) => {
                    self.lamp = on;
                    let room = *self.room.borrow();
                    self.show(room);
                }
                Effect::SetSwitch(records) => {
                    let done = self.mixer.as_ref().map(|mixer| mixer.record(records));
                    match done {
                        // The kernel tells nothing of a switch that stood there already.
                        Some(Ok(())) => self.switched(),
                        Some(Err(error)) => warn!(%error, "cannot set the microphone's switch"),
                        None => {}
                    }
                }
                Effect::Flood => self.wish(Wish::Flood),
                Effect::Disobeys => self.wish(Wish::Disobeys),
            }
        }
    }

    fn show(&self, room: RoomSound) {
        if self.own_lamp {
            return;
        }
        let lamps = Lamps {
            mute: self.lamp,
            off_hook: room.in_call,
            ring: room.offered && !room.in_call,
        };
        if let Some(Err(error)) = self.phone.as_ref().map(|phone| phone.show(lamps)) {
            warn!(%error, "cannot set the lamps");
        }
    }

    fn wish(&self, wish: Wish) {
        // Who is behind by so many wishes is told the room's state by the lamp.
        if self.wishes.try_send(wish).is_err() {
            warn!("a wish from the sound device was lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_device_that_is_not_there_ends_the_task() {
        let (_room, receiver) = watch::channel(RoomSound::default());
        let device = SoundDevice {
            card: Some("hw:31".to_owned()),
            hid: Some("/dev/hidraw99".into()),
            ..SoundDevice::default()
        };
        let mut wishes = spawn(&device, &Sysfs::default(), receiver);
        assert_eq!(wishes.recv().await, None);
    }
}
