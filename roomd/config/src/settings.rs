// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use chrono_tz::Tz;
use roomd_devices_core::camera::controls::Mains;
use roomd_devices_core::inventory::Roles;
use roomd_devices_core::keys::{KeyMap, KeyMapError};
use roomd_devices_core::visca::Protocol;
use roomd_model::{Language, Pii, Secret};
use serde::Deserialize;
use url::Url;

use crate::{ConfigError, HostPattern};

/// Everything that can be configured, validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `[room]`
    pub room: Room,
    /// `[join]`
    pub join: Join,
    /// `[calendar]`
    pub calendar: Calendar,
    /// `[direct]`
    pub direct: Direct,
    /// `[matrix]`; none when the room has no account there.
    pub matrix: Option<Matrix>,
    /// `[web]`
    pub web: Web,
    /// `[media]`
    pub media: Media,
    /// `[[cameras]]`, the first one first; any that is found when empty.
    pub cameras: Vec<NamedCamera>,
    /// `[[content]]`, the inputs for content; HDMI receivers are found without.
    pub content: Vec<NamedInput>,
    /// `[display]`
    pub display: Display,
    /// `[buttons]`
    pub buttons: Buttons,
    /// `[dbus]`: where roomd offers its interface.
    pub bus: Bus,
    /// `[state]`: the directory of what survives a restart.
    pub state_directory: PathBuf,
    /// `[log]`
    pub log_level: LogLevel,
}

impl Settings {
    /// What a file that only names the room means.
    #[must_use]
    pub fn default_for(name: impl Into<String>) -> Self {
        Self {
            room: Room {
                name: name.into(),
                language: Language::De,
                time_zone: Tz::Europe__Berlin,
                support: None,
            },
            join: Join::default(),
            calendar: Calendar::default(),
            direct: Direct::default(),
            matrix: None,
            web: Web::default(),
            media: Media::default(),
            cameras: Vec::new(),
            content: Vec::new(),
            display: Display::default(),
            buttons: Buttons::default(),
            bus: Bus::System,
            state_directory: PathBuf::from("/var/lib/roomd"),
            log_level: LogLevel::Info,
        }
    }
}

/// A camera that has a name in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCamera {
    /// What people call it.
    pub name: String,
    /// Its identity, a USB id, or a node, as [`Roles::give`] takes it.
    pub device: String,
    /// Where it takes orders over VISCA, when its own node cannot turn it.
    pub visca: Option<NamedVisca>,
}

/// Where a camera takes orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedVisca {
    /// Its address.
    pub address: SocketAddr,
    /// How packets travel to it.
    pub protocol: Protocol,
}

/// In place of a device: an input that shows the test picture.
pub const TEST_INPUT: &str = "test";

/// An input for content that has a name in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedInput {
    /// What people call it.
    pub name: String,
    /// Its identity, a USB id, or a node, as [`Roles::give`] takes it; or [`TEST_INPUT`].
    pub device: String,
}

/// How the room's display wakes and sleeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// Who turns it on and off.
    pub power: DisplayPower,
    /// Its connector, such as `HDMI-A-1`; the first that has a display when none.
    pub connector: Option<String>,
    /// The HDMI-CEC adapter; when none, the one that is its connector's.
    pub cec: Option<PathBuf>,
    /// How long before a meeting it is on.
    pub wake: Duration,
    /// How long after the room fell idle it sleeps.
    pub standby: Duration,
    /// A table of what displays do differently.
    pub quirks: Option<PathBuf>,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            power: DisplayPower::default(),
            connector: None,
            cec: None,
            wake: Duration::from_secs(5 * 60),
            standby: Duration::from_secs(15 * 60),
            quirks: None,
        }
    }
}

/// Who turns the display on and off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisplayPower {
    /// The room, over HDMI-CEC or DDC/CI; where it can do neither, nobody.
    #[default]
    Auto,
    /// The room; where it cannot, the panel asks people for it.
    Ask,
    /// People, or the display itself.
    Off,
}

/// Hardware buttons and sensors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buttons {
    /// Which devices they are on; nothing is listened to when there are none.
    pub devices: Roles,
    /// What each does.
    pub keys: KeyMap,
    /// Lines of the key map that do nothing.
    pub refused: Vec<RefusedKey>,
}

/// A line of the key map that does nothing: the room starts without it, and `check-config` insists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedKey {
    /// The key, as written, at most 40 characters.
    pub key: String,
    /// Where the line is, and what is wrong with it.
    pub error: ConfigError,
    /// The same, for programs.
    pub why: KeyMapError,
}

/// The room itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its name, as on the door.
    pub name: String,
    /// The language that panel and display start in.
    pub language: Language,
    /// Where the room is.
    pub time_zone: Tz,
    /// Whom to ask.
    pub support: Option<String>,
}

/// How the room joins and leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Joins already sending.
    pub sending: bool,
    /// How long before its start a meeting is offered.
    pub window: Duration,
    /// How long an empty call lasts.
    pub empty_call: Duration,
    /// Hosts the room may contact besides its platforms' own.
    pub allow: Vec<HostPattern>,
}

impl Default for Join {
    fn default() -> Self {
        Self {
            sending: false,
            window: Duration::from_secs(600),
            empty_call: Duration::from_secs(120),
            allow: Vec::new(),
        }
    }
}

/// The room's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Where it is.
    pub source: CalendarSource,
    /// The room's own address as an attendee, where the server does not tell it.
    pub address: Option<Pii<String>>,
    /// How often it is read.
    pub poll: Duration,
    /// Which titles the room shows and keeps.
    pub titles: Titles,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            source: CalendarSource::None,
            address: None,
            poll: Duration::from_secs(30),
            titles: Titles::HidePrivate,
        }
    }
}

/// Where the calendar is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarSource {
    /// There is none.
    None,
    /// An iCalendar file.
    File(PathBuf),
    /// An iCalendar document behind HTTPS.
    Ics(Remote),
    /// A CalDAV collection.
    CalDav(Remote),
}

/// A calendar behind HTTPS. Plain HTTP only to the device itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its address.
    pub url: Pii<Url>,
    /// The room's account.
    pub username: Option<Pii<String>>,
    /// The file that holds the account's password, so that the configuration does not.
    pub password_file: Option<PathBuf>,
    /// A certificate authority to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Which titles the room shows and keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Titles {
    /// All.
    Show,
    /// All but those of private and confidential entries.
    #[default]
    HidePrivate,
    /// None.
    HideAll,
}

/// The room's Matrix account, and the meetings that it joins with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The account's server. Plain HTTP only to the device itself.
    pub homeserver: Pii<Url>,
    /// The account, `@name:server`.
    pub user: Pii<String>,
    /// How it logs in.
    pub login: MatrixLogin,
    /// The file that holds the recovery key of the account's identity, where it has one already.
    pub recovery_key_file: Option<PathBuf>,
    /// A certificate authority to trust besides the system's, PEM; for media servers too.
    pub ca_file: Option<PathBuf>,
    /// Hosts of Element Call whose links the room joins.
    pub element_call: Vec<String>,
    /// The Matrix server of rooms whose link names none.
    pub default_server: String,
    /// What the room joins.
    pub encryption: MatrixEncryption,
}

/// How an account logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatrixLogin {
    /// With the password in this file.
    Password(PathBuf),
    /// With the access token in this file.
    Token(PathBuf),
}

/// Which meetings the room joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixEncryption {
    /// Those that are encrypted from end to end.
    #[default]
    Required,
    /// All; those that are not are shown as such.
    Preferred,
}

/// Meetings that the room hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// The room hosts any.
    pub enabled: bool,
    /// How many guests at once.
    pub max_guests: u8,
    /// The host name that guests open; the machine's own when none.
    pub host: Option<String>,
    /// What guests must know when nobody chose another password.
    pub password_default: Option<Secret>,
}

impl Default for Direct {
    fn default() -> Self {
        Self {
            enabled: true,
            max_guests: 6,
            host: None,
            password_default: None,
        }
    }
}

/// Panel and guests' page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where roomd listens.
    pub listen: SocketAddr,
    /// The directory of the pages.
    pub kiosk_dir: PathBuf,
    /// How the pages identify themselves.
    pub tls: Tls,
    /// Where the wired panel finds its token.
    pub panel_token: PathBuf,
    /// Where the token is that opens the room's figures; none: they stay closed.
    pub metrics_token_file: Option<PathBuf>,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 443)),
            kiosk_dir: PathBuf::from("/usr/share/roomd/kiosk"),
            tls: Tls::Device,
            panel_token: PathBuf::from("/run/roomd/panel-token"),
            metrics_token_file: None,
        }
    }
}

/// How the pages identify themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// By a certificate of the device's own authority.
    Device,
    /// By the administration's certificate.
    Files {
        /// The chain, PEM.
        certificate: PathBuf,
        /// The private key, PEM.
        key: PathBuf,
    },
}

/// Cameras, sound, display and network of the media engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// The camera.
    pub camera: Camera,
    /// The largest size of its picture.
    pub camera_size: CameraSize,
    /// Whether hardware may encode it.
    pub hardware_encoder: HardwareEncoder,
    /// What lamps flicker with.
    pub mains: Mains,
    /// The microphone.
    pub microphone: Microphone,
    /// The loudspeaker.
    pub loudspeaker: Loudspeaker,
    /// What becomes of the level that the loudspeaker's card is set to.
    pub loudspeaker_level: LoudspeakerLevel,
    /// Whether the room cancels the echo of its loudspeaker.
    pub echo_cancellation: EchoCancellation,
    /// Further devices that cancel their own echo, by USB id or part of the name.
    pub echo_cancelling_devices: Vec<String>,
    /// A table of sound devices.
    pub sound_devices: Option<PathBuf>,
    /// The display.
    pub display: Output,
    /// A second display, for content.
    pub content_display: ContentDisplay,
    /// The UDP ports that media uses; any when none.
    pub udp_ports: Option<RangeInclusive<u16>>,
    /// The addresses that media uses; all of the machine's when empty.
    pub addresses: Vec<IpAddr>,
    /// STUN servers, `stun:host:port`.
    pub stun: Vec<String>,
    /// Relays of the administration's.
    pub turn: Option<Turn>,
    /// A certificate authority to trust for TURN besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Offers the loopback address too; for tests on one machine.
    pub include_loopback: bool,
}

/// TURN servers that share an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// `turn:` and `turns:` URLs (RFC 7065), one to four.
    pub urls: Vec<String>,
    /// The room's account.
    pub username: Pii<String>,
    /// The file whose first line is the password.
    pub password_file: PathBuf,
}

/// The camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Camera {
    /// The first one found, otherwise the test picture.
    #[default]
    Auto,
    /// The test picture.
    Test,
    /// A device, such as `/dev/video0`.
    Device(PathBuf),
    /// A recording, over and over.
    File(PathBuf),
}

/// The microphone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Microphone {
    /// The first one found, otherwise the test sound.
    #[default]
    Auto,
    /// The test sound.
    Test,
    /// An ALSA device, such as `hw:1,0`.
    Device(String),
    /// A recording, over and over.
    File(PathBuf),
}

/// The loudspeaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Loudspeaker {
    /// The first one found, otherwise none.
    #[default]
    Auto,
    /// None.
    Off,
    /// An ALSA device, such as `hw:1,0`.
    Device(String),
}

/// What becomes of the level that the loudspeaker's card is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoudspeakerLevel {
    /// The card neither raises nor lowers; the room's volume does.
    #[default]
    Unity,
    /// It stays as somebody has set it.
    Keep,
}

/// Whether the room cancels the echo of its loudspeaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EchoCancellation {
    /// Unless the device does.
    #[default]
    Auto,
    /// Whatever the device does.
    On,
    /// Never.
    Off,
}

/// The largest size of the camera's picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum CameraSize {
    /// As the number of processors suggests.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// 1280x720.
    #[serde(rename = "720p")]
    Lines720,
    /// 1920x1080, where the camera has it.
    #[serde(rename = "1080p")]
    Lines1080,
}

/// Whether hardware may encode the camera's picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HardwareEncoder {
    /// Where it proves itself, for those who take it.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// The display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Whatever there is, otherwise none.
    #[default]
    Auto,
    /// None.
    Headless,
    /// The kernel's own, without a desktop.
    Kms,
    /// A Wayland desktop.
    Wayland,
    /// An X11 desktop.
    X11,
}

/// The second display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ContentDisplay {
    /// The second on a graphics card, where people are on the first and nobody has named another.
    #[default]
    Auto,
    /// None, whatever is plugged in.
    Off,
    /// A connector of a graphics card, such as `HDMI-A-2`.
    Connector(String),
    /// An X server and its screen, such as `:0.1`.
    X11(String),
    /// A Wayland compositor's socket, such as `wayland-1` or a path.
    Wayland(String),
}

/// Where roomd offers its D-Bus interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// On the system bus.
    System,
    /// On the session bus.
    Session,
    /// On the bus at a D-Bus address.
    Address(String),
}

/// How much is logged. Personal data never is above debug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may fail.
    Warn,
    /// And what happened.
    #[default]
    Info,
    /// And how.
    Debug,
    /// And everything.
    Trace,
}

impl LogLevel {
    /// As filters of the log spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
