// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a room is called, and what the account may do in it.

use matrix_sdk::ruma::UserId;
use matrix_sdk::ruma::events::StateEventType;
use matrix_sdk::{Room, RoomDisplayName};
use roomd_matrix_port::{MAX_NAME_BYTES, RoomInfo};
use roomd_model::Pii;

use super::CALL_MEMBER;
use super::event::cut;

/// What holds for a room, from what is known without asking the server.
pub(crate) async fn info(room: &Room) -> RoomInfo {
    let me = room.own_user_id();
    let levels = room.power_levels_or_default().await;
    let name = match room.display_name().await {
        // Nothing to tell people, and in English only.
        Ok(RoomDisplayName::Empty | RoomDisplayName::EmptyWas(_)) | Err(_) => String::new(),
        Ok(name) => name.to_string(),
    };
    RoomInfo {
        name: Pii::new(cut(&name, MAX_NAME_BYTES).to_owned()),
        encrypted: room.encryption_state().is_encrypted(),
        can_call: levels.user_can_send_state(me, StateEventType::from(CALL_MEMBER)),
        can_invite: levels.user_can_invite(me),
        can_kick: levels.user_can_kick(me),
    }
}

/// Somebody's display name in a room; with the id where two have the same, so that nobody passes for
/// somebody else.
pub(super) async fn name(room: &Room, user: &UserId) -> Pii<String> {
    let member = room.get_member_no_sync(user).await.ok().flatten();
    let name = match member {
        Some(member) if member.name_ambiguous() => {
            let shown = cut(member.name(), MAX_NAME_BYTES / 2);
            format!("{shown} ({user})")
        }
        Some(member) => member.name().to_owned(),
        None => user.localpart().to_owned(),
    };
    Pii::new(cut(&name, MAX_NAME_BYTES).to_owned())
}
