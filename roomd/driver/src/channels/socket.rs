// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A WebSocket (RFC 6455) to a server, on the connections and certificates of the HTTP client.

use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use reqwest::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{StatusCode, Upgraded};
use roomd_conference::{ChannelEvent, Refusal};
use roomd_model::{Pii, Secret};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Error};
use url::Url;

use super::clients::{CONNECT, Clients, refusal};
use super::line::{Closing, Inbox, Message};
use super::{FAREWELL, Reporter};

/// The largest message.
const MAX_MESSAGE: usize = 2 * 1024 * 1024;
const READ_BUFFER: usize = 32 * 1024;
/// How long a server may take for one message.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

type Target = (Pii<Url>, Option<Secret>);

pub(super) async fn run(
    clients: &Clients,
    target: Target,
    reporter: &Reporter,
    mut inbox: Inbox,
    mut closing: Closing,
) {
    let opened = tokio::select! {
        opened = timeout(CONNECT, open(clients, target)) => opened,
        // Nothing was promised yet.
        _ = closing.begun() => return,
    };
    let socket = match opened.unwrap_or(Err(Refusal::Unreachable)) {
        Ok(socket) => socket,
        Err(refusal) => return reporter.refused(refusal).await,
    };
    reporter.tell(ChannelEvent::Opened).await;
    let (mut sink, mut stream) = socket.split();
    // Reading may wait for the session, writing for the server; neither waits for the other.
    let lost = tokio::select! {
        sent = write(&mut inbox, &mut sink) => sent.is_err(),
        () = read(&mut stream, reporter) => true,
    };
    if lost {
        reporter.tell(ChannelEvent::Closed).await;
        // The server may be gone, and then nobody needs a farewell.
        let _ = timeout(FAREWELL, sink.close()).await;
    } else if sink.close().await.is_ok() {
        // The server answers the farewell; whatever else it says, nobody listens.
        while let Some(Ok(_)) = stream.next().await {}
    }
}

async fn open(
    clients: &Clients,
    (url, bearer): Target,
) -> Result<WebSocketStream<Upgraded>, Refusal> {
    let url = over_http(url.expose())?;
    let key = generate_key();
    let mut request = clients
        .client(&url)
        .await?
        .get(url)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    if let Some(bearer) = &bearer {
        request = request.bearer_auth(bearer.expose());
    }
    let answer = request.send().await.map_err(|error| refusal(&error))?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Refusal::Status(answer.status().as_u16()));
    }
    if !accepts(answer.headers(), &key) {
        return Err(Refusal::Unexpected);
    }
    let upgraded = answer.upgrade().await.map_err(|error| refusal(&error))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// The address of the request that turns into a WebSocket.
fn over_http(url: &Url) -> Result<Url, Refusal> {
    let scheme = match url.scheme() {
        "wss" => "https",
        "ws" => "http",
        _ => return Err(Refusal::Address),
    };
    let mut url = url.clone();
    url.set_scheme(scheme).map_err(|()| Refusal::Address)?;
    Ok(url)
}

/// The server read the request, and adds nothing that was not asked for.
fn accepts(headers: &HeaderMap, key: &str) -> bool {
    let is = |name, wanted: &str| {
        headers.get(name).is_some_and(|found| {
            found
                .to_str()
                .is_ok_and(|found| found.eq_ignore_ascii_case(wanted))
        })
    };
    let accepted = headers
        .get(SEC_WEBSOCKET_ACCEPT)
        .is_some_and(|found| found == derive_accept_key(key.as_bytes()).as_str());
    accepted
        && is(UPGRADE, "websocket")
        && is(CONNECTION, "upgrade")
        && !headers.contains_key(SEC_WEBSOCKET_EXTENSIONS)
        && !headers.contains_key(SEC_WEBSOCKET_PROTOCOL)
}

/// Sends until the session wants no more.
async fn write<S>(inbox: &mut Inbox, sink: &mut S) -> Result<(), Error>
where
    S: Sink<tungstenite::Message, Error = Error> + Unpin,
{
    while let Some(message) = inbox.next().await {
        let message = match message {
            Message::Text(text) => tungstenite::Message::text(text.into_inner()),
            Message::Binary(bytes) => tungstenite::Message::binary(bytes.into_inner()),
        };
        timeout(WRITE_LIMIT, sink.send(message))
            .await
            .unwrap_or(Err(Error::ConnectionClosed))?;
    }
    Ok(())
}

/// Reports until the server closes or breaks the rules. Pings are answered below.
async fn read<S>(stream: &mut S, reporter: &Reporter)
where
    S: Stream<Item = Result<tungstenite::Message, Error>> + Unpin,
{
    while let Some(Ok(message)) = stream.next().await {
        match message {
            tungstenite::Message::Text(text) => {
                let text = ChannelEvent::Text(Pii::from(text.as_str()));
                reporter.tell(text).await;
            }
            tungstenite::Message::Binary(bytes) => {
                let bytes = ChannelEvent::Binary(Pii::new(bytes.into()));
                reporter.tell(bytes).await;
            }
            tungstenite::Message::Ping(_)
            | tungstenite::Message::Pong(_)
            | tungstenite::Message::Close(_)
            | tungstenite::Message::Frame(_) => {}
        }
    }
}
