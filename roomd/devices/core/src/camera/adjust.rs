// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What people adjust of a camera's picture: focus, exposure, white balance and light from behind, each
//! by hand or by the camera itself.
//!
//! A value that is set by hand switches the automatic off. What was set is kept and set again when the
//! camera is back; a value that an automatic has taken over is kept no longer.

use std::collections::BTreeMap;
use std::fmt;

use super::controls::{Control, Controls, Range, WrongValue, get, is_automatic};
use crate::call::Node;

/// A part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// What is sharp.
    Focus,
    /// How long light is taken.
    Exposure,
    /// Which light is white.
    WhiteBalance,
    /// Against light from behind.
    Backlight,
}

/// How it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// The camera sees to it.
    Automatic,
    /// It stays as it is at this moment.
    Manual,
    /// The camera sees to it once, and it stays so.
    Once,
    /// By hand, with this value.
    Value(i32),
}

/// What a camera has of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustable {
    /// Which.
    pub setting: Setting,
    /// Whether the camera sees to it; none where that is no choice.
    pub automatic: Option<bool>,
    /// Whether the camera can see to it once.
    pub once: bool,
    /// The value, as far as it is known.
    pub value: Option<i32>,
    /// Between which values it can be set; none where it has no value.
    pub bounds: Option<Bounds>,
}

/// The values of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest.
    pub min: i32,
    /// The largest.
    pub max: i32,
    /// Values lie so far apart.
    pub step: i32,
    /// Without anybody's choice.
    pub default: i32,
}

/// A camera cannot be adjusted like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdjustError {
    /// It has nothing of it.
    #[error("this camera has no {0} to adjust")]
    Missing(Setting),
    /// It does not see to it by itself.
    #[error("this camera has no automatic {0}")]
    NoAutomatic(Setting),
    /// It does not see to it once.
    #[error("this camera has no one-push {0}")]
    NoOnce(Setting),
    /// It takes no numbers.
    #[error("the {0} of this camera takes no value")]
    NoValue(Setting),
    /// Not this value.
    #[error(transparent)]
    Value(#[from] WrongValue),
}

impl Setting {
    /// Every one, in the order in which people see them.
    pub const ALL: [Self; 4] = [
        Self::Focus,
        Self::Exposure,
        Self::WhiteBalance,
        Self::Backlight,
    ];

    /// The control that holds its value.
    const fn control(self) -> Control {
        match self {
            Self::Focus => Control::Focus,
            Self::Exposure => Control::Exposure,
            Self::WhiteBalance => Control::WhiteBalance,
            Self::Backlight => Control::Backlight,
        }
    }

    /// The control that switches its automatic, and the value for "by hand".
    const fn switch(self) -> Option<(Control, i32)> {
        self.control().automatic()
    }

    fn owns(self, control: Control) -> bool {
        self.control() == control || self.switch().is_some_and(|(switch, _)| switch == control)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Focus => "focus",
            Self::Exposure => "exposure",
            Self::WhiteBalance => "white balance",
            Self::Backlight => "backlight compensation",
        })
    }
}

/// What a camera with these controls has of a setting: the values that switch its automatic on and off,
/// and what it can be set to.
struct Has<'a> {
    automatic: Option<(Control, i32)>,
    by_hand: Option<(Control, i32)>,
    value: Option<(Control, &'a Range)>,
}

impl<'a> Has<'a> {
    fn of(controls: &'a Controls, setting: Setting) -> Self {
        let switch = setting.switch();
        let switch = switch.filter(|(switch, _)| controls.ranges.contains_key(switch));
        let possible = |control, value| {
            let checked = controls.check(control, value);
            checked
                .is_ok_and(|it| it == value)
                .then_some((control, value))
        };
        let by_hand = switch.and_then(|(switch, value)| possible(switch, value));
        let automatic = switch.and_then(|(switch, _)| {
            let values = automatic_values(switch);
            let default = controls.ranges.get(&switch).map(|range| range.default);
            let default = default.filter(|value| values.contains(value));
            let mut values = default.into_iter().chain(values.iter().copied());
            values.find_map(|value| possible(switch, value))
        });
        let control = setting.control();
        let range = controls.ranges.get(&control);
        let range = range.filter(|range| range.writable && range.min < range.max);
        let value = range.filter(|_| switch.is_none() || by_hand.is_some());
        Self {
            automatic,
            by_hand,
            value: value.map(|range| (control, range)),
        }
    }

    const fn is_anything(&self) -> bool {
        self.value.is_some() || (self.automatic.is_some() && self.by_hand.is_some())
    }
}

/// The values of a switch with which the camera sees to it. Exposure that leaves the time to a person
/// (priority of the shutter) is none.
const fn automatic_values(switch: Control) -> &'static [i32] {
    if matches!(switch, Control::ExposureAuto) {
        &[0, 3]
    } else {
        &[1]
    }
}

/// What of this camera's picture can be adjusted, with the values that were read of it.
#[must_use]
pub fn adjustable(
    controls: &Controls,
    values: &BTreeMap<Control, i32>,
    once: &[Setting],
) -> Vec<Adjustable> {
    let settings = Setting::ALL.into_iter().filter_map(|setting| {
        let has = Has::of(controls, setting);
        let once = once.contains(&setting);
        let switches = has.automatic.is_some() && has.by_hand.is_some();
        (has.is_anything() || once).then(|| Adjustable {
            setting,
            automatic: switches.then(|| is_automatic(values, setting.control())),
            once,
            value: has
                .value
                .and_then(|(control, _)| values.get(&control).copied()),
            bounds: has.value.map(|(_, range)| Bounds {
                min: range.min,
                max: range.max,
                step: range.step.max(1),
                default: range.default,
            }),
        })
    });
    settings.collect()
}

/// What to set for an adjustment, in this order.
///
/// # Errors
///
/// The camera does not have it. [`Adjustment::Once`] is no control, and always one.
pub fn plan(
    controls: &Controls,
    setting: Setting,
    adjustment: Adjustment,
) -> Result<Vec<(Control, i32)>, AdjustError> {
    let has = Has::of(controls, setting);
    if !has.is_anything() {
        return Err(AdjustError::Missing(setting));
    }
    match adjustment {
        Adjustment::Automatic => {
            let automatic = has.automatic.ok_or(AdjustError::NoAutomatic(setting))?;
            Ok(vec![automatic])
        }
        // Without an automatic it is by hand already.
        Adjustment::Manual => Ok(has.by_hand.into_iter().collect()),
        Adjustment::Once => Err(AdjustError::NoOnce(setting)),
        Adjustment::Value(value) => {
            let (control, range) = has.value.ok_or(AdjustError::NoValue(setting))?;
            let value = range.check(control, value)?;
            Ok(has.by_hand.into_iter().chain([(control, value)]).collect())
        }
    }
}

/// The present values of everything that is adjusted.
pub fn present(node: &mut impl Node, controls: &Controls) -> BTreeMap<Control, i32> {
    let known = controls
        .ranges
        .keys()
        .filter(|control| is_adjusted(**control));
    known
        .filter_map(|control| Some((*control, get(node, *control).ok()?)))
        .collect()
}

fn is_adjusted(control: Control) -> bool {
    Setting::ALL.iter().any(|setting| setting.owns(control))
}

/// Adds what was set to what is kept. A position that was recalled counts too: what it brought is what
/// the camera has from then on.
pub fn keep(kept: &mut BTreeMap<Control, i32>, set: &[(Control, i32)]) {
    let set = set.iter().copied();
    kept.extend(set.filter(|(control, _)| is_adjusted(*control)));
    let values = kept.clone();
    kept.retain(|control, _| !is_automatic(&values, *control));
}

/// Takes a setting out of what is kept: the camera itself knows best how it is now.
pub fn forget(kept: &mut BTreeMap<Control, i32>, setting: Setting) {
    kept.retain(|control, _| !setting.owns(*control));
}

#[cfg(test)]
mod tests {
    use super::super::controls::tests::Fake;
    use super::*;

    /// A camera of the usual kind: exposure by hand or with the aperture as it is.
    fn usual() -> Controls {
        let mut camera = Fake::ptz()
            .with(Control::ExposureAuto, [3, 0, 3, 1, 3, 0])
            .with(Control::Exposure, [1, 3, 2047, 1, 250, 0x10])
            .with(Control::WhiteBalance, [1, 2800, 6500, 10, 4600, 0])
            .with(Control::Backlight, [1, 0, 1, 1, 0, 0]);
        let mut controls = Controls::ask(&mut camera);
        let exposure = controls.ranges.get_mut(&Control::ExposureAuto).unwrap();
        exposure.menu = vec![1, 3];
        controls
    }

    #[test]
    fn a_camera_shows_what_it_has_and_nothing_else() {
        let values = BTreeMap::from([
            (Control::FocusAuto, 0),
            (Control::Focus, 30),
            (Control::ExposureAuto, 3),
            (Control::Exposure, 250),
        ]);
        let all = adjustable(&usual(), &values, &[]);
        let shown: Vec<_> = all
            .iter()
            .map(|it| (it.setting, it.automatic, it.value))
            .collect();
        assert_eq!(
            shown,
            [
                (Setting::Focus, Some(false), Some(30)),
                (Setting::Exposure, Some(true), Some(250)),
                // This camera has no automatic for it.
                (Setting::WhiteBalance, None, None),
                (Setting::Backlight, None, None),
            ]
        );
        let bounds = all[0].bounds.unwrap();
        assert_eq!((bounds.min, bounds.max, bounds.step), (0, 250, 5));
        assert_eq!(adjustable(&Controls::default(), &values, &[]), []);
    }

    #[test]
    fn a_value_by_hand_switches_the_automatic_off() {
        let planned = |setting, adjustment| plan(&usual(), setting, adjustment).unwrap();
        assert_eq!(
            planned(Setting::Focus, Adjustment::Value(32)),
            [(Control::FocusAuto, 0), (Control::Focus, 30)]
        );
        assert_eq!(
            planned(Setting::Exposure, Adjustment::Value(100)),
            [(Control::ExposureAuto, 1), (Control::Exposure, 100)]
        );
        assert_eq!(
            planned(Setting::Exposure, Adjustment::Automatic),
            [(Control::ExposureAuto, 3)]
        );
        assert_eq!(
            planned(Setting::Focus, Adjustment::Manual),
            [(Control::FocusAuto, 0)]
        );
        assert_eq!(
            planned(Setting::Backlight, Adjustment::Value(1)),
            [(Control::Backlight, 1)]
        );
    }

    #[test]
    fn what_a_camera_cannot_is_said() {
        let check = |setting, adjustment, text: &str| {
            let error = plan(&usual(), setting, adjustment).unwrap_err();
            assert_eq!(error.to_string(), text);
        };
        check(
            Setting::Focus,
            Adjustment::Value(251),
            "`focus` is 251; this camera takes 0 to 250",
        );
        check(
            Setting::Focus,
            Adjustment::Once,
            "this camera has no one-push focus",
        );
        check(
            Setting::WhiteBalance,
            Adjustment::Automatic,
            "this camera has no automatic white balance",
        );
        let nothing = plan(&Controls::default(), Setting::Focus, Adjustment::Automatic);
        let error = nothing.unwrap_err().to_string();
        assert_eq!(error, "this camera has no focus to adjust");
    }

    #[test]
    fn an_exposure_that_is_only_automatic_is_no_choice() {
        let mut controls = usual();
        let exposure = controls.ranges.get_mut(&Control::ExposureAuto).unwrap();
        exposure.menu = vec![3];
        let all = adjustable(&controls, &BTreeMap::new(), &[]);
        assert!(all.iter().all(|it| it.setting != Setting::Exposure));
        let set = plan(&controls, Setting::Exposure, Adjustment::Value(100));
        assert_eq!(set, Err(AdjustError::Missing(Setting::Exposure)));
    }

    #[test]
    fn what_is_kept_is_what_holds() {
        let mut kept = BTreeMap::new();
        keep(&mut kept, &[(Control::FocusAuto, 0), (Control::Focus, 30)]);
        keep(&mut kept, &[(Control::Pan, 3600), (Control::Backlight, 1)]);
        let expected = BTreeMap::from([
            (Control::FocusAuto, 0),
            (Control::Focus, 30),
            (Control::Backlight, 1),
        ]);
        assert_eq!(kept, expected);
        keep(&mut kept, &[(Control::FocusAuto, 1)]);
        let expected = BTreeMap::from([(Control::FocusAuto, 1), (Control::Backlight, 1)]);
        assert_eq!(kept, expected);
        forget(&mut kept, Setting::Focus);
        assert_eq!(kept, BTreeMap::from([(Control::Backlight, 1)]));
    }
}
