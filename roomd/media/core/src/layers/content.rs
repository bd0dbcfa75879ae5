// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Shared content: sharp text first, then motion.

use super::Encoding;

/// The share of a path's budget that goes to content while there is any; people get the rest.
const SHARE: f64 = 0.7;
/// What content may take, in bit/s.
const MOST: u32 = 2_500_000;
/// Nothing legible is sent with less.
const LEAST: u32 = 150_000;
/// What one picture a second of 1920x1080 takes until text is sharp, in bit/s.
const PER_PICTURE: u32 = 60_000;
/// Pictures a second.
const SLOWEST: u32 = 5;
const FASTEST: u32 = 30;

/// Divides what a path carries, in bit/s: how content is encoded, and what is left for people.
#[must_use]
pub fn content(budget: u32) -> (Encoding, u32) {
    let bitrate = ((f64::from(budget) * SHARE) as u32).clamp(LEAST, MOST);
    let encoding = Encoding {
        bitrate,
        pictures_per_second: (bitrate / PER_PICTURE).clamp(SLOWEST, FASTEST),
    };
    (encoding, budget.saturating_sub(bitrate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_becomes_slower_never_smaller() {
        let table = [(0, 5), (500_000, 5), (1_000_000, 11), (4_000_000, 30)];
        for (budget, pictures) in table {
            let (encoding, rest) = content(budget);
            assert_eq!(encoding.pictures_per_second, pictures, "{budget}");
            assert!(encoding.bitrate >= LEAST && encoding.bitrate <= MOST);
            assert!(budget < LEAST || rest + encoding.bitrate == budget);
        }
    }
}
