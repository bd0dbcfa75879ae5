// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the engine is told at start, asked later, and tells.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roomd_conference::{MediaCommand, MediaEvent, PeerId};
use roomd_media_core::hardware::HardwareReport;
use roomd_media_core::mix::Fitted;
use roomd_media_core::plan::{CameraMode, HardwareEncoder};
use roomd_media_core::scene::Scene;
use roomd_model::{Crop, FaultCode, PictureSize, QualityLimit, StreamId, StreamKind};
use roomd_peer::{PeerConfig, PeerReport};
use roomd_voice::Report as VoiceReport;
use tokio::sync::mpsc;

/// Where pictures of the camera, or of content, come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CameraSource {
    /// Nowhere.
    None,
    /// The first capture device, or the test picture on a machine that has none.
    #[default]
    Auto,
    /// The test picture.
    TestPicture,
    /// This V4L2 device, in the format that is tried first.
    Device(PathBuf),
    /// This V4L2 device, first as it was chosen from what it offers.
    Chosen(PathBuf, CameraMode),
    /// This V4L2 device, which has a signal of its own and no choice of formats: an HDMI input.
    Receiver(PathBuf),
    /// A recorded file, again and again.
    File(PathBuf),
}

/// How content is taken, whether it is sent or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentInput {
    /// Where it comes from.
    pub source: CameraSource,
    /// Whether the source runs.
    pub run: ContentRun,
    /// The picture of the moment stands, whatever the source sends.
    pub frozen: bool,
    /// Which part of it is sent.
    pub crop: Crop,
}

/// Whether the source of content runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentRun {
    /// While content is sent.
    #[default]
    WhileSent,
    /// Not at all; its last picture goes on being sent.
    Held,
    /// For whoever looks at it, too.
    Open,
}

/// What the source of content gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentPicture {
    /// Nothing, or it does not run.
    #[default]
    None,
    /// A picture of this size, in pixels.
    Some {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
        /// It has one colour all over.
        plain: bool,
    },
}

/// Where the room's sound comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MicrophoneSource {
    /// The default ALSA device, or the test sound on a machine without one.
    #[default]
    Auto,
    /// The test sound.
    TestSound,
    /// This ALSA device.
    Device(String),
    /// A recorded file, again and again.
    File(PathBuf),
}

/// Where received sound goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Loudspeaker {
    /// The default ALSA device, or nowhere on a machine without one.
    #[default]
    Auto,
    /// Nowhere.
    None,
    /// This ALSA device.
    Device(String),
}

/// Whether the room cancels the echo of its loudspeaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EchoCancellation {
    /// Unless the device does.
    #[default]
    Auto,
    /// Whatever the device does.
    On,
    /// Never.
    Off,
}

/// How the room decides whether it cancels echo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EchoPolicy {
    /// Whether it does.
    pub cancellation: EchoCancellation,
    /// USB ids and parts of names of further devices that cancel their own echo.
    pub devices: Vec<String>,
}

/// Where the composed picture goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisplayOutput {
    /// KMS with a connected display, else Wayland, else X11, else nowhere.
    #[default]
    Auto,
    /// Nowhere.
    Headless,
    /// Nowhere, and drawn all the same: what drawing costs can be measured.
    Offscreen,
    /// A display without a display server.
    Kms,
    /// A Wayland compositor.
    Wayland,
    /// An X server.
    X11,
}

/// Where the second display is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentDisplay {
    /// An X server and its screen.
    X11(String),
    /// A Wayland compositor's socket.
    Wayland(String),
    /// A connector of a graphics card by its name, such as `HDMI-A-2`; without one the second that has a
    /// display, while people are on a graphics card's as well.
    Kms(Option<String>),
}

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Camera.
    pub camera: CameraSource,
    /// The largest size of its picture; larger than the usual one only where its mode was chosen so.
    pub camera_size: PictureSize,
    /// Hardware that may encode it, the first that proves itself; none leaves it to the processor.
    pub hardware_encoders: Vec<HardwareEncoder>,
    /// What is shown when somebody shows something.
    pub content: CameraSource,
    /// Microphone.
    pub microphone: MicrophoneSource,
    /// Loudspeaker.
    pub loudspeaker: Loudspeaker,
    /// Echo cancellation.
    pub echo: EchoPolicy,
    /// Display.
    pub display: DisplayOutput,
    /// The X server, or the Wayland compositor's socket, where the environment does not say.
    pub display_server: Option<String>,
    /// The connector of the display on a graphics card, such as `HDMI-A-1`; the first that has one
    /// without.
    pub display_connector: Option<String>,
    /// A second display, for content.
    pub content_display: Option<ContentDisplay>,
    /// Sends and shows less when the processor is too slow for all of it.
    pub governed: bool,
    /// What every connection starts from; its servers come from the session.
    pub peer: PeerConfig,
    /// The source id in the test picture's time code.
    pub test_source: u8,
    /// The frequency of the test sound's steady tone, in hertz.
    pub test_tone: f64,
    /// How far the room's time zone is ahead of UTC, in seconds, for the test picture's clock.
    pub utc_offset_seconds: i32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            camera: CameraSource::default(),
            camera_size: PictureSize::High,
            hardware_encoders: Vec::new(),
            content: CameraSource::None,
            microphone: MicrophoneSource::default(),
            loudspeaker: Loudspeaker::default(),
            echo: EchoPolicy::default(),
            display: DisplayOutput::default(),
            display_server: None,
            display_connector: None,
            content_display: None,
            governed: true,
            peer: PeerConfig {
                addresses: Vec::new(),
                include_loopback: false,
                ports: None,
                ice_servers: Vec::new(),
                ca_file: None,
            },
            test_source: 1,
            test_tone: roomd_media_core::testsound::PILOT,
            utc_offset_seconds: 0,
        }
    }
}

/// What the engine is asked to do.
#[derive(Clone, Debug)]
pub enum EngineCommand {
    /// A session's wish.
    Session(MediaCommand),
    /// What goes on the wire. What does not is not captured either.
    Sending {
        /// Microphone.
        microphone: bool,
        /// Camera.
        camera: bool,
    },
    /// Shows content to the others, or stops. Its source is open only while it is shown, unless
    /// [`EngineCommand::ContentInput`] says more.
    Content(bool),
    /// How content is taken from here on.
    ContentInput(ContentInput),
    /// The loudspeaker's volume, 0 to 100.
    Volume(u8),
    /// What the display shows.
    Scene(Arc<Scene>),
    /// What the second display shows; nothing without one.
    ContentScene(Arc<Scene>),
    /// Opens the camera for the room's own display.
    Preview(bool),
    /// Opens the microphone for a sound test and tells what it takes, until none is given or a call
    /// begins. What the test plays goes to [`Engine::play`](crate::Engine::play).
    SoundTest(Option<mpsc::Sender<Heard>>),
    /// The same for somebody who hears themself, with noise suppression and gain control as in a call:
    /// what is told without the echo is what an encoder would get. None ends nothing but this.
    SelfHear(Option<mpsc::Sender<Heard>>),
    /// Another camera from here on, in a call too: the others see a cut.
    Camera(CameraSource),
    /// Another microphone from here on.
    Microphone(MicrophoneSource),
    /// Another loudspeaker from here on.
    Loudspeaker(Loudspeaker),
    /// Another way to decide about echo.
    Echo(EchoPolicy),
    /// A display was plugged in or pulled out. One without a display server that changed is opened
    /// again, in the mode of what is there now.
    DisplayPlugged,
    /// The display for content sleeps, or wakes. One on a graphics card gets no signal meanwhile.
    ContentDisplaySleeps(bool),
    /// A call begins; its times count from this moment.
    CallStarted {
        /// When a person asked for it.
        at: Instant,
    },
    /// The call is over: every connection and stream that is left goes.
    CallEnded,
}

/// What the microphone took for a sound test or for somebody who hears themself: 48 kHz, one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// As it came.
    pub microphone: Vec<i16>,
    /// The same without the echo, all of it but what does not fill a block yet, as an encoder would get
    /// it; none where the room cancels none.
    pub cancelled: Option<Vec<i16>>,
}

/// What the engine tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineEvent {
    /// News for the session.
    Session(MediaEvent),
    /// How loud it is, about ten times a second while there is sound.
    Levels {
        /// The microphone, 0 to 100; 0 while it is off.
        microphone: u8,
        /// Received streams that speak, first the one that a layout of one speaker shows.
        speaking: Vec<StreamId>,
    },
    /// What the engine works with; at start and when it changes.
    Devices(DeviceReport),
    /// What the source of content gives, when that changes.
    Content(ContentPicture),
    /// Something went wrong, or is well again.
    Fault {
        /// What.
        code: FaultCode,
        /// Wrong now.
        active: bool,
    },
}

/// What the engine works with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceReport {
    /// The camera, by path or kind; none when it is missing.
    pub camera: Option<String>,
    /// The microphone.
    pub microphone: Option<String>,
    /// The loudspeaker.
    pub loudspeaker: Option<String>,
    /// The display.
    pub display: Option<String>,
    /// The display for content.
    pub content_display: Option<String>,
    /// The test picture stands in for a camera.
    pub test_picture: bool,
    /// The camera delivers clearly less than was agreed with it.
    pub camera_slow: bool,
    /// The microphone delivers clearly less sound than time passes.
    pub microphone_slow: bool,
    /// Of what is missing, what another program has.
    pub in_use: BTreeSet<FaultCode>,
    /// What encodes the camera's picture besides the processor, and why.
    pub encoder: HardwareReport,
}

impl DeviceReport {
    /// Notes whether another program has what is missing.
    pub(crate) fn set_in_use(&mut self, missing: FaultCode, in_use: bool) {
        if in_use {
            self.in_use.insert(missing);
        } else {
            self.in_use.remove(&missing);
        }
    }
}

/// Figures of the call, renewed about once a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineStatistics {
    /// From the call's begin to the first decoded remote picture.
    pub first_remote_frame: Option<Duration>,
    /// From the call's begin until a remote picture was decoded and a picture of the room was
    /// handed to a verified peer.
    pub media_both_ways: Option<Duration>,
    /// Pictures encoded and sent in the last second; none while the camera is off.
    pub fps_sent: Option<f64>,
    /// Pictures decoded in the last second, of the best stream; none without streams.
    pub fps_received: Option<f64>,
    /// How late the picture is against its sound, in milliseconds.
    pub av_offset_ms: Option<f64>,
    /// Times that a picture stood still for more than half a second.
    pub freezes: u32,
    /// What was done to received sound so that it fits, in samples at 48 kHz.
    pub sound: Fitted,
    /// What the connections report.
    pub peers: Vec<(PeerId, PeerReport)>,
    /// What the room encodes and sends.
    pub sent: Vec<SentReport>,
    /// What is left out of it because the processor is too slow.
    pub limit: Option<QualityLimit>,
    /// The received streams.
    pub streams: Vec<StreamReport>,
    /// What echo cancellation does; none while it does nothing.
    pub voice: Option<VoiceReport>,
}

/// One encoding that the room sends, to however many connections. Rates are those of the last second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SentReport {
    /// What it carries.
    pub kind: StreamKind,
    /// Width and height of its pictures, in pixels; none for sound.
    pub size: Option<(u32, u32)>,
    /// Pictures, or packets of sound, a second.
    pub frames_per_second: f64,
    /// Encoded media, in bit/s, without headers.
    pub bits_per_second: f64,
    /// What its encoder aims at, in bit/s; none for sound, which takes what it needs.
    pub target: Option<u32>,
}

/// One received stream. Rates are those of the last second, counts begin with the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamReport {
    /// The stream.
    pub stream: StreamId,
    /// What it carries.
    pub kind: StreamKind,
    /// Decoded pictures, or packets of sound, a second.
    pub frames_per_second: f64,
    /// Encoded media, in bit/s, without headers.
    pub bits_per_second: f64,
    /// Width and height of its pictures, in pixels; none for sound, and before the first one.
    pub size: Option<(u32, u32)>,
    /// Interarrival jitter (RFC 3550, section 6.4.1).
    pub jitter: Duration,
    /// How long a frame that was not held up waits in the jitter buffer, for lip-sync included.
    pub delay: Duration,
    /// How late the picture of its participant is against the sound, in milliseconds, where both are
    /// measured; none for shared content, which has no lips.
    pub av_offset_ms: Option<f64>,
    /// Sound: packets that were missing or too late when they were due. Pictures: gaps.
    pub lost: u64,
    /// Times that its picture stood still for more than half a second.
    pub freezes: u32,
}
