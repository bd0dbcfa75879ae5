// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a page is told while no session speaks for its meeting.

use roomd_model::Pii;

use crate::wire::{RefuseReason, ToGuest, WaitReason};

/// The meeting is known, and the room has not joined it yet.
#[must_use]
pub fn not_started(room_name: &str) -> Pii<String> {
    encode(&ToGuest::Waiting {
        reason: WaitReason::NotStarted,
        room_name: room_name.to_owned(),
    })
}

/// The room holds no meeting of this id.
#[must_use]
pub fn unknown_meeting() -> Pii<String> {
    encode(&ToGuest::Refused {
        reason: RefuseReason::UnknownMeeting,
    })
}

fn encode(message: &ToGuest) -> Pii<String> {
    // A message of this crate's own always has a JSON form.
    Pii::new(serde_json::to_string(message).unwrap_or_default())
}
