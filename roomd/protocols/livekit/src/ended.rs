// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How a connection ends.

use roomd_model::FaultCode;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The room left.
    Left,
    /// Somebody joined with the room's identity.
    DuplicateIdentity,
    /// The room was removed by somebody.
    Removed,
    /// The meeting's room was closed.
    RoomClosed,
    /// The server has no place: the meeting's room is full, or a limit of the server is reached.
    Full,
    /// The server refuses the token (401, 403).
    TokenRefused,
    /// The meeting's room does not exist (404). Where somebody else creates it, a new connection a
    /// while later may succeed.
    NoSuchRoom,
    /// The server does not know this protocol any more.
    ClientTooOld,
    /// The server shut down and did not come back in time.
    ServerShutdown,
    /// Nobody answers, or not with this protocol.
    Unreachable,
    /// The server's certificate does not verify, or its address is not secure.
    Insecure,
    /// The certificate of a media connection does not match; nothing was sent or decoded.
    NotVerified,
    /// The connection was lost and did not come back in time.
    Lost,
    /// The server ended it and did not say why.
    Disconnected,
}

impl Ended {
    /// What it is for the room; a platform may know better.
    #[must_use]
    pub const fn for_room(self) -> roomd_conference::Ended {
        use roomd_conference::Ended::{Closed, Failed, Left};
        match self {
            Self::Left => Left,
            Self::RoomClosed => Closed,
            Self::Removed | Self::DuplicateIdentity | Self::Full | Self::TokenRefused => {
                Failed(FaultCode::MeetingRefused)
            }
            Self::NoSuchRoom => Failed(FaultCode::MeetingUnknown),
            Self::ClientTooOld | Self::Unreachable | Self::Insecure => {
                Failed(FaultCode::MeetingUnreachable)
            }
            Self::NotVerified => Failed(FaultCode::PeerNotVerified),
            Self::ServerShutdown | Self::Lost | Self::Disconnected => {
                Failed(FaultCode::ConnectionLost)
            }
        }
    }
}
