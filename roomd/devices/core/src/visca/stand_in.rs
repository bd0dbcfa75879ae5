// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A stand-in for a camera, written from the protocol's description. No real camera has been tried.
//!
//! It is strict: a message that is not exactly right gets the error that the description gives.

use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct StandIn {
    /// The last sequence number.
    sequence: Option<u32>,
    pub(crate) awake: bool,
    pub(crate) pan: i32,
    pub(crate) tilt: i32,
    pub(crate) zoom: u16,
    pub(crate) focus_auto: bool,
    pub(crate) focus: u16,
    pub(crate) exposure: u8,
    pub(crate) white_balance: u8,
    pub(crate) backlight: bool,
    /// How often it focused and measured what is white, once.
    pub(crate) once: usize,
    /// It has a picture that nobody can adjust: it refuses all about that, or keeps silent.
    pub(crate) fixed: Option<Fixed>,
    pub(crate) kept: BTreeMap<u8, (i32, i32, u16)>,
    /// Commands in the sockets, with the sequence number of each.
    pub(crate) sockets: [Option<u32>; 2],
    /// Whether it wants a zero as the speed of tilting.
    pub(crate) no_tilt_speed: bool,
    /// Digits of panning.
    pub(crate) pan_digits: usize,
}

/// How a camera answers what it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fixed {
    Refuses,
    Silent,
}

/// Whether a question or a command is about the picture.
const fn is_of_picture(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x04, 0x10 | 0x18 | 0x33 | 0x35 | 0x38 | 0x39 | 0x48, ..]
    )
}

impl Default for StandIn {
    fn default() -> Self {
        Self {
            sequence: None,
            awake: true,
            pan: 0,
            tilt: 0,
            zoom: 0,
            focus_auto: true,
            focus: 0x1000,
            exposure: 0,
            white_balance: 0,
            backlight: false,
            once: 0,
            fixed: None,
            kept: BTreeMap::new(),
            sockets: [None; 2],
            no_tilt_speed: false,
            pan_digits: 4,
        }
    }
}

impl StandIn {
    /// Power was away: it counts anew, and waits for a reset.
    pub(crate) fn restart(&mut self) {
        self.sequence = None;
        self.sockets = [None; 2];
    }

    /// Its answers to a datagram. What takes time is done at once, and said by [`Self::complete`].
    pub(crate) fn receive(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let wrong = |sequence, error| vec![message([2, 1], sequence, &[0x0f, error])];
        if datagram.len() < 9 {
            return Vec::new();
        }
        let (head, payload) = datagram.split_at(8);
        let sequence = u32::from_be_bytes(head[4..].try_into().unwrap());
        if usize::from(u16::from_be_bytes([head[2], head[3]])) != payload.len() {
            return wrong(sequence, 2);
        }
        if head[..2] == [2, 0] && payload == [1] {
            self.sequence = Some(0);
            return vec![message([2, 1], sequence, &[1])];
        }
        if self.sequence.map(|last| last.wrapping_add(1)) != Some(sequence) {
            return wrong(sequence, 1);
        }
        self.sequence = Some(sequence);
        let reply = |packet: &[u8]| vec![message([1, 0x11], sequence, packet)];
        if payload.len() > 2 && is_of_picture(&payload[2..]) {
            match self.fixed {
                Some(Fixed::Refuses) => return reply(&[0x90, 0x60, 2, 0xff]),
                Some(Fixed::Silent) => return Vec::new(),
                None => {}
            }
        }
        match (head[0], head[1], payload) {
            (1, 0x10, [0x81, 0x09, question @ .., 0xff]) => match self.answer(question) {
                Some(data) => reply(&[&[0x90, 0x50], &data[..], &[0xff]].concat()),
                None => reply(&[0x90, 0x60, 2, 0xff]),
            },
            (1, 0x00, [0x81, 0x01, command @ .., 0xff]) => {
                let Some(socket) = self.sockets.iter().position(Option::is_none) else {
                    return reply(&[0x90, 0x60, 3, 0xff]);
                };
                match self.obey(command) {
                    Ok(()) => {
                        self.sockets[socket] = Some(sequence);
                        reply(&[0x90, 0x41 + u8::try_from(socket).unwrap(), 0xff])
                    }
                    Err(error) => reply(&[0x90, 0x60, error, 0xff]),
                }
            }
            (_, _, _) => wrong(sequence, 2),
        }
    }

    /// Its answers to a packet without a header, where nothing counts messages.
    pub(crate) fn receive_as_is(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        let last = self.sequence.unwrap_or(0);
        self.sequence = Some(last);
        let kind = if packet.get(1) == Some(&0x09) {
            [1, 0x10]
        } else {
            [1, 0x00]
        };
        as_is(self.receive(&message(kind, last.wrapping_add(1), packet)))
    }

    /// [`Self::complete`] without headers.
    pub(crate) fn complete_as_is(&mut self) -> Vec<Vec<u8>> {
        as_is(self.complete())
    }

    /// What it did takes an end.
    pub(crate) fn complete(&mut self) -> Vec<Vec<u8>> {
        let ends = |(at, socket): (usize, &mut Option<u32>)| {
            let packet = [0x90, 0x51 + u8::try_from(at).unwrap(), 0xff];
            socket.take().map(|s| message([1, 0x11], s, &packet))
        };
        self.sockets
            .iter_mut()
            .enumerate()
            .filter_map(ends)
            .collect()
    }

    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        match question {
            [0x04, 0x00] => Some(vec![if self.awake { 2 } else { 3 }]),
            [0x06, 0x12] => {
                let mut data = digits(self.pan, self.pan_digits);
                data.extend(digits(self.tilt, 4));
                Some(data)
            }
            [0x04, 0x47] => Some(digits(i32::from(self.zoom), 4)),
            [0x04, 0x38] => Some(vec![if self.focus_auto { 2 } else { 3 }]),
            [0x04, 0x48] => Some(digits(i32::from(self.focus), 4)),
            [0x04, 0x39] => Some(vec![self.exposure]),
            [0x04, 0x35] => Some(vec![self.white_balance]),
            [0x04, 0x33] => Some(vec![if self.backlight { 2 } else { 3 }]),
            _ => None,
        }
    }

    fn obey(&mut self, command: &[u8]) -> Result<(), u8> {
        match command {
            [0x04, 0x00, power @ (2 | 3)] => {
                self.awake = *power == 2;
                return Ok(());
            }
            _ if !self.awake => return Err(0x41),
            [0x06, 0x02, 1..=0x18, speed, digits @ ..] if digits.len() == self.pan_digits + 4 => {
                if (*speed == 0) != self.no_tilt_speed || *speed > 0x17 {
                    return Err(2);
                }
                let (pan, tilt) = digits.split_at(self.pan_digits);
                (self.pan, self.tilt) = (number(pan)?, number(tilt)?);
            }
            [0x04, 0x47, digits @ ..] if digits.len() == 4 => {
                self.zoom = u16::try_from(number(digits)?).map_err(|_| 2_u8)?;
            }
            [0x04, 0x38, on @ (2 | 3)] => self.focus_auto = *on == 2,
            [0x04, 0x48, digits @ ..] if digits.len() == 4 => {
                if self.focus_auto {
                    return Err(0x41);
                }
                self.focus = u16::try_from(number(digits)? & 0xffff).map_err(|_| 2_u8)?;
            }
            [0x04, 0x18, 0x01] if !self.focus_auto => self.once += 1,
            [0x04, 0x39, mode @ (0x00 | 0x03 | 0x0a | 0x0b)] => self.exposure = *mode,
            [0x04, 0x35, mode @ 0..=5] => self.white_balance = *mode,
            [0x04, 0x10, 0x05] if self.white_balance == 3 => self.once += 1,
            [0x04, 0x18, 0x01] | [0x04, 0x10, 0x05] => return Err(0x41),
            [0x04, 0x33, on @ (2 | 3)] => self.backlight = *on == 2,
            [0x04, 0x3f, 0x01, kept @ 0..16] => {
                self.kept.insert(*kept, (self.pan, self.tilt, self.zoom));
            }
            [0x04, 0x3f, 0x02, kept @ 0..16] => {
                let position = self.kept.get(kept).ok_or(0x41_u8)?;
                (self.pan, self.tilt, self.zoom) = *position;
            }
            _ => return Err(2),
        }
        Ok(())
    }
}

/// Without headers; what only a header can say is an error of syntax.
fn as_is(messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let packet = |message: Vec<u8>| match message[0] {
        1 => message[8..].to_vec(),
        _ => vec![0x90, 0x60, 2, 0xff],
    };
    messages.into_iter().map(packet).collect()
}

fn message(kind: [u8; 2], sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&kind, &length, &sequence.to_be_bytes()[..], payload].concat()
}

fn digits(number: i32, count: usize) -> Vec<u8> {
    let digit = |at: usize| u8::try_from(number >> (4 * at) & 15).unwrap();
    (0..count).rev().map(digit).collect()
}

fn number(digits: &[u8]) -> Result<i32, u8> {
    let mut number = 0;
    for digit in digits {
        if *digit > 15 {
            return Err(2);
        }
        number = number << 4 | i32::from(*digit);
    }
    let range = 1 << (4 * digits.len());
    Ok(if number >= range / 2 {
        number - range
    } else {
        number
    })
}
