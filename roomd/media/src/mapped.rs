// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A decoded picture where the decoder left it. At many streams, copying costs more than composing.

use gstreamer as gst;
use gstreamer_video::video_frame::Readable;
use gstreamer_video::{VideoFormat, VideoFrame, VideoFrameExt as _, VideoInfo};
use roomd_media_core::frame::{self, Plane, Planes};

/// Held until nobody shows the picture any more; its decoder has others meanwhile.
#[derive(Debug)]
pub(crate) struct Mapped {
    frame: VideoFrame<Readable>,
    strides: [usize; 3],
}

impl Mapped {
    /// The picture inside a decoded sample; none when it is too large or of another kind.
    pub(crate) fn new(sample: &gst::Sample) -> Option<Self> {
        let info = VideoInfo::from_caps(sample.caps()?).ok()?;
        if info.format() != VideoFormat::I420 || !frame::fits(info.width(), info.height()) {
            return None;
        }
        let frame = VideoFrame::from_buffer_readable(sample.buffer_owned()?, &info).ok()?;
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
