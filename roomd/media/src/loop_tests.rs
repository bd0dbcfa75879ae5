// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Encoder to decoder, without a connection between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::LocalSource;
use roomd_media_core::testpicture::TestPicture;
use roomd_media_core::timecode;
use roomd_model::StreamId;
use tokio::sync::mpsc;

use crate::camera::Shot;
use crate::decode::{Pictures, VideoDecoder};
use crate::encode::{Encoded, VideoEncoder};
use crate::time::Timeline;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_time_code_survives_encoder_and_decoder() {
    gstreamer::init().unwrap();
    let timeline = Timeline::new();
    let (encoded_sender, mut encoded) = mpsc::channel(64);
    let (decoded_sender, _decoded) = mpsc::channel(64);
    let mut encoder = VideoEncoder::open(300_000, timeline, &encoded_sender).unwrap();
    let pictures = Pictures::new(None);
    let mut shown = pictures.subscribe();
    let mut decoder = VideoDecoder::open(StreamId(1), pictures, &decoded_sender).unwrap();
    let picture = TestPicture::new(9);
    let begin = Instant::now();
    for n in 0..10_u64 {
        let frame = Arc::new(picture.draw(1000 + n, 0));
        let at = begin + Duration::from_millis(33 * (n + 1));
        if n == 5 {
            assert!(encoder.keyframe(Instant::now()));
        }
        encoder.push(&Shot { frame, at });
        let next = tokio::time::timeout(LIMIT, encoded.recv()).await;
        let Some(Encoded::Frame(LocalSource::Camera, frame)) = next.expect("a picture") else {
            panic!("the encoder failed");
        };
        assert_eq!(frame.keyframe, n == 0 || n == 5, "picture {n}");
        assert!(!decoder.push(&frame, Instant::now()));
        let next = tokio::time::timeout(LIMIT, shown.changed()).await;
        next.expect("a decoded picture").unwrap();
        let decoded = shown.borrow_and_update().clone().unwrap();
        let code = timecode::read(decoded.frame.plane(0)).expect("a time code");
        assert_eq!((code.millis, code.source), (1000 + n, 9));
    }
}
