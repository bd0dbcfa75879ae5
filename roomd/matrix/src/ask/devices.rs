// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages to devices, encrypted for each of them.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use matrix_sdk::Client;
use matrix_sdk::encryption::identities::Device;
use matrix_sdk::ruma::serde::Raw;
use matrix_sdk::ruma::{OwnedDeviceId, OwnedUserId};
use matrix_sdk_base::crypto::CollectStrategy;
use roomd_matrix_port::{DeviceId, Done, Failure, MAX_RECIPIENTS, Recipient, UserId};
use roomd_model::Pii;
use serde_json::Value;

use super::object;
use crate::failure;

/// Users whose devices are asked for at the same time.
const AT_ONCE: usize = 8;

pub(super) async fn send(
    client: &Client,
    kind: &str,
    content: &Pii<Value>,
    recipients: &[Recipient],
) -> Result<Done, Failure> {
    if recipients.len() > MAX_RECIPIENTS || kind.starts_with("m.") {
        return Err(Failure::BadRequest);
    }
    let content = Raw::new(object(content)?).map_err(|_| Failure::BadRequest)?;
    let (devices, mut unreachable) = find(client, recipients).await;
    if devices.is_empty() {
        return Ok(Done::SentToDevice { unreachable });
    }
    let failed = client
        .encryption()
        .encrypt_and_send_raw_to_device(
            devices.iter().collect(),
            kind,
            content.cast_unchecked(),
            // Whoever is in the call gets what belongs to it; whether its owner vouches for a device
            // decides what is shown, not who can listen to a meeting that it takes part in.
            CollectStrategy::AllDevices,
        )
        .await
        .map_err(|error| failure::of(&error))?;
    unreachable.extend(failed.into_iter().map(|(user, device)| Recipient {
        user: UserId::new(user.as_str()),
        device: DeviceId::new(device.as_str()),
    }));
    Ok(Done::SentToDevice { unreachable })
}

/// The devices that exist, and those that do not; this one needs no message from itself.
async fn find(client: &Client, recipients: &[Recipient]) -> (Vec<Device>, Vec<Recipient>) {
    let wanted: BTreeSet<_> = recipients.iter().collect();
    let (mut devices, mut missing) = look_up(client, wanted.into_iter()).await;
    let owners: BTreeSet<_> = missing.iter().map(|missing| &missing.user).collect();
    let owners = owners.into_iter().filter_map(id);
    // Devices of people with whom the account shares no encrypted room are not known yet.
    stream::iter(owners)
        .for_each_concurrent(AT_ONCE, async |user| {
            let asked = client.encryption().request_user_identity(&user).await;
            if asked.is_err() {
                tracing::debug!("the devices of a user could not be asked for");
            }
        })
        .await;
    let (found, absent) = look_up(client, missing.iter()).await;
    devices.extend(found);
    missing = absent;
    (devices, missing)
}

async fn look_up<'a>(
    client: &Client,
    recipients: impl Iterator<Item = &'a Recipient>,
) -> (Vec<Device>, Vec<Recipient>) {
    let (mut devices, mut missing) = (Vec::new(), Vec::new());
    for recipient in recipients {
        match device(client, recipient).await {
            Some(device) if is_own(client, &device) => {}
            Some(device) => devices.push(device),
            None => missing.push(recipient.clone()),
        }
    }
    (devices, missing)
}

fn is_own(client: &Client, device: &Device) -> bool {
    client.user_id() == Some(device.user_id()) && client.device_id() == Some(device.device_id())
}

async fn device(client: &Client, recipient: &Recipient) -> Option<Device> {
    let user = id(&recipient.user)?;
    let device = OwnedDeviceId::from(recipient.device.expose());
    let device = client.encryption().get_device(&user, &device).await;
    device.ok().flatten().filter(|device| !device.is_deleted())
}

fn id(user: &UserId) -> Option<OwnedUserId> {
    OwnedUserId::try_from(user.expose()).ok()
}
