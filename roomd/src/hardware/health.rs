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
mod tests {
    use std::collections::BTreeMap;

    use roomd_config::Microphone;
    use roomd_devices::camera::Survey;
    use roomd_devices::core::camera::choice::{Choice, RateFit, SizeFit};
    use roomd_devices::core::camera::controls::{Controls, Mains};
    use roomd_devices::core::camera::formats::{Nonsense, Offer, PixelFormat, Size};
    use roomd_devices::core::display::edid::Edid;
    use roomd_devices::core::display::log::Happened;
    use roomd_devices::core::display::power::Power;
    use roomd_devices::sysfs::Connector;
    use roomd_model::PictureSize;

    use super::super::bench::entries;
    use super::super::cameras::News;
    use super::super::presets::PresetStore;
    use super::super::sound::tests::{named, plugged, sound};
    use super::super::survey::Opening;
    use super::*;

    fn of(display: &DisplayState, lost: &[FaultCode], marks: &Marks) -> roomd_api::Health {
        health(&Parts {
            cameras: None,
            sound: None,
            content: &[],
            display,
            content_display: None,
            lost: &lost.iter().copied().collect(),
            camera_slow: false,
            microphone_slow: false,
            in_use: &BTreeSet::new(),
            encoder: &HardwareReport::default(),
            marks,
        })
    }

    /// A camera that says of itself what cannot be, and is in use.
    async fn nonsensical(folder: &std::path::Path) -> Cameras {
        let (news, mut heard) = tokio::sync::mpsc::channel(4);
        let opening = Opening {
            mains: Mains::default(),
            largest: PictureSize::Full,
        };
        let store = PresetStore::load(folder);
        let mut cameras = Cameras::new(Vec::new(), opening, BTreeMap::new(), store, news);
        let path = "/devices/pci0000:00/usb1/1-2/1-2:1.0/video4linux/video7";
        let values = [("DEVNAME", "/dev/no-such-video7")];
        cameras.refresh(&entries([("video4linux", path, &values[..])]));
        let Some(News::Surveyed(id, arrivals, _)) = heard.recv().await else {
            panic!("the camera was not asked");
        };
        let survey = Survey {
            offer: Offer {
                modes: Vec::new(),
                nonsense: vec![Nonsense::NoSize(PixelFormat::Yuyv)],
            },
            choice: Ok(Choice {
                format: PixelFormat::Mjpeg,
                size: Size::new(1280, 720),
                rate: None,
                size_fit: SizeFit::Exact,
                rate_fit: RateFit::Unknown,
                left_out: Vec::new(),
            }),
            controls: Controls::default(),
            picture: BTreeMap::new(),
            receiver: false,
        };
        cameras.surveyed(id, arrivals, Ok(survey));
        cameras
    }

    #[tokio::test]
    async fn what_matters_more_is_told_of_a_camera() {
        let folder = tempfile::tempdir().unwrap();
        let cameras = nonsensical(folder.path()).await;
        let of = |lost: &[FaultCode], in_use: &[FaultCode]| {
            health(&Parts {
                cameras: Some(&cameras),
                sound: None,
                content: &[],
                display: &DisplayState::default(),
                content_display: None,
                lost: &lost.iter().copied().collect(),
                camera_slow: true,
                microphone_slow: false,
                in_use: &in_use.iter().copied().collect(),
                encoder: &HardwareReport::default(),
                marks: &Marks::default(),
            })
        };
        let missing = [FaultCode::CameraMissing];
        assert_eq!(codes(&of(&[], &[])), ["camera-nonsense"]);
        assert_eq!(codes(&of(&missing, &[])), ["camera-stalled"]);
        let in_use = of(&missing, &missing);
        assert_eq!(codes(&in_use), ["camera-in-use"]);
        let remedy = in_use.items[0].remedy.as_ref().unwrap();
        assert_eq!(remedy.en, "Please end the other program.");
        // What is told of the microphone is not its own.
        let others = [FaultCode::MicrophoneMissing];
        assert_eq!(codes(&of(&missing, &others)), ["camera-stalled"]);
    }

    #[test]
    fn a_display_that_does_not_sleep_and_an_adapter_that_is_absent_are_told() {
        let mut display = DisplayState {
            log: vec![(std::time::Instant::now(), Happened::Asked(Power::Standby))],
            ..DisplayState::default()
        };
        let mut marks = Marks::default();
        let told = |display: &DisplayState, marks: &Marks| {
            let health = of(display, &[], marks);
            let remedied = health.items.iter().filter(|it| it.remedy.is_some()).count();
            let codes: Vec<String> = health.items.iter().map(|it| it.code.clone()).collect();
            (codes, remedied)
        };
        let codes = |codes: &[&str]| -> Vec<String> {
            codes.iter().map(|code| (*code).to_owned()).collect()
        };
        let well = (codes(&["display-control-ok"]), 0);
        assert_eq!(told(&display, &marks), well);
        display.stays_on = true;
        let disobeys = (codes(&["display-control-disobeys"]), 1);
        assert_eq!(told(&display, &marks), disobeys);
        display.asks = true;
        let person = (codes(&["display-control-needs-person"]), 1);
        assert_eq!(told(&display, &marks), person);
        (display.asks, display.stays_on) = (false, false);
        marks.absent_adapter = Some("/dev/cec0".to_owned());
        let both = ["display-control-missing", "display-control-ok"];
        assert_eq!(told(&display, &marks), (codes(&both), 1));
    }

    #[test]
    fn the_display_for_content_has_a_line_of_its_own() {
        let slept = Happened::Reached(Power::Standby);
        let state = |asks| DisplayState {
            asks,
            log: vec![(std::time::Instant::now(), slept)],
            ..DisplayState::default()
        };
        let [people, content] = [false, true].map(state);
        let told = |content_display: Option<(&str, &DisplayState)>| {
            let mut health = Health::default();
            set_controlled(&mut health, "display", "HDMI-CEC, DDC/CI", &people);
            if let Some((name, state)) = content_display {
                set_controlled(&mut health, name, name, state);
            }
            let items = health.items().map(|it| (it.device.clone(), it.code()));
            items.collect::<Vec<_>>()
        };
        let well = ("display".to_owned(), "display-control-ok".to_owned());
        assert_eq!(told(None), std::slice::from_ref(&well));
        let asks = "display-control-needs-person".to_owned();
        let asks = ("HDMI-A-2".to_owned(), asks);
        assert_eq!(told(Some(("HDMI-A-2", &content))), [asks, well]);
        let untold = DisplayState::default();
        assert_eq!(told(Some(("HDMI-A-2", &untold))).len(), 1);
    }

    #[test]
    fn a_display_whose_data_are_damaged_in_part_says_so() {
        let of = |damaged: bool| {
            let edid = Edid {
                damaged,
                ..Edid::default()
            };
            let display = DisplayState {
                connectors: vec![connector("HDMI-A-1", edid)],
                ..DisplayState::default()
            };
            of(&display, &[], &Marks::default())
        };
        assert_eq!(codes(&of(false)), ["display-ok"]);
        let damaged = of(true);
        assert_eq!(codes(&damaged), ["display-data-damaged"]);
        assert_eq!(damaged.items[0].detail.as_deref(), Some(PARTLY_DAMAGED));
    }

    fn connector(name: &str, edid: Edid) -> Connector {
        Connector {
            card: "card0".to_owned(),
            name: name.to_owned(),
            number: None,
            connected: true,
            enabled: true,
            edid: Ok(edid),
            bus: None,
        }
    }

    #[test]
    fn what_encodes_is_told_with_the_reason_and_costs_nothing() {
        let of = |report: HardwareReport| {
            let mut health = Health::default();
            set_encoder(&mut health, &report);
            assert_eq!(health.score(), 100);
            health.items().map(shown).next()
        };
        assert_eq!(of(HardwareReport::default()), None);
        let why = || "vah264enc is proven".to_owned();
        let well = HardwareReport {
            encoder: Some("vah264enc"),
            failed: false,
            why: why(),
        };
        let item = of(well).unwrap();
        assert_eq!((item.code.as_str(), item.severity), ("encoder-ok", None));
        assert_eq!(item.text.en, "The video encoder “vah264enc” is well.");
        assert_eq!(item.detail, Some(why()));
        let failed = HardwareReport {
            encoder: None,
            failed: true,
            why: "vah264enc failed in a call; VP8 until it ends".to_owned(),
        };
        let item = of(failed).unwrap();
        assert_eq!(item.code, "encoder-fell-back");
        assert_eq!(item.severity, Some(roomd_model::Severity::Notice));
        let text = "Der Videokodierer „VP8“ vertritt einen, der im Gespräch ausgefallen ist.";
        assert_eq!(item.text.de, text);
    }

    #[test]
    fn a_machine_without_devices_lacks_nothing() {
        let health = of(&DisplayState::default(), &[], &Marks::default());
        assert_eq!(health, roomd_api::Health::default());
    }

    fn of_sound(sound: &Sound) -> roomd_api::Health {
        heard(sound, false)
    }

    fn heard(sound: &Sound, microphone_slow: bool) -> roomd_api::Health {
        without(sound, microphone_slow, [&[], &[]])
    }

    /// With these missing, and those of them in use.
    fn without(
        sound: &Sound,
        microphone_slow: bool,
        [lost, in_use]: [&[FaultCode]; 2],
    ) -> roomd_api::Health {
        health(&Parts {
            cameras: None,
            sound: Some(sound),
            content: &[],
            display: &DisplayState::default(),
            content_display: None,
            lost: &lost.iter().copied().collect(),
            camera_slow: false,
            microphone_slow,
            in_use: &in_use.iter().copied().collect(),
            encoder: &HardwareReport::default(),
            marks: &Marks::default(),
        })
    }

    fn codes(health: &roomd_api::Health) -> Vec<&str> {
        health.items.iter().map(|it| it.code.as_str()).collect()
    }

    #[test]
    fn a_microphone_that_is_gone_is_told_of_and_so_is_what_stands_in() {
        let (mut sound, _proc) = sound(Microphone::Auto).unwrap();
        sound.refresh(&plugged(true));
        let well = of_sound(&sound);
        assert_eq!(codes(&well), ["microphone-ok", "loudspeaker-ok"]);
        let slow = heard(&sound, true);
        assert_eq!(codes(&slow), ["microphone-slow", "loudspeaker-ok"]);
        let both = [FaultCode::LoudspeakerMissing, FaultCode::MicrophoneMissing];
        let taken = without(&sound, true, [&both, &both[1..]]);
        assert_eq!(codes(&taken), ["microphone-in-use", "loudspeaker-stalled"]);
        let taken = without(&sound, true, [&both, &both[..1]]);
        assert_eq!(codes(&taken), ["microphone-stalled", "loudspeaker-in-use"]);
        sound.refresh(&plugged(false));
        let stood_in = of_sound(&sound);
        let item = &stood_in.items[1];
        assert_eq!(item.code, "microphone-stand-in");
        assert!(item.text.en.contains("SPEAK 510"), "{item:?}");
        assert_eq!(item.detail.as_deref(), Some("PCH"));
        assert_eq!(stood_in.score, 100 - 20 - 20);
        sound.refresh(&[]);
        let missing = of_sound(&sound);
        assert_eq!(
            codes(&missing),
            ["microphone-missing", "loudspeaker-missing"]
        );
        assert_eq!(missing.score, 20);
        sound.refresh(&plugged(true));
        assert_eq!(of_sound(&sound), well);
    }

    #[test]
    fn what_has_a_name_of_alsa_is_told_of_too() {
        const BAR: &str = "usb:0b0e:0420@1-2:1.0";
        let of = |name: &str, lost: bool| {
            let (mut sound, _proc) = named(name).unwrap();
            sound.names.microphone = (!lost).then(|| name.to_owned());
            sound.refresh(&plugged(true));
            let all: &[FaultCode] = &[FaultCode::MicrophoneMissing];
            let health = without(&sound, false, [if lost { all } else { &[] }, &[]]);
            let mut items = health.items.into_iter();
            let item = items.find(|it| it.code.starts_with("microphone-")).unwrap();
            (item.code, item.device)
        };
        for (name, lost, code, device) in [
            ("default", false, "microphone-ok", "default"),
            ("default", true, "microphone-missing", "default"),
            ("hw:1,0", false, "microphone-ok", BAR),
            ("hw:1,0", true, "microphone-stalled", BAR),
            // Nothing is open yet, and its card is not there.
            ("hw:7,0", false, "microphone-missing", "hw:7,0"),
        ] {
            let wanted = (code.to_owned(), device.to_owned());
            assert_eq!(of(name, lost), wanted, "{name}");
        }
    }

    #[test]
    fn what_the_configuration_names_is_missed_from_the_start() {
        let other = Microphone::Device("046d:0857".to_owned());
        let (mut sound, _proc) = sound(other).unwrap();
        sound.refresh(&plugged(true));
        let health = of_sound(&sound);
        let missed = |it: &&HealthItem| it.code == "microphone-stand-in";
        let item = health.items.iter().find(missed).unwrap();
        assert_eq!(item.device, "046d:0857");
        assert_eq!(item.severity, Some(roomd_model::Severity::Warning));
    }

    #[test]
    fn a_named_display_that_is_absent_is_missing_and_the_others_are_not() {
        let display = DisplayState {
            connectors: vec![connector("HDMI-A-2", Edid::default())],
            ..DisplayState::default()
        };
        let lost = [FaultCode::DisplayMissing];
        let all = of(&display, &lost, &Marks::default());
        let devices = |health: &roomd_api::Health| {
            let missing = health
                .items
                .iter()
                .filter(|it| it.code == "display-missing");
            missing.map(|it| it.device.clone()).collect::<Vec<_>>()
        };
        assert_eq!(devices(&all), ["HDMI-A-2"]);
        let marks = Marks {
            absent_displays: vec!["HDMI-A-1".to_owned()],
            ..Marks::default()
        };
        assert_eq!(devices(&of(&display, &lost, &marks)), ["HDMI-A-1"]);
        assert_eq!(devices(&of(&display, &[], &marks)), ["HDMI-A-1"]);
    }

    #[test]
    fn a_line_of_the_key_map_that_does_nothing_is_named_with_its_cause() {
        let text = "[room]\nname = \"a\"\n[buttons.keys]\nKEY_FF2 = \"mute\"\nKEY_F3 = \"jion\"\n";
        let settings = roomd_config::parse(text, "roomd.toml").unwrap();
        let marks = Marks {
            refused_keys: settings.buttons.refused,
            ..Marks::default()
        };
        let health = of(&DisplayState::default(), &[], &marks);
        assert_eq!(codes(&health), ["keys-unknown", "keys-action-unknown"]);
        let [key, action] = &health.items[..] else {
            panic!("{health:?}");
        };
        let text = "Die Taste „KEY_FF2, roomd.toml:4:1“ der Konfiguration gibt es nicht.";
        assert_eq!(key.text.de, text);
        let named = action.text.en.contains("KEY_F3, roomd.toml:5");
        assert!(named, "{action:?}");
        assert!(action.detail.as_ref().unwrap().contains("`join`"));
        assert!(health.items.iter().all(|it| it.remedy.is_some()));
        assert_eq!(health.score, 100);
    }

    #[test]
    fn what_is_wrong_has_words_and_costs_points() {
        let marks = Marks {
            keys: KeysHealth::from([(
                "046d:0857".to_owned(),
                ("Box".to_owned(), Some(Trouble::Missing)),
            )]),
            tables: vec![(Subject::Microphone, "line 3: unknown key".to_owned())],
            ..Marks::default()
        };
        let health = of(
            &DisplayState::default(),
            &[FaultCode::DisplayMissing],
            &marks,
        );
        let codes: Vec<&str> = health.items.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "microphone-table-rejected",
                "display-missing",
                "keys-missing"
            ]
        );
        assert_eq!(health.score, 100 - 30 - 5);
        let remedy = health.items[1].remedy.as_ref().unwrap();
        assert_eq!(remedy.de, "Bitte Kabel und Stromversorgung prüfen.");
        assert_eq!(
            health.items[0].detail.as_deref(),
            Some("line 3: unknown key")
        );
    }
}
