// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Why something did not work.

use serde::{Deserialize, Serialize};

/// A request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The homeserver does not answer, or answers that it is broken. Asking again may help.
    #[error("the homeserver does not answer")]
    Unreachable,
    /// The homeserver wants fewer requests.
    #[error("the homeserver wants fewer requests")]
    TooMany {
        /// Asking again helps after this time.
        retry_after_ms: u64,
    },
    /// The room or its alias does not exist, or no server that was named knows it.
    #[error("the room is not known")]
    UnknownRoom,
    /// The room lets only invited accounts in.
    #[error("the room is for invited accounts")]
    InviteOnly,
    /// The room has banned the account.
    #[error("the account is banned from the room")]
    Banned,
    /// The room or the homeserver does not allow it.
    #[error("not allowed")]
    Forbidden,
    /// The account is not in the room.
    #[error("the account is not in the room")]
    NotInRoom,
    /// There is no such event, or it is gone.
    #[error("there is no such event")]
    Gone,
    /// The homeserver cannot do this.
    #[error("the homeserver cannot do this")]
    Unsupported,
    /// The request makes no sense, or is larger than allowed.
    #[error("the request makes no sense")]
    BadRequest,
    /// The homeserver answered with something else.
    #[error("the homeserver answers with status {status}")]
    Status {
        /// The status (RFC 9110).
        status: u16,
    },
    /// Encryption or the account's store failed.
    #[error("encryption failed")]
    Encryption,
    /// The account cannot be used at all.
    #[error("{0}")]
    Account(Why),
}

impl Failure {
    /// Asking again may help.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::TooMany { .. })
    }
}

/// Why the account cannot be used. Only a person can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The homeserver refuses the user or the password, or has deactivated the account.
    #[error("the homeserver refuses the login")]
    LoginRefused,
    /// The homeserver offers no login with a password.
    #[error("the homeserver takes no password")]
    NoPasswordLogin,
    /// The access token was revoked and there is no password to log in anew.
    #[error("the access token was revoked")]
    TokenRevoked,
    /// A file of the configuration cannot be read or holds nothing usable.
    #[error("a file of the account's configuration cannot be used")]
    Configuration,
    /// The address is neither encrypted nor on this machine, or no homeserver.
    #[error("the homeserver's address cannot be used")]
    Address,
    /// The account's store cannot be opened or does not belong to this account.
    #[error("the account's store cannot be used")]
    Store,
    /// The daemon stops.
    #[error("the account was stopped")]
    Stopped,
}
