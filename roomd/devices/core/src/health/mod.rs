// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How the room's devices are, for people and for operators: a state, a code, a text and a remedy for
//! each, and one number for the room.
//!
//! The score is 100 less the weight of every kind of device that is in trouble, and never below 0.
//! An error counts with the whole weight, a warning with half of it, a notice with none; of several
//! devices of a kind the worst counts. The weights are [`Subject::weight`].

use std::collections::BTreeMap;

use roomd_model::{FaultCode, Language, Severity};
use serde::Serialize;

use crate::inventory::Role;

mod texts;

/// Devices that are listed.
const ITEMS: usize = 128;

/// What a device is for the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A microphone.
    Microphone,
    /// A loudspeaker.
    Loudspeaker,
    /// A display.
    Display,
    /// A camera.
    Camera,
    /// What people operate the room with: wired to it, or paired.
    Panel,
    /// The touch screen of the wired panel.
    PanelTouch,
    /// The input for content.
    Content,
    /// Mute key and lamp of a device.
    Telephony,
    /// Buttons and sensors.
    Keys,
    /// What wakes the display and sends it to sleep.
    DisplayControl,
    /// What encodes the camera's picture.
    Encoder,
}

impl Subject {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Microphone,
        Self::Loudspeaker,
        Self::Display,
        Self::Camera,
        Self::Panel,
        Self::PanelTouch,
        Self::Content,
        Self::Telephony,
        Self::Keys,
        Self::DisplayControl,
        Self::Encoder,
    ];

    /// What an error costs in the room's score.
    #[must_use]
    pub const fn weight(self) -> u8 {
        match self {
            Self::Microphone | Self::Loudspeaker => 40,
            Self::Display | Self::Camera => 30,
            Self::Panel | Self::PanelTouch => 20,
            Self::Content => 10,
            Self::Telephony | Self::Keys | Self::DisplayControl | Self::Encoder => 5,
        }
    }

    /// What a device is by its role. A speakerphone is listed as microphone and loudspeaker.
    #[must_use]
    pub const fn of(role: &Role) -> Self {
        match role {
            Role::Camera(_) => Self::Camera,
            Role::Content(_) => Self::Content,
            Role::Microphone | Role::Speakerphone => Self::Microphone,
            Role::Loudspeaker => Self::Loudspeaker,
            Role::Panel => Self::Panel,
            Role::Keys => Self::Keys,
            Role::Telephony => Self::Telephony,
            Role::Cec => Self::DisplayControl,
        }
    }
}

/// What is wrong with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// It is not there.
    Missing,
    /// It has no connection to the room.
    Gone,
    /// It is there and delivers nothing.
    Stalled,
    /// It comes and goes without end.
    Unsteady,
    /// Another program has it.
    InUse,
    /// It offers nothing that the room can take.
    NoFormat,
    /// It delivers less than it promised.
    Slow,
    /// It is in another port.
    Moved,
    /// Another device stands in for it.
    StandIn,
    /// It says about itself what cannot be.
    Nonsense,
    /// What a display says about itself is damaged.
    DataDamaged,
    /// It does not do what it is told.
    Disobeys,
    /// It does not let itself be woken; a person must do it.
    NeedsPerson,
    /// Its keys send without end.
    Flood,
    /// The table that describes it is wrong.
    TableRejected,
    /// The configuration gives it a name that no key has.
    KeyUnknown,
    /// The configuration gives it something to do that it cannot.
    ActionUnknown,
    /// The configuration names it twice.
    NamedTwice,
    /// What is plugged into it protects its picture.
    Protected,
    /// What is plugged into it sends a picture that it cannot take.
    OutOfRange,
    /// What is plugged into it sends nothing, or one colour.
    NoPicture,
    /// It does the work of another one, which failed.
    FellBack,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 22] = [
        Self::Missing,
        Self::Gone,
        Self::Stalled,
        Self::Unsteady,
        Self::InUse,
        Self::NoFormat,
        Self::Slow,
        Self::Moved,
        Self::StandIn,
        Self::Nonsense,
        Self::DataDamaged,
        Self::Disobeys,
        Self::NeedsPerson,
        Self::Flood,
        Self::TableRejected,
        Self::KeyUnknown,
        Self::ActionUnknown,
        Self::NamedTwice,
        Self::Protected,
        Self::OutOfRange,
        Self::NoPicture,
        Self::FellBack,
    ];

    /// How much it matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Missing | Self::Stalled | Self::Unsteady | Self::InUse | Self::NoFormat => {
                Severity::Error
            }
            Self::Gone | Self::Disobeys | Self::NeedsPerson | Self::Flood | Self::StandIn => {
                Severity::Warning
            }
            // A camera slows down when the light is dim: it works, and costs nothing.
            Self::Slow
            | Self::Moved
            | Self::Nonsense
            | Self::DataDamaged
            | Self::TableRejected
            | Self::KeyUnknown
            | Self::ActionUnknown
            | Self::NamedTwice
            // What somebody plugs in is no fault of the room.
            | Self::Protected
            | Self::OutOfRange
            | Self::NoPicture
            // The others see no difference.
            | Self::FellBack => Severity::Notice,
        }
    }
}

/// How a device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is for the room.
    pub subject: Subject,
    /// Which one: its identity, or the name of its role.
    pub device: String,
    /// What it calls itself.
    pub label: String,
    /// What is wrong; none when it is well.
    pub trouble: Option<Trouble>,
    /// A short technical detail for operators.
    pub detail: Option<String>,
}

/// A device's line in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Code for operators, such as `camera-missing`; `camera-ok` for a device that is well.
    pub code: String,
    /// How much it matters; none when it is well.
    pub severity: Option<Severity>,
    /// What is the matter.
    pub text: String,
    /// What to do about it; empty when there is nothing to do.
    pub remedy: &'static str,
}

impl Item {
    /// In words.
    #[must_use]
    pub fn report(&self, language: Language) -> Report {
        Report {
            code: self.code(),
            severity: self.trouble.map(Trouble::severity),
            text: texts::text(language, self),
            remedy: self.trouble.map_or("", |t| texts::remedy(language, t)),
        }
    }

    /// Code for operators.
    #[must_use]
    pub fn code(&self) -> String {
        let subject = texts::code_of_subject(self.subject);
        let trouble = self.trouble.map_or("ok", texts::code_of_trouble);
        format!("{subject}-{trouble}")
    }

    /// The fault that panel and display show for it, where people should know.
    #[must_use]
    pub fn fault(&self) -> Option<FaultCode> {
        if self.trouble?.severity() < Severity::Error {
            return None;
        }
        match self.subject {
            Subject::Microphone => Some(FaultCode::MicrophoneMissing),
            Subject::Loudspeaker => Some(FaultCode::LoudspeakerMissing),
            Subject::Display => Some(FaultCode::DisplayMissing),
            Subject::Camera => Some(FaultCode::CameraMissing),
            Subject::Panel
            | Subject::PanelTouch
            | Subject::Content
            | Subject::Telephony
            | Subject::Keys
            | Subject::DisplayControl
            | Subject::Encoder => None,
        }
    }
}

/// How all devices are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    items: BTreeMap<(Subject, String), Item>,
}

impl Health {
    /// Says how a device is; replaces what was said before.
    pub fn set(&mut self, item: Item) {
        let key = (item.subject, item.device.clone());
        if self.items.len() < ITEMS || self.items.contains_key(&key) {
            self.items.insert(key, item);
        }
    }

    /// Forgets a device that the room does not use any more.
    pub fn remove(&mut self, subject: Subject, device: &str) {
        self.items.remove(&(subject, device.to_owned()));
    }

    /// Every device, by kind.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// The room's score, 0 to 100.
    #[must_use]
    pub fn score(&self) -> u8 {
        let lost: u32 = Subject::ALL
            .into_iter()
            .map(|s| u32::from(self.lost(s)))
            .sum();
        u8::try_from(100_u32.saturating_sub(lost)).unwrap_or(0)
    }

    /// What a kind of device takes from the score.
    #[must_use]
    pub fn lost(&self, subject: Subject) -> u8 {
        let items = self.items().filter(|item| item.subject == subject);
        let worst = items
            .filter_map(|item| item.trouble)
            .map(Trouble::severity)
            .max();
        match worst {
            Some(Severity::Error) => subject.weight(),
            Some(Severity::Warning) => subject.weight() / 2,
            Some(Severity::Notice) | None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn item(subject: Subject, device: &str, trouble: Option<Trouble>) -> Item {
        Item {
            subject,
            device: device.to_owned(),
            label: "Logi Group".to_owned(),
            trouble,
            detail: None,
        }
    }

    #[test]
    fn the_score_is_what_the_formula_says() {
        let mut health = Health::default();
        assert_eq!(health.score(), 100);
        health.set(item(Subject::Camera, "front", None));
        health.set(item(Subject::Camera, "side", Some(Trouble::Slow)));
        assert_eq!(health.score(), 100);
        health.set(item(Subject::Camera, "back", Some(Trouble::Disobeys)));
        assert_eq!(health.score(), 85);
        health.set(item(Subject::Camera, "front", Some(Trouble::Missing)));
        assert_eq!((health.lost(Subject::Camera), health.score()), (30, 70));
        health.set(item(Subject::Keys, "a", Some(Trouble::Moved)));
        assert_eq!(health.score(), 70);
        for subject in Subject::ALL {
            health.set(item(subject, "x", Some(Trouble::Missing)));
        }
        assert_eq!(health.score(), 0);
        health.remove(Subject::Camera, "front");
        assert!(health.items().all(|item| item.device != "front"));
    }

    #[test]
    fn every_trouble_has_words_and_a_remedy_in_each_language() {
        for language in [Language::De, Language::En] {
            let mut codes = BTreeSet::new();
            for subject in Subject::ALL {
                for trouble in Trouble::ALL {
                    let report = item(subject, "x", Some(trouble)).report(language);
                    assert!(report.text.contains("Logi Group"), "{report:?}");
                    assert!(report.text.ends_with('.') && report.remedy.ends_with('.'));
                    assert!(codes.insert(report.code));
                }
            }
        }
        let well = item(Subject::Camera, "x", None);
        let report = well.report(Language::De);
        assert_eq!(report.code, "camera-ok");
        assert_eq!(report.text, "Die Kamera „Logi Group“ ist in Ordnung.");
        assert_eq!(report.remedy, "");
        let code = |subject, trouble| item(subject, "x", Some(trouble)).code();
        assert_eq!(code(Subject::Panel, Trouble::Gone), "panel-gone");
        let touch = code(Subject::PanelTouch, Trouble::Missing);
        assert_eq!(touch, "panel-touch-missing");
    }

    #[test]
    fn errors_of_what_people_need_are_faults() {
        let fault = |subject, trouble| item(subject, "x", Some(trouble)).fault();
        assert_eq!(
            fault(Subject::Camera, Trouble::Stalled),
            Some(FaultCode::CameraMissing)
        );
        assert_eq!(fault(Subject::Camera, Trouble::Moved), None);
        assert_eq!(fault(Subject::Keys, Trouble::Missing), None);
        assert_eq!(fault(Subject::PanelTouch, Trouble::Missing), None);
    }

    #[test]
    fn a_flood_of_devices_has_a_bound() {
        let mut health = Health::default();
        for n in 0..1000 {
            health.set(item(Subject::Keys, &n.to_string(), None));
        }
        assert_eq!(health.items().count(), ITEMS);
    }
}
