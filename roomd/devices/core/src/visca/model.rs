// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A VISCA camera in the units of [`Control`], so that presets are the same for every camera.

use std::collections::BTreeMap;

use crate::camera::adjust::Setting;
use crate::camera::controls::{Control, Controls, Range, WrongValue, is_automatic};
use crate::camera::presets::{Preset, PresetError};

use super::request::Request;
use super::{Picture, State};

/// What the protocol does not say about a camera. Every maker counts in steps of his own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Steps in ten degrees.
    pub steps: u16,
    /// How far it turns left and right, in degrees.
    pub pan: (i16, i16),
    /// How far it turns down and up, in degrees.
    pub tilt: (i16, i16),
    /// How close it looks at most, in its own steps.
    pub zoom: u16,
    /// What is sharp from far to close, in its own steps.
    pub focus: (u16, u16),
}

impl Default for Model {
    /// What is usual: 14.4 steps in a degree (170° is `0990`), `4000` for the end of the optical zoom, and
    /// `1000` to `f000` from far to close.
    fn default() -> Self {
        Self {
            steps: 144,
            pan: (-170, 170),
            tilt: (-30, 90),
            zoom: 0x4000,
            focus: (0x1000, 0xf000),
        }
    }
}

/// What to ask for a preset, and what of it cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to ask, in this order.
    pub requests: Vec<Request>,
    /// What this camera does not take.
    pub left_out: Vec<WrongValue>,
}

/// Seconds of arc in ten degrees.
const SECONDS: i64 = 36_000;

impl Model {
    /// What can be set: where it looks, and what of its picture it has told about.
    #[must_use]
    pub fn controls(&self, picture: &Picture) -> Controls {
        let degrees = |(min, max): (i16, i16)| (i32::from(min) * 3600, i32::from(max) * 3600);
        let (far, close) = self.focus;
        let focus = (i32::from(far), i32::from(close));
        let ranges = [
            (Control::Pan, true, degrees(self.pan)),
            (Control::Tilt, true, degrees(self.tilt)),
            (Control::Zoom, true, (0, i32::from(self.zoom))),
            (Control::FocusAuto, picture.focus_auto.is_some(), (0, 1)),
            (Control::Focus, picture.focus.is_some(), focus),
            (Control::ExposureAuto, picture.exposure.is_some(), (0, 3)),
            (
                Control::WhiteBalanceAuto,
                picture.white_balance.is_some(),
                (0, 1),
            ),
            (Control::Backlight, picture.backlight.is_some(), (0, 1)),
        ];
        let there = ranges.into_iter().filter(|(_, there, _)| *there);
        let range = |(control, _, (min, max)): (Control, bool, (i32, i32))| {
            let range = Range {
                min,
                max,
                step: 1,
                default: 0.clamp(min, max),
                menu: Vec::new(),
                writable: true,
                inactive: false,
                label: control.to_string(),
            };
            (control, range)
        };
        Controls {
            ranges: there.map(range).collect(),
            nonsense: Vec::new(),
        }
    }

    /// What to ask of a camera in this state for a preset.
    ///
    /// # Errors
    ///
    /// Nothing of it fits.
    pub fn plan(&self, preset: &Preset, state: &State) -> Result<Plan, PresetError> {
        let recall = preset.recall(&self.controls(&state.picture))?;
        let mut left_out = recall.left_out;
        let values: BTreeMap<Control, i32> = recall.set.into_iter().collect();
        let mut requests = Vec::new();
        let (pan, tilt) = (values.get(&Control::Pan), values.get(&Control::Tilt));
        let (pan_now, tilt_now) = state.direction.unzip();
        // Both are one command: of what the preset leaves open the present value is taken.
        match (pan.copied().or(pan_now), tilt.copied().or(tilt_now)) {
            (Some(to_pan), Some(to_tilt)) if pan.is_some() || tilt.is_some() => {
                requests.push(Request::Point {
                    pan: self.steps(to_pan),
                    tilt: self.steps(to_tilt),
                });
            }
            (Some(_), None) => left_out.push(WrongValue::Missing(Control::Tilt)),
            (None, Some(_)) => left_out.push(WrongValue::Missing(Control::Pan)),
            (_, _) => {}
        }
        if let Some(zoom) = values.get(&Control::Zoom) {
            requests.extend(u16::try_from(*zoom).map(Request::Zoom));
        }
        requests.extend(adjusting(&values));
        if requests.is_empty() {
            return Err(PresetError::NothingFits(preset.name.clone()));
        }
        Ok(Plan { requests, left_out })
    }

    /// The camera's steps for seconds of arc.
    fn steps(&self, seconds: i32) -> i32 {
        scaled(seconds, i64::from(self.steps), SECONDS)
    }

    /// Seconds of arc for the camera's steps.
    pub(super) fn seconds(&self, steps: i32) -> i32 {
        scaled(steps, SECONDS, i64::from(self.steps.max(1)))
    }
}

/// The modes of exposure and white balance: the value of the control, and the list's number.
const EXPOSURES: [(i32, u8); 4] = [(0, 0x00), (1, 0x03), (2, 0x0a), (3, 0x0b)];
const WHITE_BALANCES: [(i32, u8); 3] = [(1, 0x00), (0, 0x05), (1, 0x04)];

fn mode(modes: &[(i32, u8)], value: i32) -> Option<u8> {
    let found = modes.iter().find(|(known, _)| *known == value);
    found.map(|(_, mode)| *mode)
}

fn value(modes: &[(i32, u8)], mode: u8) -> Option<i32> {
    let found = modes.iter().find(|(_, known)| *known == mode);
    found.map(|(value, _)| *value)
}

/// What to ask for a picture like this. An automatic is switched before what it controls, and focus comes
/// after zoom, with which it moves.
fn adjusting(values: &BTreeMap<Control, i32>) -> impl Iterator<Item = Request> {
    let of = |control| values.get(&control).copied();
    let focus = of(Control::Focus).and_then(|focus| u16::try_from(focus).ok());
    let exposure = of(Control::ExposureAuto).and_then(|value| mode(&EXPOSURES, value));
    let white = of(Control::WhiteBalanceAuto).and_then(|value| mode(&WHITE_BALANCES, value));
    let requests = [
        of(Control::FocusAuto).map(|on| Request::FocusAuto(on != 0)),
        focus.map(Request::Focus),
        exposure.map(Request::Exposure),
        white.map(Request::WhiteBalance),
        of(Control::Backlight).map(|on| Request::Backlight(on != 0)),
    ];
    requests.into_iter().flatten()
}

impl Picture {
    /// The values of what it has. A mode that is neither automatic nor by hand, such as one for lamps,
    /// has none, so that nothing takes it for another.
    #[must_use]
    pub fn values(&self) -> BTreeMap<Control, i32> {
        let exposure = self.exposure.and_then(|mode| value(&EXPOSURES, mode));
        let white = self.white_balance;
        let white = white.and_then(|mode| value(&WHITE_BALANCES, mode));
        let values = [
            (Control::FocusAuto, self.focus_auto.map(i32::from)),
            (Control::Focus, self.focus.map(i32::from)),
            (Control::ExposureAuto, exposure),
            (Control::WhiteBalanceAuto, white),
            (Control::Backlight, self.backlight.map(i32::from)),
        ];
        values
            .into_iter()
            .filter_map(|(control, value)| Some((control, value?)))
            .collect()
    }

    /// What the camera can see to once.
    #[must_use]
    pub fn once(&self) -> Vec<Setting> {
        let focus = self.focus_auto.map(|_| Setting::Focus);
        let white = self.white_balance.map(|_| Setting::WhiteBalance);
        focus.into_iter().chain(white).collect()
    }
}

/// What to ask for seeing to a setting once, in this order; none where the protocol has no such thing.
#[must_use]
pub const fn once(setting: Setting) -> Option<[Request; 2]> {
    match setting {
        Setting::Focus => Some([Request::FocusAuto(false), Request::FocusOnce]),
        Setting::WhiteBalance => Some([Request::WhiteBalance(3), Request::WhiteBalanceOnce]),
        Setting::Exposure | Setting::Backlight => None,
    }
}

/// Rounded to the closest, so that a position that was saved is the one that is recalled.
fn scaled(value: i32, times: i64, by: i64) -> i32 {
    let value = i64::from(value) * times;
    let half = if value < 0 { -by / 2 } else { by / 2 };
    i32::try_from((value + half) / by).unwrap_or(0)
}

impl State {
    /// What a preset keeps of it.
    #[must_use]
    pub fn values(&self) -> BTreeMap<Control, i32> {
        let (pan, tilt) = self.direction.unzip();
        let values = [
            (Control::Pan, pan),
            (Control::Tilt, tilt),
            (Control::Zoom, self.zoom.map(i32::from)),
        ];
        let values = values.into_iter();
        let mut all: BTreeMap<Control, i32> = values
            .filter_map(|(control, value)| Some((control, value?)))
            .collect();
        let picture = self.picture.values();
        let by_hand = picture
            .iter()
            .filter(|(control, _)| !is_automatic(&picture, **control));
        all.extend(by_hand);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(values: &[(Control, i32)]) -> Preset {
        Preset {
            name: "Pult".to_owned(),
            values: values.iter().copied().collect(),
        }
    }

    #[test]
    fn every_position_is_recalled_as_it_was_saved() {
        let model = Model::default();
        for steps in [-2448, -1, 0, 1, 7, 1296] {
            assert_eq!(model.steps(model.seconds(steps)), steps);
        }
        // 45 degrees, as makers' tables say.
        assert_eq!(model.steps(45 * 3600), 0x288);
    }

    #[test]
    fn a_picture_is_kept_as_far_as_its_modes_have_a_meaning() {
        let mut picture = Picture {
            focus_auto: Some(false),
            focus: Some(0x2000),
            exposure: Some(0x0a),
            // For lamps.
            white_balance: Some(0x01),
            backlight: None,
        };
        let state = State {
            picture,
            ..State::default()
        };
        let values = state.values();
        let expected = BTreeMap::from([
            (Control::FocusAuto, 0),
            (Control::Focus, 0x2000),
            (Control::ExposureAuto, 2),
        ]);
        assert_eq!(values, expected);
        let name = "Pult".to_owned();
        let plan = Model::default().plan(&Preset { name, values }, &state);
        let wanted = [
            Request::FocusAuto(false),
            Request::Focus(0x2000),
            Request::Exposure(0x0a),
        ];
        assert_eq!(plan.unwrap().requests, wanted);
        picture.focus_auto = Some(true);
        let state = State {
            picture,
            ..State::default()
        };
        assert!(!state.values().contains_key(&Control::Focus));
    }

    #[test]
    fn a_preset_of_any_camera_is_planned() {
        let model = Model::default();
        let state = State {
            direction: Some((3600, -7200)),
            ..State::default()
        };
        let given = preset(&[
            (Control::Pan, 45 * 3600),
            (Control::Zoom, 99),
            (Control::Gain, 3),
        ]);
        let plan = model.plan(&given, &state).unwrap();
        let point = Request::Point {
            pan: 0x288,
            tilt: -29,
        };
        assert_eq!(plan.requests, [point, Request::Zoom(99)]);
        assert_eq!(plan.left_out, [WrongValue::Missing(Control::Gain)]);
        // Where it looks is not known yet.
        let plan = model.plan(&given, &State::default()).unwrap();
        assert_eq!(plan.requests, [Request::Zoom(99)]);
        let only = preset(&[(Control::Pan, 0)]);
        assert!(model.plan(&only, &State::default()).is_err());
        let focus = preset(&[(Control::FocusAuto, 0), (Control::Focus, 0x2000)]);
        assert!(model.plan(&focus, &state).is_err(), "it has no focus");
        let beyond = preset(&[(Control::Pan, 171 * 3600)]);
        assert!(model.plan(&beyond, &state).is_err());
    }
}
