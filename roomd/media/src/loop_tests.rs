// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Encoder to decoder, without a connection between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::frame::{I420, Planes};
use roomd_media_core::layers::{Encoding, SentCodec, Size, Variant};
use roomd_media_core::testpicture::{HEIGHT, TestPicture, WIDTH};
use roomd_media_core::timecode;
use roomd_model::StreamId;
use roomd_peer::{Codec, Frame};
use tokio::sync::mpsc;

use crate::decode::{Decoded, Pictures, VideoDecoder, video_codec};
use crate::encode::{Encoded, Track, VideoEncoder};
use crate::progress::Progress;
use crate::prove::tests::STAND_IN;
use crate::time::Timeline;

const ENCODING: Encoding = Encoding {
    bitrate: 300_000,
    pictures_per_second: 30,
};
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_time_code_survives_encoder_and_decoder_in_every_size() {
    gstreamer::init().unwrap();
    for size in Size::ALL {
        through(size).await;
    }
}

async fn through(size: Size) {
    let timeline = Timeline::new();
    let (encoded_sender, mut encoded) = mpsc::channel(64);
    let (decoded_sender, mut told) = mpsc::channel(64);
    let mut encoder =
        VideoEncoder::camera(size, None, ENCODING, timeline, &encoded_sender).unwrap();
    let pictures = Pictures::new(None);
    let mut shown = pictures.subscribe();
    let progress = Arc::new(Progress::default());
    let mut decoder = VideoDecoder::open(
        StreamId(1),
        VideoCodec::Vp8,
        pictures,
        progress.clone(),
        &decoded_sender,
    )
    .unwrap();
    let picture = TestPicture::new(9);
    let begin = Instant::now();
    for n in 0..10_u64 {
        let mut frame = picture.draw(1000 + n, 0);
        let (width, height) = size.pixels();
        while frame.width() > width {
            frame = frame.halved();
        }
        if frame.width() < width {
            frame = frame.scaled(width, height);
        }
        let at = begin + Duration::from_millis(33 * (n + 1));
        if n == 5 {
            assert!(encoder.keyframe(Instant::now()));
        }
        encoder.push(&Arc::new(frame), at);
        let next = tokio::time::timeout(LIMIT, encoded.recv()).await;
        let Some(Encoded::Frame {
            track,
            order,
            frame,
            ..
        }) = next.expect("a picture")
        else {
            panic!("the encoder failed");
        };
        let codec = SentCodec::Vp8;
        let expected = Track::Camera(Variant { size, codec });
        assert_eq!((track, order), (expected, n));
        assert_eq!(frame.keyframe, n == 0 || n == 5, "picture {n}");
        assert!(!decoder.push(&frame, Instant::now()));
        let next = tokio::time::timeout(LIMIT, shown.changed()).await;
        next.expect("a decoded picture").unwrap();
        let decoded = shown.borrow_and_update().clone().unwrap();
        let code = timecode::read(decoded.frame.plane(0)).expect("a time code");
        assert_eq!((code.millis, code.source), (1000 + n, 9));
    }
    // Ten pictures, and the engine is woken for the first.
    let next = tokio::time::timeout(LIMIT, told.recv()).await;
    assert!(matches!(next, Ok(Some(Decoded::Output { .. }))), "{next:?}");
    let mut seen = 0;
    while seen < 10 {
        seen += progress.take_outputs();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(told.try_recv().is_err());
}

/// The same with a stand-in for a hardware encoder, which has no second temporal layer.
#[tokio::test]
async fn the_time_code_survives_a_hardware_encoder_in_every_size() {
    gstreamer::init().unwrap();
    for size in Size::LAYERS {
        let (sender, mut encoded) = mpsc::channel(64);
        let timeline = Timeline::new();
        let hardware = Some(STAND_IN);
        let mut encoder =
            VideoEncoder::camera(size, hardware, ENCODING, timeline, &sender).unwrap();
        let picture = TestPicture::new(9);
        let (width, height) = size.pixels();
        let mut frames = Vec::new();
        // The first ones are lost while it starts.
        for n in 0..200_u64 {
            if frames.len() == 3 {
                encoder.set_encoding(Encoding {
                    bitrate: 600_000,
                    ..ENCODING
                });
            }
            let drawn = picture.draw(1000 + n, 0).scaled(width, height);
            encoder.push(&Arc::new(drawn), Instant::now());
            tokio::time::sleep(Duration::from_millis(33)).await;
            while let Ok(next) = encoded.try_recv() {
                let Encoded::Frame { track, frame, .. } = next else {
                    panic!("the encoder failed");
                };
                let codec = SentCodec::H264;
                assert_eq!(track, Track::Camera(Variant { size, codec }));
                assert_eq!(frame.codec, Codec::H264);
                assert_eq!(frame.temporal, None);
                frames.push(frame);
            }
            if frames.len() >= 8 {
                break;
            }
        }
        let keyframes = frames.iter().filter(|frame| frame.keyframe).count();
        // With another bitrate it may begin anew.
        assert!(
            frames[0].keyframe && keyframes <= 2,
            "{size:?}: {keyframes}"
        );
        let shown = decoded_by(VideoCodec::H264, &frames).await;
        let codes: Vec<u64> = shown
            .iter()
            .map(|frame| timecode::read(frame.plane(0)).expect("a time code").millis)
            .collect();
        assert!(codes.is_sorted() && codes.len() >= 8, "{size:?}: {codes:?}");
    }
}

/// Half of the pictures of every size can be left out, and the other half is the same without them.
#[tokio::test]
async fn the_lower_temporal_layer_stands_alone() {
    gstreamer::init().unwrap();
    let size = Size::Medium;
    let (sender, mut encoded) = mpsc::channel(64);
    let mut encoder = VideoEncoder::camera(size, None, ENCODING, Timeline::new(), &sender).unwrap();
    let begin = Instant::now();
    let picture = TestPicture::new(9);
    let mut frames = Vec::new();
    for n in 0..24_u64 {
        // A keyframe comes in the turn of either layer.
        if n == 9 || n == 16 {
            assert!(encoder.keyframe(begin + Duration::from_secs(n)));
        }
        let drawn = Arc::new(picture.draw(1000 + 40 * n, 0).halved());
        encoder.push(&drawn, begin + Duration::from_millis(33 * (n + 1)));
        let next = tokio::time::timeout(LIMIT, encoded.recv()).await;
        let Some(Encoded::Frame { frame, .. }) = next.expect("a picture") else {
            panic!("the encoder failed");
        };
        assert_eq!(frame.keyframe, [0, 9, 16].contains(&n), "picture {n}");
        frames.push(frame);
    }
    let layer = |frame: &Frame| frame.temporal.unwrap().layer;
    let layers: Vec<_> = frames.iter().map(layer).collect();
    let upper = |n: usize| u8::from(n % 2 == 1 && n != 9);
    assert_eq!(layers, (0..24).map(upper).collect::<Vec<_>>());

    let all = decoded(&frames).await;
    let lower: Vec<_> = frames
        .iter()
        .filter(|frame| layer(frame) == 0)
        .cloned()
        .collect();
    let alone = decoded(&lower).await;
    let expected = all.iter().zip(&layers).filter(|(_, layer)| **layer == 0);
    for (n, ((expected, _), alone)) in expected.zip(&alone).enumerate() {
        assert!(
            expected == alone,
            "picture {n} of the lower layer is another one"
        );
    }
    assert_eq!(alone.len(), lower.len());
}

/// The brightness of what becomes of encoded pictures.
async fn decoded(frames: &[Frame]) -> Vec<Vec<u8>> {
    let all = decoded_by(VideoCodec::Vp8, frames).await;
    let brightness = |frame: &Arc<dyn Planes>| {
        let plane = frame.plane(0);
        (0..plane.height)
            .flat_map(|y| plane.row(y).to_vec())
            .collect()
    };
    all.iter().map(brightness).collect()
}

/// What becomes of encoded pictures.
async fn decoded_by(codec: VideoCodec, frames: &[Frame]) -> Vec<Arc<dyn Planes>> {
    let (news, _decoded) = mpsc::channel(64);
    let pictures = Pictures::new(None);
    let mut shown = pictures.subscribe();
    let progress = Arc::default();
    let mut decoder = VideoDecoder::open(StreamId(1), codec, pictures, progress, &news).unwrap();
    let mut all = Vec::new();
    for frame in frames {
        assert!(!decoder.push(frame, Instant::now()));
        let next = tokio::time::timeout(LIMIT, shown.changed()).await;
        next.expect("a decoded picture").unwrap();
        all.push(shown.borrow_and_update().clone().unwrap().frame);
    }
    all
}

/// What is cut out of content has any even size. GStreamer rounds rows up to multiples of four.
#[tokio::test]
async fn content_of_any_even_size_is_encoded_as_it_is() {
    gstreamer::init().unwrap();
    for (width, height) in [(682, 384), (852, 480), (1366, 768), (90, 50), (646, 362)] {
        let (sender, mut encoded) = mpsc::channel(64);
        let (news, _decoded) = mpsc::channel(64);
        let size = (width, height);
        let mut encoder = VideoEncoder::content(size, ENCODING, Timeline::new(), &sender).unwrap();
        let pictures = Pictures::new(None);
        let mut shown = pictures.subscribe();
        let mut decoder = VideoDecoder::open(
            StreamId(1),
            VideoCodec::Vp8,
            pictures,
            Arc::default(),
            &news,
        )
        .unwrap();
        let frame = slanted(width, height);
        encoder.push(&Arc::new(frame.clone()), Instant::now());
        let next = tokio::time::timeout(LIMIT, encoded.recv()).await;
        let Some(Encoded::Frame { frame: sent, .. }) = next.expect("a picture") else {
            panic!("the encoder failed at {size:?}");
        };
        assert!(!decoder.push(&sent, Instant::now()));
        let next = tokio::time::timeout(LIMIT, shown.changed()).await;
        next.expect("a decoded picture").unwrap();
        let decoded = shown.borrow_and_update().clone().unwrap().frame;
        assert_eq!((decoded.width(), decoded.height()), size);
        for index in 0..3 {
            let (given, got) = (frame.plane(index), decoded.plane(index));
            let rows = (0..given.height).flat_map(|y| given.row(y).iter().zip(got.row(y)));
            let off: u64 = rows.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = off as f64 / (given.width * given.height) as f64;
            assert!(mean < 6.0, "plane {index} at {size:?} is off by {mean}");
        }
    }
}

/// Bright above a slanting edge and dark below it: rows that are read too long shear it.
fn slanted(width: u32, height: u32) -> I420 {
    let mut frame = I420::black(width, height);
    for index in 0..3 {
        let row = frame.plane(index).width;
        for (at, sample) in frame.plane_mut(index).iter_mut().enumerate() {
            *sample = if at % row > at / row { 180 } else { 90 };
        }
    }
    frame
}

/// Pictures of a test picture as another sender encodes them.
fn foreign(encoder: &str, count: u64) -> Vec<Arc<[u8]>> {
    let line = format!(
        "appsrc name=in format=time caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},\
         framerate=30/1 ! {encoder} ! appsink name=out sync=false"
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let find = |name| pipeline.by_name(name).unwrap();
    let source = find("in").downcast::<AppSrc>().unwrap();
    let sink = find("out").downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let picture = TestPicture::new(9);
    for n in 0..count {
        let drawn = picture.draw(1000 + n, 0);
        let mut buffer = gst::Buffer::from_slice(drawn.data().to_vec());
        let stamps = buffer.get_mut().unwrap();
        stamps.set_pts(gst::ClockTime::from_mseconds(33 * n));
        stamps.set_duration(gst::ClockTime::from_mseconds(33));
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let mut pictures = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        let map = sample.buffer().unwrap().map_readable().unwrap();
        pictures.push(map.as_slice().into());
    }
    pipeline.set_state(gst::State::Null).unwrap();
    pictures
}

#[tokio::test]
async fn other_senders_pictures_are_decoded_from_their_first_keyframe_on() {
    gst::init().unwrap();
    let senders = [
        (Codec::Vp9, "vp9enc deadline=1 cpu-used=8 lag-in-frames=0"),
        (
            Codec::H264,
            "openh264enc ! video/x-h264,stream-format=byte-stream,alignment=au",
        ),
    ];
    for (codec, encoder) in senders {
        let encoded = foreign(encoder, 6);
        assert!(encoded.len() >= 5, "{codec:?}: {}", encoded.len());
        let (sender, _decoded) = mpsc::channel(64);
        let pictures = Pictures::new(None);
        let mut shown = pictures.subscribe();
        let kind = video_codec(codec).unwrap();
        let mut decoder =
            VideoDecoder::open(StreamId(1), kind, pictures, Arc::default(), &sender).unwrap();
        let now = Instant::now();
        let frame = |n: usize| Frame {
            codec,
            ..Frame::picture(encoded[n].clone(), 3000 * n as u64, now, n == 0)
        };
        assert!(decoder.push(&frame(1), now), "{codec:?}: no keyframe yet");
        for n in 0..encoded.len() {
            assert!(!decoder.push(&frame(n), now), "{codec:?}: picture {n}");
            let next = tokio::time::timeout(LIMIT, shown.changed()).await;
            next.expect("a decoded picture").unwrap();
        }
        let last = shown.borrow_and_update().clone().unwrap();
        let code = timecode::read(last.frame.plane(0)).expect("a time code");
        assert_eq!(code.millis, 999 + encoded.len() as u64, "{codec:?}");
        assert_eq!(code.source, 9);
    }
}
