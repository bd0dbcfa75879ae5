// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The graphics card that has a display, opened: `kmssink` looks for cards by a list of drivers that
//! leaves some out, and takes seconds to go through it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use roomd_media_core::plan::VideoOut;

/// Where the kernel lists connectors (Documentation/ABI/testing/sysfs-class-drm).
const CONNECTORS: &str = "/sys/class/drm";

/// No display is plugged in, or its card does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KmsError {
    #[error("no display is plugged in")]
    Unplugged,
    #[error("cannot open the graphics card {0}; the room's user must be in the group `video`")]
    Open(PathBuf, #[source] io::Error),
}

/// An open graphics card and the connector of its display.
#[derive(Debug)]
pub(crate) struct Card {
    file: File,
    connector: Option<u32>,
}

impl Card {
    /// The first card with a display.
    pub(crate) fn open() -> Result<Self, KmsError> {
        let found = connected(Path::new(CONNECTORS)).ok_or(KmsError::Unplugged)?;
        let node = Path::new("/dev/dri").join(&found.card);
        let file = File::options().read(true).write(true).open(&node);
        Ok(Self {
            file: file.map_err(|error| KmsError::Open(node, error))?,
            connector: found.connector,
        })
    }

    /// The pipeline's end; it lives as long as the card is open.
    pub(crate) fn output(&self) -> VideoOut<'static> {
        VideoOut::Kms {
            card: Some(self.file.as_raw_fd()),
            connector: self.connector,
        }
    }
}

/// A connector with a display.
#[derive(Debug, PartialEq, Eq)]
struct Connected {
    /// Such as `card0`.
    card: String,
    /// The kernel's number; older kernels do not say it, and the first display is taken.
    connector: Option<u32>,
}

/// Whether a display is plugged in.
pub(crate) fn is_connected() -> bool {
    connected(Path::new(CONNECTORS)).is_some()
}

fn connected(folder: &Path) -> Option<Connected> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names.iter().find_map(|name| {
        let (card, _) = name.split_once('-')?;
        let read = |file: &str| fs::read_to_string(folder.join(name).join(file));
        let is_connected = read("status").is_ok_and(|status| status.trim() == "connected");
        is_connected.then(|| Connected {
            card: card.to_owned(),
            connector: read("connector_id")
                .ok()
                .and_then(|id| id.trim().parse().ok()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_connector_with_a_display_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(connected(folder.path()), None);
        for (name, status, id) in [
            ("card0", None, None),
            ("card0-HDMI-A-1", Some("disconnected\n"), Some("31\n")),
            ("card1-DP-1", Some("connected\n"), Some("41\n")),
            ("card2-DP-2", Some("connected\n"), None),
        ] {
            let connector = folder.path().join(name);
            fs::create_dir(&connector).unwrap();
            let files = [("status", status), ("connector_id", id)];
            for (file, text) in files
                .into_iter()
                .filter_map(|(file, text)| Some((file, text?)))
            {
                fs::write(connector.join(file), text).unwrap();
            }
        }
        let found = connected(folder.path()).unwrap();
        assert_eq!((found.card.as_str(), found.connector), ("card1", Some(41)));
        fs::write(folder.path().join("card1-DP-1/status"), "disconnected\n").unwrap();
        let found = connected(folder.path()).unwrap();
        assert_eq!((found.card.as_str(), found.connector), ("card2", None));
    }
}
