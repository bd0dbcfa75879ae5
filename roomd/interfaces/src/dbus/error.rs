// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::{Refusal, Reply};

use crate::{PreviewError, SnapshotError};

const IN_CALL: &str = "The room is in a meeting; leave it first.";
const SOUND_TEST_RUNS: &str = "The sound test runs; wait until it is over, or stop it.";
const MICROPHONE_MUTED: &str = "The microphone is muted at the device itself; press its mute key.";
const MICROPHONE_MISSING: &str =
    "The room has no microphone, or it is not plugged in; Diagnose says which.";
const LOUDSPEAKER_MISSING: &str =
    "The room has no loudspeaker, or it is not plugged in; Diagnose says which.";

/// Why a call failed; each with a text that says what to do.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.roomd.Error")]
pub(super) enum Error {
    /// The bus itself.
    #[zbus(error)]
    Bus(zbus::Error),
    /// Not in this state of the room.
    NotNow(String),
    /// No such booking, participant or meeting.
    Unknown(String),
    /// Not a link.
    BadLink(String),
    /// The destination is not allowed.
    DestinationNotAllowed(String),
    /// No provider for this link.
    PlatformUnknown(String),
    /// Not understood or out of range.
    BadRequest(String),
    /// Shutting down or overloaded.
    Busy(String),
    /// The calendar takes no answers.
    CalendarReadOnly(String),
    /// The room is not an attendee.
    NotInvited(String),
    /// Others changed the entry at the same time.
    CalendarConflict(String),
    /// The calendar's server says no.
    CalendarRefused(String),
    /// The calendar's server says nothing.
    CalendarUnreachable(String),
    /// Too many wrong codes.
    PairingLocked(String),
    /// No camera of this name, or not plugged in.
    CameraUnknown(String),
    /// The camera says no, or cannot do this.
    CameraRefused(String),
    /// The camera has nothing like this to adjust.
    CameraCannot(String),
    /// The camera does not have this value.
    CameraValue(String),
    /// The camera has no such position.
    PresetUnknown(String),
    /// No name for a position.
    PresetName(String),
    /// The camera keeps no further positions.
    PresetsFull(String),
    /// No content input of this name, or not plugged in.
    ContentUnknown(String),
    /// The content input shows nothing.
    ContentNoPicture(String),
    /// The picture is copy-protected.
    ContentProtected(String),
    /// The room is in a call.
    InCall(String),
    /// The sound test runs.
    SoundTestRuns(String),
    /// The microphone is muted at the device.
    MicrophoneMuted(String),
    /// No microphone, or not plugged in.
    MicrophoneMissing(String),
    /// No loudspeaker, or not plugged in.
    LoudspeakerMissing(String),
    /// Something failed inside.
    Failed(String),
}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Failed => {
                Self::Failed("The picture could not be made; roomd's log says why.".to_owned())
            }
            SnapshotError::Busy => busy(),
        }
    }
}

impl From<PreviewError> for Error {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::Unknown => explain(Refusal::ContentUnknown),
            PreviewError::InUse => {
                Self::NotNow("Another content input is shared; stop that first.".to_owned())
            }
            PreviewError::NoPicture => explain(Refusal::ContentNoPicture),
            PreviewError::Busy => busy(),
        }
    }
}

/// Turns the room's answer into D-Bus's.
pub(super) fn answer(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Accepted => Ok(()),
        Reply::Refused { refusal } => Err(explain(refusal)),
    }
}

pub(super) fn explain(refusal: Refusal) -> Error {
    match refusal {
        Refusal::NotNow => Error::NotNow(
            "The room cannot do this in its present state; see the property Phase.".to_owned(),
        ),
        Refusal::Unknown => Error::Unknown(
            "There is no such booking or participant (any more); Meetings and Status name those \
             that there are."
                .to_owned(),
        ),
        Refusal::BadLink => Error::BadLink(
            "This is not a meeting link; give the whole https:// address.".to_owned(),
        ),
        Refusal::DestinationNotAllowed => Error::DestinationNotAllowed(
            "The link's host is not on the allow-list; add it in roomd.toml if it is trusted."
                .to_owned(),
        ),
        Refusal::PlatformUnknown => Error::PlatformUnknown(
            "No conference platform that this room knows opens this kind of link.".to_owned(),
        ),
        Refusal::BadRequest => {
            Error::BadRequest("A value is too long, empty or out of range.".to_owned())
        }
        Refusal::Busy => busy(),
        Refusal::PairingLocked => Error::PairingLocked(
            "Too many wrong codes were tried; wait some minutes, then show a new one.".to_owned(),
        ),
        Refusal::CameraUnknown => Error::CameraUnknown(
            "The room has no camera of this name, or it is not plugged in; Diagnose names those \
             that there are."
                .to_owned(),
        ),
        Refusal::CameraRefused => Error::CameraRefused(
            "The camera refuses, or cannot move or zoom; Status says what each camera can do."
                .to_owned(),
        ),
        Refusal::CameraCannot => Error::CameraCannot(
            "The camera does not have this to adjust, or not like this; Status says what it has."
                .to_owned(),
        ),
        Refusal::CameraValue => Error::CameraValue(
            "The camera does not have this value; Status says which it has.".to_owned(),
        ),
        Refusal::PresetUnknown => Error::PresetUnknown(
            "The camera has no saved position of this name or number; Status lists those that it \
             has."
                .to_owned(),
        ),
        Refusal::PresetName => Error::PresetName(
            "The name of a saved position has 1 to 40 characters, and no control characters."
                .to_owned(),
        ),
        Refusal::PresetsFull => Error::PresetsFull(
            "The camera keeps no further positions; delete one first.".to_owned(),
        ),
        Refusal::ContentUnknown => Error::ContentUnknown(
            "The room has no content input of this name, or it is not plugged in; Status names \
             those that there are."
                .to_owned(),
        ),
        Refusal::ContentNoPicture => Error::ContentNoPicture(
            "The content input has no picture; check cable and laptop, and see its signal in \
             Status."
                .to_owned(),
        ),
        Refusal::ContentProtected => Error::ContentProtected(
            "The picture is copy-protected (HDCP); close the protected content, or turn HDCP off \
             at the laptop."
                .to_owned(),
        ),
        Refusal::InCall => Error::InCall(IN_CALL.to_owned()),
        Refusal::SoundTestRuns => Error::SoundTestRuns(SOUND_TEST_RUNS.to_owned()),
        Refusal::MicrophoneMuted => Error::MicrophoneMuted(MICROPHONE_MUTED.to_owned()),
        Refusal::MicrophoneMissing => Error::MicrophoneMissing(MICROPHONE_MISSING.to_owned()),
        Refusal::LoudspeakerMissing => Error::LoudspeakerMissing(LOUDSPEAKER_MISSING.to_owned()),
        Refusal::CalendarReadOnly => Error::CalendarReadOnly(
            "The calendar is a file or a feed, which takes no answers; use CalDAV.".to_owned(),
        ),
        Refusal::NotInvited => Error::NotInvited(
            "The room is not among the attendees of this entry under an address it knows."
                .to_owned(),
        ),
        Refusal::CalendarConflict => Error::CalendarConflict(
            "Others changed the entry at the same time; look at it, then try again.".to_owned(),
        ),
        Refusal::CalendarRefused => Error::CalendarRefused(
            "The calendar's server refuses the answer; check what the room's account may do."
                .to_owned(),
        ),
        Refusal::CalendarUnreachable => Error::CalendarUnreachable(
            "The calendar's server does not answer; try again when it does.".to_owned(),
        ),
    }
}

fn busy() -> Error {
    Error::Busy("roomd is starting, stopping or overloaded; try again.".to_owned())
}
