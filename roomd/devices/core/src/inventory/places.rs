// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where devices were seen last, over a restart: what was plugged into another port while the room was off
//! is told as if it had been seen.

use serde::{Deserialize, Serialize};

use super::{Effect, Inventory, Key, Role};
use crate::device::{Device, Kind};
use crate::identity::{DeviceId, Likeness};

/// Places that are kept.
const PLACES: usize = 128;

/// Where devices were seen last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Places(Vec<Place>);

/// Where a device was seen last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    kind: Kind,
    id: DeviceId,
    /// Where it was before, while only that place has the role in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<DeviceId>,
}

impl Place {
    fn is(&self, (kind, id): &Key) -> bool {
        self.kind == *kind && self.id == *id
    }
}

impl Inventory {
    /// Where devices are, and where those were that are not there.
    #[must_use]
    pub fn places(&self) -> Places {
        let seen = self.entries.iter();
        let seen = seen.filter(|((_, id), _)| id.port().is_some());
        let seen = seen.map(|((kind, id), entry)| Place {
            kind: *kind,
            id: id.clone(),
            was: entry.was.clone(),
        });
        let away = self.away.0.iter().cloned();
        Places(seen.chain(away).take(PLACES).collect())
    }

    /// Takes where devices were before a restart, once all that are there were listed.
    pub fn recall(&mut self, places: Places) -> Vec<Effect> {
        let (there, away): (Vec<Place>, Vec<Place>) = places
            .0
            .into_iter()
            .partition(|place| self.entries.keys().any(|key| place.is(key)));
        self.away = Places(away);
        let keys: Vec<Key> = self.entries.keys().cloned().collect();
        let moved = keys.iter().filter_map(|key| {
            match there.iter().find(|place| place.is(key)) {
                // It was moved before another restart, and the configuration still means the old place.
                Some(place) => self.stays_moved(key, place.was.clone()?),
                None => self.moved_meanwhile(key, &keys, &there),
            }
        });
        moved.collect()
    }

    /// What follows when this device, which came after the start and is new here, was elsewhere before it.
    pub(super) fn moved_before(&mut self, key: &Key) -> Option<Effect> {
        self.moved_meanwhile(key, &[], &[])
    }

    /// What follows when this device, which is new here, was elsewhere before the restart. Of several that
    /// it might be, and of several that might be it, nothing is guessed.
    fn moved_meanwhile(&mut self, key: &Key, keys: &[Key], there: &[Place]) -> Option<Effect> {
        let is_new = |other: &&Key| !there.iter().any(|place| place.is(other));
        let same = |likeness: Likeness| {
            let is_it =
                move |place: &&Place| place.kind == key.0 && place.id.likeness(&key.1) == likeness;
            let mut candidates = self.away.0.iter().filter(is_it);
            let found = candidates.next().filter(|_| candidates.next().is_none())?;
            let rivals = keys.iter().filter(is_new);
            let rivals =
                rivals.filter(|other| other.0 == key.0 && found.id.likeness(&other.1) == likeness);
            (rivals.count() <= 1).then(|| found.clone())
        };
        let (place, certain) = same(Likeness::Moved)
            .map(|place| (place, true))
            .or_else(|| same(Likeness::Model).map(|place| (place, false)))?;
        self.away.0.retain(|other| *other != place);
        let is_moved = place.id.is_moved_to(&key.1);
        let from = place.was.unwrap_or(place.id);
        let role = self.take_over(key, &from);
        is_moved.then(|| Effect::Moved {
            from,
            to: key.1.clone(),
            role,
            certain,
        })
    }

    fn stays_moved(&mut self, key: &Key, from: DeviceId) -> Option<Effect> {
        let role = self.take_over(key, &from)?;
        let certain = from.likeness(&key.1) == Likeness::Moved;
        self.entries.get(key)?.was.as_ref()?;
        Some(Effect::Moved {
            from,
            to: key.1.clone(),
            role: Some(role),
            certain,
        })
    }

    /// Gives a device the role that the configuration gives to where it was, unless it has one here or
    /// something else is there.
    fn take_over(&mut self, key: &Key, from: &DeviceId) -> Option<Role> {
        let taken = self.entries.contains_key(&(key.0, from.clone()));
        let before = Device {
            id: from.clone(),
            ..self.entries.get(key)?.device.clone()
        };
        let role = self.role_of(&before);
        let entry = self.entries.get_mut(key)?;
        if entry.role.is_none() && !taken {
            entry.role = role;
            entry.was = entry.role.is_some().then(|| from.clone());
            entry.locate(&self.roles);
        }
        entry.role.clone()
    }
}
