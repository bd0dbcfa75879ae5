// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The devices of the machine: which are there, which were, and what each is used for.
//!
//! udev's events go in with the time, effects come out. A device that comes and goes faster than a
//! person can plug is set aside until it is quiet. What is kept has a bound, however long and often
//! somebody plugs.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use crate::device::{Device, Kind, Properties};
use crate::identity::{DeviceId, Likeness};

mod places;
mod role;

pub use places::Places;
pub use role::{Role, Roles, WrongRole};

/// Devices that are there at the same time; a machine with more is a flood.
const PRESENT: usize = 128;
/// Devices that are remembered although they are gone.
const ABSENT: usize = 32;
/// So many comings and goings within [`WINDOW`] are a flood.
const CHANGES: usize = 20;
const WINDOW: Duration = Duration::from_secs(10);
/// For how long a device must be quiet after a flood.
const QUIET: Duration = Duration::from_secs(3);

/// What udev reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A device is there, or was when the monitor began.
    Added(Properties),
    /// What is known about a device changed.
    Changed(Properties),
    /// The device with this path below `/sys` is gone.
    Removed(String),
}

/// What follows from an event. Each names the role that the configuration gives the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A device that was not known.
    Appeared(DeviceId, Option<Role>),
    /// A known device is back after this time.
    Returned(DeviceId, Option<Role>, Duration),
    /// A known device is back in another port, under a new identity.
    Moved {
        /// Who it was.
        from: DeviceId,
        /// Who it is.
        to: DeviceId,
        /// What it is used for; it keeps the role of before.
        role: Option<Role>,
        /// Whether a serial number says so; otherwise it is the only one of its model that is missing.
        certain: bool,
    },
    /// It is there, and differs: another node, another name.
    Changed(DeviceId, Option<Role>),
    /// It is gone.
    Gone(DeviceId, Option<Role>),
    /// It comes and goes without end, and counts as gone until it is quiet.
    SetAside(DeviceId, Option<Role>),
    /// There are more devices than the room keeps; this one is not used.
    Refused(DeviceId),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, id, role) = match self {
            Self::Appeared(id, role) => ("appeared", id, role.as_ref()),
            Self::Returned(id, role, _) => ("is back", id, role.as_ref()),
            Self::Moved { to, role, .. } => ("is in another port", to, role.as_ref()),
            Self::Changed(id, role) => ("changed", id, role.as_ref()),
            Self::Gone(id, role) => ("is gone", id, role.as_ref()),
            Self::SetAside(id, role) => ("comes and goes, and is set aside", id, role.as_ref()),
            Self::Refused(id) => ("is one too many", id, None),
        };
        write!(f, "{id} {what}")?;
        role.map_or(Ok(()), |role| write!(f, " ({role})"))
    }
}

/// A device that is or was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As it was seen last.
    pub device: Device,
    /// What it is used for.
    pub role: Option<Role>,
    /// Whether it is there and may be used.
    pub usable: bool,
    /// How often it came.
    pub arrivals: u64,
    /// It is in another place than the one to which the configuration gives its role.
    pub elsewhere: bool,
    /// Where it was, while the configuration gives its role only to that place.
    was: Option<DeviceId>,
    present: bool,
    since: Instant,
    changes: VecDeque<Instant>,
    aside: bool,
}

/// Entries are told apart by kind and identity: one plug has several functions.
type Key = (Kind, DeviceId);

/// All devices.
#[derive(Debug, Default)]
pub struct Inventory {
    entries: BTreeMap<Key, Entry>,
    roles: Roles,
    /// Where devices were before a restart that were not seen since.
    away: Places,
}

impl Inventory {
    /// An empty inventory, which gives these roles.
    #[must_use]
    pub fn new(roles: Roles) -> Self {
        Self {
            entries: BTreeMap::new(),
            roles,
            away: Places::default(),
        }
    }

    /// Every device that is or was there, by kind and identity.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The devices that may be used.
    pub fn usable(&self) -> impl Iterator<Item = &Entry> {
        self.entries().filter(|entry| entry.usable)
    }

    /// The device that has the role, if it may be used.
    #[must_use]
    pub fn with_role(&self, role: &Role) -> Option<&Entry> {
        self.usable()
            .find(|entry| entry.role.as_ref() == Some(role))
    }

    /// Takes an event.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        match event {
            Event::Added(properties) | Event::Changed(properties) => {
                self.see(&properties, true, now)
            }
            Event::Removed(path) => match self.key_of(&path) {
                Some(key) => self.remove(&key, now),
                None => Vec::new(),
            },
        }
    }

    /// Takes a device from a list of all: nothing happened to it.
    pub fn list(&mut self, properties: &Properties, now: Instant) -> Vec<Effect> {
        self.see(properties, false, now)
    }

    fn see(&mut self, properties: &Properties, happened: bool, now: Instant) -> Vec<Effect> {
        let known = self.key_of(&properties.path);
        match (Device::from_properties(properties), known) {
            (Some(device), Some(key)) if is_same(&key, &device) => {
                self.change(&key, device, happened)
            }
            (Some(device), Some(key)) => {
                let mut effects = self.remove(&key, now);
                effects.extend(self.add(device, now));
                effects
            }
            (Some(device), None) => self.add(device, now),
            (None, Some(key)) => self.remove(&key, now),
            (None, None) => Vec::new(),
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let aside = self.entries.values().filter(|entry| entry.aside);
        let quiet = aside.filter_map(|entry| Some(*entry.changes.back()? + QUIET));
        quiet.min().map(|at| (at, "a device is quiet again"))
    }

    /// Lets devices back in that have become quiet.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        for entry in self.entries.values_mut().filter(|entry| entry.aside) {
            let last = entry.changes.back().copied();
            if last.is_none_or(|last| now >= last + QUIET) {
                entry.aside = false;
                entry.changes.clear();
                entry.usable = entry.present;
                if entry.present {
                    let away = now.saturating_duration_since(entry.since);
                    effects.push(Effect::Returned(
                        entry.device.id.clone(),
                        entry.role.clone(),
                        away,
                    ));
                }
            }
        }
        self.forget();
        effects
    }

    /// What is there under this path.
    fn key_of(&self, path: &str) -> Option<Key> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(_, entry)| entry.present && entry.device.path == path);
        found.map(|(key, _)| key.clone())
    }

    fn change(&mut self, key: &Key, mut device: Device, happened: bool) -> Vec<Effect> {
        let Some(entry) = self.entries.get_mut(key) else {
            return Vec::new();
        };
        device.id = key.1.clone();
        // A graphics card says only that something changed: a display was plugged.
        let plugged = happened && device.kind == Kind::Graphics;
        if entry.device == device && !plugged {
            return Vec::new();
        }
        entry.device = device;
        let (id, role) = (key.1.clone(), entry.role.clone());
        entry
            .usable
            .then_some(Effect::Changed(id, role))
            .into_iter()
            .collect()
    }

    fn add(&mut self, mut device: Device, now: Instant) -> Vec<Effect> {
        let present = self.entries.values().filter(|e| e.present).count();
        if present >= PRESENT {
            return vec![Effect::Refused(device.id)];
        }
        device.id = self.free_id(&device);
        let key = (device.kind, device.id.clone());
        if let Some(entry) = self.entries.get_mut(&key) {
            let away = now.saturating_duration_since(entry.since);
            entry.device = device;
            entry.present = true;
            entry.arrivals = entry.arrivals.saturating_add(1);
            let effect = match entry.count(now) {
                Some(effect) => Some(effect),
                None => entry
                    .usable
                    .then(|| Effect::Returned(key.1.clone(), entry.role.clone(), away)),
            };
            return effect.into_iter().chain(self.reclaim(&key)).collect();
        }
        let effect = match self.moved_from(&device) {
            Some((from, certain)) => self.rename(&from, device, certain, now),
            None => {
                let role = self.role_of(&device);
                let appeared = Effect::Appeared(device.id.clone(), role.clone());
                self.insert(key.clone(), Entry::new(device, role, now));
                let moved = self.moved_before(&key);
                moved.unwrap_or(appeared)
            }
        };
        let mut effects = vec![effect];
        effects.extend(self.reclaim(&key));
        self.forget();
        effects
    }

    /// The role that a device is given where it is.
    fn role_of(&self, device: &Device) -> Option<Role> {
        let is_there = |id: &DeviceId| {
            let entry = self.entries.get(&(device.kind, id.clone()));
            entry.is_some_and(|entry| entry.present)
        };
        self.roles.of(device, is_there)
    }

    /// A device in the very place that the configuration names is the one that is meant: another one
    /// that was taken for it loses the role.
    fn reclaim(&mut self, key: &Key) -> Vec<Effect> {
        let named = self.entries.get(key);
        let Some(role) = named
            .and_then(|entry| self.roles.at(&entry.device))
            .cloned()
        else {
            return Vec::new();
        };
        let others = self.entries.iter().filter(|(other, entry)| {
            let like = other.0 == key.0 && key.1.likeness(&other.1) >= Likeness::Model;
            like && entry.present && entry.elsewhere && entry.role.as_ref() == Some(&role)
        });
        let taken: Vec<(Key, Option<Role>)> = others
            .map(|(other, entry)| (other.clone(), self.role_of(&entry.device)))
            .collect();
        let mut effects = Vec::new();
        for (other, role) in taken {
            if let Some(entry) = self.entries.get_mut(&other) {
                entry.was = None;
                entry.role = role;
                entry.locate(&self.roles);
                let (usable, role) = (entry.usable, entry.role.clone());
                effects.extend(usable.then_some(Effect::Changed(other.1, role)));
            }
        }
        effects
    }

    /// One driver may report several nodes of the same kind in one place: each has a number.
    fn free_id(&self, device: &Device) -> DeviceId {
        let taken = |id: &DeviceId| {
            let entry = self.entries.get(&(device.kind, id.clone()));
            entry.is_some_and(|entry| entry.present && entry.device.path != device.path)
        };
        let mut id = device.id.clone();
        for index in 1..=u8::MAX {
            if !taken(&id) {
                break;
            }
            id = id.with_index(index);
        }
        id
    }

    /// The missing device that this one is, and whether that is certain. What is plugged in where the
    /// configuration names a device is no other one.
    fn moved_from(&self, device: &Device) -> Option<(Key, bool)> {
        let named = self.roles.at(device);
        let missing = |likeness| {
            let candidates = self.entries.iter().filter(move |(key, entry)| {
                !entry.present
                    && entry.device.kind == device.kind
                    && key.1.likeness(&device.id) == likeness
                    && (named.is_none() || entry.role.as_ref() == named)
            });
            let mut keys = candidates.map(|(key, _)| key.clone());
            // Several that it might be are a reason to guess nothing.
            keys.next().filter(|_| keys.next().is_none())
        };
        missing(Likeness::Moved)
            .map(|key| (key, true))
            .or_else(|| missing(Likeness::Model).map(|key| (key, false)))
    }

    fn rename(&mut self, from: &Key, device: Device, certain: bool, now: Instant) -> Effect {
        let (kind, to) = (device.kind, device.id.clone());
        let before = self.entries.remove(from);
        let own = self.role_of(&device);
        let mut entry = Entry::new(device, None, now);
        if let Some(before) = before {
            let only_there = own.is_none() && before.role.is_some();
            entry.was = only_there.then(|| before.was.unwrap_or_else(|| from.1.clone()));
            entry.role = before.role;
            entry.arrivals = before.arrivals.saturating_add(1);
            entry.changes = before.changes;
        }
        let role = entry.role.clone();
        self.insert((kind, to.clone()), entry);
        Effect::Moved {
            from: from.1.clone(),
            to,
            role,
            certain,
        }
    }

    fn insert(&mut self, key: Key, mut entry: Entry) {
        entry.locate(&self.roles);
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &Key, now: Instant) -> Vec<Effect> {
        let Some(entry) = self.entries.get_mut(key) else {
            return Vec::new();
        };
        let used = entry.usable;
        entry.present = false;
        entry.usable = false;
        entry.since = now;
        let effect = match entry.count(now) {
            Some(effect) => Some(effect),
            None => used.then(|| Effect::Gone(key.1.clone(), entry.role.clone())),
        };
        self.forget();
        effect.into_iter().collect()
    }

    /// Drops the devices that are gone for the longest time, those without a role first.
    fn forget(&mut self) {
        let mut absent: Vec<(bool, Instant, Key)> = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.present && !entry.aside)
            .map(|(key, entry)| (entry.role.is_some(), entry.since, key.clone()))
            .collect();
        absent.sort();
        let too_many = absent.len().saturating_sub(ABSENT);
        for (_, _, key) in absent.into_iter().take(too_many) {
            self.entries.remove(&key);
        }
    }
}

/// The number among several nodes is given here and not part of what a device says.
fn is_same(key: &Key, device: &Device) -> bool {
    key.0 == device.kind && device.id.clone().with_index(key.1.index()) == key.1
}

impl Entry {
    fn new(device: Device, role: Option<Role>, now: Instant) -> Self {
        Self {
            device,
            role,
            usable: true,
            arrivals: 1,
            elsewhere: false,
            was: None,
            present: true,
            since: now,
            changes: VecDeque::new(),
            aside: false,
        }
    }

    /// Notes whether it is where the configuration names it.
    fn locate(&mut self, roles: &Roles) {
        let role = self.role.as_ref();
        self.elsewhere = role.is_some_and(|role| roles.is_elsewhere(role, &self.device));
    }

    /// Counts a coming or going; says so when it is one too many. Sets what may be used.
    fn count(&mut self, now: Instant) -> Option<Effect> {
        self.changes.push_back(now);
        while self.changes.len() > CHANGES {
            self.changes.pop_front();
        }
        let recent = |at: &&Instant| now.saturating_duration_since(**at) < WINDOW;
        let flood = self.changes.iter().filter(recent).count() >= CHANGES;
        let first = flood && !self.aside;
        self.aside |= flood;
        self.usable = self.present && !self.aside;
        first.then(|| Effect::SetAside(self.device.id.clone(), self.role.clone()))
    }
}

#[cfg(test)]
mod tests;
