// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The test picture: grey steps that wander, and in its upper quarter the picture's number.
//!
//! The upper quarter is 32 fields of equal width, light for one and dark for zero, the highest bit
//! first: 24 bits of the number, then 8 bits of a checksum. So a number can be read from a picture that
//! was scaled or compressed, and a torn or grey picture has none.

const FIELDS: usize = 32;
const LIGHT: u8 = 220;
const DARK: u8 = 30;
/// Between the two.
const LIMIT: u8 = 125;

/// What the fields of a picture spell.
const fn word(number: u32) -> u32 {
    let number = number & 0x00ff_ffff;
    (number << 8) | checksum(number)
}

const fn checksum(number: u32) -> u32 {
    // A number of zero must not look like a dark picture.
    (number ^ (number >> 8) ^ (number >> 16) ^ 0xa5) & 0xff
}

/// Draws picture `number` as YUYV: four bytes for two pixels.
pub fn yuyv(number: u32, width: usize, height: usize) -> Vec<u8> {
    let word = word(number);
    let marker: Vec<u8> = (0..width)
        .map(|x| {
            let field = x * FIELDS / width;
            if word & (0x8000_0000 >> field) == 0 {
                DARK
            } else {
                LIGHT
            }
        })
        .collect();
    let mut bytes = Vec::with_capacity(width * height * 2);
    for y in 0..height {
        if y < height / 4 {
            marker.iter().for_each(|luma| bytes.extend([*luma, 128]));
            continue;
        }
        for x in 0..width {
            let step = (x / 8 + y / 8 + number as usize) % 16;
            bytes.extend([(40 + step * 10) as u8, 128]);
        }
    }
    bytes
}

/// The number of a picture in YUYV, or none when it does not carry a whole one.
pub fn number_in_yuyv(bytes: &[u8], width: usize, height: usize) -> Option<u32> {
    number(width, |x| bytes.get((height / 8 * width + x) * 2).copied())
}

/// The number of a picture, from the brightness of the pixels in the middle of its upper quarter.
pub fn number(width: usize, luma: impl Fn(usize) -> Option<u8>) -> Option<u32> {
    let mut word = 0_u32;
    for field in 0..FIELDS {
        let middle = (field * 2 + 1) * width / (FIELDS * 2);
        word = (word << 1) | u32::from(luma(middle)? > LIMIT);
    }
    let number = word >> 8;
    (word & 0xff == checksum(number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_tells_its_number() {
        for number in [0, 1, 77, 0x00ab_cdef] {
            let picture = yuyv(number, 160, 120);
            assert_eq!(picture.len(), 160 * 120 * 2);
            assert_eq!(number_in_yuyv(&picture, 160, 120), Some(number));
        }
    }

    #[test]
    fn what_is_no_picture_has_no_number() {
        assert_eq!(number_in_yuyv(&[0; 160 * 120 * 2], 160, 120), None);
        assert_eq!(number_in_yuyv(&[255; 160 * 120 * 2], 160, 120), None);
        assert_eq!(number_in_yuyv(&[1, 2, 3], 160, 120), None);
    }
}
