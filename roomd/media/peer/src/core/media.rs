// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frames, sender reports and keyframe requests.

use std::time::{Duration, Instant};

use roomd_conference::PeerState;
use str0m::format::Codec;
use str0m::media::{Frequency, KeyframeRequestKind, MediaData, MediaTime, Mid, SenderFeedback};

use super::Core;
use crate::{Frame, PeerEvent, SenderReport};

/// Least time between two keyframe requests for an m-line.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);
/// Largest frame sent.
const MAX_FRAME: usize = 2 * 1024 * 1024;
const SOUND_RATE: u32 = 48_000;
const PICTURE_RATE: u32 = 90_000;

/// What is remembered of an m-line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    last_rtp_time: Option<u64>,
    keyframe_wanted: bool,
    keyframe_after: Option<Instant>,
}

impl Line {
    /// When a request that waits may go out.
    pub(super) fn keyframe_due(&self) -> Option<Instant> {
        self.keyframe_after.filter(|_| self.keyframe_wanted)
    }
}

impl Core {
    pub(super) fn frame(&mut self, now: Instant, data: MediaData) {
        // Not `self.state`: the last step to it and the first frame may come in the same round.
        let open = self.certified && self.path && !self.closing && !self.ended;
        let codec = data.params.spec().codec;
        let (rate, keyframe) = match (codec, data.data.first()) {
            (Codec::Opus, Some(_)) => (SOUND_RATE, true),
            // The lowest bit of a VP8 frame tag is 0 in keyframes (RFC 6386, section 9.1).
            (Codec::Vp8, Some(tag)) => (PICTURE_RATE, tag & 1 == 0),
            _ => {
                self.dropped.frames += 1;
                return;
            }
        };
        if !open {
            self.dropped.frames += 1;
            return;
        }
        let rtp_time = in_rate(data.time, rate);
        let line = self.lines.entry(data.mid).or_default();
        line.last_rtp_time = Some(rtp_time);
        if keyframe {
            line.keyframe_wanted = false;
        }
        self.enter_verified();
        self.events.push_back(PeerEvent::Frame {
            mid: data.mid.to_string(),
            frame: Frame {
                payload: data.data,
                rtp_time,
                clock_rate: rate,
                at: now,
                keyframe,
                contiguous: data.contiguous,
            },
        });
    }

    pub(super) fn sender_report(&mut self, feedback: &SenderFeedback) {
        let line = self.lines.get(&feedback.mid);
        // Without a frame there is nothing to unwrap the 32 bits against.
        let Some(reference) = line.and_then(|line| line.last_rtp_time) else {
            return;
        };
        let info = feedback.sender_info;
        let report = SenderReport {
            wall: info.ntp_time,
            rtp_time: nearest(reference, info.rtp_time.numer() as u32),
        };
        let mid = feedback.mid.to_string();
        self.events
            .push_back(PeerEvent::SenderReport { mid, report });
    }

    pub(super) fn keyframe_wanted(&mut self, mid: Mid) {
        self.events.push_back(PeerEvent::KeyframeWanted {
            mid: mid.to_string(),
        });
    }

    pub(super) fn write(&mut self, now: Instant, mid: &str, frame: Frame) {
        if self.try_write(now, mid, frame).is_none() {
            self.dropped.writes += 1;
        }
    }

    fn try_write(&mut self, now: Instant, mid: &str, frame: Frame) -> Option<()> {
        if self.state != PeerState::Verified || self.closing {
            return None;
        }
        if frame.payload.is_empty() || frame.payload.len() > MAX_FRAME {
            return None;
        }
        let (codec, rate) = match frame.clock_rate {
            SOUND_RATE => (Codec::Opus, Frequency::FORTY_EIGHT_KHZ),
            PICTURE_RATE => (Codec::Vp8, Frequency::NINETY_KHZ),
            _ => return None,
        };
        let mid = Mid::from(mid);
        if !self.rtc.media(mid)?.direction().is_sending() {
            return None;
        }
        self.media_begins(now);
        let writer = self.rtc.writer(mid)?;
        let pt = writer
            .payload_params()
            .find(|params| params.spec().codec == codec)?
            .pt();
        let time = MediaTime::new(frame.rtp_time, rate);
        writer.write(pt, frame.at, time, frame.payload).ok()
    }

    pub(super) fn request_keyframe(&mut self, now: Instant, mid: &str) {
        let mid = Mid::from(mid);
        if self
            .rtc
            .media(mid)
            .is_none_or(|media| !media.direction().is_receiving())
        {
            return;
        }
        let line = self.lines.entry(mid).or_default();
        line.keyframe_wanted = true;
        line.keyframe_after.get_or_insert(now);
        self.flush_keyframe_requests(now);
    }

    /// Sends the requests whose time has come. One that the transport cannot place yet, because no
    /// packet of the stream arrived, is tried again.
    pub(super) fn flush_keyframe_requests(&mut self, now: Instant) {
        let due: Vec<Mid> = self
            .lines
            .iter()
            .filter(|(_, line)| line.keyframe_due().is_some_and(|due| due <= now))
            .map(|(&mid, _)| mid)
            .collect();
        for mid in due {
            let sent = self.rtc.writer(mid).is_some_and(|mut writer| {
                writer
                    .request_keyframe(None, KeyframeRequestKind::Pli)
                    .is_ok()
            });
            let receiving = self
                .rtc
                .media(mid)
                .is_some_and(|media| media.direction().is_receiving());
            if let Some(line) = self.lines.get_mut(&mid) {
                line.keyframe_wanted = receiving && !sent;
                line.keyframe_after = Some(now + KEYFRAME_INTERVAL);
            }
            self.drive(now);
        }
    }
}

fn in_rate(time: MediaTime, rate: u32) -> u64 {
    if time.frequency().get() == rate {
        return time.numer();
    }
    let numer = u128::from(time.numer()) * u128::from(rate) / u128::from(time.frequency().get());
    u64::try_from(numer).unwrap_or(u64::MAX)
}

/// The time nearest to the reference whose lower 32 bits are those given.
fn nearest(reference: u64, low: u32) -> u64 {
    let ahead = low.wrapping_sub(reference as u32);
    if ahead < 1 << 31 {
        reference.saturating_add(u64::from(ahead))
    } else {
        reference.saturating_sub(u64::from(ahead.wrapping_neg()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwraps_against_the_nearest_frame() {
        assert_eq!(nearest(1 << 32, 5), (1 << 32) + 5);
        assert_eq!(nearest((1 << 32) + 5, u32::MAX), (1 << 32) - 1);
        assert_eq!(nearest(100, 90), 90);
        assert_eq!(nearest(3, u32::MAX), 0);
    }
}
