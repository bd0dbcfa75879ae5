// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What can be set at a camera: where it looks, focus, exposure, colour, mains frequency.
//!
//! Source: the kernel's `include/uapi/linux/v4l2-controls.h`. Each control is asked for by itself, so
//! a driver's list without an end does not matter.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::call::{Call, Node, Refusal, signed, text, word};

const QUERY: Call = Call::both(b'V', 36);
const QUERY_MENU: Call = Call::both(b'V', 37);
const GET: Call = Call::both(b'V', 27);
const SET: Call = Call::both(b'V', 28);

const TYPE_MENU: u32 = 3;
const FLAG_DISABLED: u32 = 0x0001;
const FLAG_READ_ONLY: u32 = 0x0004;
const FLAG_INACTIVE: u32 = 0x0010;

macro_rules! controls {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $text:literal;)*) => {
        /// A control of a camera.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Control { $($(#[$doc])* $name,)* }

        impl Control {
            /// Every control, in the order in which they are set: what switches an automatic off
            /// comes before what it controls.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The kernel's number.
            #[must_use]
            pub const fn id(self) -> u32 {
                match self { $(Self::$name => $id,)* }
            }

            /// Its name in presets and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

controls! {
    /// What the lights flicker with: 0 off, 1 for 50 Hz, 2 for 60 Hz, 3 automatic.
    PowerLineFrequency = 0x0098_0918, "power-line-frequency";
    /// Exposure: 0 automatic, 1 by hand, 2 by shutter, 3 by aperture.
    ExposureAuto = 0x009a_0901, "exposure-auto";
    /// Exposure in 100 µs.
    Exposure = 0x009a_0902, "exposure";
    /// Whether exposure may lower the frame rate.
    ExposurePriority = 0x009a_0903, "exposure-priority";
    /// Amplification.
    Gain = 0x0098_0913, "gain";
    /// Whether focus is automatic.
    FocusAuto = 0x009a_090c, "focus-auto";
    /// Focus, larger is closer.
    Focus = 0x009a_090a, "focus";
    /// Whether white balance is automatic.
    WhiteBalanceAuto = 0x0098_090c, "white-balance-auto";
    /// Colour temperature in kelvin.
    WhiteBalance = 0x0098_091a, "white-balance";
    /// Brightness.
    Brightness = 0x0098_0900, "brightness";
    /// Contrast.
    Contrast = 0x0098_0901, "contrast";
    /// Saturation.
    Saturation = 0x0098_0902, "saturation";
    /// Sharpness.
    Sharpness = 0x0098_091b, "sharpness";
    /// Against light from behind.
    Backlight = 0x0098_091c, "backlight";
    /// Where it looks, in seconds of arc to the right.
    Pan = 0x009a_0908, "pan";
    /// Where it looks, in seconds of arc upwards.
    Tilt = 0x009a_0909, "tilt";
    /// How close it looks.
    Zoom = 0x009a_090d, "zoom";
    /// Turning: negative to the left, 0 stops.
    PanSpeed = 0x009a_0920, "pan-speed";
    /// Turning: negative downwards, 0 stops.
    TiltSpeed = 0x009a_0921, "tilt-speed";
    /// Zooming: negative away, 0 stops.
    ZoomSpeed = 0x009a_090f, "zoom-speed";
    /// Whether its lid is closed.
    Privacy = 0x009a_0910, "privacy";
}

impl Control {
    /// The control of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.name() == name)
    }

    /// Whether a value stays as it was set: a movement does not.
    #[must_use]
    pub const fn is_a_state(self) -> bool {
        !matches!(
            self,
            Self::PanSpeed | Self::TiltSpeed | Self::ZoomSpeed | Self::Privacy
        )
    }

    /// The control that takes this one over while it is automatic, and its value for "by hand".
    #[must_use]
    pub const fn automatic(self) -> Option<(Self, i32)> {
        if matches!(self, Self::Exposure | Self::Gain) {
            Some((Self::ExposureAuto, 1))
        } else if matches!(self, Self::Focus) {
            Some((Self::FocusAuto, 0))
        } else if matches!(self, Self::WhiteBalance) {
            Some((Self::WhiteBalanceAuto, 0))
        } else {
            None
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What values a control has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub min: i32,
    /// The largest.
    pub max: i32,
    /// Values lie so far apart.
    pub step: i32,
    /// Without anybody's choice.
    pub default: i32,
    /// The values of a menu; empty where all between smallest and largest are meant.
    pub menu: Vec<i32>,
    /// Whether it can be set.
    pub writable: bool,
    /// Whether it has no effect at the moment, because an automatic has taken over.
    pub inactive: bool,
    /// What the driver calls it.
    pub label: String,
}

/// A value that a control does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongValue {
    /// The camera has no such control.
    #[error("this camera has no control `{0}`")]
    Missing(Control),
    /// It can only be read.
    #[error("`{0}` of this camera cannot be set")]
    ReadOnly(Control),
    /// Too small or too large.
    #[error("`{control}` is {value}; this camera takes {min} to {max}")]
    Outside {
        /// The control.
        control: Control,
        /// The value.
        value: i32,
        /// The smallest possible.
        min: i32,
        /// The largest possible.
        max: i32,
    },
    /// Not in the menu.
    #[error("`{control}` is {value}; this camera takes only {menu:?}")]
    NotInMenu {
        /// The control.
        control: Control,
        /// The value.
        value: i32,
        /// What is possible.
        menu: Vec<i32>,
    },
}

impl Range {
    /// The value to set for a wanted one: the closest step.
    ///
    /// # Errors
    ///
    /// The control does not have it.
    pub fn check(&self, control: Control, value: i32) -> Result<i32, WrongValue> {
        if !self.writable {
            return Err(WrongValue::ReadOnly(control));
        }
        if !(self.min..=self.max).contains(&value) {
            return Err(WrongValue::Outside {
                control,
                value,
                min: self.min,
                max: self.max,
            });
        }
        if !self.menu.is_empty() && !self.menu.contains(&value) {
            let menu = self.menu.clone();
            return Err(WrongValue::NotInMenu {
                control,
                value,
                menu,
            });
        }
        let step = i64::from(self.step.max(1));
        let steps = (i64::from(value) - i64::from(self.min)) / step;
        Ok(i32::try_from(i64::from(self.min) + steps * step).unwrap_or(value))
    }
}

/// The controls of a camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// What there is.
    pub ranges: BTreeMap<Control, Range>,
    /// Controls whose range cannot be; they are not used.
    pub nonsense: Vec<Control>,
}

impl Controls {
    /// Asks a camera.
    pub fn ask(node: &mut impl Node) -> Self {
        let mut controls = Self::default();
        for control in Control::ALL {
            let mut words = [0; 17];
            words[0] = control.id();
            if node.call(QUERY, &mut words).is_err() || words[14] & FLAG_DISABLED != 0 {
                continue;
            }
            let range = Range {
                min: signed(words[10]),
                max: signed(words[11]),
                step: signed(words[12]),
                default: signed(words[13]),
                menu: Vec::new(),
                writable: words[14] & FLAG_READ_ONLY == 0,
                inactive: words[14] & FLAG_INACTIVE != 0,
                label: text(&words[2..10]),
            };
            if range.min > range.max || range.step < 0 {
                controls.nonsense.push(*control);
                continue;
            }
            let menu = if words[1] == TYPE_MENU {
                menu(node, *control, &range)
            } else {
                Vec::new()
            };
            controls.ranges.insert(*control, Range { menu, ..range });
        }
        controls
    }

    /// The value to set for a wanted one.
    ///
    /// # Errors
    ///
    /// The camera does not have it.
    pub fn check(&self, control: Control, value: i32) -> Result<i32, WrongValue> {
        let range = self.ranges.get(&control);
        range
            .ok_or(WrongValue::Missing(control))?
            .check(control, value)
    }

    /// What is set when a camera is opened: lamps on European mains flicker with 50 Hz, and drivers
    /// begin with 60.
    #[must_use]
    pub fn at_opening(&self, mains: Mains) -> Option<(Control, i32)> {
        let control = Control::PowerLineFrequency;
        let wanted = [mains.value(), 3];
        let possible = |value: &i32| self.check(control, *value).is_ok();
        wanted.into_iter().find(possible).map(|v| (control, v))
    }

    /// Whether the camera can be turned or zoomed.
    #[must_use]
    pub fn moves(&self) -> bool {
        let moves = [Control::Pan, Control::Tilt, Control::Zoom];
        moves.iter().any(|control| {
            let range = self.ranges.get(control);
            range.is_some_and(|range| range.writable && range.min < range.max)
        })
    }
}

/// A menu has numbers without an entry; those are not possible.
fn menu(node: &mut impl Node, control: Control, range: &Range) -> Vec<i32> {
    (range.min.max(0)..=range.max.min(31))
        .filter(|index| {
            let mut words = [0; 11];
            words[0] = control.id();
            words[1] = word(*index);
            node.call(QUERY_MENU, &mut words).is_ok()
        })
        .collect()
}

/// The frequency of the mains, which lamps flicker with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mains {
    /// 50 Hz: Europe.
    #[default]
    #[serde(rename = "50")]
    Hz50,
    /// 60 Hz.
    #[serde(rename = "60")]
    Hz60,
}

impl Mains {
    const fn value(self) -> i32 {
        match self {
            Self::Hz50 => 1,
            Self::Hz60 => 2,
        }
    }
}

/// The present value of a control.
///
/// # Errors
///
/// The kernel refused.
pub fn get(node: &mut impl Node, control: Control) -> Result<i32, Refusal> {
    let mut words = [control.id(), 0];
    node.call(GET, &mut words)?;
    Ok(signed(words[1]))
}

/// Sets a control. Check the value before with [`Controls::check`].
///
/// # Errors
///
/// The kernel refused.
pub fn set(node: &mut impl Node, control: Control, value: i32) -> Result<(), Refusal> {
    node.call(SET, &mut [control.id(), word(value)])
}

/// The present values of everything that a preset keeps.
pub fn current(node: &mut impl Node, controls: &Controls) -> BTreeMap<Control, i32> {
    let switched = |control: Control| {
        let switch = control.automatic();
        switch.is_some_and(|(switch, _)| controls.ranges.contains_key(&switch))
    };
    let kept = controls.ranges.iter().filter(|(control, range)| {
        let mains = **control == Control::PowerLineFrequency;
        // An automatic may have been switched since the camera was asked: its present value counts.
        let inactive = range.inactive && !switched(**control);
        control.is_a_state() && range.writable && !inactive && !mains
    });
    let all: BTreeMap<Control, i32> = kept
        .filter_map(|(control, _)| Some((*control, get(node, *control).ok()?)))
        .collect();
    let mut values = all.clone();
    values.retain(|control, _| !is_automatic(&all, *control));
    values
}

/// Whether an automatic has taken a control over, by its value among these.
#[must_use]
pub fn is_automatic(values: &BTreeMap<Control, i32>, control: Control) -> bool {
    control.automatic().is_some_and(|(switch, by_hand)| {
        let chosen = values.get(&switch);
        chosen.is_some_and(|chosen| *chosen != by_hand)
    })
}

#[cfg(test)]
#[path = "controls_tests.rs"]
pub(crate) mod tests;
