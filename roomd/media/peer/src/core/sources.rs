// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who sends media, by SSRC: new ones come no faster than in a conference, and not without end.
//!
//! The transport gives a stream to whom it does not know before it checks that the packet is the
//! peer's, and keeps it. Whoever can send from the peer's address could make it as many as there are
//! numbers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Core;

/// New ones that may come at once: 50 participants with sound, a picture and its repetitions.
const BURST: u32 = 192;
/// Time for one more.
const STEP: Duration = Duration::from_millis(125);
/// Most that are known.
const MAX: usize = 1024;

/// A new one comes too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Who is known.
#[derive(Debug)]
pub(super) struct Sources {
    /// With the time of the last packet.
    known: BTreeMap<u32, Instant>,
    /// New ones that may come now.
    room: u32,
    /// Until when the room is counted.
    counted: Instant,
}

impl Sources {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            known: BTreeMap::new(),
            room: BURST,
            counted: now,
        }
    }

    /// Lets a packet of this one in; gives the one that is forgotten for it, the longest silent.
    pub(super) fn admit(&mut self, now: Instant, ssrc: u32) -> Result<Option<u32>, TooMany> {
        if let Some(last) = self.known.get_mut(&ssrc) {
            *last = now;
            return Ok(None);
        }
        self.make_room(now);
        self.room = self.room.checked_sub(1).ok_or(TooMany)?;
        let forgotten = self.displaced();
        self.known.insert(ssrc, now);
        Ok(forgotten)
    }

    fn make_room(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted);
        let steps = u32::try_from(passed.as_millis() / STEP.as_millis()).unwrap_or(u32::MAX);
        self.room = self.room.saturating_add(steps).min(BURST);
        self.counted += STEP * steps;
    }

    fn displaced(&mut self) -> Option<u32> {
        if self.known.len() < MAX {
            return None;
        }
        let silent = self.known.iter().min_by_key(|(_, last)| **last);
        let silent = silent.map(|(ssrc, _)| *ssrc)?;
        self.known.remove(&silent);
        Some(silent)
    }
}

impl Core {
    /// Whether a datagram may reach the streams; true for what is no media.
    pub(super) fn admits(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let Some(ssrc) = source_of(datagram) else {
            return true;
        };
        let Ok(forgotten) = self.sources.admit(now, ssrc) else {
            return false;
        };
        // A stream that was described waits for its sender, however long.
        if let Some(gone) = forgotten.filter(|gone| !self.names(*gone)) {
            self.rtc.direct_api().remove_stream_rx(gone.into());
        }
        true
    }

    fn names(&self, ssrc: u32) -> bool {
        let explicit = self.explicit.as_ref();
        explicit.is_some_and(|explicit| explicit.names(ssrc))
            || self.senders.values().any(|known| *known == ssrc)
    }
}

/// Whose media a datagram is (RFC 7983, section 7; RFC 5761, section 4; RFC 3550, section 5.1). For
/// 0, which only probes, the transport has one stream.
fn source_of(datagram: &[u8]) -> Option<u32> {
    let [128..=191, kind, _, _, _, _, _, _, a, b, c, d, ..] = datagram else {
        return None;
    };
    let control = (64..=95).contains(&(kind & 0x7f));
    let ssrc = u32::from_be_bytes([*a, *b, *c, *d]);
    (!control && ssrc != 0).then_some(ssrc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conference_may_begin_at_once() {
        let now = Instant::now();
        let mut sources = Sources::new(now);
        for ssrc in 1..=BURST {
            assert_eq!(sources.admit(now, ssrc), Ok(None));
        }
        assert_eq!(sources.admit(now, 7777), Err(TooMany));
        for ssrc in 1..=BURST {
            assert_eq!(sources.admit(now, ssrc), Ok(None), "known already");
        }
        let later = now + 2 * STEP;
        assert_eq!(sources.admit(later, 7777), Ok(None));
        assert_eq!(sources.admit(later, 7778), Ok(None));
        assert_eq!(sources.admit(later, 7779), Err(TooMany));
        let much_later = now + Duration::from_secs(1_000_000);
        let mut admitted = 0;
        for ssrc in 10_000..20_000 {
            admitted += u32::from(sources.admit(much_later, ssrc).is_ok());
        }
        assert_eq!(admitted, BURST);
    }

    #[test]
    fn the_longest_silent_is_forgotten() {
        let mut now = Instant::now();
        let mut sources = Sources::new(now);
        let max = u32::try_from(MAX).unwrap();
        for ssrc in 1..=max {
            now += STEP;
            assert_eq!(sources.admit(now, ssrc), Ok(None));
        }
        assert_eq!(sources.admit(now, 1), Ok(None));
        for ssrc in 0..3 * max {
            now += STEP;
            let forgotten = sources.admit(now, 100_000 + ssrc).unwrap();
            assert!(forgotten.is_some() && sources.known.len() <= MAX);
            if ssrc == 0 {
                assert_eq!(forgotten, Some(2));
            }
        }
    }

    #[test]
    fn media_has_a_source_and_nothing_else_has() {
        let datagram = |first: u8, second: u8, ssrc: u32| {
            let before = [first, second, 0, 1, 0, 0, 0, 2];
            [&before[..], &ssrc.to_be_bytes()[..], &[9]].concat()
        };
        let check = |first: u8, second: u8, ssrc: u32, expected: Option<u32>| {
            let found = source_of(&datagram(first, second, ssrc));
            assert_eq!(found, expected, "{first} {second}");
        };
        check(0x80, 111, 0x0102_0304, Some(0x0102_0304));
        check(0x90, 0x80 | 96, 5, Some(5));
        check(0x80, 63, 5, Some(5));
        // Probes, a sender report with and without its first bit, DTLS and STUN.
        check(0x80, 111, 0, None);
        check(0x80, 200, 5, None);
        check(0x80, 72, 5, None);
        check(22, 254, 5, None);
        check(0, 1, 5, None);
        assert_eq!(source_of(&datagram(0x80, 111, 5)[..11]), None);
    }
}
