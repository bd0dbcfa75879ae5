// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What calls need of a homeserver: where media goes (MSC4143), proof of who one is (OpenID), and
//! states that are set when somebody falls silent (MSC4140).

use matrix_sdk::Client;
use matrix_sdk::ruma::api::FeatureFlag;
use reqwest::Method;
use roomd_matrix_port::{
    DelayId, DelayedAction, Done, Failure, MAX_TRANSPORTS, Me, OpenIdToken, RoomId, Transport,
};
use roomd_model::Pii;
use serde_json::{Value, json};
use url::Url;

use super::{joined, object};
use crate::server::{Refused, Server};
use crate::settings::is_secure;

type Answer = Result<Done, Failure>;

/// What a homeserver says that can hold events back. The list of what it holds back is moving to MSC4486.
const DELAYS: &str = "org.matrix.msc4140";
/// Events of one state that are cancelled at once: runs that ended within the time of a leave.
const MAX_HELD_BACK: usize = 32;

/// The homeserver's own list; without one, what the server's name says about itself (the well-known
/// file), as older servers have it.
pub(super) async fn transports(client: &Client) -> Answer {
    let path = ["unstable", "org.matrix.msc4143", "rtc", "transports"];
    let found = match Server::of(client).get(&path).await {
        Ok(answer) => list(&answer["rtc_transports"]),
        Err(Refused::Said {
            status: 404 | 405, ..
        }) => Vec::new(),
        Err(refused) => return Err(refused.failure()),
    };
    if !found.is_empty() {
        return Ok(Done::Transports(found));
    }
    let known = client.fetch_client_well_known().await;
    let known = known.map(|known| known.rtc_foci).unwrap_or_default();
    let known = serde_json::to_value(known).unwrap_or_default();
    Ok(Done::Transports(list(&known)))
}

/// The LiveKit services of a list whose addresses can be used.
fn list(transports: &Value) -> Vec<Transport> {
    let all = transports.as_array().into_iter().flatten();
    all.filter(|transport| transport["type"] == "livekit")
        .filter_map(|transport| Url::parse(transport["livekit_service_url"].as_str()?).ok())
        .filter(is_secure)
        .take(MAX_TRANSPORTS)
        .map(|url| Transport {
            livekit_service_url: Pii::new(url),
        })
        .collect()
}

pub(super) async fn open_id_token(server: &Server, me: &Me) -> Answer {
    let path = ["v3", "user", me.user.expose(), "openid", "request_token"];
    let answer = server.post(&path, &json!({})).await;
    let answer = answer.map_err(|refused| refused.failure())?;
    let token: OpenIdToken = serde_json::from_value(answer).map_err(|_| Failure::Unreachable)?;
    Ok(Done::OpenId(token))
}

/// A state to be set later.
pub(super) struct State<'a> {
    pub room: &'a RoomId,
    pub kind: &'a str,
    pub key: &'a Pii<String>,
    pub content: &'a Pii<Value>,
}

pub(super) async fn delay_state(client: &Client, state: &State<'_>, delay_ms: u64) -> Answer {
    joined(client, state.room)?;
    object(state.content)?;
    // A server that does not know the parameter would set the state at once.
    if !delays(client).await? {
        return Err(Failure::Unsupported);
    }
    let server = Server::of(client);
    match delay(&server, state, delay_ms).await {
        Ok(done) => Ok(done),
        Err(refused) => match longest(&server, &refused).await {
            Some(0) => Err(Failure::Unsupported),
            Some(most) if most < delay_ms => delay(&server, state, most)
                .await
                .map_err(|refused| refused.failure()),
            Some(_) | None => Err(refused.failure()),
        },
    }
}

async fn delays(client: &Client) -> Result<bool, Failure> {
    let features = client.unstable_features().await;
    let features = features.map_err(|error| crate::failure::of(&error.into()))?;
    Ok(features.contains(&FeatureFlag::from(DELAYS)))
}

async fn delay(server: &Server, state: &State<'_>, delay_ms: u64) -> Result<Done, Refused> {
    let room = state.room.expose();
    let path = ["v3", "rooms", room, "state", state.kind, state.key.expose()];
    let delay = delay_ms.to_string();
    let query = [("org.matrix.msc4140.delay", delay.as_str())];
    let answer = server
        .call(Method::PUT, &path, &query, Some(state.content.expose()))
        .await?;
    let id = answer["delay_id"].as_str().ok_or(Refused::Unreachable)?;
    Ok(Done::Delayed {
        delay: DelayId::new(id),
        delay_ms,
    })
}

/// The longest delay that the server takes, where its refusal may be about that.
async fn longest(server: &Server, refused: &Refused) -> Option<u64> {
    let Refused::Said {
        status: 400 | 403,
        body,
        ..
    } = refused
    else {
        return None;
    };
    if let Some(most) = body["org.matrix.msc4140.max_delay"].as_u64() {
        return Some(most);
    }
    let answer = server.get(&["v3", "capabilities"]).await.ok()?;
    answer["capabilities"]["org.matrix.msc4140.delayed_events"]["max_delay_ms"].as_u64()
}

pub(super) async fn delayed(server: &Server, id: &DelayId, action: DelayedAction) -> Answer {
    let action = match action {
        DelayedAction::Restart => "restart",
        DelayedAction::Send => "send",
        DelayedAction::Cancel => "cancel",
    };
    let path = ["unstable", DELAYS, "delayed_events", id.expose()];
    let answer = server.post(&path, &json!({"action": action})).await;
    answer.map(|_| Done::Done).map_err(|refused| match refused {
        // It was sent or cancelled meanwhile.
        Refused::Said { status: 409, .. } => Failure::Gone,
        Refused::Said { .. } | Refused::Unreachable => refused.failure(),
    })
}

/// Cancels what is held back for a state, but for one.
pub(super) async fn cancel_others(
    server: &Server,
    state: (&RoomId, &str, &Pii<String>),
    but: &DelayId,
) -> Answer {
    let list = server.get(&["unstable", DELAYS, "delayed_events"]).await;
    let list = list.map_err(|refused| match refused {
        Refused::Said {
            status: 404 | 405, ..
        } => Failure::Unsupported,
        Refused::Said { .. } | Refused::Unreachable => refused.failure(),
    })?;
    let held: Vec<_> = held_back(&list, state).collect();
    // A list without it may hold what is to be held back from now on.
    if !held.contains(but) {
        return Err(Failure::Gone);
    }
    let mut done = Ok(Done::Done);
    let others = held.iter().filter(|id| *id != but);
    for id in others.take(MAX_HELD_BACK) {
        match delayed(server, id, DelayedAction::Cancel).await {
            Ok(_) | Err(Failure::Gone) => {}
            Err(failure) => done = Err(failure),
        }
    }
    done
}

/// What a homeserver holds back for a state.
fn held_back<'a>(
    list: &'a Value,
    (room, kind, key): (&'a RoomId, &'a str, &'a Pii<String>),
) -> impl Iterator<Item = DelayId> + 'a {
    let lists = ["delayed_events", "scheduled"].map(|name| list[name].as_array());
    let all = lists.into_iter().flatten().flatten();
    let of_state = all.filter(move |event| {
        event["room_id"] == room.expose()
            && event["type"] == kind
            && event["state_key"] == key.expose().as_str()
    });
    let ids = of_state.filter_map(|event| event["delay_id"].as_str());
    ids.map(DelayId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_held_back_for_the_state_is_cancelled() {
        let event = |id: &str, room: &str, key: &str| json!({"delay_id": id, "room_id": room, "type": "m.x", "state_key": key});
        let list = json!({"delayed_events": [
            event("a", "!r:x", "k"), event("b", "!s:x", "k"), event("c", "!r:x", "l"), 7,
            {"room_id": "!r:x", "type": "m.x", "state_key": "k"}, event("d", "!r:x", "k"),
        ]});
        let (room, key) = (RoomId::new("!r:x"), Pii::from("k"));
        let found: Vec<_> = held_back(&list, (&room, "m.x", &key)).collect();
        assert_eq!(found, [DelayId::new("a"), DelayId::new("d")]);
        assert_eq!(held_back(&list, (&room, "m.y", &key)).count(), 0);
        let newer = json!({"scheduled": [event("a", "!r:x", "k")]});
        assert_eq!(held_back(&newer, (&room, "m.x", &key)).count(), 1);
        assert_eq!(held_back(&json!([]), (&room, "m.x", &key)).count(), 0);
    }

    #[test]
    fn only_transports_that_can_be_used_are_listed() {
        let livekit = |url: &str| json!({"type": "livekit", "livekit_service_url": url});
        let transports = json!([
            livekit("https://one.example.org/"),
            {"type": "other", "livekit_service_url": "https://two.example.org/"},
            livekit("http://three.example.org/"),
            livekit("http://127.0.0.1:8080/"),
            {"type": "livekit"},
            7,
            livekit("no address"),
        ]);
        let urls: Vec<_> = list(&transports)
            .iter()
            .map(|transport| transport.livekit_service_url.expose().to_string())
            .collect();
        assert_eq!(urls, ["https://one.example.org/", "http://127.0.0.1:8080/"]);
        assert!(list(&json!({})).is_empty());
        let many = Value::from(vec![livekit("https://one.example.org/"); 100]);
        assert_eq!(list(&many).len(), MAX_TRANSPORTS);
    }
}
