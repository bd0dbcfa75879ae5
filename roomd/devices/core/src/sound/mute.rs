// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One mute for the room and its device: a key on the device mutes the room, the room's mute lights
//! the device's lamp and turns its switch.
//!
//! The room's state is the truth; the device asks, and its lamp follows the answer. What the room
//! itself did to the device comes back as an event and is recognised. Where they disagree, the room
//! is muted: only a key that a person presses turns the microphone on.

use std::time::{Duration, Instant};

use crate::flood::{Gate, Verdict};

/// A device does what it was told within this time, or does not.
const OBEYS: Duration = Duration::from_secs(1);
/// How often a device is told again.
const TRIES: u32 = 3;

/// What the device has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// A lamp that says that the microphone is muted.
    pub lamp: bool,
    /// A switch in its mixer.
    pub switch: bool,
    /// Its key shows as that switch, so the switch may also turn the microphone on.
    pub switch_is_key: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The device is there; its lamp and switch are in an unknown state.
    Attached(Abilities),
    /// The device is gone.
    Detached,
    /// The room is muted or not.
    Room(bool),
    /// A key was pressed that changes mute over.
    Pressed,
    /// The device says that its key stands at muted or not.
    Key(bool),
    /// The mixer's switch records or not.
    Switch(bool),
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Mute the room or not, as if somebody had touched the panel. [`Input::Room`] answers, also
    /// when the room stays as it was.
    SetRoom(bool),
    /// Light the lamp or not.
    SetLamp(bool),
    /// Let the mixer's switch record or not.
    SetSwitch(bool),
    /// The key is pressed without end; it is ignored until it is quiet, and the room is muted.
    Flood,
    /// The key is quiet again after a flood, and heard.
    Quiet,
    /// The switch does not stay as it is set; it is left alone until the room's mute changes or a flood
    /// of its key ends.
    Disobeys,
    /// The switch does what it would not before, or is asked anew.
    Obeys,
}

/// The mute of the room and of one device.
#[derive(Debug)]
pub struct Mute {
    muted: bool,
    abilities: Abilities,
    lamp: Option<bool>,
    switch: Option<bool>,
    /// What the switch was told, until when it should say so.
    told: Option<(bool, Instant)>,
    /// How often it was told that.
    tries: u32,
    /// What the switch did not do, however often it was told.
    disobeys: Option<bool>,
    keys: Gate,
    /// Where the key stands, as the device said last.
    stands: Option<bool>,
    /// Whether the switch records, as the device said last.
    records: Option<bool>,
}

impl Mute {
    /// Begins with the room as it is, without a device.
    #[must_use]
    pub const fn new(muted: bool) -> Self {
        Self {
            muted,
            abilities: Abilities {
                lamp: false,
                switch: false,
                switch_is_key: false,
            },
            lamp: None,
            switch: None,
            told: None,
            tries: 0,
            disobeys: None,
            keys: Gate::new(10, Duration::from_secs(2)),
            stands: None,
            records: None,
        }
    }

    /// Whether the device itself takes no sound, by its key or its switch, whatever the room wants.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        matches!(self.stands, Some(true)) || matches!(self.records, Some(false))
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        match input {
            Input::Attached(abilities) => {
                self.abilities = abilities;
                self.lamp = None;
                self.switch = None;
                (self.tries, self.disobeys) = (0, None);
                (self.stands, self.records) = (None, None);
                self.follow(now)
            }
            Input::Detached => {
                self.abilities = Abilities::default();
                self.told = None;
                (self.stands, self.records) = (None, None);
                Vec::new()
            }
            Input::Room(muted) => {
                if self.muted != muted {
                    self.tries = 0;
                }
                self.muted = muted;
                self.follow(now)
            }
            Input::Pressed => self.key(!self.muted, now),
            Input::Key(muted) => {
                self.stands = Some(muted);
                if muted == self.muted {
                    return Vec::new();
                }
                self.key(muted, now)
            }
            Input::Switch(records) => self.switched(records, now),
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let told = self.told;
        let switched = told.map(|(_, until)| (until, "the device should have switched"));
        switched.into_iter().chain(self.keys.poll_timeout()).min()
    }

    /// Tells a device again that did not do what it was told, and that a key is quiet again.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Effect> {
        let quiet = self.keys.handle_timeout(now);
        let mut effects: Vec<Effect> = quiet.then_some(Effect::Quiet).into_iter().collect();
        if quiet && self.disobeys.take().is_some() {
            // A device that was busy with its key had no time for its switch.
            (self.tries, self.switch) = (0, None);
            effects.push(Effect::Obeys);
            effects.extend(self.follow(now));
        }
        if self.told.is_some_and(|(_, until)| now >= until) {
            self.told = None;
            self.switch = None;
            effects.extend(self.follow(now));
        }
        effects
    }

    fn key(&mut self, muted: bool, now: Instant) -> Vec<Effect> {
        match self.keys.admit(now) {
            Verdict::Pass => {
                // Two presses before the room answers undo each other.
                self.muted = muted;
                self.tries = 0;
                vec![Effect::SetRoom(muted)]
            }
            Verdict::Closed => {
                self.muted = true;
                self.tries = 0;
                vec![Effect::Flood, Effect::SetRoom(true)]
            }
            Verdict::Drop => Vec::new(),
        }
    }

    fn switched(&mut self, records: bool, now: Instant) -> Vec<Effect> {
        if !self.abilities.switch {
            return Vec::new();
        }
        self.records = Some(records);
        let mut effects = Vec::new();
        if self.disobeys == Some(records) {
            self.disobeys = None;
            effects.push(Effect::Obeys);
        }
        effects.extend(self.stands_at(records, now));
        effects
    }

    fn stands_at(&mut self, records: bool, now: Instant) -> Vec<Effect> {
        let stood = self.switch.replace(records) == Some(records);
        if let Some((told, until)) = self.told {
            if told == records {
                self.told = None;
                return Vec::new();
            }
            if now < until {
                // From before it was told.
                return Vec::new();
            }
            self.told = None;
        } else if stood {
            // Nobody touched it: a word that comes late, maybe when a key was pressed since.
            return Vec::new();
        }
        match (records, self.muted) {
            (true, false) | (false, true) => Vec::new(),
            (false, false) => self.key(true, now),
            (true, true) if self.abilities.switch_is_key => self.key(false, now),
            (true, true) => self.follow(now),
        }
    }

    /// Brings lamp and switch to the room's state.
    fn follow(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.abilities.lamp && self.lamp != Some(self.muted) {
            self.lamp = Some(self.muted);
            // A device with a lamp goes by what the lamp is told.
            self.stands = None;
            effects.push(Effect::SetLamp(self.muted));
        }
        let records = !self.muted;
        let told = self.told.map(|(told, _)| told);
        if !self.abilities.switch || told.or(self.switch) == Some(records) {
            return effects;
        }
        if self.tries >= TRIES {
            if self.tries == TRIES {
                self.tries += 1;
                self.disobeys = Some(records);
                effects.push(Effect::Disobeys);
            }
            return effects;
        }
        self.tries += 1;
        self.told = Some((records, now + OBEYS));
        effects.push(Effect::SetSwitch(records));
        effects
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Abilities = Abilities {
        lamp: true,
        switch: true,
        switch_is_key: false,
    };
    const KEY: Abilities = Abilities {
        switch_is_key: true,
        ..ALL
    };

    struct Room {
        mute: Mute,
        now: Instant,
    }

    impl Room {
        fn with(abilities: Abilities) -> Self {
            let mut room = Self {
                mute: Mute::new(true),
                now: Instant::now(),
            };
            room.sees(
                Input::Attached(abilities),
                &[Effect::SetLamp(true), Effect::SetSwitch(false)],
            );
            room.sees(Input::Switch(false), &[]);
            room
        }

        fn sees(&mut self, input: Input, effects: &[Effect]) {
            self.now += Duration::from_millis(300);
            assert_eq!(self.mute.handle(input, self.now), effects, "{input:?}");
        }
    }

    #[test]
    fn the_key_asks_and_the_lamp_follows_the_answer() {
        let mut room = Room::with(ALL);
        room.sees(Input::Pressed, &[Effect::SetRoom(false)]);
        let on = [Effect::SetLamp(false), Effect::SetSwitch(true)];
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
        room.sees(Input::Key(true), &[Effect::SetRoom(true)]);
        // The room refuses: the lamp keeps saying what is true.
        room.sees(Input::Room(false), &[]);
    }

    #[test]
    fn the_panel_lights_the_lamp() {
        let mut room = Room::with(ALL);
        room.sees(
            Input::Room(false),
            &[Effect::SetLamp(false), Effect::SetSwitch(true)],
        );
        // An event from before it was told, then the device's own confirmation.
        room.sees(Input::Switch(false), &[]);
        room.sees(Input::Switch(true), &[]);
        room.sees(Input::Room(false), &[]);
    }

    #[test]
    fn a_switch_that_obeys_follows_the_key_however_often() {
        let mut room = Room::with(ALL);
        for press in 0..20 {
            let muted = press % 2 == 1;
            room.sees(Input::Pressed, &[Effect::SetRoom(muted)]);
            let follows = [Effect::SetLamp(muted), Effect::SetSwitch(!muted)];
            room.sees(Input::Room(muted), &follows);
            room.sees(Input::Switch(!muted), &[]);
        }
    }

    #[test]
    fn what_is_said_late_of_the_switch_undoes_no_key() {
        let mut room = Room::with(ALL);
        // The key was pressed before the kernel has told all of what the room set.
        room.sees(Input::Pressed, &[Effect::SetRoom(false)]);
        room.sees(Input::Switch(false), &[]);
        let on = [Effect::SetLamp(false), Effect::SetSwitch(true)];
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
        // Somebody turns it off in a mixer.
        room.sees(Input::Switch(false), &[Effect::SetRoom(true)]);
    }

    #[test]
    fn only_a_key_turns_the_microphone_on() {
        let mut room = Room::with(ALL);
        room.sees(Input::Switch(true), &[Effect::SetSwitch(false)]);
        room.sees(Input::Switch(false), &[]);
        let mut room = Room::with(KEY);
        room.sees(Input::Switch(true), &[Effect::SetRoom(false)]);
        room.sees(Input::Room(false), &[Effect::SetLamp(false)]);
        room.sees(Input::Switch(false), &[Effect::SetRoom(true)]);
    }

    #[test]
    fn a_switch_that_does_not_obey_is_left_alone() {
        let mut room = Room::with(ALL);
        room.sees(Input::Switch(true), &[Effect::SetSwitch(false)]);
        let mut effects = Vec::new();
        for _ in 0..10 {
            let Some((at, _)) = room.mute.poll_timeout() else {
                break;
            };
            effects.extend(room.mute.handle_timeout(at));
        }
        assert_eq!(effects, [Effect::SetSwitch(false), Effect::Disobeys]);
        assert_eq!(room.mute.poll_timeout(), None);
        // It is told again once the room's mute changes; that it stands at the other is no news.
        let on = [Effect::SetLamp(false), Effect::SetSwitch(true)];
        let off = [Effect::SetLamp(true), Effect::SetSwitch(false)];
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
        room.sees(Input::Room(true), &off);
        room.sees(Input::Switch(false), &[Effect::Obeys]);
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
    }

    #[test]
    fn a_switch_that_obeys_late_is_well() {
        let mut room = Room::with(ALL);
        room.sees(Input::Switch(true), &[Effect::SetSwitch(false)]);
        while let Some((at, _)) = room.mute.poll_timeout() {
            room.mute.handle_timeout(at);
            room.now = at;
        }
        room.sees(Input::Switch(true), &[]);
        room.sees(Input::Switch(false), &[Effect::Obeys]);
    }

    #[test]
    fn a_room_that_refuses_makes_no_switch_disobey() {
        let mut room = Room::with(ALL);
        let on = [Effect::SetLamp(false), Effect::SetSwitch(true)];
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
        for _ in 0..10 {
            room.sees(Input::Switch(false), &[Effect::SetRoom(true)]);
            room.sees(Input::Room(false), &[Effect::SetSwitch(true)]);
            room.sees(Input::Switch(true), &[]);
        }
    }

    #[test]
    fn a_switch_that_a_flood_kept_from_obeying_is_told_again_after_it() {
        let mut room = Room::with(ALL);
        let on = [Effect::SetLamp(false), Effect::SetSwitch(true)];
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
        for _ in 0..100 {
            room.mute.handle(Input::Pressed, room.now);
        }
        let off = [Effect::SetLamp(true), Effect::SetSwitch(false)];
        room.sees(Input::Room(true), &off);
        let mut effects = Vec::new();
        while let Some((at, why)) = room.mute.poll_timeout() {
            if why.contains("switched") {
                // The key goes on.
                room.mute.handle(Input::Pressed, at);
            }
            effects.extend(room.mute.handle_timeout(at));
            room.now = at;
            if effects.contains(&Effect::Quiet) {
                break;
            }
        }
        let again = Effect::SetSwitch(false);
        let after = [Effect::Disobeys, Effect::Quiet, Effect::Obeys, again];
        assert_eq!(effects, [&[again, again], &after[..]].concat());
        room.sees(Input::Switch(false), &[]);
        assert_eq!(room.mute.poll_timeout(), None);
    }

    #[test]
    fn a_stuck_key_leaves_the_room_muted() {
        let mut mute = Mute::new(true);
        let now = Instant::now();
        let mut effects = Vec::new();
        for _ in 0..1000 {
            effects.extend(mute.handle(Input::Pressed, now));
        }
        assert_eq!(effects.len(), 12);
        assert_eq!(effects[10..], [Effect::Flood, Effect::SetRoom(true)]);
        let (quiet, _) = mute.poll_timeout().unwrap();
        assert_eq!(mute.handle_timeout(now), []);
        assert_eq!(mute.handle_timeout(quiet), [Effect::Quiet]);
        assert_eq!(mute.poll_timeout(), None);
        let effects = mute.handle(Input::Pressed, quiet);
        assert_eq!(effects, [Effect::SetRoom(false)]);
    }

    #[test]
    fn a_device_that_takes_no_sound_is_known_whatever_the_room_wants() {
        let mut room = Room::with(ALL);
        assert!(room.mute.is_off());
        let on = [Effect::SetLamp(false), Effect::SetSwitch(true)];
        room.sees(Input::Room(false), &on);
        room.sees(Input::Switch(true), &[]);
        assert!(!room.mute.is_off());
        room.sees(Input::Key(true), &[Effect::SetRoom(true)]);
        assert!(room.mute.is_off());
        // Without a call the room does not mute.
        room.sees(Input::Room(false), &[]);
        assert!(room.mute.is_off());
        room.sees(Input::Key(false), &[]);
        assert!(!room.mute.is_off());
        room.sees(Input::Switch(false), &[Effect::SetRoom(true)]);
        assert!(room.mute.is_off());
        room.sees(Input::Detached, &[]);
        assert!(!room.mute.is_off());
    }

    #[test]
    fn a_device_that_comes_back_is_brought_into_step() {
        let mut room = Room::with(ALL);
        room.sees(Input::Detached, &[]);
        room.sees(Input::Room(false), &[]);
        room.sees(
            Input::Attached(ALL),
            &[Effect::SetLamp(false), Effect::SetSwitch(true)],
        );
    }

    proptest! {
        /// A room that grants every wish, and a device that does what it is told, come to rest.
        #[test]
        fn there_is_no_loop(inputs in proptest::collection::vec((0..5_u8, any::<bool>()), 0..50)) {
            let mut now = Instant::now();
            let mut mute = Mute::new(true);
            mute.handle(Input::Attached(KEY), now);
            let mut room = true;
            for (kind, on) in inputs {
                now += Duration::from_millis(250);
                let mut open = vec![match kind {
                    0 => Input::Pressed,
                    1 => Input::Key(on),
                    2 => Input::Room(on),
                    3 => Input::Switch(on),
                    _ => Input::Attached(KEY),
                }];
                let mut steps = 0;
                while let Some(input) = open.pop() {
                    steps += 1;
                    prop_assert!(steps < 12, "{:?}", input);
                    if let Input::Room(muted) = input {
                        room = muted;
                    }
                    for effect in mute.handle(input, now) {
                        match effect {
                            Effect::SetRoom(muted) => open.push(Input::Room(muted)),
                            Effect::SetSwitch(records) => open.push(Input::Switch(records)),
                            Effect::SetLamp(lamp) => prop_assert_eq!(lamp, room),
                            Effect::Flood
                            | Effect::Quiet
                            | Effect::Disobeys
                            | Effect::Obeys => {}
                        }
                    }
                }
                prop_assert_eq!(mute.muted, room);
            }
        }
    }
}
