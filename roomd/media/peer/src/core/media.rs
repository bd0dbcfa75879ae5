// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frames, sender reports and keyframe requests.

use std::time::{Duration, Instant};

use roomd_conference::PeerState;
use str0m::format::{Codec as Format, CodecExtra};
use str0m::media::{
    Frequency, KeyframeRequest, KeyframeRequestKind, MediaData, MediaTime, Mid, Pt, Rid, Rids,
    SenderFeedback,
};
use str0m::rtp::RtpWrite;

use super::describe::LEVEL_3_1;
use super::{Core, Packetiser};
use crate::{Codec, Frame, Level, PeerEvent, SenderReport, Temporal};

/// Least time between two keyframe requests for a layer of an m-line.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);
/// Largest frame sent.
const MAX_FRAME: usize = 2 * 1024 * 1024;
/// Most layers of m-lines that are remembered.
const MAX_REMEMBERED: usize = 256;
/// Largest RTP payload of a picture, descriptor included: with headers, the encryption and TURN
/// around it, a datagram of it passes everywhere.
const MAX_PAYLOAD: usize = 1100;

/// One encoding on an m-line: its RID, where there are several.
pub(super) type Layer = (Mid, Option<String>);

/// What is remembered of a layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    last_rtp_time: Option<u64>,
    keyframe_wanted: bool,
    keyframe_after: Option<Instant>,
    /// Missing packets are not asked for.
    pub(super) gave_up: bool,
    /// Frames came while nothing was received by the direction, and were not passed on.
    missed: bool,
}

impl Line {
    /// Of the last frame that was passed on.
    pub(super) const fn last_rtp_time(&self) -> Option<u64> {
        self.last_rtp_time
    }

    /// When a request that waits may go out.
    pub(super) fn keyframe_due(&self) -> Option<Instant> {
        self.keyframe_after.filter(|_| self.keyframe_wanted)
    }
}

impl Core {
    pub(super) fn frame(&mut self, now: Instant, data: MediaData) {
        // Not `self.state`: the last step to it and the first frame may come in the same round.
        let open = self.certified && self.path && !self.closing && !self.ended;
        let codec = codec_of(data.params.spec().codec);
        let layer = (data.mid, data.rid.map(|rid| rid.to_string()));
        let known = self.lines.len() < MAX_REMEMBERED || self.lines.contains_key(&layer);
        let Some(codec) = codec.filter(|_| open && known && !data.data.is_empty()) else {
            self.dropped.frames += 1;
            return;
        };
        let keyframe = codec.is_sound() || data.is_keyframe();
        let rtp_time = in_rate(data.time, codec.clock_rate());
        let receiving = self.receives(data.mid);
        let line = self.lines.entry(layer.clone()).or_default();
        line.last_rtp_time = Some(rtp_time);
        if !receiving {
            line.missed = true;
            return;
        }
        let contiguous = data.contiguous && !std::mem::take(&mut line.missed);
        if keyframe {
            line.keyframe_wanted = false;
        }
        let (mid, rid) = layer;
        let level = level_of(&data).filter(|_| codec.is_sound());
        self.enter_verified();
        self.events.push_back(PeerEvent::Frame {
            mid: mid.to_string(),
            frame: Frame {
                payload: data.data,
                codec,
                rid,
                rtp_time,
                at: now,
                keyframe,
                contiguous,
                temporal: temporal_of(&data.codec_extra),
                level,
            },
        });
    }

    pub(super) fn sender_report(&mut self, feedback: &SenderFeedback) {
        let layer = (feedback.mid, feedback.rid.map(|rid| rid.to_string()));
        let line = self.lines.get(&layer);
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

    pub(super) fn keyframe_wanted(&mut self, request: &KeyframeRequest) {
        self.events.push_back(PeerEvent::KeyframeWanted {
            mid: request.mid.to_string(),
            rid: request.rid.map(|rid| rid.to_string()),
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
        let mid = Mid::from(mid);
        if !self.sends(mid) {
            return None;
        }
        let pt = self.payload_type(mid, frame.codec)?;
        if let Some(rid) = &frame.rid {
            self.layers(mid).contains(rid).then_some(())?;
        }
        self.media_begins(now);
        if frame.codec.is_sound() {
            self.write_sound(mid, pt, frame)
        } else {
            self.write_picture(mid, pt, &frame)
        }
    }

    /// The layers that may be sent on an m-line; none where there is one stream without a name.
    pub(super) fn layers(&self, mid: Mid) -> Vec<String> {
        if let Some(explicit) = &self.explicit {
            return explicit.layers(mid);
        }
        if let Some(layers) = self.groups.get(&mid) {
            return layers.clone();
        }
        match self.rtc.media(mid).map(|media| media.rids_tx()) {
            Some(Rids::Specific(rids)) => rids.iter().map(|rid| rid.to_string()).collect(),
            Some(Rids::None | Rids::Any) | None => Vec::new(),
        }
    }

    /// What may be sent on an m-line, the preferred first.
    pub(super) fn sent_codecs(&mut self, mid: Mid) -> Vec<Codec> {
        let mut codecs: Vec<Codec> = self
            .taken(mid)
            .into_iter()
            .map(|(codec, _)| codec)
            .collect();
        codecs.sort_by_key(|codec| rank(*codec));
        codecs.dedup();
        codecs
    }

    /// The payload type to send a codec with; none for one that is not sent.
    fn payload_type(&mut self, mid: Mid, codec: Codec) -> Option<Pt> {
        let mut taken = self.taken(mid).into_iter();
        taken.find_map(|(known, pt)| (known == codec).then_some(pt))
    }

    /// The codecs that the peer takes on an m-line, of those that are sent.
    fn taken(&mut self, mid: Mid) -> Vec<(Codec, Pt)> {
        if let Some(explicit) = &self.explicit {
            return explicit.taken(mid);
        }
        let level = self.abilities.get(&mid).map_or(0, |it| it.h264_level);
        let Some(writer) = self.rtc.writer(mid) else {
            return Vec::new();
        };
        let sent = |codec: Codec| match codec {
            Codec::Opus | Codec::Vp8 => true,
            // The transport matches profile and packetization mode, whatever the level.
            Codec::H264 => level >= LEVEL_3_1,
            Codec::Vp9 => false,
        };
        writer
            .payload_params()
            .filter_map(|params| Some((codec_of(params.spec().codec)?, params.pt())))
            .filter(|(codec, _)| sent(*codec))
            .collect()
    }

    fn write_sound(&mut self, mid: Mid, pt: Pt, frame: Frame) -> Option<()> {
        let time = MediaTime::new(frame.rtp_time, Frequency::FORTY_EIGHT_KHZ);
        let mut writer = self.rtc.writer(mid)?;
        if let Some(level) = frame.level {
            // 127 at most, so that it stays within the type.
            let decibel = -(level.below_overload.min(127) as i8);
            writer = writer.audio_level(decibel, level.voice);
        }
        writer.write(pt, frame.at, time, frame.payload).ok()
    }

    fn write_picture(&mut self, mid: Mid, pt: Pt, frame: &Frame) -> Option<()> {
        let rid = frame.rid.as_deref().map(Rid::from);
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, rid)?;
        let ssrc = *stream.ssrc();
        // The transport draws SSRCs at random; that is all that the first numbers need.
        let fresh = || Packetiser::new(ssrc as u16, (ssrc >> 16) as u16);
        let layer = (mid, frame.rid.clone());
        let packetiser = self.packetisers.entry(layer).or_insert_with(fresh);
        for packet in packetiser.split(frame, MAX_PAYLOAD) {
            let time = frame.rtp_time as u32;
            let sequence = packet.sequence.into();
            let write = RtpWrite::new(pt, sequence, time, frame.at, packet.payload)
                .marker(packet.last)
                .nackable(true);
            stream.write_rtp(write);
        }
        Some(())
    }

    pub(super) fn request_keyframe(&mut self, now: Instant, mid: &str, rid: Option<&str>) {
        let mid = Mid::from(mid);
        if !self.receives(mid) {
            return;
        }
        let layer = (mid, rid.map(|rid| Rid::from(rid).to_string()));
        if self.lines.len() >= MAX_REMEMBERED && !self.lines.contains_key(&layer) {
            return;
        }
        let line = self.lines.entry(layer).or_default();
        line.keyframe_wanted = true;
        line.keyframe_after.get_or_insert(now);
        self.flush_keyframe_requests(now);
    }

    fn sends(&self, mid: Mid) -> bool {
        if let Some(explicit) = &self.explicit {
            return explicit.sends(mid);
        }
        let media = self.rtc.media(mid);
        media.is_some_and(|media| media.direction().is_sending())
    }

    fn receives(&self, mid: Mid) -> bool {
        if let Some(explicit) = &self.explicit {
            return explicit.receives(mid);
        }
        let media = self.rtc.media(mid);
        media.is_some_and(|media| media.direction().is_receiving())
    }

    /// Sends the requests whose time has come. One that the transport cannot place yet, because no
    /// packet of the stream arrived, is tried again.
    pub(super) fn flush_keyframe_requests(&mut self, now: Instant) {
        let due: Vec<Layer> = self
            .lines
            .iter()
            .filter(|(_, line)| line.keyframe_due().is_some_and(|due| due <= now))
            .map(|(layer, _)| layer.clone())
            .collect();
        for layer in due {
            let sent = self.send_keyframe_request(&layer).is_some();
            let receiving = self.receives(layer.0);
            if let Some(line) = self.lines.get_mut(&layer) {
                line.keyframe_wanted = receiving && !sent;
                line.keyframe_after = Some(now + KEYFRAME_INTERVAL);
            }
            self.drive(now);
        }
    }

    fn send_keyframe_request(&mut self, (mid, rid): &Layer) -> Option<()> {
        let mut writer = self.rtc.writer(*mid)?;
        // The transport itself asks for what it knows, whatever is negotiated.
        let abilities = self.abilities.get(mid).copied().unwrap_or_default();
        let kind = match (abilities.loss, abilities.full) {
            (true, _) => KeyframeRequestKind::Pli,
            (false, true) => KeyframeRequestKind::Fir,
            (false, false) => return None,
        };
        let rid = rid.as_deref().map(Rid::from);
        writer.request_keyframe(rid, kind).ok()
    }
}

/// VP8 stands before H.264.
const fn rank(codec: Codec) -> u8 {
    match codec {
        Codec::Opus | Codec::Vp8 => 0,
        Codec::H264 => 1,
        Codec::Vp9 => 2,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the transport knows codecs that are never offered"
)]
const fn codec_of(format: Format) -> Option<Codec> {
    match format {
        Format::Opus => Some(Codec::Opus),
        Format::Vp8 => Some(Codec::Vp8),
        Format::Vp9 => Some(Codec::Vp9),
        Format::H264 => Some(Codec::H264),
        _ => None,
    }
}

fn temporal_of(extra: &CodecExtra) -> Option<Temporal> {
    let CodecExtra::Vp8(extra) = extra else {
        return None;
    };
    extra.tl0_picture_id.map(|_| Temporal {
        layer: extra.layer_index,
        sync: extra.sync,
        discardable: extra.discardable,
    })
}

fn level_of(data: &MediaData) -> Option<Level> {
    let decibel = data.ext_vals.audio_level?;
    Some(Level {
        below_overload: decibel.unsigned_abs().min(127),
        voice: data.ext_vals.voice_activity.unwrap_or(false),
    })
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
