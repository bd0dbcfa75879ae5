// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use roomd_config::Microphone;
use roomd_devices::camera::Survey;
use roomd_devices::core::camera::choice::{Choice, RateFit, SizeFit};
use roomd_devices::core::camera::controls::{Controls, Mains};
use roomd_devices::core::camera::formats::{Nonsense, Offer, PixelFormat, Size};
use roomd_devices::core::display::edid::Edid;
use roomd_devices::core::display::log::Happened;
use roomd_devices::core::display::power::Power;
use roomd_devices::core::panel::Connected;
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
        panels: &panels(),
        name: "Raum Elbe",
        lost: &lost.iter().copied().collect(),
        camera_slow: false,
        microphone_slow: false,
        in_use: &BTreeSet::new(),
        encoder: &HardwareReport::default(),
        marks,
    })
}

/// The panels of a room that never had one.
fn panels() -> Panels {
    Panels::new(false, Instant::now())
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
            panels: &panels(),
            name: "Raum Elbe",
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
        log: vec![(Instant::now(), Happened::Asked(Power::Standby))],
        ..DisplayState::default()
    };
    let mut marks = Marks::default();
    let told = |display: &DisplayState, marks: &Marks| {
        let health = of(display, &[], marks);
        let remedied = health.items.iter().filter(|it| it.remedy.is_some()).count();
        let codes: Vec<String> = health.items.iter().map(|it| it.code.clone()).collect();
        (codes, remedied)
    };
    let codes =
        |codes: &[&str]| -> Vec<String> { codes.iter().map(|code| (*code).to_owned()).collect() };
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
        log: vec![(Instant::now(), slept)],
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
        panels: &panels(),
        name: "Raum Elbe",
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

fn of_panels(panels: &Panels, marks: &Marks) -> roomd_api::Health {
    health(&Parts {
        cameras: None,
        sound: None,
        content: &[],
        display: &DisplayState::default(),
        content_display: None,
        panels,
        name: "Raum Elbe",
        lost: &BTreeSet::new(),
        camera_slow: false,
        microphone_slow: false,
        in_use: &BTreeSet::new(),
        encoder: &HardwareReport::default(),
        marks,
    })
}

const fn connected(wired: usize, paired: usize) -> Connected {
    Connected { wired, paired }
}

#[test]
fn a_room_without_its_panel_says_so_with_a_remedy() {
    let (start, marks) = (Instant::now(), Marks::default());
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut panels = Panels::new(true, start);
    assert_eq!(of_panels(&panels, &marks), roomd_api::Health::default());
    panels.handle(connected(0, 1), after(1));
    let well = of_panels(&panels, &marks);
    assert_eq!((codes(&well), well.score), (vec!["panel-ok"], 100));
    assert_eq!(well.items[0].detail.as_deref(), Some("0 wired, 1 paired"));
    panels.handle(Connected::default(), after(200));
    panels.handle_timeout(after(260));
    let gone = of_panels(&panels, &marks);
    assert_eq!((codes(&gone), gone.score), (vec!["panel-gone"], 90));
    let item = &gone.items[0];
    assert_eq!(item.severity, Some(roomd_model::Severity::Warning));
    let text = "Das Bedienfeld „Raum Elbe“ hat keine Verbindung zum Raum.";
    assert_eq!(item.text.de, text);
    assert!(item.remedy.is_some());
}

#[test]
fn the_touch_screen_of_a_wired_panel_is_missed() {
    const PATH: &str = "/devices/pci0000:00/usb1/1-1/1-1:1.0/input/input7/event7";
    let values = [
        ("DEVNAME", "/dev/no-such-event7"),
        ("ID_VENDOR_ID", "222a"),
        ("ID_MODEL_ID", "0001"),
        ("ID_INPUT_TOUCHSCREEN", "1"),
        ("NAME", "ILITEK"),
    ];
    let (start, mut marks) = (Instant::now(), Marks::default());
    let mut panels = Panels::new(true, start);
    let there = entries([("input", PATH, &values[..])]);
    panels.refresh(&there, start);
    panels.handle(connected(1, 0), start);
    let well = of_panels(&panels, &marks);
    assert_eq!(codes(&well), ["panel-ok", "panel-touch-ok"]);
    panels.refresh(&[], start);
    panels.handle_timeout(start + Duration::from_secs(5));
    let missing = of_panels(&panels, &marks);
    assert_eq!(codes(&missing), ["panel-ok", "panel-touch-missing"]);
    assert_eq!(missing.score, 80);
    let text = "Der Touchscreen „ILITEK“ fehlt.";
    assert_eq!(missing.items[1].text.de, text);
    marks.unsteady.insert(there[0].device.id.clone());
    let unsteady = of_panels(&panels, &marks);
    assert_eq!(unsteady.items[1].code, "panel-touch-unsteady");
    marks.unsteady.clear();
    panels.refresh(&there, start);
    assert_eq!(of_panels(&panels, &marks), well);
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
