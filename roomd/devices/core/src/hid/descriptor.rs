// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::collections::BTreeMap;

/// The kernel takes no longer descriptors (`HID_MAX_DESCRIPTOR_SIZE`).
const DESCRIPTOR: usize = 4096;
/// Bits that the reports of one number may have.
const BITS: u32 = 8 * 1024;
/// Usages that a main item may list.
const USAGES: usize = 64;
/// Fields that are kept.
const FIELDS: usize = 32;
const STACK: usize = 8;

/// Usage page in the upper half, usage in the lower.
pub(super) type Usage = u32;

/// Which way a report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Input,
    Output,
    Feature,
}

/// Some bits of a report that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub way: Way,
    /// The report's number; 0 where reports have none.
    pub report: u8,
    /// The first bit, without the byte of the report's number.
    pub bit: u32,
    pub size: u32,
    pub meaning: Meaning,
    /// Each report says a change, not a state.
    pub relative: bool,
    /// It falls back when nobody touches it.
    pub momentary: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Not zero is on.
    On(Usage),
    /// On while the field has this value.
    Value(Usage, u32),
}

impl Meaning {
    pub(super) const fn usage(self) -> Usage {
        match self {
            Self::On(usage) | Self::Value(usage, _) => usage,
        }
    }
}

/// What a descriptor says about the wanted usages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub fields: Vec<Field>,
    /// Whether reports begin with their number.
    pub numbered: bool,
    /// The length of each report in bits.
    pub bits: BTreeMap<(Way, u8), u32>,
}

#[derive(Clone, Copy, Default)]
struct Global {
    page: u32,
    logical_min: i32,
    size: u32,
    count: u32,
    report: u8,
}

#[derive(Default)]
struct Local {
    usages: Vec<Usage>,
    min: Option<Usage>,
}

/// Reads a descriptor up to where it makes no sense; keeps the wanted usages.
pub(super) fn parse(bytes: &[u8], wanted: impl Fn(Way, Usage) -> bool) -> Descriptor {
    let mut descriptor = Descriptor::default();
    let (mut global, mut local) = (Global::default(), Local::default());
    let mut stack = Vec::new();
    let mut rest = bytes.get(..DESCRIPTOR).unwrap_or(bytes);
    while let Some((prefix, after)) = rest.split_first() {
        if *prefix == 0xfe {
            // A long item: its length, its tag, its data. None is defined.
            let length = after.first().map_or(0, |length| usize::from(*length));
            rest = after.get(2 + length..).unwrap_or_default();
            continue;
        }
        let length = [0, 1, 2, 4][usize::from(prefix & 3)];
        let Some((data, after)) = after.split_at_checked(length) else {
            break;
        };
        rest = after;
        let value = unsigned(data);
        match (prefix >> 2 & 3, prefix >> 4) {
            (0, tag) => {
                let way = match tag {
                    8 => Some(Way::Input),
                    9 => Some(Way::Output),
                    11 => Some(Way::Feature),
                    _ => None,
                };
                if let Some(way) = way {
                    descriptor.add(way, value, &global, &local, &wanted);
                }
                local = Local::default();
            }
            (1, tag) => match tag {
                0 => global.page = value & 0xffff,
                1 => global.logical_min = sign(data),
                7 => global.size = value,
                8 => {
                    global.report = data.first().copied().unwrap_or(0);
                    descriptor.numbered = true;
                }
                9 => global.count = value,
                10 if stack.len() < STACK => stack.push(global),
                11 => global = stack.pop().unwrap_or(global),
                _ => {}
            },
            (2, tag) => {
                // A usage of four bytes brings its own page.
                let usage = match data.len() {
                    4 => value,
                    _ => global.page << 16 | value,
                };
                local.take(tag, usage);
            }
            _ => {}
        }
    }
    descriptor
}

impl Local {
    fn take(&mut self, tag: u8, usage: Usage) {
        match tag {
            0 if self.usages.len() < USAGES => self.usages.push(usage),
            1 => self.min = Some(usage),
            2 => {
                let room = USAGES - self.usages.len();
                if let Some(min) = self.min.take().filter(|min| *min <= usage) {
                    self.usages.extend((min..=usage).take(room));
                }
            }
            _ => {}
        }
    }
}

impl Descriptor {
    fn add(
        &mut self,
        way: Way,
        flags: u32,
        global: &Global,
        local: &Local,
        wanted: &impl Fn(Way, Usage) -> bool,
    ) {
        let bits = self.bits.entry((way, global.report)).or_default();
        let first = *bits;
        let Some(end) = global
            .size
            .checked_mul(global.count)
            .and_then(|length| length.checked_add(first))
            .filter(|end| *end <= BITS)
        else {
            // What follows would lie anywhere.
            *bits = BITS;
            return;
        };
        *bits = end;
        let (constant, variable) = (flags & 1 != 0, flags & 2 != 0);
        if constant || first == BITS || !(1..=32).contains(&global.size) {
            return;
        }
        let slots = global.count.min(USAGES as u32);
        for slot in 0..slots {
            let field = |meaning| Field {
                way,
                report: global.report,
                bit: first + slot * global.size,
                size: global.size,
                meaning,
                relative: flags & 4 != 0,
                momentary: flags & 0x20 == 0,
            };
            let usages = local.usages.iter().enumerate();
            let found: Vec<Field> = if variable {
                // The last usage holds for all that remain.
                let usage = local.usages.get(slot as usize).or(local.usages.last());
                usage
                    .map(|usage| field(Meaning::On(*usage)))
                    .into_iter()
                    .collect()
            } else {
                let value = |at: usize| global.logical_min.wrapping_add(at as i32).cast_unsigned();
                usages
                    .map(|(at, usage)| field(Meaning::Value(*usage, value(at))))
                    .collect()
            };
            for field in found {
                let keep = wanted(way, field.meaning.usage()) && self.fields.len() < FIELDS;
                if keep && self.fields.iter().all(|other| !same_bits(other, &field)) {
                    self.fields.push(field);
                }
            }
        }
    }
}

fn same_bits(one: &Field, other: &Field) -> bool {
    let place = |f: &Field| (f.way, f.report, f.bit, f.meaning.usage());
    place(one) == place(other)
}

fn unsigned(data: &[u8]) -> u32 {
    let bytes = data.iter().take(4).rev();
    bytes.fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn sign(data: &[u8]) -> i32 {
    match data {
        [byte] => i32::from(byte.cast_signed()),
        [low, high] => i32::from(i16::from_le_bytes([*low, *high])),
        _ => unsigned(data).cast_signed(),
    }
}

/// The value of a field in a report's bytes behind its number; none where the report is too short.
pub(super) fn value(report: &[u8], field: &Field) -> Option<u32> {
    let mut value = 0;
    for at in (0..field.size).rev() {
        let bit = field.bit.checked_add(at)?;
        let byte = report.get(usize::try_from(bit / 8).ok()?)?;
        value = value << 1 | u32::from(byte >> (bit % 8) & 1);
    }
    Some(value)
}

/// Sets the lowest bit of a field.
pub(super) fn switch_on(report: &mut [u8], field: &Field) {
    let byte = usize::try_from(field.bit / 8).unwrap_or(usize::MAX);
    if let Some(byte) = report.get_mut(byte) {
        *byte |= 1 << (field.bit % 8);
    }
}
