// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What was done with a display and what came of it, for the health view.

use std::collections::VecDeque;
use std::time::Instant;

use roomd_model::Language;

use super::cec::{Message, Outcome};
use super::power::Power;

/// So many lines are kept.
const LINES: usize = 64;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The display should be like this.
    Wanted(Power),
    /// Said over CEC, and what came of it.
    Cec(Message, Outcome),
    /// Tried over DDC/CI, and how the display says it is.
    Ddc(Power, Option<Power>),
    /// Over DDC/CI it was told to show this input, and whether the line took it.
    Input(u8, bool),
    /// It is as it should be.
    Reached(Power),
    /// It took what it was told, and cannot be asked whether it did it.
    Assumed(Power),
    /// Nothing helped: a person must do it.
    Asked(Power),
}

/// The last things that happened, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: VecDeque<(Instant, Happened)>,
}

impl Log {
    /// Everything that is kept.
    pub fn lines(&self) -> impl Iterator<Item = &(Instant, Happened)> {
        self.lines.iter()
    }

    pub(super) fn add(&mut self, now: Instant, happened: Happened) {
        while self.lines.len() >= LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((now, happened));
    }
}

impl Happened {
    /// In words for people.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        match language {
            Language::De => self.german(),
            Language::En => self.english(),
        }
    }

    fn english(self) -> String {
        let power = |power| match power {
            Power::On => "on",
            Power::Standby => "on standby",
        };
        match self {
            Self::Wanted(wanted) => format!("The display should be {}.", power(wanted)),
            Self::Cec(message, outcome) => {
                let outcome = match outcome {
                    Outcome::Taken => "taken",
                    Outcome::Is(is) => return format!("CEC, {message:?}: it is {}.", power(is)),
                    Outcome::Nobody => "nobody took it",
                    Outcome::Silent => "no answer",
                    Outcome::Refused => "the display does not know it",
                    Outcome::Failed => "the line failed",
                };
                format!("CEC, {message:?}: {outcome}.")
            }
            Self::Ddc(wanted, Some(is)) => {
                format!("DDC/CI, {}: it is {}.", power(wanted), power(is))
            }
            Self::Ddc(wanted, None) => format!("DDC/CI, {}: no answer.", power(wanted)),
            Self::Input(input, true) => format!("DDC/CI, input {input}: taken."),
            Self::Input(input, false) => format!("DDC/CI, input {input}: nobody took it."),
            Self::Reached(is) => format!("The display is {}.", power(is)),
            Self::Assumed(is) => {
                format!("The display should be {} now; it does not say.", power(is))
            }
            Self::Asked(Power::On) => "Nothing helped; the panel asks to turn it on.".to_owned(),
            Self::Asked(Power::Standby) => "Nothing helped; the display stays on.".to_owned(),
        }
    }

    fn german(self) -> String {
        let power = |power| match power {
            Power::On => "an",
            Power::Standby => "im Ruhezustand",
        };
        match self {
            Self::Wanted(wanted) => format!("Der Bildschirm soll {} sein.", power(wanted)),
            Self::Cec(message, outcome) => {
                let outcome = match outcome {
                    Outcome::Taken => "angenommen",
                    Outcome::Is(is) => return format!("CEC, {message:?}: er ist {}.", power(is)),
                    Outcome::Nobody => "niemand nahm es an",
                    Outcome::Silent => "keine Antwort",
                    Outcome::Refused => "der Bildschirm kennt das nicht",
                    Outcome::Failed => "die Leitung ist gestört",
                };
                format!("CEC, {message:?}: {outcome}.")
            }
            Self::Ddc(wanted, Some(is)) => {
                format!("DDC/CI, {}: er ist {}.", power(wanted), power(is))
            }
            Self::Ddc(wanted, None) => format!("DDC/CI, {}: keine Antwort.", power(wanted)),
            Self::Input(input, true) => format!("DDC/CI, Eingang {input}: angenommen."),
            Self::Input(input, false) => format!("DDC/CI, Eingang {input}: niemand nahm es an."),
            Self::Reached(is) => format!("Der Bildschirm ist {}.", power(is)),
            Self::Assumed(is) => {
                format!(
                    "Der Bildschirm sollte jetzt {} sein; er sagt es nicht.",
                    power(is)
                )
            }
            Self::Asked(Power::On) => {
                "Nichts half; das Bedienfeld bittet, ihn einzuschalten.".to_owned()
            }
            Self::Asked(Power::Standby) => "Nichts half; der Bildschirm bleibt an.".to_owned(),
        }
    }
}
