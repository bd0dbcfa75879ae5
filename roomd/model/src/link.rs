// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use url::Url;

use crate::{Pii, Secret};

/// Names a conference platform, such as `direct` or `jitsi`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct ProviderId(pub String);

impl ProviderId {
    /// The id of a platform.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

/// A link that a provider recognised as one of its meetings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingLink {
    /// The platform that joins it.
    pub provider: ProviderId,
    /// The link as the invitation names it, unwrapped.
    pub url: Pii<Url>,
    /// A password that came with the link, or that a person typed.
    #[serde(skip)]
    pub password: Option<Secret>,
    /// A password belongs to it, also where it is not known: what is kept on disk does not hold it.
    #[serde(default)]
    pub protected: bool,
}
