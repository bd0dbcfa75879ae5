// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Positions of a camera that people save under a name and recall. The picture beside the name is
//! the caller's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::controls::{Control, Controls, WrongValue, is_automatic};

/// Presets that a camera may have.
pub const PRESETS: usize = 32;
const NAME: usize = 40;

/// A saved position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What people call it.
    pub name: String,
    /// The value of each control that it sets.
    pub values: BTreeMap<Control, i32>,
}

/// Why a preset cannot be saved or recalled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// The name is empty or too long.
    #[error("a preset's name has 1 to {NAME} characters")]
    Name,
    /// There are too many.
    #[error("a camera keeps at most {PRESETS} presets; delete one first")]
    TooMany,
    /// There is none of this name or number.
    #[error("no preset `{0}`")]
    Unknown(String),
    /// None of its values fits this camera.
    #[error("nothing of preset `{0}` fits this camera")]
    NothingFits(String),
}

/// What to set for a preset, and what of it cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// What to set, in this order.
    pub set: Vec<(Control, i32)>,
    /// What this camera does not take; the rest is set all the same.
    pub left_out: Vec<WrongValue>,
}

/// The presets of one camera, in the order in which people see them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presets {
    #[serde(default)]
    preset: Vec<Preset>,
}

impl Presets {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Preset] {
        &self.preset
    }

    /// Saves under a name; replaces the one that has it.
    ///
    /// # Errors
    ///
    /// The name does not do, or there are too many.
    pub fn save(&mut self, name: &str, values: BTreeMap<Control, i32>) -> Result<(), PresetError> {
        let name = name.trim();
        let length = name.chars().count();
        if !(1..=NAME).contains(&length) || name.chars().any(char::is_control) {
            return Err(PresetError::Name);
        }
        let name = name.to_owned();
        let full = self.preset.len() >= PRESETS;
        match self.preset.iter_mut().find(|p| p.name == name) {
            Some(preset) => preset.values = values,
            None if full => return Err(PresetError::TooMany),
            None => self.preset.push(Preset { name, values }),
        }
        Ok(())
    }

    /// Deletes one.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn delete(&mut self, name: &str) -> Result<(), PresetError> {
        let at = self.preset.iter().position(|p| p.name == name);
        let at = at.ok_or_else(|| PresetError::Unknown(name.to_owned()))?;
        self.preset.remove(at);
        Ok(())
    }

    /// The preset of this name, or of this number counted from 1 as on a button.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(&self, name: &str) -> Result<&Preset, PresetError> {
        let named = self.preset.iter().find(|p| p.name == name);
        let number = || name.parse::<usize>().ok()?.checked_sub(1);
        named
            .or_else(|| number().and_then(|at| self.preset.get(at)))
            .ok_or_else(|| PresetError::Unknown(name.to_owned()))
    }
}

impl Preset {
    /// What to set at this camera.
    ///
    /// # Errors
    ///
    /// Nothing of it fits.
    pub fn recall(&self, controls: &Controls) -> Result<Recall, PresetError> {
        let mut recall = Recall {
            set: Vec::new(),
            left_out: Vec::new(),
        };
        for control in Control::ALL {
            let Some(value) = self.values.get(control) else {
                continue;
            };
            // What an automatic takes over is not set: cameras refuse it, or stop the automatic.
            if !control.is_a_state() || is_automatic(&self.values, *control) {
                continue;
            }
            match controls.check(*control, *value) {
                Ok(value) => recall.set.push((*control, value)),
                Err(error) => recall.left_out.push(error),
            }
        }
        if recall.set.is_empty() {
            return Err(PresetError::NothingFits(self.name.clone()));
        }
        Ok(recall)
    }
}

#[cfg(test)]
mod tests {
    use super::super::controls::tests::Fake;
    use super::super::controls::{current, set};
    use super::*;

    fn values(values: &[(Control, i32)]) -> BTreeMap<Control, i32> {
        values.iter().copied().collect()
    }

    #[test]
    fn what_was_saved_is_recalled() {
        let mut camera = Fake::ptz();
        let controls = Controls::ask(&mut camera);
        set(&mut camera, Control::Pan, 7200).unwrap();
        set(&mut camera, Control::FocusAuto, 0).unwrap();
        set(&mut camera, Control::Focus, 30).unwrap();
        let mut presets = Presets::default();
        let now = current(&mut camera, &controls);
        presets.save(" Rednerpult ", now).unwrap();
        let preset = presets.find("Rednerpult").unwrap();
        assert_eq!(presets.find("1"), Ok(preset));
        let recall = preset.recall(&controls).unwrap();
        assert_eq!(
            recall.set,
            [
                (Control::FocusAuto, 0),
                (Control::Focus, 30),
                (Control::Pan, 7200),
                (Control::Tilt, 0),
                (Control::Zoom, 100),
            ]
        );
        assert_eq!(recall.left_out, []);
    }

    #[test]
    fn what_does_not_fit_is_named_and_the_rest_is_set() {
        let controls = Controls::ask(&mut Fake::ptz());
        let preset = Preset {
            name: "Tafel".to_owned(),
            values: values(&[
                (Control::Zoom, 9999),
                (Control::Pan, 3600),
                (Control::FocusAuto, 1),
                (Control::Focus, 10),
            ]),
        };
        let recall = preset.recall(&controls).unwrap();
        assert_eq!(recall.set, [(Control::FocusAuto, 1), (Control::Pan, 3600)]);
        let text = recall.left_out[0].to_string();
        assert_eq!(text, "`zoom` is 9999; this camera takes 100 to 400");
        let error = preset.recall(&Controls::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nothing of preset `Tafel` fits this camera"
        );
    }

    #[test]
    fn names_and_number_have_limits() {
        let mut presets = Presets::default();
        for name in ["", "  ", "a\nb", &"x".repeat(41)] {
            assert_eq!(presets.save(name, values(&[])), Err(PresetError::Name));
        }
        for n in 0..PRESETS {
            presets.save(&format!("P{n}"), values(&[])).unwrap();
        }
        presets.save("P3", values(&[(Control::Pan, 0)])).unwrap();
        assert_eq!(presets.all().len(), PRESETS);
        assert_eq!(
            presets.save("one more", values(&[])),
            Err(PresetError::TooMany)
        );
        presets.delete("P0").unwrap();
        assert_eq!(presets.find("1").unwrap().name, "P1");
        assert!(matches!(presets.delete("P0"), Err(PresetError::Unknown(_))));
        assert!(matches!(presets.find("0"), Err(PresetError::Unknown(_))));
    }

    #[test]
    fn presets_are_written_and_read_as_toml() {
        let mut presets = Presets::default();
        presets
            .save("Pult", values(&[(Control::Pan, -3600)]))
            .unwrap();
        let text = toml::to_string(&presets).unwrap();
        assert!(text.contains("pan = -3600"), "{text}");
        assert_eq!(toml::from_str::<Presets>(&text).unwrap(), presets);
    }
}
