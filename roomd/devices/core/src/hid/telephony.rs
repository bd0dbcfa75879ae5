// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeSet;

use super::descriptor::{self, Descriptor, Field, Meaning, Usage, Way};

const HOOK: Usage = 0x000b_0020;
const MUTE: Usage = 0x000b_002f;
const LED_MUTE: Usage = 0x0008_0009;
const LED_OFF_HOOK: Usage = 0x0008_0017;
const LED_RING: Usage = 0x0008_0018;
/// What the USB needs at most, and somewhat more.
const REPORT: usize = 1024;

/// What a device's report means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The mute key was pressed: mute changes over.
    Mute,
    /// The mute switch stands at muted or not.
    Muted(bool),
    /// The hook key was pressed.
    Hook,
    /// The handset is lifted or not.
    OffHook(bool),
}

/// What the lamps show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lamps {
    /// The microphone is muted.
    pub mute: bool,
    /// A call is on. Many devices let their mute lamp work only then.
    pub off_hook: bool,
    /// A meeting is offered.
    pub ring: bool,
}

/// The telephony part of a HID device, and where its keys stand.
#[derive(Clone, Debug)]
pub struct Telephony {
    descriptor: Descriptor,
    /// The input fields that are on.
    on: BTreeSet<usize>,
}

impl Telephony {
    /// Reads a report descriptor; none when the device has nothing of telephony.
    #[must_use]
    pub fn from_descriptor(bytes: &[u8]) -> Option<Self> {
        let wanted = |way, usage| match way {
            Way::Input => matches!(usage, HOOK | MUTE),
            Way::Output => matches!(usage, LED_MUTE | LED_OFF_HOOK | LED_RING),
            Way::Feature => false,
        };
        let descriptor = descriptor::parse(bytes, wanted);
        (!descriptor.fields.is_empty()).then(|| Self {
            descriptor,
            on: BTreeSet::new(),
        })
    }

    /// Whether it has a mute key.
    #[must_use]
    pub fn has_mute_key(&self) -> bool {
        self.has(Way::Input, MUTE)
    }

    /// Whether it has a lamp for mute.
    #[must_use]
    pub fn has_mute_lamp(&self) -> bool {
        self.has(Way::Output, LED_MUTE)
    }

    fn has(&self, way: Way, usage: Usage) -> bool {
        let fields = self.descriptor.fields.iter();
        fields
            .filter(|f| f.way == way)
            .any(|f| f.meaning.usage() == usage)
    }

    /// Takes an input report as hidraw gives it: with its number before it where reports have one.
    pub fn report(&mut self, report: &[u8]) -> Vec<Signal> {
        let (number, body) = match report.split_first() {
            Some((number, body)) if self.descriptor.numbered => (*number, body),
            Some(_) | None => (0, report),
        };
        let mut signals = Vec::new();
        for (at, field) in self.descriptor.fields.iter().enumerate() {
            if field.way != Way::Input || field.report != number {
                continue;
            }
            let Some(value) = descriptor::value(body, field) else {
                continue;
            };
            let on = match field.meaning {
                Meaning::On(_) => value != 0,
                Meaning::Value(_, wanted) => {
                    value == wanted & (u32::MAX >> (32 - field.size.clamp(1, 32)))
                }
            };
            let changed = if on {
                self.on.insert(at)
            } else {
                self.on.remove(&at)
            };
            signals.extend(signal(field, on, changed));
        }
        signals
    }

    /// The output reports that set the lamps, as hidraw takes them: with their number, which is 0
    /// where reports have none, before them.
    #[must_use]
    pub fn lamps(&self, lamps: Lamps) -> Vec<Vec<u8>> {
        let outputs = || {
            self.descriptor
                .fields
                .iter()
                .filter(|f| f.way == Way::Output)
        };
        let numbers: BTreeSet<u8> = outputs().map(|field| field.report).collect();
        let report = |number: u8| {
            let bits = self.descriptor.bits.get(&(Way::Output, number));
            let length = usize::try_from(bits?.div_ceil(8)).ok()?.min(REPORT);
            let mut report = vec![0; length + 1];
            let (first, body) = report.split_first_mut()?;
            *first = number;
            for field in outputs().filter(|field| field.report == number) {
                let on = match field.meaning.usage() {
                    LED_MUTE => lamps.mute,
                    LED_OFF_HOOK => lamps.off_hook,
                    LED_RING => lamps.ring,
                    _ => false,
                };
                if on && matches!(field.meaning, Meaning::On(_)) {
                    descriptor::switch_on(body, field);
                }
            }
            Some(report)
        };
        numbers.into_iter().filter_map(report).collect()
    }
}

/// A key that falls back, or whose reports are changes, says that it was pressed; a switch says where
/// it stands.
const fn signal(field: &Field, on: bool, changed: bool) -> Option<Signal> {
    let key = field.relative || field.momentary;
    match (field.meaning.usage(), key, on) {
        (_, _, _) if !changed => None,
        (MUTE, true, true) => Some(Signal::Mute),
        (HOOK, true, true) => Some(Signal::Hook),
        (MUTE, false, _) => Some(Signal::Muted(on)),
        (HOOK, false, _) => Some(Signal::OffHook(on)),
        (_, _, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A speakerphone: report 3 in with hook (a state) and mute (a change), report 3 out with three
    /// lamps, as such devices describe themselves.
    const PHONE: &[u8] = &[
        0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x85, 0x03, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95,
        0x01, 0x09, 0x20, 0x81, 0x22, 0x09, 0x2f, 0x81, 0x06, 0x95, 0x06, 0x81, 0x03, 0x05, 0x08,
        0x95, 0x01, 0x09, 0x17, 0x91, 0x22, 0x09, 0x09, 0x91, 0x22, 0x09, 0x18, 0x91, 0x22, 0x95,
        0x05, 0x91, 0x03, 0xc0,
    ];

    /// A mute switch without report numbers that keeps its position.
    const SWITCH: &[u8] = &[
        0x05, 0x0b, 0xa1, 0x01, 0x09, 0x2f, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x81,
        0x22, 0x75, 0x07, 0x81, 0x03, 0x05, 0x08, 0x09, 0x09, 0x75, 0x01, 0x91, 0x02, 0x75, 0x07,
        0x91, 0x03, 0xc0,
    ];

    #[test]
    fn a_speakerphone_has_key_and_lamps() {
        let mut phone = Telephony::from_descriptor(PHONE).unwrap();
        assert!(phone.has_mute_key() && phone.has_mute_lamp());
        assert_eq!(phone.report(&[3, 0b10]), [Signal::Mute]);
        assert_eq!(phone.report(&[3, 0b10]), []);
        assert_eq!(phone.report(&[3, 0]), []);
        assert_eq!(
            phone.report(&[3, 0b11]),
            [Signal::OffHook(true), Signal::Mute]
        );
        assert_eq!(phone.report(&[3, 0]), [Signal::OffHook(false)]);
        assert_eq!(phone.report(&[4, 0b10]), []);
        assert_eq!(phone.report(&[3]), []);
        let mute = Lamps {
            mute: true,
            off_hook: true,
            ring: false,
        };
        assert_eq!(phone.lamps(mute), [vec![3, 0b011]]);
        assert_eq!(phone.lamps(Lamps::default()), [vec![3, 0]]);
    }

    #[test]
    fn a_switch_says_where_it_stands() {
        let mut switch = Telephony::from_descriptor(SWITCH).unwrap();
        assert_eq!(switch.report(&[1]), [Signal::Muted(true)]);
        assert_eq!(switch.report(&[0]), [Signal::Muted(false)]);
        let lamps = Lamps {
            mute: true,
            ..Lamps::default()
        };
        assert_eq!(switch.lamps(lamps), [vec![0, 1]]);
    }

    #[test]
    fn an_array_names_the_pressed_key_by_value() {
        // One field of 8 bits with values 1 and 2 for hook and mute.
        let bytes = [
            0x05, 0x0b, 0xa1, 0x01, 0x15, 0x01, 0x25, 0x02, 0x09, 0x20, 0x09, 0x2f, 0x75, 0x08,
            0x95, 0x01, 0x81, 0x00, 0xc0,
        ];
        let mut keys = Telephony::from_descriptor(&bytes).unwrap();
        assert_eq!(keys.report(&[2]), [Signal::Mute]);
        assert_eq!(keys.report(&[1]), [Signal::Hook]);
        assert_eq!(keys.report(&[0]), []);
    }

    #[test]
    fn a_mouse_is_no_telephone() {
        let mouse = [
            0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00,
            0x25, 0x01, 0x95, 0x03, 0x75, 0x01, 0x81, 0x02, 0xc0,
        ];
        assert!(Telephony::from_descriptor(&mouse).is_none());
    }

    #[test]
    fn a_claim_without_measure_costs_nothing() {
        // 2^32 - 1 fields of 2^32 - 1 bits, and usages from nothing to everything.
        let bytes = [
            0x05, 0x0b, 0x1b, 0, 0, 0, 0, 0x2b, 255, 255, 255, 255, 0x77, 255, 255, 255, 255, 0x97,
            255, 255, 255, 255, 0x81, 0x02, 0x75, 1, 0x95, 1, 0x09, 0x2f, 0x81, 0x02,
        ];
        assert!(Telephony::from_descriptor(&bytes).is_none());
    }

    proptest! {
        #[test]
        fn no_descriptor_and_no_report_panics(
            noise in proptest::collection::vec(any::<u8>(), 0..200),
            at in 0..PHONE.len(),
            reports in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 0..8),
        ) {
            let mut broken = PHONE.to_vec();
            broken.splice(at..at, noise.iter().copied().take(4));
            for bytes in [noise, broken] {
                if let Some(mut phone) = Telephony::from_descriptor(&bytes) {
                    for report in &reports {
                        prop_assert!(phone.report(report).len() <= 32);
                    }
                    let lamps = Lamps { mute: true, off_hook: true, ring: true };
                    for report in phone.lamps(lamps) {
                        prop_assert!(report.len() <= REPORT + 1);
                    }
                }
            }
        }
    }
}
