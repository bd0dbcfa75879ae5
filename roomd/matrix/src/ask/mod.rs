// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a session asks, one function each.

mod devices;
mod join;
mod rooms;
mod rtc;

use std::time::Duration;

use matrix_sdk::ruma::OwnedRoomId;
use matrix_sdk::{Client, Room, RoomState};
use roomd_matrix_port::{ANSWER_WITHIN, Ask, Done, Failure, MAX_EVENT_BYTES, Me, RoomId};
use roomd_model::Pii;
use serde_json::Value;
use tokio::sync::watch;

use crate::files::Files;
use crate::room::Watched;
use crate::server::Server;

/// For everything but a join, which may need other servers.
const SOON: Duration = Duration::from_secs(25);

/// Leaves time for the answer itself.
const JOIN: Duration = ANSWER_WITHIN.saturating_sub(Duration::from_secs(5));

/// What a request needs to be carried out.
#[derive(Clone)]
pub(crate) struct Context {
    pub client: Client,
    pub files: Files,
    pub me: Me,
    /// Counts polls: whoever waits for something to arrive waits for the next.
    pub polls: watch::Receiver<u64>,
}

/// What the session's record has to learn from a request.
pub(crate) enum Then {
    Nothing,
    Watch(OwnedRoomId, Box<Watched>),
    Knocked(OwnedRoomId),
}

type Outcome = Result<(Done, Then), Failure>;

/// Carries a request out, in a bounded time.
pub(crate) async fn carry_out(context: Context, ask: Ask) -> Outcome {
    let within = if matches!(ask, Ask::Join { .. }) {
        JOIN
    } else {
        SOON
    };
    let outcome = tokio::time::timeout(within, dispatch(context, ask)).await;
    outcome.unwrap_or(Err(Failure::Unreachable))
}

async fn dispatch(context: Context, ask: Ask) -> Outcome {
    let client = &context.client;
    let server = Server::of(client);
    let done = match ask {
        Ask::Join { room, via, reason } => {
            return join::join(context, room.expose(), &via, reason).await;
        }
        Ask::Leave { room } => join::leave(context.clone(), &room).await,
        Ask::Transports => rtc::transports(client).await,
        Ask::OpenIdToken => rtc::open_id_token(&server, &context.me).await,
        Ask::SetState {
            room,
            kind,
            state_key,
            content,
        } => rooms::set_state(client, &room, &kind, &state_key, &content).await,
        Ask::DelayState {
            room,
            kind,
            state_key,
            content,
            delay_ms,
        } => {
            let state = rtc::State {
                room: &room,
                kind: &kind,
                key: &state_key,
                content: &content,
            };
            rtc::delay_state(client, &state, delay_ms).await
        }
        Ask::Delayed { delay, action } => rtc::delayed(&server, &delay, action).await,
        Ask::CancelOthers {
            room,
            kind,
            state_key,
            but,
        } => rtc::cancel_others(&server, (&room, &kind, &state_key), &but).await,
        Ask::ToDevice {
            kind,
            content,
            recipients,
        } => devices::send(client, &kind, &content, &recipients).await,
        Ask::SendMessage { room, text } => rooms::send_message(client, &room, &text).await,
        Ask::React { room, event, key } => rooms::react(client, &room, &event, &key).await,
        Ask::Reactions { room, event } => rooms::reactions(client, &room, &event).await,
        Ask::Redact { room, event } => rooms::redact(client, &room, &event).await,
        Ask::Invite { room, user } => rooms::invite(client, &room, &user).await,
        Ask::Kick { room, user } => rooms::kick(client, &room, &user).await,
    };
    done.map(|done| (done, Then::Nothing))
}

/// A room that the account is in.
fn joined(client: &Client, room: &RoomId) -> Result<Room, Failure> {
    let id = OwnedRoomId::try_from(room.expose()).map_err(|_| Failure::BadRequest)?;
    let room = client.get_room(&id).ok_or(Failure::NotInRoom)?;
    (room.state() == RoomState::Joined)
        .then_some(room)
        .ok_or(Failure::NotInRoom)
}

/// A content that the server would take.
fn object(content: &Pii<Value>) -> Result<&Value, Failure> {
    let content = content.expose();
    (content.is_object() && content.to_string().len() <= MAX_EVENT_BYTES / 2)
        .then_some(content)
        .ok_or(Failure::BadRequest)
}
