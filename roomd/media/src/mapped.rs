// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A decoded picture where the decoder left it. At many streams, copying costs more than composing.
//!
//! A decoder's pictures have one format until it says otherwise, so that is read once and not for
//! each picture.

use gstreamer as gst;
use gstreamer_video::video_frame::Readable;
use gstreamer_video::{VideoFormat, VideoFrame, VideoFrameExt as _, VideoInfo};
use roomd_media_core::frame::{self, Plane, Planes};

/// The format of a decoder's pictures, as it last said.
#[derive(Debug, Default)]
pub(crate) struct Format {
    /// What it said, and what of that the engine takes.
    known: Option<(gst::Caps, Option<VideoInfo>)>,
}

impl Format {
    /// The format of this sample; none when its pictures are too large or of another kind.
    fn of(&mut self, sample: &gst::Sample) -> Option<&VideoInfo> {
        let caps = sample.caps_owned()?;
        // Caps that are held here do not change.
        let same = |(known, _): &(gst::Caps, _)| known.as_ptr() == caps.as_ptr();
        if !self.known.as_ref().is_some_and(same) {
            let info = VideoInfo::from_caps(&caps).ok().filter(|info| {
                info.format() == VideoFormat::I420 && frame::fits(info.width(), info.height())
            });
            self.known = Some((caps, info));
        }
        self.known.as_ref()?.1.as_ref()
    }
}

/// Held until nobody shows the picture any more; its decoder has others meanwhile.
#[derive(Debug)]
pub(crate) struct Mapped {
    frame: VideoFrame<Readable>,
    strides: [usize; 3],
}

impl Mapped {
    /// The picture inside a decoded sample; none when it is too large or of another kind.
    pub(crate) fn new(sample: &gst::Sample, format: &mut Format) -> Option<Self> {
        let info = format.of(sample)?;
        let frame = VideoFrame::from_buffer_readable(sample.buffer_owned()?, info).ok()?;
        let mut strides = [0; 3];
        for (index, stride) in strides.iter_mut().enumerate() {
            *stride = usize::try_from(*frame.plane_stride().get(index)?).ok()?;
            let (width, height) = frame::plane_size(frame.width(), frame.height(), index);
            let needed = stride.checked_mul(height - 1)?.checked_add(width)?;
            let data = frame.plane_data(u32::try_from(index).ok()?).ok()?;
            if *stride < width || data.len() < needed {
                return None;
            }
        }
        Some(Self { frame, strides })
    }
}

impl Planes for Mapped {
    fn width(&self) -> u32 {
        self.frame.width()
    }

    fn height(&self) -> u32 {
        self.frame.height()
    }

    fn plane(&self, index: usize) -> Plane<'_> {
        let (width, height) = frame::plane_size(self.width(), self.height(), index);
        // Three planes were found when the picture was taken.
        let number = u32::try_from(index).unwrap_or_default();
        Plane {
            width,
            height,
            stride: self.strides.get(index).copied().unwrap_or_default(),
            data: self.frame.plane_data(number).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(caps: &gst::Caps, bytes: usize) -> gst::Sample {
        let buffer = gst::Buffer::from_slice(vec![16; bytes]);
        gst::Sample::builder().buffer(&buffer).caps(caps).build()
    }

    fn caps(format: &str, width: i32, height: i32) -> gst::Caps {
        let caps = gst::Caps::builder("video/x-raw").field("format", format);
        caps.field("width", width).field("height", height).build()
    }

    #[test]
    fn pictures_of_another_size_are_taken_as_they_say() {
        gst::init().unwrap();
        let mut format = Format::default();
        let (small, large) = (caps("I420", 64, 32), caps("I420", 128, 64));
        for (caps, bytes, size) in [
            (&small, 3072, Some((64, 32))),
            (&small, 3072, Some((64, 32))),
            (&large, 12_288, Some((128, 64))),
            (&large, 3072, None),
            (&caps("NV12", 64, 32), 3072, None),
            (&caps("I420", 8192, 8192), 100_663_296, None),
            (&small, 3072, Some((64, 32))),
        ] {
            let mapped = Mapped::new(&sample(caps, bytes), &mut format);
            assert_eq!(mapped.map(|it| (it.width(), it.height())), size, "{caps}");
        }
    }

    #[test]
    fn what_stays_the_same_is_read_once() {
        gst::init().unwrap();
        let mut format = Format::default();
        let caps = caps("I420", 64, 32);
        let read = |format: &mut Format| {
            Mapped::new(&sample(&caps, 3072), format).unwrap();
            let info: *const VideoInfo = format.known.as_ref().unwrap().1.as_ref().unwrap();
            let held = &format.known.as_ref().unwrap().0;
            (held.as_ptr(), info)
        };
        let first = read(&mut format);
        assert_eq!(read(&mut format), first);
        assert_eq!(first.0, caps.as_ptr());
    }

    #[test]
    fn rows_with_padding_are_read_without_it() {
        gst::init().unwrap();
        let mut buffer = gst::Buffer::from_slice(
            (0..96 * 32 + 2 * 48 * 16)
                .map(|at| if at < 96 * 32 { (at % 96) as u8 } else { 128 })
                .collect::<Vec<_>>(),
        );
        gstreamer_video::VideoMeta::add_full(
            buffer.get_mut().unwrap(),
            gstreamer_video::VideoFrameFlags::empty(),
            VideoFormat::I420,
            64,
            32,
            &[0, 96 * 32, 96 * 32 + 48 * 16],
            &[96, 48, 48],
        )
        .unwrap();
        let caps = caps("I420", 64, 32);
        let sample = gst::Sample::builder().buffer(&buffer).caps(&caps).build();
        let mapped = Mapped::new(&sample, &mut Format::default()).unwrap();
        let luma = mapped.plane(0);
        assert_eq!((luma.width, luma.stride), (64, 96));
        let wanted: Vec<u8> = (0..64).collect();
        assert!((0..32).all(|y| luma.row(y) == wanted));
    }
}
