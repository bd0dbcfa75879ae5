// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's Matrix account: it lives as long as the daemon, and serves one session after another.

use std::sync::Arc;
use std::time::Duration;

use roomd_config::{Matrix, MatrixLogin, Settings};
use roomd_driver::channels::{Attachment, Services};
use roomd_matrix::{Account, Login, State};
use roomd_model::FaultCode;
use tokio::sync::watch;

/// How long the account may finish what it was asked.
const STOPS: Duration = Duration::from_secs(5);

/// Starts the account, where there is one, and offers it to sessions.
pub fn start(settings: &Settings, services: &mut Services) -> Option<Arc<Account>> {
    let matrix = settings.matrix.as_ref()?;
    let account = Arc::new(Account::start(account_settings(settings, matrix)));
    let offered = Arc::clone(&account);
    services.add(roomd_matrix_port::SERVICE, move || {
        let account = Arc::clone(&offered);
        async move {
            let line = account.attach().await;
            Attachment {
                to: line.to,
                from: line.from,
            }
        }
    });
    Some(account)
}

fn account_settings(settings: &Settings, matrix: &Matrix) -> roomd_matrix::Settings {
    roomd_matrix::Settings {
        homeserver: matrix.homeserver.clone(),
        user: matrix.user.clone(),
        login: match &matrix.login {
            MatrixLogin::Password(file) => Login::Password(file.clone()),
            MatrixLogin::Token(file) => Login::AccessToken(file.clone()),
        },
        store: settings.state_directory.join("matrix"),
        device_name: settings.room.name.clone(),
        ca_file: matrix.ca_file.clone(),
        recovery_key_file: matrix.recovery_key_file.clone(),
    }
}

/// The fault that a state is.
pub const fn fault(state: State) -> Option<FaultCode> {
    match state {
        State::Starting | State::Online { cross_signed: true } => None,
        State::Online {
            cross_signed: false,
        } => Some(FaultCode::AccountUnverified),
        State::Offline => Some(FaultCode::AccountUnreachable),
        State::Ended(_) => Some(FaultCode::AccountRefused),
    }
}

/// Ends the account, of which nobody else holds anything any more.
pub async fn stop(account: Option<Arc<Account>>) {
    let Some(account) = account.and_then(Arc::into_inner) else {
        return;
    };
    if tokio::time::timeout(STOPS, account.stop()).await.is_err() {
        tracing::warn!("the Matrix account did not end in time");
    }
}

/// The next state; never comes where there is no account.
pub async fn changed(state: &mut Option<watch::Receiver<State>>) -> State {
    if let Some(state) = state
        && state.changed().await.is_ok()
    {
        return *state.borrow_and_update();
    }
    std::future::pending().await
}
