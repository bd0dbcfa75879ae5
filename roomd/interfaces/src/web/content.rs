// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `GET /api/content?input=NAME`: what a content input shows, for a panel that looks at it.
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{App, auth};
use crate::PreviewError;

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    input: String,
}

/// A picture, small. Whoever looks asks about twice a second; the input closes when nobody does.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    request: HeaderMap,
    Query(Which { input }): Query<Which>,
) -> Response {
    if auth::panel(&app, &request).is_none() {
        return auth::unauthorized();
    }
    match app.room.preview(input).await {
        Ok(picture) => ([(CONTENT_TYPE, "image/png")], picture).into_response(),
        Err(PreviewError::NoPicture) => StatusCode::NO_CONTENT.into_response(),
        Err(PreviewError::Unknown) => StatusCode::NOT_FOUND.into_response(),
        Err(PreviewError::InUse) => StatusCode::CONFLICT.into_response(),
        Err(PreviewError::Busy) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
