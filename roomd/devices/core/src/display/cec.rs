// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages on the CEC line, and the kernel's structures around them.
//!
//! Source: HDMI 1.4, supplement 1, and the kernel's `include/uapi/linux/cec.h`.

use super::power::Power;
use crate::call::{Call, Node, Refusal};

const TRANSMIT: Call = Call::both(b'a', 5);
const GET_ADDRESSES: Call = Call::read(b'a', 3);
const SET_INPUT: Call = Call::write_short(b'a', 2);
const SET_ADDRESSES: Call = Call::both(b'a', 4);
const EVENT: Call = Call::both(b'a', 7);
const CONNECTOR: Call = Call::read(b'a', 10);

const TELEVISION: u8 = 0;
const BROADCAST: u8 = 15;
/// How long an answer may take, in ms; the standard allows a second.
const ANSWER: u32 = 1200;
/// Nobody's number, and above it none at all: those of the kind were taken, or there was no cable.
const NOBODY: u8 = 15;
/// What an adapter without a place on the line has.
const NOWHERE: u16 = 0xffff;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Wake up and show what the room sends.
    ImageViewOn,
    /// The same, and hide menus.
    TextViewOn,
    /// The key of a remote control that turns on.
    PowerOnKey,
    /// The key of a remote control that changes on and off over.
    PowerKey,
    /// That key is let go.
    KeyUp,
    /// The room's input is the one to show.
    ActiveSource,
    /// Sleep.
    Standby,
    /// Are you awake?
    AskPower,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The display took it.
    Taken,
    /// The display says how it is; turning on counts as on.
    Is(Power),
    /// Nobody is there who takes it.
    Nobody,
    /// It was taken, and no answer came.
    Silent,
    /// The display does not know the message.
    Refused,
    /// The line or the adapter failed.
    Failed,
}

impl Message {
    /// Its bytes without the two addresses, and the answer that belongs to it.
    fn bytes(self, input: u16) -> (Vec<u8>, Option<u8>) {
        let [high, low] = input.to_be_bytes();
        match self {
            Self::ImageViewOn => (vec![0x04], None),
            Self::TextViewOn => (vec![0x0d], None),
            Self::PowerOnKey => (vec![0x44, 0x6d], None),
            Self::PowerKey => (vec![0x44, 0x40], None),
            Self::KeyUp => (vec![0x45], None),
            Self::ActiveSource => (vec![0x82, high, low], None),
            Self::Standby => (vec![0x36], None),
            Self::AskPower => (vec![0x8f], Some(0x90)),
        }
    }

    const fn to(self) -> u8 {
        if matches!(self, Self::ActiveSource) {
            BROADCAST
        } else {
            TELEVISION
        }
    }
}

/// The room's place on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, 0 to 15.
    pub number: u8,
    /// The display's input that it is plugged into, such as 0x1000.
    pub input: u16,
}

impl Place {
    /// Without a place. The kernel lets nobody speak but to wake a display that looks unplugged while
    /// it sleeps (`CEC_CAP_NEEDS_HPD` in its documentation).
    pub const NONE: Self = Self {
        number: BROADCAST,
        input: NOWHERE,
    };
}

/// Says something; blocks for as long as the line takes, up to a few seconds.
pub fn say(node: &mut impl Node, place: Place, message: Message) -> Outcome {
    let (bytes, answer) = message.bytes(place.input);
    let mut words = [0_u32; 14];
    let mut text = [0_u8; 16];
    text[0] = place.number << 4 | message.to();
    text[1..=bytes.len()].copy_from_slice(&bytes);
    // Lengths are below 16.
    words[4] = bytes.len() as u32 + 1;
    words[5] = if answer.is_some() { ANSWER } else { 0 };
    for (word, bytes) in words[8..12].iter_mut().zip(text.chunks_exact(4)) {
        *word = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words[12] = u32::from_ne_bytes([answer.unwrap_or(0), 0, 0, 0]);
    match node.call(TRANSMIT, &mut words) {
        Ok(()) => outcome(&words, answer),
        Err(Refusal::Gone | Refusal::None) => Outcome::Nobody,
        Err(Refusal::Busy | Refusal::Value | Refusal::Other(_)) => Outcome::Failed,
    }
}

/// Reads what the kernel wrote into the message.
fn outcome(words: &[u32; 14], answer: Option<u8>) -> Outcome {
    const SENT: u8 = 0x01;
    const NACK: u8 = 0x04;
    const RECEIVED: u8 = 0x01;
    const ABORTED: u8 = 0x04;
    let [_, received, sent, _] = words[12].to_ne_bytes();
    if sent & SENT == 0 {
        return if sent & NACK != 0 {
            Outcome::Nobody
        } else {
            Outcome::Failed
        };
    }
    if answer.is_none() {
        return Outcome::Taken;
    }
    if received & ABORTED != 0 {
        return Outcome::Refused;
    }
    let [_, opcode, value, _] = words[8].to_ne_bytes();
    if received & RECEIVED == 0 || Some(opcode) != answer || words[4] < 3 {
        return Outcome::Silent;
    }
    match value {
        0 | 2 => Outcome::Is(Power::On),
        1 | 3 => Outcome::Is(Power::Standby),
        _ => Outcome::Silent,
    }
}

/// Takes a place on the line as a playback device with this name, or the one that the adapter has.
/// Blocks while the kernel looks for a free number.
///
/// # Errors
///
/// The kernel refused: there is no cable, or another program has the adapter.
pub fn take_place(node: &mut impl Node, name: &str, input: u16) -> Result<Place, Refusal> {
    let mut words = [0; 23];
    node.call(GET_ADDRESSES, &mut words)?;
    let number = |words: &[u32; 23]| words[0].to_ne_bytes()[0];
    // The kernel also keeps what it was once told and could not do: then it is told again.
    if words[1].to_ne_bytes()[3] == 0 || number(&words) >= NOBODY {
        words = addresses(name);
        node.call(SET_ADDRESSES, &mut words)?;
    }
    let number = number(&words);
    (number < NOBODY)
        .then_some(Place { number, input })
        .ok_or(Refusal::Busy)
}

/// The kernel's `cec_log_addrs` for one playback device of CEC 1.4.
fn addresses(name: &str) -> [u32; 23] {
    let mut bytes = [0_u8; 92];
    bytes[6] = 5; // CEC 1.4
    bytes[7] = 1; // one address
    bytes[8..12].copy_from_slice(&u32::MAX.to_ne_bytes()); // no maker's number
    let name = name.bytes().filter(u8::is_ascii_graphic).take(14);
    for (at, byte) in name.enumerate() {
        bytes[16 + at] = byte;
    }
    bytes[31] = 4; // primary kind: playback
    bytes[35] = 3; // address of a playback device
    bytes[39] = 0x10; // all kinds: playback
    let mut words = [0; 23];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words
}

/// A connector of a graphics card, by the kernel's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connector {
    /// The graphics card's.
    pub card: u32,
    /// The connector's on it.
    pub number: u32,
}

/// The connector that the adapter belongs to; none where the kernel does not say, as of one on the USB
/// or of one that captures.
pub fn connector(node: &mut impl Node) -> Option<Connector> {
    const OF_GRAPHICS: u32 = 1;
    let mut words = [0; 17];
    node.call(CONNECTOR, &mut words).ok()?;
    let [kind, card, number, ..] = words;
    (kind == OF_GRAPHICS).then_some(Connector { card, number })
}

/// Tells an adapter its input, where it cannot know it: one on the USB does not see the display's
/// data. Others refuse.
///
/// # Errors
///
/// The kernel refused.
pub fn set_input(node: &mut impl Node, input: u16) -> Result<(), Refusal> {
    let [low, high] = input.to_ne_bytes();
    node.call(SET_INPUT, &mut [u32::from_ne_bytes([low, high, 0, 0])])
}

/// The input that the adapter is plugged into, from the state that the kernel reports first; none
/// without a display. The node must have been opened not to block.
pub fn input(node: &mut impl Node) -> Option<u16> {
    let mut found = None;
    // A few events at most wait; the last state counts.
    for _ in 0..16 {
        let mut words = [0; 20];
        if node.call(EVENT, &mut words).is_err() {
            break;
        }
        if words[2] == 1 {
            let [low, high, ..] = words[4].to_ne_bytes();
            found = Some(u16::from_ne_bytes([low, high]));
        }
    }
    found.filter(|input| *input != NOWHERE)
}

#[cfg(test)]
#[path = "cec_tests.rs"]
mod tests;
