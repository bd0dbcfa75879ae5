// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! H.264 in Annex B form: units, start codes and the bytes that keep them apart.

/// Clear bytes of the first slice: its header byte and the byte after it.
pub(crate) const CLEAR_OF_SLICE: usize = 2;
const START: [u8; 4] = [0, 0, 0, 1];
const NON_IDR: u8 = 1;
const IDR: u8 = 5;
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;

const fn kind(header: u8) -> u8 {
    header & 0x1f
}

pub(crate) const fn is_idr(header: u8) -> bool {
    kind(header) == IDR
}

/// The place after the next start code.
fn after_start(data: &[u8], from: usize) -> Option<usize> {
    let rest = data.get(from..)?;
    let found = rest.windows(3).position(|three| three == [0, 0, 1])?;
    Some(from + found + 3)
}

/// The units of an access unit without their start codes and the zeros before these; none if
/// anything but zeros comes before the first. Stops after `limit` units.
pub(crate) fn units(data: &[u8], limit: usize) -> Option<Vec<&[u8]>> {
    let mut at = first_unit(data)?;
    let mut units = Vec::new();
    while units.len() < limit {
        let next = after_start(data, at);
        let end = next.map_or(data.len(), |next| next - 3);
        units.push(without_trailing_zeros(data.get(at..end)?));
        let Some(next) = next else { break };
        at = next;
    }
    Some(units)
}

fn first_unit(data: &[u8]) -> Option<usize> {
    let at = after_start(data, 0)?;
    let leading = data.get(..at - 3)?;
    leading.iter().all(|byte| *byte == 0).then_some(at)
}

fn without_trailing_zeros(unit: &[u8]) -> &[u8] {
    let used = unit.iter().rposition(|byte| *byte != 0);
    &unit[..used.map_or(0, |last| last + 1)]
}

/// The place of the first slice's header byte.
pub(crate) fn first_slice(data: &[u8]) -> Option<usize> {
    let mut at = first_unit(data)?;
    while !matches!(kind(*data.get(at)?), NON_IDR | IDR) {
        at = after_start(data, at)?;
    }
    Some(at)
}

/// The clear part as it will look after packets have carried it: four-byte start codes, without
/// delimiters and filler. The receiver authenticates exactly these bytes.
///
/// None if the slice ends within the clear part, or if the clear part could form a start code with
/// what follows.
pub(crate) fn travelling_header(data: &[u8], slice: usize) -> Option<Vec<u8>> {
    let clear = data.get(slice..slice + CLEAR_OF_SLICE)?;
    if clear.last() == Some(&0) {
        return None;
    }
    let mut header = Vec::with_capacity(slice + 8);
    for unit in units(data.get(..slice)?, usize::MAX)? {
        let kept = |first: &u8| !matches!(kind(*first), DELIMITER | FILLER);
        if unit.first().is_some_and(kept) {
            header.extend_from_slice(&START);
            header.extend_from_slice(unit);
        }
    }
    header.extend_from_slice(&START);
    header.extend_from_slice(clear);
    Some(header)
}

/// Puts a 3 before each byte that could make a start code with the two zeros before it
/// (H.264, section 7.4.1).
pub(crate) fn escape(data: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(data.len() + data.len() / 64);
    let mut zeros = 0;
    for byte in data {
        if *byte <= 3 && zeros >= 2 {
            escaped.push(3);
            zeros = 0;
        }
        escaped.push(*byte);
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    escaped
}

/// Takes the bytes out again that [`escape`] put in.
pub(crate) fn unescape(data: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(data.len());
    let mut zeros = 0;
    for byte in data {
        if *byte == 3 && zeros >= 2 {
            zeros = 0;
            continue;
        }
        plain.push(*byte);
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_slice_is_found_behind_parameters() {
        let unit = [
            0, 0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88, 0x84,
        ];
        assert_eq!(first_slice(&unit), Some(15));
        for other in [
            &[][..],
            &[0, 0, 1],
            &[0, 0, 1, 0x67, 0x42],
            &[1, 0, 0, 1, 0x65, 0x88],
            &[0x65, 0x88],
        ] {
            assert_eq!(first_slice(other), None, "{other:02x?}");
        }
    }

    #[test]
    fn the_clear_part_is_what_packets_will_carry() {
        let unit = [
            0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 1, 0x65, 0x88, 7,
        ];
        let slice = first_slice(&unit).unwrap();
        assert_eq!(
            travelling_header(&unit, slice).unwrap(),
            [
                0, 0, 0, 1, 0x67, 0x42, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88
            ]
        );
        assert_eq!(travelling_header(&[0, 0, 1, 0x65, 0, 7], 3), None);
        assert_eq!(travelling_header(&[0, 0, 1, 0x65], 3), None);
    }

    #[test]
    fn escaped_bytes_hold_no_start_code() {
        for (plain, escaped) in [
            (&[0, 0, 0][..], &[0, 0, 3, 0][..]),
            (&[0, 0, 1, 0, 0, 3], &[0, 0, 3, 1, 0, 0, 3, 3]),
            (&[0, 0, 0, 0, 0], &[0, 0, 3, 0, 0, 3, 0]),
            (&[0, 0, 4, 0, 1], &[0, 0, 4, 0, 1]),
        ] {
            assert_eq!(escape(plain), escaped);
            assert_eq!(unescape(escaped), plain);
        }
    }
}
