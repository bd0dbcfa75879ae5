// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Somebody who reads what a media server can read (kiosk/tests/meeting/tap.ts).

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::{PAGE, Pages};
use crate::lab::browser::{Browser, Options};
use crate::lab::livekit::LiveKit;

/// Takes somebody's frames as they travel, and tries to open them with the key of a password, or with
/// keys of the sender's device.
pub struct Tap {
    browser: Browser,
}

/// The frames of one source.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Frames {
    /// How many came.
    #[serde(rename = "frames")]
    pub seen: u64,
    /// How many of them the key opened.
    pub opened: u64,
    /// How many of them were black ones of the server's own, with which it ends a track.
    pub blank: u64,
    /// Length, first and last bytes of one that no key opened.
    pub closed: Option<String>,
}

/// What was seen so far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Pictures.
    pub camera: Frames,
    /// Sound.
    pub microphone: Frames,
    /// Shared content.
    pub screen_share: Frames,
}

impl Tap {
    /// Waits at the server for what this participant of the room sends.
    pub fn at(
        pages: &Pages,
        livekit: &LiveKit,
        [room, identity]: [&str; 2],
        password: Option<&str>,
    ) -> Result<Self> {
        let mut browser = Browser::launch(&Options::default())?;
        browser.open(PAGE, &pages.url("tap"), json!({}))?;
        let grants = json!({
            "room": room, "roomJoin": true, "canSubscribe": true,
            "canPublish": false, "hidden": true,
        });
        let mut joining = json!({
            "url": livekit.url(),
            "token": livekit.token_with("tap", &grants)?,
            "identity": identity,
        });
        if let Some(password) = password {
            joining["password"] = password.into();
        }
        browser.evaluate(PAGE, &format!("guest.join({joining})"))?;
        Ok(Self { browser })
    }

    /// Tries frames that come from now on with another key.
    pub fn use_password(&mut self, password: &str) -> Result<()> {
        let call = format!("guest.usePassword({})", json!(password));
        self.browser.evaluate(PAGE, &call).map(drop)
    }

    /// Tries frames with this key too, in base64; also those that no key opened so far.
    pub fn add_key(&mut self, key: &str) -> Result<()> {
        let call = format!("guest.addKey({})", json!(key));
        self.browser.evaluate(PAGE, &call).map(drop)
    }

    /// What was seen so far.
    pub fn seen(&mut self) -> Result<Seen> {
        let seen = self.browser.evaluate(PAGE, "guest.seen()")?;
        serde_json::from_value(seen).context("what was seen is told otherwise")
    }
}
