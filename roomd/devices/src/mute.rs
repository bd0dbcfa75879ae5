// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One mute for the room and its sound device: mixer, HID key and lamp.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use roomd_devices_core::health::Trouble;
use roomd_devices_core::hid::{Lamps, Signal};
use roomd_devices_core::sound::mute::{Abilities, Effect, Input, Mute};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

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
    /// Its HID nodes, such as `/dev/hidraw0`: a device may have several, one of them of telephony.
    pub hids: Vec<PathBuf>,
    /// Whether its mute key shows as the mixer's switch.
    pub switch_is_key: bool,
    /// Whether its lamp is left alone.
    pub own_lamp: bool,
}

/// What came of the device's mute key and lamp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyState {
    /// The device has neither over HID.
    #[default]
    None,
    /// They follow the room.
    Open,
    /// They could not be opened; the text is for operators.
    Refused(String),
}

/// What came of opening a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Its mute key and lamp.
    pub key: KeyState,
    /// Why its mixer could not be opened; the text is for operators.
    pub no_mixer: Option<String>,
}

impl Access {
    /// Whether a part is there that could not be opened.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.key, KeyState::Refused(_)) || self.no_mixer.is_some()
    }
}

/// The parts of a device that could be opened.
#[derive(Debug)]
pub struct Opened {
    mixer: Option<CardMixer>,
    phone: Option<Phone>,
    /// What came of it.
    pub access: Access,
}

/// A device that is kept in step with the room.
#[derive(Debug)]
pub struct Held {
    /// What is wanted at the device. Closes when the device is gone, or has neither key, lamp nor switch;
    /// dropping it lets go of the device.
    pub wishes: mpsc::Receiver<Wish>,
    /// What is wrong with its key or switch.
    pub trouble: watch::Receiver<Option<Trouble>>,
    /// The device itself takes no sound, by its key or its switch.
    pub off: watch::Receiver<bool>,
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
}

/// Opens what can be opened of a device. What is refused may be tried again: udev may be ahead of its
/// permissions. A device that does not answer takes seconds, so not on the runtime's own threads, but on one
/// that [`Work`](crate::work::Work) lends.
#[must_use]
pub fn open(device: &SoundDevice, sysfs: &Sysfs) -> Opened {
    let (mut mixer, mut no_mixer) = (None, None);
    if let Some(card) = &device.card {
        match CardMixer::open(card) {
            Ok(opened) => mixer = Some(opened),
            Err(error) => no_mixer = Some(format!("{card}: {error}")),
        }
    }
    let (phone, key) = open_phone(&device.hids, sysfs);
    Opened {
        mixer,
        phone,
        access: Access { key, no_mixer },
    }
}

/// Keeps a device in step with the room.
#[must_use]
pub fn spawn(device: &SoundDevice, opened: Opened, room: watch::Receiver<RoomSound>) -> Held {
    let (wishes, receiver) = mpsc::channel(WISHES);
    let (trouble, troubles) = watch::channel(None);
    let (off, is_off) = watch::channel(false);
    let muted = room.borrow().muted;
    let task = Task {
        switch_is_key: device.switch_is_key,
        own_lamp: device.own_lamp,
        mute: Mute::new(muted),
        mixer: opened.mixer,
        phone: opened.phone,
        room,
        wishes,
        trouble,
        off,
        floods: false,
        disobeys: false,
        lamp: false,
        answer: None,
    };
    tokio::spawn(task.run());
    Held {
        wishes: receiver,
        trouble: troubles,
        off: is_off,
    }
}

/// Opens the part of telephony among a device's HID parts, rather one with a mute key than with lamps
/// alone.
fn open_phone(nodes: &[PathBuf], sysfs: &Sysfs) -> (Option<Phone>, KeyState) {
    let (mut found, mut refused) = (None, KeyState::None);
    for node in nodes {
        match Phone::open(sysfs, node) {
            Ok(Some(phone)) if phone.has_mute_key() => return (Some(phone), KeyState::Open),
            Ok(Some(phone)) => found = found.or(Some(phone)),
            Ok(None) => {}
            Err(error) => {
                debug!(?node, %error, "no mute key");
                refused = KeyState::Refused(format!("{}: {error}", node.display()));
            }
        }
    }
    let key = if found.is_some() {
        KeyState::Open
    } else {
        refused
    };
    (found, key)
}

struct Task {
    switch_is_key: bool,
    own_lamp: bool,
    mute: Mute,
    mixer: Option<CardMixer>,
    phone: Option<Phone>,
    room: watch::Receiver<RoomSound>,
    wishes: mpsc::Sender<Wish>,
    trouble: watch::Sender<Option<Trouble>>,
    off: watch::Sender<bool>,
    /// Its key is pressed without end.
    floods: bool,
    /// The switch does not stay as it is set.
    disobeys: bool,
    lamp: bool,
    /// When the room's state answers a wish.
    answer: Option<Instant>,
}

impl Task {
    async fn run(mut self) {
        self.attach();
        self.follow();
        while self.mixer.is_some() || self.phone.is_some() {
            let wake = self.wake();
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
                    Some(mixer) => mixer.looked().await,
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
                looked = mixer => match looked {
                    Ok(Some(records)) => self.handle(Input::Switch(records)),
                    Ok(None) => {}
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
        // Its other part may be gone; what is left is asked anew.
        self.disobeys = false;
        self.handle(Input::Attached(abilities));
    }

    /// Brings the device to the room's state.
    fn follow(&mut self) {
        self.answer = None;
        let room = *self.room.borrow_and_update();
        self.handle(Input::Room(room.muted));
        self.show(room);
    }

    /// When [`Self::due`] has something to do.
    fn wake(&self) -> Option<Instant> {
        let mute = self.mute.poll_timeout().map(|(at, _)| at);
        let mute = mute.filter(|_| !self.is_telling());
        mute.into_iter().chain(self.answer).min()
    }

    /// A switch that is still being set has not disobeyed, however late it is.
    fn is_telling(&self) -> bool {
        self.mixer.as_ref().is_some_and(CardMixer::is_working)
    }

    fn due(&mut self) {
        let now = Instant::now();
        if self.answer.is_some_and(|at| now >= at) {
            self.follow();
        }
        if !self.is_telling() {
            let effects = self.mute.handle_timeout(now);
            self.act(effects);
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Mute => self.handle(Input::Pressed),
            Signal::Muted(muted) => self.handle(Input::Key(muted)),
            Signal::Hook => self.wish(Wish::Hook),
            Signal::OffHook(lifted) => self.wish(Wish::OffHook(lifted)),
        }
    }

    fn handle(&mut self, input: Input) {
        let effects = self.mute.handle(input, Instant::now());
        self.act(effects);
    }

    fn act(&mut self, effects: Vec<Effect>) {
        let off = self.mute.is_off();
        self.off
            .send_if_modified(|known| std::mem::replace(known, off) != off);
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
                    if let Some(mixer) = &mut self.mixer {
                        mixer.record(records);
                    }
                }
                Effect::Flood => self.floods = true,
                Effect::Quiet => self.floods = false,
                Effect::Disobeys => self.disobeys = true,
                Effect::Obeys => self.disobeys = false,
            }
        }
        let trouble = what_is_wrong(self.floods, self.disobeys);
        self.trouble
            .send_if_modified(|known| std::mem::replace(known, trouble) != trouble);
    }

    fn show(&mut self, room: RoomSound) {
        if self.own_lamp {
            return;
        }
        let lamps = Lamps {
            mute: self.lamp,
            off_hook: room.in_call,
            ring: room.offered && !room.in_call,
        };
        if let Some(phone) = &mut self.phone {
            phone.show(lamps);
        }
    }

    fn wish(&self, wish: Wish) {
        // Who is behind by so many wishes is told the room's state by the lamp.
        if self.wishes.try_send(wish).is_err() {
            warn!("a wish from the sound device was lost");
        }
    }
}

/// A key that floods leaves its switch no time to follow; that it floods says more.
const fn what_is_wrong(floods: bool, disobeys: bool) -> Option<Trouble> {
    match (floods, disobeys) {
        (true, _) => Some(Trouble::Flood),
        (false, true) => Some(Trouble::Disobeys),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A mute key, and a volume key.
    const TELEPHONY: &[u8] =
        b"\x05\x0b\x09\x05\xa1\x01\x09\x2f\x15\x00\x25\x01\x75\x01\x95\x01\x81\x02\xc0";
    const VOLUME: &[u8] =
        b"\x05\x0c\x09\x01\xa1\x01\x09\xe9\x15\x00\x25\x01\x75\x01\x95\x01\x81\x02\xc0";

    /// A device's HID part: its node is a device file that the machine has.
    fn hid(root: &Path, name: &str, descriptor: &[u8], device: &str) -> PathBuf {
        let folder = root.join("class/hidraw").join(name).join("device");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("report_descriptor"), descriptor).unwrap();
        let node = root.join(name);
        std::os::unix::fs::symlink(device, &node).unwrap();
        node
    }

    #[test]
    fn a_flood_is_told_of_before_a_switch_that_disobeys() {
        let told = [(true, true), (false, true), (true, false), (false, false)]
            .map(|(floods, disobeys)| what_is_wrong(floods, disobeys));
        let (flood, disobeys) = (Some(Trouble::Flood), Some(Trouble::Disobeys));
        assert_eq!(told, [flood, disobeys, flood, None]);
    }

    #[tokio::test]
    async fn the_part_of_telephony_is_found_and_said_to_be_refused() {
        let root = tempfile::tempdir().unwrap();
        let sysfs = Sysfs::at(root.path());
        let volume = hid(root.path(), "hidraw0", VOLUME, "/dev/ptmx");
        let phone = hid(root.path(), "hidraw1", TELEPHONY, "/dev/ptmx");
        // It cannot be opened: nothing has this node.
        let locked = hid(root.path(), "hidraw2", TELEPHONY, "/dev/no-such-device");
        let open = |nodes: &[&PathBuf]| {
            let nodes: Vec<PathBuf> = nodes.iter().map(|node| (*node).clone()).collect();
            let (phone, key) = open_phone(&nodes, &sysfs);
            (phone.is_some(), key)
        };
        assert_eq!(open(&[]), (false, KeyState::None));
        assert_eq!(open(&[&volume]), (false, KeyState::None));
        assert_eq!(open(&[&volume, &phone]), (true, KeyState::Open));
        assert_eq!(open(&[&locked, &phone]), (true, KeyState::Open));
        let (found, key) = open(&[&volume, &locked]);
        assert!(!found && matches!(&key, KeyState::Refused(why) if why.contains("hidraw2")));
        // Its permissions come later.
        let device = SoundDevice {
            hids: vec![locked.clone()],
            ..SoundDevice::default()
        };
        assert!(super::open(&device, &sysfs).access.is_refused());
        std::fs::remove_file(&locked).unwrap();
        std::os::unix::fs::symlink("/dev/ptmx", &locked).unwrap();
        let opened = super::open(&device, &sysfs);
        assert_eq!(opened.access.key, KeyState::Open);
        assert!(!opened.access.is_refused());
    }

    #[tokio::test]
    async fn a_device_that_is_not_there_ends_the_task() {
        let (_room, receiver) = watch::channel(RoomSound::default());
        let device = SoundDevice {
            card: Some("hw:31".to_owned()),
            hids: vec!["/dev/hidraw99".into()],
            ..SoundDevice::default()
        };
        let opened = open(&device, &Sysfs::default());
        let access = opened.access.clone();
        assert!(matches!(access.key, KeyState::Refused(_)), "{access:?}");
        assert!(access.no_mixer.is_some() && access.is_refused());
        let mut held = spawn(&device, opened, receiver);
        assert_eq!(held.wishes.recv().await, None);
    }
}
