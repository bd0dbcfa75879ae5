// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A VISCA camera in the units of [`Control`], so that presets are the same for every camera.

use std::collections::BTreeMap;

use crate::camera::controls::{Control, Controls, Range, WrongValue};
use crate::camera::presets::{Preset, PresetError};

use super::State;
use super::request::Request;

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
}

impl Default for Model {
    /// What is usual: 14.4 steps in a degree (170° is `0990`), and `4000` for the end of the optical
    /// zoom.
    fn default() -> Self {
        Self {
            steps: 144,
            pan: (-170, 170),
            tilt: (-30, 90),
            zoom: 0x4000,
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
    /// What can be set.
    #[must_use]
    pub fn controls(&self) -> Controls {
        let degrees = |(min, max): (i16, i16)| (i32::from(min) * 3600, i32::from(max) * 3600);
        let ranges = [
            (Control::Pan, degrees(self.pan)),
            (Control::Tilt, degrees(self.tilt)),
            (Control::Zoom, (0, i32::from(self.zoom))),
        ];
        let range = |(control, (min, max)): (Control, (i32, i32))| {
            let range = Range {
                min,
                max,
                step: 1,
                default: 0,
                menu: Vec::new(),
                writable: true,
                inactive: false,
                label: control.to_string(),
            };
            (control, range)
        };
        Controls {
            ranges: ranges.into_iter().map(range).collect(),
            nonsense: Vec::new(),
        }
    }

    /// What to ask of a camera in this state for a preset.
    ///
    /// # Errors
    ///
    /// Nothing of it fits.
    pub fn plan(&self, preset: &Preset, state: &State) -> Result<Plan, PresetError> {
        let recall = preset.recall(&self.controls())?;
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
        values
            .into_iter()
            .filter_map(|(control, value)| Some((control, value?)))
            .collect()
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
        let beyond = preset(&[(Control::Pan, 171 * 3600)]);
        assert!(model.plan(&beyond, &state).is_err());
    }
}
