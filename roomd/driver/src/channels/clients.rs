// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The HTTP clients of one session, made when they are needed: most meetings need none.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Client;
use roomd_conference::Refusal;
use tokio::sync::OnceCell;
use url::Url;

use crate::http::{self, Failure, Reach};

pub(super) const CONNECT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Clients {
    ca_file: Option<PathBuf>,
    local: OnceCell<Client>,
    remote: OnceCell<Client>,
}

impl Clients {
    pub fn new(ca_file: Option<PathBuf>) -> Self {
        Self {
            ca_file,
            local: OnceCell::new(),
            remote: OnceCell::new(),
        }
    }

    /// The client for an address, if that is a secure one.
    pub async fn client(&self, url: &Url) -> Result<&Client, Refusal> {
        if !http::is_secure(url) {
            return Err(Refusal::Address);
        }
        let local = http::is_local(url);
        let reach = Reach {
            local,
            ca_file: self.ca_file.as_deref(),
            connect: CONNECT,
            total: None,
        };
        let cell = if local { &self.local } else { &self.remote };
        let client = cell.get_or_try_init(|| http::client(reach)).await;
        client.map_err(|error| {
            tracing::warn!(%error, "the room cannot tell whom to trust");
            Refusal::Certificate
        })
    }
}

pub(super) fn refusal(error: &reqwest::Error) -> Refusal {
    match http::failure(error) {
        Failure::OtherHost => Refusal::Address,
        Failure::Tls => Refusal::Certificate,
        Failure::Unreachable | Failure::Broke => Refusal::Unreachable,
        Failure::Nonsense => Refusal::Unexpected,
    }
}
