// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Questions to the kernel as words: which `ioctl` it is, and its structure as an array of 32 bits.
//!
//! So the shell has one place that calls the kernel, and what a driver answers is read here, where
//! tests and fuzzing reach it.

/// Which `ioctl` it is. Source: the kernel's `include/uapi/asm-generic/ioctl.h`, whose numbers hold on
/// x86 and ARM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    group: u8,
    number: u8,
    direction: u32,
    short: bool,
}

const WRITE: u32 = 1;
const READ: u32 = 2;

impl Call {
    /// The kernel fills the structure.
    #[must_use]
    pub const fn read(group: u8, number: u8) -> Self {
        Self {
            group,
            number,
            direction: READ,
            short: false,
        }
    }

    /// The kernel takes the structure.
    #[must_use]
    pub const fn write(group: u8, number: u8) -> Self {
        Self {
            group,
            number,
            direction: WRITE,
            short: false,
        }
    }

    /// The kernel takes the structure and fills it.
    #[must_use]
    pub const fn both(group: u8, number: u8) -> Self {
        Self {
            group,
            number,
            direction: READ | WRITE,
            short: false,
        }
    }

    /// The kernel takes two bytes, the first of the word.
    #[must_use]
    pub const fn write_short(group: u8, number: u8) -> Self {
        Self {
            group,
            number,
            direction: WRITE,
            short: true,
        }
    }

    /// The kernel's number for it with a structure of so many words, which the number includes.
    #[must_use]
    pub const fn code(self, words: usize) -> u32 {
        // Structures have less than 16 KiB, the most that the number can say.
        let size = if self.short {
            2
        } else {
            ((words * 4) & 0x3fff) as u32
        };
        (self.direction << 30) | (size << 16) | ((self.group as u32) << 8) | self.number as u32
    }
}

/// Why the kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such thing, or no further one (`EINVAL`, `ENOTTY`).
    None,
    /// The device is not there any more (`ENODEV`, `ENOENT`, `ENXIO`).
    Gone,
    /// Another program has it (`EBUSY`).
    Busy,
    /// The value is not possible (`ERANGE`, `EACCES`).
    Value,
    /// Anything else, as its number.
    Other(i32),
}

/// Somebody who answers: the device's file, or a fake.
pub trait Node {
    /// Asks; the answer stands in `words`.
    ///
    /// # Errors
    ///
    /// The kernel refused.
    fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal>;
}

/// The text in a structure, up to its first zero; what is no text is replaced.
#[must_use]
pub fn text(words: &[u32]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A number with a sign in a structure.
#[must_use]
pub const fn signed(word: u32) -> i32 {
    i32::from_ne_bytes(word.to_ne_bytes())
}

/// The word of a number with a sign.
#[must_use]
pub const fn word(number: i32) -> u32 {
    u32::from_ne_bytes(number.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels() {
        // VIDIOC_QUERYCAP, VIDIOC_ENUM_FMT and CEC_TRANSMIT as the kernel's headers give them.
        assert_eq!(Call::read(b'V', 0).code(26), 0x8068_5600);
        assert_eq!(Call::both(b'V', 2).code(16), 0xc040_5602);
        assert_eq!(Call::both(b'a', 5).code(14), 0xc038_6105);
        assert_eq!(Call::write_short(b'a', 2).code(1), 0x4002_6102);
    }

    #[test]
    fn a_text_ends_at_its_zero() {
        let words = [u32::from_ne_bytes(*b"Cam\n"), u32::from_ne_bytes(*b"1\0xy")];
        assert_eq!(text(&words), "Cam1");
        assert_eq!(text(&[u32::MAX]), "\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(signed(word(-7)), -7);
    }
}
