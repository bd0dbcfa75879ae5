// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One request and its answer.

use std::pin::pin;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use roomd_conference::{ChannelEvent, HttpRequest, Method, Refusal};
use roomd_model::Pii;
use tokio::time::timeout;

use super::Reporter;
use super::clients::{Clients, refusal};
use super::line::{Closing, Ending};

/// How long a request may take, with its answer.
const TOTAL: Duration = Duration::from_secs(30);
/// The largest answer.
const MAX_BODY: usize = 1024 * 1024;

pub(super) async fn run(
    clients: &Clients,
    request: HttpRequest,
    reporter: &Reporter,
    mut closing: Closing,
) {
    let mut asking = pin!(timeout(TOTAL, ask(clients, request)));
    tokio::select! {
        answer = &mut asking => match answer.unwrap_or(Err(Refusal::Unreachable)) {
            Ok((status, body)) => reporter.tell(ChannelEvent::Response { status, body }).await,
            Err(refusal) => reporter.refused(refusal).await,
        },
        ending = closing.begun() => if ending == Ending::Abandoned {
            // A farewell is still to reach the server; nobody waits for the answer.
            let _ = asking.await;
        },
    }
}

async fn ask(clients: &Clients, request: HttpRequest) -> Result<(u16, Pii<String>), Refusal> {
    let url = request.url.expose();
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut asked = clients.client(url).await?.request(method, url.clone());
    if let Some(bearer) = &request.bearer {
        asked = asked.bearer_auth(bearer.expose());
    }
    if let Some(json) = request.json {
        asked = asked
            .header(CONTENT_TYPE, "application/json")
            .body(json.into_inner());
    }
    let mut answer = asked.send().await.map_err(|error| refusal(&error))?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| refusal(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Refusal::Unexpected);
        }
        body.extend_from_slice(&chunk);
    }
    // The status matters even where the text is in some other encoding.
    let body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok((answer.status().as_u16(), Pii::new(body)))
}
