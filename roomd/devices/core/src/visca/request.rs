// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What is asked of a camera, as VISCA packets.
//!
//! Source: the same command list, and those of other makers, which differ in how many digits a
//! direction has and whether there is a speed for tilting.

use crate::display::power::Power;

use super::wire::Kind;

/// The fastest: the camera should be there soon.
const PAN_SPEED: u8 = 0x18;
const TILT_SPEED: u8 = 0x14;

/// What is asked of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Wake or sleep.
    Power(Power),
    /// Look there, in the camera's own steps to the right and upwards.
    Point {
        /// To the right.
        pan: i32,
        /// Upwards.
        tilt: i32,
    },
    /// How close it looks, in the camera's own steps.
    Zoom(u16),
    /// Go to the position that the camera keeps under this number.
    Recall(u8),
    /// Keep the present position under this number.
    Store(u8),
    /// Focus by itself, or not.
    FocusAuto(bool),
    /// What is sharp, in the camera's own steps; larger is closer. Not while focus is automatic.
    Focus(u16),
    /// Focus once. Not while focus is automatic.
    FocusOnce,
    /// Exposure in this mode, in the list's numbers: 0 automatic, 3 by hand.
    Exposure(u8),
    /// White balance in this mode, in the list's numbers: 0 automatic, 3 as measured once, 5 by hand.
    WhiteBalance(u8),
    /// Measure once what is white. Only in the mode for that.
    WhiteBalanceOnce,
    /// Against light from behind, or not.
    Backlight(bool),
    /// Say how you are.
    Ask(Question),
}

/// What a camera can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Awake or asleep.
    Power,
    /// Where it looks.
    Direction,
    /// How close it looks.
    Zoom,
    /// Whether focus is automatic.
    FocusAuto,
    /// What is sharp.
    Focus,
    /// The mode of exposure.
    Exposure,
    /// The mode of white balance.
    WhiteBalance,
    /// Whether it works against light from behind.
    Backlight,
}

impl Question {
    /// Every question, in the order in which they are asked.
    pub(super) const ALL: [Self; 8] = [
        Self::Power,
        Self::Direction,
        Self::Zoom,
        Self::FocusAuto,
        Self::Focus,
        Self::Exposure,
        Self::WhiteBalance,
        Self::Backlight,
    ];

    /// Whether it is about the picture. Not every camera has that, and some keep silent instead of
    /// refusing.
    pub(super) const fn is_of_picture(self) -> bool {
        matches!(
            self,
            Self::FocusAuto | Self::Focus | Self::Exposure | Self::WhiteBalance | Self::Backlight
        )
    }
}

/// What a camera says, in its own steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Power(Power),
    Direction(i32, i32),
    Zoom(u16),
    FocusAuto(bool),
    Focus(u16),
    Exposure(u8),
    WhiteBalance(u8),
    Backlight(bool),
}

/// How this camera writes a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Digits of panning, four or five. The camera's answers show it.
    pub pan_digits: usize,
    /// Whether tilting has a speed of its own; some cameras want a zero there.
    pub tilt_speed: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            pan_digits: TILT_DIGITS,
            tilt_speed: true,
        }
    }
}

const TILT_DIGITS: usize = 4;

impl Request {
    pub(super) const fn is_question(self) -> bool {
        matches!(self, Self::Ask(_))
    }

    /// Whether it is about the picture, not about where the camera looks.
    pub(super) const fn is_of_picture(self) -> bool {
        match self {
            Self::Ask(question) => question.is_of_picture(),
            Self::FocusAuto(_)
            | Self::Focus(_)
            | Self::FocusOnce
            | Self::Exposure(_)
            | Self::WhiteBalance(_)
            | Self::WhiteBalanceOnce
            | Self::Backlight(_)
            // What the camera keeps under a number has its own picture.
            | Self::Recall(_)
            | Self::Power(_) => true,
            Self::Point { .. } | Self::Zoom(_) | Self::Store(_) => false,
        }
    }

    pub(super) const fn kind(self) -> Kind {
        if self.is_question() {
            Kind::Inquiry
        } else {
            Kind::Command
        }
    }

    /// The packet.
    pub(super) fn packet(self, dialect: Dialect) -> Vec<u8> {
        let mut packet = vec![0x81];
        match self {
            Self::Power(Power::On) => packet.extend([0x01, 0x04, 0x00, 0x02]),
            Self::Power(Power::Standby) => packet.extend([0x01, 0x04, 0x00, 0x03]),
            Self::Point { pan, tilt } => {
                let speed = if dialect.tilt_speed { TILT_SPEED } else { 0 };
                packet.extend([0x01, 0x06, 0x02, PAN_SPEED, speed]);
                packet.extend(digits(pan, dialect.pan_digits));
                packet.extend(digits(tilt, TILT_DIGITS));
            }
            Self::Zoom(zoom) => {
                packet.extend([0x01, 0x04, 0x47]);
                packet.extend(digits(i32::from(zoom), 4));
            }
            // No number may be the byte that ends a packet.
            Self::Store(number) => packet.extend([0x01, 0x04, 0x3f, 0x01, number.min(0xfe)]),
            Self::Recall(number) => packet.extend([0x01, 0x04, 0x3f, 0x02, number.min(0xfe)]),
            Self::FocusAuto(on) => packet.extend([0x01, 0x04, 0x38, switch(on)]),
            Self::Focus(focus) => {
                packet.extend([0x01, 0x04, 0x48]);
                packet.extend(digits(i32::from(focus), 4));
            }
            Self::FocusOnce => packet.extend([0x01, 0x04, 0x18, 0x01]),
            Self::Exposure(mode) => packet.extend([0x01, 0x04, 0x39, mode & 0x0f]),
            Self::WhiteBalance(mode) => packet.extend([0x01, 0x04, 0x35, mode & 0x0f]),
            Self::WhiteBalanceOnce => packet.extend([0x01, 0x04, 0x10, 0x05]),
            Self::Backlight(on) => packet.extend([0x01, 0x04, 0x33, switch(on)]),
            Self::Ask(Question::Power) => packet.extend([0x09, 0x04, 0x00]),
            Self::Ask(Question::Direction) => packet.extend([0x09, 0x06, 0x12]),
            Self::Ask(Question::Zoom) => packet.extend([0x09, 0x04, 0x47]),
            Self::Ask(Question::FocusAuto) => packet.extend([0x09, 0x04, 0x38]),
            Self::Ask(Question::Focus) => packet.extend([0x09, 0x04, 0x48]),
            Self::Ask(Question::Exposure) => packet.extend([0x09, 0x04, 0x39]),
            Self::Ask(Question::WhiteBalance) => packet.extend([0x09, 0x04, 0x35]),
            Self::Ask(Question::Backlight) => packet.extend([0x09, 0x04, 0x33]),
        }
        packet.push(0xff);
        packet
    }
}

impl Question {
    /// What the camera says; a direction shows the camera's dialect.
    pub(super) fn read(self, data: &[u8], dialect: &mut Dialect) -> Option<Said> {
        match (self, data) {
            (Self::Power, [0x02]) => Some(Said::Power(Power::On)),
            (Self::Power, [0x03]) => Some(Said::Power(Power::Standby)),
            (Self::Direction, data) => {
                let pan_digits = data.len().checked_sub(TILT_DIGITS)?;
                if !(4..=5).contains(&pan_digits) {
                    return None;
                }
                let (pan, tilt) = data.split_at(pan_digits);
                let (pan, tilt) = (signed(pan)?, signed(tilt)?);
                dialect.pan_digits = pan_digits;
                Some(Said::Direction(pan, tilt))
            }
            (Self::Zoom, data) => Some(Said::Zoom(word(data)?)),
            (Self::FocusAuto, [0x02]) => Some(Said::FocusAuto(true)),
            (Self::FocusAuto, [0x03]) => Some(Said::FocusAuto(false)),
            (Self::Focus, data) => Some(Said::Focus(word(data)?)),
            (Self::Exposure, [mode]) => Some(Said::Exposure(*mode)),
            (Self::WhiteBalance, [mode]) => Some(Said::WhiteBalance(*mode)),
            (Self::Backlight, [0x02]) => Some(Said::Backlight(true)),
            (Self::Backlight, [0x03]) => Some(Said::Backlight(false)),
            (
                Self::Power
                | Self::FocusAuto
                | Self::Exposure
                | Self::WhiteBalance
                | Self::Backlight,
                _,
            ) => None,
        }
    }
}

/// How the list writes on and off.
const fn switch(on: bool) -> u8 {
    if on { 0x02 } else { 0x03 }
}

/// A number of four digits.
fn word(data: &[u8]) -> Option<u16> {
    let number = (data.len() == 4).then(|| unsigned(data)).flatten()?;
    u16::try_from(number).ok()
}

/// A number as hexadecimal digits, one in each byte, negative ones in two's complement.
fn digits(number: i32, count: usize) -> impl Iterator<Item = u8> {
    let digit = move |at: usize| u8::try_from((number >> (4 * at)) & 0xf).unwrap_or(0);
    (0..count).rev().map(digit)
}

fn unsigned(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        (*digit < 16).then(|| (number << 4) | i32::from(*digit))
    })
}

fn signed(digits: &[u8]) -> Option<i32> {
    let number = unsigned(digits)?;
    let range = 1_i32 << (4 * digits.len());
    Some(if number >= range / 2 {
        number - range
    } else {
        number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_those_of_the_command_list() {
        let check = |request: Request, packet: &[u8]| {
            let written = request.packet(Dialect::default());
            assert_eq!(written, packet, "{request:?}");
        };
        check(Request::Power(Power::Standby), &[0x81, 1, 4, 0, 3, 0xff]);
        check(
            Request::Point {
                pan: 0x990,
                tilt: -0x1b0,
            },
            &[0x81, 1, 6, 2, 0x18, 0x14, 0, 9, 9, 0, 0xf, 0xe, 5, 0, 0xff],
        );
        check(Request::Zoom(0x4000), &[0x81, 1, 4, 0x47, 4, 0, 0, 0, 0xff]);
        check(Request::Recall(5), &[0x81, 1, 4, 0x3f, 2, 5, 0xff]);
        check(Request::Store(255), &[0x81, 1, 4, 0x3f, 1, 0xfe, 0xff]);
        check(Request::Ask(Question::Direction), &[0x81, 9, 6, 0x12, 0xff]);
        check(Request::FocusAuto(false), &[0x81, 1, 4, 0x38, 3, 0xff]);
        check(
            Request::Focus(0x1234),
            &[0x81, 1, 4, 0x48, 1, 2, 3, 4, 0xff],
        );
        check(Request::FocusOnce, &[0x81, 1, 4, 0x18, 1, 0xff]);
        check(Request::Exposure(0x0a), &[0x81, 1, 4, 0x39, 0x0a, 0xff]);
        check(Request::WhiteBalance(5), &[0x81, 1, 4, 0x35, 5, 0xff]);
        check(Request::WhiteBalanceOnce, &[0x81, 1, 4, 0x10, 5, 0xff]);
        check(Request::Backlight(true), &[0x81, 1, 4, 0x33, 2, 0xff]);
        check(Request::Ask(Question::Exposure), &[0x81, 9, 4, 0x39, 0xff]);
        let dialect = Dialect {
            pan_digits: 5,
            tilt_speed: false,
        };
        let point = Request::Point { pan: -1, tilt: 1 };
        let packet = point.packet(dialect);
        let expected = [0x81, 1, 6, 2, 0x18, 0, 15, 15, 15, 15, 15, 0, 0, 0, 1, 0xff];
        assert_eq!(packet, expected);
    }

    #[test]
    fn answers_are_read_and_nonsense_is_not() {
        let mut dialect = Dialect::default();
        let mut read = |question: Question, data: &[u8]| question.read(data, &mut dialect);
        let direction = read(Question::Direction, &[0xf, 6, 7, 0, 0, 3, 6, 0]);
        assert_eq!(direction, Some(Said::Direction(-2448, 864)));
        let direction = read(Question::Direction, &[0xf, 0xf, 6, 7, 0, 0, 3, 6, 0]);
        assert_eq!(direction, Some(Said::Direction(-2448, 864)));
        let zoom = read(Question::Zoom, &[0xf, 0xf, 0xf, 0xf]);
        assert_eq!(zoom, Some(Said::Zoom(0xffff)));
        for (question, data) in [
            (Question::Power, &[4][..]),
            (Question::Power, &[]),
            (Question::Zoom, &[0, 0, 0]),
            (Question::Zoom, &[0, 0, 0, 16]),
            (Question::Focus, &[0; 5]),
            (Question::FocusAuto, &[0]),
            (Question::Exposure, &[]),
            (Question::Backlight, &[2, 2]),
            (Question::Direction, &[0; 7]),
            (Question::Direction, &[0; 10]),
            (Question::Direction, &[0x10; 8]),
        ] {
            assert_eq!(read(question, data), None, "{question:?}");
        }
        assert_eq!(dialect.pan_digits, 5);
    }
}
