// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages from device to device.

use std::time::Duration;

use matrix_sdk::Client;
use matrix_sdk::deserialized_responses::{
    ProcessedToDeviceEvent, VerificationLevel, VerificationState,
};
use matrix_sdk::ruma::{OwnedDeviceId, OwnedUserId};
use roomd_matrix_port::{DeviceId, MAX_EVENT_BYTES, MAX_EVENT_DEPTH, News, UserId};
use roomd_model::Pii;
use serde::Deserialize;
use serde_json::Value;

use crate::room::is_flat;

/// How long a message may wait for the server to say whose device sent it.
const LOOK_UP: Duration = Duration::from_secs(3);

/// A message whose sender encryption proves.
pub(crate) struct Message {
    pub user: OwnedUserId,
    pub device: OwnedDeviceId,
    /// Its owner vouches for the device, and is who it was before.
    pub signed: bool,
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
        let signed = matches!(
            proof.verification_state,
            VerificationState::Verified
                | VerificationState::Unverified(VerificationLevel::UnverifiedIdentity)
        );
        Some(Self {
            user: proof.sender.clone(),
            device: proof.sender_device.clone()?,
            signed,
            kind,
            content,
        })
    }

    /// What the session is told. The account knows nothing yet of an identity that it shares no
    /// encrypted room with, and asks for it where it `may_ask`.
    pub async fn news(self, client: Client, may_ask: bool) -> News {
        let verified = self.signed || self.look_up(&client, may_ask).await;
        News::ToDevice {
            sender: UserId::new(self.user.as_str()),
            device: DeviceId::new(self.device.as_str()),
            verified,
            kind: self.kind,
            content: Pii::new(self.content),
        }
    }

    async fn look_up(&self, client: &Client, may_ask: bool) -> bool {
        let encryption = client.encryption();
        if may_ask {
            let ask = encryption.request_user_identity(&self.user);
            if !matches!(tokio::time::timeout(LOOK_UP, ask).await, Ok(Ok(_))) {
                tracing::debug!("the identity of a sender could not be asked for");
            }
        }
        let identity = encryption.get_user_identity(&self.user).await;
        let is_itself = identity.ok().flatten().is_some_and(|identity| {
            identity.is_verified() || !identity.has_verification_violation()
        });
        let device = encryption.get_device(&self.user, &self.device).await;
        let device = device.ok().flatten();
        is_itself && device.is_some_and(|device| device.is_cross_signed_by_owner())
    }
}
