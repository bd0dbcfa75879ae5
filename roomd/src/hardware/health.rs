// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How the room's devices are, made of what each part of the hardware task knows.

use std::collections::BTreeSet;

use roomd_api::{HealthItem, Words};
use roomd_config::RefusedKey;
use roomd_devices::core::content::port::Shown;
use roomd_devices::core::content::signal::Signal;
use roomd_devices::core::health::{Health, Item, Subject, Trouble};
use roomd_devices::core::identity::DeviceId;
use roomd_devices::core::inventory::Entry;
use roomd_devices::core::keys::KeyMapError;
use roomd_devices::core::panel::{Panels, Presence};
use roomd_devices::display::DisplayState;
use roomd_devices::mute::KeyState;
use roomd_media::HardwareReport;
use roomd_model::{FaultCode, Language};

use super::cameras::Cameras;
use super::content;
use super::keys::KeysHealth;
use super::sound::Sound;

/// What operators read of a display whose data are whole in their first part only.
const PARTLY_DAMAGED: &str =
    "an extension of the display's data is damaged; check cable, adapter and switch";

/// What is remembered about devices that their present state does not tell.
#[derive(Debug, Default)]
pub struct Marks {
    /// In another place than the configuration names.
    pub moved: BTreeSet<DeviceId>,
    /// They come and go without end.
    pub unsteady: BTreeSet<DeviceId>,
    /// How the buttons are.
    pub keys: KeysHealth,
    /// What is wrong with the mute key.
    pub telephony: Option<Trouble>,
    /// Tables that were not read, and why.
    pub tables: Vec<(Subject, String)>,
    /// Lines of the key map that do nothing.
    pub refused_keys: Vec<RefusedKey>,
    /// Connectors that the configuration names and no display is plugged into.
    pub absent_displays: Vec<String>,
    /// The CEC adapter that the configuration names, where it is not there.
    pub absent_adapter: Option<String>,
}

/// The devices that are in another place than the configuration names.
pub fn moved(entries: &[Entry]) -> BTreeSet<DeviceId> {
    let elsewhere = entries.iter().filter(|it| it.usable && it.elsewhere);
    elsewhere.map(|entry| entry.device.id.clone()).collect()
}

/// The trouble that matters most, of equal ones the first.
fn worst(troubles: impl IntoIterator<Item = Option<Trouble>>) -> Option<Trouble> {
    troubles.into_iter().flatten().reduce(|worst, trouble| {
        if trouble.severity() > worst.severity() {
            trouble
        } else {
            worst
        }
    })
}

/// Everything that health is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The cameras, where the room chooses them.
    pub cameras: Option<&'a Cameras>,
    /// Microphone and loudspeaker, where the room has any.
    pub sound: Option<&'a Sound>,
    /// The content inputs.
    pub content: &'a [Shown],
    /// The first display.
    pub display: &'a DisplayState,
    /// The display for content, by its connector.
    pub content_display: Option<&'a (String, DisplayState)>,
    /// The panels.
    pub panels: &'a Panels,
    /// What the room is called, and so its panels.
    pub name: &'a str,
    /// What the engine misses.
    pub lost: &'a BTreeSet<FaultCode>,
    /// The camera in use delivers less than was agreed with it.
    pub camera_slow: bool,
    /// The microphone in use delivers less sound than time passes.
    pub microphone_slow: bool,
    /// Of what the engine misses, what another program has.
    pub in_use: &'a BTreeSet<FaultCode>,
    /// What encodes its picture besides the processor.
    pub encoder: &'a HardwareReport,
    /// What else is remembered.
    pub marks: &'a Marks,
}

/// Puts it together.
pub fn health(parts: &Parts<'_>) -> roomd_api::Health {
    let mut health = Health::default();
    if let Some(cameras) = parts.cameras {
        set_cameras(&mut health, cameras, parts);
    }
    if let Some(sound) = parts.sound {
        set_sound(&mut health, sound, parts);
    }
    set_content(&mut health, parts);
    set_display(&mut health, parts);
    set_panels(&mut health, parts);
    set_encoder(&mut health, parts.encoder);
    for (device, (label, trouble)) in &parts.marks.keys {
        health.set(item(Subject::Keys, device, label, *trouble, None));
    }
    for (subject, detail) in &parts.marks.tables {
        let table = Some(Trouble::TableRejected);
        health.set(item(*subject, "table", "roomd", table, Some(detail)));
    }
    for line in &parts.marks.refused_keys {
        health.set(refused(line));
    }
    roomd_api::Health {
        score: health.score(),
        items: health.items().map(shown).collect(),
    }
}

fn item(
    subject: Subject,
    device: &str,
    label: &str,
    trouble: Option<Trouble>,
    detail: Option<&str>,
) -> Item {
    Item {
        subject,
        device: device.to_owned(),
        label: label.to_owned(),
        trouble,
        detail: detail.map(str::to_owned),
    }
}

/// A line of the key map that does nothing.
fn refused(line: &RefusedKey) -> Item {
    let trouble = match line.why {
        KeyMapError::Key { .. } => Trouble::KeyUnknown,
        KeyMapError::Action { .. } | KeyMapError::Switch(..) => Trouble::ActionUnknown,
        KeyMapError::Twice(_) => Trouble::NamedTwice,
    };
    let place = line.error.place();
    let label = format!("{}, {place}", line.key);
    let cause = Some(line.error.cause());
    item(Subject::Keys, &place, &label, Some(trouble), cause)
}

fn set_cameras(health: &mut Health, cameras: &Cameras, parts: &Parts<'_>) {
    for (camera, active, known, detail) in cameras.troubles() {
        // A camera that nobody named and nobody uses is no concern of the room.
        if !camera.configured && !active {
            continue;
        }
        let id = camera.there.as_ref().map(|there| &there.id);
        let marked = |set: &BTreeSet<DeviceId>| id.is_some_and(|id| set.contains(id));
        let stalled = active && parts.lost.contains(&FaultCode::CameraMissing);
        let in_use = active && parts.in_use.contains(&FaultCode::CameraMissing);
        let trouble = worst([
            known,
            in_use.then_some(Trouble::InUse),
            stalled.then_some(Trouble::Stalled),
            marked(&parts.marks.unsteady).then_some(Trouble::Unsteady),
            (active && parts.camera_slow).then_some(Trouble::Slow),
            marked(&parts.marks.moved).then_some(Trouble::Moved),
        ]);
        let device = id.map_or_else(|| camera.name.clone(), ToString::to_string);
        health.set(item(
            Subject::Camera,
            &device,
            &camera.name,
            trouble,
            detail,
        ));
    }
    if cameras.active().is_none() && parts.lost.contains(&FaultCode::CameraMissing) {
        let missing = Some(Trouble::Missing);
        health.set(item(Subject::Camera, "auto", "auto", missing, None));
    }
}

fn set_sound(health: &mut Health, sound: &Sound, parts: &Parts<'_>) {
    let Some(chosen) = &sound.chosen else { return };
    let directions = [
        (
            Subject::Microphone,
            &chosen.microphone,
            &sound.names.microphone,
            FaultCode::MicrophoneMissing,
        ),
        (
            Subject::Loudspeaker,
            &chosen.loudspeaker,
            &sound.names.loudspeaker,
            FaultCode::LoudspeakerMissing,
        ),
    ];
    for (subject, choice, name, fault) in directions {
        let lost = parts.lost.contains(&fault);
        let in_use = parts.in_use.contains(&fault);
        let slow = subject == Subject::Microphone && parts.microphone_slow;
        if let Some(card) = &choice.card {
            let id = card.id.as_ref();
            let device = id.map_or_else(|| card.device.clone(), ToString::to_string);
            let marked = |set: &BTreeSet<DeviceId>| id.is_some_and(|id| set.contains(id));
            let trouble = worst([
                in_use.then_some(Trouble::InUse),
                lost.then_some(Trouble::Stalled),
                marked(&parts.marks.unsteady).then_some(Trouble::Unsteady),
                slow.then_some(Trouble::Slow),
                choice.moved.then_some(Trouble::Moved),
            ]);
            health.set(item(subject, &device, &card.name, trouble, None));
        }
        // Also in an idle room, whose engine has opened nothing yet and misses nothing.
        match (&choice.absent, &choice.card) {
            (Some(absent), Some(card)) => {
                let stand_in = Some(Trouble::StandIn);
                let (device, label) = (&absent.device, &absent.label);
                health.set(item(subject, device, label, stand_in, Some(&card.name)));
            }
            (Some(absent), None) => {
                let missing = Some(Trouble::Missing);
                health.set(item(subject, &absent.device, &absent.label, missing, None));
            }
            (None, None) => {
                let trouble = worst([
                    in_use.then_some(Trouble::InUse),
                    lost.then_some(Trouble::Missing),
                    slow.then_some(Trouble::Slow),
                ]);
                // What the engine opens by a name that is no card's is known by that alone.
                let device = choice.named.as_deref().unwrap_or("auto");
                if lost || choice.named.is_some() {
                    let label = name.as_deref().unwrap_or(device);
                    health.set(item(subject, device, label, trouble, None));
                }
            }
            (None, Some(_)) => {}
        }
    }
    let Some(card) = &chosen.microphone.card else {
        return;
    };
    let device = card.id.as_ref();
    let device = device.map_or_else(String::new, ToString::to_string);
    let (trouble, detail) = match sound.key() {
        KeyState::None => return,
        KeyState::Open => (parts.marks.telephony, None),
        KeyState::Refused(why) => (Some(Trouble::Stalled), Some(why.as_str())),
    };
    health.set(item(
        Subject::Telephony,
        &device,
        &card.name,
        trouble,
        detail,
    ));
}

fn set_content(health: &mut Health, parts: &Parts<'_>) {
    for input in parts.content {
        let id = input.there.as_ref().map(|there| &there.id);
        let marked = |set: &BTreeSet<DeviceId>| id.is_some_and(|id| set.contains(id));
        let trouble = match input.signal {
            Signal::Missing => Some(Trouble::Missing),
            Signal::Protected => Some(Trouble::Protected),
            Signal::OutOfRange => Some(Trouble::OutOfRange),
            Signal::NoPicture => Some(Trouble::NoPicture),
            // An input to which nobody connects anything is well, and so is an empty slide.
            Signal::NoSignal
            | Signal::Unstable
            | Signal::Ready(_)
            | Signal::Live(_)
            | Signal::Dark(_) => None,
        };
        let trouble = worst([
            trouble,
            marked(&parts.marks.unsteady).then_some(Trouble::Unsteady),
            marked(&parts.marks.moved).then_some(Trouble::Moved),
        ]);
        let device = id.map_or_else(|| input.name.clone(), ToString::to_string);
        let detail = content::detail(input);
        let detail = detail.as_deref();
        health.set(item(
            Subject::Content,
            &device,
            &input.name,
            trouble,
            detail,
        ));
    }
}

fn set_display(health: &mut Health, parts: &Parts<'_>) {
    let absent = &parts.marks.absent_displays;
    let lost = parts.lost.contains(&FaultCode::DisplayMissing) && absent.is_empty();
    for name in absent {
        let missing = Some(Trouble::Missing);
        health.set(item(Subject::Display, name, name, missing, None));
    }
    let mut any = false;
    for connector in parts.display.connectors.iter().filter(|it| it.connected) {
        any = true;
        let (label, damage) = match &connector.edid {
            Ok(edid) => {
                let damaged = edid.damaged.then(|| PARTLY_DAMAGED.to_owned());
                (edid.name.as_str(), damaged)
            }
            Err(error) => ("", Some(error.to_string())),
        };
        let trouble = damage.as_ref().map(|_| Trouble::DataDamaged);
        let trouble = lost.then_some(Trouble::Missing).or(trouble);
        let device = &connector.name;
        let label = if label.is_empty() { device } else { label };
        health.set(item(
            Subject::Display,
            device,
            label,
            trouble,
            damage.as_deref(),
        ));
    }
    if !any && lost {
        let missing = Some(Trouble::Missing);
        health.set(item(Subject::Display, "display", "display", missing, None));
    }
    set_display_control(health, parts);
}

fn set_display_control(health: &mut Health, parts: &Parts<'_>) {
    if let Some(node) = &parts.marks.absent_adapter {
        let missing = Some(Trouble::Missing);
        health.set(item(Subject::DisplayControl, node, node, missing, None));
    }
    let label = "HDMI-CEC, DDC/CI";
    set_controlled(health, "display", label, parts.display);
    if let Some((name, state)) = parts.content_display {
        set_controlled(health, name, name, state);
    }
}

/// Nothing is said of a display that nobody has told anything.
fn set_controlled(health: &mut Health, device: &str, label: &str, display: &DisplayState) {
    let Some((_, happened)) = display.log.last() else {
        return;
    };
    let happened = happened.text(Language::En);
    let trouble = worst([
        display.asks.then_some(Trouble::NeedsPerson),
        display.stays_on.then_some(Trouble::Disobeys),
    ]);
    let detail = Some(happened.as_str());
    let subject = Subject::DisplayControl;
    health.set(item(subject, device, label, trouble, detail));
}

/// Nothing is said of panels that the room does not have, nor before one had time to come.
fn set_panels(health: &mut Health, parts: &Parts<'_>) {
    let trouble = match parts.panels.presence() {
        Presence::Absent => return,
        Presence::There => None,
        Presence::Gone => Some(Trouble::Gone),
    };
    let connected = parts.panels.connected();
    let detail = format!("{} wired, {} paired", connected.wired, connected.paired);
    let detail = Some(detail.as_str());
    health.set(item(Subject::Panel, "panel", parts.name, trouble, detail));
    for (id, screen) in parts.panels.touch_screens() {
        let unsteady = parts.marks.unsteady.contains(id);
        let trouble = worst([
            unsteady.then_some(Trouble::Unsteady),
            screen.missing.then_some(Trouble::Missing),
        ]);
        let device = id.to_string();
        let label = &screen.label;
        health.set(item(Subject::PanelTouch, &device, label, trouble, None));
    }
}

/// Nothing is said before the engine has.
fn set_encoder(health: &mut Health, report: &HardwareReport) {
    if report.why.is_empty() {
        return;
    }
    let trouble = report.failed.then_some(Trouble::FellBack);
    let label = report.encoder.unwrap_or("VP8");
    let detail = Some(report.why.as_str());
    health.set(item(Subject::Encoder, "camera", label, trouble, detail));
}

fn shown(item: &Item) -> HealthItem {
    let [de, en] = [Language::De, Language::En].map(|language| item.report(language));
    let remedy = Words {
        de: de.remedy.to_owned(),
        en: en.remedy.to_owned(),
    };
    HealthItem {
        code: en.code,
        severity: en.severity,
        device: item.device.clone(),
        text: Words {
            de: de.text,
            en: en.text,
        },
        remedy: (!remedy.en.is_empty()).then_some(remedy),
        detail: item.detail.clone(),
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
