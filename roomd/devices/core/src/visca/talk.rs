// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What goes into the talk with a camera, and what comes out.

use crate::display::power::Power;
use crate::health::Trouble;

use super::request::Request;
use super::wire::Refusal;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Somebody wants this of the camera.
    Want(Request),
    /// A datagram came from it, or the next bytes of a stream.
    Received(&'a [u8]),
    /// There is a connection from now on.
    Connected,
    /// The connection is lost.
    Lost,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this to the camera.
    Send(Vec<u8>),
    /// The request is done, or will not be. Not said of a question, whose answer is in the state.
    Finished(Request, Result<(), Failure>),
}

/// Why a request is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It does not answer.
    #[error("the camera does not answer; check its cable, power and address")]
    Unreachable,
    /// It does not know the command, or not the value.
    #[error("the camera does not know this command or value")]
    Unknown,
    /// Not as it is now: asleep, or with its menu open.
    #[error("the camera does not do this now; wake it, and close its menu")]
    NotNow,
    /// Somebody else cancelled it.
    #[error("the camera was told by somebody else to stop")]
    Cancelled,
    /// It does other things, and went on with them.
    #[error("the camera is busy with other commands")]
    Busy,
    /// It took the command and never said that it was done.
    #[error("the camera took the command and did not say that it was done")]
    Lost,
    /// Too many requests wait already.
    #[error("too many requests wait for the camera")]
    TooMany,
}

/// How a camera is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What is wrong with it. It is missing until it has answered.
    pub trouble: Option<Trouble>,
    /// Whether it is awake.
    pub power: Option<Power>,
    /// Where it looks, in seconds of arc to the right and upwards.
    pub direction: Option<(i32, i32)>,
    /// How close it looks, in its own steps.
    pub zoom: Option<u16>,
    /// How its picture is adjusted.
    pub picture: Picture,
}

/// How a camera's picture is adjusted; none of what it does not have, or has not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Focus is automatic.
    pub focus_auto: Option<bool>,
    /// What is sharp, in its own steps; larger is closer.
    pub focus: Option<u16>,
    /// The mode of exposure, in the list's numbers.
    pub exposure: Option<u8>,
    /// The mode of white balance, in the list's numbers.
    pub white_balance: Option<u8>,
    /// It works against light from behind.
    pub backlight: Option<bool>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Syntax | Refusal::Other => Self::Unknown,
            Refusal::BufferFull => Self::Busy,
            Refusal::Cancelled => Self::Cancelled,
            Refusal::NotExecutable => Self::NotNow,
        }
    }
}
