// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's sound cards: which one is microphone and loudspeaker, who cancels the echo, and the
//! mute key and lamp of the microphone's device.

use std::path::PathBuf;

use roomd_config::{EchoCancellation, Loudspeaker, LoudspeakerLevel, Media, Microphone};
use roomd_devices::cards::SoundProc;
use roomd_devices::core::device::Kind;
use roomd_devices::core::identity::{DeviceId, UsbId};
use roomd_devices::core::inventory::Entry;
use roomd_devices::core::sound::cards::{Asked, Card, Echo, Reason, Selection, select};
use roomd_devices::core::sound::table::{MuteKey, Table};
use roomd_devices::mixer;
use roomd_devices::mute::{self, Access, Held, KeyState, RoomSound, SoundDevice};
use roomd_devices::sysfs::Sysfs;
use roomd_media::{EchoPolicy, EngineCommand, MicrophoneSource};
use roomd_model::Language;
use tokio::sync::watch;

/// The sound cards in use.
#[derive(Debug)]
pub struct Sound {
    table: Table,
    proc: SoundProc,
    /// Which directions the room chooses; the others stay as the configuration has them.
    chooses: Directions,
    asked: Asked,
    policy: EchoPolicy,
    told: Told,
    /// The engine was told who cancels the echo; before, it goes by the table alone.
    told_echo: bool,
    level: LoudspeakerLevel,
    /// The loudspeaker whose mixer was set, and how often it came.
    opened_up: Option<(Card, u64)>,
    /// That mixer could not be set.
    level_failed: bool,
    /// What mute key and lamp are on, and how often it came.
    attached: Option<(SoundDevice, u64)>,
    /// What came of it.
    access: Access,
    /// What was chosen last.
    pub chosen: Option<Chosen>,
}

#[derive(Clone, Copy, Debug)]
struct Directions {
    microphone: bool,
    loudspeaker: bool,
}

/// What the engine was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    microphone: Option<String>,
    loudspeaker: Option<String>,
    own_echo: Option<UsbId>,
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
    /// What was chosen, after `before`; `wanted` where the room chooses for this direction at all.
    fn new(
        cards: &[Card],
        chosen: Option<(usize, Reason)>,
        wanted: bool,
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
                absent: None,
            },
            stands_in => Self {
                card: stands_in.map(|(_, card)| card),
                absent: wanted.then(|| Absent::new(asked, before.as_ref())),
                moved: false,
                before,
            },
        }
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
    /// Sound as the configuration wants it; none where it leaves nothing to choose.
    pub fn new(media: &Media, table: Table) -> Option<Self> {
        let microphone = match &media.microphone {
            Microphone::Auto => Some(None),
            Microphone::Device(name) if is_card(name) => Some(Some(name.clone())),
            Microphone::Device(_) | Microphone::Test | Microphone::File(_) => None,
        };
        let loudspeaker = match &media.loudspeaker {
            Loudspeaker::Auto => Some(None),
            Loudspeaker::Device(name) if is_card(name) => Some(Some(name.clone())),
            Loudspeaker::Device(_) | Loudspeaker::Off => None,
        };
        let chooses = Directions {
            microphone: microphone.is_some(),
            loudspeaker: loudspeaker.is_some(),
        };
        if !chooses.microphone && !chooses.loudspeaker || has_sound_server() {
            return None;
        }
        Some(Self {
            table,
            proc: SoundProc::default(),
            chooses,
            asked: Asked {
                microphone: microphone.flatten(),
                loudspeaker: loudspeaker.flatten(),
            },
            policy: EchoPolicy {
                cancellation: cancellation(media),
                devices: media.echo_cancelling_devices.clone(),
            },
            told: Told::default(),
            told_echo: false,
            level: media.loudspeaker_level,
            opened_up: None,
            level_failed: false,
            attached: None,
            access: Access::default(),
            chosen: None,
        })
    }

    /// Takes what is plugged in; returns what the engine should do about it.
    pub fn refresh(&mut self, entries: &[Entry]) -> Vec<EngineCommand> {
        let cards = self.proc.cards(entries.iter());
        let selection = select(&cards, &self.table, &self.asked);
        let before = self.chosen.as_ref();
        let chosen = Chosen {
            microphone: Choice::new(
                &cards,
                selection.microphone,
                self.chooses.microphone,
                self.asked.microphone.as_deref(),
                before.and_then(|chosen| chosen.microphone.before.clone()),
            ),
            loudspeaker: Choice::new(
                &cards,
                selection.loudspeaker,
                self.chooses.loudspeaker,
                self.asked.loudspeaker.as_deref(),
                before.and_then(|chosen| chosen.loudspeaker.before.clone()),
            ),
        };
        if self.chosen.as_ref() != Some(&chosen) && !cards.is_empty() {
            tracing::info!("sound: {}", selection.text(&cards, Language::En));
        }
        let commands = self.tell(&selection, &chosen);
        self.chosen = Some(chosen);
        self.open_up(entries);
        commands
    }

    /// Sets the mixer of the loudspeaker that was chosen, once each time it comes.
    pub fn open_up(&mut self, entries: &[Entry]) {
        self.level_failed = false;
        let chosen = self.chosen.as_ref();
        let chosen = chosen.and_then(|chosen| chosen.loudspeaker.card.clone());
        let wanted = self.chooses.loudspeaker && self.level == LoudspeakerLevel::Unity;
        let Some(card) = chosen.filter(|_| wanted) else {
            self.opened_up = None;
            return;
        };
        let arrivals = card.id.as_ref().map_or(0, |id| arrivals(entries, id));
        let comes = Some((card, arrivals));
        if self.opened_up == comes {
            return;
        }
        if let Some((card, _)) = &comes {
            match mixer::open_up(&card.device) {
                Ok(set) if set.is_empty() => {}
                Ok(set) => {
                    tracing::info!(card = card.device, ?set, "the loudspeaker's level is 0 dB")
                }
                Err(error) => {
                    // A card's controls may come after its sound, or after its permissions.
                    tracing::debug!(card = card.device, %error, "the loudspeaker's level is not set");
                    self.opened_up = None;
                    self.level_failed = true;
                    return;
                }
            }
        }
        self.opened_up = comes;
    }

    /// A card that is gone is not told of: the engine notices, and goes on trying.
    fn tell(&mut self, selection: &Selection, chosen: &Chosen) -> Vec<EngineCommand> {
        let name = |choice: &Choice| choice.card.as_ref().map(|card| self.proc.converted(card));
        let cancelling = chosen
            .microphone
            .card
            .as_ref()
            .filter(|_| selection.echo == Echo::Device);
        let told = Told {
            microphone: name(&chosen.microphone).filter(|_| self.chooses.microphone),
            loudspeaker: name(&chosen.loudspeaker).filter(|_| self.chooses.loudspeaker),
            own_echo: cancelling.and_then(|card| card.usb),
        };
        let mut commands = Vec::new();
        if told.own_echo != self.told.own_echo || !self.told_echo {
            self.told_echo = true;
            let mut policy = self.policy.clone();
            policy
                .devices
                .extend(told.own_echo.map(|id| id.to_string()));
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
            own_echo: told.own_echo,
        };
        commands
    }

    /// Takes hold of mute key and lamp of the microphone's device, when it is another one than
    /// before, was plugged in again, or lets more of itself be opened.
    pub fn attach(&mut self, entries: &[Entry], room: &watch::Receiver<RoomSound>) -> Option<Held> {
        let card = self.chosen.as_ref()?.microphone.card.as_ref();
        // What is built into the machine has no key, and its mixer may be somebody else's.
        let Some((card, id)) = card.filter(|card| card.usb.is_some()).and_then(with_id) else {
            self.attached = None;
            self.access = Access::default();
            return None;
        };
        let known = self.table.find(card);
        let device = SoundDevice {
            card: Some(card.device.clone()),
            hids: hids(entries, id),
            switch_is_key: known.is_some_and(|known| known.mute_key == MuteKey::Mixer),
            own_lamp: known.is_some_and(|known| known.own_lamp),
        };
        let attached = (device, arrivals(entries, id));
        let known = self.attached.as_ref() == Some(&attached);
        if known && !self.access.is_refused() {
            return None;
        }
        let opened = mute::open(&attached.0, &Sysfs::default());
        // What is refused all the same is no reason to let go of the rest.
        if known && opened.access == self.access {
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

fn with_id(card: &Card) -> Option<(&Card, &DeviceId)> {
    Some((card, card.id.as_ref()?))
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
pub fn policy(media: &Media) -> EchoPolicy {
    let mut devices = Table::default().cancelling();
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
pub(super) mod tests {
    use super::super::bench::entries;
    use super::*;

    const OWN: (&str, &[(&str, &str)]) = (
        "/devices/pci0000:00/0000:00:1f.3/sound/card0",
        &[("ID_PATH", "pci-0000:00:1f.3"), ("attr:id", "PCH")],
    );
    const BAR: (&str, &[(&str, &str)]) = (
        "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/sound/card1",
        &[
            ("ID_VENDOR_ID", "0b0e"),
            ("ID_MODEL_ID", "0420"),
            ("ID_MODEL", "Jabra_SPEAK_510"),
        ],
    );

    /// Sound of a machine with its own card and a speakerphone.
    pub(in super::super) fn sound(microphone: Microphone) -> Option<(Sound, tempfile::TempDir)> {
        let media = Media {
            microphone,
            ..Media::default()
        };
        let proc = tempfile::tempdir().unwrap();
        let pcm = "00-00: A : A : playback 1 : capture 1\n01-00: B : B : playback 1 : capture 1\n";
        std::fs::write(proc.path().join("pcm"), pcm).unwrap();
        let mut sound = Sound::new(&media, Table::default())?;
        sound.proc = SoundProc::at(proc.path());
        Some((sound, proc))
    }

    /// The machine's own card, and the speakerphone where it is plugged in.
    pub(in super::super) fn plugged(bar: bool) -> Vec<Entry> {
        let cards = [Some(OWN), bar.then_some(BAR)];
        let cards = cards.into_iter().flatten();
        entries(cards.map(|(path, values)| ("sound", path, values)))
    }

    #[test]
    fn names_of_alsa_are_left_to_alsa() {
        for (name, card) in [
            ("046d:0857", true),
            ("usb:046d:0857/A1@1-1.4:1.0", true),
            ("hw:1,0", false),
            ("default", false),
            ("sysdefault:CARD=PCH", false),
        ] {
            assert_eq!(is_card(name), card, "{name}");
        }
    }

    #[tokio::test]
    async fn a_key_that_is_refused_is_tried_again_until_it_is_gone() {
        let Some((mut sound, _proc)) = sound(Microphone::Auto) else {
            // A sound server chooses on this machine.
            return;
        };
        let hid = "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.3/hidraw/hidraw97";
        let values = [
            ("DEVNAME", "/dev/no-such-hidraw97"),
            ("ID_VENDOR_ID", "0b0e"),
            ("ID_MODEL_ID", "0420"),
        ];
        let all = entries([("sound", BAR.0, BAR.1), ("hidraw", hid, &values[..])]);
        let room = watch::Sender::new(RoomSound::default()).subscribe();
        sound.refresh(&all);
        assert!(sound.attach(&all, &room).is_some());
        assert!(matches!(sound.key(), KeyState::Refused(_)));
        assert!(sound.is_failing());
        // What is open stays in hand.
        assert!(sound.attach(&all, &room).is_none());
        assert!(sound.is_failing());
        sound.refresh(&[]);
        assert!(sound.attach(&[], &room).is_none());
        assert!(!sound.is_failing());
    }

    #[test]
    fn a_room_that_plays_and_records_files_has_nothing_to_choose() {
        let media = Media {
            microphone: Microphone::Test,
            loudspeaker: Loudspeaker::Off,
            ..Media::default()
        };
        assert!(Sound::new(&media, Table::default()).is_none());
    }
}
