// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the kernel lists below `/proc/asound` about the channels of a sound card.
//!
//! Source: the kernel's `sound/core/pcm.c` (`pcm`) and `sound/usb/proc.c` (`cardN/stream0`).

/// Channels of a card that does not say how many it has.
const UNKNOWN: u32 = 2;
/// More channels than any device has.
const MOST: u32 = 64;

/// How many channels a card records and plays; 0 where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// Channels that it records.
    pub captures: u32,
    /// Channels that it plays.
    pub plays: u32,
}

/// Reads the list of all devices, and what a USB card says about its streams, where it is one.
#[must_use]
pub fn channels(card: u32, pcm: &str, stream: Option<&str>) -> Channels {
    let mut found = Channels::default();
    for line in pcm.lines() {
        let number = line.split('-').next();
        if number.and_then(|number| number.parse().ok()) != Some(card) {
            continue;
        }
        let has = |word: &str| line.split(':').any(|part| part.trim().starts_with(word));
        if has("playback") {
            found.plays = UNKNOWN;
        }
        if has("capture") {
            found.captures = UNKNOWN;
        }
    }
    let Some(stream) = stream else {
        return found;
    };
    let (playback, capture) = stream.split_once("\nCapture:").unwrap_or((stream, ""));
    if found.plays > 0 {
        found.plays = most(playback).unwrap_or(UNKNOWN);
    }
    if found.captures > 0 {
        found.captures = most(capture).unwrap_or(UNKNOWN);
    }
    found
}

/// The largest number of channels of a direction.
fn most(direction: &str) -> Option<u32> {
    let lines = direction.lines();
    let counts =
        lines.filter_map(|line| line.trim().strip_prefix("Channels:")?.trim().parse().ok());
    counts.filter(|count| (1..=MOST).contains(count)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PCM: &str = "\
00-00: ALC221 Analog : ALC221 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
02-00: USB Audio : USB Audio : playback 1 : capture 1
03-00: Array : Array : capture 1
";
    const STREAM: &str = "\
Example Bar at usb-0000:00:14.0-8, high speed : USB Audio

Playback:
  Status: Stop
  Interface 1
    Altset 1
    Format: S16_LE
    Channels: 2
    Rates: 48000

Capture:
  Status: Stop
  Interface 2
    Altset 1
    Format: S16_LE
    Channels: 4
    Rates: 48000
";

    #[test]
    fn channels_are_those_of_the_stream() {
        let check = |card, stream, captures, plays| {
            let wanted = Channels { captures, plays };
            assert_eq!(channels(card, PCM, stream), wanted, "{card}");
        };
        check(0, None, 2, 2);
        check(2, Some(STREAM), 4, 2);
        check(3, None, 2, 0);
        check(7, None, 0, 0);
        check(2, Some("Channels: 999999"), 2, 2);
    }
}
