// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use super::*;
use crate::codec::VideoCodec;
use std::path::Path;

fn all() -> Vec<(&'static str, Plan)> {
    let device = Path::new("/dev/video0");
    let file = Path::new("/srv/a \"quoted\" \\ file.webm");
    let encode = VideoEncode {
        width: 1280,
        height: 720,
        bitrate: 1_200_000,
        content: false,
    };
    let content = VideoEncode {
        content: true,
        ..encode
    };
    let size = (1280, 720);
    let x11 = VideoOut::X11 {
        width: 1920,
        height: 1080,
    };
    let chosen = |format| {
        let mode = CameraMode {
            format,
            width: 1280,
            height: 720,
            rate: (format != CameraFormat::H264).then_some(30_000),
        };
        CameraInput::Mode(device, mode)
    };
    let kms = VideoOut::Kms {
        card: Some(7),
        connector: Some(37),
        plane: Some(33),
    };
    let hardware = |index: usize| {
        let encode = HardwareEncode {
            encoder: CANDIDATES[index],
            width: 1280,
            height: 720,
            bitrate: 1_200_000,
        };
        encode.plan()
    };
    vec![
        ("camera, MJPEG", CameraInput::Mjpeg(device).plan(size)),
        ("camera, raw", CameraInput::Raw(device).plan(size)),
        ("camera, chosen NV12", chosen(CameraFormat::Nv12).plan(size)),
        ("camera, chosen YUYV", chosen(CameraFormat::Yuyv).plan(size)),
        (
            "camera, chosen MJPEG",
            chosen(CameraFormat::Mjpeg).plan(size),
        ),
        (
            "camera, chosen H.264",
            chosen(CameraFormat::H264).plan(size),
        ),
        ("camera, file", CameraInput::File(file).plan(size)),
        (
            "content, raw",
            CameraInput::Raw(device).plan_within((1920, 1080)),
        ),
        (
            "content, MJPEG",
            CameraInput::Mjpeg(device).plan_within((1920, 1080)),
        ),
        ("microphone, ALSA", MicrophoneInput::Alsa("hw:1").plan()),
        ("microphone, file", MicrophoneInput::File(file).plan()),
        ("picture encoder", encode.plan()),
        ("content encoder", content.plan()),
        ("hardware encoder, VA-API", hardware(0)),
        ("hardware encoder, VA-API, fixed function", hardware(1)),
        ("hardware encoder, V4L2", hardware(2)),
        ("sound encoder", AudioEncode { bitrate: 32_000 }.plan()),
        ("decoder, VP8", VideoDecode(VideoCodec::Vp8).plan()),
        ("decoder, VP9", VideoDecode(VideoCodec::Vp9).plan()),
        ("decoder, H.264", VideoDecode(VideoCodec::H264).plan()),
        ("sound decoder", AudioDecode.plan()),
        ("display, KMS", kms.plan()),
        (
            "display, Wayland",
            VideoOut::Wayland { socket: None }.plan(),
        ),
        ("display, X11", x11.plan()),
        ("display, none", VideoOut::Headless.plan()),
        ("loudspeaker, ALSA", AudioOut::Alsa("hw:1").plan()),
        ("loudspeaker, none", AudioOut::None.plan()),
    ]
}

#[test]
fn pipelines_are_as_reviewed() {
    let text: Vec<String> = all()
        .iter()
        .map(|(name, plan)| format!("# {name}\n{}\n", plan.to_string().replace(" ! ", "\n  ! ")))
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn nothing_records() {
    let known = [
        "alsasink",
        "alsasrc",
        "appsink",
        "appsrc",
        "audioconvert",
        "audioresample",
        "decodebin",
        "fakesink",
        "filesrc",
        "h264parse",
        "jpegdec",
        "kmssink",
        "openh264dec",
        "opusdec",
        "opusenc",
        "v4l2h264enc",
        "v4l2src",
        "vah264enc",
        "vah264lpenc",
        "videoconvert",
        "videorate",
        "videoscale",
        "vp8dec",
        "vp9dec",
        "vp8enc",
        "waylandsink",
    ];
    for (name, plan) in all() {
        for element in plan.elements() {
            assert!(
                known.contains(&element.factory),
                "{name}: {}",
                element.factory
            );
            assert!(
                !element.factory.contains("mux"),
                "{name}: {}",
                element.factory
            );
        }
    }
}

#[test]
fn a_bitrate_is_said_in_the_words_of_its_encoder() {
    let [va, _, v4l2] = CANDIDATES.map(|encoder| encoder.bitrate);
    assert_eq!(va.later(1_234_567), ("bitrate", "1234".to_owned()));
    assert_eq!(va.first(10), ("bitrate", "1".to_owned()));
    let later = "controls,video_bitrate=1234567".to_owned();
    assert_eq!(v4l2.later(1_234_567), ("extra-controls", later));
    let bits = BitrateSetting::Bits("rate");
    assert_eq!(bits.first(1_234_567), ("rate", "1234567".to_owned()));
}

#[test]
fn a_file_name_cannot_add_elements() {
    let evil = Path::new("a\" ! filesink location=\"/srv/x");
    let text = CameraInput::File(evil).plan((1280, 720)).to_string();
    assert!(
        text.contains(r#"location="a\" ! filesink location=\"/srv/x""#),
        "{text}"
    );
}
