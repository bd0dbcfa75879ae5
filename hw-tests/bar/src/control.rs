// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Control transfers on endpoint zero (USB 2.0, chapter 9.3).

/// A setup packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// `bmRequestType`: direction, type and recipient.
    pub kind: u8,
    /// `bRequest`.
    pub request: u8,
    /// `wValue`.
    pub value: u16,
    /// `wIndex`.
    pub index: u16,
    /// `wLength`: for how many bytes there is room.
    pub length: u16,
}

impl Setup {
    pub const fn parse(bytes: [u8; 8]) -> Self {
        let [kind, request, v0, v1, i0, i1, l0, l1] = bytes;
        Self {
            kind,
            request,
            value: u16::from_le_bytes([v0, v1]),
            index: u16::from_le_bytes([i0, i1]),
            length: u16::from_le_bytes([l0, l1]),
        }
    }

    /// Whether the device answers with data.
    pub const fn inwards(self) -> bool {
        self.kind & 0x80 != 0
    }

    /// The upper byte of the value: a selector, or the type of a descriptor.
    pub const fn selector(self) -> u8 {
        self.value.to_be_bytes()[0]
    }

    /// The lower byte of the index: an interface or an endpoint.
    pub const fn interface(self) -> u8 {
        self.index.to_le_bytes()[0]
    }

    /// The upper byte of the index: a unit or a terminal of a class.
    pub const fn entity(self) -> u8 {
        self.index.to_be_bytes()[0]
    }
}

/// How the device answers a control transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With these bytes, cut to the room that the host has.
    Data(Vec<u8>),
    /// It took what the host sent.
    Taken,
    /// It does not know the request.
    Stall,
}

/// The requests of the video class (UVC 1.5, table A-8), of which those of the audio class are a part.
pub mod request {
    pub const SET_CUR: u8 = 0x01;
    pub const GET_CUR: u8 = 0x81;
    pub const GET_MIN: u8 = 0x82;
    pub const GET_MAX: u8 = 0x83;
    pub const GET_RES: u8 = 0x84;
    pub const GET_LEN: u8 = 0x85;
    pub const GET_INFO: u8 = 0x86;
    pub const GET_DEF: u8 = 0x87;
}

/// A number that the host reads and sets within bounds.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Bytes on the wire.
    pub width: usize,
    /// The least value.
    pub least: i32,
    /// The greatest value.
    pub most: i32,
    /// The step between two.
    pub step: i32,
    /// What a device that was just plugged has.
    pub default: i32,
    /// What holds now.
    pub value: i32,
    /// The values are single bits, and the step names those that there are.
    pub bits: bool,
}

impl Dial {
    pub const fn new(width: usize, least: i32, most: i32, step: i32, default: i32) -> Self {
        Self {
            width,
            least,
            most,
            step,
            default,
            value: default,
            bits: false,
        }
    }

    /// A number of which each bit is a mode.
    pub const fn bits(width: usize, modes: i32, default: i32) -> Self {
        Self {
            bits: true,
            ..Self::new(width, 1, modes, modes, default)
        }
    }

    /// The answer to a `GET` request, or none to an unknown one.
    pub fn get(&self, asked: u8) -> Option<Vec<u8>> {
        let value = match asked {
            request::GET_CUR => self.value,
            request::GET_MIN => self.least,
            request::GET_MAX => self.most,
            request::GET_RES => self.step,
            request::GET_DEF => self.default,
            _ => return None,
        };
        Some(value.to_le_bytes()[..self.width].to_vec())
    }

    /// Takes a value; out of bounds it is refused, as the classes ask.
    pub fn set(&mut self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.get(..self.width) else {
            return false;
        };
        // Sign extension where the bounds are signed.
        let negative = self.least < 0 && bytes.last().is_some_and(|top| top & 0x80 != 0);
        let mut whole = [if negative { 0xff } else { 0 }; 4];
        whole[..self.width].copy_from_slice(bytes);
        let value = i32::from_le_bytes(whole);
        let is_mode = !self.bits || (value.count_ones() == 1 && value & self.step != 0);
        let allowed = (self.least..=self.most).contains(&value) && is_mode;
        if allowed {
            self.value = value;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dial_keeps_its_bounds() {
        let mut dial = Dial::new(2, -100, 100, 1, 0);
        assert!(dial.set(&(-7_i16).to_le_bytes()));
        assert_eq!(
            dial.get(request::GET_CUR),
            Some((-7_i16).to_le_bytes().to_vec())
        );
        assert!(!dial.set(&101_i16.to_le_bytes()));
        assert!(!dial.set(&[1]));
        assert_eq!(dial.value, -7);
    }

    #[test]
    fn of_modes_only_those_that_there_are_are_taken() {
        let mut dial = Dial::bits(1, 0x09, 0x08);
        assert!(dial.set(&[1]));
        for wrong in [0, 2, 9, 16] {
            assert!(!dial.set(&[wrong]), "{wrong}");
        }
        assert_eq!(dial.get(request::GET_RES), Some(vec![0x09]));
        assert_eq!(dial.value, 1);
    }

    #[test]
    fn a_setup_packet_is_read_in_little_endian() {
        let setup = Setup::parse([0xa1, 0x81, 0x00, 0x02, 0x01, 0x05, 0x1a, 0x00]);
        assert!(setup.inwards());
        assert_eq!(
            (setup.selector(), setup.interface(), setup.entity()),
            (2, 1, 5)
        );
        assert_eq!(setup.length, 26);
    }
}
