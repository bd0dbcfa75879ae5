// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Why a server is of no use.

/// Why a TURN server is of no use. The text is a code for operators, without any address or name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Its URL cannot be read (RFC 7065).
    #[error("turn_url_malformed")]
    Url,
    /// User or password is not given.
    #[error("turn_credentials_missing")]
    NoCredentials,
    /// Its name has no address.
    #[error("turn_name_unresolved")]
    Unresolved,
    /// The machine has no address to reach it from.
    #[error("turn_no_local_address")]
    NoAddress,
    /// Nothing listens there, or nothing leads there.
    #[error("turn_unreachable")]
    Unreachable,
    /// It does not answer in time.
    #[error("turn_silent")]
    Silent,
    /// The file with the extra authority cannot be read or holds no certificate.
    #[error("turn_authority_unreadable")]
    Authority,
    /// Its certificate does not verify.
    #[error("turn_certificate_not_trusted")]
    Certificate,
    /// TLS failed in another way.
    #[error("turn_tls_failed")]
    Tls,
    /// The user, the password, or what the user may do (401, 403, 441).
    #[error("turn_credentials_refused")]
    Refused,
    /// A quota or the capacity (486, 508).
    #[error("turn_server_full")]
    Full,
    /// The server has no address of the family that was asked for (440).
    #[error("turn_family_unsupported")]
    Family,
    /// Another error code, or an allocation that cannot be used.
    #[error("turn_allocation_refused")]
    NotAllocated,
    /// It answers with something else than TURN.
    #[error("turn_answer_malformed")]
    Malformed,
    /// The connection to it was lost after it had relayed.
    #[error("turn_connection_lost")]
    Lost,
    /// The protocol's state machine gave up in an unforeseen way.
    #[error("turn_client_broke")]
    Broke,
}

impl Failure {
    /// Whether the server may be of use a little later; otherwise it would say the same again.
    pub(super) const fn is_passing(self) -> bool {
        match self {
            Self::Lost
            | Self::Silent
            | Self::Unreachable
            | Self::Unresolved
            | Self::Tls
            | Self::Full => true,
            Self::Url
            | Self::NoCredentials
            | Self::NoAddress
            | Self::Authority
            | Self::Certificate
            | Self::Refused
            | Self::Family
            | Self::NotAllocated
            | Self::Malformed
            | Self::Broke => false,
        }
    }

    /// What an error response to an allocation means (RFC 8656, section 7.4).
    pub(super) const fn of_code(code: u16) -> Self {
        match code {
            401 | 403 | 441 => Self::Refused,
            440 => Self::Family,
            486 | 508 => Self::Full,
            _ => Self::NotAllocated,
        }
    }
}
