// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Awake before a meeting, asleep when the room is idle: first over CEC, several times; then over
//! DDC/CI; then by a request to the people in the room.
//!
//! One step is open at a time. The shell does it and answers; a wish that changes in between begins
//! anew when the answer is there.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::cec::{Message, Outcome};
use super::log::{Happened, Log};
use super::quirks::{First, Quirks, Wake};

/// How often each way is tried.
const TRIES: u32 = 3;
/// After this time an answer does not come any more.
const LOST: Duration = Duration::from_secs(15);

/// Whether a display shows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// It shows what is sent.
    On,
    /// It sleeps.
    Standby,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// What is there to speak to the display, and what is known about it. Also when it was plugged in.
    Display {
        /// Whether the room has a place on a CEC line.
        cec: bool,
        /// Whether there is a bus for DDC/CI.
        ddc: bool,
        /// How to deal with it.
        quirks: Quirks,
    },
    /// The display is unplugged.
    Unplugged,
    /// How the display should be.
    Want(Power),
    /// What came of [`Effect::Say`].
    Said(Outcome),
    /// How the display is after [`Effect::Set`]; none when it does not say.
    Set(Option<Power>),
    /// Whether the line took [`Effect::Show`].
    Shown(bool),
    /// Somebody pressed the button for it.
    Confirmed,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Say this over CEC and answer with [`Input::Said`].
    Say(Message),
    /// Set this over DDC/CI, ask half a second later, and answer with [`Input::Set`].
    Set(Power),
    /// Have it show this input over DDC/CI and answer with [`Input::Shown`].
    Show(u8),
    /// Ask the people in the room to turn the display on.
    Ask,
    /// Ask no more.
    Withdraw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing to do.
    Rest,
    /// An effect is open.
    Open(Doing, Instant),
    /// The display takes its time.
    Wait(Doing, Instant),
}

/// The parts of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Wake,
    KeyUp,
    Source,
    Standby,
    Check,
    SourceAgain,
    Ddc,
    /// Showing an input: which, and whether the display said before that it is on.
    Show(u8, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Cec,
    Ddc,
}

/// The power of one display.
#[derive(Debug)]
pub struct PowerControl {
    display: Option<(bool, bool, Quirks)>,
    wanted: Option<Power>,
    /// The wish that the open step serves.
    serves: Option<Power>,
    /// Whether a display was there to begin with the wish.
    begun: bool,
    way: usize,
    tries: u32,
    step: Step,
    /// The display took the message that sends it to sleep.
    taken: bool,
    asked: bool,
    stays_on: bool,
    log: Log,
}

impl Default for PowerControl {
    fn default() -> Self {
        Self {
            display: None,
            wanted: None,
            serves: None,
            begun: false,
            way: 0,
            tries: 0,
            step: Step::Rest,
            taken: false,
            asked: false,
            stays_on: false,
            log: Log::default(),
        }
    }
}

impl PowerControl {
    /// What was done, for the health view.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Whether the people in the room are asked to turn the display on.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.asked
    }

    /// Whether the display should sleep, and nothing that was tried made it.
    #[must_use]
    pub const fn stays_on(&self) -> bool {
        self.stays_on
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        match input {
            Input::Display { cec, ddc, quirks } => {
                self.display = Some((cec, ddc, quirks));
                // Whoever turns a display on while the room is idle wants to see something.
                if self.begun && self.wanted == Some(Power::Standby) {
                    return Vec::new();
                }
                self.begin(now)
            }
            Input::Unplugged => {
                self.display = None;
                self.step = Step::Rest;
                self.serves = None;
                self.stays_on = false;
                self.withdraw()
            }
            Input::Want(power) if self.wanted == Some(power) => Vec::new(),
            Input::Want(power) => {
                self.wanted = Some(power);
                self.begun = false;
                self.stays_on = false;
                self.log.add(now, Happened::Wanted(power));
                let mut effects = self.withdraw();
                effects.extend(self.begin(now));
                effects
            }
            Input::Said(outcome) => match self.step {
                Step::Open(Doing::Ddc | Doing::Show(..), _) => Vec::new(),
                Step::Open(doing, _) => self.said(doing, outcome, now),
                Step::Wait(..) | Step::Rest => Vec::new(),
            },
            Input::Set(power) => match self.step {
                Step::Open(Doing::Ddc, _) => self.set(power, now),
                Step::Open(..) | Step::Wait(..) | Step::Rest => Vec::new(),
            },
            Input::Shown(taken) => match self.step {
                Step::Open(Doing::Show(input, is_on), _) => self.shown(input, is_on, taken, now),
                Step::Open(..) | Step::Wait(..) | Step::Rest => Vec::new(),
            },
            Input::Confirmed => self.withdraw(),
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self.step {
            Step::Rest => None,
            Step::Open(_, until) => Some((until, "an answer about the display is overdue")),
            Step::Wait(_, until) => Some((until, "the display has had its time")),
        }
    }

    /// Goes on after waiting.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Effect> {
        match self.step {
            Step::Wait(doing, until) if now >= until => self.open(doing, now),
            Step::Open(Doing::Ddc, until) if now >= until => self.set(None, now),
            Step::Open(Doing::Show(input, is_on), until) if now >= until => {
                self.shown(input, is_on, false, now)
            }
            Step::Open(doing, until) if now >= until => self.said(doing, Outcome::Failed, now),
            Step::Wait(..) | Step::Open(..) | Step::Rest => Vec::new(),
        }
    }

    /// Begins to serve the wish, unless a step is open whose answer must come first.
    fn begin(&mut self, now: Instant) -> Vec<Effect> {
        if matches!(self.step, Step::Open(..)) || self.display.is_none() {
            return Vec::new();
        }
        self.serves = self.wanted;
        self.begun = self.wanted.is_some();
        self.way = 0;
        self.tries = 0;
        self.taken = false;
        self.stays_on = false;
        self.attempt(now)
    }

    /// The ways that this display has, in their order.
    fn ways(&self) -> Vec<Way> {
        let Some((cec, ddc, quirks)) = self.display else {
            return Vec::new();
        };
        let mut ways = Vec::new();
        let standby = quirks.standby || self.serves == Some(Power::On);
        if cec && quirks.cec && standby {
            ways.push(Way::Cec);
        }
        if ddc && quirks.ddc {
            ways.push(Way::Ddc);
        }
        if quirks.first == First::Ddc {
            ways.reverse();
        }
        ways
    }

    fn attempt(&mut self, now: Instant) -> Vec<Effect> {
        let Some(power) = self.serves else {
            self.step = Step::Rest;
            return Vec::new();
        };
        if self.tries >= TRIES {
            self.tries = 0;
            self.way += 1;
        }
        self.tries += 1;
        let quirks = self.quirks();
        match (self.ways().get(self.way), power, quirks.wake) {
            (Some(Way::Ddc), _, _) => self.open(Doing::Ddc, now),
            // The key that changes over must not turn off what is on.
            (Some(Way::Cec), Power::On, Wake::PowerKey) if quirks.status && self.tries == 1 => {
                self.open(Doing::Check, now)
            }
            (Some(Way::Cec), Power::On, _) => self.open(Doing::Wake, now),
            (Some(Way::Cec), Power::Standby, _) => self.open(Doing::Standby, now),
            (None, Power::On, _) => {
                self.step = Step::Rest;
                self.asked = true;
                self.log.add(now, Happened::Asked(Power::On));
                vec![Effect::Ask]
            }
            (None, Power::Standby, _) => {
                self.step = Step::Rest;
                // What nobody could tell it, it does not disobey.
                self.stays_on = !self.ways().is_empty();
                self.log.add(now, Happened::Asked(Power::Standby));
                Vec::new()
            }
        }
    }

    fn open(&mut self, doing: Doing, now: Instant) -> Vec<Effect> {
        self.step = Step::Open(doing, now + LOST);
        vec![match (self.message(doing), doing) {
            (Some(message), _) => Effect::Say(message),
            (None, Doing::Show(input, _)) => Effect::Show(input),
            (None, _) => Effect::Set(self.serves.unwrap_or(Power::On)),
        }]
    }

    fn message(&self, doing: Doing) -> Option<Message> {
        match doing {
            Doing::Wake => Some(match self.quirks().wake {
                Wake::ImageViewOn => Message::ImageViewOn,
                Wake::TextViewOn => Message::TextViewOn,
                Wake::PowerOnKey => Message::PowerOnKey,
                Wake::PowerKey => Message::PowerKey,
            }),
            Doing::KeyUp => Some(Message::KeyUp),
            Doing::Source | Doing::SourceAgain => Some(Message::ActiveSource),
            Doing::Standby => Some(Message::Standby),
            Doing::Check => Some(Message::AskPower),
            Doing::Ddc | Doing::Show(..) => None,
        }
    }

    fn said(&mut self, doing: Doing, outcome: Outcome, now: Instant) -> Vec<Effect> {
        if let Some(message) = self.message(doing) {
            self.log.add(now, Happened::Cec(message, outcome));
        }
        if self.is_outdated() {
            return self.restart(now);
        }
        self.taken |= doing == Doing::Standby && outcome == Outcome::Taken;
        let quirks = self.quirks();
        let patience = Duration::from_secs(u64::from(quirks.seconds));
        let key = matches!(quirks.wake, Wake::PowerOnKey | Wake::PowerKey);
        match doing {
            Doing::Wake if key => self.open(Doing::KeyUp, now),
            Doing::Wake | Doing::KeyUp => self.open(Doing::Source, now),
            Doing::Source | Doing::Standby => {
                self.step = Step::Wait(Doing::Check, now + patience);
                Vec::new()
            }
            Doing::Check => self.checked(outcome, now),
            // A display that was asleep forgets which input it was told.
            Doing::SourceAgain => self.reached(Happened::Reached(Power::On), now),
            Doing::Ddc | Doing::Show(..) => Vec::new(),
        }
    }

    fn checked(&mut self, outcome: Outcome, now: Instant) -> Vec<Effect> {
        let status = self.quirks().status;
        // A line on which nobody heard the message says nothing about a display.
        let is_told = self.serves == Some(Power::On) || self.taken;
        match (outcome, self.serves) {
            (_, Some(power)) if !status && is_told => self.reached(Happened::Assumed(power), now),
            (_, Some(_)) if !status => self.attempt(now),
            (Outcome::Is(Power::On), Some(Power::On)) => self.open(Doing::SourceAgain, now),
            (Outcome::Is(Power::Standby), Some(Power::Standby)) => {
                self.reached(Happened::Reached(Power::Standby), now)
            }
            // Many leave the line when they sleep.
            (Outcome::Nobody, Some(Power::Standby)) if is_told && self.tries > 1 => {
                self.reached(Happened::Assumed(Power::Standby), now)
            }
            (Outcome::Is(Power::Standby), Some(Power::On))
                if self.quirks().wake == Wake::PowerKey =>
            {
                self.open(Doing::Wake, now)
            }
            (
                Outcome::Is(_)
                | Outcome::Taken
                | Outcome::Nobody
                | Outcome::Silent
                | Outcome::Refused
                | Outcome::Failed,
                _,
            ) => self.attempt(now),
        }
    }

    fn set(&mut self, is: Option<Power>, now: Instant) -> Vec<Effect> {
        if let Some(power) = self.serves {
            self.log.add(now, Happened::Ddc(power, is));
        }
        if self.is_outdated() {
            return self.restart(now);
        }
        // One that sleeps shows nothing, and one that goes to sleep is not to.
        let input = self.quirks().input;
        let input = input.filter(|_| self.serves == Some(Power::On) && is != Some(Power::Standby));
        match (is, self.serves, input) {
            (Some(Power::On), Some(Power::On), Some(input)) => {
                self.open(Doing::Show(input, true), now)
            }
            (Some(is), Some(power), _) if is == power => self.reached(Happened::Reached(is), now),
            (Some(_) | None, _, _) => {
                let patience = Duration::from_secs(u64::from(self.quirks().seconds));
                if self.tries >= TRIES {
                    return match input {
                        // Many do what they are told and never say how they are.
                        Some(input) => self.open(Doing::Show(input, false), now),
                        None => self.attempt(now),
                    };
                }
                self.tries += 1;
                self.step = Step::Wait(Doing::Ddc, now + patience);
                Vec::new()
            }
        }
    }

    fn shown(&mut self, input: u8, is_on: bool, taken: bool, now: Instant) -> Vec<Effect> {
        self.log.add(now, Happened::Input(input, taken));
        if self.is_outdated() {
            return self.restart(now);
        }
        if is_on {
            self.reached(Happened::Reached(Power::On), now)
        } else {
            self.attempt(now)
        }
    }

    fn reached(&mut self, happened: Happened, now: Instant) -> Vec<Effect> {
        self.step = Step::Rest;
        self.log.add(now, happened);
        self.withdraw()
    }

    /// The wish changed, or the display went, while a step was open.
    fn is_outdated(&self) -> bool {
        self.serves != self.wanted || self.display.is_none()
    }

    fn restart(&mut self, now: Instant) -> Vec<Effect> {
        self.step = Step::Rest;
        self.begin(now)
    }

    fn withdraw(&mut self) -> Vec<Effect> {
        let asked = std::mem::take(&mut self.asked);
        asked.then_some(Effect::Withdraw).into_iter().collect()
    }

    fn quirks(&self) -> Quirks {
        self.display
            .map_or_else(Quirks::default, |(_, _, quirks)| quirks)
    }
}

#[cfg(test)]
#[path = "power_tests.rs"]
mod tests;
