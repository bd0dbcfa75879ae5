// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which display the room has.

use roomd_media_core::plan::VideoOut;
use roomd_media_core::scene::{HEIGHT, WIDTH};

use crate::kms::is_connected;
use crate::types::DisplayOutput;

/// The output to open and its name; none when the room has no display.
pub(crate) fn choose(
    wanted: DisplayOutput,
    server: Option<&str>,
) -> Option<(VideoOut<'_>, &'static str)> {
    const KMS: (VideoOut<'_>, &str) = (
        // The card is looked for when it is opened.
        VideoOut::Kms {
            card: None,
            connector: None,
            plane: None,
        },
        "KMS",
    );
    const X11: (VideoOut<'_>, &str) = (
        // The window knows its size when it is open.
        VideoOut::X11 {
            width: WIDTH,
            height: HEIGHT,
        },
        "X11",
    );
    let wayland = (VideoOut::Wayland { socket: server }, "Wayland");
    match wanted {
        DisplayOutput::Headless => None,
        DisplayOutput::Offscreen => Some((VideoOut::Headless, "offscreen")),
        DisplayOutput::Kms => Some(KMS),
        DisplayOutput::Wayland => Some(wayland),
        DisplayOutput::X11 => Some(X11),
        DisplayOutput::Auto if is_connected() => Some(KMS),
        DisplayOutput::Auto if std::env::var_os("WAYLAND_DISPLAY").is_some() => Some(wayland),
        DisplayOutput::Auto if std::env::var_os("DISPLAY").is_some() => Some(X11),
        DisplayOutput::Auto => None,
    }
}
