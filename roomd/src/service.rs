// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Readiness, status and watchdog towards systemd (sd_notify(3)).

use std::time::Duration;

use sd_notify::NotifyState;

/// Tells systemd that the room can be used.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Tells systemd that the room says goodbye.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Tells systemd that the room task still turns.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that: half of what it waits for.
pub fn watchdog_period() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
