// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which display the room has.

use std::path::Path;

use roomd_media_core::plan::VideoOut;
use roomd_media_core::scene::{HEIGHT, WIDTH};

use crate::types::DisplayOutput;

/// The output to open and its name; none when the room has no display.
pub(crate) fn choose(
    wanted: DisplayOutput,
    server: Option<&str>,
) -> Option<(VideoOut<'_>, &'static str)> {
    const KMS: (VideoOut<'_>, &str) = (VideoOut::Kms, "KMS");
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
        DisplayOutput::Auto if connected(Path::new("/sys/class/drm")) => Some(KMS),
        DisplayOutput::Auto if std::env::var_os("WAYLAND_DISPLAY").is_some() => Some(wayland),
        DisplayOutput::Auto if std::env::var_os("DISPLAY").is_some() => Some(X11),
        DisplayOutput::Auto => None,
    }
}

/// Whether a graphics card has a display plugged in.
fn connected(folder: &Path) -> bool {
    let connectors = std::fs::read_dir(folder).into_iter().flatten().flatten();
    connectors.into_iter().any(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status"));
        status.is_ok_and(|status| status.trim() == "connected")
    })
}
