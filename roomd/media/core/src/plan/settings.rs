// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The pipelines themselves. The values and their reasons belong together, so each is one function.

use std::path::Path;

use super::{ENCODER, Plan};
use crate::codec::VideoCodec;

/// Sound as the engine moves it.
const SOUND: &str = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";

pub(super) fn picture(width: u32, height: u32) -> String {
    format!(
        "video/x-raw,format=I420,width={width},height={height},framerate=30/1,\
         pixel-aspect-ratio=1/1,interlace-mode=progressive,colorimetry=bt601"
    )
}

/// Where camera pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraInput<'a> {
    /// A V4L2 device that offers MJPEG: what fits a USB 2 cable at 720p30.
    Mjpeg(&'a Path),
    /// A V4L2 device, in whatever raw format it offers.
    Raw(&'a Path),
    /// A V4L2 device, as it was chosen from what it offers.
    Mode(&'a Path, CameraMode),
    /// A recorded file.
    File(&'a Path),
}

impl CameraInput<'_> {
    /// The pipeline to pictures of this width and height.
    #[must_use]
    pub fn plan(&self, (width, height): (u32, u32)) -> Plan {
        let live = live_picture(width, height);
        let shaped = shaped(self.opened((width, height)));
        match self {
            Self::Mjpeg(_) | Self::Raw(_) | Self::Mode(..) => dropping(shaped).caps(live).sink(),
            Self::File(_) => shaped
                .element("videorate", &[])
                .caps(picture(width, height))
                .held_sink(),
        }
    }

    /// The pipeline of a device to pictures in their own size, up to this width and height: text that
    /// is scaled is harder to read.
    #[must_use]
    pub fn plan_within(&self, (width, height): (u32, u32)) -> Plan {
        let any = live_picture(width, height)
            .replace(&format!("width={width}"), &format!("width=[2,{width}]"))
            .replace(&format!("height={height}"), &format!("height=[2,{height}]"));
        // What is dropped of 60 pictures a second is not converted before.
        let opened = dropping(self.opened((width, height)));
        shaped(opened).caps(any).sink()
    }

    fn opened(&self, (width, height): (u32, u32)) -> Plan {
        match self {
            Self::Mjpeg(device) => Plan::new()
                .element("v4l2src", &[("device", &device.to_string_lossy())])
                .caps(format!(
                    "image/jpeg,width={width},height={height},framerate=30/1"
                ))
                .element("jpegdec", &[]),
            Self::Raw(device) => Plan::new()
                .element("v4l2src", &[("device", &device.to_string_lossy())])
                .caps("video/x-raw"),
            Self::Mode(device, mode) => mode.opened(device),
            Self::File(file) => Plan::new()
                .element("filesrc", &[("location", &file.to_string_lossy())])
                .element(
                    "decodebin",
                    &[("expose-all-streams", "false"), ("caps", "video/x-raw")],
                ),
        }
    }
}

fn shaped(plan: Plan) -> Plan {
    plan.element("videoconvert", &[])
        .element("videoscale", &[("add-borders", "true")])
}

fn dropping(plan: Plan) -> Plan {
    plan.element("videorate", &[("drop-only", "true")])
}

/// How a camera codes its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameraFormat {
    /// One picture after the other, each as JPEG.
    Mjpeg,
    /// Luma, then both chromas in pairs.
    Nv12,
    /// Luma and chroma in turns.
    Yuyv,
    /// A stream in which pictures need each other.
    H264,
}

/// What is asked of a camera. Each way ends in I420, which the encoders read: NV12 and YUYV are rearranged
/// once, the others are decoded into it. Then it is copied once more, out of the pipeline's memory: the camera's
/// driver has few buffers, and a picture is held as long as a layer or a display needs it. Hardware encoders read
/// NV12, to which it is turned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameraMode {
    /// How pixels are coded.
    pub format: CameraFormat,
    /// Width, in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// Pictures in 1000 seconds; none where the camera does not say.
    pub rate: Option<u32>,
}

impl CameraMode {
    fn opened(self, device: &Path) -> Plan {
        // The camera may count in 1001 parts of a second.
        let rate = self.rate.map(|rate| {
            let (least, most) = (rate.saturating_sub(1), rate.saturating_add(1));
            format!(",framerate=[{least}/1000,{most}/1000]")
        });
        let caps = |kind: &str| {
            let (width, height) = (self.width, self.height);
            let rate = rate.clone().unwrap_or_default();
            format!("{kind},width={width},height={height}{rate}")
        };
        let source = Plan::new().element("v4l2src", &[("device", &device.to_string_lossy())]);
        match self.format {
            CameraFormat::Mjpeg => source.caps(caps("image/jpeg")).element("jpegdec", &[]),
            CameraFormat::Nv12 => source.caps(caps("video/x-raw,format=NV12")),
            CameraFormat::Yuyv => source.caps(caps("video/x-raw,format=YUY2")),
            CameraFormat::H264 => source
                .caps(caps("video/x-h264"))
                .element("h264parse", &[])
                .element("openh264dec", &[]),
        }
    }
}

/// A camera in the dark slows down; the engine repeats pictures, so the rate is only bounded.
fn live_picture(width: u32, height: u32) -> String {
    picture(width, height).replace("framerate=30/1", "framerate=[1/1,30/1]")
}

/// Where the room's sound comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MicrophoneInput<'a> {
    /// An ALSA device.
    Alsa(&'a str),
    /// A recorded file.
    File(&'a Path),
}

impl MicrophoneInput<'_> {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let opened = match self {
            Self::Alsa(device) => Plan::new().element(
                "alsasrc",
                &[
                    ("device", device),
                    // The device never gives the clock: it can be pulled out.
                    ("provide-clock", "false"),
                    ("slave-method", "re-timestamp"),
                    ("buffer-time", "80000"),
                    ("latency-time", "10000"),
                ],
            ),
            Self::File(file) => Plan::new()
                .element("filesrc", &[("location", &file.to_string_lossy())])
                .element(
                    "decodebin",
                    &[("expose-all-streams", "false"), ("caps", "audio/x-raw")],
                ),
        };
        let cut = opened
            .element("audioconvert", &[])
            .element("audioresample", &[])
            .caps(SOUND);
        match self {
            Self::Alsa(_) => cut.sink(),
            Self::File(_) => cut.held_sink(),
        }
    }
}

/// Two temporal layers in turns: pictures that only refer to the lower one, and that nothing refers to,
/// follow those of the lower one. A receiver, or a server for it, leaves them out as it likes. What
/// else libvpx knows of layers is a rate for each; here they share one.
const TEMPORAL_LAYERS: &str = "<0,\
    no-ref-golden+no-ref-alt+no-upd-last+no-upd-golden+no-upd-alt+no-upd-entropy>";

/// An encoder of VP8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoEncode {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In bit/s, to begin with.
    pub bitrate: u32,
    /// Shows text and drawings, not people.
    pub content: bool,
}

impl VideoEncode {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let bitrate = self.bitrate.to_string();
        let mut properties = vec![
            ("name", ENCODER),
            ("deadline", "1"),
            ("cpu-used", "-16"),
            // libvpx's threads wait for each other by turning round: two of them cost three times as
            // much as one, which encodes 1080p in time.
            ("threads", "1"),
            ("end-usage", "cbr"),
            ("target-bitrate", bitrate.as_str()),
            // Keyframes are made when a receiver asks, not by the clock.
            ("keyframe-mode", "disabled"),
            ("keyframe-max-dist", "2000"),
            ("lag-in-frames", "0"),
            ("buffer-initial-size", "100"),
            ("buffer-optimal-size", "120"),
            ("buffer-size", "150"),
            ("max-intra-bitrate", "250"),
            ("error-resilient", "default"),
        ];
        if self.content {
            // What does not move costs next to nothing, and is refined until it is sharp.
            properties.extend([("static-threshold", "100"), ("max-quantizer", "48")]);
        } else {
            properties.push(("temporal-scalability-layer-flags", TEMPORAL_LAYERS));
        }
        Plan::new()
            .picture_source(&picture(self.width, self.height))
            .element("vp8enc", &properties)
            .sink()
    }
}

/// The one sound encoder of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioEncode {
    /// In bit/s.
    pub bitrate: u32,
}

impl AudioEncode {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan::new()
            .source(SOUND)
            .element(
                "opusenc",
                &[
                    ("name", ENCODER),
                    ("audio-type", "voice"),
                    ("bitrate", &self.bitrate.to_string()),
                    ("bitrate-type", "vbr"),
                    ("frame-size", "20"),
                    ("inband-fec", "true"),
                    ("packet-loss-percentage", "10"),
                    // Browsers conceal where time stamps do not add up to whole packets.
                    ("perfect-timestamp", "true"),
                ],
            )
            .sink()
    }
}

/// The decoder of one received picture stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoDecode(pub VideoCodec);

impl VideoDecode {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        // One thread: several small pictures share the cores better than one that spreads. Of 600
        // pictures of 640x360, libvpx decodes VP8 in 0.25 s and FFmpeg in 0.23 s, whether it copies
        // them or not. Nine such streams at their pace take 13 to 17 % of a core with libvpx and 1 to
        // 3 % less with FFmpeg: too little for a second decoder that hostile pictures reach, and for
        // the 270 MB that its package brings along. At VP9 they are equal, and so are OpenH264 and
        // FFmpeg at H.264.
        let common = ("qos", "false");
        let decoded = match self.0 {
            VideoCodec::Vp8 => Plan::new()
                .stream_source("video/x-vp8")
                .element("vp8dec", &[("threads", "1"), common]),
            VideoCodec::Vp9 => Plan::new()
                .stream_source("video/x-vp9")
                .element("vp9dec", &[("threads", "1"), common]),
            VideoCodec::H264 => Plan::new()
                .stream_source("video/x-h264,stream-format=byte-stream,alignment=au,profile=constrained-baseline")
                .element("openh264dec", &[common]),
        };
        decoded.caps("video/x-raw,format=I420").sink()
    }
}

/// The decoder of one received sound stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioDecode;

impl AudioDecode {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan::new()
            .source("audio/x-opus,rate=48000,channels=1,channel-mapping-family=0")
            .element("opusdec", &[("plc", "true"), ("use-inband-fec", "true")])
            .element("audioconvert", &[])
            .element("audioresample", &[])
            .caps(SOUND)
            .sink()
    }
}

/// Where the composed picture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoOut<'a> {
    /// A display without a display server.
    Kms {
        /// The descriptor of the graphics card; none lets the sink look for one.
        card: Option<i32>,
        /// The connector of the display, by the kernel's number; none for the first.
        connector: Option<u32>,
        /// What it takes pictures from, by the kernel's number; none for the first that fits.
        plane: Option<u32>,
    },
    /// A Wayland compositor.
    Wayland {
        /// Its socket; none for the one that the environment names.
        socket: Option<&'a str>,
    },
    /// Back to the engine, which speaks to an X server itself.
    X11 {
        /// The screen's, in pixels.
        width: u32,
        /// The screen's, in pixels.
        height: u32,
    },
    /// Nowhere.
    Headless,
}

impl VideoOut<'_> {
    /// The pipeline.
    #[must_use]
    pub fn plan(self) -> Plan {
        let source =
            Plan::new().picture_source(&picture(crate::scene::WIDTH, crate::scene::HEIGHT));
        // Pictures are shown as they come: the composer keeps the time.
        let common = ("sync", "false");
        let small = ("enable-last-sample", "false");
        match self {
            // Most planes take no I420; where one does, nothing is converted. Many take no other size
            // than the display's, and the sink would show a part of the picture then, so it is scaled
            // before.
            Self::Kms {
                card,
                connector,
                plane,
            } => {
                let card = card.map(|card| card.to_string());
                let [connector, plane] = [connector, plane].map(|id| id.map(|id| id.to_string()));
                // Two that wait for the same card's events would take each other's.
                let mut properties = vec![
                    common,
                    small,
                    ("skip-vsync", "true"),
                    ("can-scale", "false"),
                ];
                properties.extend(card.as_deref().map(|card| ("fd", card)));
                properties.extend(connector.as_deref().map(|id| ("connector-id", id)));
                properties.extend(plane.as_deref().map(|id| ("plane-id", id)));
                source
                    .element("videoscale", &[("add-borders", "true")])
                    .element("videoconvert", &[])
                    .element("kmssink", &properties)
            }
            Self::Wayland { socket } => {
                let mut properties = vec![common, small, ("fullscreen", "true")];
                properties.extend(socket.map(|socket| ("display", socket)));
                source
                    .element("videoconvert", &[])
                    .element("waylandsink", &properties)
            }
            Self::X11 { width, height } => source
                .element("videoscale", &[("add-borders", "true")])
                .element("videoconvert", &[])
                .caps(format!(
                    "video/x-raw,format=BGRx,width={width},height={height},pixel-aspect-ratio=1/1"
                ))
                .sink(),
            Self::Headless => source.element("fakesink", &[common, small]),
        }
    }
}

/// Where the mixed sound goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioOut<'a> {
    /// An ALSA device.
    Alsa(&'a str),
    /// Nowhere.
    None,
}

impl AudioOut<'_> {
    /// The pipeline.
    #[must_use]
    pub fn plan(&self) -> Plan {
        match self {
            Self::Alsa(device) => Plan::new()
                .loud_source(SOUND)
                .element("audioconvert", &[])
                .element("audioresample", &[])
                .element(
                    "alsasink",
                    &[
                        ("device", device),
                        ("provide-clock", "false"),
                        ("slave-method", "resample"),
                        ("buffer-time", "50000"),
                        ("latency-time", "10000"),
                        // What is in the buffer and on the wire plays before what comes now, and a USB
                        // device has up to 18 ms on the wire (`MAX_QUEUE` in the kernel's
                        // `sound/usb/card.h`), of which GStreamer does not know. Without this, the
                        // beginning of each block comes too late and is cut off.
                        ("processing-deadline", "30000000"),
                    ],
                ),
            Self::None => Plan::new()
                .source(SOUND)
                .element("fakesink", &[("sync", "false")]),
        }
    }
}
