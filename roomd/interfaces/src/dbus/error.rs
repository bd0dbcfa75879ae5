// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::{Refusal, Reply};

use crate::SnapshotError;

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

/// Turns the room's answer into D-Bus's.
pub(super) fn answer(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Accepted => Ok(()),
        Reply::Refused { refusal } => Err(explain(refusal)),
    }
}

fn explain(refusal: Refusal) -> Error {
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
    }
}

fn busy() -> Error {
    Error::Busy("roomd is starting, stopping or overloaded; try again.".to_owned())
}
