// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Finds out which hardware encodes what is sent, on threads of its own: a driver may take long, or hang.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use roomd_media_core::codec::VideoCodec;
use roomd_media_core::frame::I420;
use roomd_media_core::hardware::{Finding, Flaw, Proof};
use roomd_media_core::layers::{Encoding, Size};
use roomd_media_core::plan::HardwareEncoder;
use roomd_media_core::testpicture::TestPicture;
use roomd_media_core::timecode;
use roomd_model::StreamId;
use tokio::sync::{mpsc, watch};

use crate::decode::{Pictures, VideoDecoder};
use crate::display::Picture;
use crate::encode::{Encoded, VideoEncoder};
use crate::time::Timeline;

/// Within this time an encoder proves itself in one size.
const DEADLINE: Duration = Duration::from_secs(4);
/// Within this time an encoder has done so in all sizes, or it hangs.
const PATIENCE: Duration = Duration::from_secs(15);
/// Test pictures come as a camera's do.
const EVERY: Duration = Duration::from_millis(33);
/// How often it is looked for what came out.
const LOOK: Duration = Duration::from_millis(2);
/// Enough for a time code to stay readable in every size.
const ENCODING: Encoding = Encoding {
    bitrate: 1_000_000,
    pictures_per_second: 30,
};
/// What the test pictures' time codes say.
const SOURCE: u8 = 200;

/// Tries encoders in their order until one is proven, and tells what it found.
pub(crate) fn prove(candidates: Vec<HardwareEncoder>, told: mpsc::Sender<Vec<Finding>>) {
    let told_nothing = told.clone();
    let find_out = move || {
        let mut findings = Vec::new();
        for encoder in candidates {
            let flaw = judge(encoder).err();
            findings.push(Finding { encoder, flaw });
            if flaw.is_none() {
                break;
            }
        }
        // Whoever asked may have gone.
        let _ = told.blocking_send(findings);
    };
    let thread = std::thread::Builder::new().name("encoders".to_owned());
    if let Err(error) = thread.spawn(find_out) {
        tracing::error!(%error, "no hardware encoder is tried");
        // A full queue holds what was found before.
        let _ = told_nothing.try_send(Vec::new());
    }
}

/// Lets an encoder prove itself, but does not wait without end.
fn judge(encoder: HardwareEncoder) -> Result<(), Flaw> {
    for element in [encoder.element, "videoconvert", "h264parse"] {
        if gst::ElementFactory::find(element).is_none() {
            return Err(Flaw::NotInstalled(element));
        }
    }
    let all_sizes = move || {
        let mut sizes = Size::LAYERS.into_iter();
        sizes.try_for_each(|size| examine(encoder, size))
    };
    within(PATIENCE, all_sizes)
}

/// Does what may hang; its thread is left alone then.
fn within(
    patience: Duration,
    examine: impl FnOnce() -> Result<(), Flaw> + Send + 'static,
) -> Result<(), Flaw> {
    let (done, judged) = std::sync::mpsc::channel();
    let judge = move || {
        // Whoever waited may have gone on.
        let _ = done.send(examine());
    };
    let thread = std::thread::Builder::new().name("encoder".to_owned());
    thread.spawn(judge).map_err(|_| Flaw::DoesNotOpen)?;
    judged.recv_timeout(patience).unwrap_or(Err(Flaw::Hangs))
}

/// Has an encoder encode test pictures of one size, as in a call, and decodes what it gives.
fn examine(encoder: HardwareEncoder, size: Size) -> Result<(), Flaw> {
    let timeline = Timeline::new();
    let (sender, mut encoded) = mpsc::channel(64);
    let opened = VideoEncoder::camera(size, Some(encoder), ENCODING, timeline, &sender);
    let mut encoder = opened.map_err(|_| Flaw::DoesNotOpen)?;
    let mut receiver = Receiver::open()?;
    let mut proof = Proof::new(size.pixels());
    let drawn = TestPicture::new(SOURCE);
    let begin = Instant::now();
    let mut next = begin;
    let mut number = 0;
    while begin.elapsed() < DEADLINE {
        let now = Instant::now();
        if now >= next {
            next += EVERY;
            number += 1;
            encoder.push(&Arc::new(fitted(drawn.draw(number, 0), size)), now);
            if proof.asks() {
                // It may have been asked just now.
                let _ = encoder.keyframe(now);
            }
        }
        while let Ok(news) = encoded.try_recv() {
            let Encoded::Frame { frame, .. } = news else {
                return Err(Flaw::Stopped);
            };
            receiver.decode(&frame);
            if !proof.is_done() {
                let under_way = frame.at.elapsed();
                proof.take(&frame.payload, frame.rtp_time, frame.keyframe, under_way)?;
            }
        }
        if proof.is_done() && receiver.sees_picture()? {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    Err(Flaw::TooSlow)
}

/// A picture of the usual size in this one.
fn fitted(picture: I420, size: Size) -> I420 {
    let (width, height) = size.pixels();
    if (picture.width(), picture.height()) == (width, height) {
        return picture;
    }
    picture.scaled(width, height)
}

/// The decoder that a received stream would have.
struct Receiver {
    decoder: VideoDecoder,
    shown: watch::Receiver<Option<Picture>>,
}

impl Receiver {
    fn open() -> Result<Self, Flaw> {
        let pictures = Pictures::new(None);
        let shown = pictures.subscribe();
        // Nobody listens: what counts is the picture.
        let (told, _) = mpsc::channel(1);
        let (id, codec) = (StreamId(0), VideoCodec::H264);
        let decoder = VideoDecoder::open(id, codec, pictures, Arc::default(), &told);
        let decoder = decoder.map_err(|_| Flaw::NotInstalled("openh264dec"))?;
        Ok(Self { decoder, shown })
    }

    fn decode(&mut self, frame: &roomd_peer::Frame) {
        // Where it wants a keyframe, none of its pictures is seen.
        let _ = self.decoder.push(frame, Instant::now());
    }

    /// Whether a picture that was drawn has come out.
    fn sees_picture(&mut self) -> Result<bool, Flaw> {
        let shown = self.shown.borrow_and_update();
        let Some(picture) = shown.as_ref() else {
            return Ok(false);
        };
        let code = timecode::read(picture.frame.plane(0));
        let drawn = code.is_some_and(|code| code.source == SOURCE);
        drawn.then_some(true).ok_or(Flaw::OtherPicture)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use roomd_media_core::plan::BitrateSetting;

    use super::*;

    /// A software encoder that stands in for hardware, which no machine of a test has.
    pub(crate) const STAND_IN: HardwareEncoder = HardwareEncoder {
        element: "openh264enc",
        properties: &[
            ("complexity", "low"),
            ("rate-control", "bitrate"),
            ("gop-size", "100000"),
            ("scene-change-detection", "false"),
        ],
        bitrate: BitrateSetting::Bits("bitrate"),
        caps: "",
    };

    #[test]
    fn a_stand_in_proves_itself_in_every_size() {
        gst::init().unwrap();
        assert_eq!(judge(STAND_IN), Ok(()));
    }

    #[test]
    fn what_does_not_work_is_left_out() {
        gst::init().unwrap();
        let check = |encoder: HardwareEncoder, flaw| assert_eq!(judge(encoder), Err(flaw));
        let with = |properties| HardwareEncoder {
            properties,
            ..STAND_IN
        };
        let missing = HardwareEncoder {
            element: "no-such-encoder",
            ..STAND_IN
        };
        check(missing, Flaw::NotInstalled("no-such-encoder"));
        check(with(&[("no-such-property", "1")]), Flaw::DoesNotOpen);
        check(with(&[("gop-size", "1")]), Flaw::OnlyKeyframes);
        // An hour.
        let deaf = with(&[
            ("gop-size", "100000"),
            ("scene-change-detection", "false"),
            ("min-force-key-unit-interval", "3600000000000"),
        ]);
        check(deaf, Flaw::Deaf);
    }

    #[test]
    fn one_that_hangs_is_not_waited_for() {
        let hang = || {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        };
        let begin = Instant::now();
        assert_eq!(within(Duration::from_millis(50), hang), Err(Flaw::Hangs));
        assert!(begin.elapsed() < Duration::from_secs(10));
        assert_eq!(within(Duration::from_secs(10), || Ok(())), Ok(()));
    }

    #[tokio::test]
    async fn the_first_that_works_is_found_and_the_rest_is_not_tried() {
        gst::init().unwrap();
        let (told, mut findings) = mpsc::channel(1);
        let missing = HardwareEncoder {
            element: "no-such-encoder",
            ..STAND_IN
        };
        prove(vec![missing, STAND_IN, missing], told);
        let found = findings.recv().await.unwrap();
        let flaws: Vec<_> = found.iter().map(|finding| finding.flaw).collect();
        assert_eq!(flaws, [Some(Flaw::NotInstalled("no-such-encoder")), None]);
        assert_eq!(found[1].encoder, STAND_IN);
    }
}
