// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! RTP payloads of H.264 (RFC 6184, packetization mode 1). Of a NAL unit only the header is read, so
//! that its content may be encrypted.

/// NAL unit types (ITU-T H.264, table 7-1; RFC 6184, table 1).
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// The parts of a NAL unit's header.
const TYPE: u8 = 0x1f;
const IMPORTANCE: u8 = 0x60;
/// The marks of a fragment.
const START: u8 = 0x80;
const END: u8 = 0x40;
/// What stands before a fragment, and before a unit within an aggregate.
const FRAGMENT_HEADER: usize = 2;
const LENGTH: usize = 2;

/// Splits an access unit, a byte stream (ITU-T H.264, annex B), into payloads of at most `mtu` bytes.
/// Small units that follow each other, as parameter sets do, share a payload; large ones are split
/// into parts of about the same length.
pub(super) fn split(stream: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut small: Vec<&[u8]> = Vec::new();
    for unit in units(stream).filter(|unit| is_sent(unit)) {
        let aggregate = 1 + small
            .iter()
            .chain([&unit])
            .map(|one| LENGTH + one.len())
            .sum::<usize>();
        if aggregate > mtu {
            payloads.extend(together(&std::mem::take(&mut small)));
        }
        if unit.len() > mtu {
            payloads.extend(fragments(unit, mtu));
        } else {
            small.push(unit);
        }
    }
    payloads.extend(together(&small));
    payloads
}

/// Delimiters and filler say nothing that RTP does not.
fn is_sent(unit: &[u8]) -> bool {
    let kind = unit.first().map(|header| header & TYPE);
    kind.is_some_and(|kind| kind != DELIMITER && kind != FILLER)
}

/// One unit as it is, or several in an aggregate (RFC 6184, section 5.7.1).
fn together(units: &[&[u8]]) -> Option<Vec<u8>> {
    match units {
        [] => None,
        [unit] => Some(unit.to_vec()),
        units => {
            let importance = units.iter().map(|unit| unit[0] & IMPORTANCE).max();
            let mut payload = vec![STAP_A | importance.unwrap_or_default()];
            for unit in units {
                // Within a payload, whose length fits.
                payload.extend((unit.len() as u16).to_be_bytes());
                payload.extend_from_slice(unit);
            }
            Some(payload)
        }
    }
}

/// The parts of a large unit (RFC 6184, section 5.8).
fn fragments(unit: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    let Some((header, content)) = unit.split_first() else {
        return Vec::new();
    };
    let room = mtu.saturating_sub(FRAGMENT_HEADER).max(1);
    // A unit of one fragment is not allowed to be one.
    let count = content.len().div_ceil(room).max(2);
    let parts = content.chunks(content.len().div_ceil(count).max(1));
    let last = parts.len().saturating_sub(1);
    let fragment = |(index, part): (usize, &[u8])| {
        let start = if index == 0 { START } else { 0 };
        let end = if index == last { END } else { 0 };
        let mut payload = Vec::with_capacity(FRAGMENT_HEADER + part.len());
        payload.extend([header & IMPORTANCE | FU_A, header & TYPE | start | end]);
        payload.extend_from_slice(part);
        payload
    };
    parts.enumerate().map(fragment).collect()
}

/// The NAL units of a byte stream.
fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        let start = start_code(rest)? + 3;
        rest = rest.get(start..)?;
        let end = start_code(rest).unwrap_or(rest.len());
        let (unit, tail) = rest.split_at(end);
        rest = tail;
        // Zeros at the end belong to the start code that follows.
        let length = unit.iter().rposition(|byte| *byte != 0);
        unit.get(..length.map_or(0, |last| last + 1))
    })
}

fn start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(3).position(|bytes| bytes == [0, 0, 1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a receiver makes of payloads.
    fn joined(payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut units: Vec<Vec<u8>> = Vec::new();
        let mut open = false;
        for payload in payloads {
            match payload[0] & TYPE {
                STAP_A => {
                    let mut rest = &payload[1..];
                    while let [high, low, tail @ ..] = rest {
                        let length = usize::from(u16::from_be_bytes([*high, *low]));
                        units.push(tail[..length].to_vec());
                        rest = &tail[length..];
                    }
                }
                FU_A => {
                    let mark = payload[1];
                    assert_eq!(mark & START != 0, !open, "a fragment out of order");
                    if !open {
                        units.push(vec![payload[0] & IMPORTANCE | mark & TYPE]);
                    }
                    units.last_mut().unwrap().extend(&payload[2..]);
                    open = mark & END == 0;
                }
                _ => units.push(payload.clone()),
            }
        }
        assert!(!open, "a unit without its end");
        units
    }

    #[test]
    fn parameters_share_a_packet_and_a_large_picture_is_split() {
        let picture = [&[0x65][..], &[0x88; 3000]].concat();
        let (sps, pps) = ([0x67, 0x42, 0xe0, 0x1f], [0x68, 0xce, 0x3c]);
        let long = [0, 0, 0, 1];
        let stream = [
            &[0, 0, 0, 1, 0x09, 0x10][..],
            &long,
            &sps,
            &long,
            &pps,
            &[0, 0, 1],
            &picture,
        ]
        .concat();
        let payloads = split(&stream, 1100);
        assert_eq!(payloads.len(), 4);
        assert_eq!(
            payloads[0],
            [0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 3, 0x68, 0xce, 0x3c]
        );
        let marks: Vec<_> = payloads[1..].iter().map(|it| [it[0], it[1]]).collect();
        assert_eq!(marks, [[0x7c, 0x85], [0x7c, 0x05], [0x7c, 0x45]]);
        assert_eq!(joined(&payloads), [&sps[..], &pps, &picture]);
        assert_eq!(split(&[0, 0, 1, 0x41, 7], 1100), [[0x41, 7]]);
    }

    #[test]
    fn what_is_no_byte_stream_gives_nothing() {
        for stream in [&[][..], &[0x65, 1, 2], &[0, 0, 1], &[0, 0, 1, 0x09, 0x30]] {
            assert_eq!(split(stream, 1100), [[0_u8; 0]; 0], "{stream:?}");
        }
    }

    proptest! {
        #[test]
        fn any_units_come_out_as_they_went_in(
            units in proptest::collection::vec(
                (1_u8..=5, proptest::collection::vec(2_u8.., 1..400)), 1..8),
            mtu in 16_usize..300,
        ) {
            let units: Vec<Vec<u8>> = units
                .into_iter()
                .map(|(kind, content)| [&[0x60 | kind][..], &content].concat())
                .collect();
            let stream: Vec<u8> = units
                .iter()
                .flat_map(|unit| [&[0, 0, 0, 1][..], unit].concat())
                .collect();
            let payloads = split(&stream, mtu);
            prop_assert!(payloads.iter().all(|payload| payload.len() <= mtu));
            prop_assert_eq!(joined(&payloads), units);
        }

        #[test]
        fn whatever_comes_is_split(stream: Vec<u8>, mtu in 0_usize..64) {
            let longest = split(&stream, mtu).iter().map(Vec::len).max();
            prop_assert!(longest <= Some(mtu.max(3)));
        }
    }
}
