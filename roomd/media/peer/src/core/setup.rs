// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the transport is built with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::config::{CryptoProvider, DtlsVersion};
use str0m::format::{Codec as Format, FormatParams};
use str0m::media::Frequency;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Rtc, RtcConfig};

use super::certificate::{self, Certificate};
use crate::{Codec, HeaderExtension, Payload};

/// Bandwidth assumed before the first estimate.
pub(super) const START: Bitrate = Bitrate::kbps(800);
/// Bandwidth that probing looks for, unless something else is said: a 720p picture and sound, with room
/// for retransmissions.
pub(super) const WANTED: Bitrate = Bitrate::kbps(2800);
/// The codecs of our descriptions, the preferred first of each kind.
pub(super) const PAYLOADS: [Payload; 4] = [
    Payload {
        codec: Codec::Opus,
        pt: 111,
        rtx: None,
    },
    Payload {
        codec: Codec::Vp8,
        pt: 96,
        rtx: Some(97),
    },
    Payload {
        codec: Codec::H264,
        pt: 108,
        rtx: Some(109),
    },
    Payload {
        codec: Codec::Vp9,
        pt: 98,
        rtx: Some(99),
    },
];
/// The header extensions of our descriptions.
pub(super) const EXTENSIONS: [(u8, HeaderExtension); 6] = [
    (1, HeaderExtension::AudioLevel),
    (2, HeaderExtension::AbsoluteSendTime),
    (3, HeaderExtension::TransportSequence),
    (4, HeaderExtension::Mid),
    (10, HeaderExtension::Rid),
    (11, HeaderExtension::RepairedRid),
];
/// `profile-level-id` of H.264 (RFC 6184, section 8.1).
const CONSTRAINED_BASELINE_3_1: u32 = 0x42_e01f;
/// Packets of a picture that may wait for a missing one; a keyframe of a shared screen fits.
const PICTURE_PACKETS: usize = 512;
/// How often the transport is asked for its figures; its bandwidth is known from them.
const LOOK: Duration = Duration::from_millis(200);
/// Sound is not sent again: what is missing after this is lost, and the decoder conceals it.
const SOUND_WAIT: Duration = Duration::from_millis(40);

/// Builds the transport.
pub(super) fn rtc(
    now: Instant,
    payloads: &[Payload],
    extensions: &[(u8, HeaderExtension)],
) -> (Rtc, Certificate) {
    certificate::watched(|provider| {
        let mut rtc = config(provider, payloads, extensions).build(now);
        // Nothing is probed for before something is sent.
        rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::ZERO);
        rtc
    })
}

fn config(
    provider: CryptoProvider,
    payloads: &[Payload],
    extensions: &[(u8, HeaderExtension)],
) -> RtcConfig {
    let mut config = RtcConfig::new()
        .set_crypto_provider(Arc::new(provider))
        .clear_codecs()
        .set_extension_map(extension_map(extensions))
        .set_fingerprint_verification(true)
        .set_dtls_version(DtlsVersion::Dtls12)
        .enable_bwe(Some(START))
        .set_stats_interval(Some(LOOK))
        .set_rtcp_report_interval_audio(Duration::from_secs(1))
        .set_rtcp_report_interval_video(Duration::from_secs(1))
        .set_reordering_size_audio(5)
        .set_reordering_timeout_audio(Some(SOUND_WAIT))
        .set_reordering_size_video(PICTURE_PACKETS);
    // A dead path is noticed after 4 to 5 s.
    config.set_max_stun_rto(Duration::from_secs(1));
    config.set_max_stun_retransmits(5);
    for payload in payloads {
        let rtx = payload.rtx.map(Into::into);
        let (rate, channels) = match payload.codec {
            // Always 2 in the description, whatever is sent (RFC 7587, section 7).
            Codec::Opus => (Frequency::FORTY_EIGHT_KHZ, Some(2)),
            Codec::Vp8 | Codec::Vp9 | Codec::H264 => (Frequency::NINETY_KHZ, None),
        };
        let (format, params) = format_of(payload.codec);
        let codecs = config.codec_config();
        codecs.add_config(payload.pt.into(), rtx, format, rate, channels, params);
    }
    config
}

fn format_of(codec: Codec) -> (Format, FormatParams) {
    let none = FormatParams::default;
    match codec {
        Codec::Opus => {
            let params = FormatParams {
                min_p_time: Some(10),
                stereo: Some(false),
                use_inband_fec: Some(true),
                ..none()
            };
            (Format::Opus, params)
        }
        Codec::Vp8 => (Format::Vp8, none()),
        Codec::Vp9 => {
            let params = FormatParams {
                profile_id: Some(0),
                ..none()
            };
            (Format::Vp9, params)
        }
        Codec::H264 => {
            let params = FormatParams {
                level_asymmetry_allowed: Some(true),
                packetization_mode: Some(1),
                profile_level_id: Some(CONSTRAINED_BASELINE_3_1),
                ..none()
            };
            (Format::H264, params)
        }
    }
}

fn extension_map(extensions: &[(u8, HeaderExtension)]) -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    for &(id, extension) in extensions {
        let extension = match extension {
            HeaderExtension::AudioLevel => Extension::AudioLevel,
            HeaderExtension::AbsoluteSendTime => Extension::AbsoluteSendTime,
            HeaderExtension::TransportSequence => Extension::TransportSequenceNumber,
            HeaderExtension::Mid => Extension::RtpMid,
            HeaderExtension::Rid => Extension::RtpStreamId,
            HeaderExtension::RepairedRid => Extension::RepairedRtpStreamId,
        };
        map.set(id, extension);
    }
    map
}
