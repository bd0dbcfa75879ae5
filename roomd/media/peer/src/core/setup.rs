// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the transport is built with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::config::{CryptoProvider, DtlsVersion};
use str0m::format::{Codec, FormatParams};
use str0m::media::Frequency;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Rtc, RtcConfig};

use super::certificate::{self, Certificate};

/// Bandwidth assumed before the first estimate.
pub(super) const START: Bitrate = Bitrate::kbps(800);
/// Bandwidth that probing looks for: a 720p picture and sound, with room for retransmissions.
pub(super) const WANTED: Bitrate = Bitrate::kbps(2800);
const OPUS: u8 = 111;
/// `profile-level-id` of H.264 (RFC 6184, section 8.1).
const CONSTRAINED_BASELINE_3_1: u32 = 0x42_e01f;
/// Packets of a picture that may wait for a missing one; a keyframe of a shared screen fits.
const PICTURE_PACKETS: usize = 512;
/// Sound is not sent again: what is missing after this is lost, and the decoder conceals it.
const SOUND_WAIT: Duration = Duration::from_millis(40);

/// Builds the transport.
pub(super) fn rtc(now: Instant) -> (Rtc, Certificate) {
    certificate::watched(|provider| {
        let mut rtc = config(provider).build(now);
        // Nothing is probed for before something is sent.
        rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::ZERO);
        rtc
    })
}

fn config(provider: CryptoProvider) -> RtcConfig {
    let mut config = RtcConfig::new()
        .set_crypto_provider(Arc::new(provider))
        .clear_codecs()
        .set_extension_map(extensions())
        .set_fingerprint_verification(true)
        .set_dtls_version(DtlsVersion::Dtls12)
        .enable_bwe(Some(START))
        .set_stats_interval(Some(Duration::from_secs(1)))
        .set_rtcp_report_interval_audio(Duration::from_secs(1))
        .set_rtcp_report_interval_video(Duration::from_secs(1))
        .set_reordering_size_audio(5)
        .set_reordering_timeout_audio(Some(SOUND_WAIT))
        .set_reordering_size_video(PICTURE_PACKETS);
    // A dead path is noticed after 4 to 5 s.
    config.set_max_stun_rto(Duration::from_secs(1));
    config.set_max_stun_retransmits(5);
    let codecs = config.codec_config();
    codecs.add_config(
        OPUS.into(),
        None,
        Codec::Opus,
        Frequency::FORTY_EIGHT_KHZ,
        // Always 2 in the description, whatever is sent (RFC 7587, section 7).
        Some(2),
        FormatParams {
            min_p_time: Some(10),
            stereo: Some(false),
            use_inband_fec: Some(true),
            ..FormatParams::default()
        },
    );
    codecs.enable_vp8(true);
    codecs.add_h264(108.into(), Some(109.into()), true, CONSTRAINED_BASELINE_3_1);
    codecs.add_config(
        98.into(),
        Some(99.into()),
        Codec::Vp9,
        Frequency::NINETY_KHZ,
        None,
        FormatParams {
            profile_id: Some(0),
            ..FormatParams::default()
        },
    );
    config
}

fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(1, Extension::AudioLevel);
    map.set(2, Extension::AbsoluteSendTime);
    map.set(3, Extension::TransportSequenceNumber);
    map.set(4, Extension::RtpMid);
    map.set(10, Extension::RtpStreamId);
    map.set(11, Extension::RepairedRtpStreamId);
    map
}
