// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! News from the homeserver: one long poll after the other.
//!
//! It is the classic `/sync`, not sliding sync: every homeserver has it, one answer holds rooms,
//! invitations, knocks, keys and messages between devices, and it tells every state event of a room
//! without being asked for each type. Its price is a first answer as large as all rooms together,
//! and a room device is in few.

use std::time::Duration;

use matrix_sdk::config::SyncSettings;
use matrix_sdk::ruma::api::client::filter::{
    Filter, FilterDefinition, RoomEventFilter, RoomFilter,
};
use matrix_sdk::ruma::api::client::sync::sync_events::v3;
use matrix_sdk::ruma::api::error::ErrorKind;
use matrix_sdk::ruma::presence::PresenceState;
use matrix_sdk::ruma::uint;
use matrix_sdk::store::StateStoreDataKey;
use matrix_sdk::sync::SyncResponse;
use matrix_sdk::{Client, Error};
use rand::Rng;

use crate::login::Earlier;

/// How long the server holds a poll that has nothing to tell.
const POLL: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Asks for news. The first poll after a silence is answered at once, so that the account soon knows
/// that it is online again.
pub(crate) async fn poll(client: &Client, online: bool) -> Result<SyncResponse, Error> {
    let first = client
        .state_store()
        .get_kv_data(StateStoreDataKey::SyncToken)
        .await;
    let wait = online || first.is_ok_and(|token| token.is_none());
    let settings = SyncSettings::new()
        .filter(v3::Filter::FilterDefinition(filter()))
        .timeout(if wait { POLL } else { Duration::ZERO })
        // Whether somebody is in the room is nobody's business.
        .set_presence(PresenceState::Offline);
    client.sync_once(settings).await
}

fn filter() -> FilterDefinition {
    let mut timeline = RoomEventFilter::empty();
    timeline.limit = Some(uint!(50));
    let mut room = RoomFilter::empty();
    room.ephemeral = RoomEventFilter::ignore_all();
    room.account_data = RoomEventFilter::ignore_all();
    room.timeline = timeline;
    let mut filter = FilterDefinition::empty();
    filter.presence = Filter::ignore_all();
    filter.room = room;
    filter
}

/// How the login came to its end, if it did.
pub(crate) fn login_ended(client: &Client, error: &Error) -> Option<Earlier> {
    let Some(ErrorKind::UnknownToken(token)) = error.client_api_error_kind() else {
        return None;
    };
    Some(match client.device_id() {
        Some(device) if token.soft_logout => Earlier::Expired(device.to_owned()),
        Some(_) | None => Earlier::Revoked,
    })
}

/// The time before the next attempt: longer each time, and not the same for every device that lost
/// the same server.
pub(crate) fn pause(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE
        .saturating_mul(1 << attempt.min(10))
        .min(LONGEST_PAUSE);
    rand::rng().random_range(longest / 2..=longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute() {
        for (attempt, least, most) in [(0, 500, 1000), (3, 4000, 8000), (40, 15_000, 30_000)] {
            for _ in 0..100 {
                let pause = pause(attempt).as_millis();
                assert!((least..=most).contains(&pause), "{attempt}: {pause}");
            }
        }
    }
}
