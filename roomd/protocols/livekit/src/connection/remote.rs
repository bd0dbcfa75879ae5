// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A track that somebody else sends.

use livekit_protocol as proto;
use roomd_model::StreamKind;

use crate::{Source, TrackRefusal};

/// A track that somebody sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemoteTrack {
    pub(super) source: Source,
    pub(super) kind: StreamKind,
    pub(super) muted: bool,
    pub(super) encrypted: bool,
    pub(super) paused: bool,
    /// Why it is not taken, and whether the owner knows.
    pub(super) refusal: Option<TrackRefusal>,
    pub(super) refusal_told: bool,
    /// The server was told to send it.
    pub(super) subscribed: bool,
    /// The picture lines that the owner wants, and those that the server knows of.
    pub(super) lines: Option<u32>,
    pub(super) told_lines: Option<u32>,
}

impl RemoteTrack {
    /// None for what is neither sound nor picture.
    pub(super) fn of(
        track: &proto::TrackInfo,
        before: Option<Self>,
        encrypts: bool,
    ) -> Option<Self> {
        let source = match proto::TrackSource::try_from(track.source) {
            Ok(proto::TrackSource::Camera) => Source::Camera,
            Ok(proto::TrackSource::Microphone) => Source::Microphone,
            Ok(proto::TrackSource::ScreenShare) => Source::Screen,
            Ok(proto::TrackSource::ScreenShareAudio) => Source::ScreenAudio,
            Ok(proto::TrackSource::Unknown) | Err(_) => Source::Unknown,
        };
        let kind = match proto::TrackType::try_from(track.r#type) {
            Ok(proto::TrackType::Audio) => StreamKind::Audio,
            Ok(proto::TrackType::Video) if source == Source::Screen => StreamKind::Screen,
            Ok(proto::TrackType::Video) => StreamKind::Camera,
            Ok(proto::TrackType::Data) | Err(_) => return None,
        };
        let encryption = proto::encryption::Type::try_from(track.encryption);
        let encrypted = encryption != Ok(proto::encryption::Type::None);
        let refusal = match (encrypts, encryption) {
            (true, Ok(proto::encryption::Type::None)) => Some(TrackRefusal::Unencrypted),
            (true, Ok(proto::encryption::Type::Gcm))
            | (false, Ok(proto::encryption::Type::None)) => None,
            (true | false, _) => Some(TrackRefusal::Encrypted),
        };
        // A refusal of another kind stays until the server takes it back.
        let kept = before
            .and_then(|before| before.refusal)
            .filter(|refusal| [TrackRefusal::NotAllowed, TrackRefusal::Codec].contains(refusal));
        let refusal = refusal.or(kept);
        Some(Self {
            source,
            kind,
            muted: track.muted,
            encrypted,
            paused: before.is_some_and(|before| before.paused),
            refusal,
            refusal_told: before.is_some_and(|b| b.refusal_told && b.refusal == refusal),
            subscribed: before.is_some_and(|before| before.subscribed),
            lines: before.and_then(|before| before.lines),
            told_lines: before.and_then(|before| before.told_lines),
        })
    }
}
