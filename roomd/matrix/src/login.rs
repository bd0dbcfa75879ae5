// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From settings to a client that is logged in: restored where possible, logged in where not.

use matrix_sdk::authentication::matrix::MatrixSession;
use matrix_sdk::config::RequestConfig;
use matrix_sdk::encryption::EncryptionSettings;
use matrix_sdk::ruma::api::client::session::get_login_types::v3::LoginType;
use matrix_sdk::ruma::api::error::ErrorKind;
use matrix_sdk::ruma::{OwnedDeviceId, OwnedUserId};
use matrix_sdk::{Client, ClientBuildError, Error, SessionMeta, SessionTokens};
use roomd_matrix_port::{Failure, Why};
use roomd_model::Secret;
use serde::Deserialize;

use crate::files::{Files, Kept};
use crate::server::{ANSWER, Refused, Server, http_client};
use crate::settings::{Login, Settings, read_secret};
use crate::{failure, identity};

/// Why there is no login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The homeserver does not answer as it should; later it may.
    Later,
    /// Only a person can help.
    Never(Why),
}

impl From<Why> for Stop {
    fn from(why: Why) -> Self {
        Self::Never(why)
    }
}

/// What is left of an earlier login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// Whatever the files say.
    Kept,
    /// The device is still known, but has to prove itself again.
    Expired(OwnedDeviceId),
    /// The device is gone, and its keys with it.
    Revoked,
}

/// A client that is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub client: Client,
    pub cross_signed: bool,
    pub files: Files,
}

/// Logs in, and has the account's identity vouch for this device.
pub(crate) async fn connect(settings: &Settings, earlier: &Earlier) -> Result<Connection, Stop> {
    let files = Files::open(&settings.store)?;
    let client = match &settings.login {
        Login::Password(path) => {
            let password = read_secret(path)?;
            with_password(settings, &files, &password, earlier).await?
        }
        Login::AccessToken(path) => {
            if *earlier != Earlier::Kept {
                return Err(Stop::Never(Why::TokenRevoked));
            }
            with_token(settings, &files, read_secret(path)?).await?
        }
    };
    let cross_signed = identity::vouch(&client, settings, &files).await?;
    Ok(Connection {
        client,
        cross_signed,
        files,
    })
}

async fn with_password(
    settings: &Settings,
    files: &Files,
    password: &Secret,
    earlier: &Earlier,
) -> Result<Client, Stop> {
    if *earlier == Earlier::Kept
        && let Some(kept) = files.session().filter(|kept| belongs(kept, settings))
    {
        match restore(settings, files, kept.session).await {
            // A store that a power cut has broken is made anew, as a new device.
            Err(Stop::Never(Why::Store)) => {
                tracing::warn!("the Matrix account's store cannot be read: logging in anew");
            }
            result => return result,
        }
    }
    let device = match earlier {
        Earlier::Expired(device) => Some(device.as_str()),
        Earlier::Kept | Earlier::Revoked => {
            files.forget()?;
            None
        }
    };
    let client = build(settings, files).await?;
    let auth = client.matrix_auth();
    let mut login = auth
        .login_username(settings.user.expose(), password.expose())
        .initial_device_display_name(&settings.device_name);
    if let Some(device) = device {
        login = login.device_id(device);
    }
    if let Err(error) = login.send().await {
        return Err(login_refused(&client, &error).await);
    }
    let session = auth.session().ok_or(Why::Store)?;
    keep(settings, files, session)?;
    tracing::info!("the Matrix account is logged in as a new device");
    Ok(client)
}

async fn with_token(settings: &Settings, files: &Files, token: Secret) -> Result<Client, Stop> {
    let kept = files.session().filter(|kept| belongs(kept, settings));
    if let Some(kept) = kept
        && kept.session.tokens.access_token == token.expose()
    {
        return restore(settings, files, kept.session).await;
    }
    let meta = who_am_i(settings, &token).await?;
    if !is_user(&meta.user_id, settings.user.expose()) {
        tracing::warn!("the access token belongs to another Matrix account");
        return Err(Stop::Never(Why::Configuration));
    }
    let same_device = files
        .session()
        .is_some_and(|kept| kept.session.meta == meta);
    if !same_device {
        files.forget()?;
    }
    let tokens = SessionTokens {
        access_token: token.expose().to_owned(),
        refresh_token: None,
    };
    let session = MatrixSession { meta, tokens };
    let client = restore(settings, files, session.clone()).await?;
    keep(settings, files, session)?;
    Ok(client)
}

fn belongs(kept: &Kept, settings: &Settings) -> bool {
    kept.homeserver == *settings.homeserver.expose() && kept.user == *settings.user.expose()
}

fn keep(settings: &Settings, files: &Files, session: MatrixSession) -> Result<(), Why> {
    files.keep_session(&Kept {
        homeserver: settings.homeserver.expose().clone(),
        user: settings.user.expose().clone(),
        session,
    })
}

async fn restore(
    settings: &Settings,
    files: &Files,
    session: MatrixSession,
) -> Result<Client, Stop> {
    let client = build(settings, files).await?;
    client
        .restore_session(session)
        .await
        .map_err(|_| Stop::Never(Why::Store))?;
    Ok(client)
}

async fn build(settings: &Settings, files: &Files) -> Result<Client, Stop> {
    let http = http_client(settings)?;
    let passphrase = files.passphrase()?;
    let encryption = EncryptionSettings {
        auto_enable_cross_signing: false,
        auto_enable_backups: false,
        ..EncryptionSettings::default()
    };
    let built = Client::builder()
        .homeserver_url(settings.homeserver.expose())
        // The configuration names the homeserver; no answer moves the account to another.
        .respect_login_well_known(false)
        .http_client(http)
        // Whoever asks knows better than the SDK whether to ask again.
        .request_config(RequestConfig::new().disable_retry().timeout(ANSWER))
        .sqlite_store(files.database(), Some(passphrase.expose()))
        .with_encryption_settings(encryption)
        .build()
        .await;
    built.map_err(|error| {
        if matches!(error, ClientBuildError::SqliteStore(_)) {
            Stop::Never(Why::Store)
        } else {
            Stop::Never(Why::Address)
        }
    })
}

async fn login_refused(client: &Client, error: &Error) -> Stop {
    let kind = error.client_api_error_kind();
    match (failure::of(error), kind) {
        (_, Some(ErrorKind::UserDeactivated | ErrorKind::UserLocked)) | (Failure::Forbidden, _) => {
            Stop::Never(Why::LoginRefused)
        }
        (Failure::Unreachable | Failure::TooMany { .. }, _) => Stop::Later,
        _ => match client.matrix_auth().get_login_types().await {
            Ok(types) if takes_password(&types.flows) => Stop::Never(Why::LoginRefused),
            Ok(_) => Stop::Never(Why::NoPasswordLogin),
            Err(_) => Stop::Never(Why::Address),
        },
    }
}

fn takes_password(flows: &[LoginType]) -> bool {
    flows
        .iter()
        .any(|flow| matches!(flow, LoginType::Password(_)))
}

#[derive(Deserialize)]
struct WhoAmI {
    user_id: OwnedUserId,
    device_id: Option<OwnedDeviceId>,
}

async fn who_am_i(settings: &Settings, token: &Secret) -> Result<SessionMeta, Stop> {
    let base = settings.homeserver.expose().clone();
    let server = Server::new(http_client(settings)?, base, token.clone());
    let answer = server.get(&["v3", "account", "whoami"]).await;
    let answer = answer.map_err(|refused| match refused {
        Refused::Said { status: 401, .. } => Stop::Never(Why::TokenRevoked),
        Refused::Said { status: 429, .. } | Refused::Unreachable => Stop::Later,
        Refused::Said { status: 403, .. } => Stop::Never(Why::LoginRefused),
        Refused::Said { .. } => Stop::Never(Why::Address),
    })?;
    let who: WhoAmI = serde_json::from_value(answer).map_err(|_| Stop::Never(Why::Address))?;
    // Without a device there is nothing to encrypt for.
    let device_id = who.device_id.ok_or(Stop::Never(Why::Configuration))?;
    Ok(SessionMeta {
        user_id: who.user_id,
        device_id,
    })
}

fn is_user(user: &OwnedUserId, configured: &str) -> bool {
    if configured.starts_with('@') {
        user.as_str() == configured
    } else {
        user.localpart() == configured
    }
}
