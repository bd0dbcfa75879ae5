// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What devices say of themselves: descriptors, reports, answers of drivers, displays and cameras.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use roomd_devices_core::call::{Call, Node, Refusal};
use roomd_devices_core::camera::adjust::{Adjustment, Bounds, adjustable, plan};
use roomd_devices_core::camera::choice::{Wanted, choose};
use roomd_devices_core::camera::controls::{Control, Controls, Mains, current};
use roomd_devices_core::camera::formats::Offer;
use roomd_devices_core::device::{Device, Properties};
use roomd_devices_core::display::cec::{self, Message, Place};
use roomd_devices_core::display::ddc;
use roomd_devices_core::display::edid::Edid;
use roomd_devices_core::display::power::Power;
use roomd_devices_core::display::quirks::QuirkTable;
use roomd_devices_core::hid::{Lamps, Telephony};
use roomd_devices_core::identity::DeviceId;
use roomd_devices_core::inventory::{Event, Inventory, Roles};
use roomd_devices_core::sound::cards::Card;
use roomd_devices_core::sound::table::Table;
use roomd_devices_core::visca::{Effect, Input as Heard, Model, Protocol, Request, Visca};
use roomd_model::Language;

use crate::input::Input;

/// Most steps of an input.
const MOST: usize = 500;

/// A report descriptor behind its length, then reports behind theirs.
pub(crate) fn hid(mut input: Input<'_>) {
    let Some(mut telephony) = Telephony::from_descriptor(input.bytes()) else {
        return;
    };
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let signals = telephony.report(input.bytes());
        assert!(signals.len() <= 64, "{} signals of a report", signals.len());
    }
    for bits in 0..8 {
        let lamps = Lamps {
            mute: bits & 1 != 0,
            off_hook: bits & 2 != 0,
            ring: bits & 4 != 0,
        };
        let reports = telephony.lamps(lamps);
        let bytes: usize = reports.iter().map(Vec::len).sum();
        assert!(bytes <= 64 << 10, "{bytes} bytes for the lamps");
    }
}

/// The data of a display.
pub(crate) fn edid(mut input: Input<'_>) {
    let Ok(edid) = Edid::parse(input.rest()) else {
        return;
    };
    assert!(edid.maker.len() <= 3 && edid.name.chars().count() <= 64);
    assert!(!edid.name.chars().any(char::is_control));
    let _ = QuirkTable::default().find(&edid);
}

/// An answer over DDC/CI.
pub(crate) fn ddc(mut input: Input<'_>) {
    let answer = input.rest();
    if ddc::power(answer).is_some() {
        let (answer, _) = answer.split_at(ddc::ANSWER);
        let sum = answer.iter().fold(0x50, |sum, byte| sum ^ byte);
        assert_eq!(sum, 0, "a damaged answer was believed");
    }
}

/// A kernel whose answers are the input: for each question a byte that says whether it refuses, then
/// the words. Beyond the input everything is refused, or answered with zeros.
struct Kernel<'a> {
    input: Input<'a>,
    asked: usize,
}

impl Node for Kernel<'_> {
    fn call(&mut self, _: Call, words: &mut [u32]) -> Result<(), Refusal> {
        self.asked += 1;
        assert!(self.asked <= 200_000, "it asks without end");
        match self.input.byte() {
            0 if self.input.is_empty() => return Err(Refusal::None),
            1 => return Err(Refusal::Gone),
            2 => return Err(Refusal::Other(5)),
            _ => {}
        }
        // The kernel keeps what it does not write.
        let written = usize::from(self.input.byte());
        for word in words.iter_mut().take(written) {
            *word = self.input.long();
        }
        Ok(())
    }
}

/// The kernel's answers about a CEC line.
pub(crate) fn cec(input: Input<'_>) {
    let mut kernel = Kernel { input, asked: 0 };
    // Whose line it is.
    let _ = cec::connector(&mut kernel);
    let input = cec::input(&mut kernel);
    let place = cec::take_place(&mut kernel, "Raum 1", input.unwrap_or(0x1000));
    assert!(place.is_ok_and(|place| place.number < 15) || place.is_err());
    let place = place.unwrap_or(Place::NONE);
    for message in [
        Message::ImageViewOn,
        Message::ActiveSource,
        Message::AskPower,
    ] {
        let _ = cec::say(&mut kernel, place, message);
    }
}

/// The kernel's answers about a camera.
pub(crate) fn v4l2(input: Input<'_>) {
    let mut kernel = Kernel { input, asked: 0 };
    let offer = Offer::ask(&mut kernel);
    assert!(offer.modes.len() <= 32 * 64 && offer.nonsense.len() <= 16);
    for usb_speed in [None, Some(0), Some(480), Some(u32::MAX)] {
        let wanted = Wanted {
            usb_speed,
            ..Wanted::default()
        };
        if let Ok(choice) = choose(&offer, &wanted) {
            assert!(choice.size.pixels() > 0);
            assert!(choice.text(Language::De).len() < 2000);
        }
    }
    let controls = Controls::ask(&mut kernel);
    for control in Control::ALL {
        for value in [i32::MIN, -1, 0, 1, i32::MAX] {
            let Ok(value) = controls.check(*control, value) else {
                continue;
            };
            let range = &controls.ranges[control];
            assert!((range.min..=range.max).contains(&value));
        }
    }
    let _ = controls.at_opening(Mains::Hz50);
    let _ = controls.moves();
    let values = current(&mut kernel, &controls);
    assert!(values.len() <= Control::ALL.len());
    for setting in adjustable(&controls, &values, &[]) {
        let bounds = setting.bounds.unwrap_or(Bounds {
            min: 0,
            max: 0,
            step: 1,
            default: 0,
        });
        assert!(bounds.min <= bounds.max && bounds.step > 0);
        for value in [i32::MIN, 0, i32::MAX] {
            let planned = plan(&controls, setting.setting, Adjustment::Value(value));
            assert!(planned.is_err() || (bounds.min..=bounds.max).contains(&value));
        }
    }
}

/// Tables that users write.
pub(crate) fn table(mut input: Input<'_>) {
    let text = input.rest_text();
    let lines = text.matches('\n').count() + 1;
    let (mut sounds, mut displays) = (Table::default(), QuirkTable::default());
    if let Err(error) = sounds.add(&text, "sound.toml") {
        assert!((1..=lines).contains(&error.line()), "{error}");
        assert_eq!(sounds, Table::default(), "half a table was taken");
    }
    if let Err(error) = displays.add(&text, "displays.toml") {
        assert!((1..=lines).contains(&error.line()), "{error}");
        assert_eq!(displays, QuirkTable::default(), "half a table was taken");
    }
    let card = Card {
        id: None,
        device: "hw:1".to_owned(),
        name: "Jabra SPEAK 510 USB".to_owned(),
        usb: None,
        captures: 1,
        plays: 2,
    };
    let _ = sounds.find(&card);
    let _ = displays.find(&Edid::default());
}

/// What udev says: lines `KEY=VALUE`; `+`, `-` and `~` say that the device came, went or changed, `.`
/// lets a second pass.
pub(crate) fn udev(mut input: Input<'_>) {
    let text = input.rest_text();
    let mut now = Instant::now();
    let mut inventory = Inventory::new(Roles::default());
    let mut properties = Properties::default();
    for line in text.lines().take(MOST) {
        let event = match line.split_once('=') {
            Some(("PATH", value)) => {
                value.clone_into(&mut properties.path);
                continue;
            }
            Some(("SUBSYSTEM", value)) => {
                value.clone_into(&mut properties.subsystem);
                continue;
            }
            Some((key, value)) => {
                properties.values.insert(key.to_owned(), value.to_owned());
                continue;
            }
            None if line == "." => {
                now += Duration::from_secs(1);
                let _ = inventory.handle_timeout(now);
                continue;
            }
            None if line == "-" => Event::Removed(properties.path.clone()),
            None if line == "~" => Event::Changed(properties.clone()),
            None => Event::Added(properties.clone()),
        };
        if let Some(device) = Device::from_properties(&properties) {
            let text = device.id.to_string();
            assert_eq!(text.parse::<DeviceId>(), Ok(device.id), "{text}");
            assert!(device.label.chars().count() <= 120);
        }
        let effects = inventory.handle(event, now);
        assert!(effects.len() <= 4, "{effects:?}");
        let ids: BTreeSet<_> = inventory
            .usable()
            .map(|entry| (entry.device.kind, &entry.device.path))
            .collect();
        assert_eq!(ids.len(), inventory.usable().count(), "one path twice");
        assert!(inventory.entries().count() <= 160);
    }
}

/// Datagrams of a camera, between requests and time.
pub(crate) fn visca(mut input: Input<'_>) {
    let mut now = Instant::now();
    let protocol = match input.byte() % 4 {
        0 => Protocol::Udp,
        1 => Protocol::Tcp,
        _ => Protocol::Sony,
    };
    let mut visca = Visca::new(Model::default(), protocol, now);
    let (mut wanted, mut finished) = (0, 0);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let effects = match input.byte() % 4 {
            0 => {
                now += Duration::from_millis(u64::from(input.byte()) * 50);
                visca.handle_timeout(now)
            }
            1 => {
                wanted += 1;
                visca.handle(Heard::Want(request(&mut input)), now)
            }
            _ => visca.handle(Heard::Received(input.bytes()), now),
        };
        finished += ended(&effects);
    }
    // Silence from now on: every request ends, and the camera counts as missing.
    for _ in 0..MOST {
        if let Some((at, _)) = visca.poll_timeout() {
            now = now.max(at);
        }
        finished += ended(&visca.handle_timeout(now));
    }
    assert_eq!(finished, wanted, "a request hangs");
    assert!(visca.state().trouble.is_some());
}

fn request(input: &mut Input<'_>) -> Request {
    match input.byte() % 13 {
        0 => Request::Power(Power::On),
        1 => Request::Point {
            pan: i32::from(input.word()) - 0x8000,
            tilt: i32::from(input.word()) - 0x8000,
        },
        2 => Request::Zoom(input.word()),
        3 => Request::Recall(input.byte()),
        4 => Request::Store(input.byte()),
        6 => Request::FocusAuto(input.byte() & 1 != 0),
        7 => Request::Focus(input.word()),
        8 => Request::FocusOnce,
        9 => Request::Exposure(input.byte()),
        10 => Request::WhiteBalance(input.byte()),
        11 => Request::WhiteBalanceOnce,
        12 => Request::Backlight(input.byte() & 1 != 0),
        _ => Request::Power(Power::Standby),
    }
}

fn ended(effects: &[Effect]) -> usize {
    assert!(effects.len() <= 40, "{} effects", effects.len());
    let ends = |effect: &&Effect| match effect {
        Effect::Finished(request, _) => {
            assert!(!matches!(request, Request::Ask(_)));
            true
        }
        Effect::Send(bytes) => {
            assert!(bytes.len() <= roomd_devices_core::visca::LONGEST);
            false
        }
    };
    effects.iter().filter(ends).count()
}
