// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How the room's sources look to a server.

use livekit_protocol as proto;
use roomd_conference::{Direction, Layers, LocalSource, MediaKind, NewLine};
use roomd_model::PictureSize;

/// The names of a camera's layers, the smallest first, as servers expect them.
const RIDS: [&str; 3] = ["q", "h", "f"];
/// What the layers take at most, in bit/s.
const BITRATES: [u32; 3] = [160_000, 450_000, 1_700_000];
/// The size of content, in pixels, and what it takes at most, in bit/s.
const CONTENT_SIZE: (u32, u32) = (1920, 1080);
const CONTENT_BITRATE: u32 = 2_500_000;

/// The m-line of a source.
pub(super) fn new_line(source: LocalSource) -> NewLine {
    let rids = RIDS.map(str::to_owned).to_vec();
    let (kind, layers) = match source {
        LocalSource::Microphone => (MediaKind::Audio, Layers::Single),
        LocalSource::Camera => (MediaKind::Video, Layers::Rids(rids)),
        LocalSource::Content => (MediaKind::Video, Layers::Single),
    };
    NewLine {
        kind,
        direction: Direction::SendOnly,
        layers,
    }
}

/// What a server is told of a source before its m-line is offered.
pub(super) fn add_track(
    source: LocalSource,
    cid: &str,
    muted: bool,
    encrypted: bool,
) -> proto::AddTrackRequest {
    let (name, kind, of, layers) = match source {
        LocalSource::Microphone => (
            "microphone",
            proto::TrackType::Audio,
            proto::TrackSource::Microphone,
            Vec::new(),
        ),
        LocalSource::Camera => (
            "camera",
            proto::TrackType::Video,
            proto::TrackSource::Camera,
            camera_layers(),
        ),
        LocalSource::Content => (
            "content",
            proto::TrackType::Video,
            proto::TrackSource::ScreenShare,
            vec![layer(
                proto::VideoQuality::High,
                CONTENT_SIZE,
                CONTENT_BITRATE,
            )],
        ),
    };
    let (width, height) = layers.last().map_or((0, 0), |l| (l.width, l.height));
    let codec = (!layers.is_empty()).then(|| proto::SimulcastCodec {
        codec: "vp8".to_owned(),
        cid: cid.to_owned(),
        layers: layers.clone(),
        ..proto::SimulcastCodec::default()
    });
    let encryption = if encrypted {
        proto::encryption::Type::Gcm
    } else {
        proto::encryption::Type::None
    };
    proto::AddTrackRequest {
        cid: cid.to_owned(),
        name: name.to_owned(),
        r#type: kind as i32,
        width,
        height,
        muted,
        source: of as i32,
        layers,
        simulcast_codecs: codec.into_iter().collect(),
        disable_red: true,
        encryption: encryption as i32,
        ..proto::AddTrackRequest::default()
    }
}

fn camera_layers() -> Vec<proto::VideoLayer> {
    let qualities = [
        proto::VideoQuality::Low,
        proto::VideoQuality::Medium,
        proto::VideoQuality::High,
    ];
    let sizes = PictureSize::LAYERS.map(PictureSize::pixels);
    let all = qualities.into_iter().zip(sizes).zip(BITRATES);
    all.map(|((quality, size), bitrate)| layer(quality, size, bitrate))
        .collect()
}

fn layer(
    quality: proto::VideoQuality,
    (width, height): (u32, u32),
    bitrate: u32,
) -> proto::VideoLayer {
    proto::VideoLayer {
        quality: quality as i32,
        width,
        height,
        bitrate,
        ..proto::VideoLayer::default()
    }
}
