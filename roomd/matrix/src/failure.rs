// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the SDK's errors mean to a session.

use std::time::Duration;

use matrix_sdk::ruma::api::error::{ErrorKind, RetryAfter};
use matrix_sdk::{Error, HttpError};
use roomd_matrix_port::Failure;

/// What to say when the server wants a pause and does not say how long.
const PAUSE: Duration = Duration::from_secs(1);

/// What a session is told where a request gives the error no other meaning.
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's errors grow")]
pub(crate) fn of(error: &Error) -> Failure {
    match error {
        Error::Http(error) => of_http(error),
        Error::WrongRoomState(_) => Failure::NotInRoom,
        Error::Identifier(_) | Error::Url(_) => Failure::BadRequest,
        Error::ConcurrentRequestFailed | Error::Timeout => Failure::Unreachable,
        // Whatever else there is concerns keys and the store.
        _ => Failure::Encryption,
    }
}

fn of_http(error: &HttpError) -> Failure {
    if let HttpError::Cached(error) = error {
        return of_http(error);
    }
    if matches!(error, HttpError::IntoHttp(_)) {
        return Failure::BadRequest;
    }
    // The server wants a proof that there is none for, or the wrong one was given.
    if error.as_uiaa_response().is_some() {
        return Failure::Forbidden;
    }
    let Some(answer) = error.as_client_api_error() else {
        return Failure::Unreachable;
    };
    let status = answer.status_code.as_u16();
    match (status, answer.error_kind()) {
        (_, Some(ErrorKind::LimitExceeded(limit))) => too_many(limit.retry_after.as_ref()),
        (429, _) => too_many(None),
        // A revoked token: the account logs in anew or ends, and says so.
        (401, _) | (500.., _) => Failure::Unreachable,
        (404 | 405, Some(ErrorKind::Unrecognized) | None) => Failure::Unsupported,
        (404, _) => Failure::Gone,
        (403, _) => Failure::Forbidden,
        (400 | 413, _) => Failure::BadRequest,
        _ => Failure::Status { status },
    }
}

fn too_many(retry_after: Option<&RetryAfter>) -> Failure {
    let pause = match retry_after {
        Some(RetryAfter::Delay(pause)) => *pause,
        Some(RetryAfter::DateTime(_)) | None => PAUSE,
    };
    Failure::TooMany {
        retry_after_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
    }
}
