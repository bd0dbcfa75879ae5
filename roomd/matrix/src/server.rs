// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Requests to the homeserver that the SDK does not make, or makes by addresses that servers lack.

use std::time::Duration;

use matrix_sdk::Client;
use reqwest::{Certificate, Method, redirect};
use roomd_matrix_port::{Failure, Why};
use roomd_model::Secret;
use serde_json::Value;
use url::Url;

use crate::settings::{Settings, is_loopback, is_secure};

const CONNECT: Duration = Duration::from_secs(8);
/// How long a request may take; a poll for news has its own time on top.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;
/// The most bytes of an answer that is read here.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Makes the one client through which everything reaches the homeserver.
pub(crate) fn http_client(settings: &Settings) -> Result<reqwest::Client, Why> {
    let url = settings.homeserver.expose();
    if !is_secure(url) {
        return Err(Why::Address);
    }
    // Installed once per process; a second time changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .user_agent(concat!("roomd/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::custom(same_origin));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|_| Why::Configuration)?;
        let roots = Certificate::from_pem_bundle(&pem).map_err(|_| Why::Configuration)?;
        builder = builder.tls_certs_merge(roots);
    }
    builder.build().map_err(|_| Why::Configuration)
}

/// A token that goes to one host goes to no other.
fn same_origin(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let first = attempt.previous().first();
    let same = first.is_some_and(|first| first.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= MAX_REDIRECTS {
        attempt.follow()
    } else {
        attempt.error("a redirect leads to another host")
    }
}

/// An answer that is no success.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is none, or the server is broken.
    Unreachable,
    /// The server says no.
    Said {
        status: u16,
        code: String,
        body: Value,
    },
}

/// What someone may ask of the homeserver.
#[derive(Clone)]
pub(crate) struct Server {
    http: reqwest::Client,
    base: Url,
    token: Secret,
}

impl Server {
    pub fn new(http: reqwest::Client, base: Url, token: Secret) -> Self {
        Self { http, base, token }
    }

    /// Asks as the account that is logged in.
    pub fn of(client: &Client) -> Self {
        Self::new(
            client.http_client().clone(),
            client.homeserver(),
            Secret::new(client.access_token().unwrap_or_default()),
        )
    }

    pub async fn get(&self, path: &[&str]) -> Result<Value, Refused> {
        self.call(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Refused> {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    pub async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Refused> {
        self.call(Method::PUT, path, &[], Some(body)).await
    }

    /// Every part of the path is encoded by itself, so that none can add another.
    pub async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Refused> {
        let mut request = self
            .http
            .request(method, address(&self.base, path, query)?)
            .timeout(ANSWER)
            .bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.map_err(|_| Refused::Unreachable)?;
        read(response).await
    }
}

fn address(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Refused> {
    // Such a part is not encoded but taken out, which would make it another address.
    if path.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(Refused::Said {
            status: 400,
            code: String::new(),
            body: Value::Null,
        });
    }
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments
            .pop_if_empty()
            .extend(["_matrix", "client"])
            .extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

async fn read(mut response: reqwest::Response) -> Result<Value, Refused> {
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Refused::Unreachable)? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Refused::Unreachable);
        }
        bytes.extend_from_slice(&chunk);
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    if status.is_server_error() {
        return Err(Refused::Unreachable);
    }
    let code = body["errcode"].as_str().unwrap_or_default().to_owned();
    Err(Refused::Said {
        status: status.as_u16(),
        code,
        body,
    })
}

impl Refused {
    /// What a session is told where a request gives it no other meaning.
    pub fn failure(&self) -> Failure {
        let Self::Said { status, code, body } = self else {
            return Failure::Unreachable;
        };
        match (*status, code.as_str()) {
            (429, _) => Failure::TooMany {
                retry_after_ms: body["retry_after_ms"].as_u64().unwrap_or(1000),
            },
            // A revoked token: the account logs in anew or ends, and says so.
            (401, _) => Failure::Unreachable,
            (404 | 405, "M_UNRECOGNIZED" | "") => Failure::Unsupported,
            (404, _) => Failure::Gone,
            (403, _) => Failure::Forbidden,
            (400 | 413, _) => Failure::BadRequest,
            (status, _) => Failure::Status { status },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: &str) -> Refused {
        Refused::Said {
            status,
            code: code.to_owned(),
            body: serde_json::json!({"retry_after_ms": 7}),
        }
    }

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        let base = Url::parse("https://example.org/").unwrap();
        let url = address(
            &base,
            &["v3", "rooms", "!a/../b?c#d", ""],
            &[("via", "e&f")],
        );
        assert_eq!(
            url.ok().map(String::from).as_deref(),
            Some("https://example.org/_matrix/client/v3/rooms/!a%2F..%2Fb%3Fc%23d/?via=e%26f")
        );
        assert!(address(&base, &["v3", ".."], &[]).is_err());
    }

    #[test]
    fn refusals_have_a_meaning() {
        for (refused, expected) in [
            (Refused::Unreachable, Failure::Unreachable),
            (
                said(429, "M_LIMIT_EXCEEDED"),
                Failure::TooMany { retry_after_ms: 7 },
            ),
            (said(401, "M_UNKNOWN_TOKEN"), Failure::Unreachable),
            (said(404, "M_UNRECOGNIZED"), Failure::Unsupported),
            (said(404, "M_NOT_FOUND"), Failure::Gone),
            (said(403, "M_FORBIDDEN"), Failure::Forbidden),
            (said(413, "M_TOO_LARGE"), Failure::BadRequest),
            (said(409, ""), Failure::Status { status: 409 }),
        ] {
            assert_eq!(refused.failure(), expected);
        }
    }

    #[test]
    fn other_addresses_and_bad_authorities_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let ca = directory.path().join("ca.pem");
        std::fs::write(&ca, "no certificate").unwrap();
        let mut settings = Settings {
            homeserver: Url::parse("http://matrix.example.org").unwrap().into(),
            user: "room".into(),
            login: crate::Login::Password("password".into()),
            store: "store".into(),
            device_name: "Room".into(),
            ca_file: None,
            recovery_key_file: None,
        };
        assert_eq!(http_client(&settings).err(), Some(Why::Address));
        settings.homeserver = Url::parse("https://matrix.example.org").unwrap().into();
        assert!(http_client(&settings).is_ok());
        settings.ca_file = Some(ca.with_extension("missing"));
        assert_eq!(http_client(&settings).err(), Some(Why::Configuration));
    }
}
