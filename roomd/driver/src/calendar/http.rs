// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HTTP towards the calendar: one host, verified certificates, bounded answers.

use std::{path::Path, time::Duration};

use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use roomd_bookings::MAX_CALENDAR_BYTES;
use roomd_model::{FaultCode, Pii, Secret};
use url::Url;

use crate::http::{self, Failure, Reach, same_origin};

const CONNECT: Duration = Duration::from_secs(8);
const TOTAL: Duration = Duration::from_secs(25);

/// Why the calendar could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the address is neither HTTPS nor on this machine, or on another host")]
    Address,
    #[error("the certificate authority's file cannot be read")]
    Authority,
    #[error("the password's file cannot be read")]
    Password,
    #[error("the server does not answer")]
    Unreachable,
    #[error("the server's certificate does not verify or the connection broke")]
    Connection,
    #[error("the server refuses the account")]
    Refused,
    #[error("the server answers with status {0}")]
    Status(u16),
    #[error("the answer is too large")]
    TooLarge,
    #[error("the answer is not what was asked for")]
    Unexpected,
    #[error("the server has no calendar for this account")]
    NoCalendar,
    #[error("the file cannot be read")]
    File,
}

impl FetchError {
    pub const fn fault(self) -> FaultCode {
        match self {
            Self::Refused | Self::Address | Self::NoCalendar | Self::Password => {
                FaultCode::CalendarRefused
            }
            Self::Authority
            | Self::Unreachable
            | Self::Connection
            | Self::Status(_)
            | Self::TooLarge
            | Self::Unexpected
            | Self::File => FaultCode::CalendarUnreachable,
        }
    }
}

#[derive(Debug)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Where the answer came from, after redirects.
    pub url: Url,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of a success.
    pub fn success(self) -> Result<Self, FetchError> {
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(FetchError::Refused),
            status if status.is_success() => Ok(self),
            status => Err(FetchError::Status(status.as_u16())),
        }
    }
}

/// A client that talks to one host.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    base: Pii<Url>,
    account: Option<(Pii<String>, Secret)>,
}

impl Http {
    pub async fn new(
        base: &Pii<Url>,
        ca_file: Option<&Path>,
        account: Option<(Pii<String>, Secret)>,
    ) -> Result<Self, FetchError> {
        if !http::is_secure(base.expose()) {
            return Err(FetchError::Address);
        }
        let reach = Reach {
            local: http::is_local(base.expose()),
            ca_file,
            connect: CONNECT,
            total: Some(TOTAL),
        };
        let client = http::client(reach)
            .await
            .map_err(|_| FetchError::Authority)?;
        Ok(Self {
            client,
            base: base.clone(),
            account,
        })
    }

    /// An address that the server named, if it is on the same host.
    pub fn resolve(&self, from: &Url, href: &str) -> Result<Url, FetchError> {
        let url = from.join(href).map_err(|_| FetchError::Unexpected)?;
        same_origin(self.base.expose(), &url)
            .then_some(url)
            .ok_or(FetchError::Address)
    }

    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> Result<Reply, FetchError> {
        if !same_origin(self.base.expose(), url) {
            return Err(FetchError::Address);
        }
        let mut request = self.client.request(method, url.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((username, password)) = &self.account {
            request = request.basic_auth(username.expose(), Some(password.expose()));
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if bytes.len() + chunk.len() > MAX_CALENDAR_BYTES {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status: response.status(),
            headers: response.headers().clone(),
            url: response.url().clone(),
            body: bytes,
        })
    }
}

fn classify(error: &reqwest::Error) -> FetchError {
    match http::failure(error) {
        Failure::OtherHost => FetchError::Address,
        Failure::Unreachable => FetchError::Unreachable,
        Failure::Tls | Failure::Broke | Failure::Nonsense => FetchError::Connection,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_on_other_hosts_are_refused() {
        let base = Url::parse("https://calendar.example.org/dav/").unwrap();
        let http = Http::new(&Pii::new(base.clone()), None, None)
            .await
            .unwrap();
        assert!(http.resolve(&base, "/dav/a.ics").is_ok());
        for href in [
            "https://evil.example/a",
            "//evil.example/a",
            "http://calendar.example.org/a",
        ] {
            assert_eq!(http.resolve(&base, href), Err(FetchError::Address));
        }
    }
}
