// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The file as it is written. Values that are checked further keep their place in it.

use std::collections::BTreeMap;

use roomd_devices_core::visca::Protocol;
use roomd_model::{Language, Secret};
use serde::Deserialize;
use toml::Spanned;

use crate::{
    CameraSize, DisplayPower, EchoCancellation, HardwareEncoder, LogLevel, LoudspeakerLevel,
    MatrixEncryption, Output, Titles,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub room: Option<Spanned<Room>>,
    #[serde(default)]
    pub join: Join,
    #[serde(default)]
    pub calendar: Calendar,
    #[serde(default)]
    pub direct: Direct,
    pub matrix: Option<Spanned<Matrix>>,
    #[serde(default)]
    pub web: Web,
    #[serde(default)]
    pub media: Media,
    #[serde(default)]
    pub cameras: Vec<Spanned<Camera>>,
    #[serde(default)]
    pub content: Vec<Spanned<Content>>,
    #[serde(default)]
    pub display: Display,
    #[serde(default)]
    pub buttons: Buttons,
    #[serde(default)]
    pub dbus: Dbus,
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    pub name: Option<Spanned<String>>,
    pub language: Option<Language>,
    pub time_zone: Option<Spanned<String>>,
    pub support: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Join {
    pub sending: bool,
    pub window_minutes: Option<Spanned<i64>>,
    pub empty_call_seconds: Option<Spanned<i64>>,
    pub allow: Vec<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    None,
    File,
    Ics,
    Caldav,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    pub source: Option<Spanned<Source>>,
    pub path: Option<Spanned<String>>,
    pub url: Option<Spanned<String>>,
    pub username: Option<Spanned<String>>,
    pub password_file: Option<Spanned<String>>,
    pub ca_file: Option<Spanned<String>>,
    pub address: Option<Spanned<String>>,
    pub poll_seconds: Option<Spanned<i64>>,
    pub titles: Option<Titles>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Direct {
    pub enabled: Option<bool>,
    pub max_guests: Option<Spanned<i64>>,
    pub host: Option<Spanned<String>>,
    pub password_default: Option<Spanned<Secret>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matrix {
    pub homeserver: Option<Spanned<String>>,
    pub user: Option<Spanned<String>>,
    pub password_file: Option<Spanned<String>>,
    pub token_file: Option<Spanned<String>>,
    pub recovery_key_file: Option<Spanned<String>>,
    pub ca_file: Option<Spanned<String>>,
    pub element_call: Vec<Spanned<String>>,
    pub default_server: Option<Spanned<String>>,
    pub encryption: Option<MatrixEncryption>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Camera {
    pub name: Option<Spanned<String>>,
    pub device: Option<Spanned<String>>,
    pub visca: Option<Spanned<String>>,
    pub visca_protocol: Option<Spanned<Protocol>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    pub name: Option<Spanned<String>>,
    pub device: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Display {
    pub power: Option<DisplayPower>,
    pub connector: Option<Spanned<String>>,
    pub cec: Option<Spanned<String>>,
    pub wake_minutes: Option<Spanned<i64>>,
    pub standby_minutes: Option<Spanned<i64>>,
    pub quirks: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Buttons {
    pub devices: Vec<Spanned<String>>,
    pub keys: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    pub listen: Option<Spanned<String>>,
    pub kiosk_dir: Option<Spanned<String>>,
    pub tls: Option<Spanned<Tls>>,
    pub panel_token: Option<Spanned<String>>,
    pub metrics_token_file: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"device\" or { certificate = \"...\", key = \"...\" }"
)]
pub enum Tls {
    Name(String),
    Files(TlsFiles),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    pub certificate: String,
    pub key: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    pub camera: Option<Spanned<String>>,
    pub camera_size: CameraSize,
    pub hardware_encoder: HardwareEncoder,
    pub mains_hz: Option<Spanned<i64>>,
    pub microphone: Option<Spanned<String>>,
    pub loudspeaker: Option<Spanned<String>>,
    pub loudspeaker_level: LoudspeakerLevel,
    pub echo_cancellation: EchoCancellation,
    pub echo_cancelling_devices: Vec<Spanned<String>>,
    pub sound_devices: Option<Spanned<String>>,
    pub display: Output,
    pub content_display: Option<Spanned<String>>,
    pub udp_ports: Option<Spanned<String>>,
    pub addresses: Vec<Spanned<String>>,
    pub stun: Vec<Spanned<String>>,
    pub turn: Option<Spanned<Turn>>,
    pub ca_file: Option<Spanned<String>>,
    pub include_loopback: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    pub urls: Vec<Spanned<String>>,
    pub username: String,
    pub password_file: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dbus {
    pub bus: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    pub directory: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub level: LogLevel,
}
