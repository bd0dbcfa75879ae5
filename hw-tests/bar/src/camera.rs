// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The camera (USB Video Class 1.1): what is agreed, its controls, and pictures cut into payloads.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::control::{Answer, Dial, Setup, request};
use crate::descriptors::{CAMERA_TERMINAL, PROCESSING_UNIT};
use crate::faults::CameraFault;
use crate::picture;

/// Width, height and pictures per second of each size.
pub const SIZES: [(u16, u16, &[u32]); 2] = [(320, 240, &[15, 10, 5]), (160, 120, &[30, 15])];
/// The most bytes in a packet of each alternate setting of the streaming interface.
pub const PACKET_SIZES: [u32; 3] = [0, 1024, 3072];

const PROBE: u8 = 0x01;
const COMMIT: u8 = 0x02;
/// Bytes of what is agreed: `VS_PROBE_CONTROL`, version 1.1.
const AGREEMENT: usize = 34;
/// The units of frame intervals in a second: 100 ns.
const TICKS: u32 = 10_000_000;

/// End of header, end of picture, and the bit that changes with each picture.
const HEADER_END: u8 = 0x80;
const PICTURE_END: u8 = 0x02;
const PARITY: u8 = 0x01;

/// The ticks between pictures.
pub const fn interval(per_second: u32) -> u32 {
    TICKS / per_second
}

/// A size and a rate, as indices into [`SIZES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mode {
    size: usize,
    rate: usize,
}

impl Mode {
    /// The nearest that there is to what the host asks.
    fn nearest(bytes: &[u8]) -> Option<Self> {
        let size = usize::from(*bytes.get(3)?)
            .checked_sub(1)?
            .min(SIZES.len() - 1);
        let ticks = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
        let rates = SIZES[size].2.iter().enumerate();
        let nearest = rates.min_by_key(|(_, rate)| interval(**rate).abs_diff(ticks));
        Some(Self {
            size,
            rate: nearest?.0,
        })
    }

    const fn per_second(self) -> u32 {
        SIZES[self.size].2[self.rate]
    }

    fn pixels(self) -> (usize, usize) {
        let (width, height, _) = SIZES[self.size];
        (width.into(), height.into())
    }

    fn bytes(self) -> u32 {
        let (width, height, _) = SIZES[self.size];
        u32::from(width) * u32::from(height) * 2
    }

    /// The smallest packets that carry it, at one each millisecond.
    fn packet(self) -> u32 {
        let each = self.bytes() * self.per_second() / 1000 * 11 / 10;
        let mut sizes = PACKET_SIZES.into_iter().filter(|size| *size > 0);
        sizes.find(|size| *size >= each).unwrap_or(PACKET_SIZES[2])
    }

    fn encode(self) -> Vec<u8> {
        let mut bytes = vec![0, 0, 1, u8::try_from(self.size + 1).unwrap_or(1)];
        bytes.extend(interval(self.per_second()).to_le_bytes());
        // No keyframes, no quality, no window; then the delay in milliseconds.
        bytes.extend([0; 8]);
        bytes.extend(20_u16.to_le_bytes());
        bytes.extend(self.bytes().to_le_bytes());
        bytes.extend(self.packet().to_le_bytes());
        bytes.extend(48_000_000_u32.to_le_bytes());
        // Payload headers carry picture parity and picture ends.
        bytes.extend([0x03, 1, 1, 1]);
        bytes
    }
}

#[derive(Debug)]
struct Stream {
    began: Duration,
    /// The number of the next picture since it began.
    next: u32,
    parity: u8,
    picture: Vec<u8>,
    sent: usize,
}

/// The camera's state.
#[derive(Debug)]
pub struct Camera {
    probed: Mode,
    committed: Mode,
    dials: Vec<(&'static str, u8, u8, Dial)>,
    stream: Option<Stream>,
    first: u32,
}

impl Default for Camera {
    fn default() -> Self {
        let camera = CAMERA_TERMINAL;
        let unit = PROCESSING_UNIT;
        Self {
            probed: Mode::default(),
            committed: Mode::default(),
            dials: vec![
                ("focus", camera, 0x06, Dial::new(2, 0, 250, 5, 0)),
                ("focus_auto", camera, 0x08, Dial::new(1, 0, 1, 1, 1)),
                // Manual, or with the aperture as it is; then in 100 µs.
                ("exposure_auto", camera, 0x02, Dial::bits(1, 0x09, 0x08)),
                ("exposure", camera, 0x04, Dial::new(4, 3, 2047, 1, 250)),
                ("zoom", camera, 0x0b, Dial::new(2, 100, 500, 1, 100)),
                // Seconds of arc; one control of the class holds both.
                (
                    "pan",
                    camera,
                    PAN_TILT,
                    Dial::new(4, -522_000, 522_000, 3600, 0),
                ),
                (
                    "tilt",
                    camera,
                    PAN_TILT,
                    Dial::new(4, -324_000, 324_000, 3600, 0),
                ),
                ("backlight", unit, 0x01, Dial::new(2, 0, 1, 1, 0)),
                ("brightness", unit, 0x02, Dial::new(2, -64, 64, 1, 0)),
                ("power_line", unit, 0x05, Dial::new(1, 0, 2, 1, 2)),
                (
                    "white_balance",
                    unit,
                    0x0a,
                    Dial::new(2, 2800, 6500, 10, 4600),
                ),
                ("white_balance_auto", unit, 0x0b, Dial::new(1, 0, 1, 1, 1)),
            ],
            stream: None,
            first: 0,
        }
    }
}

const PAN_TILT: u8 = 0x0d;

/// What an automatic has taken over is refused: the control, its automatic, and the value for "by hand".
const BY_HAND: [(&str, &str, i32); 3] = [
    ("focus", "focus_auto", 0),
    ("exposure", "exposure_auto", 1),
    ("white_balance", "white_balance_auto", 0),
];

impl Camera {
    /// Whether the host takes pictures: what its own lamp shows.
    pub const fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// The number of the next picture.
    pub fn number(&self) -> u32 {
        let sent = self.stream.as_ref().map_or(0, |stream| stream.next);
        self.first.wrapping_add(sent)
    }

    /// Every control by its name.
    pub fn dials(&self) -> BTreeMap<&'static str, i32> {
        self.dials
            .iter()
            .map(|(name, _, _, dial)| (*name, dial.value))
            .collect()
    }

    /// Begins to send at an alternate setting other than zero.
    pub fn select(&mut self, alternate: u8, now: Duration) {
        self.first = self.number();
        self.stream = (alternate > 0).then(|| Stream {
            began: now,
            next: 0,
            parity: 0,
            picture: Vec::new(),
            sent: 0,
        });
    }

    /// A request to the streaming interface: what is to be sent.
    pub fn agree(&mut self, setup: Setup, data: &[u8]) -> Answer {
        let mode = match setup.selector() {
            PROBE => &mut self.probed,
            COMMIT => &mut self.committed,
            _ => return Answer::Stall,
        };
        match setup.request {
            request::SET_CUR => {
                let Some(nearest) = Mode::nearest(data) else {
                    return Answer::Stall;
                };
                *mode = nearest;
                Answer::Taken
            }
            request::GET_CUR | request::GET_MIN | request::GET_MAX => Answer::Data(mode.encode()),
            request::GET_DEF => Answer::Data(Mode::default().encode()),
            request::GET_LEN => Answer::Data(vec![AGREEMENT as u8, 0]),
            request::GET_INFO => Answer::Data(vec![0x03]),
            _ => Answer::Stall,
        }
    }

    /// A request to one of the controls.
    pub fn control(&mut self, setup: Setup, data: &[u8]) -> Answer {
        let (entity, selector) = (setup.entity(), setup.selector());
        if setup.request == request::SET_CUR && self.is_automatic(entity, selector) {
            return Answer::Stall;
        }
        let asked = self
            .dials
            .iter_mut()
            .filter(|(_, unit, number, _)| (*unit, *number) == (entity, selector));
        let mut dials: Vec<&mut Dial> = asked.map(|(_, _, _, dial)| dial).collect();
        if dials.is_empty() {
            return Answer::Stall;
        }
        let width: usize = dials.iter().map(|dial| dial.width).sum();
        match setup.request {
            request::SET_CUR => {
                let mut rest = data;
                for dial in &mut dials {
                    let Some((own, others)) = rest.split_at_checked(dial.width) else {
                        return Answer::Stall;
                    };
                    if !dial.set(own) {
                        return Answer::Stall;
                    }
                    rest = others;
                }
                Answer::Taken
            }
            request::GET_LEN => Answer::Data(vec![width as u8, 0]),
            request::GET_INFO => Answer::Data(vec![0x03]),
            asked => {
                let values: Option<Vec<Vec<u8>>> =
                    dials.iter().map(|dial| dial.get(asked)).collect();
                values.map_or(Answer::Stall, |values| Answer::Data(values.concat()))
            }
        }
    }

    fn is_automatic(&self, entity: u8, selector: u8) -> bool {
        let found = |of: &str| self.dials.iter().find(|(name, ..)| *name == of);
        BY_HAND.iter().any(|(control, automatic, by_hand)| {
            let is_it = found(control).is_some_and(|it| (it.1, it.2) == (entity, selector));
            is_it && found(automatic).is_some_and(|it| it.3.value != *by_hand)
        })
    }

    /// The payload of one packet: a header and a part of a picture, or nothing between pictures.
    pub fn fill(&mut self, room: usize, at: Duration, fault: CameraFault, packet: &mut Vec<u8>) {
        let mode = self.committed;
        let Some(stream) = self.stream.as_mut().filter(|_| room > 2) else {
            return;
        };
        if stream.sent == stream.picture.len() {
            let elapsed = at.saturating_sub(stream.began).as_millis();
            let due = elapsed * u128::from(mode.per_second()) / 1000;
            let due = u32::try_from(due).unwrap_or(u32::MAX);
            if due < stream.next || fault == CameraFault::Stall {
                return;
            }
            stream.picture = draw(self.first.wrapping_add(due), mode, fault);
            stream.sent = 0;
            stream.next = due.saturating_add(1);
            stream.parity ^= PARITY;
        }
        let part = (stream.picture.len() - stream.sent).min(room - 2);
        let end = stream.sent + part;
        let last = if end == stream.picture.len() {
            PICTURE_END
        } else {
            0
        };
        packet.extend([2, HEADER_END | last | stream.parity]);
        packet.extend(&stream.picture[stream.sent..end]);
        stream.sent = end;
    }
}

fn draw(number: u32, mode: Mode, fault: CameraFault) -> Vec<u8> {
    let (width, height) = mode.pixels();
    match fault {
        CameraFault::None | CameraFault::Stall | CameraFault::Refusing => {
            picture::yuyv(number, width, height)
        }
        CameraFault::Lying => picture::yuyv(number, width, height / 2),
        CameraFault::Torn => {
            let mut bytes = picture::yuyv(number, width, height);
            bytes.truncate(width * height);
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// The pictures of so many milliseconds.
    fn pictures(camera: &mut Camera, time: u64, fault: CameraFault) -> Vec<Vec<u8>> {
        let (mut done, mut open) = (Vec::new(), Vec::new());
        for at in 0..time {
            let mut packet = Vec::new();
            camera.fill(3072, ms(at), fault, &mut packet);
            let Some((header, payload)) = packet.split_at_checked(2) else {
                continue;
            };
            open.extend_from_slice(payload);
            if header[1] & PICTURE_END != 0 {
                done.push(std::mem::take(&mut open));
            }
        }
        done
    }

    fn setup(request: u8, selector: u8, entity: u8) -> Setup {
        Setup {
            kind: 0x21,
            request,
            value: u16::from_be_bytes([selector, 0]),
            index: u16::from_be_bytes([entity, 0]),
            length: 0,
        }
    }

    #[test]
    fn pictures_come_at_their_rate_and_count() {
        let mut camera = Camera::default();
        camera.select(2, ms(0));
        let numbers: Vec<_> = pictures(&mut camera, 1000, CameraFault::None)
            .iter()
            .map(|picture| picture::number_in_yuyv(picture, 320, 240))
            .collect();
        assert_eq!(numbers, (0..15).map(Some).collect::<Vec<_>>());
        camera.select(0, ms(1000));
        assert!(!camera.is_open());
        assert_eq!(camera.number(), 15);
    }

    #[test]
    fn faults_show_in_the_pictures() {
        let check = |fault, length: Option<usize>| {
            let mut camera = Camera::default();
            camera.select(2, ms(0));
            let pictures = pictures(&mut camera, 200, fault);
            assert_eq!(pictures.first().map(Vec::len), length, "{fault:?}");
        };
        check(CameraFault::None, Some(153_600));
        check(CameraFault::Torn, Some(76_800));
        check(CameraFault::Lying, Some(76_800));
        check(CameraFault::Stall, None);
    }

    #[test]
    fn what_is_agreed_is_the_nearest_there_is() {
        let mut camera = Camera::default();
        let mut wish = vec![0; AGREEMENT];
        wish[3] = 2;
        wish[4..8].copy_from_slice(&interval(14).to_le_bytes());
        assert_eq!(
            camera.agree(setup(request::SET_CUR, COMMIT, 0), &wish),
            Answer::Taken
        );
        let Answer::Data(agreed) = camera.agree(setup(request::GET_CUR, COMMIT, 0), &[]) else {
            panic!("agreed")
        };
        assert_eq!(agreed.len(), AGREEMENT);
        assert_eq!(agreed[4..8], interval(15).to_le_bytes());
        assert_eq!(agreed[18..22], (160 * 120 * 2_u32).to_le_bytes());
        assert_eq!(
            camera.agree(setup(request::SET_CUR, COMMIT, 0), &[0; 5]),
            Answer::Stall
        );
    }

    #[test]
    fn what_an_automatic_does_is_not_set_by_hand() {
        let mut camera = Camera::default();
        let value = setup(request::SET_CUR, 0x06, CAMERA_TERMINAL);
        assert_eq!(camera.control(value, &[120, 0]), Answer::Stall);
        let automatic = setup(request::SET_CUR, 0x08, CAMERA_TERMINAL);
        assert_eq!(camera.control(automatic, &[0]), Answer::Taken);
        assert_eq!(camera.control(value, &[120, 0]), Answer::Taken);
        assert_eq!(camera.dials()["focus"], 120);
    }

    #[test]
    fn pan_and_tilt_share_a_control() {
        let mut camera = Camera::default();
        let bytes = [36_000_i32.to_le_bytes(), (-7200_i32).to_le_bytes()].concat();
        let set = setup(request::SET_CUR, PAN_TILT, CAMERA_TERMINAL);
        assert_eq!(camera.control(set, &bytes), Answer::Taken);
        assert_eq!(
            (camera.dials()["pan"], camera.dials()["tilt"]),
            (36_000, -7200)
        );
        let get = setup(request::GET_CUR, PAN_TILT, CAMERA_TERMINAL);
        assert_eq!(camera.control(get, &[]), Answer::Data(bytes));
        assert_eq!(camera.control(set, &[0; 7]), Answer::Stall);
        assert_eq!(
            camera.control(setup(request::GET_CUR, 0x55, 1), &[]),
            Answer::Stall
        );
    }
}
