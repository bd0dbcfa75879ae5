// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Nothing but what was written leaves: no probe and no padding of the transport's own stands in for
//! the media of a room that does not send.

use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;

use super::{Core, setup};

/// Media may pause for so long while the room sends: content changes a few times a second, and a large
/// picture of it leaves over longer than until the next. Behind this nothing leaves, and the bandwidth
/// is estimated anew: what was cut meanwhile would count as lost.
const PAUSE: Duration = Duration::from_secs(2);

/// When a frame was last written, unless the room has stopped sending since.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    written: Option<Instant>,
    probing: bool,
}

impl Silence {
    /// Packets of media may leave.
    pub(super) fn lets_through(self, now: Instant) -> bool {
        self.written
            .is_some_and(|at| now.saturating_duration_since(at) <= PAUSE)
    }

    /// Whether the bandwidth is being looked for.
    pub(super) const fn probing(self) -> bool {
        self.probing
    }
}

impl Core {
    /// A frame is about to be written.
    pub(super) fn media_begins(&mut self, now: Instant) {
        if !self.silence.lets_through(now) {
            self.rtc.bwe().reset(setup::START);
        }
        self.silence.written = Some(now);
        if !self.silence.probing {
            self.silence.probing = true;
            self.rtc.bwe().set_bitrate(Bitrate::ZERO, self.reach);
        }
    }

    /// Says how much bandwidth is of use, in bit/s.
    pub(super) fn reach_for(&mut self, bandwidth: Option<u64>) {
        self.reach = bandwidth.map_or(setup::WANTED, Bitrate::bps);
        if self.silence.probing {
            self.rtc.bwe().set_bitrate(Bitrate::ZERO, self.reach);
        }
    }

    /// The room sends nothing any more: what still waits to leave does not.
    pub(super) fn silence(&mut self, now: Instant) {
        self.silence.written = None;
        self.media_ends(now);
    }

    /// Time has passed.
    pub(super) fn media_ends(&mut self, now: Instant) {
        if self.silence.probing && !self.silence.lets_through(now) {
            self.silence.probing = false;
            self.rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::ZERO);
        }
    }
}

/// A datagram of media, by its first two bytes (RFC 7983, section 7; RFC 5761, section 4).
pub(super) fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_is_told_from_everything_else() {
        assert!(is_media(&[0x80, 111, 0]), "sound");
        assert!(is_media(&[0x90, 0x80 | 96, 0]), "picture with a marker");
        assert!(!is_media(&[0x80, 200, 0]), "sender report");
        assert!(!is_media(&[0x81, 206, 0]), "picture loss indication");
        assert!(!is_media(&[0, 1, 0]), "STUN");
        assert!(!is_media(&[22, 254, 253]), "DTLS");
        assert!(!is_media(&[]), "nothing");
    }

    #[test]
    fn silence_begins_behind_a_long_pause() {
        let start = Instant::now();
        let mut silence = Silence::default();
        assert!(!silence.lets_through(start));
        silence.written = Some(start);
        assert!(silence.lets_through(start + PAUSE));
        assert!(!silence.lets_through(start + PAUSE + Duration::from_millis(1)));
    }
}
