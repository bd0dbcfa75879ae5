// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The account's identity (cross-signing): it vouches for this device, so that other clients see a
//! device that belongs to its owner and give it keys.

use matrix_sdk::Client;
use matrix_sdk::Error;
use matrix_sdk::ruma::api::client::uiaa::{
    AuthData, MatrixUserIdentifier, Password, UserIdentifier,
};
use roomd_matrix_port::Failure;
use roomd_model::Secret;

use crate::files::Files;
use crate::login::Stop;
use crate::settings::{Login, Settings, read_secret};
use crate::{failure, sync};

/// Has the identity vouch for this device; makes an identity where the account has none.
///
/// Says whether it does. An account whose identity was made elsewhere needs its recovery key.
pub(crate) async fn vouch(
    client: &Client,
    settings: &Settings,
    files: &Files,
) -> Result<bool, Stop> {
    client
        .encryption()
        .wait_for_e2ee_initialization_tasks()
        .await;
    if is_vouched_for(client).await {
        keep_a_way_back(client, settings, files).await;
        return Ok(true);
    }
    match sign(client, settings, files).await {
        Ok(()) => {}
        Err(error) if failure::of(&error) == Failure::Unreachable => return Err(Stop::Later),
        Err(error) => {
            tracing::debug!(%error, "the account's identity could not be made or opened");
        }
    }
    let vouched = is_vouched_for(client).await;
    if !vouched {
        tracing::warn!(
            "the Matrix account has an identity that this device cannot use: others see the device \
             as unverified; a recovery_key_file helps"
        );
    }
    Ok(vouched)
}

async fn is_vouched_for(client: &Client) -> bool {
    let device = client.encryption().get_own_device().await;
    device.is_ok_and(|device| device.is_some_and(|device| device.is_cross_signed_by_owner()))
}

async fn sign(client: &Client, settings: &Settings, files: &Files) -> Result<(), Error> {
    let encryption = client.encryption();
    make_identity(client, settings).await?;
    let status = encryption.cross_signing_status().await;
    if status.is_some_and(|status| status.has_self_signing) {
        // The signature counts once it has come back from the server.
        if let Some(user) = client.user_id() {
            encryption.request_user_identity(user).await?;
        }
        keep_a_way_back(client, settings, files).await;
        return Ok(());
    }
    let keys = recovery_keys(settings, files);
    if !keys.is_empty() {
        // The identity signs a device that the server knows: a poll brings this one's keys there.
        sync::poll(client, false).await?;
    }
    for key in keys {
        if open_identity(client, &key).await {
            break;
        }
    }
    Ok(())
}

/// Makes the first identity. Most servers take it without a password, the rest ask for one.
async fn make_identity(client: &Client, settings: &Settings) -> Result<(), Error> {
    let encryption = client.encryption();
    let Err(error) = encryption.bootstrap_cross_signing_if_needed(None).await else {
        return Ok(());
    };
    let Login::Password(path) = &settings.login else {
        return Err(error);
    };
    let (Some(asked), Some(user), Ok(password)) = (
        error.as_uiaa_response(),
        client.user_id(),
        read_secret(path),
    ) else {
        return Err(error);
    };
    let user = MatrixUserIdentifier::new(user.localpart().to_owned());
    let mut proof = Password::new(UserIdentifier::Matrix(user), password.expose().to_owned());
    proof.session.clone_from(&asked.session);
    let proof = AuthData::Password(proof);
    encryption.bootstrap_cross_signing(Some(proof)).await
}

fn recovery_keys(settings: &Settings, files: &Files) -> Vec<Secret> {
    let configured = settings.recovery_key_file.as_deref();
    let configured = configured.and_then(|path| read_secret(path).ok());
    configured.into_iter().chain(files.recovery_key()).collect()
}

/// Opens the identity's keys, which the server keeps encrypted, and signs this device with them.
async fn open_identity(client: &Client, key: &Secret) -> bool {
    let storage = client.encryption().secret_storage();
    let opened = match storage.open_secret_store(key.expose()).await {
        Ok(store) => store.import_secrets().await,
        Err(error) => Err(error),
    };
    if let Err(error) = &opened {
        tracing::debug!(%error, "a recovery key does not open the account's identity");
    }
    opened.is_ok()
}

/// An identity that this device made dies with its store unless its keys can be had back: the server
/// keeps them, encrypted with a key that stays here. Where somebody else looks after the identity,
/// nothing is touched.
async fn keep_a_way_back(client: &Client, settings: &Settings, files: &Files) {
    let encryption = client.encryption();
    let status = encryption.cross_signing_status().await;
    let ours = status.is_some_and(|status| status.is_complete());
    if !ours || !recovery_keys(settings, files).is_empty() {
        return;
    }
    let storage = encryption.secret_storage();
    if !matches!(storage.is_enabled().await, Ok(false)) {
        return;
    }
    let kept = match storage.create_secret_store().await {
        Ok(store) => files.keep_recovery_key(&Secret::new(store.secret_storage_key())),
        Err(_) => return,
    };
    if kept.is_err() {
        tracing::warn!("the Matrix account's recovery key could not be kept");
    }
}
