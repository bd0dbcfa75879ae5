// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use chrono::{DateTime, Utc};
use roomd_model::Severity;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Refusal;

/// How the room's devices are. Panel, D-Bus, figures and the command line all show this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// 100 when all is well, 0 when the room is of no use.
    pub score: u8,
    /// Every device that the room uses or should use.
    pub items: Vec<HealthItem>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            score: 100,
            items: Vec::new(),
        }
    }
}

/// How a device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HealthItem {
    /// Code for operators, such as `camera-missing`; `camera-ok` for a device that is well.
    pub code: String,
    /// How much it matters; none when it is well.
    pub severity: Option<Severity>,
    /// Which one, such as `front` or `usb:046d:0857/A1B2@1-1.4:1.0`.
    pub device: String,
    /// What is the matter.
    pub text: Words,
    /// What to do about it; none when there is nothing to do.
    pub remedy: Option<Words>,
    /// A short technical detail for operators.
    pub detail: Option<String>,
}

/// A sentence in each language of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Words {
    /// German.
    pub de: String,
    /// English.
    pub en: String,
}

/// A camera that the room can show itself with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Camera {
    /// Its name from the configuration, or what it calls itself.
    pub name: String,
    /// It is plugged in and may be used.
    pub present: bool,
    /// It is the one in use.
    pub active: bool,
    /// It can be pointed: pan and tilt.
    pub moves: bool,
    /// It can be zoomed.
    pub zooms: bool,
    /// What of its picture can be adjusted; only what it has.
    pub adjusts: Vec<CameraAdjusts>,
    /// Its saved positions, in the order in which people see them.
    pub presets: Vec<CameraPreset>,
}

/// A part of a camera's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum CameraSetting {
    /// What is sharp; larger values are closer.
    Focus,
    /// How long light is taken, in 100 µs.
    Exposure,
    /// Which light is white, in kelvin.
    WhiteBalance,
    /// Against light from behind.
    Backlight,
}

/// Who sees to a part of a camera's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum CameraAdjustment {
    /// The camera, all the time.
    Automatic,
    /// Nobody: it stays as it is at this moment.
    Manual,
    /// The camera, once (one-push).
    Once,
}

/// What a camera has of a part of its picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CameraAdjusts {
    /// Which part.
    pub setting: CameraSetting,
    /// Whether the camera sees to it; none where that is no choice.
    pub automatic: Option<bool>,
    /// Whether the camera can see to it once.
    pub once: bool,
    /// The value when it was read last; an automatic changes it all the time. None where it has none.
    pub value: Option<i32>,
    /// Which values there are; none where it has none.
    pub range: Option<CameraRange>,
}

/// The values of a part of a camera's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CameraRange {
    /// The smallest.
    pub min: i32,
    /// The largest.
    pub max: i32,
    /// Values lie so far apart.
    pub step: i32,
    /// Without anybody's choice.
    pub default: i32,
}

/// A saved position of a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CameraPreset {
    /// What people call it.
    pub name: String,
    /// A small picture of what it shows, taken when it was saved, as a data URL; none without one.
    pub thumbnail: Option<String>,
}

/// The sound test: does the microphone hear the loudspeaker, how late, how loud, and what becomes of
/// the echo.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SoundTest {
    /// How much of the running test is done, 0 to 100; none while none runs.
    pub progress: Option<u8>,
    /// What the last one found; none before the first.
    pub result: Option<SoundTestResult>,
    /// Somebody hears themself as the far side would; none while nobody does.
    pub self_hear: Option<SelfHear>,
    /// What was missing when somebody last wanted to; none when they heard themself, or ended it.
    pub self_hear_failed: Option<Refusal>,
}

/// Somebody in the room speaks, then hears what the far side would have got of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SelfHear {
    /// What happens now.
    pub phase: SelfHearPhase,
    /// When that ends; none while the microphone opens.
    pub ends_at: Option<DateTime<Utc>>,
}

/// What happens while somebody hears themself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum SelfHearPhase {
    /// The microphone opens.
    Starting,
    /// They speak.
    Speaking,
    /// They hear what they said, and the microphone is ignored.
    Listening,
}

/// What a sound test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SoundTestResult {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The microphone that heard; none where the room does not choose it.
    pub microphone: Option<String>,
    /// The loudspeaker that played; none where the room does not choose it.
    pub loudspeaker: Option<String>,
    /// How much the worst line matters; none when all is well.
    pub severity: Option<Severity>,
    /// Problems first, then figures.
    pub lines: Vec<SoundTestLine>,
}

/// A problem or a figure of a sound test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SoundTestLine {
    /// Code for operators, such as `self-test-delay`.
    pub code: String,
    /// How much it matters; none when it is as it should be.
    pub severity: Option<Severity>,
    /// What was found.
    pub text: Words,
    /// What to do about it; none when there is nothing to do.
    pub remedy: Option<Words>,
}
