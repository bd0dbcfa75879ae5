// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;

use super::*;

/// An adapter whose line answers with these bytes 12 to 15 and these first bytes of a message.
struct Line {
    status: [u8; 4],
    answer: [u8; 4],
    said: Vec<Vec<u8>>,
    input: u16,
    events: u32,
    /// The adapter was told before, and got no number.
    failed: bool,
    /// The first words of what the kernel says of its connector, where it says something.
    connector: Option<[u32; 3]>,
}

impl Line {
    const fn new(status: [u8; 4], answer: [u8; 4]) -> Self {
        Self {
            status,
            answer,
            said: Vec::new(),
            input: 0x2000,
            events: 1,
            failed: false,
            connector: None,
        }
    }
}

impl Node for Line {
    fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal> {
        match call {
            TRANSMIT => {
                let bytes = words[8..12].iter().flat_map(|word| word.to_ne_bytes());
                self.said.push(bytes.take(words[4] as usize).collect());
                words[12] = u32::from_ne_bytes(self.status);
                if words[5] > 0 {
                    words[4] = 3;
                    words[8] = u32::from_ne_bytes(self.answer);
                }
            }
            GET_ADDRESSES if self.failed => {
                words[0] = u32::from_ne_bytes([0xff, 0, 0, 0]);
                words[1] = u32::from_ne_bytes([0, 0, 5, 1]);
            }
            SET_ADDRESSES => words[0] = u32::from_ne_bytes([4, 0, 0, 0]),
            CONNECTOR => {
                let connector = self.connector.ok_or(Refusal::None)?;
                words[..3].copy_from_slice(&connector);
            }
            EVENT if self.events == 0 => return Err(Refusal::Other(11)),
            EVENT => {
                self.events -= 1;
                words[2] = 1;
                let [low, high] = self.input.to_ne_bytes();
                words[4] = u32::from_ne_bytes([low, high, 0, 0]);
            }
            _ => {}
        }
        Ok(())
    }
}

const PLACE: Place = Place {
    number: 4,
    input: 0x2000,
};

#[test]
fn messages_are_as_the_standard_has_them() {
    let mut line = Line::new([0, 0, 1, 0], [0; 4]);
    for message in [
        Message::ImageViewOn,
        Message::ActiveSource,
        Message::Standby,
        Message::PowerOnKey,
    ] {
        assert_eq!(say(&mut line, PLACE, message), Outcome::Taken);
    }
    let said: [&[u8]; 4] = [
        &[0x40, 0x04],
        &[0x4f, 0x82, 0x20, 0x00],
        &[0x40, 0x36],
        &[0x40, 0x44, 0x6d],
    ];
    assert_eq!(line.said, said);
}

#[test]
fn outcomes_are_told_apart() {
    let check = |status, answer, outcome| {
        let mut line = Line::new(status, answer);
        assert_eq!(
            say(&mut line, PLACE, Message::AskPower),
            outcome,
            "{status:?}"
        );
    };
    check([0x90, 1, 1, 0], [0x04, 0x90, 0, 0], Outcome::Is(Power::On));
    check([0x90, 1, 1, 0], [0x04, 0x90, 2, 0], Outcome::Is(Power::On));
    check(
        [0x90, 1, 1, 0],
        [0x04, 0x90, 1, 0],
        Outcome::Is(Power::Standby),
    );
    check([0x90, 1, 1, 0], [0x04, 0x90, 77, 0], Outcome::Silent);
    check([0x90, 1, 1, 0], [0x04, 0x55, 0, 0], Outcome::Silent);
    check([0x90, 2, 1, 0], [0; 4], Outcome::Silent);
    check([0x90, 5, 1, 0], [0; 4], Outcome::Refused);
    check([0x90, 0, 0x24, 0], [0; 4], Outcome::Nobody);
    check([0x90, 0, 0x30, 0], [0; 4], Outcome::Failed);
}

#[test]
fn the_room_takes_a_place_on_the_line() {
    let mut line = Line::new([0; 4], [0; 4]);
    assert_eq!(input(&mut line), Some(0x2000));
    let place = take_place(&mut line, "Sitzungsraum 2 im Rathaus", 0x2000);
    assert_eq!(place, Ok(PLACE));
    line.failed = true;
    assert_eq!(take_place(&mut line, "Raum", 0x2000), Ok(PLACE));
    line.input = NOWHERE;
    line.events = u32::MAX;
    assert_eq!(input(&mut line), None);
    assert_eq!(set_input(&mut line, 0x1000), Ok(()));
}

#[test]
fn an_adapter_says_whose_it_is() {
    // CEC_ADAP_G_CONNECTOR_INFO as the kernel's headers give it.
    assert_eq!(CONNECTOR.code(17), 0x8044_610a);
    let mut line = Line::new([0; 4], [0; 4]);
    assert_eq!(connector(&mut line), None, "before Linux 5.5");
    line.connector = Some([0, 3, 92]);
    assert_eq!(connector(&mut line), None, "on the USB");
    line.connector = Some([1, 3, 92]);
    let known = Connector {
        card: 3,
        number: 92,
    };
    assert_eq!(connector(&mut line), Some(known));
}

proptest! {
    #[test]
    fn no_answer_panics(status: [u8; 4], answer: [u8; 4]) {
        let _ = say(&mut Line::new(status, answer), PLACE, Message::AskPower);
    }
}
