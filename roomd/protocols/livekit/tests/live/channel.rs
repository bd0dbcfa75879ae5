// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the driver does with a channel.

use futures_util::{SinkExt as _, StreamExt as _};
use roomd_conference::{ChannelCommand, ChannelEvent, ChannelId, Endpoint, Refusal};
use roomd_model::Pii;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::server::http;

pub async fn run(
    channel: ChannelId,
    endpoint: Endpoint,
    mut commands: mpsc::UnboundedReceiver<ChannelCommand>,
    tell: mpsc::UnboundedSender<(ChannelId, ChannelEvent)>,
) {
    let tell = |event| {
        let _ = tell.send((channel, event));
    };
    let (url, bearer) = match endpoint {
        Endpoint::WebSocket { url, bearer } => (url, bearer),
        Endpoint::Http(request) => {
            let url = request.url.expose();
            let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
            let token = request.bearer.as_ref().map_or("", |token| token.expose());
            let (status, body) = http(url.port().unwrap(), "GET", &path, token, "").await;
            let body = Pii::new(body);
            return tell(ChannelEvent::Response { status, body });
        }
        Endpoint::Service(_) => panic!("no service"),
    };
    let mut request = url.expose().as_str().into_client_request().unwrap();
    let token = format!("Bearer {}", bearer.unwrap().expose());
    let headers = request.headers_mut();
    headers.insert("Authorization", token.parse().unwrap());
    let mut socket = match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => socket,
        Err(Error::Http(answer)) => {
            let status = Refusal::Status(answer.status().as_u16());
            return tell(ChannelEvent::Refused(status));
        }
        Err(_) => return tell(ChannelEvent::Refused(Refusal::Unreachable)),
    };
    tell(ChannelEvent::Opened);
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(ChannelCommand::Binary(bytes)) => {
                    let message = Message::Binary(bytes.into_inner().into());
                    if socket.send(message).await.is_err() {
                        return tell(ChannelEvent::Closed);
                    }
                }
                Some(ChannelCommand::Close) => {
                    let _ = socket.close(None).await;
                    return;
                }
                // The test has cut the wire.
                None => return tell(ChannelEvent::Closed),
                Some(_) => panic!("an unexpected command"),
            },
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    tell(ChannelEvent::Binary(Pii::new(bytes.to_vec())));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return tell(ChannelEvent::Closed),
                Some(Ok(_)) => {}
            },
        }
    }
}
