// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The registry of conference platforms.
//!
//! A further platform is one folder beside this one and one line in [`registry`].
#![deny(missing_docs)]

use roomd_conference::Provider;
use roomd_direct::Direct;
use roomd_matrixrtc::MatrixRtc;
use roomd_model::{MeetingLink, ProviderId};
use url::Url;

pub use roomd_direct::DirectConfig;
pub use roomd_matrixrtc::MatrixRtcConfig;

/// The configuration of every platform.
#[derive(Clone, Debug, Default)]
pub struct ProvidersConfig {
    /// Direct meetings; none when the room does not host any.
    pub direct: Option<DirectConfig>,
    /// Element Call; none when the room has no Matrix account.
    pub matrix_rtc: Option<MatrixRtcConfig>,
}

/// Every configured platform.
#[must_use]
pub fn registry(config: ProvidersConfig) -> Vec<Box<dyn Provider>> {
    let direct = config
        .direct
        .map(|config| -> Box<dyn Provider> { Box::new(Direct::new(config)) });
    let matrix_rtc = config
        .matrix_rtc
        .map(|config| -> Box<dyn Provider> { Box::new(MatrixRtc::new(config)) });
    [direct, matrix_rtc].into_iter().flatten().collect()
}

/// The first platform's reading of a link.
#[must_use]
pub fn recognise(providers: &[Box<dyn Provider>], url: &Url) -> Option<MeetingLink> {
    providers
        .iter()
        .find_map(|provider| provider.recognise(url))
}

/// The platform with this id.
#[must_use]
pub fn find<'a>(providers: &'a [Box<dyn Provider>], id: &ProviderId) -> Option<&'a dyn Provider> {
    let mut all = providers.iter().map(AsRef::as_ref);
    all.find(|provider| provider.id() == *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_find_their_platform() {
        let providers = registry(ProvidersConfig {
            direct: Some(DirectConfig {
                hosts: vec!["room.example".into()],
                ..DirectConfig::default()
            }),
            matrix_rtc: None,
        });
        let url = Url::parse("https://room.example/meet/abcd-efgh-jkmn-pqrs").unwrap();
        let link = recognise(&providers, &url).unwrap();
        assert!(find(&providers, &link.provider).is_some());
        let other = Url::parse("https://elsewhere.example/meet/abcd-efgh-jkmn-pqrs").unwrap();
        assert!(recognise(&providers, &other).is_none());
        assert!(registry(ProvidersConfig::default()).is_empty());
    }
}
