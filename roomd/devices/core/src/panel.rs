// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whether people can operate the room: a panel is connected, and the touch screen of the wired one is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::device::{Device, Kind};
use crate::identity::DeviceId;
use crate::inventory::Entry;

/// For so long a panel may load its page again, or wait for its network.
const GONE: Duration = Duration::from_secs(60);
/// The wired panel's display server and browser start beside the room, and need more time.
const GRACE: Duration = Duration::from_secs(120);
/// A touch screen that is away for less starts anew, or somebody moves its plug.
const AWAY: Duration = Duration::from_secs(5);

/// How many panels are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connected {
    /// Those that are wired to the device.
    pub wired: usize,
    /// Those that were paired.
    pub paired: usize,
}

impl Connected {
    const fn any(self) -> bool {
        self.wired > 0 || self.paired > 0
    }
}

/// Whether a panel is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// None is connected, and none is missed: the room has none of its own, or it may still come.
    Absent,
    /// One is connected, or was a moment ago.
    There,
    /// None is connected, and the wired one should be.
    Gone,
}

/// A touch screen that is there, or was while no other one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchScreen {
    /// What it calls itself.
    pub label: String,
    /// It is not there.
    pub missing: bool,
    /// When it is missing; none while it is there.
    due: Option<Instant>,
}

/// The room's panels.
#[derive(Clone, Debug)]
pub struct Panels {
    /// One is wired to the device. A tablet may be switched off, put away or asleep.
    wired: bool,
    connected: Connected,
    presence: Presence,
    /// Nobody is missed before.
    grace: Instant,
    /// When the panel is gone; none while one is connected.
    due: Option<Instant>,
    touch_screens: BTreeMap<DeviceId, TouchScreen>,
}

impl Panels {
    /// At the start, of a room that has a wired one by its configuration or not.
    #[must_use]
    pub fn new(wired: bool, now: Instant) -> Self {
        let grace = now + GRACE;
        Self {
            wired,
            connected: Connected::default(),
            presence: Presence::Absent,
            grace,
            due: wired.then_some(grace),
            touch_screens: BTreeMap::new(),
        }
    }

    /// Takes how many panels are connected.
    pub fn handle(&mut self, connected: Connected, now: Instant) {
        let before = std::mem::replace(&mut self.connected, connected);
        self.wired |= connected.wired > 0;
        if connected.any() {
            self.presence = Presence::There;
            self.due = None;
        } else if !self.wired {
            self.presence = Presence::Absent;
        } else if before.any() {
            self.due = Some(self.grace.max(now + GONE));
        }
    }

    /// Takes what is plugged in.
    pub fn refresh(&mut self, entries: &[Entry], now: Instant) {
        let usable = entries.iter().filter(|entry| entry.usable);
        let inputs = usable.map(|entry| &entry.device);
        let (touched, others): (Vec<&Device>, Vec<&Device>) = inputs
            .filter(|device| device.kind == Kind::Input)
            .partition(|device| device.input.touch);
        let is_among = |id: &DeviceId, devices: &[&Device]| devices.iter().any(|it| it.id == *id);
        // The panel's rules may have been changed, and leave it to no panel.
        self.touch_screens.retain(|id, _| !is_among(id, &others));
        for (id, screen) in &mut self.touch_screens {
            if is_among(id, &touched) {
                screen.missing = false;
                screen.due = None;
            } else if !screen.missing {
                screen.due = screen.due.or(Some(now + AWAY));
            }
        }
        for device in touched {
            if !self.touch_screens.contains_key(&device.id) {
                self.take(device);
            }
        }
        self.forget_visitors();
    }

    /// Of several, one that was pulled out was somebody's own. The panel has one as long as any is there.
    fn forget_visitors(&mut self) {
        let is_there = |screen: &TouchScreen| !screen.missing && screen.due.is_none();
        if self.touch_screens.values().any(is_there) {
            self.touch_screens.retain(|_, screen| !screen.missing);
        }
    }

    /// Takes a touch screen that was not there before. While another one is away it was put in its place, or
    /// is the same one under another name.
    fn take(&mut self, device: &Device) {
        let mut screens = self.touch_screens.iter();
        let away = screens.find(|(_, screen)| screen.missing || screen.due.is_some());
        if let Some(away) = away.map(|(id, _)| id.clone()) {
            self.touch_screens.remove(&away);
        }
        let screen = TouchScreen {
            label: device.label.clone(),
            missing: false,
            due: None,
        };
        self.touch_screens.insert(device.id.clone(), screen);
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let panel = self.due.map(|at| (at, "the panel is gone"));
        let screens = self.touch_screens.values();
        let away = screens.filter_map(|screen| Some((screen.due?, "a touch screen is missing")));
        panel.into_iter().chain(away).min()
    }

    /// Time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        let is_due = |due: &mut Option<Instant>| due.take_if(|at| *at <= now).is_some();
        if is_due(&mut self.due) {
            self.presence = Presence::Gone;
        }
        for screen in self.touch_screens.values_mut() {
            screen.missing |= is_due(&mut screen.due);
        }
        self.forget_visitors();
    }

    /// How many are connected.
    #[must_use]
    pub const fn connected(&self) -> Connected {
        self.connected
    }

    /// Whether one is there.
    #[must_use]
    pub const fn presence(&self) -> Presence {
        self.presence
    }

    /// The touch screens of the wired panel; none while it is not connected, as nothing is to be touched then.
    pub fn touch_screens(&self) -> impl Iterator<Item = (&DeviceId, &TouchScreen)> {
        let wired = self.connected.wired > 0;
        self.touch_screens.iter().filter(move |_| wired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Properties;
    use crate::device::tests::properties;
    use crate::inventory::{Event, Inventory, Roles};

    const NONE: Connected = Connected {
        wired: 0,
        paired: 0,
    };
    const WIRED: Connected = Connected {
        wired: 1,
        paired: 0,
    };
    const PAIRED: Connected = Connected {
        wired: 0,
        paired: 2,
    };

    /// Panels in virtual time.
    struct Bench {
        start: Instant,
        panels: Panels,
        inventory: Inventory,
    }

    impl Bench {
        fn new(expected: bool) -> Self {
            let start = Instant::now();
            Self {
                start,
                panels: Panels::new(expected, start),
                inventory: Inventory::new(Roles::default()),
            }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        fn connect(&mut self, connected: Connected, seconds: u64) {
            self.panels.handle(connected, self.at(seconds));
        }

        /// Lets time pass as the shell does.
        fn until(&mut self, seconds: u64) -> Presence {
            while let Some((at, _)) = self.panels.poll_timeout() {
                if at > self.at(seconds) {
                    break;
                }
                self.panels.handle_timeout(at);
            }
            self.panels.presence()
        }

        fn plug(&mut self, event: Event, seconds: u64) {
            let now = self.at(seconds);
            self.inventory.handle(event, now);
            let entries: Vec<Entry> = self.inventory.entries().cloned().collect();
            self.panels.refresh(&entries, now);
        }

        /// The touch screens, and whether each is missing.
        fn screens(&mut self, seconds: u64) -> Vec<(String, bool)> {
            self.until(seconds);
            let screens = self.panels.touch_screens();
            let told = screens.map(|(id, screen)| (id.to_string(), screen.missing));
            told.collect()
        }
    }

    fn screen(port: &str, model: &str) -> Properties {
        let (plug, _) = port.split_once(':').unwrap();
        properties(
            &format!("/devices/pci0000:00/usb1/{plug}/{port}/input/input7/event7"),
            "input",
            &[
                ("DEVNAME", "/dev/input/event7"),
                ("ID_VENDOR_ID", "222a"),
                ("ID_MODEL_ID", model),
                ("ID_INPUT_TOUCHSCREEN", "1"),
                ("attr:name", "ILITEK Touch"),
            ],
        )
    }

    fn removed(properties: &Properties) -> Event {
        Event::Removed(properties.path.clone())
    }

    #[test]
    fn a_room_without_a_wired_panel_misses_none() {
        let mut bench = Bench::new(false);
        assert_eq!(bench.panels.poll_timeout(), None);
        assert_eq!(bench.until(100_000), Presence::Absent);
        bench.connect(NONE, 100_000);
        assert_eq!(bench.until(200_000), Presence::Absent);
        bench.connect(PAIRED, 200_000);
        assert_eq!(bench.until(200_000), Presence::There);
        bench.connect(NONE, 200_001);
        assert_eq!(bench.until(300_000), Presence::Absent, "a tablet sleeps");
        // From the first one on it has one.
        bench.connect(WIRED, 300_000);
        bench.connect(NONE, 300_001);
        assert_eq!(bench.until(300_060), Presence::There);
        assert_eq!(bench.until(300_061), Presence::Gone);
    }

    #[test]
    fn after_the_start_the_panel_has_its_time() {
        let mut bench = Bench::new(true);
        assert_eq!(bench.until(119), Presence::Absent);
        assert_eq!(bench.until(120), Presence::Gone);
        assert_eq!(bench.panels.poll_timeout(), None, "told once");
        bench.connect(WIRED, 500);
        assert_eq!(bench.until(500), Presence::There);
        // A browser that loads its page twice while it starts is no other one.
        let mut bench = Bench::new(true);
        bench.connect(WIRED, 10);
        bench.connect(NONE, 11);
        assert_eq!(bench.until(119), Presence::There);
        assert_eq!(bench.until(120), Presence::Gone);
    }

    #[test]
    fn one_panel_is_enough_and_one_that_is_back_in_time_was_not_gone() {
        let mut bench = Bench::new(true);
        bench.connect(
            Connected {
                wired: 1,
                paired: 1,
            },
            10,
        );
        bench.connect(PAIRED, 1000);
        assert_eq!(bench.until(5000), Presence::There);
        bench.connect(NONE, 5000);
        assert_eq!(bench.until(5059), Presence::There);
        bench.connect(WIRED, 5059);
        assert_eq!(bench.until(9000), Presence::There);
        assert_eq!(bench.panels.connected(), WIRED);
    }

    #[test]
    fn a_touch_screen_that_goes_is_missed_until_it_is_back() {
        let mut bench = Bench::new(true);
        let (one, id) = (screen("1-1:1.0", "0001"), "usb:222a:0001@1-1:1.0");
        bench.plug(Event::Added(one.clone()), 0);
        assert!(bench.screens(1).is_empty(), "nothing is to be touched");
        bench.connect(WIRED, 10);
        let well = [(id.to_owned(), false)];
        assert_eq!(bench.screens(10), well);
        bench.plug(removed(&one), 20);
        assert_eq!(bench.screens(24), well);
        bench.plug(Event::Added(one.clone()), 24);
        assert_eq!(bench.screens(100), well, "it was away for a moment");
        bench.plug(removed(&one), 100);
        // What else is plugged meanwhile does not prolong it.
        bench.plug(removed(&one), 103);
        assert_eq!(bench.screens(105), [(id.to_owned(), true)]);
        bench.connect(PAIRED, 200);
        assert!(bench.screens(200).is_empty(), "a tablet has its own");
        bench.connect(WIRED, 300);
        assert_eq!(bench.screens(300), [(id.to_owned(), true)]);
        bench.plug(Event::Added(one), 301);
        assert_eq!(bench.screens(301), well);
    }

    #[test]
    fn a_touch_screen_that_visited_is_not_missed() {
        let mut bench = Bench::new(true);
        bench.connect(WIRED, 0);
        let (own, visitor) = (screen("1-1:1.0", "0001"), screen("1-2:1.0", "0002"));
        bench.plug(Event::Added(own.clone()), 0);
        bench.plug(Event::Added(visitor.clone()), 10);
        assert_eq!(bench.screens(10).len(), 2);
        bench.plug(removed(&visitor), 20);
        let left = [("usb:222a:0001@1-1:1.0".to_owned(), false)];
        assert_eq!(bench.screens(30), left);
        bench.plug(removed(&own), 40);
        assert_eq!(bench.screens(50).len(), 1);
        assert!(bench.screens(50)[0].1, "the last one is missed");
        // Both away at once: one of them is enough.
        bench.plug(Event::Added(own.clone()), 60);
        bench.plug(Event::Added(visitor.clone()), 60);
        bench.plug(removed(&own), 70);
        bench.plug(removed(&visitor), 70);
        assert_eq!(bench.screens(80).len(), 2);
        bench.plug(Event::Added(own), 90);
        assert_eq!(bench.screens(90), left);
    }

    #[test]
    fn a_touch_screen_that_was_changed_for_another_is_not_missed() {
        let mut bench = Bench::new(true);
        bench.connect(WIRED, 0);
        let (old, new) = (screen("1-1:1.0", "0001"), screen("1-1:1.0", "0002"));
        bench.plug(Event::Added(old.clone()), 0);
        bench.plug(removed(&old), 10);
        assert_eq!(bench.screens(60).len(), 1);
        bench.plug(Event::Added(new), 60);
        let id = "usb:222a:0002@1-1:1.0".to_owned();
        assert_eq!(bench.screens(100), [(id, false)]);
        // In another port it is the same one.
        let moved = screen("1-2:1.0", "0002");
        bench.plug(removed(&screen("1-1:1.0", "0002")), 200);
        bench.plug(Event::Added(moved), 230);
        let id = "usb:222a:0002@1-2:1.0".to_owned();
        assert_eq!(bench.screens(300), [(id, false)]);
    }

    #[test]
    fn what_is_no_touch_screen_of_the_panel_is_not_missed() {
        let mut bench = Bench::new(true);
        bench.connect(WIRED, 0);
        let mut other = screen("1-1:1.0", "0001");
        let mut ignore = |ignored: &str| {
            let key = "LIBINPUT_IGNORE_DEVICE".to_owned();
            other.values.insert(key, ignored.to_owned());
            other.clone()
        };
        let (ignored, bound) = (ignore("1"), ignore("0"));
        bench.plug(Event::Added(ignored.clone()), 0);
        let mut keyboard = screen("1-2:1.0", "0002");
        keyboard.values.remove("ID_INPUT_TOUCHSCREEN");
        bench.plug(Event::Added(keyboard), 0);
        assert!(bench.screens(1).is_empty());
        // The rules are changed, and changed back.
        bench.plug(Event::Changed(bound), 2);
        assert_eq!(bench.screens(2).len(), 1);
        bench.plug(Event::Changed(ignored), 3);
        assert!(bench.screens(100).is_empty());
    }
}
