// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::Crop;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An input for what somebody in the room shows: HDMI, or a dongle on the USB. Its picture does not
/// travel here; whoever looks asks for its preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ContentInput {
    /// Its name from the configuration, or what it calls itself.
    pub name: String,
    /// How its signal is.
    pub signal: ContentSignal,
    /// Width of its picture, in pixels, where known.
    pub width: Option<u32>,
    /// Height, likewise.
    pub height: Option<u32>,
    /// How its sharing is.
    pub share: ContentShare,
    /// The picture of the moment stands; it is what the others go on seeing.
    pub frozen: bool,
    /// Which part of the picture is shared.
    pub crop: Crop,
}

/// How the signal of a content input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ContentSignal {
    /// The input is not plugged in.
    Missing,
    /// Nothing is connected, or it is off.
    NoSignal,
    /// Something is connected, and no picture is made out yet.
    Unstable,
    /// A picture that the input cannot take.
    OutOfRange,
    /// A picture that is copy-protected (HDCP).
    Protected,
    /// A picture, or there may be one: nobody looks.
    Ready,
    /// Pictures come.
    Live,
    /// Pictures should come and do not.
    NoPicture,
    /// Only one colour comes, for seconds: probably a protected picture, or a machine that sleeps.
    Dark,
}

/// How the sharing of a content input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ContentShare {
    /// It is not shared.
    #[default]
    Off,
    /// Its first picture is waited for.
    Starting,
    /// The others see it.
    On,
    /// The signal is lost, and the others see its last picture for some seconds.
    Held,
    /// The signal is lost, and the others see nothing; it goes on by itself if the signal is back soon.
    Paused,
    /// It ended because the signal was lost; somebody may share again.
    Ended,
}
