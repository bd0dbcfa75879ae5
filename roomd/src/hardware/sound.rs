// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's sound cards: which one is microphone and loudspeaker, who cancels the echo, and the
//! mute key and lamp of the microphone's device.

use std::io;
use std::path::PathBuf;

use roomd_config::{EchoCancellation, Loudspeaker, LoudspeakerLevel, Media, Microphone};
use roomd_devices::cards::SoundProc;
use roomd_devices::core::device::Kind;
use roomd_devices::core::identity::{DeviceId, UsbId};
use roomd_devices::core::inventory::Entry;
use roomd_devices::core::sound::cards::{
    Asked, Card, Echo, Reason, Selection, named_by_alsa, select,
};
use roomd_devices::core::sound::table::{MuteKey, Table};
use roomd_devices::mixer;
use roomd_devices::mute::{self, Access, Held, KeyState, Opened, RoomSound, SoundDevice};
use roomd_devices::sysfs::Sysfs;
use roomd_devices::work::Work;
use roomd_media::{EchoPolicy, EngineCommand, MicrophoneSource};
use roomd_model::Language;
use tokio::sync::watch;

/// The room's microphone and loudspeaker.
#[derive(Debug)]
pub struct Sound {
    table: Table,
    proc: SoundProc,
    microphone: Origin,
    loudspeaker: Origin,
    policy: EchoPolicy,
    told: Told,
    /// The engine was told who cancels the echo; before, it goes by the table alone.
    told_echo: bool,
    level: LoudspeakerLevel,
    /// The loudspeaker whose mixer is being set.
    opening_up: Work<OpenedUp>,
    /// The loudspeaker whose mixer was set, and how often it came.
    opened_up: Option<(Card, u64)>,
    /// Its mixer could not be set.
    level_failed: bool,
    /// The device that is being opened for mute key and lamp.
    opening: Work<(Attached, Opened)>,
    /// What mute key and lamp are on.
    attached: Option<Attached>,
    /// What came of it.
    access: Access,
    /// What was chosen last.
    pub chosen: Option<Chosen>,
    /// What the engine calls them.
    pub names: SoundNames,
}

/// A microphone's device, and how often it came.
type Attached = (SoundDevice, u64);
/// A loudspeaker, how often it came, and what of its mixer was set.
type OpenedUp = ((Card, u64), io::Result<Vec<String>>);

/// Where the device of a direction comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// The room chooses among the cards, rather the one that is asked for.
    Cards(Option<String>),
    /// ALSA or a sound server gives the engine what has this name.
    Named(String),
    /// It is no device.
    Nothing,
}

/// What was done at a device that may take its time.
#[derive(Debug)]
pub enum Done {
    /// The loudspeaker's mixer was set, or not.
    OpenedUp(OpenedUp),
    /// The microphone's device was opened, or what of it can be.
    Opened(Box<(Attached, Opened)>),
}

/// What the engine calls its microphone and its loudspeaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundNames {
    /// The microphone; none while it is lost.
    pub microphone: Option<String>,
    /// The loudspeaker; none while there is none.
    pub loudspeaker: Option<String>,
}

/// What the engine was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    microphone: Option<String>,
    loudspeaker: Option<String>,
    cancelling: Vec<String>,
}

/// The cards that were chosen, for the health view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The microphone.
    pub microphone: Choice,
    /// The loudspeaker.
    pub loudspeaker: Choice,
}

/// The card of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is used.
    pub card: Option<Card>,
    /// What should be used and is not there.
    pub absent: Option<Absent>,
    /// What the engine opens by name, on whichever card that is.
    pub named: Option<String>,
    /// It is in another port than the configuration names.
    pub moved: bool,
    /// What was used last and stood in for nothing.
    before: Option<Card>,
}

/// A device that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Its identity, or what the configuration calls it.
    pub device: String,
    /// What people call it.
    pub label: String,
}

impl Choice {
    /// What was chosen among the cards, after `before`.
    fn new(
        cards: &[Card],
        chosen: Option<(usize, Reason)>,
        asked: Option<&str>,
        before: Option<Card>,
    ) -> Self {
        let taken = chosen.and_then(|(at, reason)| {
            let card = cards.get(at)?.clone();
            Some((reason.after(before.as_ref(), &card), card))
        });
        match taken {
            Some((reason, card)) if reason != Reason::StandsIn => Self {
                moved: reason == Reason::Asked && is_moved(&card, asked),
                before: Some(card.clone()),
                card: Some(card),
                ..Self::default()
            },
            stands_in => Self {
                card: stands_in.map(|(_, card)| card),
                absent: Some(Absent::new(asked, before.as_ref())),
                before,
                ..Self::default()
            },
        }
    }

    /// What has a name of ALSA's or of a sound server's, with its card where that is known.
    fn named(name: &str, card: Option<&Card>) -> Self {
        let of_a_card = named_by_alsa(name).is_some();
        Self {
            card: card.cloned(),
            absent: (card.is_none() && of_a_card).then(|| Absent::new(Some(name), None)),
            named: Some(name.to_owned()),
            ..Self::default()
        }
    }
}

impl Origin {
    fn of_microphone(wanted: &Microphone, has_server: bool) -> Self {
        match wanted {
            Microphone::Auto => Self::auto(has_server),
            Microphone::Device(name) => Self::device(name, has_server),
            Microphone::Test | Microphone::File(_) => Self::Nothing,
        }
    }

    fn of_loudspeaker(wanted: &Loudspeaker, has_server: bool) -> Self {
        match wanted {
            Loudspeaker::Auto => Self::auto(has_server),
            Loudspeaker::Device(name) => Self::device(name, has_server),
            Loudspeaker::Off => Self::Nothing,
        }
    }

    fn auto(has_server: bool) -> Self {
        if has_server {
            Self::Named("default".to_owned())
        } else {
            Self::Cards(None)
        }
    }

    fn device(name: &str, has_server: bool) -> Self {
        if is_card(name) && !has_server {
            Self::Cards(Some(name.to_owned()))
        } else {
            Self::Named(name.to_owned())
        }
    }

    const fn is_chosen(&self) -> bool {
        matches!(self, Self::Cards(_))
    }
}

impl Absent {
    fn new(asked: Option<&str>, before: Option<&Card>) -> Self {
        let known = before.and_then(|card| card.id.as_ref());
        let known = known.map(ToString::to_string);
        let device =
            asked.map_or_else(|| known.unwrap_or_else(|| "auto".to_owned()), str::to_owned);
        Self {
            label: before.map_or_else(|| device.clone(), |card| card.name.clone()),
            device,
        }
    }
}

impl Sound {
    /// Sound as the configuration wants it; none where it names no device.
    pub fn new(media: &Media, table: Table) -> Option<Self> {
        Self::beside(media, table, has_sound_server())
    }

    /// The same, on a machine with or without a sound server. That has the cards for itself, and its
    /// default is the room's.
    fn beside(media: &Media, table: Table, has_server: bool) -> Option<Self> {
        let microphone = Origin::of_microphone(&media.microphone, has_server);
        let loudspeaker = Origin::of_loudspeaker(&media.loudspeaker, has_server);
        if microphone == Origin::Nothing && loudspeaker == Origin::Nothing {
            return None;
        }
        Some(Self {
            table,
            proc: SoundProc::default(),
            microphone,
            loudspeaker,
            policy: EchoPolicy {
                cancellation: cancellation(media),
                devices: media.echo_cancelling_devices.clone(),
            },
            told: Told::default(),
            told_echo: false,
            level: media.loudspeaker_level,
            opening_up: Work::default(),
            opened_up: None,
            level_failed: false,
            opening: Work::default(),
            attached: None,
            access: Access::default(),
            chosen: None,
            names: SoundNames::default(),
        })
    }

    /// Takes what is plugged in; returns what the engine should do about it.
    pub fn refresh(&mut self, entries: &[Entry]) -> Vec<EngineCommand> {
        let cards = self.proc.cards(entries.iter());
        let asked = Asked {
            microphone: self.asked(&self.microphone, &cards),
            loudspeaker: self.asked(&self.loudspeaker, &cards),
        };
        let selection = select(&cards, &self.table, &asked);
        let before = self.chosen.as_ref();
        let chosen = Chosen {
            microphone: self.choice(
                &self.microphone,
                &cards,
                selection.microphone,
                |card| card.captures > 0,
                before.and_then(|chosen| chosen.microphone.before.clone()),
            ),
            loudspeaker: self.choice(
                &self.loudspeaker,
                &cards,
                selection.loudspeaker,
                |card| card.plays > 0,
                before.and_then(|chosen| chosen.loudspeaker.before.clone()),
            ),
        };
        let chooses = self.microphone.is_chosen() || self.loudspeaker.is_chosen();
        if chooses && self.chosen.as_ref() != Some(&chosen) && !cards.is_empty() {
            tracing::info!("sound: {}", selection.text(&cards, Language::En));
        }
        // Where the room chooses nothing, the engine has all of it from the configuration.
        let commands = if chooses {
            self.tell(&selection, &chosen)
        } else {
            Vec::new()
        };
        self.chosen = Some(chosen);
        commands
    }

    /// What is asked for among the cards. A name of ALSA's stands for its card, so that the other direction
    /// goes with it.
    fn asked(&self, origin: &Origin, cards: &[Card]) -> Option<String> {
        match origin {
            Origin::Cards(asked) => asked.clone(),
            Origin::Named(name) => {
                let card = self.proc.named(cards, name);
                card.map(|card| card.device.clone())
            }
            Origin::Nothing => None,
        }
    }

    /// The device of a direction, for which only the `able` cards are of use.
    fn choice(
        &self,
        origin: &Origin,
        cards: &[Card],
        selected: Option<(usize, Reason)>,
        able: fn(&Card) -> bool,
        before: Option<Card>,
    ) -> Choice {
        match origin {
            Origin::Cards(asked) => Choice::new(cards, selected, asked.as_deref(), before),
            Origin::Named(name) => {
                let card = self.proc.named(cards, name);
                Choice::named(name, card.filter(|card| able(card)))
            }
            Origin::Nothing => Choice::default(),
        }
    }

    /// Sets the mixer of the loudspeaker in use, once each time it comes. That may take its time: what comes
    /// of it is heard by [`Self::done`].
    pub fn open_up(&mut self, entries: &[Entry]) {
        let Some(comes) = self.comes(entries) else {
            self.opened_up = None;
            self.level_failed = false;
            return;
        };
        if self.opened_up.as_ref() == Some(&comes) || self.opening_up.is_running() {
            return;
        }
        self.opening_up.start(move || {
            let set = mixer::open_up(&comes.0.device);
            (comes, set)
        });
    }

    /// The loudspeaker whose mixer is to be set, and how often it came.
    fn comes(&self, entries: &[Entry]) -> Option<(Card, u64)> {
        let card = self.chosen.as_ref()?.loudspeaker.card.clone()?;
        let arrivals = card.id.as_ref().map_or(0, |id| arrivals(entries, id));
        (self.level == LoudspeakerLevel::Unity).then_some((card, arrivals))
    }

    fn levelled(&mut self, (comes, set): OpenedUp, entries: &[Entry]) {
        let card = &comes.0.device;
        self.level_failed = set.is_err();
        match set {
            Ok(set) => {
                if !set.is_empty() {
                    tracing::info!(card, ?set, "the loudspeaker's level is 0 dB");
                }
                self.opened_up = Some(comes.clone());
            }
            Err(error) => {
                // A card's controls may come after its sound, or after its permissions.
                tracing::debug!(card, %error, "the loudspeaker's level is not set");
                self.opened_up = None;
            }
        }
        // Another one may have come meanwhile; the same one is tried again later.
        if self.comes(entries).as_ref() != Some(&comes) {
            self.open_up(entries);
        }
    }

    /// A card that is gone is not told of: the engine notices, and goes on trying.
    fn tell(&mut self, selection: &Selection, chosen: &Chosen) -> Vec<EngineCommand> {
        let name = |choice: &Choice| choice.card.as_ref().map(|card| self.proc.converted(card));
        let told = Told {
            microphone: name(&chosen.microphone).filter(|_| self.microphone.is_chosen()),
            loudspeaker: name(&chosen.loudspeaker).filter(|_| self.loudspeaker.is_chosen()),
            cancelling: self.cancelling(selection, chosen),
        };
        let mut commands = Vec::new();
        if told.cancelling != self.told.cancelling || !self.told_echo {
            self.told_echo = true;
            let mut policy = self.policy.clone();
            policy.devices.extend(told.cancelling.iter().cloned());
            commands.push(EngineCommand::Echo(policy));
        }
        if let Some(name) = &told.loudspeaker
            && told.loudspeaker != self.told.loudspeaker
        {
            let loudspeaker = roomd_media::Loudspeaker::Device(name.clone());
            commands.push(EngineCommand::Loudspeaker(loudspeaker));
        }
        if let Some(name) = &told.microphone
            && told.microphone != self.told.microphone
        {
            let microphone = MicrophoneSource::Device(name.clone());
            commands.push(EngineCommand::Microphone(microphone));
        }
        self.told = Told {
            microphone: told.microphone.or_else(|| self.told.microphone.take()),
            loudspeaker: told.loudspeaker.or_else(|| self.told.loudspeaker.take()),
            cancelling: told.cancelling,
        };
        commands
    }

    /// Who cancels their own echo: the microphone in use or not, where its card is known; otherwise whoever
    /// does by the table, as the engine looks for the card itself.
    fn cancelling(&self, selection: &Selection, chosen: &Chosen) -> Vec<String> {
        match (&chosen.microphone.card, &self.microphone) {
            (Some(card), _) if selection.echo == Echo::Device => {
                card.usb.iter().map(ToString::to_string).collect()
            }
            (None, Origin::Named(_)) => self.table.cancelling(),
            (_, _) => Vec::new(),
        }
    }

    /// Opens the microphone's device for its mute key and lamp, when it is another one than before, was
    /// plugged in again, or may let more of itself be opened. That may take its time: what comes of it is
    /// heard by [`Self::done`]. Returns whether what is held is still the microphone's.
    pub fn attach(&mut self, entries: &[Entry]) -> bool {
        let wanted = self.attachable(entries);
        let known = wanted.is_some() && self.attached == wanted;
        if !known {
            self.attached = None;
            self.access = Access::default();
        }
        if let Some(wanted) = wanted
            && (!known || self.access.is_refused())
            && !self.opening.is_running()
        {
            self.opening.start(move || {
                let opened = mute::open(&wanted.0, &Sysfs::default());
                (wanted, opened)
            });
        }
        known
    }

    /// The microphone's device, where it may have a mute key.
    fn attachable(&self, entries: &[Entry]) -> Option<Attached> {
        let card = self.chosen.as_ref()?.microphone.card.as_ref()?;
        // What is built into the machine has no key, and its mixer may be somebody else's.
        let (_, id) = card.usb.zip(card.id.as_ref())?;
        let known = self.table.find(card);
        let device = SoundDevice {
            card: Some(card.device.clone()),
            hids: hids(entries, id),
            switch_is_key: known.is_some_and(|known| known.mute_key == MuteKey::Mixer),
            own_lamp: known.is_some_and(|known| known.own_lamp),
        };
        Some((device, arrivals(entries, id)))
    }

    fn opened(
        &mut self,
        (attached, opened): (Attached, Opened),
        entries: &[Entry],
        room: &watch::Receiver<RoomSound>,
    ) -> Option<Held> {
        if self.attachable(entries).as_ref() != Some(&attached) {
            // Another one came meanwhile.
            self.attach(entries);
            return None;
        }
        // What is refused all the same is no reason to let go of the rest.
        if self.attached.as_ref() == Some(&attached) && opened.access == self.access {
            return None;
        }
        self.access = opened.access.clone();
        if self.access.is_refused() {
            let access = &self.access;
            tracing::warn!(?access, "a part of the microphone's device does not open");
        }
        let held = mute::spawn(&attached.0, opened, room.clone());
        self.attached = Some(attached);
        Some(held)
    }

    /// Waits until something was done at a device, for [`Self::take`].
    pub async fn done(&mut self) -> Option<Done> {
        tokio::select! {
            done = self.opening_up.done() => done.map(Done::OpenedUp),
            done = self.opening.done() => done.map(|done| Done::Opened(Box::new(done))),
        }
    }

    /// Takes what was done; returns the microphone's device where it is in hand anew.
    pub fn take(
        &mut self,
        done: Done,
        entries: &[Entry],
        room: &watch::Receiver<RoomSound>,
    ) -> Option<Held> {
        match done {
            Done::OpenedUp(done) => {
                self.levelled(done, entries);
                None
            }
            Done::Opened(done) => self.opened(*done, entries, room),
        }
    }

    /// Whether a part of a device is there that does not open: [`Self::attach`] and [`Self::open_up`]
    /// try again.
    pub const fn is_failing(&self) -> bool {
        self.access.is_refused() || self.level_failed
    }

    /// What came of mute key and lamp.
    pub const fn key(&self) -> &KeyState {
        &self.access.key
    }
}

/// A name that the room looks for among the cards; others are ALSA's own.
fn is_card(name: &str) -> bool {
    name.parse::<DeviceId>().is_ok() || name.parse::<UsbId>().is_ok()
}

/// Whether the configuration names a card in another place.
fn is_moved(card: &Card, asked: Option<&str>) -> bool {
    let asked = asked.and_then(|text| text.parse::<DeviceId>().ok());
    let both = asked.zip(card.id.as_ref());
    both.is_some_and(|(asked, id)| asked.is_moved_to(id))
}

/// How often a device has come.
fn arrivals(entries: &[Entry], id: &DeviceId) -> u64 {
    let mut entries = entries.iter();
    let entry = entries.find(|entry| entry.usable && entry.device.id == *id);
    entry.map_or(0, |entry| entry.arrivals)
}

/// The HID nodes behind the same plug.
fn hids(entries: &[Entry], id: &DeviceId) -> Vec<PathBuf> {
    let hids = entries
        .iter()
        .filter(|entry| entry.usable && entry.device.kind == Kind::Hid);
    hids.filter(|entry| entry.device.id.same_plug(id))
        .map(|entry| PathBuf::from(&entry.device.node))
        .collect()
}

/// A sound server has the cards for itself; then its default is the room's.
fn has_sound_server() -> bool {
    let Some(folder) = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) else {
        return false;
    };
    ["pipewire-0", "pulse/native"]
        .iter()
        .any(|socket| folder.join(socket).exists())
}

/// How the engine decides about echo where the room chooses no cards: by the configuration, and by the
/// table of known devices.
pub fn policy(media: &Media, table: &Table) -> EchoPolicy {
    let mut devices = table.cancelling();
    devices.extend(media.echo_cancelling_devices.iter().cloned());
    EchoPolicy {
        cancellation: cancellation(media),
        devices,
    }
}

const fn cancellation(media: &Media) -> roomd_media::EchoCancellation {
    match media.echo_cancellation {
        EchoCancellation::Auto => roomd_media::EchoCancellation::Auto,
        EchoCancellation::On => roomd_media::EchoCancellation::On,
        EchoCancellation::Off => roomd_media::EchoCancellation::Off,
    }
}

#[cfg(test)]
#[path = "sound_tests.rs"]
pub(super) mod tests;
