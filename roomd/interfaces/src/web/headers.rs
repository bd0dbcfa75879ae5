// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, STRICT_TRANSPORT_SECURITY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::App;

const FIXED: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-robots-tag", "noindex"),
];

const GUEST_MAY: &str = "camera=(self), microphone=(self), display-capture=(self), \
    autoplay=(self), fullscreen=(self), screen-wake-lock=(self), geolocation=(), payment=(), usb=()";
const PANEL_MAY: &str = "camera=(), microphone=(), display-capture=(), fullscreen=(self), \
    screen-wake-lock=(self), geolocation=(), payment=(), usb=()";

/// Adds what every answer carries, whatever produced it.
pub(super) async fn add(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let policy = content_security_policy(request.headers());
    let path = request.uri().path();
    let is_guest = path.starts_with("/meet/") || path == "/guest.html";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(if is_guest { GUEST_MAY } else { PANEL_MAY }),
    );
    // A browser that once saw HSTS refuses to show the page after the device's own authority
    // changed, and offers no way out.
    if app.identity.borrow().authority_pem().is_none() {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=15552000"),
        );
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn content_security_policy(headers: &HeaderMap) -> HeaderValue {
    // Older browsers do not count the room's own WebSocket as 'self'.
    let socket = host(headers).map_or_else(String::new, |host| format!(" wss://{host}"));
    let policy = format!(
        "default-src 'self'; connect-src 'self'{socket}; img-src 'self' data: blob:; \
         media-src 'self' blob: mediastream:; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'"))
}

/// The host and port that the client asked for, if they look like it.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    ((1..=260).contains(&host.len()) && host.bytes().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_host_does_not_reach_the_policy() {
        let policy = |host: &'static str| {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            content_security_policy(&headers)
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert!(policy("[2001:db8::1]:8443").contains(" wss://[2001:db8::1]:8443;"));
        assert!(!policy("x; script-src *").contains("script-src"));
    }
}
