// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `GET /metrics`, for whoever bears the operator's token.
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::{App, auth};
use crate::metrics;

/// Without a configured token there is no such page.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HeaderMap,
) -> Response {
    let Some(token) = &app.metrics_token else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let given = request
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let right = given.is_some_and(|given| {
        let right = given.as_bytes().ct_eq(token.expose().as_bytes());
        bool::from(right)
    });
    if !right {
        let mut limits = app.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = limits.tries.take(peer.ip(), Instant::now());
        return refused.map_or_else(auth::too_many, |()| auth::unauthorized());
    }
    match metrics::render(Arc::clone(&app.room.state().borrow())) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
