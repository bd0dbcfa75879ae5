// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a display says about itself.
//!
//! Source: VESA E-EDID 1.4 for the first block, CTA-861 for the extension, HDMI 1.4 for the address
//! on the CEC line. The crates at hand are years old or bind a C library for ten fields.

const BLOCK: usize = 128;
const HEADER: [u8; 8] = [0, 255, 255, 255, 255, 255, 255, 0];
/// Extensions that are read; a display has one or two.
const EXTENSIONS: usize = 7;

/// A display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edid {
    /// The maker's three letters, such as `SAM`.
    pub maker: String,
    /// The maker's number for the model.
    pub product: u16,
    /// The serial number, as text where there is one; empty for none.
    pub serial: String,
    /// What the display calls itself; empty when it does not say.
    pub name: String,
    /// The mode that it likes best.
    pub native: Option<DisplayMode>,
    /// Its input's address on the CEC line, such as 0x1000 for 1.0.0.0.
    pub cec_address: Option<u16>,
    /// Whether it plays sound.
    pub sound: bool,
    /// An extension was damaged, and what it says is missing here.
    pub damaged: bool,
}

/// Width and height in pixels, and refreshes in 1000 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisplayMode {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Refreshes in 1000 seconds.
    pub millihertz: u32,
}

/// A display's data make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EdidError {
    /// Nothing was read: no display, or a cable without this line.
    #[error("the display sent no data; check the cable, or replace it")]
    Empty,
    /// Cut off.
    #[error("the display's data end after {0} bytes of 128; check the cable")]
    Short(usize),
    /// Something else than a display's data.
    #[error("the display's data do not begin as they must; check cable, adapter and switch")]
    Header,
    /// Bits were lost.
    #[error("the display's data are damaged; check cable, adapter and switch")]
    Checksum,
}

impl Edid {
    /// Reads what a display sent.
    ///
    /// # Errors
    ///
    /// The first block makes no sense. A damaged extension is left out.
    pub fn parse(bytes: &[u8]) -> Result<Self, EdidError> {
        if bytes.is_empty() {
            return Err(EdidError::Empty);
        }
        let (base, mut rest) = bytes
            .split_first_chunk::<BLOCK>()
            .ok_or(EdidError::Short(bytes.len()))?;
        if !base.starts_with(&HEADER) {
            return Err(EdidError::Header);
        }
        if !is_whole(base) {
            return Err(EdidError::Checksum);
        }
        let mut edid = Self {
            maker: maker([base[8], base[9]]),
            product: u16::from_le_bytes([base[10], base[11]]),
            serial: serial([base[12], base[13], base[14], base[15]]),
            ..Self::default()
        };
        for descriptor in base[54..126].chunks_exact(18) {
            edid.descriptor(descriptor);
        }
        for _ in 0..usize::from(base[126]).min(EXTENSIONS) {
            match rest.split_first_chunk::<BLOCK>() {
                Some((block, after)) if is_whole(block) => {
                    rest = after;
                    edid.extension(block);
                }
                Some((_, after)) => {
                    rest = after;
                    edid.damaged = true;
                }
                None => {
                    edid.damaged = true;
                    break;
                }
            }
        }
        Ok(edid)
    }

    fn descriptor(&mut self, bytes: &[u8]) {
        let is_mode = bytes[0] != 0 || bytes[1] != 0;
        match (is_mode, bytes[3]) {
            (true, _) => self.native = self.native.or_else(|| mode(bytes)),
            (false, 0xfc) => self.name = text(&bytes[5..]),
            (false, 0xff) => self.serial = text(&bytes[5..]),
            (false, _) => {}
        }
    }

    /// A CTA-861 extension: data blocks up to where its modes begin.
    fn extension(&mut self, block: &[u8; BLOCK]) {
        if block[0] != 2 {
            return;
        }
        self.sound |= block[3] & 0x40 != 0;
        let end = usize::from(block[2]).min(BLOCK - 1);
        let mut blocks = block.get(4..end).unwrap_or_default();
        while let Some((head, after)) = blocks.split_first() {
            let Some((data, after)) = after.split_at_checked(usize::from(head & 31)) else {
                self.damaged = true;
                return;
            };
            blocks = after;
            match (head >> 5, data) {
                (1, _) => self.sound = true,
                // The maker's number of HDMI, its lowest byte first, and the address behind it.
                (3, [0x03, 0x0c, 0x00, high, low, ..]) => {
                    let address = u16::from_be_bytes([*high, *low]);
                    self.cec_address = (address != 0xffff && address != 0).then_some(address);
                }
                _ => {}
            }
        }
    }
}

fn is_whole(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == 0
}

fn maker(bytes: [u8; 2]) -> String {
    let packed = u16::from_be_bytes(bytes);
    let letter = |shift: u16| {
        let number = u8::try_from(packed >> shift & 31).unwrap_or(0);
        let letter = (1..=26)
            .contains(&number)
            .then(|| char::from(b'@' + number));
        letter.unwrap_or('?')
    };
    [10, 5, 0].into_iter().map(letter).collect()
}

fn serial(bytes: [u8; 4]) -> String {
    match u32::from_le_bytes(bytes) {
        0 | 0x0101_0101 | u32::MAX => String::new(),
        number => number.to_string(),
    }
}

fn mode(bytes: &[u8]) -> Option<DisplayMode> {
    let pair = |low: u8, high: u8| u32::from(low) | u32::from(high) << 8;
    let (width, height) = (pair(bytes[2], bytes[4] >> 4), pair(bytes[5], bytes[7] >> 4));
    let (blank_x, blank_y) = (pair(bytes[3], bytes[4] & 15), pair(bytes[6], bytes[7] & 15));
    let clock = u64::from(pair(bytes[0], bytes[1])) * 10_000;
    let all = u64::from(width + blank_x) * u64::from(height + blank_y);
    let millihertz = (clock * 1000).checked_div(all)?;
    Some(DisplayMode {
        width,
        height,
        millihertz: u32::try_from(millihertz).ok()?,
    })
    .filter(|mode| mode.width > 0 && mode.height > 0)
}

fn text(bytes: &[u8]) -> String {
    let text: String = bytes
        .iter()
        .take_while(|byte| **byte != b'\n' && **byte != 0)
        .map(|byte| char::from(*byte))
        .filter(|c| c.is_ascii() && !c.is_ascii_control())
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finish(block: &mut [u8]) {
        block[BLOCK - 1] = 0;
        let sum = block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        block[BLOCK - 1] = 0_u8.wrapping_sub(sum);
    }

    /// A television: 1920x1080 at 60 Hz, on the second input.
    pub(crate) fn television() -> Vec<u8> {
        let mut bytes = vec![0; 2 * BLOCK];
        bytes[..8].copy_from_slice(&HEADER);
        bytes[8..16].copy_from_slice(&[0x4c, 0x2d, 0x34, 0x12, 0, 0, 0, 0]);
        let mode = [
            0x02, 0x3a, 0x80, 0x18, 0x71, 0x38, 0x2d, 0x40, 0x58, 0x2c, 0x45, 0, 0, 0, 0, 0, 0,
            0x1e,
        ];
        bytes[54..72].copy_from_slice(&mode);
        bytes[72..90].copy_from_slice(b"\0\0\0\xfc\0ROOM TV\n     ");
        bytes[90..108].copy_from_slice(b"\0\0\0\xff\0H1AK500000\n  ");
        bytes[126] = 1;
        finish(&mut bytes[..BLOCK]);
        let extension = [
            2, 3, 17, 0x40, 0x23, 0x09, 0x07, 0x07, 0x66, 0x03, 0x0c, 0x00, 0x20, 0x00, 0x80, 0, 0,
        ];
        bytes[BLOCK..BLOCK + extension.len()].copy_from_slice(&extension);
        finish(&mut bytes[BLOCK..]);
        bytes
    }

    #[test]
    fn a_television_says_what_it_is() {
        let edid = Edid::parse(&television()).unwrap();
        assert_eq!((edid.maker.as_str(), edid.product), ("SAM", 0x1234));
        assert_eq!(
            (edid.name.as_str(), edid.serial.as_str()),
            ("ROOM TV", "H1AK500000")
        );
        let mode = edid.native.unwrap();
        assert_eq!(
            (mode.width, mode.height, mode.millihertz),
            (1920, 1080, 60_000)
        );
        assert_eq!(edid.cec_address, Some(0x2000));
        assert!(edid.sound && !edid.damaged);
    }

    #[test]
    fn nonsense_has_its_own_words() {
        let whole = television();
        assert_eq!(Edid::parse(&[]), Err(EdidError::Empty));
        assert_eq!(Edid::parse(&whole[..100]), Err(EdidError::Short(100)));
        assert_eq!(Edid::parse(&[0; 256]), Err(EdidError::Header));
        let mut damaged = whole.clone();
        damaged[60] ^= 1;
        assert_eq!(Edid::parse(&damaged), Err(EdidError::Checksum));
        // A lost or damaged extension costs only what stands in it.
        let mut extension = whole.clone();
        extension[BLOCK + 20] ^= 1;
        for bytes in [&extension, &whole[..BLOCK]] {
            let edid = Edid::parse(bytes).unwrap();
            assert!(edid.damaged);
            assert_eq!((edid.name.as_str(), edid.cec_address), ("ROOM TV", None));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            noise in proptest::collection::vec(any::<u8>(), 0..300),
            places in proptest::collection::vec((8..255_usize, any::<u8>()), 0..40),
        ) {
            let _ = Edid::parse(&noise);
            // Changed bytes with right checksums reach what lies behind them.
            let mut bytes = television();
            for (at, byte) in places {
                bytes[at] = byte;
            }
            finish(&mut bytes[..BLOCK]);
            finish(&mut bytes[BLOCK..]);
            prop_assert!(Edid::parse(&bytes).is_ok());
        }
    }
}
