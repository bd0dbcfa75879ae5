// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the bar says of itself (USB 2.0 chapter 9.6, UVC 1.1, UAC 1.0, HID 1.11).

use crate::camera::{self, PACKET_SIZES, SIZES};
use crate::telephony;

/// From the numbers that pid.codes gives to experiments; no vendor's.
pub const VENDOR: u16 = 0x1209;
/// The first of its experimental products.
pub const PRODUCT: u16 = 0x0001;
/// Release 1.00, in binary-coded decimals.
pub const RELEASE: u16 = 0x0100;
/// Miscellaneous, with interface associations.
pub const CLASS: [u8; 3] = [0xef, 0x02, 0x01];

/// Interfaces, in the order of the configuration.
pub const VIDEO_CONTROL: u8 = 0;
/// Where pictures come from.
pub const VIDEO_STREAM: u8 = 1;
/// Mixer of both directions.
pub const AUDIO_CONTROL: u8 = 2;
/// Where the loudspeaker's sound goes.
pub const PLAYBACK: u8 = 3;
/// Where the microphones' sound comes from.
pub const CAPTURE: u8 = 4;
/// Keys and lamps.
pub const TELEPHONY: u8 = 5;
/// How many there are.
pub const INTERFACES: usize = 6;

/// Endpoints, without their directions.
pub const VIDEO_ENDPOINT: u8 = 1;
/// Of the loudspeaker.
pub const PLAYBACK_ENDPOINT: u8 = 2;
/// Of the microphones.
pub const CAPTURE_ENDPOINT: u8 = 3;
/// Of the keys.
pub const KEY_ENDPOINT: u8 = 4;

/// Units of the camera.
pub const CAMERA_TERMINAL: u8 = 1;
/// Behind the camera terminal.
pub const PROCESSING_UNIT: u8 = 2;
/// Mixer of the loudspeaker.
pub const PLAYBACK_FEATURE: u8 = 12;
/// Mixer of the microphones.
pub const CAPTURE_FEATURE: u8 = 22;

const INWARDS: u8 = 0x80;
/// One packet each millisecond: every eighth microframe.
const EACH_MILLISECOND: u8 = 4;
const CLASS_INTERFACE: u8 = 0x24;
const CLASS_ENDPOINT: u8 = 0x25;
const YUY2: [u8; 16] = *b"YUY2\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";

/// Strings, by their indices from 1 on.
pub fn string(index: u8, serial: &str) -> Option<Vec<u8>> {
    let text = match index {
        // The languages: English of the United States.
        0 => return Some(vec![4, 3, 0x09, 0x04]),
        1 => "roomd bench",
        2 => "Conference Bar",
        3 => serial,
        4 => "Bar Camera",
        5 => "Bar Sound",
        _ => return None,
    };
    let mut bytes = vec![0, 3];
    // A descriptor has room for 126 units.
    text.encode_utf16()
        .take(126)
        .for_each(|unit| bytes.extend(unit.to_le_bytes()));
    bytes[0] = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    Some(bytes)
}

/// The device descriptor.
pub fn device() -> Vec<u8> {
    let mut bytes = vec![18, 1, 0x00, 0x02];
    bytes.extend(CLASS);
    bytes.push(64);
    bytes.extend([VENDOR, PRODUCT, RELEASE].map(u16::to_le_bytes).concat());
    bytes.extend([1, 2, 3, 1]);
    bytes
}

/// Class, subclass and protocol of each interface.
pub fn interfaces() -> Vec<[u8; 3]> {
    vec![
        [14, 1, 0],
        [14, 2, 0],
        [1, 1, 0],
        [1, 2, 0],
        [1, 2, 0],
        [3, 0, 0],
    ]
}

/// The configuration with all that belongs to it.
pub fn configuration() -> Vec<u8> {
    let parts = [video(), audio(), keys()].concat();
    let total = u16::try_from(parts.len() + 9)
        .unwrap_or(u16::MAX)
        .to_le_bytes();
    // Powered by itself.
    let head = [9, 2, total[0], total[1], INTERFACES as u8, 1, 0, 0xc0, 0];
    [&head[..], &parts].concat()
}

/// The HID descriptor, which stands in the configuration and can be asked for.
pub fn hid() -> Vec<u8> {
    let length = u16::try_from(telephony::REPORTS.len())
        .unwrap_or(0)
        .to_le_bytes();
    vec![9, 0x21, 0x11, 0x01, 0, 1, 0x22, length[0], length[1]]
}

/// A descriptor: its length, its type, its body.
fn block(kind: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let length = u8::try_from(body.len() + 2).unwrap_or(u8::MAX);
    [&[length, kind], &body[..]].concat()
}

fn class(subtype: u8, body: &[u8]) -> Vec<u8> {
    block(CLASS_INTERFACE, &[&[subtype], body])
}

fn association(first: u8, count: u8, class: [u8; 3], name: u8) -> Vec<u8> {
    block(11, &[&[first, count], &class, &[name]])
}

fn interface(number: u8, alternate: u8, endpoints: u8, name: u8) -> Vec<u8> {
    let class = interfaces()[usize::from(number)];
    block(4, &[&[number, alternate, endpoints], &class, &[name]])
}

fn video() -> Vec<u8> {
    let units = [
        // A camera, with the controls exposure and its mode, focus, zoom, pan and tilt, automatic focus.
        class(
            2,
            &[
                CAMERA_TERMINAL,
                0x01,
                0x02,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                3,
                0x2a,
                0x0a,
                0x02,
            ],
        ),
        // Brightness, white balance, backlight, power-line frequency, automatic white balance.
        class(
            5,
            &[PROCESSING_UNIT, CAMERA_TERMINAL, 0, 0, 2, 0x41, 0x15, 0, 0],
        ),
        // To the host.
        class(3, &[3, 0x01, 0x01, 0, PROCESSING_UNIT, 0]),
    ]
    .concat();
    let total = u16::try_from(units.len() + 13).unwrap_or(0).to_le_bytes();
    let clock = 48_000_000_u32.to_le_bytes();
    let version = [0x10, 0x01];
    let head = [&version[..], &total, &clock, &[1, VIDEO_STREAM]].concat();
    let mut bytes = [
        association(VIDEO_CONTROL, 2, [14, 3, 0], 4),
        interface(VIDEO_CONTROL, 0, 0, 4),
        class(1, &head),
        units,
        interface(VIDEO_STREAM, 0, 0, 0),
        formats(),
    ]
    .concat();
    for (alternate, size) in (0_u8..).zip(PACKET_SIZES).skip(1) {
        // Up to three transactions in a microframe, of 1024 bytes each.
        let more = u16::try_from(size / 1024 - 1).unwrap_or(0);
        let largest = (1024 | more << 11).to_le_bytes();
        bytes.extend(interface(VIDEO_STREAM, alternate, 1, 0));
        let address = VIDEO_ENDPOINT | INWARDS;
        bytes.extend(block(5, &[&[address, 0x05], &largest, &[EACH_MILLISECOND]]));
    }
    bytes
}

fn formats() -> Vec<u8> {
    let mut formats = class(
        4,
        &[&[1, SIZES.len() as u8], &YUY2[..], &[16, 1, 0, 0, 0, 0]].concat(),
    );
    for (index, (width, height, rates)) in (1_u8..).zip(SIZES) {
        let bytes = u32::from(width) * u32::from(height) * 2;
        let bits = |rate: Option<&u32>| (bytes * 8 * rate.copied().unwrap_or(1)).to_le_bytes();
        let intervals: Vec<u8> = rates
            .iter()
            .flat_map(|rate| camera::interval(*rate).to_le_bytes())
            .collect();
        let body = [
            &[index, 0][..],
            &width.to_le_bytes(),
            &height.to_le_bytes(),
            &bits(rates.last()),
            &bits(rates.first()),
            &bytes.to_le_bytes(),
            &intervals[..4],
            &[rates.len() as u8],
            &intervals,
        ];
        formats.extend(class(5, &body.concat()));
    }
    // BT.709, and the matrix of BT.601.
    formats.extend(class(13, &[1, 1, 4]));
    let total = u16::try_from(formats.len() + 14).unwrap_or(0).to_le_bytes();
    let address = VIDEO_ENDPOINT | INWARDS;
    let head = class(1, &[1, total[0], total[1], address, 0, 3, 0, 0, 0, 1, 0]);
    [head, formats].concat()
}

fn audio() -> Vec<u8> {
    let mute_and_volume = 0x03;
    let units = [
        // From the host: two channels, left and right.
        class(2, &[11, 0x01, 0x01, 0, 2, 0x03, 0x00, 0, 0]),
        class(6, &[PLAYBACK_FEATURE, 11, 1, mute_and_volume, 0, 0, 0]),
        class(3, &[13, 0x01, 0x03, 0, PLAYBACK_FEATURE, 0]),
        // A microphone array: four channels without a place.
        class(2, &[21, 0x05, 0x02, 0, 4, 0, 0, 0, 0]),
        class(6, &[CAPTURE_FEATURE, 21, 1, mute_and_volume, 0, 0, 0, 0, 0]),
        class(3, &[23, 0x01, 0x01, 0, CAPTURE_FEATURE, 0]),
    ]
    .concat();
    let total = u16::try_from(units.len() + 10).unwrap_or(0).to_le_bytes();
    [
        association(AUDIO_CONTROL, 3, [1, 0, 0], 5),
        interface(AUDIO_CONTROL, 0, 0, 5),
        class(1, &[0x00, 0x01, total[0], total[1], 2, PLAYBACK, CAPTURE]),
        units,
        // It follows the host's clock.
        sound(PLAYBACK, 11, 2, PLAYBACK_ENDPOINT, 0x09),
        // It has a clock of its own.
        sound(CAPTURE, 23, 4, CAPTURE_ENDPOINT | INWARDS, 0x05),
    ]
    .concat()
}

fn sound(number: u8, terminal: u8, channels: u8, address: u8, attributes: u8) -> Vec<u8> {
    // A frame more than a millisecond has.
    let largest = (49 * 2 * u16::from(channels)).to_le_bytes();
    [
        interface(number, 0, 0, 0),
        interface(number, 1, 1, 0),
        // PCM, one frame of delay.
        class(1, &[terminal, 1, 0x01, 0x00]),
        // 16 bits in two bytes, at 48 kHz alone.
        class(2, &[1, channels, 2, 16, 1, 0x80, 0xbb, 0x00]),
        block(
            5,
            &[&[address, attributes], &largest, &[EACH_MILLISECOND, 0, 0]],
        ),
        block(CLASS_ENDPOINT, &[&[1, 0, 0, 0, 0]]),
    ]
    .concat()
}

fn keys() -> Vec<u8> {
    let address = KEY_ENDPOINT | INWARDS;
    [
        interface(TELEPHONY, 0, 1, 0),
        hid(),
        block(5, &[&[address, 0x03, 8, 0, EACH_MILLISECOND]]),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type and subtype of every descriptor, which must fill the whole.
    fn walk(mut bytes: &[u8]) -> Vec<(u8, u8)> {
        let mut found = Vec::new();
        while let [length, kind, subtype, ..] = bytes {
            found.push((*kind, *subtype));
            bytes = &bytes[usize::from(*length)..];
        }
        assert!(bytes.is_empty());
        found
    }

    #[test]
    fn the_configuration_is_as_long_as_it_says() {
        let bytes = configuration();
        assert_eq!(
            usize::from(u16::from_le_bytes([bytes[2], bytes[3]])),
            bytes.len()
        );
        let blocks = walk(&bytes);
        let count = |kind: u8| blocks.iter().filter(|(found, _)| *found == kind).count();
        // Two settings more of the camera, one more of each direction of sound.
        assert_eq!((count(4), count(5), count(11)), (INTERFACES + 4, 5, 2));
    }

    #[test]
    fn lengths_of_the_classes_are_as_their_specifications_say() {
        let lengths = |bytes: Vec<u8>, kind: u8, subtype: u8| {
            let mut rest = &bytes[..];
            let mut found = Vec::new();
            while let [length, here, sub, ..] = rest {
                if (*here, *sub) == (kind, subtype) {
                    found.push(*length);
                }
                rest = &rest[usize::from(*length)..];
            }
            found
        };
        assert_eq!(lengths(video(), 0x24, 2), [18]);
        assert_eq!(lengths(formats(), 0x24, 1), [14]);
        assert_eq!(lengths(formats(), 0x24, 4), [27]);
        assert_eq!(lengths(formats(), 0x24, 5), [38, 34]);
        assert_eq!(lengths(audio(), 0x24, 6), [10, 12]);
        assert_eq!(lengths(audio(), 0x25, 1), [7, 7]);
        assert_eq!(device().len(), 18);
    }

    #[test]
    fn a_long_serial_number_is_cut() {
        let bytes = string(3, &"x".repeat(400)).unwrap();
        assert_eq!((bytes.len(), usize::from(bytes[0])), (254, 254));
        assert_eq!(string(9, ""), None);
    }
}
