// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Sessions and pairing over HTTP.
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{COOKIE, ORIGIN, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::sessions::{Kind, UNUSED_DAYS};
use super::{App, headers};
use crate::limits::{Bucket, PerAddress};
use crate::pairing::{Redeemed, Shown};

const COOKIE_NAME: &str = "roomd_panel";

/// How often clients may try to become a panel.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) tries: PerAddress,
    codes: Bucket,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            tries: PerAddress::new(20, 0.5),
            // A stranger in the network must not be able to fill the display with codes.
            codes: Bucket::new(3, 1.0 / 20.0, Instant::now()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenBody {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeBody {
    code: String,
}

/// Tells a page whether it is a panel.
pub(super) async fn session(State(app): State<Arc<App>>, request: HeaderMap) -> Response {
    match panel(&app, &request) {
        Some(kind) => {
            let local = kind == Kind::Wired;
            Json(json!({"paired": true, "local": local})).into_response()
        }
        None => unauthorized(),
    }
}

/// Makes the wired panel's browser a panel.
pub(super) async fn open_session(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HeaderMap,
    Json(body): Json<TokenBody>,
) -> Response {
    if let Some(refusal) = turn_away(&app, peer.ip(), &request) {
        return refusal;
    }
    let right = body.token.as_bytes().ct_eq(app.local_token.as_bytes());
    if !bool::from(right) {
        return unauthorized();
    }
    with_cookie(&app.sessions.add_local())
}

/// Shows a pairing code on the room's display.
pub(super) async fn show_code(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HeaderMap,
) -> Response {
    if let Some(refusal) = turn_away(&app, peer.ip(), &request) {
        return refusal;
    }
    if app.desk.shown().borrow().is_none() {
        let mut limits = app.limits.lock().unwrap_or_else(PoisonError::into_inner);
        if !limits.codes.take(Instant::now()) {
            return too_many(limits.codes.wait());
        }
    }
    match app.desk.show() {
        Shown::Fresh | Shown::Already => StatusCode::NO_CONTENT.into_response(),
        Shown::Locked { retry_after } => too_many(retry_after),
    }
}

/// Makes a tablet that gives the code a panel.
pub(super) async fn pair(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HeaderMap,
    Json(body): Json<CodeBody>,
) -> Response {
    if let Some(refusal) = turn_away(&app, peer.ip(), &request) {
        return refusal;
    }
    match app.desk.redeem(&body.code) {
        Redeemed::Paired => {}
        Redeemed::Wrong { tries_left } => {
            let body = Json(json!({"triesLeft": tries_left}));
            return (StatusCode::FORBIDDEN, body).into_response();
        }
        Redeemed::Gone => return StatusCode::GONE.into_response(),
        Redeemed::Locked { retry_after } => return too_many(retry_after),
    }
    match app.sessions.add_paired(Utc::now()) {
        Ok(token) => {
            tracing::info!("a panel was paired");
            with_cookie(&token)
        }
        Err(error) => {
            tracing::warn!(%error, "cannot keep the list of paired panels");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What kind of panel sent this request; none without a session.
pub(super) fn panel(app: &App, headers: &HeaderMap) -> Option<Kind> {
    let token = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE_NAME).then_some(value))?;
    app.sessions.find(token, Utc::now())
}

pub(super) fn unauthorized() -> Response {
    StatusCode::UNAUTHORIZED.into_response()
}

/// The request comes from a page of the room's own origin.
pub(super) fn is_same_origin(request: &HeaderMap) -> bool {
    let origin = request.get(ORIGIN).and_then(|value| value.to_str().ok());
    let Some((origin, host)) = origin.zip(headers::host(request)) else {
        return false;
    };
    origin
        .strip_prefix("https://")
        .is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

pub(super) fn too_many(retry_after: Duration) -> Response {
    let seconds = retry_after.as_secs_f64().ceil().max(1.0) as u64;
    let body = Json(json!({"retryAfterSeconds": seconds}));
    let header = [(RETRY_AFTER, HeaderValue::from(seconds))];
    (StatusCode::TOO_MANY_REQUESTS, header, body).into_response()
}

/// Other pages' scripts stay out, and so do clients that try too often. A client that names no
/// origin is no browser, and gains nothing from a browser's cookies.
fn turn_away(app: &App, peer: IpAddr, request: &HeaderMap) -> Option<Response> {
    if request.contains_key(ORIGIN) && !is_same_origin(request) {
        return Some(StatusCode::FORBIDDEN.into_response());
    }
    let mut limits = app.limits.lock().unwrap_or_else(PoisonError::into_inner);
    limits.tries.take(peer, Instant::now()).err().map(too_many)
}

fn with_cookie(token: &str) -> Response {
    let age = Duration::from_secs(86_400).as_secs() * UNUSED_DAYS.unsigned_abs();
    let cookie =
        format!("{COOKIE_NAME}={token}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;

    use super::*;

    #[test]
    fn only_the_rooms_own_origin_is_the_same() {
        let check = |origin: Option<&'static str>, expected: bool| {
            let mut request = HeaderMap::new();
            request.insert(HOST, HeaderValue::from_static("room.example:8443"));
            if let Some(origin) = origin {
                request.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_same_origin(&request), expected, "{origin:?}");
        };
        check(Some("https://room.example:8443"), true);
        check(Some("https://ROOM.example:8443"), true);
        check(Some("http://room.example:8443"), false);
        check(Some("https://room.example"), false);
        check(Some("https://evil.example"), false);
        check(Some("null"), false);
        check(None, false);
    }
}
