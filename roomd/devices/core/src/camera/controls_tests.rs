// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;

use super::*;

/// A camera with these controls: kind, smallest, largest, step, default, flags; and present values.
#[derive(Default)]
pub(crate) struct Fake {
    pub controls: BTreeMap<u32, [i32; 6]>,
    pub values: BTreeMap<u32, i32>,
}

impl Fake {
    pub(crate) fn with(mut self, control: Control, fields: [i32; 6]) -> Self {
        self.controls.insert(control.id(), fields);
        self
    }

    pub(crate) fn ptz() -> Self {
        Self::default()
            .with(Control::Pan, [1, -36_000, 36_000, 3600, 0, 0])
            .with(Control::Tilt, [1, -36_000, 36_000, 3600, 0, 0])
            .with(Control::Zoom, [1, 100, 400, 1, 100, 0])
            .with(Control::FocusAuto, [2, 0, 1, 1, 1, 0])
            .with(Control::Focus, [1, 0, 250, 5, 0, 0])
            .with(Control::PowerLineFrequency, [3, 0, 2, 1, 2, 0])
            .with(Control::Privacy, [2, 0, 1, 1, 0, 4])
    }
}

impl Node for Fake {
    fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal> {
        let fields = self.controls.get(&words[0]).ok_or(Refusal::None)?;
        if call == QUERY {
            let [kind, min, max, step, default, flags] = *fields;
            words[1] = word(kind);
            words[2] = u32::from_ne_bytes(*b"Name");
            for (at, value) in [min, max, step, default, flags].into_iter().enumerate() {
                words[10 + at] = word(value);
            }
        } else if call == GET {
            words[1] = word(self.values.get(&words[0]).copied().unwrap_or(fields[4]));
        } else if call == SET {
            self.values.insert(words[0], signed(words[1]));
        } else if signed(words[1]) == 0 {
            // The menu of this camera has no entry 0.
            return Err(Refusal::None);
        }
        Ok(())
    }
}

#[test]
fn a_camera_says_what_can_be_set() {
    let controls = Controls::ask(&mut Fake::ptz());
    assert_eq!(controls.ranges.len(), 7);
    assert!(controls.moves());
    assert_eq!(controls.check(Control::Pan, 0), Ok(0));
    assert_eq!(controls.check(Control::Pan, 4000), Ok(3600));
    let check = |control, value, text: &str| {
        let error = controls.check(control, value).unwrap_err();
        assert_eq!(error.to_string(), text);
    };
    check(
        Control::Zoom,
        1000,
        "`zoom` is 1000; this camera takes 100 to 400",
    );
    check(Control::Gain, 1, "this camera has no control `gain`");
    check(
        Control::Privacy,
        0,
        "`privacy` of this camera cannot be set",
    );
    check(
        Control::PowerLineFrequency,
        0,
        "`power-line-frequency` is 0; this camera takes only [1, 2]",
    );
}

#[test]
fn whether_focus_is_by_hand_is_asked_and_not_remembered() {
    // It was automatic when the camera was asked what it has: the driver called its value inactive.
    let mut camera = Fake::ptz().with(Control::Focus, [1, 0, 250, 5, 0, 0x10]);
    let controls = Controls::ask(&mut camera);
    assert!(!current(&mut camera, &controls).contains_key(&Control::Focus));
    set(&mut camera, Control::FocusAuto, 0).unwrap();
    set(&mut camera, Control::Focus, 30).unwrap();
    assert_eq!(current(&mut camera, &controls)[&Control::Focus], 30);
}

#[test]
fn the_mains_have_50_hertz_unless_told_otherwise() {
    let controls = Controls::ask(&mut Fake::ptz());
    let control = Control::PowerLineFrequency;
    assert_eq!(controls.at_opening(Mains::default()), Some((control, 1)));
    assert_eq!(controls.at_opening(Mains::Hz60), Some((control, 2)));
    assert_eq!(Controls::default().at_opening(Mains::Hz50), None);
}

#[test]
fn ranges_that_cannot_be_are_not_used() {
    let mut camera = Fake::default()
        .with(Control::Zoom, [1, 400, 100, 1, 100, 0])
        .with(Control::Focus, [1, 0, 100, -1, 0, 0])
        .with(Control::Pan, [1, i32::MIN, i32::MAX, 0, 0, 0]);
    let controls = Controls::ask(&mut camera);
    assert_eq!(controls.nonsense, [Control::Focus, Control::Zoom]);
    assert_eq!(controls.check(Control::Pan, i32::MAX), Ok(i32::MAX));
    assert_eq!(controls.check(Control::Pan, i32::MIN), Ok(i32::MIN));
}

#[test]
fn names_lead_to_controls() {
    for control in Control::ALL {
        assert_eq!(Control::named(control.name()), Some(*control));
    }
    assert_eq!(Control::named("pann"), None);
}

proptest! {
    #[test]
    fn no_range_panics(fields: [i32; 6], value: i32) {
        let mut camera = Fake::default().with(Control::Pan, fields);
        let controls = Controls::ask(&mut camera);
        if let Ok(set) = controls.check(Control::Pan, value) {
            prop_assert!((fields[1]..=fields[2]).contains(&set));
        }
    }
}
