// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the room leaves out because its processor is too slow for all of it. Each goes with those
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub enum QualityLimit {
    /// The camera's picture is sent with 720 lines at the most.
    #[serde(rename = "cpu-without-1080p")]
    Without1080,
    /// With 360 lines at the most.
    #[serde(rename = "cpu-without-720p")]
    Without720,
    /// With 180 lines at the most.
    #[serde(rename = "cpu-without-360p")]
    Without360,
    /// Fewer pictures a second are sent.
    #[serde(rename = "cpu-fewer-pictures")]
    FewerPictures,
    /// The displays change less often.
    #[serde(rename = "cpu-slower-display")]
    SlowerDisplay,
}

impl QualityLimit {
    /// The mildest first.
    pub const ALL: [Self; 5] = [
        Self::Without1080,
        Self::Without720,
        Self::Without360,
        Self::FewerPictures,
        Self::SlowerDisplay,
    ];
}
