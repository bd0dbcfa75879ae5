// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Power and input over DDC/CI, which computer displays understand that have no CEC.
//!
//! Source: VESA DDC/CI 1.1 for the frames, MCCS 2.2 for the power mode (0xD6) and the
//! input (0x60).

use super::power::Power;

/// The display's address on the bus.
pub const ADDRESS: u16 = 0x37;
/// The length of an answer.
pub const ANSWER: usize = 11;

const POWER_MODE: u8 = 0xd6;
const INPUT: u8 = 0x60;
const HOST: u8 = 0x51;

/// What is written to turn a display on or off.
#[must_use]
pub fn set_power(power: Power) -> Vec<u8> {
    let value = match power {
        Power::On => 1,
        Power::Standby => 4,
    };
    frame(&[0x03, POWER_MODE, 0, value])
}

/// What is written to show an input, by the display's own number for it.
#[must_use]
pub fn set_input(input: u8) -> Vec<u8> {
    frame(&[0x03, INPUT, 0, input])
}

/// What is written to ask for the power mode; the answer is read 40 ms later.
#[must_use]
pub fn ask_power() -> Vec<u8> {
    frame(&[0x01, POWER_MODE])
}

/// What a display answers; none for nonsense, and for a display that does not know its power mode.
#[must_use]
pub fn power(answer: &[u8]) -> Option<Power> {
    let answer: &[u8; ANSWER] = answer.first_chunk()?;
    let sum = answer.iter().fold(0x50, |sum, byte| sum ^ byte);
    let [_, 0x88, 0x02, 0x00, POWER_MODE, _, _, _, _, value, _] = *answer else {
        return None;
    };
    match (sum, value) {
        (0, 1) => Some(Power::On),
        (0, 2..=5) => Some(Power::Standby),
        _ => None,
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap_or(0);
    let mut frame = vec![HOST, 0x80 | length];
    frame.extend_from_slice(body);
    // The checksum includes the address as it goes over the line.
    frame.push(frame.iter().fold(0x6e, |sum, byte| sum ^ byte));
    frame
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_are_as_the_standard_has_them() {
        assert_eq!(
            set_power(Power::On),
            [
                0x51,
                0x84,
                0x03,
                0xd6,
                0,
                1,
                0x6e ^ 0x51 ^ 0x84 ^ 3 ^ 0xd6 ^ 1
            ]
        );
        assert_eq!(
            set_input(17),
            [
                0x51,
                0x84,
                0x03,
                0x60,
                0,
                17,
                0x6e ^ 0x51 ^ 0x84 ^ 3 ^ 0x60 ^ 17
            ]
        );
        assert_eq!(
            ask_power(),
            [0x51, 0x82, 0x01, 0xd6, 0x6e ^ 0x51 ^ 0x82 ^ 1 ^ 0xd6]
        );
    }

    #[test]
    fn answers_are_checked() {
        let mut answer = [0x6e, 0x88, 0x02, 0, 0xd6, 0, 0, 5, 0, 4, 0];
        assert_eq!(power(&answer), None);
        answer[10] = answer.iter().fold(0x50, |sum, byte| sum ^ byte);
        assert_eq!(power(&answer), Some(Power::Standby));
        assert_eq!(power(&answer[..10]), None);
        answer[3] = 1;
        assert_eq!(power(&answer), None);
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = power(&bytes);
        }
    }
}
