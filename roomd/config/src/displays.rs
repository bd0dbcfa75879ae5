// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The display for content: where it is, and that it is another than people's.

use toml::Spanned;

use crate::check::{Checked, Checker};
use crate::{ContentDisplay, Display, Media, raw};

impl Checker<'_> {
    pub(crate) fn content_display(&self, text: &Spanned<String>) -> Checked<ContentDisplay> {
        let name = text.get_ref().trim();
        let socket = |name: &str| name.starts_with("wayland") || name.starts_with('/');
        match name {
            "auto" => Ok(ContentDisplay::Auto),
            "off" => Ok(ContentDisplay::Off),
            _ if name.len() > 1 && name.starts_with(':') => {
                Ok(ContentDisplay::X11(name.to_owned()))
            }
            _ if socket(name) => Ok(ContentDisplay::Wayland(name.to_owned())),
            _ if is_connector(name) => Ok(ContentDisplay::Connector(name.to_owned())),
            _ => Err(self.error(text.span(), "not a second display").with_help(
                "use \"auto\", \"off\", a connector such as \"HDMI-A-2\", an X screen such as \":0.1\", \
                 or a Wayland socket such as \"wayland-1\"",
            )),
        }
    }

    /// People and content need displays of their own.
    pub(crate) fn displays_apart(
        &self,
        raw: &raw::Media,
        media: &Media,
        display: &Display,
    ) -> Checked<()> {
        if let (Some(text), ContentDisplay::Connector(name)) =
            (&raw.content_display, &media.content_display)
            && display.connector.as_ref() == Some(name)
        {
            return Err(self
                .error(text.span(), "people are on this display")
                .with_help("name another connector, or leave one of them out"));
        }
        Ok(())
    }
}

/// Whether a word may be a connector's name (`drm_connector_enum_list` in the kernel's
/// drivers/gpu/drm/drm_connector.c): a kind, and a number after it.
fn is_connector(word: &str) -> bool {
    let known = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let parts = word.rsplit_once('-');
    word.len() <= 32
        && word.chars().all(known)
        && parts.is_some_and(|(kind, number)| !kind.is_empty() && number.parse::<u8>().is_ok())
}
