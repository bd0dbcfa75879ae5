// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! In which size pictures come and go, and how well everybody is connected.

use livekit_protocol as proto;
use roomd_model::{PictureSize, PictureSizes, StreamId, StreamKind};

use super::Connection;
use crate::wire::Request;
use crate::{Event, Quality, TrackRefusal};

/// The most picture lines that a server is asked for.
const MAX_LINES: u32 = 2160;

impl Connection {
    /// How many picture lines a stream is shown with; none of it is sent while it is 0.
    pub fn want(&mut self, stream: StreamId, lines: u32) {
        let Some(sid) = self.subscriber.sid_of(stream).map(str::to_owned) else {
            return;
        };
        if let Some(track) = self.roster.remote(&sid)
            && track.kind != StreamKind::Audio
        {
            track.lines = Some(lines.min(MAX_LINES));
            self.sync_settings();
        }
    }

    /// Tells the server the sizes that it does not know of.
    pub(super) fn sync_settings(&mut self) {
        if self.signal.up().is_none() {
            return;
        }
        let mut news = Vec::new();
        for bound in self.subscriber.bound() {
            if let Some(track) = self.roster.remote(&bound.sid)
                && let Some(lines) = track.lines.filter(|_| track.lines != track.told_lines)
            {
                track.told_lines = Some(lines);
                news.push((bound.sid.clone(), lines));
            }
        }
        for (sid, lines) in news {
            self.say(Request::TrackSetting(proto::UpdateTrackSettings {
                track_sids: vec![sid],
                disabled: lines == 0,
                width: lines * 16 / 9,
                height: lines,
                ..proto::UpdateTrackSettings::default()
            }));
        }
    }

    /// The server may have lost the sizes that it was told.
    pub(super) fn forget_told_settings(&mut self) {
        for (_, track) in self.roster.tracks_mut() {
            track.told_lines = None;
        }
    }

    /// Which sizes of one of our pictures somebody wants.
    pub(super) fn qualities_wanted(&mut self, update: &proto::SubscribedQualityUpdate) {
        let codecs = &update.subscribed_codecs;
        let vp8 = |codec: &&proto::SubscribedCodec| {
            let name = codec.codec.rsplit('/').next().unwrap_or_default();
            name.eq_ignore_ascii_case("vp8")
        };
        let of_codec = codecs.iter().find(vp8).map(|codec| &codec.qualities);
        #[expect(deprecated, reason = "servers that know no codecs tell it here")]
        let of_all = codecs.is_empty().then_some(&update.subscribed_qualities);
        let Some(qualities) = of_codec.or(of_all).filter(|all| !all.is_empty()) else {
            return;
        };
        let mut sizes = PictureSizes::default();
        for quality in qualities.iter().filter(|quality| quality.enabled) {
            match proto::VideoQuality::try_from(quality.quality) {
                Ok(proto::VideoQuality::Low) => sizes.insert(PictureSize::Low),
                Ok(proto::VideoQuality::Medium) => sizes.insert(PictureSize::Medium),
                Ok(proto::VideoQuality::High) => sizes.insert(PictureSize::High),
                Ok(proto::VideoQuality::Off) | Err(_) => {}
            }
        }
        self.want_sizes(&update.track_sid, sizes);
    }

    pub(super) fn speakers_changed(&mut self, speakers: &[proto::SpeakerInfo]) {
        for speaker in speakers {
            // Whoever is not known is the room itself, hidden, or not told of yet.
            self.roster.speaks(&speaker.sid, speaker.active);
        }
    }

    pub(super) fn quality_changed(&mut self, updates: &[proto::ConnectionQualityInfo]) {
        for update in updates {
            let quality = match proto::ConnectionQuality::try_from(update.quality) {
                Ok(proto::ConnectionQuality::Excellent) => Quality::Excellent,
                Ok(proto::ConnectionQuality::Good) => Quality::Good,
                Ok(proto::ConnectionQuality::Poor) => Quality::Poor,
                Ok(proto::ConnectionQuality::Lost) => Quality::Lost,
                Err(_) => Quality::Unknown,
            };
            let own = |session: &&mut super::Session| session.sid == update.participant_sid;
            if let Some(session) = self.session.as_mut().filter(own) {
                if session.quality != quality {
                    session.quality = quality;
                    self.event(Event::Quality(quality));
                }
            } else {
                self.roster.set_quality(&update.participant_sid, quality);
            }
        }
    }

    /// The server pauses streams for lack of bandwidth, or lets them go on.
    pub(super) fn streams_changed(&mut self, states: &[proto::StreamStateInfo]) {
        for state in states {
            if let Some(track) = self.roster.remote(&state.track_sid) {
                track.paused = state.state == proto::StreamState::Paused as i32;
            }
        }
    }

    /// A sender lets the room have a track, or no longer.
    pub(super) fn permission_changed(&mut self, update: &proto::SubscriptionPermissionUpdate) {
        if update.allowed {
            if let Some(track) = self.roster.remote(&update.track_sid)
                && track.refusal == Some(TrackRefusal::NotAllowed)
            {
                track.refusal = None;
                // The server gave up on it and has to be asked again.
                track.subscribed = false;
            }
        } else {
            self.refuse_track(&update.track_sid, TrackRefusal::NotAllowed);
        }
    }

    /// The server cannot give the room a track.
    pub(super) fn subscription_failed(&mut self, response: &proto::SubscriptionResponse) {
        match proto::SubscriptionError::try_from(response.err) {
            Ok(proto::SubscriptionError::SeCodecUnsupported) => {
                self.refuse_track(&response.track_sid, TrackRefusal::Codec);
            }
            // It has gone meanwhile, which an update says too.
            Ok(proto::SubscriptionError::SeTrackNotfound | proto::SubscriptionError::SeUnknown)
            | Err(_) => {}
        }
    }

    fn refuse_track(&mut self, sid: &str, refusal: TrackRefusal) {
        if let Some(track) = self.roster.remote(sid)
            && track.refusal.is_none()
        {
            track.refusal = Some(refusal);
            track.refusal_told = false;
        }
    }
}
