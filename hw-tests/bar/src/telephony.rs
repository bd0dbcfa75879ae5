// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Telephony over HID: a mute key, a hook, volume keys, and the lamps that the host sets (HID Usage
//! Tables 1.5, pages 0x0B and 0x08).

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use crate::control::{Answer, Setup};

/// The report descriptor. The consumer page is there for volume keys, and because Linux makes keys only
/// of a device that has one of the collections it takes for input.
pub const REPORTS: &[u8] = &[
    0x05, 0x0b, // usage page: telephony
    0x09, 0x05, // usage: headset
    0xa1, 0x01, // collection: application
    0x85, 0x01, //   report 1
    0x15, 0x00, 0x25, 0x01, 0x75, 0x01, //   one bit each
    0x95, 0x01, 0x09, 0x20, 0x81, 0x22, //   hook switch, no preferred state
    0x95, 0x01, 0x09, 0x2f, 0x81, 0x06, //   phone mute, relative
    0x95, 0x06, 0x81, 0x03, //   padding
    0x05, 0x08, // usage page: lamps
    0x95, 0x01, 0x09, 0x09, 0x91, 0x02, //   mute
    0x95, 0x01, 0x09, 0x17, 0x91, 0x02, //   off hook
    0x95, 0x01, 0x09, 0x18, 0x91, 0x02, //   ring
    0x95, 0x05, 0x91, 0x03, //   padding
    0xc0, // end
    0x05, 0x0c, // usage page: consumer
    0x09, 0x01, // usage: consumer control
    0xa1, 0x01, // collection: application
    0x85, 0x02, //   report 2
    0x15, 0x00, 0x25, 0x01, 0x75, 0x01, //   one bit each
    0x95, 0x01, 0x09, 0xe9, 0x81, 0x02, //   volume up
    0x95, 0x01, 0x09, 0xea, 0x81, 0x02, //   volume down
    0x95, 0x06, 0x81, 0x03, //   padding
    0xc0, // end
];

const TELEPHONY: u8 = 1;
const CONSUMER: u8 = 2;
const HOOK: u8 = 0x01;
const MUTE: u8 = 0x02;
const GET_REPORT: u8 = 0x01;
const SET_REPORT: u8 = 0x09;
const SET_IDLE: u8 = 0x0a;
/// A flood of keys is no longer than this.
const MOST_WAITING: usize = 200_000;

/// A key of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Microphone on or off.
    Mute,
    /// Louder.
    VolumeUp,
    /// Softer.
    VolumeDown,
}

/// What the lamps show, and how often the host said so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lamps {
    /// The microphone is muted.
    pub mute: bool,
    /// A call goes on.
    pub off_hook: bool,
    /// Somebody calls.
    pub ring: bool,
    /// How many reports arrived.
    pub reports: u64,
    /// When the last one arrived, in milliseconds of the bar's clock.
    pub changed_ms: u64,
}

/// Keys, hook and lamps.
#[derive(Debug, Default)]
pub struct Telephony {
    waiting: VecDeque<[u8; 2]>,
    off_hook: bool,
    lamps: Lamps,
}

impl Telephony {
    /// Presses a key and lets go of it.
    pub fn press(&mut self, key: Key) {
        let hook = u8::from(self.off_hook) * HOOK;
        let (down, up) = match key {
            Key::Mute => ([TELEPHONY, hook | MUTE], [TELEPHONY, hook]),
            Key::VolumeUp => ([CONSUMER, 0x01], [CONSUMER, 0]),
            Key::VolumeDown => ([CONSUMER, 0x02], [CONSUMER, 0]),
        };
        self.wait(down);
        self.wait(up);
    }

    /// Lifts the receiver or puts it down.
    pub fn hook(&mut self, off: bool) {
        self.off_hook = off;
        self.wait([TELEPHONY, u8::from(off) * HOOK]);
    }

    fn wait(&mut self, report: [u8; 2]) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(report);
        }
    }

    /// The next input report: its id, then its bits.
    pub fn next(&mut self) -> Option<[u8; 2]> {
        self.waiting.pop_front()
    }

    /// How many reports wait for the host.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What the lamps show.
    pub const fn lamps(&self) -> Lamps {
        self.lamps
    }

    /// A request of the HID class (HID 1.11, chapter 7.2).
    pub fn request(&mut self, setup: Setup, data: &[u8], now: Duration) -> Answer {
        match setup.request {
            SET_IDLE => Answer::Taken,
            GET_REPORT => {
                let hook = u8::from(self.off_hook) * HOOK;
                match setup.value.to_le_bytes()[0] {
                    TELEPHONY => Answer::Data(vec![TELEPHONY, hook]),
                    CONSUMER => Answer::Data(vec![CONSUMER, 0]),
                    _ => Answer::Stall,
                }
            }
            SET_REPORT => self.show(data, now),
            _ => Answer::Stall,
        }
    }

    fn show(&mut self, report: &[u8], now: Duration) -> Answer {
        let [TELEPHONY, bits, ..] = report else {
            return Answer::Stall;
        };
        self.lamps = Lamps {
            mute: bits & 0x01 != 0,
            off_hook: bits & 0x02 != 0,
            ring: bits & 0x04 != 0,
            reports: self.lamps.reports + 1,
            changed_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        };
        Answer::Taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_report() -> Setup {
        Setup {
            kind: 0x21,
            request: SET_REPORT,
            value: 0x0201,
            index: 5,
            length: 2,
        }
    }

    #[test]
    fn a_key_goes_down_and_up() {
        let mut telephony = Telephony::default();
        telephony.hook(true);
        telephony.press(Key::Mute);
        let reports: Vec<[u8; 2]> = std::iter::from_fn(|| telephony.next()).collect();
        assert_eq!(reports, [[1, 1], [1, 3], [1, 1]]);
    }

    #[test]
    fn lamps_follow_the_host() {
        let mut telephony = Telephony::default();
        let at = Duration::from_millis(250);
        assert_eq!(
            telephony.request(set_report(), &[1, 0x03], at),
            Answer::Taken
        );
        let lamps = telephony.lamps();
        assert!(lamps.mute && lamps.off_hook && !lamps.ring);
        assert_eq!((lamps.reports, lamps.changed_ms), (1, 250));
    }

    #[test]
    fn a_report_that_is_none_is_refused() {
        let mut telephony = Telephony::default();
        for report in [&[][..], &[1], &[9, 1]] {
            assert_eq!(
                telephony.request(set_report(), report, Duration::ZERO),
                Answer::Stall
            );
        }
        assert_eq!(telephony.lamps(), Lamps::default());
    }
}
