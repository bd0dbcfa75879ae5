// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the machine of the content inputs asks of its shell, wants of the engine, and shows to people.

use roomd_model::Crop;

use super::signal::Signal;
use super::timings::Answer;
use crate::camera::pick::There;
use crate::identity::DeviceId;

/// A device to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who it is.
    pub id: DeviceId,
    /// How it is opened.
    pub node: String,
    /// Which time it was plugged in.
    pub arrivals: u64,
    /// Nobody has it open for pictures: it may be set to its signal.
    pub may_set: bool,
    /// So it is the first time since it was plugged in: where it has no EDID, it may get the room's.
    pub edid: bool,
    /// It could not be asked the last time, or took no EDID.
    pub again: bool,
}

/// What the engine should have open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// The node of the input; none when it is gone, or none is in use.
    pub node: Option<String>,
    /// It is a receiver, whose signal says what it sends.
    pub receiver: bool,
    /// Whether it runs.
    pub run: Run,
    /// The picture of the moment stands.
    pub frozen: bool,
    /// Which part of it is shared.
    pub crop: Crop,
    /// It goes on the wire, where there is a call.
    pub shared: bool,
}

/// Whether an input's device runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    /// It is closed.
    #[default]
    Closed,
    /// It is closed, and its last picture stands.
    Held,
    /// It is open.
    Open,
}

/// How the sharing of an input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    /// It is not shared.
    #[default]
    Off,
    /// Its first picture is waited for.
    Starting,
    /// The others see it.
    On,
    /// The signal is lost, and the others see its last picture.
    Held,
    /// The signal is lost, and the others see nothing; it goes on if the signal is back soon.
    Paused,
    /// It ended because the signal was lost; a person may share again.
    Ended,
}

/// An input as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Whether the configuration names it.
    pub configured: bool,
    /// Who and where it is, when it is there.
    pub there: Option<There>,
    /// It has no EDID and takes none: laptops may see no display.
    pub without_edid: bool,
    /// How its signal is.
    pub signal: Signal,
    /// What the device says of it, such as its timings.
    pub answer: Answer,
    /// How its sharing is.
    pub share: Share,
    /// Its picture stands by a person's word.
    pub frozen: bool,
    /// Which part of it is shared.
    pub crop: Crop,
}

/// Why a wish is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such input, or it is not plugged in.
    #[error("no such content input")]
    Unknown,
    /// Nothing can be shared now, or nothing is.
    #[error("not in this state of the room")]
    NotNow,
    /// There is no picture to share.
    #[error("the content input has no picture")]
    NoPicture,
    /// The picture is protected.
    #[error("the picture is protected")]
    Protected,
    /// No part of a picture.
    #[error("no part of a picture")]
    NoPart,
}
