// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::map::{Action, KeyMap};
use super::names::Code;
use crate::flood::{Gate, Verdict};

/// Contacts bounce for this long.
const BOUNCE: Duration = Duration::from_millis(40);
/// More presses of a device within this time are no person's.
const MOST: usize = 25;
const WITHIN: Duration = Duration::from_secs(2);

/// What a device's event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Do it.
    Do(Action),
    /// Somebody is in the room, or nobody any more.
    Presence(bool),
    /// The device sends without end; it is ignored until it is quiet.
    Flood,
}

/// How a device stands, of which only the latest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// It sees somebody.
    pub present: bool,
    /// Its keys send without end.
    pub flood: bool,
}

/// The keys of one device.
#[derive(Debug)]
pub struct Presses {
    map: KeyMap,
    gate: Gate,
    /// When each key of the map went down or up last, and where it stands.
    last: BTreeMap<Code, (Instant, bool)>,
}

impl Presses {
    /// A device whose keys stand up.
    #[must_use]
    pub const fn new(map: KeyMap) -> Self {
        Self {
            map,
            gate: Gate::new(MOST, WITHIN),
            last: BTreeMap::new(),
        }
    }

    /// Takes an event with its value: 0 up, 1 down, 2 held.
    pub fn handle(&mut self, code: Code, value: i32, now: Instant) -> Option<Press> {
        let action = self.map.action(code)?;
        let down = match value {
            0 => false,
            1 => true,
            2 if action.repeats() => return self.pass(now, Press::Do(action)),
            _ => return None,
        };
        let before = self.last.get(&code).copied();
        let stands = before.is_some_and(|(_, stands)| stands);
        if down == stands {
            return None;
        }
        if action == Action::Presence {
            let before = self.is_present();
            self.last.insert(code, (now, down));
            let present = self.is_present();
            // A state is no press: it counts also while presses are ignored.
            return (present != before).then_some(Press::Presence(present));
        }
        // A press counts; letting go only says that the next press may.
        let bounces = before.is_some_and(|(at, _)| now.saturating_duration_since(at) < BOUNCE);
        self.last.insert(code, (now, down));
        (down && !bounces)
            .then(|| self.pass(now, Press::Do(action)))
            .flatten()
    }

    /// How the device stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            present: self.is_present(),
            flood: self.gate.is_flooded(),
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.gate.poll_timeout()
    }

    /// Ends a flood; returns whether that is so.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        self.gate.handle_timeout(now)
    }

    /// Any of its sensors sees somebody.
    fn is_present(&self) -> bool {
        let mut on = self.last.iter().filter(|(_, (_, stands))| *stands);
        on.any(|(code, _)| self.map.action(*code) == Some(Action::Presence))
    }

    fn pass(&mut self, now: Instant, press: Press) -> Option<Press> {
        match self.gate.admit(now) {
            Verdict::Pass => Some(press),
            Verdict::Closed => Some(Press::Flood),
            Verdict::Drop => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MUTE: Code = Code::Key(113);
    const UP: Code = Code::Key(115);

    fn keys() -> Presses {
        let mut map = KeyMap::default();
        map.add("SW_FRONT_PROXIMITY", "presence").unwrap();
        Presses::new(map)
    }

    #[test]
    fn a_press_counts_once() {
        let (mut keys, start) = (keys(), Instant::now());
        let mut at =
            |ms: u64, code, value| keys.handle(code, value, start + Duration::from_millis(ms));
        assert_eq!(at(0, MUTE, 1), Some(Press::Do(Action::Mute)));
        // Held, bouncing, let go.
        assert_eq!(at(5, MUTE, 2), None);
        assert_eq!(at(10, MUTE, 0), None);
        assert_eq!(at(12, MUTE, 1), None);
        assert_eq!(at(200, MUTE, 0), None);
        assert_eq!(at(300, MUTE, 1), Some(Press::Do(Action::Mute)));
        assert_eq!(at(400, UP, 1), Some(Press::Do(Action::VolumeUp)));
        assert_eq!(at(650, UP, 2), Some(Press::Do(Action::VolumeUp)));
        assert_eq!(at(700, Code::Key(30), 1), None);
        assert_eq!(at(700, MUTE, 77), None);
    }

    #[test]
    fn presence_is_a_state() {
        let (mut keys, now) = (keys(), Instant::now());
        let switch = super::super::named("SW_FRONT_PROXIMITY").unwrap();
        assert_eq!(keys.handle(switch, 1, now), Some(Press::Presence(true)));
        assert_eq!(keys.handle(switch, 1, now), None);
        assert_eq!(keys.handle(switch, 0, now), Some(Press::Presence(false)));
    }

    #[test]
    fn a_device_sees_somebody_while_any_of_its_sensors_does() {
        let (mut keys, now) = (keys(), Instant::now());
        keys.map.add("SW_LID", "presence").unwrap();
        let front = super::super::named("SW_FRONT_PROXIMITY").unwrap();
        let other = super::super::named("SW_LID").unwrap();
        assert_eq!(keys.handle(front, 1, now), Some(Press::Presence(true)));
        assert_eq!(keys.handle(other, 1, now), None);
        assert_eq!(keys.handle(front, 0, now), None);
        assert!(keys.standing().present);
        // Also while its keys are ignored.
        for _ in 0..100 {
            keys.handle(UP, 2, now);
        }
        assert_eq!(keys.handle(other, 0, now), Some(Press::Presence(false)));
        let wanted = Standing {
            present: false,
            flood: true,
        };
        assert_eq!(keys.standing(), wanted);
    }

    #[test]
    fn a_flood_is_ignored_until_it_is_quiet() {
        let (mut keys, start) = (keys(), Instant::now());
        let mut seen = Vec::new();
        for n in 0..2000_u64 {
            let at = start + Duration::from_millis(n);
            seen.extend(keys.handle(UP, 2, at));
        }
        assert_eq!(seen.len(), MOST + 1);
        assert_eq!(seen.last(), Some(&Press::Flood));
        assert!(keys.standing().flood);
        let (quiet, _) = keys.poll_timeout().unwrap();
        assert!(!keys.handle_timeout(start + Duration::from_secs(2)));
        assert!(keys.handle_timeout(quiet) && !keys.standing().flood);
        assert_eq!(keys.poll_timeout(), None);
        let later = start + Duration::from_secs(10);
        assert!(keys.handle(UP, 2, later).is_some());
    }

    proptest! {
        #[test]
        fn memory_is_flat(events in proptest::collection::vec((any::<u16>(), any::<i32>()), 0..500)) {
            let (mut keys, now) = (keys(), Instant::now());
            for (code, value) in events {
                keys.handle(Code::Key(code), value, now);
                keys.handle(Code::Switch(code), value, now);
            }
            prop_assert!(keys.last.len() <= 8);
        }
    }
}
