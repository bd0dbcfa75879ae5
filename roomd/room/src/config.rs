// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::Duration;

use roomd_model::Language;

use crate::AllowList;

/// What the room's administration decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomConfig {
    /// Destinations besides the hosts of the configured platforms; none allows those only.
    pub allow: Option<AllowList>,
    /// How long before its start a booking is offered for one-touch join.
    pub offer_before: Duration,
    /// The countdown of an empty call; brought into 60 to 600 s.
    pub countdown: Duration,
    /// How long the room waits alone for the first participant before the countdown begins.
    pub alone_limit: Duration,
    /// How long joining may take: longer than what a session waits for on the way.
    pub join_limit: Duration,
    /// Joins with microphone and camera on the wire, against the default.
    pub joins_sending: bool,
    /// Loudspeaker volume at start, 0 to 100.
    pub volume: u8,
    /// Language at start.
    pub language: Language,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            allow: None,
            offer_before: Duration::from_secs(10 * 60),
            countdown: Duration::from_secs(120),
            alone_limit: Duration::from_secs(15 * 60),
            // A Matrix room on other servers takes up to 40 s to join, its media server some more.
            join_limit: Duration::from_secs(60),
            joins_sending: false,
            volume: 60,
            language: Language::default(),
        }
    }
}

impl RoomConfig {
    pub(crate) fn countdown(&self) -> Duration {
        self.countdown
            .clamp(Duration::from_secs(60), Duration::from_secs(600))
    }
}
