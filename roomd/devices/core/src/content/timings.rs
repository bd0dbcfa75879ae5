// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a capture device says about the signal on its cable, and how it is set to it.
//!
//! Source of structures and errors: the kernel's `include/uapi/linux/videodev2.h` and
//! `Documentation/userspace-api/media/v4l`. Dongles that pose as webcams know no timings; of them only
//! the pictures tell.

use std::fmt;

use crate::call::{Call, Node, Refusal};

const ENUM_INPUT: Call = Call::both(b'V', 26);
const GET_INPUT: Call = Call::read(b'V', 38);
const SET_TIMINGS: Call = Call::both(b'V', 87);
const GET_TIMINGS: Call = Call::both(b'V', 88);
const QUERY_TIMINGS: Call = Call::read(b'V', 99);

/// `V4L2_IN_CAP_DV_TIMINGS`.
const KNOWS_TIMINGS: u32 = 0x2;
/// `V4L2_IN_ST_NO_POWER` and `V4L2_IN_ST_NO_SIGNAL`.
const NO_SIGNAL: u32 = 0x1 | 0x2;
/// `V4L2_IN_ST_MACROVISION` and `V4L2_IN_ST_NO_ACCESS`: the picture is protected, and not for us.
const PROTECTED: u32 = 0x0100_0000 | 0x0200_0000;

/// `ENOLINK`: nothing is connected, or it is off.
const ENOLINK: i32 = 67;
/// `ENOLCK`: something is there, and the receiver finds no hold.
const ENOLCK: i32 = 37;

/// `struct v4l2_dv_timings`, in words.
const WORDS: usize = 33;
/// `struct v4l2_input`, in words.
const INPUT: usize = 20;

/// The signal's timings, as the kernel gives and takes them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Timings([u32; WORDS]);

impl Timings {
    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.0[1]
    }

    /// Height in pixels; of an interlaced signal, of both fields together.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.0[2]
    }

    const fn interlaced(&self) -> bool {
        self.0[3] != 0
    }

    /// Pixels a second, blanking included. The structure is packed: low word first.
    const fn pixel_clock(&self) -> u64 {
        ((self.0[6] as u64) << 32) | self.0[5] as u64
    }

    /// Pictures in a second; none where the device does not say.
    #[must_use]
    pub fn rate(&self) -> Option<u32> {
        let sum = |from: usize, size: u32| {
            let mut blanking = self.0.get(from..from + 3)?.iter();
            blanking.try_fold(size, |sum, part| sum.checked_add(*part))
        };
        let total = u64::from(sum(7, self.width())?) * u64::from(sum(10, self.height())?);
        let rate = self.pixel_clock().checked_add(total / 2)?;
        let rate = u32::try_from(rate.checked_div(total)?).ok()?;
        (1..=1000).contains(&rate).then_some(rate)
    }

    /// Whether a device that is set to `other` takes this signal. Clocks of sources differ a little.
    fn is(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.pixel_clock(), other.pixel_clock());
        (self.width(), self.height(), self.interlaced())
            == (other.width(), other.height(), other.interlaced())
            && ours.abs_diff(theirs) <= ours / 200
    }

    const fn makes_sense(&self) -> bool {
        let (width, height) = (self.width(), self.height());
        width >= 16 && height >= 16 && width <= 8192 && height <= 8192
    }

    #[cfg(test)]
    pub(crate) fn of(width: u32, height: u32) -> Self {
        let mut words = [0; WORDS];
        words[1] = width;
        words[2] = height;
        // 60 pictures a second of 1.25 times the pixels.
        words[7] = width / 4;
        words[5] = (width + width / 4) * height * 60;
        Self(words)
    }
}

impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timings({self})")
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.interlaced() { "i" } else { "p" };
        write!(f, "{}x{}{kind}", self.width(), self.height())?;
        self.rate().map_or(Ok(()), |rate| write!(f, "{rate}"))
    }
}

/// What a device says about its cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It knows nothing of signals.
    Silent,
    /// Nothing is connected, or it is off.
    NoSignal,
    /// Something is there, and the device finds no hold.
    Unstable,
    /// A signal that the device cannot take.
    OutOfRange,
    /// A signal whose picture is protected.
    Protected,
    /// A signal, and whether the device is set to it.
    Signal(Timings, bool),
}

/// What was found out about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// It is a receiver of HDMI or the like: no camera.
    pub receiver: bool,
    /// What it says.
    pub answer: Answer,
}

/// Asks a device, and sets it to its signal where `may_set`: nobody must have it open for pictures
/// then.
///
/// # Errors
///
/// The device is gone.
pub fn ask(node: &mut impl Node, may_set: bool) -> Result<Report, Refusal> {
    let (receiver, status) = input(node)?;
    let receiver = receiver.is_some();
    let answer = if status & PROTECTED != 0 {
        Answer::Protected
    } else if receiver {
        query(node, may_set)?
    } else if status & NO_SIGNAL != 0 {
        Answer::NoSignal
    } else {
        Answer::Silent
    };
    Ok(Report { receiver, answer })
}

/// Whether a device is a receiver of HDMI or the like, and no camera.
pub fn is_receiver(node: &mut impl Node) -> bool {
    input(node).is_ok_and(|(receiver, _)| receiver.is_some())
}

/// The index of the input in use, where it is a receiver's.
pub(super) fn receiving(node: &mut impl Node) -> Result<Option<u32>, Refusal> {
    input(node).map(|(receiver, _)| receiver)
}

/// The index of the input in use, where it knows timings, and how it is.
fn input(node: &mut impl Node) -> Result<(Option<u32>, u32), Refusal> {
    let mut index = [0];
    match node.call(GET_INPUT, &mut index) {
        Ok(()) => {}
        Err(Refusal::Gone) => return Err(Refusal::Gone),
        // A device without inputs is none that receives.
        Err(_) => return Ok((None, 0)),
    }
    let mut words = [0; INPUT];
    words[0] = index[0];
    match node.call(ENUM_INPUT, &mut words) {
        Ok(()) => {
            let receives = words[15] & KNOWS_TIMINGS != 0;
            Ok((receives.then_some(index[0]), words[14]))
        }
        Err(Refusal::Gone) => Err(Refusal::Gone),
        Err(_) => Ok((None, 0)),
    }
}

fn query(node: &mut impl Node, may_set: bool) -> Result<Answer, Refusal> {
    let mut found = Timings([0; WORDS]);
    match node.call(QUERY_TIMINGS, &mut found.0) {
        Ok(()) if found.makes_sense() => {}
        Err(Refusal::Gone) => return Err(Refusal::Gone),
        Err(Refusal::Value) => return Ok(Answer::OutOfRange),
        Err(Refusal::Other(ENOLCK)) | Ok(()) => return Ok(Answer::Unstable),
        Err(Refusal::Other(ENOLINK)) => return Ok(Answer::NoSignal),
        // It knows timings and does not find them out: what it is set to is all there is.
        Err(Refusal::None | Refusal::Busy | Refusal::Other(_)) => return Ok(Answer::Silent),
    }
    let mut set = Timings([0; WORDS]);
    let known = node.call(GET_TIMINGS, &mut set.0).is_ok();
    if known && found.is(&set) {
        return Ok(Answer::Signal(found, true));
    }
    let mut wanted = found;
    let done = may_set && node.call(SET_TIMINGS, &mut wanted.0).is_ok();
    Ok(Answer::Signal(found, done))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver: its status, what is on its cable, what it is set to.
    struct Card {
        knows: bool,
        status: u32,
        cable: Result<Timings, Refusal>,
        set: Timings,
        busy: bool,
    }

    impl Node for Card {
        fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal> {
            if call == GET_INPUT {
                words[0] = 2;
            } else if call == ENUM_INPUT {
                assert_eq!((words.len() * 4, words[0]), (80, 2));
                words[14] = self.status;
                words[15] = if self.knows { KNOWS_TIMINGS } else { 4 };
            } else if call == QUERY_TIMINGS {
                assert_eq!(words.len() * 4, 132);
                words.copy_from_slice(&self.cable?.0);
            } else if call == GET_TIMINGS {
                words.copy_from_slice(&self.set.0);
            } else if self.busy {
                return Err(Refusal::Busy);
            } else {
                self.set.0.copy_from_slice(words);
            }
            Ok(())
        }
    }

    fn card(cable: Result<Timings, Refusal>) -> Card {
        Card {
            knows: true,
            status: 0,
            cable,
            set: Timings::of(1280, 720),
            busy: false,
        }
    }

    #[test]
    fn numbers_are_the_kernels() {
        assert_eq!(QUERY_TIMINGS.code(WORDS), 0x8084_5663);
        assert_eq!(SET_TIMINGS.code(WORDS), 0xc084_5657);
        assert_eq!(ENUM_INPUT.code(INPUT), 0xc050_561a);
    }

    #[test]
    fn every_state_of_a_cable_is_told() {
        let answer = |cable| ask(&mut card(cable), false).unwrap().answer;
        assert_eq!(answer(Err(Refusal::Other(67))), Answer::NoSignal);
        assert_eq!(answer(Err(Refusal::Other(37))), Answer::Unstable);
        assert_eq!(answer(Err(Refusal::Value)), Answer::OutOfRange);
        assert_eq!(answer(Err(Refusal::None)), Answer::Silent);
        assert_eq!(answer(Ok(Timings::of(0, 0))), Answer::Unstable);
        let gone = ask(&mut card(Err(Refusal::Gone)), false);
        assert_eq!(gone, Err(Refusal::Gone));
        for status in [0x0200_0000, 0x0100_0000] {
            let mut card = card(Ok(Timings::of(1280, 720)));
            card.status = status;
            assert_eq!(ask(&mut card, true).unwrap().answer, Answer::Protected);
        }
    }

    #[test]
    fn a_device_is_set_to_its_signal_when_nobody_has_it_open() {
        let hd = Timings::of(1920, 1080);
        let mut card = card(Ok(hd));
        assert_eq!(
            ask(&mut card, false).unwrap().answer,
            Answer::Signal(hd, false)
        );
        card.busy = true;
        assert_eq!(
            ask(&mut card, true).unwrap().answer,
            Answer::Signal(hd, false)
        );
        card.busy = false;
        assert_eq!(
            ask(&mut card, true).unwrap().answer,
            Answer::Signal(hd, true)
        );
        assert_eq!(card.set, hd);
        // A clock that is a little off is the same signal.
        let mut near = hd;
        near.0[5] += near.0[5] / 1000;
        card.cable = Ok(near);
        assert_eq!(
            ask(&mut card, false).unwrap().answer,
            Answer::Signal(near, true)
        );
        assert_eq!(
            (hd.to_string(), hd.rate()),
            ("1920x1080p60".to_owned(), Some(60))
        );
    }

    #[test]
    fn a_camera_is_no_receiver() {
        let mut camera = card(Err(Refusal::None));
        camera.knows = false;
        let report = ask(&mut camera, true).unwrap();
        assert_eq!((report.receiver, report.answer), (false, Answer::Silent));
        assert!(!is_receiver(&mut camera));
        camera.status = 2;
        assert_eq!(ask(&mut camera, true).unwrap().answer, Answer::NoSignal);
    }

    #[test]
    fn nonsense_has_no_rate() {
        assert_eq!(Timings([u32::MAX; WORDS]).rate(), None);
        assert_eq!(Timings([0; WORDS]).rate(), None);
    }
}
