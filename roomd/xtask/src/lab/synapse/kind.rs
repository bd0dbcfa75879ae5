// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The kinds of rooms that calls are held in.

use serde_json::{Value, json};

use super::CALL_MEMBER;

/// What a room is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// As Element Call makes them: public, everybody may be in the call.
    Call,
    /// The same, but whoever comes must knock.
    Knock,
    /// By invitation and with encrypted messages; everybody may be in the call.
    Encrypted,
    /// As rooms are by default: members may not write state, so they cannot be in a call.
    Ordinary,
}

impl Kind {
    /// What makes such a room.
    pub fn request(self, alias: &str) -> Value {
        let mut request = json!({
            "name": alias,
            "room_alias_name": alias,
            "visibility": "private",
            "preset": "public_chat",
        });
        if self == Self::Ordinary {
            return request;
        }
        request["power_level_content_override"] = call_powers();
        if self == Self::Knock {
            request["initial_state"] =
                json!([state("m.room.join_rules", json!({ "join_rule": "knock" }))]);
        }
        if self == Self::Encrypted {
            request["preset"] = "private_chat".into();
            request["power_level_content_override"]["events"]["m.room.encrypted"] = 0.into();
            request["initial_state"] = json!([state(
                "m.room.encryption",
                json!({ "algorithm": "m.megolm.v1.aes-sha2" })
            )]);
        }
        request
    }
}

fn state(kind: &str, content: Value) -> Value {
    json!({ "type": kind, "state_key": "", "content": content })
}

/// Who may do what in a room that Element Call makes; who made it may do everything.
fn call_powers() -> Value {
    json!({
        "invite": 100,
        "kick": 100,
        "ban": 100,
        "redact": 50,
        "state_default": 0,
        "events_default": 0,
        "users_default": 0,
        "events": {
            "m.room.power_levels": 100,
            "m.room.history_visibility": 100,
            "m.room.tombstone": 100,
            "m.room.encryption": 100,
            "m.room.name": 50,
            "m.room.message": 0,
            "m.room.encrypted": 50,
            "m.sticker": 50,
            (CALL_MEMBER): 0,
        },
    })
}
