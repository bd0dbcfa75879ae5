// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages from device to device.

use matrix_sdk::deserialized_responses::ProcessedToDeviceEvent;
use matrix_sdk::ruma::{OwnedDeviceId, OwnedUserId};
use roomd_matrix_port::{DeviceId, MAX_EVENT_BYTES, MAX_EVENT_DEPTH, News, UserId};
use roomd_model::Pii;
use serde::Deserialize;
use serde_json::Value;

use crate::room::is_flat;

/// A message whose sender encryption proves.
pub(crate) struct Message {
    user: OwnedUserId,
    device: OwnedDeviceId,
    kind: String,
    content: Value,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    content: Value,
}

impl Message {
    /// Reads a message, if it was encrypted. What Matrix itself sends between devices, keys above
    /// all, is nobody else's business.
    pub fn read(event: &ProcessedToDeviceEvent) -> Option<Self> {
        let ProcessedToDeviceEvent::Decrypted {
            raw,
            encryption_info: proof,
        } = event
        else {
            return None;
        };
        let text = raw.json().get();
        if text.len() > MAX_EVENT_BYTES {
            return None;
        }
        let Event { kind, content } = serde_json::from_str(text).ok()?;
        if kind.starts_with("m.") || !content.is_object() || !is_flat(&content, MAX_EVENT_DEPTH) {
            return None;
        }
        Some(Self {
            user: proof.sender.clone(),
            device: proof.sender_device.clone()?,
            kind,
            content,
        })
    }

    /// What the session is told.
    pub fn news(self) -> News {
        News::ToDevice {
            sender: UserId::new(self.user.as_str()),
            device: DeviceId::new(self.device.as_str()),
            kind: self.kind,
            content: Pii::new(self.content),
        }
    }
}
