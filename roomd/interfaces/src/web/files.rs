// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeDir;

use super::App;

const MISSING: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>roomd</title>\
    <h1>The pages of this room are not installed</h1>\
    <p>roomd runs, but found no built pages. Build them (<code>npm run build</code> in \
    <code>kiosk/</code>), or set <code>kiosk_dir</code> in <code>roomd.toml</code> to where they \
    are.</p></html>";

/// Scripts, styles and pictures of the pages.
pub(super) fn routes(kiosk_dir: &Path) -> Router<Arc<App>> {
    Router::new()
        .fallback_service(ServeDir::new(kiosk_dir).append_index_html_on_directories(false))
        .layer(middleware::from_fn(cache))
}

/// What is named by its content never changes; whatever else there is may be another after an
/// update.
async fn cache(request: Request, next: Next) -> Response {
    let hashed = is_hashed(request.uri().path());
    let mut response = next.run(request).await;
    let status = response.status();
    let value = if !status.is_success() && status != StatusCode::NOT_MODIFIED {
        "no-store"
    } else if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
    response
}

/// The build puts a hash of the content at the end of the name: `panel-HZQ5UFOT.js`.
fn is_hashed(path: &str) -> bool {
    let name = path.strip_prefix("/assets/").unwrap_or_default();
    let hash = name
        .rsplit_once('.')
        .and_then(|(stem, _)| stem.rsplit_once('-'))
        .map_or("", |(_, hash)| hash);
    let is_base32 = |byte: u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
    hash.len() == 8 && hash.bytes().all(is_base32)
}

/// A page; read at each request, so that an update of the files shows at once.
pub(super) async fn page(kiosk_dir: &Path, name: &str) -> Response {
    match tokio::fs::read(kiosk_dir.join(name)).await {
        Ok(html) => html_response(StatusCode::OK, html),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, page = name, "cannot read a page");
            }
            let mut response =
                html_response(StatusCode::SERVICE_UNAVAILABLE, MISSING.as_bytes().to_vec());
            let soon = HeaderValue::from_static("30");
            response.headers_mut().insert(RETRY_AFTER, soon);
            response
        }
    }
}

/// The device's authority, as a file that a tablet offers to install.
pub(super) fn download(pem: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/x-x509-ca-cert"),
        (CONTENT_DISPOSITION, "attachment; filename=\"roomd-ca.pem\""),
    ];
    (headers, pem).into_response()
}

fn html_response(status: StatusCode, html: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, html).into_response()
}
