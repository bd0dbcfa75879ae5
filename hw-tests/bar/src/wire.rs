// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The USB/IP protocol, version 1.1.1 (Documentation/usb/usbip_protocol.rst of the Linux kernel). All
//! numbers are big-endian.

use std::fmt;

/// The version that every operation names.
const VERSION: u16 = 0x0111;
const LIST_REQUEST: u16 = 0x8005;
const IMPORT_REQUEST: u16 = 0x8003;
const LIST_REPLY: u16 = 0x0005;
const IMPORT_REPLY: u16 = 0x0003;
/// Bytes of the header of an operation: version, code, status.
pub const OPERATION: usize = 8;
/// Bytes of a bus id, which follows an import's header.
pub const BUS_ID: usize = 32;
/// Bytes of the header of a command.
pub const HEADER: usize = 48;
/// No transfer of a host's driver is larger.
const LARGEST_TRANSFER: usize = 1 << 20;
const MOST_PACKETS: usize = 1024;
const PACKET: usize = 16;
/// `USB_SPEED_HIGH`.
const HIGH_SPEED: u32 = 3;

/// A stalled endpoint: `EPIPE`.
pub const STALL: i32 = -32;
/// A request that was taken back: `ECONNRESET`.
const TAKEN_BACK: i32 = -104;

/// What a host may ask before it owns a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Which devices there are.
    List,
    /// A device; its bus id follows.
    Import,
}

impl Operation {
    /// Reads the header of an operation.
    ///
    /// # Errors
    /// [`Malformed`] when it is none of this version of the protocol.
    pub fn parse(bytes: [u8; OPERATION]) -> Result<Self, Malformed> {
        let version = u16::from_be_bytes([bytes[0], bytes[1]]);
        if version != VERSION {
            return Err(Malformed("another version of the protocol"));
        }
        match u16::from_be_bytes([bytes[2], bytes[3]]) {
            LIST_REQUEST => Ok(Self::List),
            IMPORT_REQUEST => Ok(Self::Import),
            _ => Err(Malformed("an unknown operation")),
        }
    }
}

/// What another side sent is not USB/IP, or more than a driver asks.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not understood: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// What a list of devices tells of one.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Such as `1-1`.
    pub bus_id: String,
    /// Bus and device number on the exporting side.
    pub number: (u32, u32),
    /// Vendor, product and release.
    pub ids: [u16; 3],
    /// Class, subclass and protocol of the device.
    pub class: [u8; 3],
    /// The same of each interface.
    pub interfaces: Vec<[u8; 3]>,
}

impl Listed {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(312);
        put_text(&mut bytes, &format!("/bench/{}", self.bus_id), 256);
        put_text(&mut bytes, &self.bus_id, BUS_ID);
        for number in [self.number.0, self.number.1, HIGH_SPEED] {
            bytes.extend(number.to_be_bytes());
        }
        self.ids
            .iter()
            .for_each(|id| bytes.extend(id.to_be_bytes()));
        bytes.extend(self.class);
        let interfaces = u8::try_from(self.interfaces.len()).unwrap_or(u8::MAX);
        bytes.extend([1, 1, interfaces]);
        bytes
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str, width: usize) {
    let end = bytes.len() + width;
    bytes.extend(text.bytes().take(width - 1));
    bytes.resize(end, 0);
}

/// The answer to [`Operation::List`].
pub fn list(devices: &[Listed]) -> Vec<u8> {
    let mut bytes = reply_header(LIST_REPLY, 0);
    bytes.extend(u32::try_from(devices.len()).unwrap_or(0).to_be_bytes());
    for device in devices {
        bytes.extend(device.encode());
        for [class, subclass, protocol] in &device.interfaces {
            bytes.extend([*class, *subclass, *protocol, 0]);
        }
    }
    bytes
}

/// The answer to [`Operation::Import`]: the device, or that there is none to have.
pub fn import(device: Option<&Listed>) -> Vec<u8> {
    let Some(device) = device else {
        return reply_header(IMPORT_REPLY, 1);
    };
    let mut bytes = reply_header(IMPORT_REPLY, 0);
    bytes.extend(device.encode());
    bytes
}

fn reply_header(code: u16, status: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(VERSION.to_be_bytes());
    bytes.extend(code.to_be_bytes());
    bytes.extend(status.to_be_bytes());
    bytes
}

/// The name that an import asks for.
pub fn bus_id(bytes: [u8; BUS_ID]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(BUS_ID);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A transfer that the host wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submit {
    /// Its number; replies repeat it.
    pub sequence: u32,
    /// The endpoint's number, without its direction.
    pub endpoint: u8,
    /// Whether the device sends.
    pub inwards: bool,
    /// Bytes that the host sends or has room for.
    pub length: usize,
    /// The setup packet of a control transfer.
    pub setup: [u8; 8],
    /// What the host sends.
    pub data: Vec<u8>,
    /// The packets of an isochronous transfer: offset and length, in bytes.
    pub packets: Vec<(usize, usize)>,
}

/// A command of the host that owns the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A transfer.
    Submit(Submit),
    /// Takes a transfer back.
    Unlink {
        /// The number of this request.
        sequence: u32,
        /// The number of that transfer.
        victim: u32,
    },
}

/// A command's header, and how many bytes follow it.
#[derive(Debug)]
pub struct Header {
    request: Request,
    data: usize,
    packets: usize,
}

impl Header {
    /// Reads the fixed part of a command.
    ///
    /// # Errors
    /// [`Malformed`] when it is none, or wants more than any driver does.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Self, Malformed> {
        let word = |index: usize| be(bytes, index * 4);
        let sequence = word(1);
        match word(0) {
            1 => {}
            2 => {
                let victim = word(5);
                let request = Request::Unlink { sequence, victim };
                return Ok(Self {
                    request,
                    data: 0,
                    packets: 0,
                });
            }
            _ => return Err(Malformed("an unknown command")),
        }
        let length = word(6) as usize;
        // No isochronous transfer: all ones, or zero in old versions.
        let packets = if word(8) == u32::MAX {
            0
        } else {
            word(8) as usize
        };
        if length > LARGEST_TRANSFER || packets > MOST_PACKETS {
            return Err(Malformed("a transfer larger than any"));
        }
        let inwards = word(3) == 1;
        let mut setup = [0; 8];
        setup.copy_from_slice(&bytes[40..]);
        let submit = Submit {
            sequence,
            endpoint: (word(4) & 0x0f) as u8,
            inwards,
            length,
            setup,
            ..Submit::default()
        };
        Ok(Self {
            request: Request::Submit(submit),
            data: if inwards { 0 } else { length },
            packets,
        })
    }

    /// How many bytes follow.
    pub const fn rest(&self) -> usize {
        self.data + self.packets * PACKET
    }

    /// The whole command, from [`Header::rest`] bytes that follow.
    pub fn finish(self, rest: &[u8]) -> Request {
        let mut request = self.request;
        if let Request::Submit(submit) = &mut request {
            let (data, packets) = rest.split_at(self.data.min(rest.len()));
            submit.data = data.to_vec();
            submit.packets = packets
                .chunks_exact(PACKET)
                .map(|packet| (be(packet, 0) as usize, be(packet, 4) as usize))
                .collect();
        }
        request
    }
}

fn be(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    if let Some(found) = bytes.get(at..at + 4) {
        word.copy_from_slice(found);
    }
    u32::from_be_bytes(word)
}

/// What became of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is over.
    Done {
        /// Its number.
        sequence: u32,
        /// Zero, or a negative errno.
        status: i32,
        /// How many bytes the device sent or took.
        actual: usize,
        /// What the device sends: all packets, one behind the other.
        data: Vec<u8>,
        /// Offset, length and actual length of each packet of an isochronous transfer.
        packets: Vec<(usize, usize, usize)>,
    },
    /// It was taken back, or was over already.
    Unlinked {
        /// The number of the request to take it back.
        sequence: u32,
        /// Whether it was still open.
        was_open: bool,
    },
}

impl Reply {
    /// As it goes over the wire.
    pub fn encode(&self) -> Vec<u8> {
        let small = |value: usize| u32::try_from(value).unwrap_or(0);
        match self {
            Self::Unlinked { sequence, was_open } => {
                let status = if *was_open { TAKEN_BACK } else { 0 };
                header(&[4, *sequence, 0, 0, 0, status.cast_unsigned()])
            }
            Self::Done {
                sequence,
                status,
                actual,
                data,
                packets,
            } => {
                let (actual, count) = (small(*actual), small(packets.len()));
                let status = status.cast_unsigned();
                let mut bytes = header(&[3, *sequence, 0, 0, 0, status, actual, 0, count]);
                bytes.extend(data);
                for (offset, length, actual) in packets {
                    for value in [small(*offset), small(*length), small(*actual), 0] {
                        bytes.extend(value.to_be_bytes());
                    }
                }
                bytes
            }
        }
    }
}

/// Words, filled up with zeros.
fn header(words: &[u32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.resize(HEADER, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn command(words: [u32; 10]) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        for (at, word) in words.iter().enumerate() {
            bytes[at * 4..at * 4 + 4].copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn an_isochronous_transfer_names_its_packets() {
        let head = Header::parse(&command([1, 7, 0, 1, 1, 0, 20, 0, 2, 1])).unwrap();
        assert_eq!(head.rest(), 2 * PACKET);
        let rest: Vec<u8> = [[0_u32, 10, 0, 0], [10, 10, 0, 0]]
            .concat()
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect();
        let Request::Submit(submit) = head.finish(&rest) else {
            panic!("a transfer")
        };
        assert_eq!(submit.packets, [(0, 10), (10, 10)]);
        assert!(submit.inwards);
    }

    #[test]
    fn what_the_host_sends_follows_its_header() {
        let head = Header::parse(&command([1, 8, 0, 0, 0, 0, 3, 0, u32::MAX, 0])).unwrap();
        assert_eq!(head.rest(), 3);
        let Request::Submit(submit) = head.finish(&[1, 2, 3]) else {
            panic!("a transfer")
        };
        assert_eq!((submit.data, submit.inwards), (vec![1, 2, 3], false));
    }

    #[test]
    fn a_transfer_larger_than_any_is_refused() {
        assert!(Header::parse(&command([1, 1, 0, 1, 1, 0, u32::MAX, 0, 0, 0])).is_err());
        assert!(Header::parse(&command([1, 1, 0, 1, 1, 0, 8, 0, 5000, 0])).is_err());
    }

    #[test]
    fn a_device_is_told_in_312_bytes() {
        let device = Listed {
            bus_id: "1-1".into(),
            number: (1, 2),
            ids: [0x1209, 1, 0x100],
            class: [0xef, 2, 1],
            interfaces: vec![[14, 1, 0]],
        };
        assert_eq!(import(Some(&device)).len(), OPERATION + 312);
        assert_eq!(list(&[device]).len(), OPERATION + 4 + 312 + 4);
        assert_eq!(import(None)[4..8], [0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(bytes in prop::array::uniform32(any::<u8>()), tail in prop::array::uniform16(any::<u8>())) {
            let mut whole = [0; HEADER];
            whole[..32].copy_from_slice(&bytes);
            whole[32..].copy_from_slice(&tail);
            whole[3] &= 3;
            if let Ok(head) = Header::parse(&whole) {
                let length = head.rest();
                prop_assert!(length <= LARGEST_TRANSFER + MOST_PACKETS * PACKET);
                head.finish(&vec![0; length]);
            }
        }
    }
}
