// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The EDID of an HDMI receiver: what a laptop reads of the room before it sends a picture.
//!
//! A dongle on the USB has its own. A receiver on a board has none until somebody writes one, and
//! without it a laptop sees no display and sends nothing. Source: VESA E-EDID 1.4 for the base block,
//! CTA-861 for the extension and the modes, HDMI 1.4 for the address on the CEC line; the kernel's
//! `Documentation/userspace-api/media/v4l/vidioc-g-edid.rst` for how it is written.

use super::timings;
use crate::call::{Call, Node, Refusal};

const CAP_TIMINGS: Call = Call::both(b'V', 100);
/// `struct v4l2_dv_timings_cap`, in words.
const CAP: usize = 36;

/// `E2BIG`: the receiver has room for fewer blocks.
const E2BIG: i32 = 7;
/// `ENODATA`: the receiver has no EDID.
const ENODATA: i32 = 61;

/// Bytes of a block.
const BLOCK: usize = 128;
/// Bytes of what is built: the base block and one extension.
pub const LENGTH: usize = 2 * BLOCK;
/// Where the base block's four descriptors begin, and the bytes of one.
const DESCRIPTORS: usize = 54;
const DESCRIPTOR: usize = 18;

/// A receiver: its device's file, or a fake.
pub trait EdidNode: Node {
    /// How many blocks of 128 bytes the EDID of an input has, by the input's index (`VIDIOC_G_EDID`).
    ///
    /// # Errors
    ///
    /// The kernel refused.
    fn edid_blocks(&mut self, input: u32) -> Result<u32, Refusal>;

    /// Gives an input an EDID of whole blocks of 128 bytes (`VIDIOC_S_EDID`).
    ///
    /// # Errors
    ///
    /// The kernel refused, and named so many blocks: those that fit where the EDID is too long.
    fn set_edid(&mut self, input: u32, edid: &[u8]) -> Result<(), (Refusal, u32)>;
}

/// Gives the input in use the room's EDID where it is a receiver's and has none. One that it has, an
/// administrator's or the firmware's, stays. Nobody must have the device open for pictures.
///
/// Returns how many blocks of 128 bytes were written; none where there was nothing to do.
///
/// # Errors
///
/// The kernel refused: the device is gone, or the receiver still has no EDID.
pub fn give(node: &mut impl EdidNode) -> Result<Option<u32>, Refusal> {
    let Some(input) = timings::receiving(node)? else {
        return Ok(None);
    };
    match node.edid_blocks(input) {
        Ok(0) | Err(Refusal::Other(ENODATA)) => {}
        // It has one, or its driver lets nobody write any.
        Ok(_) | Err(Refusal::None) => return Ok(None),
        Err(refusal) => return Err(refusal),
    }
    let edid = build(Limits::ask(node));
    match node.set_edid(input, &edid) {
        Ok(()) => Ok(Some(2)),
        Err((Refusal::Other(E2BIG), 1..)) => {
            let base = alone(&edid);
            let done = node.set_edid(input, &base);
            done.map(|()| Some(1)).map_err(|(refusal, _)| refusal)
        }
        Err((refusal, _)) => Err(refusal),
    }
}

/// The most that a receiver takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixels a second, blanking included.
    pub pixel_clock: u64,
}

impl Limits {
    /// HDMI up to 1.2, which every receiver takes that does not say what it takes.
    const USUAL: Self = Self {
        width: 1920,
        height: 1200,
        pixel_clock: 165_000_000,
    };

    /// What a device says of itself (`VIDIOC_DV_TIMINGS_CAP`), or what is usual.
    #[must_use]
    pub fn ask(node: &mut impl Node) -> Self {
        let mut words = [0; CAP];
        // The only type that there is, with its fields, is 0.
        if node.call(CAP_TIMINGS, &mut words).is_err() || words[0] != 0 {
            return Self::USUAL;
        }
        let said = |value: u32, usual: u32| if value == 0 { usual } else { value };
        // The structure is packed: low word first.
        let pixel_clock = (u64::from(words[11]) << 32) | u64::from(words[10]);
        Self {
            width: said(words[5], Self::USUAL.width),
            height: said(words[7], Self::USUAL.height),
            pixel_clock: if pixel_clock == 0 {
                Self::USUAL.pixel_clock
            } else {
                pixel_clock
            },
        }
    }

    fn take(&self, mode: &Mode) -> bool {
        let [width, height] = mode.size.map(u32::from);
        width <= self.width && height <= self.height && u64::from(mode.hertz()) <= self.pixel_clock
    }
}

/// A picture that is asked for; pairs are of a row in pixels and of a picture in rows.
struct Mode {
    /// Its number in CTA-861 (VIC).
    vic: u8,
    /// In 10 kHz.
    clock: u16,
    size: [u16; 2],
    blanking: [u16; 2],
    /// From the picture to the sync pulse.
    porch: [u8; 2],
    sync: [u8; 2],
    /// Both sync pulses are positive; otherwise both are negative.
    positive: bool,
}

/// What every receiver takes.
const VGA: u8 = 1;

/// What is asked for, the best first: nothing that is larger than what the room shares.
const MODES: &[Mode] = &[
    // 1920x1080p60
    Mode {
        vic: 16,
        clock: 14_850,
        size: [1920, 1080],
        blanking: [280, 45],
        porch: [88, 4],
        sync: [44, 5],
        positive: true,
    },
    // 1920x1080p30
    Mode {
        vic: 34,
        clock: 7_425,
        size: [1920, 1080],
        blanking: [280, 45],
        porch: [88, 4],
        sync: [44, 5],
        positive: true,
    },
    // 1280x720p60
    Mode {
        vic: 4,
        clock: 7_425,
        size: [1280, 720],
        blanking: [370, 30],
        porch: [110, 5],
        sync: [40, 5],
        positive: true,
    },
    // 720x480p60
    Mode {
        vic: 3,
        clock: 2_700,
        size: [720, 480],
        blanking: [138, 45],
        porch: [16, 9],
        sync: [62, 6],
        positive: false,
    },
    // 640x480p60
    Mode {
        vic: VGA,
        clock: 2_518,
        size: [640, 480],
        blanking: [160, 45],
        porch: [16, 10],
        sync: [96, 2],
        positive: false,
    },
];

impl Mode {
    /// Pixels a second.
    fn hertz(&self) -> u32 {
        u32::from(self.clock) * 10_000
    }

    /// Rows a second.
    fn rows(&self) -> u32 {
        self.hertz() / (u32::from(self.size[0]) + u32::from(self.blanking[0]))
    }

    /// Pictures in 1000 seconds.
    fn millihertz(&self) -> u32 {
        self.rows() * 1000 / (u32::from(self.size[1]) + u32::from(self.blanking[1]))
    }

    /// Its detailed timing descriptor (E-EDID 1.4, 3.10.2).
    fn descriptor(&self) -> [u8; DESCRIPTOR] {
        let pair = |first: u16, second: u16| {
            let ([low, high], [next, above]) = (first.to_le_bytes(), second.to_le_bytes());
            [low, next, (high << 4) | above]
        };
        let ([porch_x, porch_y], [sync_x, sync_y]) = (self.porch, self.sync);
        let mut bytes = [0; DESCRIPTOR];
        bytes[..2].copy_from_slice(&self.clock.to_le_bytes());
        bytes[2..5].copy_from_slice(&pair(self.size[0], self.blanking[0]));
        bytes[5..8].copy_from_slice(&pair(self.size[1], self.blanking[1]));
        // Their high bits would stand in the byte behind them; none of the modes has any.
        bytes[8..11].copy_from_slice(&[porch_x, sync_x, (porch_y << 4) | sync_y]);
        // Digital sync pulses, apart from each other, and their polarity.
        bytes[17] = if self.positive { 0x1e } else { 0x18 };
        bytes
    }
}

/// How every EDID begins.
const HEADER: [u8; 8] = [0, 255, 255, 255, 255, 255, 255, 0];
/// The maker LNX, which the kernel's own EDIDs have, as the room has no letters of its own; its number
/// for the model, no serial number, a model of 2025, by E-EDID 1.4.
const MAKER: [u8; 12] = [0x31, 0xd8, 0x64, 0x72, 0, 0, 0, 0, 0xff, 35, 1, 4];
/// HDMI with 8 bits a colour; of no size; gamma 2.2; RGB, which is sRGB, and the first mode is the
/// receiver's own.
const PICTURE: [u8; 5] = [0xa2, 0, 0, 120, 0x06];
/// sRGB's primaries and white.
const COLOURS: [u8; 10] = [0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54];
/// Of the modes from before CTA-861, 640x480 at 60 Hz alone, and no standard timings.
const OLD_MODES: [u8; 19] = [0x20, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
/// What the laptop calls the display.
const NAME: [u8; DESCRIPTOR] = *b"\0\0\0\xfc\0roomd\n       ";
/// HDMI's block for its makers: its number, lowest byte first, and the address 1.0.0.0 on the CEC line.
const HDMI: [u8; 5] = [0x03, 0x0c, 0x00, 0x10, 0x00];

/// The room's EDID for a receiver: a base block and a CTA-861 extension. It asks for the best of
/// 1920x1080p60, 1920x1080p30, 1280x720p60, 720x480p60 and 640x480p60 that fits, names the others, and
/// asks for no sound, as none is taken from a laptop's cable.
#[must_use]
pub fn build(limits: Limits) -> [u8; LENGTH] {
    let fits = |mode: &&Mode| mode.vic == VGA || limits.take(mode);
    let modes: Vec<&Mode> = MODES.iter().filter(fits).collect();
    let mut edid = [0; LENGTH];
    let (base, extension) = edid.split_at_mut(BLOCK);
    fill_base(base, &modes);
    fill_extension(extension, &modes);
    edid
}

fn fill_base(block: &mut [u8], modes: &[&Mode]) {
    let head = [&HEADER[..], &MAKER, &PICTURE, &COLOURS, &OLD_MODES].concat();
    block[..DESCRIPTORS].copy_from_slice(&head);
    let preferred = modes.first().map(|mode| mode.descriptor());
    // The fourth says nothing.
    let mut nothing = [0; DESCRIPTOR];
    nothing[3] = 0x10;
    let descriptors = preferred.into_iter().chain([NAME, range(modes), nothing]);
    let places = block[DESCRIPTORS..].chunks_exact_mut(DESCRIPTOR);
    for (place, descriptor) in places.zip(descriptors) {
        place.copy_from_slice(&descriptor);
    }
    block[126] = 1;
    finish(block);
}

/// The bounds of all modes: pictures and 1000 rows a second, and the clock in 10 MHz (E-EDID 1.4,
/// 3.10.3.3).
fn range(modes: &[&Mode]) -> [u8; DESCRIPTOR] {
    let bounds = |of: fn(&Mode) -> u32, unit: u32| {
        let values: Vec<u32> = modes.iter().map(|mode| of(mode)).collect();
        let least = values.iter().min().map_or(0, |least| least / unit);
        let most = values.iter().max().map_or(0, |most| most.div_ceil(unit));
        [least, most].map(|bound| u8::try_from(bound).unwrap_or(u8::MAX))
    };
    let [slowest, fastest] = bounds(Mode::millihertz, 1000);
    let [fewest, most] = bounds(Mode::rows, 1000);
    let [_, clock] = bounds(Mode::hertz, 10_000_000);
    let mut bytes = *b"\0\0\0\xfd\0.....\x01\n      ";
    bytes[5..10].copy_from_slice(&[slowest, fastest, fewest, most, clock]);
    bytes
}

/// The CTA-861 extension: the modes by their numbers, the first one the receiver's own, and HDMI.
fn fill_extension(block: &mut [u8], modes: &[&Mode]) {
    let mut numbers: Vec<u8> = modes.iter().map(|mode| mode.vic).collect();
    if let Some(first) = numbers.first_mut() {
        *first |= 0x80;
    }
    let blocks = [data_block(2, &numbers), data_block(3, &HDMI)].concat();
    let end = 4 + blocks.len();
    // Revision 3; no modes in detail; nothing of the picture is cut away, no sound, and one mode is the
    // receiver's own.
    block[..4].copy_from_slice(&[2, 3, u8::try_from(end).unwrap_or(4), 0x81]);
    block[4..end].copy_from_slice(&blocks);
    finish(block);
}

/// A data block: its tag and length, and what it says, up to 31 bytes.
fn data_block(tag: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).unwrap_or(0) & 31;
    let mut block = vec![(tag << 5) | length];
    block.extend(data);
    block
}

/// The base block without an extension.
fn alone(edid: &[u8; LENGTH]) -> [u8; BLOCK] {
    let mut base = [0; BLOCK];
    base.copy_from_slice(&edid[..BLOCK]);
    base[126] = 0;
    finish(&mut base);
    base
}

/// Sets the last byte so that the block's sum is 0.
fn finish(block: &mut [u8]) {
    block[BLOCK - 1] = 0;
    block[BLOCK - 1] = sum(block).wrapping_neg();
}

fn sum(block: &[u8]) -> u8 {
    block
        .iter()
        .fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::edid::{DisplayMode, Edid};

    /// A device: whether it receives, what EDID it has, what it takes and what it got.
    struct Card {
        receives: bool,
        has: Result<u32, Refusal>,
        takes: u8,
        clock: u32,
        given: Vec<u8>,
    }

    impl Node for Card {
        fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal> {
            match words.len() {
                // VIDIOC_G_INPUT and VIDIOC_ENUMINPUT.
                1 => words[0] = 2,
                20 => words[15] = if self.receives { 2 } else { 4 },
                _ => {
                    assert_eq!(call.code(words.len()), 0xc090_5664);
                    (words[5], words[7], words[10]) = (1920, 1200, self.clock);
                }
            }
            Ok(())
        }
    }

    impl EdidNode for Card {
        fn edid_blocks(&mut self, input: u32) -> Result<u32, Refusal> {
            assert_eq!(input, 2);
            self.has
        }

        fn set_edid(&mut self, input: u32, edid: &[u8]) -> Result<(), (Refusal, u32)> {
            assert_eq!((input, edid.len() % BLOCK), (2, 0));
            if edid.len() > usize::from(self.takes) * BLOCK {
                return Err((Refusal::Other(E2BIG), u32::from(self.takes)));
            }
            self.given = edid.to_vec();
            Ok(())
        }
    }

    fn card(has: Result<u32, Refusal>) -> Card {
        Card {
            receives: true,
            has,
            takes: 4,
            clock: 165_000_000,
            given: Vec::new(),
        }
    }

    fn limits(width: u32, height: u32, pixel_clock: u64) -> Limits {
        Limits {
            width,
            height,
            pixel_clock,
        }
    }

    #[test]
    fn a_laptop_reads_what_the_room_is() {
        let bytes = build(Limits::USUAL);
        for block in bytes.chunks_exact(BLOCK) {
            assert_eq!((block.len(), sum(block)), (BLOCK, 0));
        }
        let edid = Edid::parse(&bytes).unwrap();
        assert_eq!((edid.maker.as_str(), edid.product), ("LNX", 0x7264));
        assert_eq!((edid.name.as_str(), edid.serial.as_str()), ("roomd", ""));
        assert_eq!(edid.cec_address, Some(0x1000));
        assert!(!edid.sound && !edid.damaged);
        // 1920x1080p60 in detail as televisions have it, and all numbers.
        let mode = [
            0x02, 0x3a, 0x80, 0x18, 0x71, 0x38, 0x2d, 0x40, 0x58, 0x2c, 0x45, 0, 0, 0, 0, 0, 0,
            0x1e,
        ];
        assert_eq!(bytes[54..72], mode);
        assert_eq!(bytes[93..101], [0xfd, 0, 30, 60, 31, 68, 15, 1]);
        let extension = [
            2, 3, 16, 0x81, 0x45, 0x90, 34, 4, 3, 1, 0x65, 3, 12, 0, 16, 0,
        ];
        assert_eq!(bytes[BLOCK..BLOCK + 16], extension);
    }

    #[test]
    fn the_best_mode_that_fits_is_asked_for() {
        for (limits, (width, height, millihertz), clock) in [
            (limits(4096, 2160, 600_000_000), (1920, 1080, 60_000), 15),
            (limits(1920, 1080, 148_500_000), (1920, 1080, 60_000), 15),
            (limits(1920, 1080, 148_499_999), (1920, 1080, 30_000), 8),
            (limits(1920, 1200, 74_250_000), (1920, 1080, 30_000), 8),
            (limits(1280, 1024, 165_000_000), (1280, 720, 60_000), 8),
            (limits(1280, 720, 74_250_000), (1280, 720, 60_000), 8),
            (limits(1920, 1080, 74_000_000), (720, 480, 59_940), 3),
            (limits(0, 0, 0), (640, 480, 59_952), 3),
        ] {
            let bytes = build(limits);
            let edid = Edid::parse(&bytes).unwrap();
            let wanted = DisplayMode {
                width,
                height,
                millihertz,
            };
            assert_eq!(edid.native, Some(wanted), "{limits:?}");
            assert_eq!(bytes[99], clock, "{limits:?}");
            assert!(!edid.damaged && bytes.chunks(BLOCK).all(|block| sum(block) == 0));
        }
    }

    #[test]
    fn a_receiver_says_what_it_takes() {
        let mut card = card(Ok(0));
        assert_eq!(Limits::ask(&mut card), Limits::USUAL);
        card.clock = 80_000_000;
        assert_eq!(Limits::ask(&mut card).pixel_clock, 80_000_000);
        card.clock = 0;
        assert_eq!(Limits::ask(&mut card), Limits::USUAL);
    }

    #[test]
    fn only_a_receiver_without_one_gets_it() {
        for none in [Ok(0), Err(Refusal::Other(ENODATA))] {
            let mut card = card(none);
            assert_eq!(give(&mut card), Ok(Some(2)));
            assert_eq!(card.given, build(Limits::USUAL));
        }
        for (has, done) in [
            (Ok(1), Ok(None)),
            (Ok(2), Ok(None)),
            (Err(Refusal::None), Ok(None)),
            (Err(Refusal::Busy), Err(Refusal::Busy)),
            (Err(Refusal::Gone), Err(Refusal::Gone)),
        ] {
            let mut card = card(has);
            assert_eq!(give(&mut card), done);
            assert!(card.given.is_empty());
        }
        let mut camera = card(Ok(0));
        camera.receives = false;
        assert_eq!(give(&mut camera), Ok(None));
        assert!(camera.given.is_empty());
    }

    #[test]
    fn a_receiver_with_little_room_gets_the_base_block() {
        let mut card = card(Ok(0));
        card.takes = 1;
        assert_eq!(give(&mut card), Ok(Some(1)));
        assert_eq!((card.given.len(), sum(&card.given)), (BLOCK, 0));
        let edid = Edid::parse(&card.given).unwrap();
        assert_eq!((edid.name.as_str(), edid.cec_address), ("roomd", None));
        assert!(!edid.damaged);
        card.takes = 0;
        assert_eq!(give(&mut card), Err(Refusal::Other(E2BIG)));
    }
}
