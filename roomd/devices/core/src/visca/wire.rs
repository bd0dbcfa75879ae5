// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages as bytes: eight bytes of header in network order (payload type, payload length, sequence
//! number), and a VISCA packet of up to 16 bytes that ends with `ff`. Many makers leave the header out, and
//! send the packets as they are.
//!
//! Source: Sony, "BRC-X400/X401 SRG-X400/X120 Command List", chapter "VISCA over IP".

use serde::Deserialize;

/// How packets travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// With Sony's header, over UDP.
    #[default]
    Sony,
    /// As they are, over UDP.
    Udp,
    /// As they are, over TCP.
    Tcp,
}

impl Protocol {
    /// The port that such cameras usually listen on.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Sony => 52_381,
            Self::Udp => 1259,
            Self::Tcp => 5678,
        }
    }
}

/// No message is longer.
pub const LONGEST: usize = HEADER + PAYLOAD;

const HEADER: usize = 8;
const PAYLOAD: usize = 16;
const END: u8 = 0xff;
/// From a camera with address 1 to the controller, which is what addresses are fixed to over IP.
const FROM_CAMERA: u8 = 0x90;

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Command,
    Inquiry,
    Reply,
    Control,
    ControlReply,
}

impl Kind {
    const ALL: [(Self, [u8; 2]); 5] = [
        (Self::Command, [0x01, 0x00]),
        (Self::Inquiry, [0x01, 0x10]),
        (Self::Reply, [0x01, 0x11]),
        (Self::Control, [0x02, 0x00]),
        (Self::ControlReply, [0x02, 0x01]),
    ];
}

/// Sets the camera's sequence number to 0.
pub(super) const RESET: &[u8] = &[0x01];

/// A message from a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// The sequence number is reset.
    Reset,
    /// The sequence number is not the one that the camera waits for.
    WrongSequence,
    /// The camera does not take messages of this kind.
    WrongMessage,
    /// It has taken the command, and does it in this socket.
    Acknowledged(u8),
    /// It has done the command, or answers an inquiry.
    Completed(&'a [u8]),
    /// It does not do it.
    Refused(Refusal),
}

/// Why a camera refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It does not know this command, or not this value.
    Syntax,
    /// It does two commands already.
    BufferFull,
    Cancelled,
    /// Not in its present mode, such as standby.
    NotExecutable,
    Other,
}

pub(super) fn write(kind: Kind, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LONGEST);
    let head = Kind::ALL.iter().find(|(known, _)| *known == kind);
    bytes.extend(head.map_or([0, 0], |(_, head)| *head));
    bytes.extend(u16::try_from(payload.len()).unwrap_or(0).to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A message and its sequence number; none when it is no message.
pub(super) fn read(bytes: &[u8]) -> Option<(u32, Answer<'_>)> {
    let (head, payload) = bytes.split_at_checked(HEADER)?;
    let [k0, k1, l0, l1, sequence @ ..] = head else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    if payload.len() != length || !(1..=PAYLOAD).contains(&length) {
        return None;
    }
    let sequence = u32::from_be_bytes(sequence.try_into().ok()?);
    let kind = Kind::ALL.iter().find(|(_, head)| *head == [*k0, *k1]);
    let answer = match (kind.map(|(kind, _)| *kind)?, payload) {
        (Kind::Reply, packet) => reply(packet)?,
        (Kind::ControlReply, RESET) => Answer::Reset,
        // The list calls the error a control command; cameras send it as reply.
        (Kind::ControlReply | Kind::Control, [0x0f, 0x01]) => Answer::WrongSequence,
        (Kind::ControlReply | Kind::Control, [0x0f, 0x02]) => Answer::WrongMessage,
        (Kind::ControlReply | Kind::Control | Kind::Command | Kind::Inquiry, _) => return None,
    };
    Some((sequence, answer))
}

/// Cuts what arrives without headers into packets, in whatever pieces it does. Keeps no more than a packet.
#[derive(Debug, Default)]
pub(super) struct Packets {
    bytes: Vec<u8>,
    /// What arrives is too long for a packet, and left out up to its end.
    skips: bool,
}

impl Packets {
    /// The packet that ends with this byte; an empty one with the first byte that is too many.
    pub(super) fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte == END {
            let mut packet = std::mem::take(&mut self.bytes);
            packet.push(END);
            let skipped = std::mem::take(&mut self.skips);
            return (!skipped).then_some(packet);
        }
        if self.skips {
            return None;
        }
        if self.bytes.len() + 1 >= PAYLOAD {
            self.skips = true;
            self.bytes.clear();
            return Some(Vec::new());
        }
        self.bytes.push(byte);
        None
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

pub(super) fn reply(packet: &[u8]) -> Option<Answer<'_>> {
    let [FROM_CAMERA, kind, data @ .., END] = packet else {
        return None;
    };
    match (kind & 0xf0, kind & 0x0f, data) {
        (0x40, socket, []) => Some(Answer::Acknowledged(socket)),
        (0x50, _, data) => Some(Answer::Completed(data)),
        (0x60, _, [error]) => Some(Answer::Refused(match error {
            0x01 | 0x02 => Refusal::Syntax,
            0x03 => Refusal::BufferFull,
            0x04 => Refusal::Cancelled,
            0x41 => Refusal::NotExecutable,
            _ => Refusal::Other,
        })),
        (_, _, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_those_of_the_command_list() {
        let bytes = write(Kind::Control, 0, RESET);
        assert_eq!(bytes, [2, 0, 0, 1, 0, 0, 0, 0, 1]);
        let bytes = write(Kind::Inquiry, 0x0102_0304, &[0x81, 0x09, 0x04, 0x00, 0xff]);
        let inquiry = [1, 0x10, 0, 5, 1, 2, 3, 4, 0x81, 9, 4, 0, 0xff];
        assert_eq!(bytes, inquiry);
        let check = |bytes: &[u8], answer| assert_eq!(read(bytes), answer, "{bytes:02x?}");
        check(&inquiry, None);
        check(&[2, 1, 0, 1, 0, 0, 0, 0, 1], Some((0, Answer::Reset)));
        let wrong = Some((7, Answer::WrongSequence));
        check(&[2, 1, 0, 2, 0, 0, 0, 7, 0x0f, 1], wrong);
        check(&[2, 0, 0, 2, 0, 0, 0, 7, 0x0f, 1], wrong);
        let reply = |packet: &[u8]| write(Kind::Reply, 9, packet);
        let taken = Some((9, Answer::Acknowledged(1)));
        check(&reply(&[0x90, 0x41, 0xff]), taken);
        let data = Some((9, Answer::Completed(&[2])));
        check(&reply(&[0x90, 0x50, 2, 0xff]), data);
        let full = Some((9, Answer::Refused(Refusal::BufferFull)));
        check(&reply(&[0x90, 0x60, 3, 0xff]), full);
        for packet in [
            &[][..],
            &[0xff],
            &[0x90, 0x41],
            &[0x80, 0x41, 0xff],
            &[0x90, 0x41, 0, 0xff],
            &[0x90; 17],
        ] {
            check(&reply(packet), None);
        }
        let mut longer = reply(&[0x90, 0x41, 0xff]);
        longer.push(0);
        check(&longer, None);
    }

    #[test]
    fn a_stream_is_cut_into_packets_and_what_is_none_is_left_out() {
        let mut packets = Packets::default();
        let mut cut = |bytes: &[u8]| -> Vec<Vec<u8>> {
            bytes
                .iter()
                .filter_map(|byte| packets.push(*byte))
                .collect()
        };
        assert_eq!(cut(&[0x90]), [[0; 0]; 0]);
        assert_eq!(
            cut(&[0x41, 0xff, 0x90, 0x51, 0xff, 0x90]),
            [[0x90, 0x41, 0xff], [0x90, 0x51, 0xff]]
        );
        // More than a packet may have, then one that is whole.
        assert_eq!(cut(&[7; 100_000]), [[0; 0]; 1]);
        assert_eq!(cut(&[0xff, 0x90, 0x41, 0xff]), [[0x90, 0x41, 0xff]]);
        assert!(packets.bytes.capacity() <= 2 * PAYLOAD);
        // The longest there is.
        let mut longest = [1; PAYLOAD];
        longest[PAYLOAD - 1] = END;
        let cut: Vec<_> = longest.iter().filter_map(|it| packets.push(*it)).collect();
        assert_eq!(cut, [longest]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = read(&bytes);
        }
    }
}
